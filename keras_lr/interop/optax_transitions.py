"""Optax' schedules that stand by themselves.

Each takes the arguments of the function of its name in ``optax`` and sets rates: the
optimizer's own does not count. Nothing of theirs is mended: the first parameter,
``faithful``, has no effect.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from keras_lr.interop.numbers import fixed, length_of
from keras_lr.plan.checks import (
    check_at_least,
    check_choice,
    check_mapping,
    number,
)
from keras_lr.plan.curves import FloatArray
from keras_lr.plan.duration import Argument, IntArray
from keras_lr.plan.recipe import Recipe
from keras_lr.plan.words import received

#: Positions, and what the rate is multiplied by at each of them.
Scales = Mapping[Any, float]


def constant_schedule(faithful: bool, /, value: float) -> Recipe:
    """One rate."""

    def rate(steps: IntArray) -> FloatArray:
        return np.full(steps.shape, float(value))

    return fixed(rate, value)


def polynomial_schedule(
    faithful: bool,
    /,
    init_value: float,
    end_value: float,
    power: float,
    transition_steps: int,
    transition_begin: int = 0,
) -> Recipe:
    r"""A power of what is left of the way.

    .. math:: (a - b) (1 - \tfrac{t - B}{T})^p + b

    from ``init_value`` a to ``end_value`` b, with ``transition_begin`` B, before which
    it is a, and ``transition_steps`` T; where T is not above 0 it is a for good.
    """
    if transition_steps <= 0:
        return constant_schedule(faithful, init_value)
    begin = max(transition_begin, 0)

    def rate(steps: IntArray) -> FloatArray:
        left = 1.0 - np.clip(steps - begin, 0, transition_steps) / transition_steps
        values: FloatArray = (init_value - end_value) * left**power + end_value
        return values

    # What rises is a warmup, which may be over long before the run is.
    whole = None
    if end_value < init_value:
        whole = length_of("transition_steps", begin + transition_steps)
    return fixed(rate, max(init_value, end_value), whole)


def linear_schedule(
    faithful: bool,
    /,
    init_value: float,
    end_value: float,
    transition_steps: int,
    transition_begin: int = 0,
) -> Recipe:
    """A straight line: :func:`polynomial_schedule` of power 1."""
    return polynomial_schedule(
        faithful, init_value, end_value, 1.0, transition_steps, transition_begin
    )


def piecewise_constant_schedule(
    faithful: bool,
    /,
    init_value: float,
    boundaries_and_scales: Scales | None = None,
) -> Recipe:
    """A factor at each boundary b: step b is the first with the new rate."""
    boundaries, levels = _levels(init_value, boundaries_and_scales)

    def rate(steps: IntArray) -> FloatArray:
        found: FloatArray = levels[np.searchsorted(boundaries, steps, side="right")]
        return found

    return fixed(rate, float(levels.max()))


def piecewise_interpolate_schedule(
    faithful: bool,
    /,
    interpolate_type: str,
    init_value: float,
    boundaries_and_scales: Scales | None = None,
) -> Recipe:
    r"""Goes from level to level, which it is at exactly at the boundaries.

    .. math:: a + (b - a) p, \quad b + \tfrac12 (a - b) (1 + \cos \pi p)

    ``"linear"`` or ``"cosine"``, between two levels a and b with the progress p; each
    level is the one before it times its scale.
    """
    check_choice("interpolate_type", interpolate_type, ("linear", "cosine"))
    boundaries, levels = _levels(init_value, boundaries_and_scales)
    bounds = np.array([0, *boundaries])

    def rate(steps: IntArray) -> FloatArray:
        # The last of the levels whose boundary has been reached.
        index = np.searchsorted(bounds, steps, side="right") - 1
        following = np.minimum(index + 1, len(bounds) - 1)
        width = np.maximum(bounds[following] - bounds[index], 1)
        progress = (steps - bounds[index]) / width
        start = levels[index]
        end = levels[following]
        if interpolate_type == "linear":
            between: FloatArray = (end - start) * progress + start
        else:
            between = end + (start - end) / 2.0 * (np.cos(np.pi * progress) + 1.0)
        values: FloatArray = np.where(index == len(bounds) - 1, levels[-1], between)
        return values

    last = int(bounds[-1])
    length = length_of("boundaries_and_scales", last) if last else None
    return fixed(rate, float(levels.max()), length)


def _boundary(written: Any) -> int:
    """A boundary, which is text where the arguments have been read from JSON."""
    try:
        return int(written)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(
            "Each boundary of `boundaries_and_scales` must be a whole number of "
            f"steps. {received(boundary=written)}"
        ) from None


def _levels(
    init_value: float, boundaries_and_scales: Scales | None
) -> tuple[list[int], FloatArray]:
    """Boundaries in order, and the rate before the first and from each of them on."""
    given = {} if boundaries_and_scales is None else boundaries_and_scales
    check_mapping("boundaries_and_scales", given)
    scales = sorted(
        (_boundary(boundary), number("scale", scale))
        for boundary, scale in given.items()
    )
    for _, scale in scales:
        check_at_least("scale", scale, 0)
    factors = [scale for _, scale in scales]
    first = float(init_value)
    levels: FloatArray = np.array([first, *factors], dtype=np.float64).cumprod()
    return [boundary for boundary, _ in scales], levels


def exponential_decay(
    faithful: bool,
    /,
    init_value: float,
    transition_steps: int,
    decay_rate: float,
    transition_begin: int = 0,
    staircase: bool = False,
    end_value: float | None = None,
) -> Recipe:
    r"""A constant factor every so many steps, up to a bound.

    .. math:: a \, r^{(t - B) / T}

    with ``init_value`` a, ``decay_rate`` r, ``transition_steps`` T and
    ``transition_begin`` B, up to which it is a; with ``staircase`` the exponent is
    rounded down. It stays above ``end_value`` where r is below 1, else below it. Where
    T is not above 0, or r is 0, it is a for good.
    """
    if transition_steps <= 0 or decay_rate == 0:
        return constant_schedule(faithful, init_value)
    begin = max(transition_begin, 0)

    def rate(steps: IntArray) -> FloatArray:
        since = np.maximum(steps - begin, 0)
        exponent = since / transition_steps
        if staircase:
            exponent = np.floor(exponent)
        values: FloatArray = init_value * float(decay_rate) ** exponent
        if end_value is None:
            return values
        bound = np.maximum if decay_rate < 1.0 else np.minimum
        bounded: FloatArray = bound(values, end_value)
        return bounded

    return fixed(rate, max(init_value, 0.0 if end_value is None else end_value))


def cosine_decay_schedule(
    faithful: bool,
    /,
    init_value: float,
    decay_steps: int,
    alpha: float = 0.0,
    exponent: float = 1.0,
) -> Recipe:
    r"""Half a cosine down to a fraction, which it keeps.

    .. math:: a [(1 - \alpha) (\tfrac12 (1 + \cos \pi t / D))^e + \alpha]

    with ``init_value`` a, ``decay_steps`` D and ``exponent`` e.
    """
    length = length_of("decay_steps", decay_steps)

    def rate(steps: IntArray) -> FloatArray:
        progress = np.minimum(steps / decay_steps, 1.0)
        cosine = 0.5 * (1.0 + np.cos(np.pi * progress))
        values: FloatArray = init_value * ((1.0 - alpha) * cosine**exponent + alpha)
        return values

    return fixed(rate, init_value, length)


def linear_onecycle_schedule(
    faithful: bool,
    /,
    transition_steps: int,
    peak_value: float,
    pct_start: float = 0.3,
    pct_final: float = 0.85,
    div_factor: float = 25.0,
    final_div_factor: float = 1e4,
) -> Recipe:
    """Straight lines up, down, and further down, to the first rate over a factor."""
    length = length_of("transition_steps", transition_steps)
    scales = {
        int(pct_start * transition_steps): div_factor,
        int(pct_final * transition_steps): 1.0 / div_factor,
        int(transition_steps): 1.0 / final_div_factor,
    }
    return _onecycle("linear", peak_value / div_factor, scales, length)


def cosine_onecycle_schedule(
    faithful: bool,
    /,
    transition_steps: int,
    peak_value: float,
    pct_start: float = 0.3,
    div_factor: float = 25.0,
    final_div_factor: float = 1e4,
) -> Recipe:
    """Cosines up and down, to the first rate over a factor."""
    length = length_of("transition_steps", transition_steps)
    scales = {
        int(pct_start * transition_steps): div_factor,
        int(transition_steps): 1.0 / (div_factor * final_div_factor),
    }
    return _onecycle("cosine", peak_value / div_factor, scales, length)


def _onecycle(kind: str, first: float, scales: Scales, length: Argument) -> Recipe:
    """Levels, with a length that has a name of its own."""
    recipe = piecewise_interpolate_schedule(False, kind, first, scales)
    return replace(recipe, length=length)


def warmup_constant_schedule(
    faithful: bool, /, init_value: float, peak_value: float, warmup_steps: int
) -> Recipe:
    """A straight line to a rate that stays."""
    return linear_schedule(faithful, init_value, peak_value, warmup_steps)
