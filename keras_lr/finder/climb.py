"""Where to probe next: a coarse look with short trainings, then a fine one."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np

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


class Summit(NamedTuple):
    """Where a climb ended.

    Attributes:
        place: Where the lowest loss is, in points; between two of them.
        best: The point of the lowest loss of a long probe.
        loss: That loss.
        good: Points within a tenth of the gain of the best of their length, ascending.
    """

    place: float
    best: int
    loss: float
    good: list[int]


def lengths(updates: int) -> tuple[int, int]:
    """Updates of a short and of a long probe, for a climb of so many in total.

    Example:
        >>> lengths(640)
        (30, 98)
    """
    short = int(updates / (EACH * (1 + LONGER)))
    return short, updates // EACH - short


def climb(probe: Callable[[int, bool], float], updates: int, start: float) -> Summit:
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
        return Summit(best, best, loss, [])
    lasted = [value for value in coarse.values() if value < math.inf]
    level = min(start, float(np.median(lasted))) if lasted else start
    gain = max(level - loss, 1e-12)
    weights = [math.exp((loss - value) / (NEAR * gain)) for value in fine.values()]
    place = float(np.average(list(fine), weights=weights))
    good = {k for seen in (coarse, fine) for k in _good(seen, gain / 10)}
    return Summit(place, best, loss, sorted(good))


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
