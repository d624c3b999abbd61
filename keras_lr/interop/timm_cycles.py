"""How timm's schedulers begin, how they go in cycles, and what is on top of both."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from keras_lr.interop.growing_cycles import ROUNDING, GrowingCycles
from keras_lr.interop.timm_noise import Noise
from keras_lr.plan.checks import check_flag, check_int, check_value, number
from keras_lr.plan.curves import FloatArray
from keras_lr.plan.duration import LONGEST, Argument, Clock, IntArray, Length
from keras_lr.plan.recipe import Recipe
from keras_lr.plan.words import received

#: Where noise is: a first step and an end, a first step, or nowhere.
NoiseRange = Sequence[float] | float | None
#: Rates at some steps without a warmup, given the optimizer's own.
Scheduled = Callable[[IntArray, float], FloatArray]
#: From 1 to 0, at some steps of a cycle and its lengths.
Shape = Callable[[FloatArray, FloatArray], FloatArray]


@dataclass(frozen=True)
class Begin:
    """How a scheduler begins.

    Attributes:
        warmup: Steps of the warmup.
        rate: The rate of its first step.
        is_prefix: Whether the schedule itself begins behind it.
        noise: What rates are multiplied by, if anything.
    """

    warmup: int
    rate: float
    is_prefix: bool
    noise: Noise | None


@dataclass(frozen=True)
class Cycles:
    """Cycles that grow, and whose peaks fall.

    Attributes:
        length: Steps of the first, above 0.
        growth: How many times as long the next one is, above 0.
        decay: What the peak of the next one is multiplied by.
        limit: How many there are.
    """

    length: float
    growth: float
    decay: float
    limit: int

    @property
    def spans(self) -> GrowingCycles:
        """Where they begin."""
        return GrowingCycles(self.length, self.growth)

    def at(self, steps: IntArray) -> FloatArray:
        """The cycle of each step, which is ``limit`` behind the last one."""
        return np.minimum(self.spans.at(steps), self.limit)

    def at_in_floats(self, steps: IntArray) -> FloatArray:
        """The cycle of each step as timm finds it."""
        if self.growth == 1:
            return np.floor_divide(steps, self.length)
        inside = 1 - steps / self.length * (1 - self.growth)
        if not (inside > 0).all():
            first = steps[inside <= 0].min()
            raise ValueError(
                f"timm fails at step {first} of its cycles, where all of them are "
                f"over. {received(cycle_mul=self.growth)} Leave `faithful` out, and "
                "the rate stays at `lr_min`."
            )
        # NumPy's logarithm is not Python's in the last digit, which is what counts.
        found = [math.floor(math.log(each, self.growth)) for each in inside.tolist()]
        return np.array(found, dtype=np.float64)


def noise_of(
    faithful: bool, span: NoiseRange, percent: float, deviation: float, seed: int | None
) -> Noise | None:
    """The noise that the arguments ask for, if any."""
    check_value("noise_pct", percent, above=0)
    check_value("noise_std", deviation, above=0)
    if seed is not None:
        check_int("noise_seed", seed)
    if span is None:
        return None
    if isinstance(span, list | tuple):
        if len(span) != 2:
            raise ValueError(
                "`noise_range_t` must be a first step, or a first step and an end. "
                f"{received(noise_range_t=span)}"
            )
        first, end = (number("noise_range_t", each) for each in span)
    else:
        first, end = number("noise_range_t", span), math.inf
    # timm keeps `noise_std`, and never looks at it.
    spread = 1.0 if faithful else deviation
    # None but the lower 32 bits count.
    return Noise(first, end, percent, spread, (42 if seed is None else seed) % 2**32)


def begin_of(warmup: int, rate: float, is_prefix: bool, noise: Noise | None) -> Begin:
    """How a scheduler begins, checked."""
    check_value("warmup_t", warmup)
    check_value("warmup_lr_init", rate)
    check_flag("warmup_prefix", is_prefix)
    return Begin(warmup, float(rate), is_prefix, noise)


def check_flags(t_in_epochs: bool, initialize: bool) -> None:
    """Check two arguments that have no effect on the rate of a step.

    The first tells what a step is, the second where torch keeps the own rate.
    """
    check_flag("t_in_epochs", t_in_epochs)
    check_flag("initialize", initialize)


def cycles_of(length: int, growth: float, decay: float, limit: int) -> Cycles:
    """Cycles, checked."""
    check_value("t_initial", length, above=0)
    check_value("cycle_mul", growth, above=0)
    check_value("cycle_decay", decay)
    check_value("cycle_limit", limit)
    return Cycles(length, float(growth), float(decay), limit)


def cyclic(
    faithful: bool,
    shape: Shape,
    cycles: Cycles,
    lr_min: float,
    begin: Begin,
    is_met: bool = False,
) -> Recipe:
    """A recipe of cycles of one shape."""
    check_value("lr_min", lr_min)

    def scheduled(steps: IntArray, base: float) -> FloatArray:
        cycle = cycles.at_in_floats(steps) if faithful else cycles.at(steps)
        position = np.maximum(steps - cycles.spans.begin(cycle), 0.0)
        length = cycles.length * cycles.growth**cycle
        peak = base * cycles.decay**cycle
        height = shape(np.minimum(position, length), length)
        values: FloatArray = lr_min + (peak - lr_min) * height
        return np.where(cycle < cycles.limit, values, lr_min)

    length = _length(cycles, begin)
    return begun(scheduled, begin, lr_min, length, is_met)


def _length(cycles: Cycles, begin: Begin) -> Argument | None:
    """The length of all cycles, with the warmup before them; None without any end."""
    with np.errstate(over="ignore"):
        end = float(cycles.spans.begin(np.array([cycles.limit], np.float64))[0])
    if begin.is_prefix:
        end += begin.warmup
    if not 0 < end < LONGEST:
        return None
    whole = Length("updates", math.ceil(end * (1 - ROUNDING)))
    return Argument("t_initial", cycles.length, whole)


def begun(
    scheduled: Scheduled,
    begin: Begin,
    floor: float | None = None,
    length: Argument | None = None,
    is_met: bool = False,
) -> Recipe:
    """A recipe that begins with a warmup, and has noise.

    Args:
        scheduled: The rates without both.
        begin: The warmup and the noise.
        floor: The lowest rate.
        length: How long it is.
        is_met: Whether a warmup without prefix goes to the rate behind it, and not to
            the optimizer's own.
    """
    warmup = begin.warmup

    def rate(steps: IntArray, base: float, run: Clock) -> FloatArray:
        target = base
        if is_met and warmup and not begin.is_prefix:
            target = float(scheduled(np.array([warmup]), base)[0])
        rise = begin.rate + steps * (target - begin.rate) / max(warmup, 1)
        since = steps - warmup if begin.is_prefix else steps
        values = np.where(steps < warmup, rise, scheduled(np.maximum(since, 0), base))
        if begin.noise is not None:
            values = values * begin.noise.factors(steps)
        return np.where(steps == 0, begin.rate if warmup else base, values)

    return Recipe(rate, floor=floor, length=length, warmup=math.ceil(warmup))
