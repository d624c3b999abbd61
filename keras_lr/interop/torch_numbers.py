"""What torch's schedulers share: what arguments may be, and powers."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_lr.plan.checks import check_at_least
from keras_lr.plan.curves import FloatArray
from keras_lr.plan.duration import IntArray
from keras_lr.plan.words import received


def whole(name: str, value: Any, least: int) -> int:
    """A whole number of steps, also where it is written as a float."""
    check_at_least(name, value, least)
    if value != int(value):
        raise ValueError(
            f"`{name}` must be whole: torch compares it with the step, and never meets "
            f"another. {received(**{name: value})}"
        )
    return int(value)


def one(name: str, value: Any) -> Any:
    """What is given for the one group of parameters, also as a list."""
    if not isinstance(value, list | tuple):
        return value
    if len(value) != 1:
        raise ValueError(
            f"`{name}` must be one for all: groups of parameters have a schedule each, "
            f"with `optimizer=` naming theirs. {received(**{name: value})}"
        )
    return value[0]


def check_start(last_epoch: Any) -> None:
    """Raise unless a schedule begins at its first step."""
    if last_epoch != -1:
        raise ValueError(
            "`last_epoch` must be -1: a schedule holds for the whole run. "
            f"{received(last_epoch=last_epoch)} A fit that goes on is given "
            "`initial_epoch`."
        )


def power(rate: float, exponent: IntArray) -> FloatArray:
    """A power, which may become too small for a number, or too large."""
    with np.errstate(over="ignore", under="ignore", divide="ignore"):
        powers: FloatArray = rate ** exponent.astype(np.float64)
    return powers
