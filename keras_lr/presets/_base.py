"""What all presets share."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple, Unpack, get_type_hints

from keras_lr.arguments import Common, Peak
from keras_lr.plan import curves
from keras_lr.plan.checks import check_rate, check_value
from keras_lr.plan.course import Course
from keras_lr.plan.curves import Curve
from keras_lr.plan.duration import (
    FAR,
    Argument,
    Clock,
    Duration,
    DurationOrZero,
    parse,
)
from keras_lr.plan.parts import Part
from keras_lr.plan.phase import Phase
from keras_lr.plan.words import naming
from keras_lr.schedule import Schedule


class Kind(NamedTuple):
    """What a duration may be besides one."""

    may_be_none: bool
    may_be_zero: bool


@cache
def durations_of(cls: Any) -> dict[str, Kind]:
    """The arguments of a preset that are durations.

    An annotation says it: ``Duration`` or ``DurationOrZero``, or one of them or None.
    """
    kinds: dict[Any, Kind] = {
        Duration: Kind(False, False),
        Duration | None: Kind(True, False),
        DurationOrZero: Kind(False, True),
        DurationOrZero | None: Kind(True, True),
    }
    hints: dict[str, Any] = {}
    for ancestor in reversed(cls.__mro__):
        if issubclass(ancestor, Preset) and "__init__" in vars(ancestor):
            constructor = vars(ancestor)["__init__"]
            hints.update(get_type_hints(constructor, include_extras=True))
    return {
        name: kinds[hint]
        for name, hint in hints.items()
        if any(hint == known for known in kinds)
    }


class Preset(Schedule):
    """A schedule with a name: its phases follow from its arguments.

    Its constructor keeps each argument as an attribute of the same name, then calls
    this one. An argument that is annotated as a duration is checked as one. The floor,
    where there is one, is ``min_lr``; a factor before the first update ``start``.
    """

    # Presets are no data classes: configuration tools take those for schemas.
    def __init__(self, max_lr: Peak, **common: Unpack[Common]) -> None:
        self.max_lr = max_lr
        with naming(type(self).__name__):
            self._prepare(common)
            self._check()

    def _check(self) -> None:
        """Check the arguments; a preset adds what it knows of its own."""
        cls: Any = type(self)
        for name, kind in durations_of(cls).items():
            value = getattr(self, name)
            if value is not None or not kind.may_be_none:
                parse(value, name, may_be_zero=kind.may_be_zero)
        check_rate("min_lr", self._min_lr)
        check_value("start", self._start)
        for _, single in self._singles():
            if single._peak is not None:
                self._floor(single._peak)

    def _courses(self) -> list[Course]:
        return [
            Course(
                self.hyperparameter,
                self._peak,
                self._parts,
                self._start,
                floor=self._min_lr,
                owner=self,
            )
        ]

    @property
    def _min_lr(self) -> float | None:
        """The floor as the user gave it."""
        return getattr(self, "min_lr", None)

    @property
    def _start(self) -> float:
        """The factor before the first update."""
        return getattr(self, "start", 0.0)

    def _warmup_updates(self, run: Clock) -> int:
        """How long it warms up: its ``warmup``, if it has one.

        Args:
            run: The run of the fit. Where an epoch's length is not known yet, it is in
                the first one, which any warmup by epochs takes up.
        """
        warmup = self._argument("warmup")
        if warmup is None:
            return 0
        try:
            return self._clock(run).updates(warmup)
        except ValueError:
            return FAR

    def _argument(self, name: str) -> Argument | None:
        """The duration of this name; None if it is None, 0, or not there."""
        value = getattr(self, name, None)
        if value is None:
            return None
        argument = Argument.read(name, value, may_be_zero=True)
        return argument if argument.length.amount else None

    def _rise(self, peak: float, curve: Curve = curves.linear) -> list[Phase]:
        """The warmup, unless there is none."""
        warmup = self._argument("warmup")
        return [] if warmup is None else [Phase(warmup, to=peak, curve=curve)]

    def _fall(self, peak: float, end: float, curve: Curve, **options: float) -> Part:
        """The way down in ``decay``, or in what is left; with 0 the peak for good.

        It begins at the peak: at the last update of a warmup, or else at its first.
        """
        decay = self._argument("decay")
        if decay is None and getattr(self, "decay", None) is not None:
            return Phase(to=peak, start=peak, curve=curves.constant)
        start = peak if self._argument("warmup") is None else None
        return Phase(decay, to=end, start=start, curve=curve, options=options)

    def _floor(self, peak: float) -> float:
        """The floor, which must not lie above the peak."""
        floor = float(self._min_lr or 0.0)
        if floor > peak:
            raise ValueError(
                f"`min_lr` must not exceed the peak rate (={peak:g}). "
                f"Received: min_lr={floor:g}."
            )
        return floor
