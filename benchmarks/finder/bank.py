"""Keep what short trainings say, so that designs of the search can be tried offline.

    KERAS_BACKEND=jax python -m benchmarks.finder.bank FOLDER tuned        to tune on
    KERAS_BACKEND=jax python -m benchmarks.finder.bank FOLDER more         the same
    KERAS_BACKEND=jax python -m benchmarks.finder.bank FOLDER reporting    to report

For every task and seed it trains as a search does (from the weights of the seed, on the
batches and with the rows held out that ``finder.batches.draw`` gives, batch
normalization at a momentum of 0.9 at most) and writes to a file of the folder what each
training came to on the rows held out. ``benchmarks.finder.designs`` reads the files.
Some ten minutes on one core for each of the two kinds of task.
"""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import keras
import numpy as np

import keras_lr
from benchmarks.finder.bank_tasks import MORE
from benchmarks.finder.regret import Truth, stored_truths
from benchmarks.finder.short import held_out
from benchmarks.finder.tasks import TASKS, Task
from benchmarks.finder.train import GRID, Trainer
from benchmarks.finder.truth import SCHEDULES, truth_of
from keras_lr.finder.plan import SweepPlan, in_small
from keras_lr.finder.tuning import TUNING
from keras_lr.plan.curves import FloatArray

#: Points to a decade: a rate of the bank is 10 ** (point / 3).
POINTS = 3
#: Updates after which a training at one rate is judged.
CHECKS = (10, 20, 30, 40, 50, 60, 80, 100, 120, 150, 200)
#: Lengths of the trainings that follow one cycle in small.
CYCLES = (50, 100, 150, 200)
#: Updates of the sweeps.
SWEEPS = (100, 160)
#: Parts of the rows held out whose losses are kept, at least.
PARTS = 16
#: Updates that are compiled into one loop.
CHUNK = 10
#: Points below and above the best rate of the truth that are worth a training.
BELOW = {"constant": 9, "one-cycle": 6}
ABOVE = {"constant": 6, "one-cycle": 5}
SEEDS = 5


@dataclass(frozen=True)
class Rows:
    """The rows of a search: batches to train on, and parts that are held out.

    Attributes:
        batches: Row numbers, shape ``(updates, batch_size)``.
        parts: Row numbers, shape ``(parts, rows of a part)``.
    """

    batches: Any
    parts: Any


def rows_of(task: Task, rows: int, seed: int, updates: int) -> Rows:
    """The rows that ``find_lr`` would draw."""
    left, held = held_out(rows, seed)
    size = min(task.batch_size, len(left))
    rng = np.random.default_rng(seed)
    batches: list[Any] = []
    while len(batches) < updates:
        whole = len(left) // size
        batches += np.split(rng.permutation(left)[: whole * size], whole)
    part = max(1, min(size, len(held) // PARTS))
    parts = held[: len(held) // part * part].reshape(-1, part)
    return Rows(np.array(batches[:updates]), parts)


class Bank:
    """Trains one task as a search does."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.trainer = Trainer(task)
        for layer in self.trainer.model._flatten_layers():
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.momentum = min(layer.momentum, TUNING.statistics)
        self._judge = jax.jit(self._losses_of_parts)

    def _losses_of_parts(self, state: Any, x: Any, y: Any) -> Any:
        flat = x.reshape(-1, *x.shape[2:])
        out, _ = self.trainer.model.stateless_call(
            state[0], state[1], flat, training=False
        )
        return jax.vmap(self.trainer.loss)(y, out.reshape(*x.shape[:2], *out.shape[1:]))

    def seen(self, state: Any, rows: Rows) -> FloatArray:
        """The loss of each part held out."""
        x, y = self.trainer.data[:2]
        return np.asarray(self._judge(state, x[rows.parts], y[rows.parts]), float)

    def run(
        self, state: Any, rates: FloatArray, rows: Rows, checks: Sequence[int]
    ) -> tuple[FloatArray, FloatArray]:
        """Train; the loss of each update, and of each part at each check.

        What is not finite is infinite from there on.
        """
        x, y = self.trainer.data[:2]
        losses: list[FloatArray] = []
        found = np.full((len(checks), len(rows.parts)), np.inf)
        for start in range(0, len(rates), CHUNK):
            end = start + CHUNK
            now = np.asarray(rates[start:end], "float32")
            state, seen = self.trainer._train(state, now, x, y, rows.batches[start:end])
            losses.append(np.asarray(seen, float))
            if not np.isfinite(losses[-1]).all():
                break
            if end in checks:
                parts = self.seen(state, rows)
                found[checks.index(end)] = np.where(np.isfinite(parts), parts, np.inf)
        return np.concatenate(losses), found


def points_around(truth: Truth, schedule: str) -> list[int]:
    """The points that are worth a training."""
    best = truth.rates[int(np.argmin(truth.curve(schedule)))]
    middle = round(math.log10(best) * POINTS)
    return list(range(middle - BELOW[schedule], middle + ABOVE[schedule] + 1))


def bank_of(task: Task, truth: Truth, seeds: Sequence[int]) -> dict[str, Any]:
    """All that a search could ask of a task."""
    bank = Bank(task)
    out: dict[str, Any] = {s: points_around(truth, s) for s in BELOW}
    out = {f"{s} points": np.array(points) for s, points in out.items()}
    found: dict[str, list[Any]] = {
        "start": [],
        "constant": [],
        "one-cycle": [],
        **{f"sweep {steps}": [] for steps in SWEEPS},
    }
    for seed in seeds:
        state = bank.trainer.begin(seed)
        rows = rows_of(task, len(bank.trainer.data[0]), seed, max(CHECKS))
        found["start"].append(bank.seen(state, rows))
        found["constant"].append(
            [
                bank.run(state, np.full(max(CHECKS), 10 ** (k / POINTS)), rows, CHECKS)[
                    1
                ]
                for k in out["constant points"]
            ]
        )
        found["one-cycle"].append(
            [
                [
                    bank.run(
                        state,
                        10 ** (k / POINTS) * in_small(keras_lr.OneCycle(), length),
                        rows,
                        (length,),
                    )[1][0]
                    for length in CYCLES
                ]
                for k in out["one-cycle points"]
            ]
        )
        for steps in SWEEPS:
            losses = bank.run(state, SweepPlan().values(steps), rows, ())[0]
            whole = np.full(steps, np.nan)
            whole[: len(losses)] = losses
            found[f"sweep {steps}"].append(whole)
    return out | {name: np.array(values) for name, values in found.items()}


def wanted(kind: str) -> list[Task]:
    """The tasks of a kind."""
    if kind == "more":
        return list(MORE)
    return [task for task in TASKS if task.tuned == (kind == "tuned")]


def truth_in(folder: Path, task: Task) -> Truth:
    """The truth of a task: the one that is kept, or one computed for the folder."""
    kept = stored_truths()
    if task.name in kept:
        return kept[task.name]
    path = folder / f"{task.name}.json"
    if not path.exists():
        rates = [float(f"{rate:.6g}") for rate in GRID]
        found = {"rates": rates, "tasks": {task.name: truth_of(task)}}
        path.write_text(json.dumps(found))
    stored = json.loads(path.read_text())
    losses = stored["tasks"][task.name]
    schedules = {schedule: losses[schedule] for schedule in SCHEDULES}
    return Truth(stored["rates"], losses["reference"], schedules)


def main() -> None:
    """Write the files that are not there yet."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for task in wanted(sys.argv[2]):
        path = folder / f"{task.name}.npz"
        if path.exists():
            continue
        begun = time.monotonic()
        truth = truth_in(folder, task)
        np.savez_compressed(path, **bank_of(task, truth, range(SEEDS)))
        print(f"{task.name}: {time.monotonic() - begun:.0f} s", flush=True)


if __name__ == "__main__":
    main()
