"""Score finders: how much of what could be learned is lost at the rate they give.

    KERAS_BACKEND=jax python -m benchmarks.finder.score             tasks not tuned on
    KERAS_BACKEND=jax python -m benchmarks.finder.score --short     within ten minutes
    KERAS_BACKEND=jax python -m benchmarks.finder.score --tuned     tasks tuned on
    KERAS_BACKEND=jax python -m benchmarks.finder.score TASK ...    these

Regret of a rate s: ``(L(s) - L_best) / (ref - L_best)``, clipped to [0, 1]. L is the
final validation loss of the stored truth, averaged over seeds, each run capped at ref,
interpolated in log rate; ref is the smaller of the loss at initialization and that of
the best constant prediction. 0 is best; 1 learned nothing or diverged.

Who is scored: published rules (``published.py``); what a user would pick instead
(``rivals.py``: a folk rate, a grid, random search, Optuna), on the rows that
``find_lr`` holds out; ours (``ours.py``: the sweep of ``LRFinder`` alone, and the real
``find_lr`` with its defaults), whose time is measured through ``model.fit`` with
everything compiled anew, over that of the task's whole training; and optimizers that
need no rate (``rate_free.py``), which take the place of the task's own and are scored
by the losses that they themselves come to.

The erratic task is in no mean. It is shown by itself.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.finder import ours, published, rate_free, rivals, tables
from benchmarks.finder.regret import Truth, stored_truths
from benchmarks.finder.short import ShortTrainings, swept
from benchmarks.finder.tables import Measured, Score
from benchmarks.finder.tasks import TASKS, Task, by_name
from benchmarks.finder.train import Trainer
from benchmarks.finder.truth import FIRST_SEED, SCHEDULES

OUT = "out/finder.json"


@dataclass(frozen=True)
class Answer:
    """What a finder said from one seed: rates by schedule, and updates for one."""

    rates: dict[str, float | None]
    updates: float


def published_answers(trainer: Trainer, seed: int) -> dict[str, Answer]:
    """The optimizer's default, and the published rules."""
    default = float(np.asarray(trainer.optimizer.learning_rate))
    said = published.suggestions(partial(swept, trainer, seed), default)
    answers = {"Keras default": same_for_all(default, 0)}
    for name, rate in said.items():
        answers[name] = same_for_all(rate, published.UPDATES)
    return answers


def rival_answers(trainer: Trainer, seed: int) -> dict[str, Answer]:
    """What a user would pick instead."""
    searches: dict[str, Callable[[ShortTrainings], rivals.Found]] = {
        "grid of 7 decades": lambda trainings: rivals.grid(trainings.loss),
        "random search": lambda trainings: rivals.random_search(trainings.loss, seed),
        "Optuna TPE, Hyperband": lambda trainings: rivals.optuna_search(
            trainings.losses, seed
        ),
    }
    trainings = {name: ShortTrainings(trainer, seed, name) for name in SCHEDULES}
    answers = {"folk rate": same_for_all(rivals.folk_rate(trainer.optimizer), 0)}
    for name, search in searches.items():
        found = {schedule: search(trainings[schedule]) for schedule in SCHEDULES}
        answers[name] = answer_of(found)
        if name == "grid of 7 decades":
            corrected = {
                schedule: rivals.scaled(one, schedule)
                for schedule, one in found.items()
            }
            answers["the same, times .47 / .68"] = answer_of(corrected)
    return answers


def our_answers(trainer: Trainer, seed: int) -> dict[str, Answer]:
    """The sweep alone, and ``find_lr``, told the length of the training or not."""
    answers = {ours.ALONE: Answer(ours.sweep_alone(trainer, seed), 200)}
    for name, knows_length in ((ours.FULL, False), (ours.TOLD, True)):
        found = ours.found_by_find_lr(trainer, seed, knows_length=knows_length)
        rates = {schedule: result.suggestion for schedule, result in found.items()}
        updates = float(np.mean([result.steps for result in found.values()]))
        answers[name] = Answer(rates, updates)
    return answers


def same_for_all(rate: float | None, updates: float) -> Answer:
    """A rate that knows of no schedule."""
    return Answer(dict.fromkeys(SCHEDULES, rate), updates)


def answer_of(found: dict[str, rivals.Found]) -> Answer:
    """What a search found for each schedule."""
    rates = {schedule: one.rate for schedule, one in found.items()}
    return Answer(rates, float(np.mean([one.updates for one in found.values()])))


def score_of(truth: Truth, answers: list[Answer], relative: float | None) -> Score:
    """How good the answers of all seeds are."""
    rates = {s: [one.rates[s] for one in answers] for s in SCHEDULES}
    regrets = {s: [truth.regret(s, rate) for rate in rates[s]] for s in SCHEDULES}
    return Score(rates, regrets, [one.updates for one in answers], relative)


def rate_free_scores(trainer: Trainer, truth: Truth) -> dict[str, Score]:
    """Those that need no rate, over the seeds of the truth."""
    seeds = range(FIRST_SEED, FIRST_SEED + trainer.task.seeds)
    scores = {}
    for name in rate_free.optimizers():
        losses = rate_free.final_losses(name, trainer, seeds)
        regret = truth.regret_of_losses(tables.CONSTANT, losses)
        scores[name] = Score({}, {tables.CONSTANT: [regret]}, [0.0])
    return scores


def measure(
    task: Task, truth: Truth, seeds: int, with_rivals: bool, with_rate_free: bool
) -> Measured:
    """Every finder on one task."""
    trainer = Trainer(task)
    answers: dict[str, list[Answer]] = {}
    for seed in range(seeds):
        said = published_answers(trainer, seed)
        if with_rivals:
            said |= rival_answers(trainer, seed)
        said |= our_answers(trainer, seed)
        for name, answer in said.items():
            answers.setdefault(name, []).append(answer)
    times = ours.relative_times(trainer)
    scores = {
        name: score_of(truth, given, times.get(name)) for name, given in answers.items()
    }
    if with_rate_free:
        scores |= rate_free_scores(trainer, truth)
    return Measured(task, scores)


def folk_regrets(truths: dict[str, Truth]) -> list[tuple[Task, dict[str, float]]]:
    """Of a folk rate on all tasks but the erratic one: it is tuned on none of them."""
    found = []
    for task in TASKS:
        if not task.erratic:
            rate = rivals.folk_rate(task.optimizer())
            truth = truths[task.name]
            found.append((task, {s: truth.regret(s, rate) for s in SCHEDULES}))
    return found


def chosen(names: list[str], tuned: bool) -> list[Task]:
    """The tasks of those names, or all that are tuned on or not."""
    if names:
        return [by_name(name) for name in names]
    return [task for task in TASKS if task.tuned == tuned]


def main() -> None:
    """Score, print the tables, and write what was measured."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("tasks", nargs="*", metavar="TASK", help="only these")
    parser.add_argument("--tuned", action="store_true", help="the tasks tuned on")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument(
        "--short", action="store_true", help="one seed, rivals but for the slow ones"
    )
    parser.add_argument("--no-rivals", action="store_true", help="rules and ours only")
    parser.add_argument("--out", default=OUT)
    args = parser.parse_args()
    seeds = 1 if args.short else args.seeds
    truths = stored_truths()
    measured: list[Measured] = []
    for task in chosen(args.tasks, args.tuned):
        begun = time.monotonic()
        truth = truths[task.name]
        with_rivals = not args.no_rivals
        with_rate_free = with_rivals and not args.short
        one = measure(task, truth, seeds, with_rivals, with_rate_free)
        measured.append(one)
        own = one.scores[ours.FULL]
        shown = "  ".join(f"{s} {own.regret(s):.3f}" for s in SCHEDULES)
        silent = sum(rate is None for s in SCHEDULES for rate in own.rates[s])
        # No suggestion counts as nothing learned, but calls for another remedy.
        none = f", {silent} without a suggestion" if silent else ""
        seconds = time.monotonic() - begun
        print(f"{task.name:36} {shown}  ({seconds:.0f} s{none})", flush=True)
        write(measured, Path(args.out))
    show(measured)
    if not args.no_rivals:
        folk = tables.of_folk_rates(folk_regrets(truths))
        print(f"\na folk rate on all tasks, tuned on or not\n\n{folk}")


def show(measured: list[Measured]) -> None:
    """Print the tables; every mean is without the erratic tasks."""
    steady = [one for one in measured if not one.task.erratic]
    if steady:
        print(f"\n{tables.summary(steady)}")
        print(f"\nwhen not to bother\n\n{tables.by_kind(steady)}")
        print(f"\nat a constant rate, task by task\n\n{tables.by_task(steady)}")
    for one in measured:
        if one.task.erratic:
            print(f"\ncounted apart: {one.task.name}\n\n{tables.summary([one])}")


def write(measured: list[Measured], path: Path) -> None:
    """Every rate and regret, by task and finder."""
    everything: dict[str, Any] = {
        one.task.name: {name: asdict(score) for name, score in one.scores.items()}
        for one in measured
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(everything, indent=1) + "\n")


if __name__ == "__main__":
    main()
