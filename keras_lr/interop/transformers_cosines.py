r"""The cosines of transformers' ``get_scheduler``.

The symbols are those of :mod:`keras_lr.interop.transformers_schedules`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from keras_lr.interop.numbers import length_of
from keras_lr.interop.torch_numbers import check_start
from keras_lr.interop.transformers_warmup import (
    Factor,
    rise,
    rising,
    scaling,
    warmup_of,
)
from keras_lr.plan.checks import check_rate, check_value
from keras_lr.plan.curves import FloatArray
from keras_lr.plan.duration import Clock, IntArray
from keras_lr.plan.recipe import Recipe
from keras_lr.plan.words import received


def cosine(
    faithful: bool,
    /,
    num_warmup_steps: int,
    num_training_steps: int,
    num_cycles: float = 0.5,
    last_epoch: int = -1,
) -> Recipe:
    r"""Waves of a cosine, :math:`\tfrac12 (1 + \cos 2 \pi c p)`, c ``num_cycles``.

    Half a wave is one way down, to zero.
    """
    return cosine_with_min_lr(
        faithful,
        num_warmup_steps,
        num_training_steps,
        num_cycles,
        last_epoch,
        min_lr_rate=0.0,
    )


def cosine_with_min_lr(
    faithful: bool,
    /,
    num_warmup_steps: int,
    num_training_steps: int,
    num_cycles: float = 0.5,
    last_epoch: int = -1,
    min_lr: float | None = None,
    min_lr_rate: float | None = None,
) -> Recipe:
    """As :func:`cosine`, down to a rate or to a fraction of the optimizer's own."""
    check_start(last_epoch)
    warmup = warmup_of(num_warmup_steps)
    length = length_of("num_training_steps", num_training_steps)
    wave = _wave(faithful, warmup, num_training_steps, num_cycles)
    bottom = _bottom_of(min_lr, min_lr_rate)

    def rate(steps: IntArray, base: float, run: Clock) -> FloatArray:
        up = base * rise(steps, warmup)
        return np.where(steps < warmup, up, _between(bottom(base), base, wave(steps)))

    return Recipe(rate, floor=min_lr, length=length, warmup=warmup)


def cosine_warmup_with_min_lr(
    faithful: bool,
    /,
    num_warmup_steps: int,
    num_training_steps: int,
    num_cycles: float = 0.5,
    last_epoch: int = -1,
    min_lr: float | None = None,
    min_lr_rate: float | None = None,
    warmup_lr_rate: float | None = None,
) -> Recipe:
    r"""As :func:`cosine_with_min_lr`, with the peak one step earlier.

    The warmup is :math:`(t + 1) / W`, or with ``warmup_lr_rate`` r
    :math:`r + (1 - r) t / \max(1, W - 1)`; the progress is
    :math:`(t - W + 1) / \max(1, T - W)`.
    """
    check_start(last_epoch)
    check_rate("warmup_lr_rate", warmup_lr_rate)
    warmup = warmup_of(num_warmup_steps)
    length = length_of("num_training_steps", num_training_steps)
    wave = _wave(faithful, warmup, num_training_steps, num_cycles)
    bottom = _bottom_of(min_lr, min_lr_rate)

    def rate(steps: IntArray, base: float, run: Clock) -> FloatArray:
        if warmup_lr_rate is None:
            height = rise(steps + 1, warmup)
        else:
            height = warmup_lr_rate + (1.0 - warmup_lr_rate) * rise(steps, warmup - 1)
        down = _between(bottom(base), base, wave(steps + 1))
        return np.where(steps < warmup, base * height, down)

    return Recipe(rate, floor=min_lr, length=length, warmup=warmup)


def _between(bottom: float, top: float, height: FloatArray) -> FloatArray:
    """The rate at some heights from 0 to 1; never below zero, as in the original."""
    return np.maximum(bottom + (top - bottom) * height, 0.0)


def _bottom_of(
    min_lr: float | None, min_lr_rate: float | None
) -> Callable[[float], float]:
    """The rate that a cosine goes down to, given the optimizer's own."""
    if (min_lr is None) == (min_lr_rate is None):
        raise ValueError(
            "Give either `min_lr` or `min_lr_rate`. "
            f"{received(min_lr=min_lr, min_lr_rate=min_lr_rate)}"
        )
    check_rate("min_lr", min_lr)
    check_rate("min_lr_rate", min_lr_rate)

    def bottom(base: float) -> float:
        if min_lr_rate is not None:
            return base * min_lr_rate
        return float(min_lr or 0.0)

    return bottom


def _wave(faithful: bool, warmup: int, end: int, cycles: float) -> Factor:
    """Cosine waves from the warmup's end on; unless faithful, no further than ``end``.

    Args:
        faithful: Whether the wave goes on past its end.
        warmup: Where it begins.
        end: Where it ends.
        cycles: Waves from begin to end.
    """
    check_value("num_cycles", cycles)

    def wave(steps: IntArray) -> FloatArray:
        progress = (steps - warmup) / max(1, end - warmup)
        if not faithful:
            progress = np.minimum(progress, 1.0)
        values: FloatArray = 0.5 * (1.0 + np.cos(2.0 * np.pi * cycles * progress))
        return values

    return wave


def cosine_with_restarts(
    faithful: bool,
    /,
    num_warmup_steps: int,
    num_training_steps: int,
    num_cycles: int = 1,
    last_epoch: int = -1,
) -> Recipe:
    r"""Half cosines that begin anew, :math:`\tfrac12 (1 + \cos \pi (c p \bmod 1))`.

    With c ``num_cycles`` cycles; zero from T on.
    """
    check_start(last_epoch)
    warmup = warmup_of(num_warmup_steps)
    length = length_of("num_training_steps", num_training_steps)
    check_value("num_cycles", num_cycles)
    decay = max(1, num_training_steps - warmup)

    def falling(steps: IntArray) -> FloatArray:
        done = steps - warmup
        if faithful:
            position = (num_cycles * (done / decay)) % 1.0
        else:
            # The remainder of whole numbers: a restart is at the step that it is at.
            position = ((num_cycles * done) % decay) / decay
        values = 0.5 * (1.0 + np.cos(np.pi * position))
        return np.where(done >= decay, 0.0, values)

    return scaling(rising(warmup, falling), warmup, length)
