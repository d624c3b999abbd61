"""``CycleEnds``: a guest of a fit that calls a function after each complete cycle."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from keras_lr.fit.guests import Fit
from keras_lr.fit.record import Scalar
from keras_lr.plan.layout import Cycle, cycle_at
from keras_lr.plan.words import received
from keras_lr.schedule import Schedule

#: Receives the model, the cycle from 0, and the updates that have been made.
OnCycleEnd = Callable[[Any, int, int], Any]


def check_cycle_end(call: Any) -> None:
    """Raise unless it is a function, or None."""
    if call is not None and not callable(call):
        raise TypeError(
            "`on_cycle_end` must be a function of the model, the cycle and the updates "
            f"made. {received(on_cycle_end=call)}"
        )


class CycleEnds:
    """Calls a function after the last update of each complete cycle.

    Args:
        callback: The schedule that is in the fit.
        schedule: The one whose cycles they are: the same, unless that was extended.
        call: The function.

    Attributes:
        scalars: Nothing is written down for it.
    """

    def __init__(
        self, callback: Schedule, schedule: Schedule, call: OnCycleEnd
    ) -> None:
        self.scalars: Sequence[Scalar] = ()
        self._callback = callback
        self._schedule = schedule
        self._call = call
        self._fit: Fit | None = None
        #: The cycle that the run was in at the last look, from 0.
        self._cycle = Cycle(0, 0)

    def begin(self, fit: Fit) -> None:
        """Cycles that have ended before are no matter of this fit."""
        self._fit = fit
        self._cycle = self._at(fit.progress_of(self._callback).made)

    def due(self) -> int | None:
        """The end of the cycle, as the first optimizer counts."""
        assert self._fit is not None  # noqa: S101  it has begun
        made, pace = self._fit.progress_of(self._callback)
        left = math.ceil((self._cycle.end - made) / pace)
        return self._fit.updates_made() + max(left, 0)

    def look(self, made: int) -> None:
        """Call the function for each cycle that has ended since the last look."""
        assert self._fit is not None  # noqa: S101  it has begun
        own, _ = self._fit.progress_of(self._callback)
        before = self._cycle.number
        self._cycle = self._at(own)
        for number in range(before, self._cycle.number):
            # On JAX, asking the callback for its model brings the weights there.
            self._call(self._callback.model, number, own)

    def end_epoch(self, epoch: int, logs: Mapping[str, Any]) -> None:
        """An epoch is no matter."""

    def _at(self, update: int) -> Cycle:
        """The cycle that an update lies in."""
        assert self._fit is not None  # noqa: S101  it has begun
        clock = self._callback._clock(self._fit.run)
        _, single = self._schedule._singles()[0]
        course = single._courses()[0]
        # Where cycles begin does not depend on the peak.
        return cycle_at(course.place(course.some_peak, clock), update, clock)
