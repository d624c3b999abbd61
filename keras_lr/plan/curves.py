r"""Curves: how a value goes from ``start`` to ``end`` as progress goes from 0 to 1.

Each is a pure function ``curve(start, end, progress)`` of two non-negative numbers and
an array of progress :math:`p \in [0, 1]`; it returns the array of values, equal to
``start`` at 0 and to ``end`` at 1. Below, :math:`s` is ``start`` and :math:`e` is
``end``. They know nothing of updates or optimizers; :mod:`keras_lr.phases` lays them
over a run.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Curve = Callable[..., FloatArray]


def _mix(start: float, end: float, weight: Any) -> FloatArray:
    """Weighted mean that is exactly ``start`` at weight 0 and ``end`` at weight 1."""
    return np.asarray(start * (1.0 - weight) + end * weight, dtype=np.float64)


def constant(start: float, end: float, progress: FloatArray) -> FloatArray:
    r"""Stay at the end value, :math:`v(p) = e`.

    Example:
        >>> constant(0.5, 0.5, np.array([0.0, 1.0]))
        array([0.5, 0.5])
    """
    return np.full(np.shape(progress), end, dtype=np.float64)


def linear(start: float, end: float, progress: FloatArray) -> FloatArray:
    r"""Straight line, :math:`v(p) = s + (e - s) p`.

    Example:
        >>> linear(1.0, 0.0, np.array([0.0, 0.25, 1.0]))
        array([1.  , 0.75, 0.  ])
    """
    return _mix(start, end, progress)


def cosine(
    start: float, end: float, progress: FloatArray, exponent: float = 1.0
) -> FloatArray:
    r"""Half a period of a cosine.

    .. math:: v(p) = e + (s - e) [\tfrac12 (1 + \cos \pi p)]^a

    Args:
        start: Value at progress 0.
        end: Value at progress 1.
        progress: Array in [0, 1].
        exponent: The power :math:`a > 0`; above 1 the curve falls earlier.

    Example:
        >>> cosine(1.0, 0.0, np.array([0.0, 0.5, 1.0]))
        array([1. , 0.5, 0. ])

    Source: Loshchilov and Hutter 2016, SGDR, arXiv:1608.03983, eq. 5; the exponent as
    in optax's ``cosine_decay_schedule``.
    """
    _above_zero("cosine", exponent=exponent)
    weight = 0.5 * (1.0 + np.cos(np.pi * np.asarray(progress)))
    return _mix(start, end, 1.0 - weight**exponent)


def polynomial(
    start: float, end: float, progress: FloatArray, power: float = 1.0
) -> FloatArray:
    r"""Power of the remaining run, :math:`v(p) = e + (s - e) (1 - p)^a`.

    Args:
        start: Value at progress 0.
        end: Value at progress 1.
        progress: Array in [0, 1].
        power: The power :math:`a > 0`; 1 is a straight line.

    Example:
        >>> polynomial(1.0, 0.0, np.array([0.0, 0.5, 1.0]), power=2.0)
        array([1.  , 0.25, 0.  ])

    Source: Liu et al. 2015, ParseNet, arXiv:1506.04579 (the "poly" policy).
    """
    _above_zero("polynomial", power=power)
    return _mix(start, end, 1.0 - (1.0 - np.asarray(progress)) ** power)


def exponential(start: float, end: float, progress: FloatArray) -> FloatArray:
    r"""Equal factors in equal times, :math:`v(p) = s (e / s)^p`; both ends above 0.

    Example:
        >>> exponential(1.0, 0.25, np.array([0.0, 0.5, 1.0]))
        array([1.  , 0.5 , 0.25])

    Source: the geometric mean of the ends, as in fastai's ``SchedExp``.
    """
    _positive("exponential", start, end)
    return np.asarray(start * (end / start) ** np.asarray(progress))


def inverse_time(start: float, end: float, progress: FloatArray) -> FloatArray:
    r"""One over a straight line, :math:`v(p) = [(1 - p) / s + p / e]^{-1}`.

    Both ends must be above 0.

    Example:
        >>> inverse_time(1.0, 0.25, np.array([0.0, 1 / 3, 1.0]))
        array([1.  , 0.5 , 0.25])

    Source: Robbins and Monro 1951, doi:10.1214/aoms/1177729586: rates that fall as 1/t.
    """
    _positive("inverse_time", start, end)
    p = np.asarray(progress)
    return np.asarray(1.0 / ((1.0 - p) / start + p / end))


def inverse_sqrt(start: float, end: float, progress: FloatArray) -> FloatArray:
    r"""One over the root of a line, :math:`v(p) = [(1 - p) / s^2 + p / e^2]^{-1/2}`.

    Both ends must be above 0.

    Example:
        >>> inverse_sqrt(1.0, 0.5, np.array([0.0, 1.0]))
        array([1. , 0.5])

    Source: Vaswani et al. 2017, arXiv:1706.03762, eq. 3.
    """
    _positive("inverse_sqrt", start, end)
    p = np.asarray(progress)
    return np.asarray(1.0 / np.sqrt((1.0 - p) / start**2 + p / end**2))


def one_minus_sqrt(start: float, end: float, progress: FloatArray) -> FloatArray:
    r"""Steep first, flat at the end, :math:`v(p) = e + (s - e) (1 - \sqrt p)`.

    Example:
        >>> one_minus_sqrt(1.0, 0.0, np.array([0.0, 0.25, 1.0]))
        array([1. , 0.5, 0. ])

    Source: Hägele et al. 2024, arXiv:2405.18392, sec. 3 (cooldown shapes).
    """
    return _mix(start, end, np.sqrt(np.asarray(progress)))


def one_minus_square(start: float, end: float, progress: FloatArray) -> FloatArray:
    r"""Flat first, steep at the end, :math:`v(p) = e + (s - e) (1 - p^2)`.

    Example:
        >>> one_minus_square(1.0, 0.0, np.array([0.0, 0.5, 1.0]))
        array([1.  , 0.75, 0.  ])

    Source: Hägele et al. 2024, arXiv:2405.18392 (its comparison of cooldown shapes).
    """
    return _mix(start, end, np.asarray(progress) ** 2)


def rex(start: float, end: float, progress: FloatArray) -> FloatArray:
    r"""Reflected exponential, :math:`v(p) = e + (s - e) (1 - p) / (1 - p / 2)`.

    Example:
        >>> rex(1.0, 0.0, np.array([0.0, 2 / 3, 1.0])).round(6)
        array([1. , 0.5, 0. ])

    Source: Chen et al. 2021, REX, arXiv:2107.04197 (with its constant at 1/2).
    """
    p = np.asarray(progress)
    return _mix(start, end, 1.0 - (1.0 - p) / (1.0 - p / 2.0))


def tanh(
    start: float,
    end: float,
    progress: FloatArray,
    lower: float = -6.0,
    upper: float = 3.0,
) -> FloatArray:
    r"""Hyperbolic tangent, scaled so that both ends are exact.

    .. math:: v(p) = e + (s - e) \frac{h(1) - h(p)}{h(1) - h(0)}, \quad
        h(p) = \tanh(l (1 - p) + u p)

    Args:
        start: Value at progress 0.
        end: Value at progress 1.
        progress: Array in [0, 1].
        lower: The argument :math:`l` at progress 0.
        upper: The argument :math:`u` at progress 1, above ``lower``.

    Example:
        >>> tanh(1.0, 0.0, np.array([0.0, 0.5, 1.0]), lower=-3.0, upper=3.0)
        array([1. , 0.5, 0. ])

    Source: Hsueh et al. 2018, HTD, arXiv:1806.01593 (there without scaling: the
    ends are missed by (1 - tanh 3) / 2 = 0.25 % of the height).
    """
    if not lower < upper:
        raise ValueError(
            "A tanh curve needs `lower` below `upper`. "
            f"Received: lower={lower!r}, upper={upper!r}."
        )
    p = np.asarray(progress)
    h0, h1 = np.tanh(lower), np.tanh(upper)
    weight = (np.tanh(lower * (1.0 - p) + upper * p) - h0) / (h1 - h0)
    return _mix(start, end, weight)


def k_decay(
    start: float,
    end: float,
    progress: FloatArray,
    k: float = 2.0,
    power: float = 1.0,
) -> FloatArray:
    r"""Polynomial decay of warped progress, :math:`v(p) = e + (s - e) (1 - p^k)^a`.

    Args:
        start: Value at progress 0.
        end: Value at progress 1.
        progress: Array in [0, 1].
        k: Warp :math:`k > 0`; above 1 the curve stays high for longer.
        power: The power :math:`a > 0`.

    Example:
        >>> k_decay(1.0, 0.0, np.array([0.0, 0.5, 1.0]), k=2.0)
        array([1.  , 0.75, 0.  ])

    Source: Zhang 2020, k-decay, arXiv:2004.05909.
    """
    _above_zero("k_decay", k=k, power=power)
    return _mix(start, end, 1.0 - (1.0 - np.asarray(progress) ** k) ** power)


#: All of them, by name.
CURVES: dict[str, Curve] = {
    curve.__name__: curve
    for curve in (
        constant,
        linear,
        cosine,
        polynomial,
        exponential,
        inverse_time,
        inverse_sqrt,
        one_minus_sqrt,
        one_minus_square,
        rex,
        tanh,
        k_decay,
    )
}


def _positive(name: str, start: float, end: float) -> None:
    if not (start > 0 and end > 0):
        raise ValueError(
            f"An {name} curve needs both ends above 0. Received: start={start:g}, "
            f"end={end:g}. Give a positive floor, for instance a hundredth of the peak."
        )


def _above_zero(curve: str, **options: float) -> None:
    for name, value in options.items():
        if not 0 < value < np.inf:
            raise ValueError(
                f"`{name}` of a {curve} curve must be finite and above 0. "
                f"Received: {name}={value!r}."
            )
