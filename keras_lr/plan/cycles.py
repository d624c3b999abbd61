"""``Cycles``: where cycles of phases begin that grow longer, or shorter.

Joins that fall between two updates are rounded, each by itself, so that they do not
drift.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from keras_lr.plan.curves import FloatArray
from keras_lr.plan.duration import FAR, IntArray


class InCycle(NamedTuple):
    """Where some updates lie.

    Attributes:
        cycle: The cycle, from 0.
        phase: The phase of the cycle, from 0.
        first: The first update of that phase in that cycle.
        length: Its updates.
        end: The first update behind the cycle.
    """

    cycle: IntArray
    phase: IntArray
    first: IntArray
    length: IntArray
    end: IntArray


class Cycles:
    r"""Cycles of phases, one after another.

    A phase of length l lasts :math:`\max(1, l g^c)` updates in cycle c = 0, 1, ...,
    before rounding; one that keeps its length :math:`\max(1, l)`.

    Args:
        lengths: Of the phases in the first cycle, in updates before rounding.
        grow: The growth g from cycle to cycle, above 0.
        fixed: How many of the first phases keep their length.
    """

    def __init__(self, lengths: Sequence[float], grow: float, fixed: int) -> None:
        self._lengths = np.maximum(1.0, lengths)
        # Of one that grows faster, the second cycle has no end either.
        self._grow = min(grow, float(FAR))
        self._moving = np.arange(len(lengths)) >= fixed

    def locate(self, k: IntArray) -> InCycle:
        """Where updates lie, in any order, from any distance."""
        cycles, starts, ends = self._around(k)
        inside = np.cumsum(self._in_cycles(cycles), axis=1)[:, :-1]
        joins = np.column_stack([starts, starts[:, None] + inside, ends])
        edges = np.floor(np.minimum(joins, FAR) + 0.5 + 1e-9).astype(np.int64)
        first = edges[:, :-1].ravel()
        length = np.diff(edges).ravel()
        at = np.searchsorted(first, k, side="right") - 1
        row, phase = np.divmod(at, len(self._lengths))
        return InCycle(cycles[row], phase, first[at], length[at], edges[row, -1])

    def _in_cycles(self, cycles: IntArray) -> FloatArray:
        """The lengths of the phases in some cycles, a row each."""
        with np.errstate(over="ignore", under="ignore"):
            growth = np.minimum(self._grow ** cycles.astype(float), float(FAR))
        # No phase that matters is shorter than an update.
        grown = np.maximum(1.0, np.outer(growth, self._lengths))
        return np.where(self._moving, grown, self._lengths)

    def _around(self, k: IntArray) -> tuple[IntArray, FloatArray, FloatArray]:
        """The cycles that updates lie in, with their neighbours: number, start, end."""
        changing = self._changing(float(k.max(initial=0)) + 1)
        # Summed up from the first on, so that every window finds the same joins.
        lengths = self._in_cycles(np.arange(changing)).sum(axis=1)
        joins = np.cumsum(np.append(0.0, lengths))
        # Behind these all cycles are alike.
        steady = float(self._in_cycles(np.array([changing])).sum())

        def start(cycle: IntArray) -> FloatArray:
            known = joins[np.minimum(cycle, changing)]
            later: FloatArray = known + np.maximum(cycle - changing, 0) * steady
            return later

        behind = np.floor((k - joins[-1]) / steady).astype(np.int64)
        among = np.searchsorted(joins, k, side="right") - 1
        near = np.where(k < joins[-1], among, changing + behind)
        cycles = np.unique(np.concatenate([near - 1, near, near + 1]))
        cycles = cycles[cycles >= 0]
        return cycles, start(cycles), start(cycles + 1)

    def _changing(self, last: float) -> int:
        """How many of the first cycles must be summed up to get to an update."""
        grow = self._grow
        if grow == 1:
            return 0
        moving = self._lengths[self._moving]
        # The shortest cycle there can be bounds their number, and so does the sum of
        # the moving phases, which is a geometric one.
        shortest = self._lengths.sum() if grow > 1 else len(self._lengths)
        bounds = [last / shortest]
        grown = last * (grow - 1) / moving.sum()
        if grown > -1:
            bounds.append(math.log1p(grown) / math.log(grow))
        if grow < 1:
            # From here on all phases that shrink last one update.
            bounds.append(math.log(moving.max()) / -math.log(grow))
        return math.ceil(min(bounds)) + 2
