"""How good the rate of ``find_lr`` is beside its rivals', and what it spends: in short.

Regret is the share of what could be learned that training at the rate loses. One seed
and some tasks of ``benchmarks/finder``; ``make bench-finder`` has five seeds, all
tasks, and more rivals. Tasks are taken by their place in the list of those on which
nothing was tuned, not by how anyone does on them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from benchmarks.figures import Figure
from benchmarks.finder.regret import Truth, stored_truths
from benchmarks.finder.score import (
    Answer,
    our_answers,
    published_answers,
    rival_answers,
)
from benchmarks.finder.tasks import TASKS, Task
from benchmarks.finder.train import Trainer
from benchmarks.finder.truth import SCHEDULES
from benchmarks.pairs import spread
from benchmarks.turns import message_of

#: Of the tasks that are reported on, one in so many, from the first on.
EVERY = 3


@dataclass(frozen=True)
class Size:
    """Tasks and seeds."""

    tasks: tuple[Task, ...]
    seeds: int


REPORTED = tuple(task for task in TASKS if not task.tuned and not task.erratic)
#: The task with the fewest updates and rows.
SMALLEST = next(task for task in REPORTED if task.name == "tanh wine, SGD")
SIZES = {
    "quick": Size((SMALLEST,), 1),
    "default": Size(REPORTED[::EVERY], 1),
    "full": Size(REPORTED, 1),
}
ASKED: Mapping[str, Callable[[Trainer, int], dict[str, Answer]]] = {
    "published rules": published_answers,
    "plain searches": rival_answers,
    "ours": our_answers,
}


def measure(size: str) -> list[Figure]:
    """A row for each finder."""
    chosen = SIZES[size]
    truths = stored_truths()
    table = f"regret on {len(chosen.tasks)} tasks"
    answers: dict[str, list[tuple[Truth, Answer]]] = {}
    figures = []
    for task in chosen.tasks:
        trainer = Trainer(task)
        for seed in range(chosen.seeds):
            for who, ask in ASKED.items():
                try:
                    given = ask(trainer, seed)
                except Exception as error:
                    reason = f"{task.name}: {message_of(error)}"
                    figures.append(Figure(table, who, "failed", error=reason))
                    continue
                for name, answer in given.items():
                    answers.setdefault(name, []).append((truths[task.name], answer))
    rows = [
        figure for name, given in answers.items() for figure in _row(table, name, given)
    ]
    return [*rows, *figures]


def _row(table: str, name: str, given: list[tuple[Truth, Answer]]) -> list[Figure]:
    figures = []
    for schedule in SCHEDULES:
        regrets = [
            truth.regret(schedule, answer.rates[schedule]) for truth, answer in given
        ]
        title = "constant rate" if schedule == "constant" else schedule
        mean = sum(regrets) / len(regrets)
        figures.append(Figure(table, name, f"{title}, mean", text=f"{mean:.3f}"))
        figures.append(Figure(table, name, title, spread(regrets), "regret"))
    updates = [answer.updates for _, answer in given]
    mean_updates = sum(updates) / len(updates)
    figures.append(Figure(table, name, "updates spent", text=f"{mean_updates:.0f}"))
    return figures
