"""Phases: curves laid end to end over a run, so that every join is exact.

The conventions, once for all (``docs/conventions.md`` has them as a picture):

* Updates count from 0. A run of T updates has the updates 0 .. T-1.
* A phase of n updates is at exactly its end value at its last update.
* A phase that continues from the one before it moves at once: its k-th update
  (k = 1 .. n) is at progress k / n. So a warmup from zero never spends an update at
  zero, and the peak is held for no extra update.
* A phase with a ``start`` of its own, and no other, begins exactly there: its k-th
  update is at progress (k - 1) / (n - 1).
* ``endpoint=False`` stops one update short of the end value, as NumPy's ``linspace``
  does: the k-th update is at progress (k - 1) / n, and the next phase begins at the
  value that was left out. This is how torch, Keras, optax and transformers count.
* Past its end, a schedule holds its last value.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from keras_lr import curves
from keras_lr.curves import Curve, FloatArray
from keras_lr.duration import Clock, Duration, Length, parse

IntArray = NDArray[np.int64]


class Knot(NamedTuple):
    """Where a phase takes over: the value, and whether an update has been there."""

    value: float
    reached: bool = True


@dataclass(frozen=True)
class Phase:
    """One curve from the value before it, or from its own start, to an end value.

    Args:
        duration: How long; None takes what the other phases leave of the run.
        to: Value at the last update; None holds the value the phase begins with.
        start: Value at the first update; None continues from the phase before.
        endpoint: Whether the last update is at ``to`` (the default) or one short of it.
        curve: A function ``(start, end, progress) -> values``.
        options: Further keyword arguments of the curve.
    """

    duration: Duration | Length | None = None
    to: float | None = None
    start: float | None = None
    endpoint: bool = True
    curve: Curve = curves.linear
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check_duration(self.duration)
        _check_value("to", self.to)
        _check_value("start", self.start)
        _check_callable("curve", self.curve)

    def __repr__(self) -> str:
        shown = [] if self.duration is None else [repr(self.duration)]
        for name in ("to", "start"):
            if getattr(self, name) is not None:
                shown.append(f"{name}={getattr(self, name)!r}")
        shown += [f"{name}={value!r}" for name, value in self.options.items()]
        if not self.endpoint:
            shown.append("endpoint=False")
        return f"{_name(self.curve)}({', '.join(shown)})"

    @property
    def endless(self) -> bool:
        """Whether the phase has values without a length."""
        return self.to is None or self.to == self.start

    def scaled(self, factor: float) -> Self:
        """The same phase with all its values multiplied."""
        return replace(
            self,
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
        progress = np.where(
            k >= last, 1.0, (k - first) / np.maximum(np.subtract(last, first), 1)
        )
        values = self.curve(start, end, progress, **self.options)
        values = np.where(progress >= 1.0, end, values)
        return np.where(progress <= 0.0, start, values)


@dataclass(frozen=True)
class FunctionPhase:
    """Values given by a function of the time since the phase began.

    Args:
        function: Receives the time in units of ``unit`` and returns the value.
        duration: How long; None takes what the other phases leave of the run.
        unit: A duration that counts as time 1; None means one update.
        progress: Whether the function receives progress in [0, 1] instead.
        vectorized: Whether the function takes whole arrays.
        gain: Factor on the values.
    """

    function: Callable[[Any], Any]
    duration: Duration | Length | None = None
    unit: Duration | Length | None = None
    progress: bool = False
    vectorized: bool = False
    gain: float = 1.0

    def __post_init__(self) -> None:
        _check_duration(self.duration)
        _check_duration(self.unit)
        _check_callable("function", self.function)

    def __repr__(self) -> str:
        return f"function({_shown(self, function=_name(self.function))})"

    @property
    def endless(self) -> bool:
        """Whether the phase has values without a length."""
        return not self.progress

    def scaled(self, factor: float) -> Self:
        """The same phase with all its values multiplied."""
        return replace(self, gain=self.gain * factor)

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
            time = time / clock.exact(_length(self.unit), "unit")
        if self.vectorized:
            values = self.function(time)
        else:
            values = [float(self.function(t)) for t in time.tolist()]
        return self.gain * np.asarray(values, dtype=np.float64)


@dataclass(frozen=True)
class Repeat:
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

    phases: tuple[Phase, ...]
    duration: Duration | Length | None = None
    grow: float = 1.0
    shrink: float | Callable[[IntArray, IntArray], Any] = 1.0
    endless = True

    def __post_init__(self) -> None:
        _check_duration(self.duration)
        if not self.phases or any(
            not isinstance(p, Phase)
            or p.duration is None
            or (p.to is None and p.start is None)
            for p in self.phases
        ):
            raise ValueError(
                "`repeat` needs phases that each have a duration and a value. "
                f"Received: {self.phases!r}."
            )
        if not 1 <= self.grow < np.inf:
            raise ValueError(
                f"`grow` must be finite and at least 1. Received: grow={self.grow!r}."
            )
        if not callable(self.shrink):
            _check_value("shrink", self.shrink)

    def __repr__(self) -> str:
        return f"repeat({_shown(self, phases=', '.join(map(repr, self.phases)))})"

    def scaled(self, factor: float) -> Self:
        """The same cycles with all their values multiplied."""
        return replace(self, phases=tuple(p.scaled(factor) for p in self.phases))

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
        exact = [clock.exact(_length(p.duration)) for p in self.phases]
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


@dataclass(frozen=True)
class Points:
    """Values given at points of the run, held or joined by straight lines.

    Args:
        points: Pairs of a position (a duration from the start of the phase, or 0) and a
            value, in order.
        curve: ``"linear"`` joins the values: the value of position b is reached at the
            last of the first b updates. ``"hold"`` keeps each value until the next
            position: update b is the first with the new one.
        duration: How long; None takes what the other phases leave of the run.
    """

    points: tuple[tuple[Duration, float], ...]
    curve: str = "linear"
    duration: Duration | Length | None = None
    endless = True

    def __post_init__(self) -> None:
        for position, value in self.points:
            _position(position)
            _check_value("values", value)

    def scaled(self, factor: float) -> Self:
        """The same points with all their values multiplied."""
        return replace(self, points=tuple((b, v * factor) for b, v in self.points))

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


class Placed(NamedTuple):
    """A part at its place in the run."""

    part: Part
    first: int
    length: int | None
    knot: Knot | None


def place(parts: Sequence[Part], clock: Clock, start: float = 0.0) -> list[Placed]:
    """Lay parts end to end over a run.

    Args:
        parts: In order; at most one without a duration, which takes the rest.
        clock: Length of the run and of its epochs, as far as known.
        start: The value before the first update, for a first phase that continues.

    Returns:
        The parts with their first update and their length.

    Raises:
        ValueError: If two parts have no duration, if they do not fit into the run, or
            if a length is needed that is not known.
    """
    fixed = [_length(p.duration) for p in parts if p.duration is not None]
    if len(parts) - len(fixed) > 1:
        raise ValueError(
            "Only one phase can be left without a duration, to take the rest of the "
            f"run. Received: {len(parts) - len(fixed)} of them."
        )
    counts = iter(clock.split(fixed))
    rest = _rest(parts, fixed, clock)
    placed: list[Placed] = []
    first, knot = 0, None
    for part in parts:
        count = rest if part.duration is None else next(counts)
        # A first Phase continues from `start`; a first function begins at its time 0.
        if knot is None and isinstance(part, Phase):
            knot = Knot(start)
        placed.append(Placed(part, first, count, knot))
        # What gets no update leaves the value as it is; an empty hold still sets it.
        if count != 0 or isinstance(part, Phase):
            knot = part.ends(knot, clock, count)
        first += count or 0
    return placed


def _rest(parts: Sequence[Part], fixed: list[Length], clock: Clock) -> int | None:
    """Updates left for the part without a duration; None if it needs no end."""
    taken = sum(clock.split(fixed))
    opens = [p for p in parts if p.duration is None]
    total = clock.total
    if total is not None and taken + (bool(opens) and not opens[0].endless) > total:
        more = " and one of them takes the rest" if opens else ""
        raise ValueError(
            f"The phases must fit into the run of {total} updates. Received: phases "
            f"that take {taken} updates{more}. Shorten them or train for longer."
        )
    if not opens:
        return None
    if total is not None:
        return total - taken
    if opens[0] is parts[-1] and opens[0].endless:
        return None
    raise ValueError(
        "The schedule takes the rest of the run, whose length is not known: the data "
        "set does not tell its size. Give `steps_per_epoch=` to fit, or `horizon=` to "
        "the schedule."
    )


def span(placed: Sequence[Placed]) -> int | None:
    """Updates after which the value stays as it is; None if it never does."""
    last = placed[-1]
    if last.length is not None and not (
        isinstance(last.part, Phase) and last.part.endless
    ):
        return last.first + last.length
    return None


def evaluate(placed: Sequence[Placed], updates: IntArray, clock: Clock) -> FloatArray:
    """Values at some updates, in float64.

    Args:
        placed: What :func:`place` returned.
        updates: Updates counted from 0, in any order, any size.
        clock: The clock that the parts were placed with.

    Returns:
        One value an update; past the end the last one.

    Example:
        >>> clock = Clock(total=4)
        >>> evaluate(place([linear(2), linear(to=0.0)], clock), np.arange(5), clock)
        array([0.5, 1. , 0.5, 0. , 0. ])
    """
    values = np.full(updates.shape, np.nan)
    last = len(placed) - 1
    for i, (part, first, count, knot) in enumerate(placed):
        if count == 0:
            continue
        inside = updates >= first
        k = updates[inside] - first
        if count is not None:
            k = np.minimum(k, count - 1)
        if i < last or k.size:
            values[inside] = part.at(k, count, knot, clock)
    return values


def to_config(part: Part) -> dict[str, Any]:
    """A part as plain data; a function of one's own stays as it is."""
    config: dict[str, Any] = {"part": type(part).__name__}
    for item in fields(part):
        value = getattr(part, item.name)
        if item.name == "phases":
            value = [to_config(phase) for phase in value]
        elif item.name == "curve" and getattr(curves, _name(value), None) is value:
            value = _name(value)
        elif isinstance(value, Mapping):
            value = dict(value)
        config[item.name] = value
    return config


def from_config(config: Mapping[str, Any]) -> Part:
    """The part that :func:`to_config` described."""
    kinds = {kind.__name__: kind for kind in (Phase, FunctionPhase, Repeat, Points)}
    values = dict(config)
    kind = kinds[values.pop("part")]
    if kind is Phase and isinstance(values["curve"], str):
        values["curve"] = getattr(curves, values["curve"])
    if kind is Repeat:
        values["phases"] = tuple(from_config(phase) for phase in values["phases"])
    if kind is Points:
        values["points"] = tuple((b, v) for b, v in values["points"])
    part: Part = kind(**values)
    return part


def _name(curve: Any) -> str:
    return curve if isinstance(curve, str) else getattr(curve, "__name__", repr(curve))


def _shown(part: Part, **first: str) -> str:
    """Arguments of a part that are not its defaults, the first one as given."""
    shown = list(first.values())
    for item in fields(part):
        value = getattr(part, item.name)
        if item.name not in first and value != item.default:
            shown.append(f"{item.name}={_name(value) if callable(value) else value!r}")
    return ", ".join(shown)


def hold(duration: Duration | None = None, value: float | None = None) -> Phase:
    """Stay at a value, or at the end value of the phase before.

    Args:
        duration: How long; None takes the rest of the run.
        value: The value; None keeps the one reached.

    Example:
        >>> clock = Clock(total=3)
        >>> evaluate(place([linear(1), hold()], clock), np.arange(3), clock)
        array([1., 1., 1.])
    """
    return Phase(duration, to=value, start=value, curve=curves.constant)


def _shaped(curve: Curve) -> Callable[..., Phase]:
    signature = inspect.signature(curve)

    def phase(
        duration: Duration | None = None,
        to: float = 1.0,
        start: float | None = None,
        *,
        endpoint: bool = True,
        **options: float,
    ) -> Phase:
        signature.bind(0.0, 0.0, 0.0, **options)
        return Phase(duration, to, start, endpoint, curve, options)

    phase.__name__ = phase.__qualname__ = curve.__name__
    phase.__doc__ = f"""Phase along :func:`keras_lr.curves.{curve.__name__}`.

    Args:
        duration: How long; None takes what the other phases leave of the run.
        to: Value at the last update.
        start: Value at the first update; None continues from the phase before.
        endpoint: Whether the last update is at ``to``, or one short of it.
        **options: Further arguments of the curve.

    Returns:
        The phase.
    """
    return phase


linear = _shaped(curves.linear)
cosine = _shaped(curves.cosine)
polynomial = _shaped(curves.polynomial)
exponential = _shaped(curves.exponential)
inverse_time = _shaped(curves.inverse_time)
inverse_sqrt = _shaped(curves.inverse_sqrt)
one_minus_sqrt = _shaped(curves.one_minus_sqrt)
one_minus_square = _shaped(curves.one_minus_square)
rex = _shaped(curves.rex)
tanh = _shaped(curves.tanh)
k_decay = _shaped(curves.k_decay)


def curve(
    function: Curve,
    duration: Duration | None = None,
    to: float = 1.0,
    start: float | None = None,
    *,
    endpoint: bool = True,
) -> Phase:
    """Phase along one's own curve.

    Args:
        function: ``(start, end, progress) -> values``, of arrays.
        duration: How long; None takes what the other phases leave of the run.
        to: Value at the last update.
        start: Value at the first update; None continues from the phase before.
        endpoint: Whether the last update is at ``to``, or one short of it.

    Example:
        >>> root = curve(lambda s, e, p: s + (e - s) * p**0.5, 4)
        >>> clock = Clock(total=4)
        >>> evaluate(place([root], clock), np.arange(4), clock).round(3)
        array([0.5  , 0.707, 0.866, 1.   ])
    """
    return Phase(duration, to, start, endpoint, function)


def function(
    function: Callable[[Any], Any],
    duration: Duration | None = None,
    unit: Duration | None = None,
) -> FunctionPhase:
    """Phase along one's own function of the time since it began.

    Args:
        function: Receives a number, returns the value.
        duration: How long; None takes what the other phases leave of the run.
        unit: A duration that counts as time 1; None means one update.

    Example:
        >>> halving = function(lambda t: 0.5**t, unit=2)
        >>> clock = Clock(total=5)
        >>> evaluate(place([halving], clock), np.array([0, 2, 4]), clock)
        array([1.  , 0.5 , 0.25])
    """
    return FunctionPhase(function, duration, unit)


def repeat(
    *phases: Phase,
    duration: Duration | None = None,
    grow: float = 1.0,
    shrink: float = 1.0,
) -> Repeat:
    """A cycle of phases, again and again.

    Args:
        *phases: The cycle; each with a duration and a value.
        duration: How long in all; None takes what the other phases leave of the run.
        grow: Growth of the length from cycle to cycle, at least 1.
        shrink: Factor on the height above the cycle's end value, from cycle to cycle.

    Example:
        >>> saw = repeat(linear(2, to=0.0, start=1.0), shrink=0.5)
        >>> clock = Clock(total=6)
        >>> evaluate(place([saw], clock), np.arange(6), clock)
        array([1.  , 0.  , 0.5 , 0.  , 0.25, 0.  ])
    """
    return Repeat(phases, duration, grow, shrink)


def _length(duration: Duration | Length | None) -> Length:
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


def _check_value(name: str, value: float | None) -> None:
    if value is None:
        return
    received = f"Received: {name}={value!r}."
    if isinstance(value, str | bytes) or not hasattr(value, "__float__"):
        raise TypeError(f"`{name}` must be a number. {received}")
    if not (np.isfinite(float(value)) and value >= 0):
        raise ValueError(f"`{name}` must be finite and not negative. {received}")


def _check_callable(name: str, value: Any) -> None:
    if not callable(value):
        raise TypeError(f"`{name}` must be callable. Received: {name}={value!r}.")
