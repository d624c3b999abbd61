r"""The schedules of transformers' ``get_scheduler``.

Each takes the arguments of the function of transformers that makes it, and multiplies
the optimizer's own rate; ``min_lr`` and ``lr_end`` are rates. Below, W is
``num_warmup_steps``, T ``num_training_steps``, and p the progress from W to T,
:math:`(t - W) / \max(1, T - W)`. Up to W the factor is :math:`t / W`, unless said
otherwise: the first step has a rate of zero.

What ``faithful`` keeps: cosines go on past T, and so rise again; hard restarts are
found in floating point, which can be a step late; a polynomial without a decay has no
value at T. By default the last value stays, restarts are exact, and there is a value.

Source: transformers 5.23.0, ``optimization.py``.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from keras_lr.interop.numbers import length_of
from keras_lr.interop.torch_numbers import check_start
from keras_lr.interop.torch_schedulers import reduce_lr_on_plateau
from keras_lr.interop.transformers_cosines import (
    cosine,
    cosine_warmup_with_min_lr,
    cosine_with_min_lr,
    cosine_with_restarts,
)
from keras_lr.interop.transformers_warmup import (
    as_called,
    rise,
    rising,
    scaling,
    warmup_of,
)
from keras_lr.plan.checks import check_choice, check_rate, check_value
from keras_lr.plan.curves import FloatArray
from keras_lr.plan.duration import Clock, IntArray
from keras_lr.plan.recipe import Recipe
from keras_lr.plan.words import received


def constant(faithful: bool, /, last_epoch: int = -1) -> Recipe:
    """The optimizer's own rate."""
    check_start(last_epoch)
    return scaling(lambda steps: np.ones(steps.shape))


def constant_with_warmup(
    faithful: bool, /, num_warmup_steps: int, last_epoch: int = -1
) -> Recipe:
    """A warmup, then the optimizer's own rate."""
    check_start(last_epoch)
    warmup = warmup_of(num_warmup_steps)
    return scaling(rising(warmup, lambda steps: np.ones(steps.shape)), warmup)


def linear(
    faithful: bool,
    /,
    num_warmup_steps: int,
    num_training_steps: int,
    last_epoch: int = -1,
) -> Recipe:
    r"""A straight line to zero, :math:`\max(0, T - t) / \max(1, T - W)`."""
    check_start(last_epoch)
    warmup = warmup_of(num_warmup_steps)
    length = length_of("num_training_steps", num_training_steps)
    decay = max(1, num_training_steps - warmup)

    def falling(steps: IntArray) -> FloatArray:
        left: FloatArray = np.maximum(num_training_steps - steps, 0) / decay
        return left

    return scaling(rising(warmup, falling), warmup, length)


def polynomial(
    faithful: bool,
    /,
    num_warmup_steps: int,
    num_training_steps: int,
    lr_end: float = 1e-7,
    power: float = 1.0,
    last_epoch: int = -1,
    lr_init: float | None = None,
) -> Recipe:
    r"""A power of what is left, :math:`\eta [(h - e) (1 - p)^a + e] / h`.

    From the optimizer's own rate :math:`\eta`, to ``lr_end`` e where that is h, with
    ``power`` a. For h transformers takes the rate that the optimizer was made with:
    ``lr_init``, or None for the own rate.
    """
    check_start(last_epoch)
    check_value("lr_end", lr_end)
    check_value("power", power)
    check_rate("lr_init", lr_init, above=0)
    warmup = warmup_of(num_warmup_steps)
    length = length_of("num_training_steps", num_training_steps)
    decay = num_training_steps - warmup
    if faithful and decay == 0:
        raise ValueError(
            "Without a decay transformers divides by zero at its end. "
            f"{received(num_warmup_steps=warmup, num_training_steps=warmup)} "
            "Leave `faithful` out, and that step has the optimizer's own rate."
        )

    def rate(steps: IntArray, base: float, run: Clock) -> FloatArray:
        if base < lr_end:
            raise ValueError(
                "`lr_end` must not be above the optimizer's own rate "
                f"(={base:g}). {received(lr_end=lr_end)}"
            )
        progress = np.clip((steps - warmup) / max(1, decay), 0.0, 1.0)
        falling = (base - lr_end) * (1.0 - progress) ** power + lr_end
        falling = np.where(steps > num_training_steps, lr_end, falling)
        return np.where(steps < warmup, base * rise(steps, warmup), falling)

    return Recipe(rate, floor=lr_end, length=length, warmup=warmup)


def inverse_sqrt(
    faithful: bool,
    /,
    num_warmup_steps: int,
    timescale: int | None = None,
    last_epoch: int = -1,
) -> Recipe:
    r"""One over a square root, :math:`((t - W) / s + 1)^{-1/2}`.

    With ``timescale`` s; None for W, or for 10,000 where there is no warmup.
    """
    check_start(last_epoch)
    warmup = warmup_of(num_warmup_steps)
    scale = (warmup or 10_000) if timescale is None else timescale
    check_value("timescale", scale, above=0)

    def falling(steps: IntArray) -> FloatArray:
        done = np.maximum(steps - warmup, 0)
        values: FloatArray = 1.0 / np.sqrt(done / scale + 1.0)
        return values

    return scaling(rising(warmup, falling), warmup)


#: How a warmup or a decay goes from 0 to 1, at some progress; a cosine in waves.
SHAPES = ("linear", "cosine", "1-sqrt")


def warmup_stable_decay(
    faithful: bool,
    /,
    num_warmup_steps: int,
    num_decay_steps: int,
    num_training_steps: int | None = None,
    num_stable_steps: int | None = None,
    warmup_type: str = "linear",
    decay_type: str = "cosine",
    min_lr_ratio: float = 0.0,
    num_cycles: float = 0.5,
    last_epoch: int = -1,
) -> Recipe:
    r"""A warmup, a plateau, and a decay, from and to a fraction.

    .. math:: m + (1 - m) \, w(p), \quad 1, \quad m + (1 - m) \, d(p), \quad m

    with ``min_lr_ratio`` m and the progress p in each part. The warmup w is p,
    :math:`\tfrac12 (1 - \cos \pi p)` or :math:`1 - \sqrt{1 - p}`; the decay d is
    :math:`1 - p`, :math:`\tfrac12 (1 + \cos 2 \pi c p)` with c ``num_cycles``, or
    :math:`1 - \sqrt p`. The plateau is what is left of T, unless ``num_stable_steps``
    says how long it is.
    """
    check_start(last_epoch)
    check_choice("warmup_type", warmup_type, SHAPES)
    check_choice("decay_type", decay_type, SHAPES)
    check_value("min_lr_ratio", min_lr_ratio)
    check_value("num_cycles", num_cycles)
    warmup = warmup_of(num_warmup_steps)
    check_value("num_decay_steps", num_decay_steps)
    stable = _stable(
        faithful, warmup, num_decay_steps, num_training_steps, num_stable_steps
    )
    begin = warmup + stable
    end = begin + num_decay_steps

    def factor(steps: IntArray) -> FloatArray:
        up = _up(rise(np.minimum(steps, warmup), warmup), warmup_type)
        done = np.clip((steps - begin) / max(1, num_decay_steps), 0.0, 1.0)
        down = _down(done, decay_type, num_cycles)
        bare = np.where(steps < warmup, up, np.where(steps < begin, 1.0, down))
        values = np.maximum(bare * (1.0 - min_lr_ratio) + min_lr_ratio, 0.0)
        return np.where((steps >= warmup) & (steps >= end), min_lr_ratio, values)

    length = length_of("num_training_steps", end)
    return scaling(factor, warmup, length)


def _stable(
    faithful: bool,
    warmup: int,
    decay: int,
    total: int | None,
    stable: int | None,
) -> int:
    """Steps of the plateau."""
    if stable is not None:
        check_value("num_stable_steps", stable)
        return stable
    if total is None:
        raise ValueError(
            "A plateau needs its length: give `num_training_steps` or "
            "`num_stable_steps`. Received: neither."
        )
    left = total - warmup - decay
    if left < 0 and not faithful:
        # The decay would begin in the middle of the warmup, with a jump behind it.
        lengths = received(
            num_warmup_steps=warmup, num_decay_steps=decay, num_training_steps=total
        )
        raise ValueError(
            "`num_training_steps` must be at least the warmup and the decay together. "
            f"{lengths}"
        )
    return left


def _up(progress: FloatArray, shape: str) -> FloatArray:
    if shape == "linear":
        return progress
    if shape == "cosine":
        wave: FloatArray = 0.5 * (1.0 - np.cos(np.pi * progress))
        return wave
    root: FloatArray = 1.0 - np.sqrt(1.0 - progress)
    return root


def _down(progress: FloatArray, shape: str, cycles: float) -> FloatArray:
    if shape == "linear":
        return 1.0 - progress
    if shape == "cosine":
        wave: FloatArray = 0.5 * (1.0 + np.cos(2.0 * np.pi * cycles * progress))
        return wave
    root: FloatArray = 1.0 - np.sqrt(progress)
    return root


_MAKERS: dict[str, Callable[..., Recipe]] = {
    "linear": linear,
    "cosine": cosine,
    "cosine_with_restarts": cosine_with_restarts,
    "polynomial": polynomial,
    "constant": constant,
    "constant_with_warmup": constant_with_warmup,
    "inverse_sqrt": inverse_sqrt,
    "cosine_with_min_lr": cosine_with_min_lr,
    "cosine_warmup_with_min_lr": cosine_warmup_with_min_lr,
    "warmup_stable_decay": warmup_stable_decay,
}

RECIPES: dict[str, Callable[..., Recipe]] = {
    **{name: as_called(maker) for name, maker in _MAKERS.items()},
    # The functions that get_scheduler calls.
    "get_constant_schedule": constant,
    "get_constant_schedule_with_warmup": constant_with_warmup,
    "get_linear_schedule_with_warmup": linear,
    "get_cosine_schedule_with_warmup": cosine,
    "get_cosine_with_hard_restarts_schedule_with_warmup": cosine_with_restarts,
    "get_polynomial_decay_schedule_with_warmup": polynomial,
    "get_inverse_sqrt_schedule": inverse_sqrt,
    "get_cosine_with_min_lr_schedule_with_warmup": cosine_with_min_lr,
    "get_cosine_with_min_lr_schedule_with_warmup_lr_rate": cosine_warmup_with_min_lr,
    "get_wsd_schedule": warmup_stable_decay,
}

PLATEAUS = {
    "reduce_lr_on_plateau": reduce_lr_on_plateau,
    "get_reduce_on_plateau_schedule": reduce_lr_on_plateau,
}

_GREEDY = "it moves the rate up and down with a metric. keras_lr.Plateau moves it down."

REFUSED = {"greedy": _GREEDY, "get_greedy_schedule": _GREEDY, "GreedyLR": _GREEDY}
