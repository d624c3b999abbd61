"""What all presets share."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from functools import cache
from typing import Any, TypeVar, dataclass_transform, get_type_hints

from keras_lr.plan.checks import check_rate
from keras_lr.plan.course import Course
from keras_lr.plan.duration import Duration, Length, parse
from keras_lr.schedule import Schedule, registered

T = TypeVar("T", bound=type)


@dataclass_transform(eq_default=False)
def preset(cls: T) -> T:
    """Make a class a dataclass of its arguments, which Keras can save."""
    made: T = registered(dataclass(repr=False, eq=False)(cls))
    return made


@cache
def durations_of(cls: Any) -> dict[str, bool]:
    """The fields of a preset that are durations, and whether None is one of them.

    An annotation says it: ``Duration``, or ``Duration | None``.
    """
    hints = get_type_hints(cls)
    return {
        name: hint == Duration | None
        for name, hint in hints.items()
        if hint in (Duration, Duration | None)
    }


@preset
class Preset(Schedule):
    """A schedule with a name: its arguments are fields, its phases follow from them.

    A field that is annotated as a duration is checked as one. The floor, where there is
    one, is the field ``min_lr``; a factor before the first update the field ``start``.
    """

    _: KW_ONLY
    max_lr: float | None = None
    horizon: Duration | None = None
    hyperparameter: str = "learning_rate"

    def __post_init__(self) -> None:
        cls: Any = type(self)
        for name, may_be_none in durations_of(cls).items():
            value = getattr(self, name)
            if value is not None or not may_be_none:
                parse(value, name)
        check_rate("min_lr", self._min_lr)
        check_rate("start", self._start)
        self._prepare()
        if self.max_lr is not None:
            self._floor(self.max_lr)

    def _courses(self) -> list[Course]:
        return [
            Course(
                self.hyperparameter,
                self.max_lr,
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
