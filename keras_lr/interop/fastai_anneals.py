r"""fastai's annealers: how a value goes from one to another over a training.

Each is a function of the position p in the training, from 0 up to, but not including,
1. Several of them are laid end to end by fractions of it. fastai keeps the joins as
float32, which reaches the values: so it is here. A position that is rounded may also
come to lie just before a join that it is at, and that segment begins a step late:
``faithful`` keeps that, by default it is found from positions as they are.

Source: fastai 2.8.12, ``callback/schedule.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np

from keras_lr.interop.arguments import made_of, pair_of
from keras_lr.plan.checks import check_sequence, check_value, number
from keras_lr.plan.curves import FloatArray
from keras_lr.plan.words import received, shown


@dataclass(frozen=True)
class Anneal:
    """A way from value to value.

    Attributes:
        values: The values at some positions in [0, 1].
        highest: The highest of the values that it was given.
    """

    values: Callable[[FloatArray], FloatArray]
    highest: float


def sched_lin(faithful: bool, /, start: float, end: float) -> Anneal:
    """A straight line, :math:`a + (b - a) p`."""
    return _anneal(start, end, lambda p: start + p * (end - start))


def sched_cos(faithful: bool, /, start: float, end: float) -> Anneal:
    r"""Half a cosine, :math:`a + (b - a) (1 + \cos \pi (1 - p)) / 2`."""

    def values(p: FloatArray) -> FloatArray:
        way: FloatArray = (1.0 + np.cos(np.pi * (1.0 - p))) / 2.0
        return start + (end - start) * way

    return _anneal(start, end, values)


def sched_no(faithful: bool, /, start: float, end: float) -> Anneal:
    """The first value."""
    return _anneal(start, end, lambda p: np.full(p.shape, float(start)))


def sched_exp(faithful: bool, /, start: float, end: float) -> Anneal:
    r"""Equal factors in equal times, :math:`a (b / a)^p`; both above 0."""
    check_value("start", start, above=0)
    check_value("end", end, above=0)
    return _anneal(start, end, lambda p: start * (end / start) ** p)


def sched_poly(faithful: bool, /, start: float, end: float, power: float) -> Anneal:
    """A power of what is done, :math:`a + (b - a) p^c`."""
    check_value("power", power)
    return _anneal(start, end, lambda p: start + (end - start) * p**power)


def _anneal(
    start: float, end: float, values: Callable[[FloatArray], FloatArray]
) -> Anneal:
    highest = max(number("start", start), number("end", end))
    return Anneal(values, highest)


def combine_scheds(
    faithful: bool, /, pcts: Sequence[float], scheds: Sequence[Any]
) -> Anneal:
    """Several of them, each over a fraction of the training.

    Args:
        faithful: Whether joins are as fastai finds them.
        pcts: The fractions; together they are 1.
        scheds: As many pairs of a name and arguments.
    """
    check_sequence("pcts", pcts)
    check_sequence("scheds", scheds)
    for share in pcts:
        check_value("pcts", share)
    if len(pcts) != len(scheds) or not pcts:
        raise ValueError(
            "`pcts` and `scheds` must be as many, at least one. "
            f"Received: {len(pcts)} and {len(scheds)}."
        )
    if abs(sum(pcts) - 1.0) > 1e-6:
        raise ValueError(f"`pcts` must add up to 1. {received(pcts=pcts)}")
    if faithful and sum(pcts) != 1.0:
        raise ValueError(
            "fastai refuses fractions that add up to 1 but for rounding. "
            f"Received: pcts={shown(pcts)}, which is {sum(pcts)!r}. Leave `faithful` "
            "out."
        )
    return _combined(faithful, pcts, [_part(faithful, each) for each in scheds])


def combined_cos(
    faithful: bool, /, pct: float, start: float, middle: float, end: float
) -> Anneal:
    """Half a cosine to the middle value, and another one to the last."""
    check_value("pct", pct)
    if pct > 1:
        raise ValueError(f"`pct` must lie in [0, 1]. {received(pct=pct)}")
    halves = [sched_cos(faithful, start, middle), sched_cos(faithful, middle, end)]
    return _combined(faithful, [pct, 1.0 - pct], halves)


def cosines_down(faithful: bool, pcts: Sequence[float], start: float) -> Anneal:
    """Half cosines from a value to zero, each over a fraction of the training."""
    down = ("SchedCos", {"start": start, "end": 0.0})
    return combine_scheds(faithful, pcts, [down] * len(pcts))


def _combined(
    faithful: bool, shares: Sequence[float], anneals: Sequence[Anneal]
) -> Anneal:
    """Anneals laid end to end."""
    joins = np.array(list(accumulate(shares, initial=0.0)))
    # Each of them is a sum in double precision of what was rounded before.
    rounded = np.cumsum(np.array([0.0, *shares], np.float32), dtype=np.float64).astype(
        np.float32
    )
    last = len(anneals) - 1

    def values(positions: FloatArray) -> FloatArray:
        short = positions.astype(np.float32)
        if faithful:
            found = np.searchsorted(rounded, short, side="right") - 1
        else:
            found = np.searchsorted(joins - 1e-12, positions, side="right") - 1
        index = np.minimum(found, last)
        done = np.empty(positions.shape)
        for i, anneal in enumerate(anneals):
            mine = index == i
            width = rounded[i + 1] - rounded[i]
            # A segment without a width has no position but its begin.
            local = (short[mine] - rounded[i]) / (width or np.float32(1.0))
            done[mine] = anneal.values(np.clip(local, 0.0, 1.0).astype(np.float64))
        return done

    return Anneal(values, max(anneal.highest for anneal in anneals))


def _part(faithful: bool, sched: Any) -> Anneal:
    """What stands in a list of annealers."""
    pair = pair_of(sched, "scheds", "('SchedCos', {'start': 0.1, 'end': 0.0})")
    return made_of(pair, "scheds", ANNEALS, faithful)


#: What makes an annealer, by fastai's name.
ANNEALS: dict[str, Callable[..., Anneal]] = {
    "SchedLin": sched_lin,
    "SchedCos": sched_cos,
    "SchedNo": sched_no,
    "SchedExp": sched_exp,
    "SchedPoly": sched_poly,
    "combine_scheds": combine_scheds,
    "combined_cos": combined_cos,
}
