"""Cycles that grow by a constant factor, as those of Keras and timm do."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from keras_lr.plan.curves import FloatArray
from keras_lr.plan.duration import IntArray

#: By how much, of itself, a product or quotient may be off for want of digits.
ROUNDING = 1e-12


@dataclass(frozen=True)
class GrowingCycles:
    """Cycles each of which is so many times as long as the one before it.

    They may begin between two steps.

    Attributes:
        length: Steps of the first, above 0.
        growth: How many times as long the next one is, above 0.
    """

    length: float
    growth: float

    def begin(self, cycle: FloatArray) -> FloatArray:
        r"""The first step of a cycle i, :math:`T (g^i - 1) / (g - 1)`."""
        if self.growth == 1:
            return self.length * cycle
        begin: FloatArray = (self.growth**cycle - 1.0) / (self.growth - 1.0)
        return self.length * begin

    def at(self, steps: IntArray) -> FloatArray:
        """The cycle of each step; infinite where cycles grow shorter and are over.

        Example:
            >>> GrowingCycles(length=1, growth=3.0).at(np.array([0, 1, 120, 121]))
            array([0., 1., 4., 5.])
        """
        if self.growth == 1:
            return whole_times(steps, self.length)
        inside = 1.0 + steps / self.length * (self.growth - 1.0)
        is_inside = inside > 0
        cycle = np.floor(
            np.log(np.where(is_inside, inside, 1.0)) / math.log(self.growth)
        )
        # The logarithm is a cycle off where a restart falls on a step, or nearly.
        reached = steps * (1 + ROUNDING)
        cycle += self.begin(cycle + 1) <= reached
        cycle -= self.begin(cycle) > reached
        return np.where(is_inside, cycle, np.inf)


def whole_times(steps: IntArray, length: float) -> FloatArray:
    """How many times a length fits into some steps: 10 times 1.1 into 11.

    Although 1.1, as a float, is a little more than that.
    """
    times: FloatArray = np.floor(steps / length * (1 + ROUNDING))
    return times
