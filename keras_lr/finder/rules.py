"""From rates and losses to one rate: smoothing, and the rules, as pure functions.

The first four rules are the published ones, on the losses as they are given; what each
library does before (smoothing, trimming) is not part of them. The published rules that
are compared take the exponentially smoothed losses of a sweep of 100 updates.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from keras_lr.finder.tuning import TUNING
from keras_lr.plan.curves import FloatArray


def window(points: int) -> int:
    """Width of the smoother for a sweep of that many points, odd.

    Example:
        >>> window(200), window(20)
        (21, 5)
    """
    return max(5, 2 * round(points * TUNING.window / 2) + 1)


def smooth(losses: ArrayLike, width: int) -> FloatArray:
    r"""Centred running median, then a centred running mean of half the width.

    .. math:: m_i = \mathrm{median}(l_{i-h}, ..., l_{i+h}), \quad h = (w - 1) / 2

    with w the width. Near the ends the window shrinks on both sides, so the smoothed
    curve has no lag anywhere: what exponential smoothing does to a minimum, moving it
    to higher rates by half a decade and more, this does not.

    Args:
        losses: Array of shape ``(..., points)``, finite.
        width: Points in the window, at least 1.

    Returns:
        float64 array of the same shape.

    Example:
        >>> smooth([3.0, 2.0, 9.0, 1.0, 0.0], 3)
        array([3., 3., 2., 1., 0.])
    """
    medians = _running(_median, np.asarray(losses, dtype=np.float64), width)
    return _running(np.mean, medians, (width + 1) // 2)


def _running(reduce: Callable[..., Any], values: FloatArray, width: int) -> FloatArray:
    points, half = values.shape[-1], (width - 1) // 2
    out = np.empty_like(values)
    if points > 2 * half:
        windows = np.lib.stride_tricks.sliding_window_view(values, 2 * half + 1, -1)
        out[..., half : points - half] = reduce(windows, axis=-1)
    for i in range(min(half, (points + 1) // 2)):
        for at in (i, points - 1 - i):
            out[..., at] = reduce(values[..., at - i : at + i + 1], axis=-1)
    return out


def _median(windows: FloatArray, axis: int) -> FloatArray:
    """Median of windows of odd length, in a fifth of the time of NumPy's."""
    half = windows.shape[axis] // 2
    medians: FloatArray = np.partition(windows, half, axis=axis).take(half, axis=axis)
    return medians


def noise(losses: ArrayLike) -> float:
    r"""Standard deviation of the losses around their course, robust.

    .. math:: \hat\sigma = 1.4826 \, \mathrm{median}_i |d_i - \mathrm{median}(d)|
        / \sqrt 2, \quad d_i = l_{i+1} - l_i

    Differences do not see the course; medians do not see the jumps of a divergence.

    Args:
        losses: Array of shape ``(points,)``, finite.

    Returns:
        The noise of one loss, 0 for fewer than 3 points.

    Example:
        >>> noise([1.0, 2.0, 3.0, 4.0])
        0.0
    """
    steps = np.diff(np.asarray(losses, dtype=np.float64))
    if len(steps) < 2:
        return 0.0
    return float(1.4826 * np.median(np.abs(steps - np.median(steps))) / np.sqrt(2))


def valley(lrs: ArrayLike, losses: ArrayLike) -> float:
    """The rate in the middle third of the longest valley.

    The valley is the longest strictly decreasing subsequence (its members need not be
    neighbours). It is taken to begin as many points before its end as it has members,
    as its author does, though it may begin earlier; the answer is the point at one
    third and a half of a third from there.

    Args:
        lrs: Rates, shape ``(points,)``, increasing.
        losses: Losses, same shape.

    Returns:
        One of the rates.

    Example:
        >>> valley([0.25, 0.5, 1.0, 2.0, 4.0, 8.0], [9.0, 7.0, 5.0, 3.0, 1.0, 9.0])
        0.25

    Source: fastai 2.8, ``callback/schedule.py``, ``valley``.
    """
    rates, values = _pair(lrs, losses, 2)
    lengths = np.ones(len(values), dtype=int)
    end = start = 0
    for i in range(1, len(values)):
        above = lengths[:i][values[:i] > values[i]]
        lengths[i] = 1 + above.max() if len(above) else 1
        if lengths[i] > lengths[end]:
            end, start = i, i - int(lengths[i])
    third = (end - start) / 3
    return float(rates[start + int(third) + int(third / 2)])


def slide(
    lrs: ArrayLike, losses: ArrayLike, *, apart: int = 15, threshold: float = 0.005
) -> float:
    """The rate where the slope, seen from the right, stops changing.

    Two points stay ``apart`` and move left from the end for as long as their slopes
    (central differences by index) differ by more than the threshold; the answer is the
    left one's rate at the last such place. The threshold is in units of the loss, so
    this rule depends on the loss's scale.

    Args:
        lrs: Rates, shape ``(points,)``, increasing.
        losses: Losses, same shape; more than ``apart`` points.
        apart: Distance of the two points.
        threshold: Least difference of their slopes.

    Returns:
        One of the rates.

    Source: fastai 2.8, ``callback/schedule.py``, ``slide``.
    """
    rates, values = _pair(lrs, losses, apart + 1)
    slopes = np.gradient(values)
    right, left = len(values) - 1, len(values) - 1 - apart
    found = rates[left]
    while left >= 0 and abs(slopes[right] - slopes[left]) > threshold:
        found = rates[left]
        right, left = right - 1, left - 1
    return float(found)


def steepest(lrs: ArrayLike, losses: ArrayLike) -> float:
    r"""The rate where the loss falls fastest per logarithm of the rate.

    .. math:: \arg\min_i \frac{l_{i+1} - l_i}{\log \eta_{i+1} - \log \eta_i}

    Lightning differentiates by the rate itself, which makes the noise at the smallest
    rates win; this does not.

    Args:
        lrs: Rates, shape ``(points,)``, increasing.
        losses: Losses, same shape.

    Returns:
        The rate left of the steepest fall.

    Example:
        >>> steepest([0.25, 0.5, 1.0, 2.0], [9.0, 8.0, 2.0, 1.0])
        0.5

    Source: fastai 2.8, ``callback/schedule.py``, ``steep``.
    """
    rates, values = _pair(lrs, losses, 2)
    return float(rates[np.argmin(np.diff(values) / np.diff(np.log(rates)))])


def minimum(lrs: ArrayLike, losses: ArrayLike, *, divisor: float = 10.0) -> float:
    """The rate of the lowest loss, over ten.

    Args:
        lrs: Rates, shape ``(points,)``, increasing.
        losses: Losses, same shape.
        divisor: What the rate of the minimum is divided by.

    Returns:
        That rate.

    Example:
        >>> minimum([0.25, 0.5, 1.0, 2.0], [3.0, 2.0, 1.0, 4.0], divisor=4.0)
        0.25

    Source: fastai 2.8, ``callback/schedule.py``, ``minimum``.
    """
    rates, values = _pair(lrs, losses, 1)
    return float(rates[np.argmin(values)] / divisor)


def zero_lag(
    lrs: ArrayLike,
    losses: ArrayLike,
    *,
    divisor: float = 6.0,
    width: int | None = None,
) -> float:
    r"""Our own rule: where losses smoothed without lag have fallen, over a divisor.

    .. math:: \eta = \frac{1}{d} \min \{\eta_i : m_j \le m_{min} + 0.03 (l_0 - m_{min})
        \text{ for all } i \le j \le j_{min}\}

    with m the smoothed losses, j_min the place of the lowest, l_0 the median of the
    first twentieth of the losses and d the divisor. It is the place of the minimum but
    for the last 3 % of the fall: a minimum in a wide basin lies anywhere in it. The
    divisor belongs to the schedule: 6 for a constant rate, 2 for a peak that the rate
    comes down from.

    Args:
        lrs: Rates, shape ``(points,)``, increasing.
        losses: Losses as measured, same shape, finite.
        divisor: What the rate is divided by.
        width: Points in the smoother's window; None for a tenth of them.

    Returns:
        That rate.

    Example:
        >>> zero_lag([1.0, 2.0, 4.0, 8.0], [3.0, 2.0, 1.0, 4.0], divisor=2.0, width=1)
        2.0
    """
    rates, values = _pair(lrs, losses, 1)
    smoothed = smooth(values, width or window(len(values)))
    low, level = int(np.argmin(smoothed)), start(values, len(values))
    return float(rates[fallen(smoothed, np.array(low), level)] / divisor)


def start(losses: FloatArray, points: int) -> Any:
    """Loss at the start of a sweep of that many points, along the last axis."""
    return np.median(losses[..., : max(3, points // 20)], axis=-1)


def fallen(smoothed: FloatArray, lowest: Any, level: Any) -> Any:
    """Index from which on, up to the lowest, losses stay near it, along the last axis.

    Args:
        smoothed: Smoothed losses, shape ``(..., points)``.
        lowest: Index of the lowest, shape ``(...)``.
        level: The loss at the start, shape ``(...)``.

    Example:
        >>> int(fallen(np.array([3.0, 2.9, 1.02, 1.0, 4.0]), np.array(3), 3.0))
        2
    """
    low = np.take_along_axis(smoothed, np.asarray(lowest)[..., None], axis=-1)
    high = low + (1 - TUNING.fallen) * np.maximum(np.asarray(level)[..., None] - low, 0)
    index = np.arange(smoothed.shape[-1])
    above = (smoothed > high) & (index < np.asarray(lowest)[..., None])
    return np.max(np.where(above, index + 1, 0), axis=-1)


def _pair(
    lrs: ArrayLike, losses: ArrayLike, least: int
) -> tuple[FloatArray, FloatArray]:
    rates, values = np.asarray(lrs, np.float64), np.asarray(losses, np.float64)
    if rates.shape != values.shape or rates.ndim != 1 or len(rates) < least:
        raise ValueError(
            f"A rule needs as many rates as losses, at least {least}. Received: shapes "
            f"{rates.shape} and {values.shape}."
        )
    return rates, values
