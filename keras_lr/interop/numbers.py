"""What the recipes of several libraries share."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from keras_lr.plan.checks import check_value
from keras_lr.plan.curves import FloatArray
from keras_lr.plan.duration import Argument, Clock, IntArray, Length
from keras_lr.plan.recipe import Recipe


def fixed(
    rate: Callable[[IntArray], FloatArray],
    peak: float,
    length: Argument | None = None,
    warmup: int = 0,
) -> Recipe:
    """A recipe that sets rates and looks at the steps alone.

    Args:
        rate: The rates at some steps.
        peak: The highest of them that it is given; where none is above 0, factor 1
            stands for a rate of 1.
        length: The argument that tells how long it is.
        warmup: Steps of its warmup.
    """

    def rates(steps: IntArray, base: float, run: Clock) -> FloatArray:
        return rate(steps)

    return Recipe(
        rates,
        peak=float(peak) if peak > 0 else 1.0,
        length=length,
        warmup=warmup,
    )


def length_of(name: str, steps: Any) -> Argument:
    """A number of steps, above 0, as the length of a recipe.

    Raises:
        TypeError: If it is no number.
        ValueError: If it is not above 0, and finite.
    """
    check_value(name, steps, above=0)
    # The originals take 1e4 as well, and some of them half a step.
    return Argument(name, steps, Length("updates", math.ceil(steps)))


def called(schedule: Callable[[Any], Any], steps: IntArray) -> FloatArray:
    """What a function of a step gives at some steps.

    It is called with all of them at once; where it does not take an array, or gives
    something else than for each of them alone, with one after the other.
    """
    if not len(steps):
        return np.zeros(0)
    places = np.unique([0, len(steps) // 2, len(steps) - 1])
    alone = _one_by_one(schedule, steps[places])
    try:
        together = np.array(schedule(steps), dtype=np.float64)
    except Exception:
        # Whatever it raises, a step alone has told that it can be called.
        return _one_by_one(schedule, steps)
    if together.shape == steps.shape and np.allclose(together[places], alone, 1e-6, 0):
        return together
    return _one_by_one(schedule, steps)


def _one_by_one(schedule: Callable[[Any], Any], steps: IntArray) -> FloatArray:
    return np.array([float(schedule(step)) for step in steps.tolist()])


def by_calling(schedule: Callable[[Any], Any]) -> Recipe:
    """The recipe of a function of the step.

    Factor 1 stands for its first rate; where that is not above 0, as when it warms up,
    for a rate of 1.
    """

    def rate(steps: IntArray, base: float, run: Clock) -> FloatArray:
        return called(schedule, steps)

    first = float(schedule(0))
    return Recipe(rate, peak=first if first > 0 else 1.0)
