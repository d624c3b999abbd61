"""Score the search, and other designs of it, on the trainings that a bank keeps.

    KERAS_BACKEND=jax python -m benchmarks.finder.designs FOLDER tuned
    KERAS_BACKEND=jax python -m benchmarks.finder.designs FOLDER reporting

The first needs the kinds "tuned" and "more" of ``benchmarks.finder.bank``; each takes
seconds. The search is the product's own :func:`keras_lr.finder.climb.climb`, with its
numbers changed one at a time; its trainings are looked up. A length that is not in the
bank is interpolated between those that are. Regret is that of
``benchmarks.finder.regret``.
"""

from __future__ import annotations

import dataclasses
import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.finder.bank import (
    CHECKS,
    CYCLES,
    POINTS,
    SEEDS,
    truth_in,
    wanted,
)
from benchmarks.finder.regret import Truth
from benchmarks.finder.tasks import Task
from keras_lr.finder import climb as climbing
from keras_lr.finder.climb import Seen
from keras_lr.finder.judge import LEAST, ending, judge
from keras_lr.finder.plan import SweepPlan
from keras_lr.finder.tuning import TUNING, Tuning
from keras_lr.plan.curves import FloatArray

BUDGET = 800
#: Not smooth in the rate: their trainings are erratic, and they are shown apart.
ERRATIC = ("raw features wine, AdamW", "raw features breast cancer, Adam")
#: No rate trains it over one cycle, whose low rates destroy the weights.
HOPELESS = ("more: mlp digits, Ftrl",)
#: How often a sweep looks whether it is over.
LOOKS = 8


@dataclass(frozen=True)
class Swept:
    """What a sweep says.

    Attributes:
        first: The rate where it has fallen, None if it told nothing.
        verdict: On the sweep.
        updates: That it took.
    """

    first: float | None
    verdict: str
    updates: int


class Case:
    """A task and a seed: what trainings from there come to."""

    def __init__(self, task: Task, truth: Truth, bank: dict[str, Any], seed: int):
        self.task = task
        self.truth = truth
        self.bank = {
            name: values if name.endswith("points") else values[seed]
            for name, values in bank.items()
        }
        self.start = _seen(self.bank["start"])

    @lru_cache  # noqa: B019  there are few cases, and they live as long as it does
    def sweep(self, steps: int) -> Swept:
        """What a sweep of so many updates says; those of the bank only."""
        losses = self.bank[f"sweep {steps}"]
        losses = losses[~np.isnan(losses)]
        for end in range(LEAST, len(losses) + 1, LOOKS):
            if ending(losses[:end], steps):
                losses = losses[:end]
                break
        rates = SweepPlan().values(steps)[: len(losses)]
        judged = judge(rates, losses, steps)
        return Swept(judged.fallen_rate, judged.verdict, len(losses))

    def seen(self, schedule: str, point: int, updates: int) -> Seen:
        """What a training comes to."""
        lengths = CHECKS if schedule == "constant" else CYCLES
        points = self.bank[f"{schedule} points"]
        # Above all that was tried it is as bad; below, rates learn in proportion.
        row = min(max(point - points[0], 0), len(points) - 1)
        share = min(1.0, 10 ** ((point - points[0]) / POINTS))
        length = min(max(updates, lengths[0]), lengths[-1])
        below = max(known for known in lengths if known <= length)
        above = min(known for known in lengths if known >= length)
        low, high = (
            self.bank[schedule][row][lengths.index(known)] for known in (below, above)
        )
        if not np.isfinite(high).all():
            return _seen(high)
        weight = 0.0 if above == below else math.log(length / below, above / below)
        parts = low + weight * (high - low)
        return _seen(self.start.losses + share * (parts - self.start.losses))


def _seen(parts: FloatArray) -> Seen:
    loss = float(np.mean(parts))
    return Seen(loss if math.isfinite(loss) else math.inf, parts)


@dataclass(frozen=True)
class Design:
    """A search.

    Attributes:
        name: What is other than today.
        tuning: Numbers that are other than today.
        sweep: Updates of its sweep.
        wide: Verdicts of a sweep after which it looks wide.
        factor: Of the rate that is best, whatever the lengths; None for as today.
        budget: Updates of sweep and search together.
    """

    name: str
    tuning: dict[str, Any] = field(default_factory=dict)
    sweep: int = 100
    wide: tuple[str, ...] = ("flat", "diverged early")
    factor: dict[str, float] | None = None
    budget: int = BUDGET


@dataclass(frozen=True)
class Answer:
    """What a search found.

    Attributes:
        rate: The answer.
        interval: Where it could lie as well.
        updates: That were spent.
    """

    rate: float
    interval: tuple[float, float]
    updates: int


def search(case: Case, schedule: str, design: Design, planned: int | None) -> Answer:
    """Search as the design does."""
    swept = case.sweep(design.sweep)
    spent = swept.updates

    def probe(rate: float, updates: int, follows: bool) -> Seen:
        nonlocal spent
        spent += updates
        shape = schedule if follows else "constant"
        return case.seen(shape, climbing.point_of(rate), updates)

    summit = climbing.climb(
        probe,
        updates=design.budget - design.sweep,
        start=case.start,
        first=None if swept.verdict == "diverged early" else swept.first,
        looks_wide=swept.verdict in design.wide,
        planned=planned,
        comes_down=schedule != "constant",
    )
    change = 1.0
    if design.factor is not None:
        change = design.factor[schedule] / summit.factor
    low, high = summit.interval
    return Answer(summit.rate * change, (low * change, high * change), spent)


def extrapolated(exponent: float) -> Design:
    """As it is for 500 updates, otherwise lower by another exponent of the length."""
    ratio = (500 / 90) ** (exponent - TUNING.exponent)
    scales = {
        "scale_stays": TUNING.scale_stays * ratio,
        "scale_down": TUNING.scale_down * ratio,
    }
    return Design(f"lower by length ** {exponent:g}", {"exponent": exponent, **scales})


#: What was tried with the search as it is, one number at a time.
DESIGNS = (
    Design("as it is"),
    Design("a fixed factor, .47 / .68", factor={"constant": 0.47, "one-cycle": 0.68}),
    Design("a fixed factor, .25 / .36", factor={"constant": 0.25, "one-cycle": 0.36}),
    extrapolated(0.4),
    extrapolated(0.5),
    extrapolated(0.75),
    extrapolated(0.9),
    Design("planned 500 if not known", {"planned_least": 500}),
    Design("planned 1000 if not known", {"planned_least": 1000}),
    Design("a sweep of 160", sweep=160),
    Design("no wide look", wide=()),
    Design("wide look where noisy, too", wide=("flat", "diverged early", "noisy")),
    Design("wide look always", wide=("flat", "diverged early", "noisy", "trust",
                                     "range too narrow")),
    Design("noise does not count", {"errors": 0.0}),
    Design("noise counts .5", {"errors": 0.5}),
    Design("noise counts 3", {"errors": 3.0}),
    Design("near .01", {"near": 0.01}),
    Design("near .1", {"near": 0.1}),
    Design("the best, no mean", {"near": 1e-9, "errors": 0.0}),
    Design("shorts of 10", {"short_share": 1 / 70}),
    Design("shorts of 30", {"short_share": 3 / 70}),
    Design("shorts at 9 points", {"around": (0, -1, 1, -2, 2, -3, 3, -4, 4)}),
    Design("shorts two thirds of a decade apart", {"around": (0, -2, 2, -4, 4)}),
    Design("shorts walk one point", {"walk": 1}),
    Design("5 longs", {"longs": 5}),
    Design("4 longs", {"longs": 4}),
    Design("3 longs of 180", {"longs": 3}),
    Design("8 longs of 67", {"longs": 8}),
    Design("start at the sweep's answer / 6", {"start_divisor": 6.0}),
    Design("start at the sweep's answer / 2", {"start_divisor": 2.0}),
    Design("a budget of 400", budget=400),
    Design("a budget of 600", budget=600),
    Design("a budget of 1200", budget=1200),
)  # fmt: skip


@dataclass(frozen=True)
class Score:
    """How good a design is.

    Attributes:
        regret: Mean, at a constant rate and over one cycle.
        lost: Share that learned nothing.
        spread: Mean over tasks of the decades that seeds are apart, for each schedule.
        updates: Mean and most.
        covers: Share of the other seeds' answers that lie within the interval.
    """

    regret: tuple[float, float]
    lost: float
    spread: tuple[float, float]
    updates: tuple[float, int]
    covers: float


def score(
    tasks: Sequence[Sequence[Case]],
    find: Callable[[Case, str], Answer],
) -> tuple[Score, dict[str, FloatArray]]:
    """The score of a design, and its regrets by task, shape (tasks, seeds)."""
    regrets: dict[str, FloatArray] = {}
    spread = {}
    updates = []
    covers = []
    for schedule in ("constant", "one-cycle"):
        answers = [[find(case, schedule) for case in cases] for cases in tasks]
        regrets[schedule] = np.array(
            [
                [
                    case.truth.regret(schedule, answer.rate)
                    for case, answer in zip(cases, row, strict=True)
                ]
                for cases, row in zip(tasks, answers, strict=True)
            ]
        )
        rates = np.log10([[answer.rate for answer in row] for row in answers])
        spread[schedule] = float(np.mean(np.ptp(rates, axis=1)))
        updates += [answer.updates for row in answers for answer in row]
        covers += [
            mine.interval[0] <= other.rate <= mine.interval[1]
            for row in answers
            for mine in row
            for other in row
            if other is not mine
        ]
    both = np.concatenate([values.ravel() for values in regrets.values()])
    means = tuple(float(values.mean()) for values in regrets.values())
    return Score(
        (means[0], means[1]),
        float(np.mean(both >= 0.99)),
        (spread["constant"], spread["one-cycle"]),
        (float(np.mean(updates)), max(updates)),
        float(np.mean(covers)),
    ), regrets


def scored(
    design: Design, tasks: Sequence[Sequence[Case]], knows: bool
) -> tuple[Score, dict[str, FloatArray]]:
    """The score of the search with a design's numbers."""

    def find(case: Case, schedule: str) -> Answer:
        planned = case.task.updates if knows else None
        return search(case, schedule, design, planned)

    kept = climbing.TUNING
    climbing.TUNING = dataclasses.replace(Tuning(), **design.tuning)  # type: ignore[misc]
    try:
        return score(tasks, find)
    finally:
        climbing.TUNING = kept  # type: ignore[misc]


def cases_of(folder: Path, kind: str, erratic: bool = False) -> list[list[Case]]:
    """The cases of a kind of task, by task."""
    out = []
    for task in wanted(kind):
        if (task.name in ERRATIC) != erratic or task.name in HOPELESS:
            continue
        bank = dict(np.load(folder / f"{task.name}.npz"))
        truth = truth_in(folder, task)
        out.append([Case(task, truth, bank, seed) for seed in range(SEEDS)])
    return out


def row(name: str, scores: Sequence[Score]) -> str:
    """A line of the table: every kind's regret, then the first's other numbers."""
    regrets = " | ".join(f"{one.regret[0]:.4f} | {one.regret[1]:.4f}" for one in scores)
    first = scores[0]
    return (
        f"| {name} | {first.updates[0]:.0f} | {regrets} | "
        f"{first.spread[0]:.2f} / {first.spread[1]:.2f} |"
    )


def report(folder: Path) -> None:
    """The search as it is on the reporting tasks, by task."""
    for erratic in (False, True):
        tasks = cases_of(folder, "reporting", erratic)
        for knows in (False, True):
            found, regrets = scored(DESIGNS[0], tasks, knows)
            print(f"\nplanned length {'known' if knows else 'not known'}: {found}")
            for cases, *both in zip(tasks, *regrets.values(), strict=True):
                means = "  ".join(f"{one.mean():.3f}" for one in both)
                print(f"{cases[0].task.name:36} {means}")


def main() -> None:
    """Print a table of designs, or what today's reports."""
    folder = Path(sys.argv[1])
    if sys.argv[2] == "reporting":
        report(folder)
        return
    kinds = [cases_of(folder, "tuned"), cases_of(folder, "more")]
    for design in DESIGNS:
        for knows in (False, True):
            if design.factor is not None and knows:
                continue
            scores = [scored(design, tasks, knows)[0] for tasks in kinds]
            name = f"{design.name}{', length known' if knows else ''}"
            print(row(name, scores), flush=True)
            if design is DESIGNS[0]:
                print(scores)


if __name__ == "__main__":
    main()
