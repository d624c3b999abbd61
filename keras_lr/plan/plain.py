"""Arguments as plain Python values, which every config file can hold."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from typing import Any

import numpy as np


def plain(value: Any) -> Any:
    """Numbers of other packages as ints and floats, their arrays and lists as lists.

    Whatever is no number, sequence or mapping stays what it is.

    Example:
        >>> import numpy as np
        >>> plain([np.float32(0.5), np.int64(3), "5%"])
        [0.5, 3, '5%']
        >>> plain(np.array([1.0, 0.5]))
        [1.0, 0.5]
    """
    if value is None or type(value) in (bool, int, float, str) or callable(value):
        return value
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    if isinstance(value, Mapping):
        return {key: plain(value[key]) for key in value}
    if type(value) in (tuple, list):
        return type(value)(map(plain, value))
    number = _number(value)
    if number is not None:
        return number
    # Such as the lists of configuration tools.
    if hasattr(value, "__len__") and hasattr(value, "__getitem__"):
        return value if isinstance(value, str | bytes) else list(map(plain, value))
    return value


def _number(value: Any) -> int | float | None:
    """The value as a Python number, if it can be one."""
    for kind in (operator.index, float):
        if hasattr(value, "__float__"):
            try:
                return kind(value)
            except (TypeError, ValueError, OverflowError):
                continue
    return None
