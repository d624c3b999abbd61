"""Keras' learning-rate schedules.

Each takes the arguments of the class of its name in ``keras.optimizers.schedules`` and
sets rates: the optimizer's own does not count. Nothing of theirs is mended: the first
parameter, ``faithful``, has no effect.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from keras_lr.interop.growing_cycles import GrowingCycles
from keras_lr.interop.numbers import by_calling, fixed, length_of
from keras_lr.plan.checks import check_sequence
from keras_lr.plan.curves import FloatArray
from keras_lr.plan.duration import Argument, IntArray, Length
from keras_lr.plan.recipe import Recipe
from keras_lr.plan.words import received


def cosine_decay(
    faithful: bool,
    /,
    initial_learning_rate: float,
    decay_steps: int,
    alpha: float = 0.0,
    name: str = "CosineDecay",
    warmup_target: float | None = None,
    warmup_steps: int = 0,
) -> Recipe:
    r"""Half a cosine down to a fraction, after a warmup where there is a target.

    .. math:: \eta(t) = \eta_0 + (\eta_1 - \eta_0) t / W \;(t < W), \quad
        \eta_1 [(1 - \alpha) \tfrac12 (1 + \cos \pi \tfrac{t - W}{D}) + \alpha]

    with ``initial_learning_rate`` :math:`\eta_0`, ``warmup_target`` :math:`\eta_1`,
    ``warmup_steps`` W and ``decay_steps`` D, which excludes them; without a target W
    is 0 and :math:`\eta_1 = \eta_0`.
    """
    has_warmup = warmup_target is not None
    top = initial_learning_rate if warmup_target is None else warmup_target
    warmup = warmup_steps if has_warmup else 0

    def rate(steps: IntArray) -> FloatArray:
        progress = np.clip((steps - warmup) / decay_steps, 0.0, 1.0)
        cosine = (1.0 + np.cos(np.pi * progress)) / 2.0
        decayed = top * ((1.0 - alpha) * cosine + alpha)
        rise = (top - initial_learning_rate) * steps / max(warmup, 1)
        values: FloatArray = np.where(
            steps < warmup, initial_learning_rate + rise, decayed
        )
        return values

    decay = length_of("decay_steps", decay_steps)
    whole = Length("updates", decay.length.amount + warmup)
    length = Argument("decay_steps", decay_steps, whole)
    peak = max(top, initial_learning_rate)
    return fixed(rate, peak, length=length, warmup=warmup)


def cosine_decay_restarts(
    faithful: bool,
    /,
    initial_learning_rate: float,
    first_decay_steps: int,
    t_mul: float = 2.0,
    m_mul: float = 1.0,
    alpha: float = 0.0,
    name: str = "SGDRDecay",
) -> Recipe:
    r"""Cosines that begin anew, each ``t_mul`` times as long as the one before it.

    .. math:: \eta_0 [(1 - \alpha) \tfrac12 m^i (1 + \cos \pi p) + \alpha]

    in cycle i, with the progress p in it and ``m_mul`` m: the floor does not shrink.
    """
    length_of("first_decay_steps", first_decay_steps)
    if t_mul < 1:
        raise ValueError(
            "`t_mul` must be at least 1: Keras gives no number where cycles grow "
            f"shorter. {received(t_mul=t_mul)} Take keras_lr.CosineRestarts."
        )

    cycles = GrowingCycles(first_decay_steps, t_mul)

    def rate(steps: IntArray) -> FloatArray:
        cycle = cycles.at(steps)
        length = first_decay_steps * t_mul**cycle
        progress = np.maximum(steps - cycles.begin(cycle), 0.0) / length
        cosine = (1.0 + np.cos(np.pi * progress)) / 2.0
        height = (1.0 - alpha) * float(m_mul) ** cycle
        values: FloatArray = initial_learning_rate * (height * cosine + alpha)
        return values

    return fixed(rate, initial_learning_rate)


def exponential_decay(
    faithful: bool,
    /,
    initial_learning_rate: float,
    decay_steps: int,
    decay_rate: float,
    staircase: bool = False,
    name: str = "ExponentialDecay",
) -> Recipe:
    r"""A constant factor every so many steps.

    .. math:: \eta_0 r^{t / D}

    with ``decay_rate`` r and ``decay_steps`` D; with ``staircase`` the exponent is
    rounded down.
    """
    length_of("decay_steps", decay_steps)

    def rate(steps: IntArray) -> FloatArray:
        spans = _spans(steps, decay_steps, staircase)
        values: FloatArray = initial_learning_rate * float(decay_rate) ** spans
        return values

    return fixed(rate, initial_learning_rate)


def inverse_time_decay(
    faithful: bool,
    /,
    initial_learning_rate: float,
    decay_steps: int,
    decay_rate: float,
    staircase: bool = False,
    name: str = "InverseTimeDecay",
) -> Recipe:
    r"""Falls with the inverse of time.

    .. math:: \eta_0 / (1 + r t / D)

    with ``decay_rate`` r and ``decay_steps`` D; with ``staircase`` t / D is rounded
    down.
    """
    length_of("decay_steps", decay_steps)

    def rate(steps: IntArray) -> FloatArray:
        spans = _spans(steps, decay_steps, staircase)
        values: FloatArray = initial_learning_rate / (1.0 + decay_rate * spans)
        return values

    return fixed(rate, initial_learning_rate)


def _spans(steps: IntArray, length: float, staircase: bool) -> FloatArray:
    spans: FloatArray = steps / length
    return np.floor(spans) if staircase else spans


def polynomial_decay(
    faithful: bool,
    /,
    initial_learning_rate: float,
    decay_steps: int,
    end_learning_rate: float = 0.0001,
    power: float = 1.0,
    cycle: bool = False,
    name: str = "PolynomialDecay",
) -> Recipe:
    r"""A power of what is left.

    .. math:: (\eta_0 - \eta_1) (1 - t / D)^p + \eta_1

    with ``end_learning_rate`` :math:`\eta_1` and ``decay_steps`` D, past which it
    stays; with ``cycle`` D is the next multiple of ``decay_steps`` from t on.
    """
    length = length_of("decay_steps", decay_steps)

    def rate(steps: IntArray) -> FloatArray:
        if cycle:
            whole = np.maximum(np.ceil(steps / decay_steps), 1.0) * decay_steps
            progress = steps / whole
        else:
            progress = np.minimum(steps / decay_steps, 1.0)
        height = initial_learning_rate - end_learning_rate
        values: FloatArray = height * (1.0 - progress) ** power + end_learning_rate
        return values

    peak = max(initial_learning_rate, end_learning_rate)
    return fixed(rate, peak, length=None if cycle else length)


def piecewise_constant_decay(
    faithful: bool,
    /,
    boundaries: Sequence[float],
    values: Sequence[float],
    name: str = "PiecewiseConstant",
) -> Recipe:
    """One value after another: step ``boundaries[i]`` is the last at ``values[i]``."""
    check_sequence("boundaries", boundaries)
    check_sequence("values", values)
    if len(values) != len(boundaries) + 1:
        raise ValueError(
            "`values` must be one more than `boundaries`. Received: "
            f"{len(values)} values, {len(boundaries)} boundaries."
        )
    levels = np.array(values, dtype=np.float64)

    def rate(steps: IntArray) -> FloatArray:
        found: FloatArray = levels[np.searchsorted(boundaries, steps, side="left")]
        return found

    return fixed(rate, float(levels.max()))


def any_schedule(faithful: bool, /, schedule: Callable[[Any], Any]) -> Recipe:
    """A ``LearningRateSchedule`` of one's own: what it returns when it is called."""
    return by_calling(schedule)


RECIPES = {
    "CosineDecay": cosine_decay,
    "CosineDecayRestarts": cosine_decay_restarts,
    "ExponentialDecay": exponential_decay,
    "InverseTimeDecay": inverse_time_decay,
    "PiecewiseConstantDecay": piecewise_constant_decay,
    "PolynomialDecay": polynomial_decay,
    "LearningRateSchedule": any_schedule,
}

OF_OBJECTS = ("LearningRateSchedule",)
