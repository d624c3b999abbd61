"""What all presets share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, fields
from typing import TypeVar, dataclass_transform

from keras_lr.duration import Duration, Length, parse
from keras_lr.schedule import Schedule, check_rate, registered

T = TypeVar("T", bound=type)

DURATIONS = (
    "warmup",
    "decay",
    "every",
    "first_cycle",
    "half_cycle",
    "half_cycle_down",
    "timescale",
)


@dataclass_transform(eq_default=False)
def preset(cls: T) -> T:
    """Make a class a dataclass of its arguments, which Keras can save."""
    made: T = registered(dataclass(repr=False, eq=False)(cls))
    return made


@preset
class Preset(Schedule):
    """A schedule with a name: its arguments are fields, its phases follow from them."""

    _: KW_ONLY
    max_lr: float | None = None
    horizon: Duration | None = None
    hyperparameter: str = "learning_rate"

    def __post_init__(self) -> None:
        for item in fields(self):
            # None is a duration only where it is the default.
            if item.name in DURATIONS and not (
                item.default is None and getattr(self, item.name) is None
            ):
                parse(getattr(self, item.name), item.name)
        check_rate("min_lr", getattr(self, "min_lr", None))
        self._prepare()
        if self.max_lr is not None:
            self._floor(self.max_lr)

    def _length(self, name: str) -> Length | None:
        """The argument of this name, if it is there, as a parsed duration."""
        value = getattr(self, name, None)
        return None if value is None else parse(value, name)

    def _floor(self, peak: float) -> float:
        """The floor, which must not lie above the peak."""
        floor = float(getattr(self, "min_lr", None) or 0.0)
        if floor > peak:
            raise ValueError(
                f"`min_lr` must not exceed the peak rate (={peak:g}). "
                f"Received: min_lr={floor:g}."
            )
        return floor


def check_choice(name: str, value: str, choices: Sequence[str]) -> None:
    """Raise unless a value is one of the choices."""
    if value not in choices:
        raise ValueError(
            f"`{name}` must be one of {', '.join(map(repr, choices))}. "
            f"Received: {name}={value!r}."
        )


def check_fraction(name: str, value: float) -> None:
    """Raise unless a value lies in (0, 1]."""
    check_rate(name, value)
    if not 0 < value <= 1:
        raise ValueError(f"`{name}` must lie in (0, 1]. Received: {name}={value!r}.")
