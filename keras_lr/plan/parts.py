"""The parts a schedule is made of, and how each finds its values.

:mod:`keras_lr.phases` has their conventions and the functions that make them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import signature
from typing import Any, NamedTuple, Self

import numpy as np

from keras_lr.plan import curves
from keras_lr.plan.checks import check_callable, check_value
from keras_lr.plan.curves import Curve, FloatArray
from keras_lr.plan.duration import Clock, Duration, IntArray, Length, parse


class Knot(NamedTuple):
    """Where a phase takes over: the value, and whether an update has been there."""

    value: float
    reached: bool = True


class Made:
    """What its constructor's arguments make it: they are its attributes, for good.

    No data class, though much like a frozen one: configuration tools (Hydra, OmegaConf)
    take data classes for schemas.
    """

    def __setattr__(self, name: str, value: Any) -> None:
        if name in vars(self):
            raise AttributeError(
                f"A phase cannot be changed. Received: {name}={value!r}. Make another."
            )
        super().__setattr__(name, value)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    # Options and functions cannot be hashed, as a rule.
    __hash__ = None  # type: ignore[assignment]

    def _with(self, **changes: Any) -> Self:
        """The same with other arguments."""
        return type(self)(**{**vars(self), **changes})


class Phase(Made):
    """One curve from the value before it, or from its own start, to an end value.

    Args:
        duration: How long; None takes what the other phases leave of the run.
        to: Value at the last update; None holds the value the phase begins with.
        start: Value at the first update; None continues from the phase before.
        endpoint: Whether the last update is at ``to`` (the default) or one short of it.
        curve: A function ``(start, end, progress) -> values``.
        options: Further keyword arguments of the curve.
    """

    def __init__(
        self,
        duration: Duration | Length | None = None,
        to: float | None = None,
        start: float | None = None,
        endpoint: bool = True,
        curve: Curve = curves.linear,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        _check_duration(duration)
        check_value("to", to)
        check_value("start", start)
        check_callable("curve", curve)
        self.duration = duration
        self.to = to
        self.start = start
        self.endpoint = endpoint
        self.curve = curve
        self.options = dict(options or {})

    def __repr__(self) -> str:
        shown = [] if self.duration is None else [repr(self.duration)]
        for name in ("to", "start"):
            if getattr(self, name) is not None:
                shown.append(f"{name}={getattr(self, name)!r}")
        shown += [f"{name}={value!r}" for name, value in self.options.items()]
        if not self.endpoint:
            shown.append("endpoint=False")
        return f"{part_name(self.curve)}({', '.join(shown)})"

    @property
    def endless(self) -> bool:
        """Whether the phase has values without a length."""
        return self.to is None or self.to == self.start

    def scaled(self, factor: float) -> Self:
        """The same phase with all its values multiplied."""
        return self._with(
            to=None if self.to is None else self.to * factor,
            start=None if self.start is None else self.start * factor,
        )

    def begins(self, knot: Knot) -> float:
        """The value the phase starts from."""
        return knot.value if self.start is None else self.start

    def ends(self, knot: Knot | None, clock: Clock, count: int | None) -> Knot:
        """The knot that the phase leaves to the next."""
        value = self.begins(knot or Knot(0.0)) if self.to is None else self.to
        return Knot(value, self.endpoint)

    def at(
        self, k: IntArray, count: int | IntArray | None, knot: Knot | None, clock: Clock
    ) -> FloatArray:
        """Values at the k-th updates (from 0) of a phase of ``count`` updates."""
        knot = knot or Knot(0.0)
        start = self.begins(knot)
        end = start if self.to is None else self.to
        if count is None:
            return np.full(k.shape, end)
        first = 0 if self.start is not None or not knot.reached else -1
        last = count - 1 if self.endpoint else count
        # One update that must be both start and end is at its end.
        way = last - first
        way = np.maximum(way, 1) if isinstance(way, np.ndarray) else max(way, 1)
        progress = np.where(k >= last, 1.0, (k - first) / way)
        values = self.curve(start, end, progress, **self.options)
        values = np.where(progress >= 1.0, end, values)
        return np.where(progress <= 0.0, start, values)


class FunctionPhase(Made):
    """Values given by a function of the time since the phase began.

    Args:
        function: Receives the time in units of ``unit`` and returns the value.
        duration: How long; None takes what the other phases leave of the run.
        unit: A duration that counts as time 1; None means one update.
        progress: Whether the function receives progress in [0, 1] instead.
        vectorized: Whether the function takes whole arrays.
        gain: Factor on the values.
    """

    def __init__(
        self,
        function: Callable[[Any], Any],
        duration: Duration | Length | None = None,
        unit: Duration | Length | None = None,
        progress: bool = False,
        vectorized: bool = False,
        gain: float = 1.0,
    ) -> None:
        _check_duration(duration)
        _check_duration(unit)
        check_callable("function", function)
        self.function = function
        self.duration = duration
        self.unit = unit
        self.progress = progress
        self.vectorized = vectorized
        self.gain = gain

    def __repr__(self) -> str:
        return f"function({_shown(self, function=part_name(self.function))})"

    @property
    def endless(self) -> bool:
        """Whether the phase has values without a length."""
        return not self.progress

    def scaled(self, factor: float) -> Self:
        """The same phase with all its values multiplied."""
        return self._with(gain=self.gain * factor)

    def ends(self, knot: Knot | None, clock: Clock, count: int | None) -> Knot:
        """The knot that the phase leaves to the next."""
        if count is None:
            return Knot(float("nan"))
        return Knot(float(self.at(np.array([count - 1]), count, knot, clock)[0]))

    def at(
        self, k: IntArray, count: int | IntArray | None, knot: Knot | None, clock: Clock
    ) -> FloatArray:
        """Values at the k-th updates (from 0) of the phase."""
        # After another phase, time 0 is that phase's last update.
        first = -1 if knot is not None and knot.reached else 0
        time: Any = k - first
        if self.progress and count is not None:
            time = time / np.maximum(np.subtract(count - 1, first), 1)
        if self.unit is not None:
            time = time / clock.exact(as_length(self.unit), "unit")
        if self.vectorized:
            values = self.function(time)
        else:
            each = (float(self.function(t)) for t in time.tolist())
            values = np.fromiter(each, np.float64, len(time))
        return self.gain * np.asarray(values, dtype=np.float64)


class Repeat(Made):
    """A cycle of phases, again and again.

    Each cycle continues from the end of the one before it, unless its first phase has
    a ``start``. Cycle c (from 0) lasts ``grow ** c`` times the first one, and its
    height above the cycle's end value is ``shrink ** c`` times the first one's.

    Args:
        phases: The cycle; every phase with a duration and a value of its own.
        duration: How long in all; None takes what the other phases leave of the run.
        grow: Growth of the length from cycle to cycle, at least 1.
        shrink: Factor on the height from cycle to cycle, or a function
            ``(cycle, update) -> factor`` of the cycle and of the update counted from
            the first one of the repeat.
    """

    endless = True

    def __init__(
        self,
        phases: tuple[Phase, ...],
        duration: Duration | Length | None = None,
        grow: float = 1.0,
        shrink: float | Callable[[IntArray, IntArray], Any] = 1.0,
    ) -> None:
        _check_duration(duration)
        if not phases or any(
            not isinstance(p, Phase)
            or p.duration is None
            or (p.to is None and p.start is None)
            for p in phases
        ):
            raise ValueError(
                "`repeat` needs phases that each have a duration and a value. "
                f"Received: {phases!r}."
            )
        if not 1 <= grow < np.inf:
            raise ValueError(
                f"`grow` must be finite and at least 1. Received: grow={grow!r}."
            )
        if not callable(shrink):
            check_value("shrink", shrink)
        self.phases = phases
        self.duration = duration
        self.grow = grow
        self.shrink = shrink

    def __repr__(self) -> str:
        return f"repeat({_shown(self, phases=', '.join(map(repr, self.phases)))})"

    def scaled(self, factor: float) -> Self:
        """The same cycles with all their values multiplied."""
        return self._with(phases=tuple(p.scaled(factor) for p in self.phases))

    def ends(self, knot: Knot | None, clock: Clock, count: int | None) -> Knot:
        """The knot that the cycles leave to the next phase."""
        if count is None:
            return Knot(float("nan"))
        return Knot(float(self.at(np.array([count - 1]), count, knot, clock)[0]))

    def at(
        self, k: IntArray, count: int | IntArray | None, knot: Knot | None, clock: Clock
    ) -> FloatArray:
        """Values at the k-th updates (from 0) of the repeat."""
        if not k.size:
            return np.empty(0)
        knots = self._knots(clock)
        cycle, inner, edges = self._locate(int(k.min()), int(k.max()), clock)
        index = np.searchsorted(edges, k, side="right") - 1
        counts = np.diff(edges)
        values = np.empty(k.shape)
        for i, phase in enumerate(self.phases):
            mine = inner[index] == i
            where = index[mine]
            values[mine] = phase.at(
                k[mine] - edges[where], counts[where], knots[i], clock
            )
        floor = knots[0].value
        return floor + (values - floor) * self._height(cycle[index], k)

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

    def _locate(
        self, first: int, last: int, clock: Clock
    ) -> tuple[IntArray, IntArray, IntArray]:
        """Cycle and number of each phase between two updates, and the joins."""
        exact = [clock.exact(as_length(p.duration)) for p in self.phases]
        length, width = sum(exact), len(self.phases)
        if min(exact) < 1:
            raise ValueError(
                "Each phase of a cycle must last at least one update. Received: "
                f"{min(exact):g} updates. Make the cycle longer."
            )
        if self.grow == 1:
            cycles = np.arange(int(first / length), int(last / length) + 2)
            starts = np.append(cycles, cycles[-1] + 1) * length
        else:
            begins = [0.0]
            while begins[-1] <= last + 1:
                begins.append(begins[-1] + length * self.grow ** (len(begins) - 1))
            starts = np.asarray(begins)
            cycles = np.arange(len(begins) - 1)
        inside = np.concatenate([[0.0], np.cumsum(exact)[:-1]])
        joins = starts[:-1, None] + np.outer(float(self.grow) ** cycles, inside)
        edges = np.floor(np.append(joins.ravel(), starts[-1]) + 0.5 + 1e-9)
        return (
            np.repeat(cycles, width),
            np.tile(np.arange(width), len(cycles)),
            edges.astype(np.int64),
        )


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
        points: tuple[tuple[Duration, float], ...],
        curve: str = "linear",
        duration: Duration | Length | None = None,
    ) -> None:
        for position, value in points:
            _position(position)
            check_value("values", value)
        self.points = points
        self.curve = curve
        self.duration = duration

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
        places = [_position(b) for b, _ in self.points]
        updates = np.array([0 if p is None else clock.updates(p) for p in places])
        values = np.array([v for _, v in self.points], dtype=np.float64)
        if np.any(np.diff(updates) <= 0):
            raise ValueError(
                "Positions must grow from point to point. Received: "
                f"{[b for b, _ in self.points]} (updates {updates.tolist()})."
            )
        if clock.total is not None and updates[-1] > clock.total:
            raise ValueError(
                f"Positions must lie within the run of {clock.total} updates. "
                f"Received: {self.points[-1][0]!r} (update {updates[-1]})."
            )
        if self.curve == "hold":
            index = np.searchsorted(updates, k, side="right") - 1
            return values[np.maximum(index, 0)]
        return np.interp(k, np.maximum(updates - 1, 0), values)


Part = Phase | FunctionPhase | Repeat | Points


def part_name(curve: Any) -> str:
    """What a curve or function is called in a representation."""
    return curve if isinstance(curve, str) else getattr(curve, "__name__", repr(curve))


def _shown(part: Part, **first: str) -> str:
    """Arguments of a part that are not its defaults, the first one as given."""
    shown = list(first.values())
    for name, argument in signature(type(part)).parameters.items():
        value = getattr(part, name)
        if name not in first and value != argument.default:
            shown.append(f"{name}={part_name(value) if callable(value) else value!r}")
    return ", ".join(shown)


def as_length(duration: Duration | Length | None) -> Length:
    """A duration, parsed."""
    if isinstance(duration, Length):
        return duration
    assert duration is not None  # noqa: S101  callers have checked
    return parse(duration)


def _position(position: Duration) -> Length | None:
    """A position is a duration from the start, or 0 for the start itself."""
    if not isinstance(position, str | bool) and position == 0:
        return None
    return parse(position, "position")


def _check_duration(duration: Duration | Length | None) -> None:
    if duration is not None and not isinstance(duration, Length):
        parse(duration)
