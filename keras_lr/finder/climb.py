"""Where to train next, and what the trainings say: a pure function of their losses.

Rates are points of a fixed grid, three to a decade: two searches of one model try the
same rates, and a search can be replayed from a table of what each rate came to.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np

from keras_lr.finder.tuning import TUNING
from keras_lr.plan.curves import FloatArray


@dataclass(frozen=True)
class Seen:
    """What is held out, after a training.

    Attributes:
        loss: Mean loss, infinite where the training was lost.
        losses: Loss of each part of the rows held out, the same parts each time, shape
            ``(parts,)``; of a single part where no noise is known.
    """

    loss: float
    losses: FloatArray


class Probe(Protocol):
    """Trains from the state of the beginning."""

    def __call__(self, rate: float, updates: int, follows: bool) -> Seen:
        """Train and judge.

        Args:
            rate: To stay at; the peak, where the training follows the schedule.
            updates: Of the training.
            follows: Whether it follows the schedule in small.
        """


class Ahead(Protocol):
    """Is told of trainings before they are asked for, so that they can begin."""

    def __call__(self, rates: Sequence[float], updates: int, follows: bool) -> None:
        """Begin what can run side by side.

        Args:
            rates: Of trainings that are asked for next, or may be.
            updates: Of each.
            follows: Whether they follow the schedule in small.
        """


@dataclass(frozen=True)
class Summit:
    """Where a climb ended.

    Attributes:
        rate: The answer: what a training of the planned length bears.
        interval: Where the answer could lie as well, low and high, given the noise.
        best: Rate of the best long training.
        seen: What is seen of that one; its loss is infinite where all were lost.
        factor: The answer over the rate that long trainings bear best.
        excess: How far the loss began above what training at about any rate leads to,
            over what the best rate gains beyond that.
    """

    rate: float
    interval: tuple[float, float]
    best: float
    seen: Seen
    factor: float
    excess: float

    @property
    def is_lost(self) -> bool:
        """Whether no long training lasted: there is nothing to go by."""
        return not math.isfinite(self.seen.loss)

    @property
    def is_off_scale(self) -> bool:
        """Whether the model begins so far off that the rate hardly matters beside it.

        Then what there is to learn drowns in what any training corrects first, and
        rates close to each other end far apart. It comes of features, or targets, that
        are not scaled.
        """
        return self.excess > TUNING.off_scale


#: What was trained at each point.
Trained: TypeAlias = dict[int, Seen]

#: The least difference of two losses that is one.
LEAST_WIDTH = float(np.finfo(np.float64).tiny)


def sweep_updates(budget: int) -> int:
    """Updates of the sweep, out of a budget.

    Example:
        >>> sweep_updates(800), sweep_updates(120)
        (100, 20)
    """
    return max(TUNING.sweep_least, int(budget * TUNING.sweep_share))


def lengths(updates: int) -> tuple[int, int]:
    """Updates of a short and of a long training, for a climb of so many in total.

    Example:
        >>> lengths(700)
        (20, 90)
    """
    short = max(TUNING.short_least, int(updates * TUNING.short_share))
    shorts = len(TUNING.around) + TUNING.kept
    return short, (updates - shorts * short) // TUNING.longs


def lasting(long: int, planned: int, comes_down: bool) -> float:
    r"""What a training bears of the rate that a shorter one bears best.

    .. math:: \min \left(1, c f^{-p}\right), \quad f = \min(n / m, f_{max})

    with n the updates that are planned, m those of the shorter training, p = 0.6,
    f_max = 33, and c = 1.1 for a rate that stays, 1.35 for one that comes down. It is 1
    where the plan is hardly longer.

    Args:
        long: Updates of the shorter training, at least 1.
        planned: Updates of the training that is planned.
        comes_down: Whether its rate is well below the peak for most of it.

    Example:
        >>> round(lasting(90, 500, False), 2), lasting(90, 90, True)
        (0.39, 1.0)
    """
    times = min(max(planned / long, 1.0), TUNING.longest)
    scale = TUNING.scale_down if comes_down else TUNING.scale_stays
    return float(min(1.0, scale * times**-TUNING.exponent))


def climb(
    probe: Probe,
    *,
    updates: int,
    start: Seen,
    first: float | None,
    looks_wide: bool = False,
    planned: int | None = None,
    comes_down: bool = False,
    ahead: Ahead | None = None,
) -> Summit:
    r"""Find the rate that a training of the planned length bears best.

    Short trainings at one rate look a decade to both sides of where the sweep points,
    and further while an edge wins. Long ones, which follow the schedule, begin anew at
    the best of them and its neighbours, go further while an edge wins, and then widen
    evenly. The mean of their points, each counting by how near it comes to the best,
    times what a longer training bears of it (:func:`lasting`), is the answer:

    .. math:: k = \frac{\sum_i w_i k_i}{\sum_i w_i}, \quad
        w_i = \exp \left(- \frac{l_i - l_{min}}{\tau (l_0 - l_{min}) + c s_i} \right)

    with k the points, l the losses of the long trainings, l_0 the lower of the loss
    before any training and the median one of the short ones, s_i the standard error of
    the gap, paired over the parts held out, tau = 0.03 and c = 1.5. A mean moves less
    by chance than the best does, and what noise does not tell apart counts alike.

    Args:
        probe: Trains and judges.
        updates: To ask for at most, at least 100.
        start: Before any training.
        first: The rate where the sweep has fallen; None if it told nothing.
        looks_wide: Whether to look from 1e-6 to 4.6 first, whatever the sweep told: as
            it is done where it told nothing.
        planned: Updates of the training that the rate is for; None if not known, for as
            many as the search has, and at least 700.
        comes_down: Whether the schedule's rate is below its peak for most of it.
        ahead: Is told of trainings before they are asked for. What it does changes
            neither what is asked for nor the answer.

    Example:
        >>> def bowl(rate, updates, follows):
        ...     return Seen((np.log10(rate) + 2) ** 2, np.zeros(1))
        >>> start = Seen(9.0, np.zeros(1))
        >>> summit = climb(bowl, updates=700, start=start, first=0.1, planned=500)
        >>> round(summit.best, 6), round(summit.rate, 4)
        (0.01, 0.0039)
    """
    short_updates, long_updates = lengths(updates)

    def begin(points: Sequence[int], length: int, follows: bool) -> None:
        if ahead is not None:
            ahead([rate_of(point) for point in points], length, follows)

    def short(point: int) -> Seen:
        return probe(rate_of(point), short_updates, False)

    def long(point: int) -> Seen:
        if tried and len(tried) + 1 < room:
            # Whichever side wins, the next one is beyond an edge: one of two that begin
            # together is asked for now, the other as a rule soon.
            begin((point, min(tried) - 1, max(tried) + 1), long_updates, True)
        return probe(rate_of(point), long_updates, True)

    looked: Trained = {}
    tried: Trained = {}
    if first is None or looks_wide:
        begin(TUNING.wide, short_updates, False)
        looked = {point: short(point) for point in TUNING.wide}
        centre = _best(looked)
    else:
        centre = point_of(first / TUNING.start_divisor)
    room = (updates - TUNING.longs_least * long_updates) // short_updates
    around = [centre + point for point in TUNING.around]
    begin(_due(looked, around, room), short_updates, False)
    _ask(short, looked, around, room)
    _walk(short, looked, TUNING.walk, room)

    near = _best(looked)
    left = updates - short_updates * len(looked)
    room = min(TUNING.longs, left // long_updates)
    nearest = (near, near - 1, near + 1)
    begin(_due(tried, (*nearest, near - 2, near + 2), room), long_updates, True)
    _ask(long, tried, nearest, room)
    _walk(long, tried, 1, room)
    _widen(long, tried, room)

    length = planned or max(updates, TUNING.planned_least)
    factor = lasting(long_updates, length, comes_down)
    return _summit(tried, start, _level(looked, start), factor)


def rate_of(place: float) -> float:
    """The rate at a point, or between two.

    Example:
        >>> rate_of(-6)
        0.01
    """
    return float(10 ** (place / TUNING.points))


def point_of(rate: float) -> int:
    """The point nearest to a rate.

    Example:
        >>> point_of(0.011)
        -6
    """
    return round(TUNING.points * math.log10(rate))


def _ask(
    train: Callable[[int], Seen], seen: Trained, points: Sequence[int], most: int
) -> None:
    """Train at the points that were not tried, while there is room."""
    for point in _due(seen, points, most):
        seen[point] = train(point)


def _due(seen: Trained, points: Sequence[int], most: int) -> list[int]:
    """The points that were not tried, as many as there is room for."""
    due = [point for point in points if point not in seen]
    return due[: max(0, most - len(seen))]


def _walk(train: Callable[[int], Seen], seen: Trained, step: int, most: int) -> None:
    """Train beyond an edge while it wins; below, while all are lost."""
    while len(seen) < most:
        best = _best(seen)
        if best == min(seen) or not math.isfinite(seen[best].loss):
            beyond = min(seen) - step
        elif best == max(seen):
            beyond = best + step
        else:
            return
        seen[beyond] = train(beyond)


def _widen(train: Callable[[int], Seen], seen: Trained, most: int) -> None:
    """Train beyond the edge that is nearer to the best, the lower of equals."""
    while len(seen) < most:
        best = _best(seen)
        below = best - min(seen)
        above = max(seen) - best
        beyond = min(seen) - 1 if below <= above else max(seen) + 1
        seen[beyond] = train(beyond)


def _best(seen: Trained) -> int:
    """The point of the lowest loss; of equals, as where all are lost, the lowest."""
    return min(sorted(seen), key=lambda point: seen[point].loss)


def _level(looked: Trained, start: Seen) -> float:
    """The loss that a gain is measured from.

    The loss before any training can be huge, and any rate brings it down: then the
    median says more of what there is to gain.
    """
    lasted = [seen.loss for seen in looked.values() if math.isfinite(seen.loss)]
    if not lasted:
        return start.loss
    return min(start.loss, float(np.median(lasted)))


def _summit(tried: Trained, start: Seen, level: float, factor: float) -> Summit:
    """What the long trainings say."""
    best = _best(tried)
    top = tried[best]
    if not math.isfinite(top.loss):
        answer = rate_of(best) * factor
        return Summit(answer, (answer, answer), rate_of(best), top, factor, 0.0)
    gain = max(level - top.loss, 0.0)
    points = [point for point in sorted(tried) if math.isfinite(tried[point].loss)]
    gaps = np.array([tried[point].loss - top.loss for point in points])
    errors = np.array([_error(tried[point], top) for point in points])
    # Without gain and noise only what is equal counts, and divides by nothing.
    widths = np.maximum(TUNING.near * gain + TUNING.errors * errors, LEAST_WIDTH)
    with np.errstate(over="ignore"):
        weights = np.exp(-gaps / widths)
    place = float(np.average(points, weights=weights))
    good = np.array(points)[gaps <= widths]
    # Between points nothing was tried: half a step to both sides is as likely.
    low = rate_of(min(good.min() - 0.5, place)) * factor
    high = rate_of(max(good.max() + 0.5, place)) * factor
    return Summit(
        rate=rate_of(place) * factor,
        interval=(low, high),
        best=rate_of(best),
        seen=top,
        factor=factor,
        excess=_excess(start.loss, level, top.loss),
    )


def _excess(start: float, level: float, lowest: float) -> float:
    """How far the loss began above the level, over what the best gains beyond that.

    It is 0 where the best leaves little of the level: then the rate matters, and the
    others are low only because the task is easy.
    """
    if lowest < TUNING.easy * level:
        return 0.0
    return (start - level) / max(level - lowest, LEAST_WIDTH)


def _error(seen: Seen, top: Seen) -> float:
    """Standard error of the gap between two trainings, over the parts held out."""
    differences = seen.losses - top.losses
    if len(differences) < 2:
        return 0.0
    return float(np.std(differences, ddof=1) / math.sqrt(len(differences)))
