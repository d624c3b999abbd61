"""Compute the truth: what each rate of a grid leads to, for every task.

    KERAS_BACKEND=jax python -m benchmarks.finder.truth [task ...]

It trains every task from several seeds (100, 101, ...) at every rate of the grid, at a
constant rate and over one cycle, and writes the final validation losses to
``truth.json`` with what they were computed by. Some fifteen minutes on one core.
"""

from __future__ import annotations

import json
import platform
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

import keras_lr
from benchmarks.finder.tasks import TASKS, Task
from benchmarks.finder.train import GRID, Trainer

PATH = Path(__file__).with_name("truth.json")
FIRST_SEED = 100
SCHEDULES = ("constant", "one-cycle")


def shape(schedule: str, updates: int) -> Any:
    """A schedule's rates, for a peak of 1. Momentum stays as it is."""
    if schedule == "constant":
        return np.ones(updates)
    return keras_lr.OneCycle(max_lr=1.0).values(updates)


def constant_loss(trainer: Trainer) -> float:
    """Validation loss of the best constant prediction, found on the training data."""
    _, y, _, y_val = trainer.data
    name = trainer.loss.name
    if "categorical" in name:
        share = np.bincount(y.ravel(), minlength=int(y_val.max()) + 1) / y.size
        return float(-np.log(share[y_val.ravel()]).mean())
    if "binary" in name:
        share = y.mean()
        return float(-(y_val * np.log(share) + (1 - y_val) * np.log(1 - share)).mean())
    if "absolute" in name:
        return float(np.abs(y_val - np.median(y, axis=0)).mean())
    return float(((y_val - y.mean(axis=0)) ** 2).mean())


def truth_of(task: Task) -> dict[str, Any]:
    """Final validation losses of a task, shape (rates, seeds) for each schedule."""
    trainer, begun = Trainer(task), time.process_time()
    seeds = range(FIRST_SEED, FIRST_SEED + task.seeds)
    x_val, y_val = trainer.data[2:]
    before = [
        float(trainer._value(trainer.begin(seed), x_val, y_val)) for seed in seeds
    ]
    out: dict[str, Any] = {
        "reference": min(float(np.mean(before)), constant_loss(trainer))
    }
    for schedule in SCHEDULES:
        rates = shape(schedule, task.updates)
        losses = [
            [float(trainer.run(seed, rate * rates)[1][-1]) for seed in seeds]
            for rate in GRID
        ]
        out[schedule] = [[_rounded(loss) for loss in row] for row in losses]
    out["cpu_seconds"] = round(time.process_time() - begun, 1)
    return out


def _rounded(loss: float) -> float | None:
    return float(f"{loss:.5g}") if np.isfinite(loss) else None


def main() -> None:
    """Compute the tasks that are named, or all, and write the file."""
    known = json.loads(PATH.read_text()) if PATH.exists() else {"tasks": {}}
    for task in TASKS:
        if sys.argv[1:] and task.name not in sys.argv[1:]:
            continue
        known["tasks"][task.name] = found = truth_of(task)
        print(f"{task.name}: {found['cpu_seconds']} s", flush=True)
        packages = ("keras", "jax", "numpy", "scikit-learn")
        known["computed by"] = {
            "script": "benchmarks/finder/truth.py",
            "python": platform.python_version(),
            **{package: version(package) for package in packages},
        }
        known["rates"] = [float(f"{rate:.6g}") for rate in GRID]
        PATH.write_text(json.dumps(known, indent=None, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
