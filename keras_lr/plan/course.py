"""One hyperparameter's way through a run, as one schedule sees it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from keras_lr.plan.checks import check_finite, check_values
from keras_lr.plan.curves import FloatArray
from keras_lr.plan.duration import Clock, IntArray
from keras_lr.plan.layout import Placed, evaluate, place
from keras_lr.plan.parts import Part
from keras_lr.plan.seam import Extension, Seam
from keras_lr.plan.words import naming

HYPERPARAMETERS = ("learning_rate", "momentum", "weight_decay")

#: Updates that are evaluated at once: what is intermediate stays below a megabyte,
#: however long the run.
CHUNK = 2**13


class Course(NamedTuple):
    """One hyperparameter's way through a run, as one schedule sees it.

    Attributes:
        hyperparameter: ``"learning_rate"``, ``"momentum"`` or ``"weight_decay"``.
        peak: The value that factor 1 stands for; None for the optimizer's own.
        parts: Function from the peak to the parts, in absolute values.
        start: Value before the first update, as a factor of the peak.
        optional: Whether an optimizer without the hyperparameter is left alone.
        floor: The schedule's lowest rate where the user gave one, else None.
        owner: The schedule that it belongs to, which its errors name.
        since_fit: Whether it begins anew with each fit, and not with the run.
        is_shown_as_is: Whether values that no update can use (negative rates, momenta
            of 1 and more) are there to be looked at; a fit refuses them all the same.
    """

    hyperparameter: str
    peak: float | None
    parts: Callable[[float], Sequence[Part]]
    start: float = 0.0
    optional: bool = False
    floor: float | None = None
    owner: Any = "The schedule"
    since_fit: bool = False
    is_shown_as_is: bool = False

    @property
    def is_absolute(self) -> bool:
        """Whether the user gave a value, and not only factors."""
        return self.peak is not None or bool(self.floor)

    @property
    def some_peak(self) -> float:
        """The peak, or one above the floor: for what does not depend on its size."""
        return self.peak or max(1.0, self.floor or 0.0)

    def place(self, peak: float, clock: Clock) -> list[Placed]:
        """Lay the course over a run."""
        return place(self.parts(peak), clock, self.start * peak)

    def values(self, peak: float, clock: Clock, updates: IntArray) -> FloatArray:
        """Values at some updates, checked."""
        values = np.empty(len(updates))
        with naming(self.owner):
            placed = self.place(peak, clock)
            for first in range(0, len(updates), CHUNK):
                some = updates[first : first + CHUNK]
                found = evaluate(placed, some, clock)
                if self.is_shown_as_is:
                    check_finite(self.hyperparameter, found, some)
                else:
                    check_values(self.hyperparameter, found, some)
                values[first : first + CHUNK] = found
        return values

    def after(self, before: Course, extension: Extension) -> Course:
        """This course from a moment of a run on, and another one up to it.

        Args:
            before: The other one.
            extension: When, and over which length each is laid.
        """

        def parts(peak: float) -> Sequence[Part]:
            values = partial(before.values, peak), partial(self.values, peak)
            return [Seam(*values, extension)]

        # It is a matter of the run: what begins anew with a fit has nothing to go on.
        return self._replace(parts=parts, since_fit=False)
