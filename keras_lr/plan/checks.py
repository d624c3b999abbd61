"""Checks of numbers, each raised where the value enters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_lr.plan.curves import FloatArray
from keras_lr.plan.duration import IntArray


def check_rate(name: str, rate: float | None, *, above: float | None = None) -> None:
    """Raise unless a rate is None, or finite and not negative (or above a bound)."""
    if rate is None:
        return
    if isinstance(rate, bool) or not hasattr(rate, "__float__"):
        raise TypeError(f"`{name}` must be a number. Received: {name}={rate!r}.")
    number = float(rate)
    if (
        not math.isfinite(number)
        or number < 0
        or (above is not None and number <= above)
    ):
        rule = "not negative" if above is None else f"above {above:g}"
        raise ValueError(
            f"`{name}` must be finite and {rule}. Received: {name}={rate!r}."
        )


def check_value(name: str, value: float | None) -> None:
    """Raise unless a phase's value is None, or finite and not negative."""
    if value is None:
        return
    received = f"Received: {name}={value!r}."
    if isinstance(value, str | bytes) or not hasattr(value, "__float__"):
        raise TypeError(f"`{name}` must be a number. {received}")
    if not (math.isfinite(float(value)) and value >= 0):
        raise ValueError(f"`{name}` must be finite and not negative. {received}")


def check_callable(name: str, value: Any) -> None:
    """Raise unless a value can be called."""
    if not callable(value):
        raise TypeError(f"`{name}` must be callable. Received: {name}={value!r}.")


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


def check_momentum(values: FloatArray, updates: IntArray) -> None:
    """Raise where a momentum would never forget."""
    if values.max() >= 1:
        at = int(np.argmax(values >= 1))
        raise ValueError(
            "The momentum must be below 1 at every update. "
            f"Received: {values[at]:g} at update {updates[at]}."
        )
