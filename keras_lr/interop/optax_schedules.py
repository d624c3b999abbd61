"""Optax' schedules: all of them by name, and those that join others.

They set rates, and take no notice of the optimizer's own. Optax lets them be negative;
a fit does not. Nothing of theirs is mended: the first parameter, ``faithful``, has no
effect.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from keras_lr.interop.arguments import check_arguments, made_of, pair_of
from keras_lr.interop.numbers import by_calling, fixed, length_of
from keras_lr.interop.optax_transitions import (
    constant_schedule,
    cosine_decay_schedule,
    cosine_onecycle_schedule,
    exponential_decay,
    linear_onecycle_schedule,
    linear_schedule,
    piecewise_constant_schedule,
    piecewise_interpolate_schedule,
    polynomial_schedule,
    warmup_constant_schedule,
)
from keras_lr.plan.checks import check_sequence
from keras_lr.plan.curves import FloatArray
from keras_lr.plan.duration import Clock, IntArray
from keras_lr.plan.recipe import Recipe
from keras_lr.plan.words import received


def warmup_cosine_decay_schedule(
    faithful: bool,
    /,
    init_value: float,
    peak_value: float,
    warmup_steps: int,
    decay_steps: int,
    end_value: float = 0.0,
    exponent: float = 1.0,
) -> Recipe:
    """A straight line up, and half a cosine down; ``decay_steps`` includes both."""
    alpha = 0.0 if peak_value == 0.0 else end_value / peak_value
    if decay_steps <= warmup_steps:
        raise ValueError(
            "`decay_steps` includes the warmup, and must be longer. "
            f"{received(warmup_steps=warmup_steps, decay_steps=decay_steps)}"
        )
    down = {
        "init_value": peak_value,
        "decay_steps": decay_steps - warmup_steps,
        "alpha": alpha,
        "exponent": exponent,
    }
    return _warmed_up(
        init_value, peak_value, warmup_steps, ("cosine_decay_schedule", down)
    )


def warmup_exponential_decay_schedule(
    faithful: bool,
    /,
    init_value: float,
    peak_value: float,
    warmup_steps: int,
    transition_steps: int,
    decay_rate: float,
    transition_begin: int = 0,
    staircase: bool = False,
    end_value: float | None = None,
) -> Recipe:
    """A straight line up, and from the peak as :func:`exponential_decay`."""
    down = {
        "init_value": peak_value,
        "transition_steps": transition_steps,
        "decay_rate": decay_rate,
        "transition_begin": transition_begin,
        "staircase": staircase,
        "end_value": end_value,
    }
    return _warmed_up(init_value, peak_value, warmup_steps, ("exponential_decay", down))


def sgdr_schedule(
    faithful: bool, /, cosine_kwargs: Sequence[Mapping[str, Any]]
) -> Recipe:
    """One :func:`warmup_cosine_decay_schedule` after another."""
    check_sequence("cosine_kwargs", cosine_kwargs)
    for each in cosine_kwargs:
        check_arguments("sgdr_schedule", warmup_cosine_decay_schedule, each)
    cycles = [("warmup_cosine_decay_schedule", each) for each in cosine_kwargs]
    ends = np.cumsum([each["decay_steps"] for each in cosine_kwargs])
    return join_schedules(faithful, cycles, ends[:-1].tolist())


def join_schedules(
    faithful: bool, /, schedules: Sequence[Any], boundaries: Sequence[int]
) -> Recipe:
    """One schedule after another, each from its own step 0 on.

    Args:
        faithful: Without effect.
        schedules: Pairs of a name and arguments, or functions of the step.
        boundaries: The first step of each but the first.
    """
    check_sequence("schedules", schedules)
    check_sequence("boundaries", boundaries)
    if not schedules or len(boundaries) != len(schedules) - 1:
        raise ValueError(
            "`boundaries` must be one fewer than `schedules`, and there must be one. "
            f"Received: {len(schedules)} schedules, {len(boundaries)} boundaries."
        )
    parts = [_part(faithful, each) for each in schedules]
    starts = [0, *boundaries]

    def rate(steps: IntArray, base: float, run: Clock) -> FloatArray:
        values = np.empty(steps.shape)
        # Of the boundaries that have been reached the last one in the list counts.
        index = np.zeros(steps.shape, np.int64)
        for i, start in enumerate(boundaries, 1):
            index[steps >= start] = i
        for i, (part, start) in enumerate(zip(parts, starts, strict=True)):
            mine = index == i
            values[mine] = part.rate(steps[mine] - start, base, run)
        return values

    last = parts[-1].length
    whole = None
    if last is not None:
        whole = length_of(last.name, starts[-1] + last.length.amount)
    peaks = [part.peak for part in parts if part.peak is not None]
    return Recipe(rate, peak=max(peaks), length=whole)


def _part(faithful: bool, schedule: Any) -> Recipe:
    """What stands in a list of schedules, as a recipe."""
    if callable(schedule):
        return by_calling(schedule)
    such_as = (
        "('constant_schedule', {'value': 0.1}), what from_optax returns, or a function "
        "of the step"
    )
    pair = pair_of(schedule, "schedules", such_as)
    return made_of(pair, "schedules", RECIPES, faithful)


def _warmed_up(
    init_value: float, peak_value: float, warmup_steps: int, down: tuple[str, Any]
) -> Recipe:
    """A straight line up, and then another schedule from its own step 0 on."""
    up = {
        "init_value": init_value,
        "end_value": peak_value,
        "transition_steps": warmup_steps,
    }
    joined = join_schedules(False, [("linear_schedule", up), down], [warmup_steps])
    return replace(joined, warmup=max(warmup_steps, 0))


def tabulated(faithful: bool, /, rates: Sequence[float]) -> Recipe:
    """The rates that a schedule had at its first steps; the last one stays."""
    check_sequence("rates", rates)
    table = np.array(rates, dtype=np.float64)

    def rate(steps: IntArray) -> FloatArray:
        values: FloatArray = table.take(steps, mode="clip")
        return values

    return fixed(rate, float(table.max()), length_of("steps", len(table)))


RECIPES: dict[str, Callable[..., Recipe]] = {
    "constant_schedule": constant_schedule,
    "cosine_decay_schedule": cosine_decay_schedule,
    "cosine_onecycle_schedule": cosine_onecycle_schedule,
    "exponential_decay": exponential_decay,
    "join_schedules": join_schedules,
    "linear_onecycle_schedule": linear_onecycle_schedule,
    "linear_schedule": linear_schedule,
    "piecewise_constant_schedule": piecewise_constant_schedule,
    "piecewise_interpolate_schedule": piecewise_interpolate_schedule,
    "polynomial_schedule": polynomial_schedule,
    "sgdr_schedule": sgdr_schedule,
    "warmup_constant_schedule": warmup_constant_schedule,
    "warmup_cosine_decay_schedule": warmup_cosine_decay_schedule,
    "warmup_exponential_decay_schedule": warmup_exponential_decay_schedule,
    "tabulated": tabulated,
}

#: What from_optax makes of a function.
OF_OBJECTS = ("tabulated",)
