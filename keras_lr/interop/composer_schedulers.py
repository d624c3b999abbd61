r"""The schedulers of MosaicML's composer.

Each takes the arguments of the class of its name, and ``scale_schedule_ratio``, which
is one of composer's trainer: it stretches what is counted in epochs and batches, but a
warmup only with ``scale_warmup``. The training's own length is that of the run. All
multiply the optimizer's own rate by a factor of the batch t; times are rounded down to
whole batches. A warmup is :math:`t / W` times the first factor behind it.

What ``faithful`` keeps: products are rounded down as floating point has them (29 % of
100 batches are 28); a scaled warmup ends where an unscaled one would, so that the
factor jumps there, or waits; with a warmup, a ``t_max`` before the end of the training
is refused. By default they are rounded down but for noise in the last digits, the
warmup ends at its end, and the last value stays.

Source: composer, commit 64051888 of April 2026, ``optim/scheduler.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from keras_lr.interop.composer_times import Training, time_of
from keras_lr.plan.checks import check_flag, check_sequence, check_value, number
from keras_lr.plan.curves import FloatArray
from keras_lr.plan.duration import Argument, Clock, IntArray
from keras_lr.plan.recipe import Recipe

#: Factors at some batches of a training.
Factor = Callable[[IntArray, Training], FloatArray]
#: Factors at some progress from 0 to 1.
Shape = Callable[[FloatArray], FloatArray]


def step(
    faithful: bool,
    /,
    step_size: str,
    gamma: float = 0.1,
    scale_schedule_ratio: float = 1.0,
) -> Recipe:
    r"""A factor each so many batches, :math:`\gamma^{\lfloor t / S \rfloor}`."""
    size = time_of("step_size", step_size)
    check_value("gamma", gamma)

    def factor(steps: IntArray, training: Training) -> FloatArray:
        return np.power(float(gamma), steps // training.some_batches(size))

    return _scaling(faithful, scale_schedule_ratio, factor)


def multi_step(
    faithful: bool,
    /,
    milestones: Sequence[str],
    gamma: float = 0.1,
    scale_schedule_ratio: float = 1.0,
) -> Recipe:
    """A factor at each milestone."""
    return _scaling(faithful, scale_schedule_ratio, _dropping(milestones, gamma))


def constant(
    faithful: bool,
    /,
    alpha: float = 1.0,
    t_max: str = "1dur",
    scale_schedule_ratio: float = 1.0,
) -> Recipe:
    """A factor up to ``t_max``, then 1."""
    end = time_of("t_max", t_max)
    check_value("alpha", alpha)

    def factor(steps: IntArray, training: Training) -> FloatArray:
        return np.where(steps < training.batches(end), float(alpha), 1.0)

    return _scaling(faithful, scale_schedule_ratio, factor, end)


def linear(
    faithful: bool,
    /,
    alpha_i: float = 1.0,
    alpha_f: float = 0.0,
    t_max: str = "1dur",
    scale_schedule_ratio: float = 1.0,
) -> Recipe:
    r"""A straight line, :math:`a + (b - a) \min(1, t / T)`."""
    shape = _line(alpha_i, alpha_f)
    return _shaped(faithful, scale_schedule_ratio, shape, t_max)


def exponential(
    faithful: bool,
    /,
    gamma: float,
    decay_period: str = "1ep",
    scale_schedule_ratio: float = 1.0,
) -> Recipe:
    r"""Equal factors in equal times, :math:`\gamma^{t / P}`."""
    period = time_of("decay_period", decay_period)
    check_value("gamma", gamma)

    def factor(steps: IntArray, training: Training) -> FloatArray:
        return np.power(float(gamma), steps / training.some_batches(period))

    return _scaling(faithful, scale_schedule_ratio, factor)


def cosine_annealing(
    faithful: bool,
    /,
    t_max: str = "1dur",
    alpha_f: float = 0.0,
    scale_schedule_ratio: float = 1.0,
) -> Recipe:
    r"""Half a cosine, :math:`b + (1 - b) \tfrac12 (1 + \cos \pi \min(1, t / T))`."""
    return _shaped(faithful, scale_schedule_ratio, _cosine(alpha_f), t_max)


def cosine_annealing_warm_restarts(
    faithful: bool,
    /,
    t_0: str,
    t_mult: float = 1.0,
    alpha_f: float = 0.0,
    scale_schedule_ratio: float = 1.0,
) -> Recipe:
    """Half cosines that begin anew, each ``t_mult`` times as long, rounded down."""
    first = time_of("t_0", t_0)
    check_value("t_mult", t_mult, above=0)
    shape = _cosine(alpha_f)

    def factor(steps: IntArray, training: Training) -> FloatArray:
        last = int(steps.max(initial=0))
        begins, lengths = training.cycles(first, t_mult, last)
        index = np.searchsorted(begins, steps, side="right") - 1
        # Where lengths have come to stay, all further cycles are as the last one.
        done = (steps - begins[index]) % lengths[index]
        return shape(done / lengths[index])

    return _scaling(faithful, scale_schedule_ratio, factor)


def polynomial(
    faithful: bool,
    /,
    power: float,
    t_max: str = "1dur",
    alpha_f: float = 0.0,
    scale_schedule_ratio: float = 1.0,
) -> Recipe:
    r"""A power of what is left, :math:`b + (1 - b) (1 - \min(1, t / T))^k`."""
    shape = _power(power, alpha_f)
    return _shaped(faithful, scale_schedule_ratio, shape, t_max)


def multi_step_with_warmup(
    faithful: bool,
    /,
    t_warmup: str,
    milestones: Sequence[str],
    gamma: float = 0.1,
    scale_warmup: bool = False,
    scale_schedule_ratio: float = 1.0,
) -> Recipe:
    """A warmup, then as :func:`multi_step`, whose milestones are counted from 0."""
    warmup = time_of("t_warmup", t_warmup)
    check_flag("scale_warmup", scale_warmup)
    factor = _warmed_up(warmup, scale_warmup, 1.0, _dropping(milestones, gamma))
    made = _scaling(faithful, scale_schedule_ratio, factor)
    return _with_warmup(made, warmup, scale_warmup, scale_schedule_ratio)


def constant_with_warmup(
    faithful: bool,
    /,
    t_warmup: str,
    alpha: float = 1.0,
    t_max: str = "1dur",
    scale_warmup: bool = False,
    scale_schedule_ratio: float = 1.0,
) -> Recipe:
    """A warmup, then a factor."""
    return linear_with_warmup(
        faithful, t_warmup, alpha, alpha, t_max, scale_warmup, scale_schedule_ratio
    )


def linear_with_warmup(
    faithful: bool,
    /,
    t_warmup: str,
    alpha_i: float = 1.0,
    alpha_f: float = 0.0,
    t_max: str = "1dur",
    scale_warmup: bool = False,
    scale_schedule_ratio: float = 1.0,
) -> Recipe:
    """A warmup, then as :func:`linear` in what is left of ``t_max``."""
    shape = _line(alpha_i, alpha_f)
    return _shaped_behind(
        faithful, t_warmup, t_max, scale_warmup, scale_schedule_ratio, shape
    )


def cosine_annealing_with_warmup(
    faithful: bool,
    /,
    t_warmup: str,
    t_max: str = "1dur",
    alpha_f: float = 0.0,
    scale_warmup: bool = False,
    scale_schedule_ratio: float = 1.0,
) -> Recipe:
    """A warmup, then as :func:`cosine_annealing` in what is left of ``t_max``."""
    shape = _cosine(alpha_f)
    return _shaped_behind(
        faithful, t_warmup, t_max, scale_warmup, scale_schedule_ratio, shape
    )


def polynomial_with_warmup(
    faithful: bool,
    /,
    t_warmup: str,
    power: float = 2.0,
    t_max: str = "1dur",
    alpha_f: float = 0.0,
    scale_warmup: bool = False,
    scale_schedule_ratio: float = 1.0,
) -> Recipe:
    """A warmup, then as :func:`polynomial` in what is left of ``t_max``."""
    shape = _power(power, alpha_f)
    return _shaped_behind(
        faithful, t_warmup, t_max, scale_warmup, scale_schedule_ratio, shape
    )


# Shapes.


def _line(first: float, last: float) -> Shape:
    check_value("alpha_i", first)
    check_value("alpha_f", last)
    return lambda progress: first + progress * (last - first)


def _cosine(last: float) -> Shape:
    check_value("alpha_f", last)

    def shape(progress: FloatArray) -> FloatArray:
        wave: FloatArray = (1.0 + np.cos(np.pi * progress)) / 2.0
        return last + (1.0 - last) * wave

    return shape


def _power(power: float, last: float) -> Shape:
    check_value("power", power)
    check_value("alpha_f", last)
    return lambda progress: last + (1.0 - last) * (1.0 - progress) ** power


def _dropping(milestones: Sequence[str], gamma: float) -> Factor:
    """A factor for each milestone that has been reached."""
    check_sequence("milestones", milestones)
    times = [time_of("milestones", each) for each in milestones]
    check_value("gamma", gamma)

    def factor(steps: IntArray, training: Training) -> FloatArray:
        reached = np.sort([training.batches(time) for time in times])
        return np.power(float(gamma), np.searchsorted(reached, steps, side="right"))

    return factor


# What is around them.


def _scaling(
    faithful: bool, ratio: float, factor: Factor, end: Argument | None = None
) -> Recipe:
    """A recipe that multiplies the optimizer's own rate by factors."""
    check_value("scale_schedule_ratio", ratio, above=0)

    def rate(steps: IntArray, base: float, run: Clock) -> FloatArray:
        return base * factor(steps, Training(run, number("ratio", ratio), faithful))

    return Recipe(rate, length=None if end is None else _scaled(end, ratio))


def _scaled(time: Argument, ratio: float) -> Argument | None:
    """A time with the ratio; None for none at all."""
    length = time.length
    if length.unit == "fraction":
        return time
    amount = length.amount * ratio
    if length.unit == "updates":
        amount = int(amount)
    return replace(time, length=length._replace(amount=amount)) if amount else None


def _shaped(faithful: bool, ratio: float, shape: Shape, t_max: str) -> Recipe:
    """A recipe of a shape from the first batch to ``t_max``."""
    end = time_of("t_max", t_max)

    def factor(steps: IntArray, training: Training) -> FloatArray:
        return shape(np.minimum(steps / training.some_batches(end), 1.0))

    return _scaling(faithful, ratio, factor, end)


def _shaped_behind(
    faithful: bool,
    t_warmup: str,
    t_max: str,
    scale_warmup: bool,
    ratio: float,
    shape: Shape,
) -> Recipe:
    """A recipe of a warmup, and a shape from its end to ``t_max``."""
    warmup = time_of("t_warmup", t_warmup)
    end = time_of("t_max", t_max)
    check_flag("scale_warmup", scale_warmup)

    def behind(steps: IntArray, training: Training) -> FloatArray:
        training.check_end(end)
        begin = _warmup_end(training, warmup, scale_warmup)
        left = training.batches(end) - begin
        if left <= 0:
            # Without any way to go it stays where it is.
            return shape(np.zeros(steps.shape))
        return shape(np.clip((steps - begin) / left, 0.0, 1.0))

    first = float(shape(np.zeros(1))[0])
    factor = _warmed_up(warmup, scale_warmup, first, behind)
    made = _scaling(faithful, ratio, factor, end)
    return _with_warmup(made, warmup, scale_warmup, ratio)


def _warmed_up(
    warmup: Argument, scale_warmup: bool, first: float, behind: Factor
) -> Factor:
    """A straight line from zero to a first factor, then others."""

    def factor(steps: IntArray, training: Training) -> FloatArray:
        begin = _warmup_end(training, warmup, scale_warmup)
        if begin == 0:
            return behind(steps, training)
        top = training.some_batches(warmup, scale_warmup)
        rise = first * np.minimum(steps / top, 1.0)
        return np.where(steps < begin, rise, behind(steps, training))

    return factor


def _warmup_end(training: Training, warmup: Argument, scale_warmup: bool) -> int:
    # composer leaves a warmup when one that is not scaled would be over.
    return training.batches(warmup, scale_warmup and not training.faithful)


def _with_warmup(
    made: Recipe, warmup: Argument, scale_warmup: bool, ratio: float
) -> Recipe:
    """A recipe with the length of its warmup, where it is counted in batches."""
    if warmup.length.unit != "updates":
        return made
    return replace(
        made, warmup=int(warmup.length.amount * (ratio if scale_warmup else 1.0))
    )


RECIPES: dict[str, Callable[..., Recipe]] = {
    "StepScheduler": step,
    "MultiStepScheduler": multi_step,
    "ConstantScheduler": constant,
    "LinearScheduler": linear,
    "ExponentialScheduler": exponential,
    "CosineAnnealingScheduler": cosine_annealing,
    "CosineAnnealingWarmRestartsScheduler": cosine_annealing_warm_restarts,
    "PolynomialScheduler": polynomial,
    "MultiStepWithWarmupScheduler": multi_step_with_warmup,
    "ConstantWithWarmupScheduler": constant_with_warmup,
    "LinearWithWarmupScheduler": linear_with_warmup,
    "CosineAnnealingWithWarmupScheduler": cosine_annealing_with_warmup,
    "PolynomialWithWarmupScheduler": polynomial_with_warmup,
}
