"""Checks of numbers, each raised where the value enters."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from keras_lr.plan.curves import FloatArray
from keras_lr.plan.duration import IntArray
from keras_lr.plan.words import received


def number(name: str, value: Any) -> float:
    """The value as a float; TypeError if it is no number."""
    if isinstance(value, str | bytes):
        raise TypeError(
            f"`{name}` must be a number, not text. {received(**{name: value})} Write "
            "it without quotes; in YAML with a point, as 1.0e-3; or convert it with "
            "float(...)."
        )
    if not isinstance(value, bool | np.bool_) and hasattr(value, "__float__"):
        try:
            return float(value)
        except TypeError:
            pass
        except OverflowError:
            return math.inf
    raise TypeError(f"`{name}` must be a number. {received(**{name: value})}")


def check_rate(name: str, rate: float | None, *, above: float | None = None) -> None:
    """Raise unless a rate is None, or finite and not negative (or above a bound)."""
    if rate is not None:
        check_value(name, rate, above=above)


def check_value(name: str, value: float, *, above: float | None = None) -> None:
    """Raise unless a value is finite and not negative (or above a bound)."""
    size = number(name, value)
    if not math.isfinite(size) or size < 0 or (above is not None and size <= above):
        rule = "not negative" if above is None else f"above {above:g}"
        raise ValueError(
            f"`{name}` must be finite and {rule}. {received(**{name: value})}"
        )


def check_at_least(name: str, value: float, least: float) -> None:
    """Raise unless a value is finite and not below a bound."""
    size = number(name, value)
    if not math.isfinite(size) or size < least:
        finite = "" if math.isfinite(size) else "finite and "
        raise ValueError(
            f"`{name}` must be {finite}at least {least:g}. {received(**{name: value})}"
        )


def check_int(name: str, value: Any) -> None:
    """Raise unless a value is a whole number, in whatever type."""
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(f"`{name}` must be an int. {received(**{name: value})}")


def check_fraction(name: str, value: float) -> None:
    """Raise unless a value lies in (0, 1]."""
    check_value(name, value)
    if not 0 < value <= 1:
        raise ValueError(f"`{name}` must lie in (0, 1]. {received(**{name: value})}")


def check_flag(name: str, value: Any) -> None:
    """Raise unless a value is True or False."""
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"`{name}` must be True or False. {received(**{name: value})}")


def check_callable(name: str, value: Any) -> None:
    """Raise unless a value can be called."""
    if not callable(value):
        raise TypeError(f"`{name}` must be callable. {received(**{name: value})}")


def check_choice(name: str, value: str, choices: Sequence[str]) -> None:
    """Raise unless a value is one of the choices."""
    if not isinstance(value, str) or value not in choices:
        raise ValueError(
            f"`{name}` must be one of {', '.join(map(repr, choices))}. "
            f"{received(**{name: value})}"
        )


def check_sequence(name: str, value: Any) -> None:
    """Raise unless a value is a list or tuple, as others have been made plain."""
    if not isinstance(value, list | tuple):
        raise TypeError(f"`{name}` must be a sequence. {received(**{name: value})}")


def check_mapping(name: str, value: Any) -> None:
    """Raise unless a value is a mapping."""
    if not isinstance(value, Mapping):
        raise TypeError(f"`{name}` must be a mapping. {received(**{name: value})}")


def check_values(name: str, values: FloatArray, updates: IntArray) -> None:
    """Raise unless a hyperparameter is finite and not negative at every update."""
    # Not so where any is NaN.
    fine = not len(values) or (values.min() >= 0 and values.max() < np.inf)
    if not fine:
        at = int(np.argmin(np.isfinite(values) & (values >= 0)))
        raise ValueError(
            f"The {name} must be finite and not negative at every update. "
            f"Received: {values[at]:g} at update {updates[at]}."
        )


def check_finite(name: str, values: FloatArray, updates: IntArray) -> None:
    """Raise unless a hyperparameter is finite at every update."""
    if not np.isfinite(values).all():
        at = int(np.argmin(np.isfinite(values)))
        raise ValueError(
            f"The {name} must be finite at every update. "
            f"Received: {values[at]:g} at update {updates[at]}."
        )


def check_momentum(values: FloatArray, updates: IntArray) -> None:
    """Raise where a momentum would never forget."""
    if len(values) and values.max() >= 1:
        at = int(np.argmax(values >= 1))
        raise ValueError(
            "The momentum must be below 1 at every update. "
            f"Received: {values[at]:g} at update {updates[at]}."
        )
