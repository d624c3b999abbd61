"""Where to probe next: a coarse look with short trainings, then a fine one."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from keras_lr.plan.curves import FloatArray

#: The step from one point to the next: a third of a decade.
STEP = 10 ** (1 / 3)
#: The points of the coarse look, two thirds of a decade apart.
COARSE = (0, -2, 2, -4, 4)
#: Probes of each length that a climb has updates for.
EACH = 5
#: A long probe has three times the updates of a short one, and a little more.
LONGER = 3.2
#: How far above the best a probe may be to count, as a share of what the best gained.
NEAR = 0.02


@dataclass(frozen=True)
class Seen:
    """What is seen of a training on what is held out.

    Attributes:
        loss: The mean loss, infinite where the training was lost.
        losses: That of each part of the rows, the same parts each time.
    """

    loss: float
    losses: FloatArray


@dataclass(frozen=True)
class Summit:
    """Where a climb ended.

    Attributes:
        rate: The answer.
        interval: Rates between which the answer may lie as well.
        best: The rate of the best of the long trainings.
        seen: What is seen of it.
    """

    rate: float
    interval: tuple[float, float]
    best: float
    seen: Seen


class _Top(NamedTuple):
    place: float
    best: int
    loss: float
    good: list[int]


FIRST = 3.0
STAYS, COMES_DOWN = 0.47, 0.68


def search(
    probe: Callable[[float, int, bool], Seen],
    *,
    updates: int,
    start: Seen,
    first: float | None,
    looks_wide: bool,
    planned: int | None,
    comes_down: bool,
) -> Summit:
    """Provisional."""
    base = (first or 0.003) / FIRST
    seen = {}
    short, long = lengths(updates)

    def ask(k: int, is_long: bool) -> float:
        one = probe(base * STEP**k, long if is_long else short, is_long)
        seen[k, is_long] = one
        return one.loss

    top = climb(ask, updates, start.loss)
    factor = COMES_DOWN if comes_down else STAYS
    rate = base * STEP**top.place * factor
    near = [rate, *(base * STEP**k * factor for k in top.good)]
    return Summit(
        rate, (min(near), max(near)), base * STEP**top.best, seen[top.best, True]
    )


def lengths(updates: int) -> tuple[int, int]:
    """Updates of a short and of a long probe, for a climb of so many in total.

    Example:
        >>> lengths(640)
        (30, 98)
    """
    short = int(updates / (EACH * (1 + LONGER)))
    return short, updates // EACH - short


def climb(probe: Callable[[int, bool], float], updates: int, start: float) -> _Top:
    r"""Find where the loss is lowest by asking for few points.

    Short probes look two thirds of a decade apart, a decade and a third to both sides
    and further while an edge wins. Long ones begin anew at the best and its neighbours
    at a third of a decade, and go further while an edge wins. Their mean is the answer,
    each counting by how near it comes to the best,

    .. math:: k = \frac{\sum_i w_i k_i}{\sum_i w_i}, \quad
        w_i = \exp \left(- \frac{l_i - l_{min}}{\tau (l_0 - l_{min})} \right)

    with k the points, l the losses of the long probes, l_0 the lower of the loss before
    any training and the median one of the short probes, and tau = 0.02. A mean moves
    less by chance than the best does.

    Args:
        probe: Gives the loss at a point after a short (False) or long (True) training;
            infinite where the training was lost.
        updates: To spend at most, at least 60.
        start: Loss before any training.

    Example:
        >>> summit = climb(lambda k, long: (k - 3.0) ** 2, 640, 100.0)
        >>> round(summit.place, 6), summit.best
        (3.0, 3)
    """
    short, long = lengths(updates)
    room = (updates - 3 * long) // short
    coarse = _walk(lambda k: probe(k, False), COARSE, 2, room)
    near = _best(coarse)
    left = (updates - short * len(coarse)) // long
    fine = _walk(lambda k: probe(k, True), (near, near - 1, near + 1), 1, left)
    best = _best(fine)
    loss = fine[best]
    if not math.isfinite(loss):
        return _Top(best, best, loss, [])
    lasted = [value for value in coarse.values() if value < math.inf]
    level = min(start, float(np.median(lasted))) if lasted else start
    gain = max(level - loss, 1e-12)
    weights = [math.exp((loss - value) / (NEAR * gain)) for value in fine.values()]
    place = float(np.average(list(fine), weights=weights))
    good = {k for seen in (coarse, fine) for k in _good(seen, gain / 10)}
    return _Top(place, best, loss, sorted(good))


def _walk(
    probe: Callable[[int], float], points: Iterable[int], step: int, most: int
) -> dict[int, float]:
    """Ask for the points, then beyond an edge while it wins."""
    seen = {k: probe(k) for k in points}
    while len(seen) < most:
        best = _best(seen)
        if best == min(seen) or not math.isfinite(seen[best]):
            ask = min(seen) - step
        elif best == max(seen):
            ask = best + step
        else:
            break
        seen[ask] = probe(ask)
    return seen


def _best(seen: dict[int, float]) -> int:
    """The point of the lowest loss; of equals, as where all are lost, the lowest."""
    return min(sorted(seen), key=lambda k: seen[k])


def _good(seen: dict[int, float], near: float) -> list[int]:
    most = min(seen.values()) + near
    return [k for k in seen if seen[k] <= most < math.inf]
