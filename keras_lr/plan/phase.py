"""``Phase``, the part that most schedules are made of, and what all parts share."""

from __future__ import annotations

import math
from collections.abc import Mapping
from inspect import signature
from typing import Any, NamedTuple, Protocol, Self

import numpy as np

from keras_lr.plan import curves
from keras_lr.plan.checks import check_callable, check_flag, check_rate, number
from keras_lr.plan.curves import Curve, FloatArray
from keras_lr.plan.duration import Argument, Clock, Duration, IntArray
from keras_lr.plan.plain import plain
from keras_lr.plan.words import received


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
                f"A phase cannot be changed. {received(**{name: value})} Make another."
            )
        super().__setattr__(name, plain(value))

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
        duration: Duration | Argument | None = None,
        to: float | None = None,
        start: float | None = None,
        endpoint: bool = True,
        curve: Curve = curves.linear,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        check_duration(duration)
        check_rate("to", to)
        check_rate("start", start)
        check_flag("endpoint", endpoint)
        check_callable("curve", curve)
        if options and curve in curves.CURVES.values():
            _check_options(curve, options)
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
        knot = knot or Knot(0.0)
        value = self.begins(knot) if self.to is None else self.to
        if count == 0:
            # No update has been there, unless one was before.
            return Knot(value, knot.reached and value == knot.value)
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
        way = np.maximum(np.asarray(last - first, dtype=np.float64), 1.0)
        progress = np.where(k >= last, 1.0, (k - first) / way)
        values = self.curve(start, end, progress, **self.options)
        values = np.where(progress >= 1.0, end, values)
        return np.where(progress <= 0.0, start, values)


def _check_options(curve: Curve, options: Mapping[str, Any]) -> None:
    """Raise unless one of our curves takes these options, and their values."""
    known = list(signature(curve).parameters)[3:]
    for name, value in options.items():
        if name not in known:
            raise TypeError(
                f"A {part_name(curve)} curve has no option `{name}`. "
                f"{received(**{name: value})} It has {', '.join(known) or 'none'}."
            )
        if not math.isfinite(number(name, value)):
            raise ValueError(f"`{name}` must be finite. {received(**{name: value})}")
    curve(1.0, 0.5, np.array([0.0, 1.0]), **options)


def part_name(curve: Any) -> str:
    """What a curve or function is called in a representation."""
    return curve if isinstance(curve, str) else getattr(curve, "__name__", repr(curve))


def arguments_shown(part: Made, **first: str) -> str:
    """Arguments of a part that are not its defaults, the first one as given."""
    shown = list(first.values())
    for name, argument in signature(type(part)).parameters.items():
        value = getattr(part, name)
        if name not in first and value != argument.default:
            shown.append(f"{name}={part_name(value) if callable(value) else value!r}")
    return ", ".join(shown)


class HasValues(Protocol):
    """A part whose values are found update by update."""

    def at(
        self, k: IntArray, count: int | IntArray | None, knot: Knot | None, clock: Clock
    ) -> FloatArray:
        """Values at some updates of it."""


def last_knot(
    part: HasValues, knot: Knot | None, clock: Clock, count: int | None
) -> Knot:
    """The knot that a part leaves whose last value is known by no other way.

    Args:
        part: The part.
        knot: The one that it begins from.
        clock: The run.
        count: Its updates; None where it has no end, and nothing comes behind it.
    """
    if count is None:
        return Knot(float("nan"))
    return Knot(float(part.at(np.array([count - 1]), count, knot, clock)[0]))


def as_argument(
    duration: Duration | Argument | None, name: str = "duration"
) -> Argument:
    """A duration, parsed, with the name that messages call it by."""
    if isinstance(duration, Argument):
        return duration
    assert duration is not None  # noqa: S101  callers have checked
    return Argument.read(name, duration)


def check_duration(
    duration: Duration | Argument | None, name: str = "duration"
) -> None:
    """Raise unless a duration is None, or one that can be read."""
    if duration is not None:
        as_argument(duration, name)
