"""The curves that phases follow: functions ``(start, end, progress) -> values``.

Each is a pure function of arrays, exact at both ends; :mod:`keras_lr.phases` makes
phases of them, and :func:`keras_lr.phases.curve` one of a function of your own.
"""

from keras_lr.plan.curves import (
    constant,
    cosine,
    exponential,
    inverse_sqrt,
    inverse_time,
    k_decay,
    linear,
    one_minus_sqrt,
    one_minus_square,
    polynomial,
    rex,
    tanh,
)

__all__ = [
    "constant",
    "cosine",
    "exponential",
    "inverse_sqrt",
    "inverse_time",
    "k_decay",
    "linear",
    "one_minus_sqrt",
    "one_minus_square",
    "polynomial",
    "rex",
    "tanh",
]
