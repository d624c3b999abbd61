"""The parts a schedule is made of, and how each finds its values.

:mod:`keras_lr.phases` has their conventions and the functions that make them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Self

import numpy as np

from keras_lr.plan.checks import (
    check_at_least,
    check_callable,
    check_choice,
    check_flag,
    check_int,
    check_rate,
    check_value,
)
from keras_lr.plan.curves import FloatArray
from keras_lr.plan.cycles import Cycles, InCycle
from keras_lr.plan.duration import Argument, Clock, Duration, IntArray
from keras_lr.plan.phase import (
    Knot,
    Made,
    Phase,
    arguments_shown,
    as_argument,
    check_duration,
    last_knot,
    part_name,
)
from keras_lr.plan.recipe import Followed
from keras_lr.plan.seam import Seam
from keras_lr.plan.words import received, shown


class FunctionPhase(Made):
    """Values given by a function of the time since the phase began.

    Args:
        function: Receives the time in units of ``unit`` and returns the value.
        duration: How long; None takes what the other phases leave of the run.
        unit: A duration that counts as time 1; None means one update.
        progress: Whether the function receives progress instead, 0 at the phase's first
            update and 1 at its last.
        vectorized: Whether the function takes whole arrays.
        gain: Factor on the values.
        ahead: Updates that have passed already at the first one.
    """

    def __init__(
        self,
        function: Callable[[Any], Any],
        duration: Duration | Argument | None = None,
        unit: Duration | Argument | None = None,
        progress: bool = False,
        vectorized: bool = False,
        gain: float = 1.0,
        ahead: int = 0,
    ) -> None:
        check_duration(duration)
        check_duration(unit, "unit")
        check_callable("function", function)
        check_flag("progress", progress)
        check_flag("vectorized", vectorized)
        check_value("gain", gain)
        check_at_least("ahead", ahead, 0)
        self.function = function
        self.duration = duration
        self.unit = unit
        self.progress = progress
        self.vectorized = vectorized
        self.gain = gain
        self.ahead = ahead

    def __repr__(self) -> str:
        return f"function({arguments_shown(self, function=part_name(self.function))})"

    @property
    def endless(self) -> bool:
        """Whether the phase has values without a length."""
        return not self.progress

    def scaled(self, factor: float) -> Self:
        """The same phase with all its values multiplied."""
        return self._with(gain=self.gain * factor)

    def ends(self, knot: Knot | None, clock: Clock, count: int | None) -> Knot:
        """The knot that the phase leaves to the next."""
        return last_knot(self, knot, clock, count)

    def at(
        self, k: IntArray, count: int | IntArray | None, knot: Knot | None, clock: Clock
    ) -> FloatArray:
        """Values at the k-th updates (from 0) of the phase."""
        time: Any = k + self.ahead
        if self.progress and count is not None:
            time = time / np.maximum(np.subtract(count, 1), 1)
        if self.unit is not None:
            time = time / clock.exact(as_argument(self.unit, "unit"))
        if self.vectorized:
            values = self.function(time)
        else:
            each = (float(self.function(t)) for t in time.tolist())
            values = np.fromiter(each, np.float64, len(time))
        return self.gain * np.asarray(values, dtype=np.float64)


class Repeat(Made):
    """A cycle of phases, again and again.

    Each cycle continues from the end of the one before it, unless its first phase has
    a ``start``. In cycle c (from 0) a phase lasts ``grow ** c`` times as long as in the
    first one, but no less than an update, and its height above the cycle's end value is
    ``shrink ** c`` times that in the first one. So where cycles grow shorter, each
    phase lasts one update from some cycle on, at its end value.

    Args:
        phases: The cycle; every phase with a duration and a value of its own.
        duration: How long in all; None takes what the other phases leave of the run.
        grow: Growth of the length from cycle to cycle, above 0; below 1 it shrinks.
        shrink: Factor on the height from cycle to cycle, or a function
            ``(cycle, update) -> factor`` of the cycle and of the update counted from
            the first one of the repeat.
        fixed: How many of the first phases keep their length in every cycle.
    """

    endless = True

    def __init__(
        self,
        phases: tuple[Phase, ...],
        duration: Duration | Argument | None = None,
        grow: float = 1.0,
        shrink: float | Callable[[IntArray, IntArray], Any] = 1.0,
        fixed: int = 0,
    ) -> None:
        check_duration(duration)
        if not phases or any(
            not isinstance(p, Phase)
            or p.duration is None
            or (p.to is None and p.start is None)
            for p in phases
        ):
            raise ValueError(
                "`repeat` needs phases that each have a duration and a value. "
                f"Received: {shown(phases)}."
            )
        check_value("grow", grow, above=0)
        if not callable(shrink):
            check_rate("shrink", shrink)
        check_int("fixed", fixed)
        if not 0 <= fixed < len(phases):
            raise ValueError(
                "`fixed` must be a number of first phases, and leave one that grows: "
                f"0 .. {len(phases) - 1}. {received(fixed=fixed)}"
            )
        self.phases = phases
        self.duration = duration
        self.grow = grow
        self.shrink = shrink
        self.fixed = fixed

    def __repr__(self) -> str:
        return (
            f"repeat({arguments_shown(self, phases=', '.join(map(repr, self.phases)))})"
        )

    def scaled(self, factor: float) -> Self:
        """The same cycles with all their values multiplied."""
        return self._with(phases=tuple(p.scaled(factor) for p in self.phases))

    def ends(self, knot: Knot | None, clock: Clock, count: int | None) -> Knot:
        """The knot that the cycles leave to the next phase."""
        return last_knot(self, knot, clock, count)

    def at(
        self, k: IntArray, count: int | IntArray | None, knot: Knot | None, clock: Clock
    ) -> FloatArray:
        """Values at the k-th updates (from 0) of the repeat."""
        knots = self._knots(clock)
        place = self.locate(k, clock)
        values = np.empty(k.shape)
        for i, phase in enumerate(self.phases):
            mine = place.phase == i
            values[mine] = phase.at(
                k[mine] - place.first[mine], place.length[mine], knots[i], clock
            )
        floor = knots[0].value
        return floor + (values - floor) * self._height(place.cycle, k)

    def locate(self, k: IntArray, clock: Clock) -> InCycle:
        """Where the k-th updates (from 0) of the repeat lie in its cycles."""
        arguments = [as_argument(phase.duration) for phase in self.phases]
        exact = [clock.exact(each) + each.length.offset for each in arguments]
        return Cycles(exact, float(self.grow), self.fixed).locate(k)

    def _height(self, cycle: IntArray, k: IntArray) -> FloatArray:
        if callable(self.shrink):
            return np.asarray(self.shrink(cycle, k), dtype=np.float64)
        return np.asarray(self.shrink ** cycle.astype(np.float64))

    def _knots(self, clock: Clock) -> list[Knot]:
        """The knot that each phase of the cycle begins from."""
        knots = [self.phases[-1].ends(Knot(0.0), clock, 1)]
        for phase in self.phases[:-1]:
            knots.append(phase.ends(knots[-1], clock, 1))
        return knots


class Points(Made):
    """Values given at points of the run, held or joined by straight lines.

    Args:
        points: Pairs of a position (a duration from the start of the phase, or 0) and a
            value, in order.
        curve: ``"linear"`` joins the values: the value of position b is reached at the
            last of the first b updates. ``"hold"`` keeps each value until the next
            position: update b is the first with the new one.
        duration: How long; None takes what the other phases leave of the run.
    """

    endless = True

    def __init__(
        self,
        points: tuple[tuple[Duration | Argument, float], ...],
        curve: str = "linear",
        duration: Duration | Argument | None = None,
    ) -> None:
        check_choice("curve", curve, ("linear", "hold"))
        check_duration(duration)
        for _, value in points:
            check_value("value", value)
        self.points = points
        _check_order(self.positions)
        self.curve = curve
        self.duration = duration

    @property
    def positions(self) -> list[Argument]:
        """The positions, parsed."""
        return [_position(position) for position, _ in self.points]

    def scaled(self, factor: float) -> Self:
        """The same points with all their values multiplied."""
        return self._with(points=tuple((b, v * factor) for b, v in self.points))

    def ends(self, knot: Knot | None, clock: Clock, count: int | None) -> Knot:
        """The knot that the points leave to the next phase."""
        return Knot(self.points[-1][1])

    def at(
        self, k: IntArray, count: int | IntArray | None, knot: Knot | None, clock: Clock
    ) -> FloatArray:
        """Values at the k-th updates (from 0) of the phase."""
        places = [clock.updates(position) for position in self.positions]
        # In a run so short that positions of several units overtake each other, or
        # meet, the later one wins.
        updates = np.maximum.accumulate(np.array(places, dtype=np.int64))
        values = np.array([v for _, v in self.points], dtype=np.float64)
        if self.curve == "hold":
            index = np.searchsorted(updates, k, side="right") - 1
            return values[np.maximum(index, 0)]
        return np.interp(k, np.maximum(updates - 1, 0), values)


def _position(position: Duration | Argument) -> Argument:
    """A position is a duration from the start, or 0 for the start itself."""
    if isinstance(position, Argument):
        return position
    return Argument.read("position", position, may_be_zero=True)


def _check_order(positions: Sequence[Argument]) -> None:
    """Raise where a position does not come after those before it, whatever the run."""
    last_of_unit: dict[str, Argument] = {}
    last: Argument | None = None
    for position in positions:
        unit, amount, _ = position.length
        # 0 comes before all others, of whatever unit.
        earlier = last if amount == 0 else last_of_unit.get(unit)
        if earlier is not None and amount <= earlier.length.amount:
            both = {earlier.name: earlier.written, position.name: position.written}
            raise ValueError(
                f"`{position.name}` must come after `{earlier.name}`. "
                f"{received(**both)}"
            )
        last = last_of_unit[unit] = position


Part = Phase | FunctionPhase | Repeat | Points | Seam | Followed
