r"""The gradient noise scale, from the lengths of gradients of few and of many rows.

With g_n the mean gradient of n rows of a batch and g_N that of N rows, n < N, the
squares have the expectations

.. math:: E|g_n|^2 = |G|^2 + tr(\Sigma) / n, \quad E|g_N|^2 = |G|^2 + tr(\Sigma) / N

where G is the gradient of the loss over all data and :math:`\Sigma` the covariance of
the gradients of single rows. Two equations for two unknowns: solved, they estimate both
without bias (McCandlish et al. 2018, arXiv:1812.06162, appendix A.1), whether the few
rows are among the many or not. The *ratio* of two such estimates of one batch would be
biased, and infinite now and then; that of their means over many batches is what
:func:`noise_of` takes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from keras_lr.plan.curves import FloatArray

#: How sure the interval is.
LEVEL = 0.95
#: Measurements below which no interval is given: their spread is not known.
LEAST = 8


@dataclass(frozen=True)
class Noise:
    """A noise scale.

    Attributes:
        scale: Rows; infinite where the mean of the squared gradient is not above 0.
        interval: Where it lies, with a certainty of 95 %: the upper end is infinite
            where the gradient cannot be told from 0.
    """

    scale: float
    interval: tuple[float, float]


def covariances(
    few: FloatArray, many: FloatArray, rows: FloatArray, rows_of_many: FloatArray
) -> FloatArray:
    r"""Estimate the trace of the covariance of single rows' gradients, without bias.

    .. math:: tr(\Sigma) = (|g_n|^2 - |g_N|^2) / (1 / n - 1 / N)

    Args:
        few: Squared length of the gradient of few rows, or the mean of several.
        many: The same of many.
        rows: How many the few are, n, at least 1.
        rows_of_many: How many the many are, N, above n.

    Example:
        >>> covariances(*map(np.array, ([5.0], [3.0], [8.0], [16.0])))
        array([32.])
    """
    found: FloatArray = (few - many) / (1 / rows - 1 / rows_of_many)
    return found


def squares(
    few: FloatArray, many: FloatArray, rows: FloatArray, rows_of_many: FloatArray
) -> FloatArray:
    r"""Estimate the squared length of the gradient over all data, without bias.

    .. math:: |G|^2 = (N |g_N|^2 - n |g_n|^2) / (N - n)

    Args:
        few: Squared length of the gradient of few rows, or the mean of several.
        many: The same of many.
        rows: How many the few are, n.
        rows_of_many: How many the many are, N, above n.

    Example:
        >>> squares(*map(np.array, ([5.0], [3.0], [8.0], [16.0])))
        array([1.])
    """
    found: FloatArray = (rows_of_many * many - rows * few) / (rows_of_many - rows)
    return found


def noise_of(covariances: FloatArray, squares: FloatArray) -> Noise:
    """The noise scale: the ratio of two means, with an interval by Fieller's theorem.

    .. math:: B_{simple} = tr(Sigma) / |G|^2

    The interval holds every ratio r for which the mean of ``covariances - r squares``
    is not significantly different from 0, by Student's t. Unlike one that is drawn
    around the ratio (by a jackknife, say), it is right where the gradient can hardly be
    told from 0: then it has no upper end.

    Args:
        covariances: An estimate of each batch, shape ``(batches,)``; at least one.
        squares: The same of the squared gradient.

    Returns:
        The scale; below 8 batches with an interval from 0 to infinity.

    Example:
        >>> noise = noise_of(np.full(9, 60.0), np.linspace(1.0, 3.0, 9))
        >>> round(noise.scale, 1), [round(end, 1) for end in noise.interval]
        (30.0, [23.8, 40.7])

    Source: Fieller 1954, Some problems in interval estimation, J. R. Stat. Soc. B 16.
    """
    count = len(covariances)
    # What is estimated is not below 0, though estimates may be.
    above = max(float(np.mean(covariances)), 0.0)
    below = max(float(np.mean(squares)), 0.0)
    scale = above / below if below > 0 else math.inf
    if count < LEAST:
        return Noise(scale, (0.0, math.inf))
    spread = np.cov(covariances, squares) * t_quantile(count - 1) ** 2 / count
    # Where this quadratic in r is not above 0: a r^2 - 2 b r + c.
    a = below**2 - float(spread[1, 1])
    b = above * below - float(spread[0, 1])
    c = above**2 - float(spread[0, 0])
    return Noise(scale, _not_above_zero(a, b, c))


def _not_above_zero(a: float, b: float, c: float) -> tuple[float, float]:
    """The part from 0 on of where ``a r^2 - 2 b r + c`` is not above 0."""
    root = math.sqrt(max(b * b - a * c, 0.0))
    if a > 0:
        return max((b - root) / a, 0.0), max((b + root) / a, 0.0)
    if c <= 0:
        # Neither of the two means can be told from 0.
        return 0.0, math.inf
    # It opens downward and is above 0 at 0: from its one positive root on.
    return c / (b + root), math.inf


def t_quantile(freedom: int) -> float:
    """Student's t at the two-sided level of the interval.

    By the expansion in 1 / freedom (Abramowitz and Stegun, 26.7.5), which is right to
    three digits from 5 on.

    Args:
        freedom: Degrees of freedom, at least 5.

    Example:
        >>> round(t_quantile(10), 2), round(t_quantile(1000), 2)
        (2.23, 1.96)
    """
    z = NormalDist().inv_cdf(0.5 + LEVEL / 2)
    terms = (
        z,
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
    )
    return float(sum(term / freedom**i for i, term in enumerate(terms)))


def rate_factor(
    scale: float, from_batch: float, to_batch: float, exponent: float
) -> float:
    r"""By how much the best rate grows from one batch size to another.

    .. math:: \eta(B) \propto (1 + N / B)^{-p}

    with N the noise scale and p the exponent. Far below the noise scale the rate grows
    as B to the power of p; beyond it, hardly.

    Args:
        scale: The noise scale, above 0; infinite for a power law without an end.
        from_batch: The one batch size.
        to_batch: The other.
        exponent: 1 for SGD, 1/2 for methods that divide by the gradient's length.

    Example:
        >>> rate_factor(64.0, 64, 64 * 3, 1.0), rate_factor(math.inf, 16, 64, 0.5)
        (1.5, 2.0)

    Source: McCandlish et al. 2018, arXiv:1812.06162, sec. 2.2 for SGD.
    """
    if math.isinf(scale):
        ratio = to_batch / from_batch
    else:
        ratio = (1 + scale / from_batch) / (1 + scale / to_batch)
    return float(ratio**exponent)
