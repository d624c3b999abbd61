"""What was measured, as tables."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from benchmarks.finder.tasks import Task

CONSTANT = "constant"
KINDS = ("ordinary", "off the usual scale", "fine-tuning")
#: Finders of the table that says when not to bother, as far as they were scored.
WORTH = (
    "folk rate",
    "grid of 7 decades",
    "LRFinder, sweep alone",
    "find_lr",
    "Mechanic over Adam",
    "DoG",
)


@dataclass(frozen=True)
class Score:
    """How one finder did on one task.

    Attributes:
        rates: What it said, by schedule and seed; nothing for optimizers without one.
        regrets: By schedule and seed; for those, one over all seeds.
        updates: What it spent, by seed.
        time: Over that of the whole training, where it was measured.
    """

    rates: dict[str, list[float | None]]
    regrets: dict[str, list[float]]
    updates: list[float]
    time: float | None = None

    def regret(self, schedule: str) -> float | None:
        """Mean over the seeds; None where it was not scored under a schedule."""
        regrets = self.regrets.get(schedule)
        return float(np.mean(regrets)) if regrets else None

    def spread(self) -> float | None:
        """Decades between the lowest and the highest rate of the seeds."""
        rates = [rate for rate in self.rates.get(CONSTANT, []) if rate]
        return float(np.ptp(np.log10(rates))) if rates else None


@dataclass(frozen=True)
class Measured:
    """A task and how each finder did on it, by name."""

    task: Task
    scores: dict[str, Score]


def summary(measured: list[Measured]) -> str:
    """Mean regrets, share lost entirely, spread over seeds, updates, relative time."""
    lines = [
        "| finder | constant | one-cycle | nothing learned | spread | updates | time |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for finder in measured[0].scores:
        scores = [one.scores[finder] for one in measured]
        lost = [
            regret >= 0.99
            for score in scores
            for regrets in score.regrets.values()
            for regret in regrets
        ]
        times = [score.time for score in scores if score.time is not None]
        cells = [
            finder,
            _mean((score.regret(CONSTANT) for score in scores), ".3f"),
            _mean((score.regret("one-cycle") for score in scores), ".3f"),
            f"{np.mean(lost):.0%}",
            _mean((score.spread() for score in scores), ".2f"),
            _mean((float(np.mean(score.updates)) for score in scores), ".0f"),
            f"{np.median(times):.2f}" if times else "",
        ]
        lines.append(_row(cells))
    return "\n".join(lines)


def by_kind(measured: list[Measured]) -> str:
    """What each way loses on each kind of task, and what it costs there."""
    known = {one.task.kind for one in measured}
    finders = [name for name in WORTH if name in measured[0].scores]
    lines = [
        "| kind of task | way | constant | one-cycle | updates | share of a training |",
        "|---|---|---:|---:|---:|---:|",
    ]
    for kind in (kind for kind in KINDS if kind in known):
        here = [one for one in measured if one.task.kind == kind]
        for finder in finders:
            scores = [one.scores[finder] for one in here]
            shares = [
                float(np.mean(one.scores[finder].updates)) / one.task.updates
                for one in here
            ]
            cells = [
                f"{kind} ({len(here)})",
                finder,
                _mean((score.regret(CONSTANT) for score in scores), ".3f"),
                _mean((score.regret("one-cycle") for score in scores), ".3f"),
                _mean((float(np.mean(score.updates)) for score in scores), ".0f"),
                f"{np.mean(shares):.0%}",
            ]
            lines.append(_row(cells))
    return "\n".join(lines)


def by_task(measured: list[Measured]) -> str:
    """Regret at a constant rate, task by task."""
    finders = [name for name in WORTH if name in measured[0].scores]
    lines = [_row(["task", *finders]), "|---|" + "---:|" * len(finders)]
    for one in measured:
        regrets = [one.scores[name].regret(CONSTANT) for name in finders]
        lines.append(_row([one.task.name, *(_mean([r], ".3f") for r in regrets)]))
    return "\n".join(lines)


def of_folk_rates(regrets: list[tuple[Task, dict[str, float]]]) -> str:
    """How often a folk rate is right, by kind of task."""
    lines = [
        "| kind of task | constant: mean, median | one-cycle: mean, median "
        "| above .05, at a constant rate |",
        "|---|---:|---:|---:|",
    ]
    for kind in KINDS:
        here = [by_schedule for task, by_schedule in regrets if task.kind == kind]
        constant = np.array([one[CONSTANT] for one in here])
        cycle = np.array([one["one-cycle"] for one in here])
        cells = [
            kind,
            f"{constant.mean():.3f}, {np.median(constant):.3f}",
            f"{cycle.mean():.3f}, {np.median(cycle):.3f}",
            f"{np.sum(constant > 0.05)} of {len(here)}",
        ]
        lines.append(_row(cells))
    return "\n".join(lines)


def _mean(values: Iterable[float | None], spec: str) -> str:
    known = [value for value in values if value is not None]
    return format(float(np.mean(known)), spec) if known else ""


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
