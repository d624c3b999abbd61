"""Score finders: how much of what could be learned is lost at the rate they give.

    KERAS_BACKEND=jax python -m benchmarks.finder.score           all tasks
    KERAS_BACKEND=jax python -m benchmarks.finder.score --short   within ten minutes:
                                                one seed, tasks not tuned on

Regret of a rate s: ``(L(s) - L_best) / (ref - L_best)``, clipped to [0, 1]. L is the
final validation loss of the stored truth, averaged over seeds, each run capped at ref,
interpolated in log rate; ref is the smaller of the loss at initialization and that of
the best constant prediction. 0 is best; 1 learned nothing or diverged.

Published rules run on their own default sweep of 100 updates, imitated here on the loss
of each update: fastai 2.8 (from 1e-7 to 10, then valley, slide, minimum/10, steepest),
Lightning 2.6 (from 1e-8 to 1), torch-lr-finder 0.2 (from the optimizer's rate to 10;
ignite differs by little more than the count). Ours: the sweep of ``LRFinder`` alone and
``find_lr`` with its default budget; their time is measured through ``model.fit`` with
everything compiled anew, over that of the task's whole training.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np

import keras_lr
from benchmarks.finder.tasks import TASKS, Task
from benchmarks.finder.train import Trainer
from benchmarks.finder.truth import PATH, SCHEDULES
from keras_lr.finder import rules
from keras_lr.finder.judge import judge
from keras_lr.finder.lr_finder import divisor

PLANS = {"constant": None, "one-cycle": keras_lr.OneCycle()}


class Truth:
    """The stored truth of one task."""

    def __init__(self, stored: dict[str, Any], task: str) -> None:
        found = stored["tasks"][task]
        self.rates, self.ref = np.log10(stored["rates"]), found["reference"]
        self.losses = {}
        for schedule in SCHEDULES:
            runs = [
                [self.ref if v is None else min(v, self.ref) for v in row]
                for row in found[schedule]
            ]
            self.losses[schedule] = np.mean(runs, axis=1)

    def regret(self, schedule: str, rate: float | None) -> float:
        """From 0 to 1; no rate at all counts as nothing learned."""
        if rate is None or not np.isfinite(rate):
            return 1.0
        losses = self.losses[schedule]
        loss = np.interp(np.log10(rate), self.rates, losses)
        return float(np.clip((loss - losses.min()) / (self.ref - losses.min()), 0, 1))


def fastai(losses: Any, rates: Any) -> dict[str, float]:
    """What fastai's rules say: smoothed by 0.98, stopped at four times the best."""
    curve = exponential(losses, 0.98, 0, 4.0)
    # It leaves out the first tenth and the last five.
    cut = slice(len(losses) // 10, len(curve) - 5)
    rates, curve = rates[: len(curve)][cut], curve[cut]
    if len(curve) < 17:
        return {}
    return {
        "fastai valley": rules.valley(rates, curve),
        "fastai slide": rules.slide(rates, curve),
        "fastai minimum/10": rules.minimum(rates, curve),
        "fastai steep": rules.steepest(rates, curve),
    }


def lightning(losses: Any, rates: Any) -> dict[str, float]:
    """What Lightning says: the steepest fall per rate, not per its logarithm.

    Its correction of the smoothed losses counts one update too many.
    """
    curve = exponential(losses, 0.98, 1, 4.0)
    if len(curve) < 13:
        return {}
    slopes = np.gradient(curve[10:-1], rates[10 : len(curve) - 1])
    return {"Lightning": float(rates[10 + int(np.argmin(slopes))])}


def torch_lr_finder(losses: Any, rates: Any) -> dict[str, float]:
    """What torch-lr-finder says: the steepest fall of what is smoothed by 0.95."""
    curve = [losses[0]]
    for loss in losses[1:]:
        curve.append(0.05 * loss + 0.95 * curve[-1])
        if curve[-1] > 5 * min(curve):
            break
    if len(curve) < 17:
        return {}
    slopes = np.gradient(np.array(curve)[10:-5])
    return {"torch-lr-finder": float(rates[10 + int(np.argmin(slopes))])}


def exponential(losses: Any, beta: float, more: int, stop: float) -> Any:
    """Exponentially smoothed losses, up to ``stop`` times the lowest of them."""
    mean, smoothed = 0.0, []
    for i, loss in enumerate(losses):
        mean = beta * mean + (1 - beta) * loss
        smoothed.append(mean / (1 - beta ** (i + 1 + more)))
        if not np.isfinite(smoothed[-1]) or smoothed[-1] > stop * min(smoothed):
            break
    return np.array(smoothed)


RULES = (
    *("fastai valley", "fastai slide", "fastai minimum/10", "fastai steep"),
    *("Lightning", "torch-lr-finder"),
)


def seconds_of(task: Task, trainer: Trainer) -> dict[str, float]:
    """Time of our two over that of the whole training, each compiled anew."""

    def timed(train: Any) -> float:
        keras.utils.set_random_seed(0)
        model = task.model()
        model.compile(task.optimizer(), task.loss())
        begun = time.perf_counter()
        train(model)
        return time.perf_counter() - begun

    x, y = trainer.data[:2]
    given: dict[str, Any] = {"batch_size": task.batch_size, "verbose": 0}

    def fit(model: Any, updates: int, *callbacks: Any) -> None:
        rows = np.resize(np.arange(len(x)), updates * task.batch_size)
        model.fit(x[rows], y[rows], callbacks=list(callbacks), **given)

    finder = keras_lr.LRFinder(verbose=0)
    whole = timed(lambda model: fit(model, task.updates))
    return {
        "LRFinder, sweep alone": timed(lambda model: fit(model, 200, finder)) / whole,
        "find_lr": timed(lambda model: keras_lr.find_lr(model, x, y, **given)) / whole,
    }


def rates_of(task: Task, seed: int, trainer: Trainer) -> dict[str, Any]:
    """Every finder's rate for a task, by schedule, with updates and seconds."""
    out: dict[str, Any] = {}
    default = float(np.asarray(trainer.optimizer.learning_rate))
    out["Keras default"] = (dict.fromkeys(SCHEDULES, default), 0)
    sweeps = {
        fastai: np.geomspace(1e-7, 10, 100),
        lightning: np.geomspace(1e-8, 1, 100),
        torch_lr_finder: np.geomspace(default, 10, 100),
    }
    said: dict[str, float] = {}
    for rule, rates in sweeps.items():
        said |= rule(trainer.run(seed, rates)[0].astype(float), rates)
    for name in RULES:
        out[name] = (dict.fromkeys(SCHEDULES, said.get(name)), 100)
    rates = keras_lr.LRFinder().values()
    losses = trainer.run(seed, rates)[0].astype(float)
    fallen = judge(rates, losses, len(rates)).fallen_rate
    alone = {s: fallen and fallen / divisor(PLANS[s]) for s in SCHEDULES}
    out["LRFinder, sweep alone"] = (alone, len(rates))
    keras.utils.set_random_seed(seed)
    model, x, y = task.model(), *trainer.data[:2]
    model.compile(task.optimizer(), task.loss())
    found = {
        name: keras_lr.find_lr(
            model,
            x,
            y,
            batch_size=task.batch_size,
            schedule=schedule,
            seed=seed,
            verbose=0,
        )
        for name, schedule in PLANS.items()
    }
    steps = np.mean([one.steps for one in found.values()])
    out["find_lr"] = ({s: found[s].suggestion for s in SCHEDULES}, steps)
    return out


def main() -> None:
    """Score, print the tables, and write what was measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true", help="one seed, no tuned tasks")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", default="out/finder.json")
    args = parser.parse_args()
    stored, seeds = json.loads(PATH.read_text()), 1 if args.short else args.seeds
    measured: dict[str, Any] = {}
    for task in TASKS:
        if args.short and task.tuned:
            continue
        begun, truth = time.monotonic(), Truth(stored, task.name)
        trainer = Trainer(task)
        runs = [rates_of(task, seed, trainer) for seed in range(seeds)]
        times = seconds_of(task, trainer)
        measured[task.name] = {
            finder: {
                "tuned": task.tuned,
                "rates": {s: [run[finder][0][s] for run in runs] for s in SCHEDULES},
                "regret": {
                    s: [truth.regret(s, run[finder][0][s]) for run in runs]
                    for s in SCHEDULES
                },
                "updates": [run[finder][1] for run in runs],
                "time": times.get(finder),
            }
            for finder in runs[0]
        }
        ours = measured[task.name]["find_lr"]["regret"]
        shown = "  ".join(f"{s} {np.mean(ours[s]):.3f}" for s in SCHEDULES)
        print(f"{task.name:36} {shown}  ({time.monotonic() - begun:.0f} s)", flush=True)
        path = Path(args.out)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(measured, indent=1) + "\n")
    print(f"\ntasks not tuned on\n{table(measured, False)}")
    if not args.short:
        print(f"\ntasks tuned on\n{table(measured, True)}")


def table(measured: dict[str, Any], tuned: bool) -> str:
    """Mean regrets, share lost entirely, spread over seeds, updates, relative time."""
    names = [name for name, one in measured.items() if one["find_lr"]["tuned"] == tuned]
    lines = [
        "| finder | constant | one-cycle | nothing learned | spread | updates | time |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for finder in measured[names[0]]:
        every = [measured[name][finder] for name in names]
        means = [
            np.mean([np.mean(one["regret"][s]) for one in every]) for s in SCHEDULES
        ]
        lost = np.mean(
            [r >= 0.99 for one in every for s in SCHEDULES for r in one["regret"][s]]
        )
        spreads = [
            np.ptp(np.log10([r for r in one["rates"]["constant"] if r] or [1.0]))
            for one in every
        ]
        updates = np.mean([np.mean(one["updates"]) for one in every])
        lines.append(
            f"| {finder} | {means[0]:.3f} | {means[1]:.3f} | {lost:.0%} | "
            f"{np.mean(spreads):.2f} decades | {updates:.0f} | {time_of(every)} |"
        )
    return "\n".join(lines)


def time_of(every: list[dict[str, Any]]) -> str:
    """Median of the times, where they were measured."""
    times = [one["time"] for one in every if one["time"]]
    return f"{np.median(times):.2f}" if times else ""


if __name__ == "__main__":
    main()
