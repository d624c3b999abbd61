"""What all presets share."""

from __future__ import annotations

from functools import cache
from typing import Any, Unpack, get_type_hints

from keras_lr.arguments import Common, Peak
from keras_lr.plan.checks import check_rate
from keras_lr.plan.course import Course
from keras_lr.plan.duration import Duration, Length, parse
from keras_lr.schedule import Schedule


@cache
def durations_of(cls: Any) -> dict[str, bool]:
    """The arguments of a preset that are durations, and whether None is one of them.

    An annotation says it: ``Duration``, or ``Duration | None``.
    """
    hints: dict[str, Any] = {}
    for ancestor in reversed(cls.__mro__):
        if issubclass(ancestor, Preset) and "__init__" in vars(ancestor):
            hints.update(get_type_hints(vars(ancestor)["__init__"]))
    return {
        name: hint == Duration | None
        for name, hint in hints.items()
        if hint in (Duration, Duration | None)
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
        self._prepare(common)
        self._check()

    def _check(self) -> None:
        """Check the arguments; a preset adds what it knows of its own."""
        cls: Any = type(self)
        for name, may_be_none in durations_of(cls).items():
            value = getattr(self, name)
            if value is not None or not may_be_none:
                parse(value, name)
        check_rate("min_lr", self._min_lr)
        check_rate("start", self._start)
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

    def _length(self, name: str) -> Length | None:
        """The argument of this name, if it is there, as a parsed duration."""
        value = getattr(self, name, None)
        return None if value is None else parse(value, name)

    def _floor(self, peak: float) -> float:
        """The floor, which must not lie above the peak."""
        floor = float(self._min_lr or 0.0)
        if floor > peak:
            raise ValueError(
                f"`min_lr` must not exceed the peak rate (={peak:g}). "
                f"Received: min_lr={floor:g}."
            )
        return floor
