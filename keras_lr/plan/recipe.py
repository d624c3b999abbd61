"""``Recipe``: a schedule of another library as numbers, and as a part of a run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from keras_lr.plan.curves import FloatArray
from keras_lr.plan.duration import Argument, Clock, IntArray, Length
from keras_lr.plan.phase import Knot, Made, last_knot

#: Rates at some steps of the original, given the optimizer's own rate and the run.
Rate = Callable[[IntArray, float, Clock], FloatArray]
#: Momenta at some steps of the original, given the run.
Momentum = Callable[[IntArray, Clock], FloatArray]


@dataclass(frozen=True)
class Recipe:
    """What a schedule of another library does, as numbers.

    Attributes:
        rate: The rates at some steps, counted from 0; ``base`` is the optimizer's own
            rate. Only a recipe without a length of its own looks at the run.
        peak: The rate that factor 1 stands for, above 0, where the original sets rates
            and does not look at the optimizer's own; None where it scales that.
        floor: The lowest rate where it was given as a rate, else None.
        momentum: The momenta at some steps; None where it leaves them alone.
        length: The argument that tells how long the original is; None where nothing
            does. From there on its rate stays, or nobody means it to go on.
        warmup: Steps of its warmup; 0 for none.
        takes_fractions: Whether a step that is an epoch is followed through it: then
            ``rate`` is asked for fractions of steps.
    """

    rate: Rate
    peak: float | None = None
    floor: float | None = None
    momentum: Momentum | None = None
    length: Argument | None = None
    warmup: int = 0
    takes_fractions: bool = False

    def in_epochs(self) -> Recipe:
        """The same with the length of steps that are epochs."""
        if self.length is None or self.length.length.unit != "updates":
            return self
        in_epochs = Length("epochs", self.length.length.amount)
        return replace(self, length=replace(self.length, length=in_epochs))


class Followed(Made):
    """The values that a function gives at the steps of another library.

    Args:
        function: Receives steps, counted from 0, and the run; returns the values.
        is_by_epoch: Whether a step is an epoch, and not an update.
        takes_fractions: Whether it is then asked for fractions of an epoch.
        length: The argument that tells how long the original is, if anything does.
        gain: Factor on the values.
    """

    duration = None
    endless = True

    def __init__(
        self,
        function: Callable[[IntArray, Clock], FloatArray],
        is_by_epoch: bool = False,
        takes_fractions: bool = False,
        length: Argument | None = None,
        gain: float = 1.0,
    ) -> None:
        self.function = function
        self.is_by_epoch = is_by_epoch
        self.takes_fractions = takes_fractions
        self.length = length
        self.gain = gain

    def scaled(self, factor: float) -> Self:
        """The same with all its values multiplied."""
        return self._with(gain=self.gain * factor)

    def ends(self, knot: Knot | None, clock: Clock, count: int | None) -> Knot:
        """The knot that it leaves to the next phase."""
        return last_knot(self, knot, clock, count)

    def at(
        self, k: IntArray, count: int | IntArray | None, knot: Knot | None, clock: Clock
    ) -> FloatArray:
        """Values at some updates of the run."""
        steps: Any = k
        if self.is_by_epoch:
            steps = clock.epochs(k, in_fractions=self.takes_fractions)
        values: Any = self.function(steps, clock)
        return self.gain * np.asarray(values, dtype=np.float64)
