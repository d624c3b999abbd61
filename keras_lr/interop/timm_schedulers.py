r"""The schedulers of timm.

Each takes the arguments of the class of its name and multiplies the optimizer's own
rate :math:`\eta`; ``lr_min`` and ``warmup_lr_init`` are rates. A step is an epoch, or
with ``t_in_epochs=False`` an update. All of them begin with

.. math:: w + (\eta - w) t / W, \quad t < W

with ``warmup_t`` W and ``warmup_lr_init`` w. With ``warmup_prefix`` the schedule itself
begins after the warmup; without, it has been running underneath, and the rate jumps
where the warmup ends, which timm documents. The rate of step 0 is the one that timm's
constructor sets, w or :math:`\eta`, without noise.

What ``faithful`` keeps: ``noise_std`` has no effect (by default it is the standard
deviation of the noise); ``MultiStepLRScheduler`` drops one step early; a restart, or a
drop each fractional ``decay_t``, can be a step late, because it is found in floating
point; cycles that grow shorter raise an error where all of them are over.

Source: timm, commit aa4b5850 of August 2026, ``timm/scheduler``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from keras_lr.interop.growing_cycles import whole_times
from keras_lr.interop.timm_cycles import (
    NoiseRange,
    begin_of,
    begun,
    check_flags,
    cycles_of,
    cyclic,
    noise_of,
)
from keras_lr.plan.checks import (
    check_choice,
    check_flag,
    check_sequence,
    check_value,
    number,
)
from keras_lr.plan.curves import FloatArray
from keras_lr.plan.duration import IntArray
from keras_lr.plan.recipe import Recipe
from keras_lr.plan.words import received


def cosine(
    faithful: bool,
    /,
    t_initial: int,
    lr_min: float = 0.0,
    cycle_mul: float = 1.0,
    cycle_decay: float = 1.0,
    cycle_limit: int = 1,
    warmup_t: int = 0,
    warmup_lr_init: float = 0.0,
    warmup_prefix: bool = False,
    t_in_epochs: bool = True,
    noise_range_t: NoiseRange = None,
    noise_pct: float = 0.67,
    noise_std: float = 1.0,
    noise_seed: int | None = 42,
    k_decay: float = 1.0,
    initialize: bool = True,
) -> Recipe:
    r"""Half cosines, :math:`m + (\eta d^i - m) \tfrac12 (1 + \cos \pi (s / l)^k)`.

    At step s of a cycle i of l steps, with ``lr_min`` m, ``cycle_decay`` d, and
    ``k_decay`` k; m behind the last of ``cycle_limit`` cycles. Cycle 0 has
    ``t_initial`` steps, each other ``cycle_mul`` times as many as the one before.
    """
    check_value("k_decay", k_decay, above=0)
    noise = noise_of(faithful, noise_range_t, noise_pct, noise_std, noise_seed)
    begin = begin_of(warmup_t, warmup_lr_init, warmup_prefix, noise)
    check_flags(t_in_epochs, initialize)
    cycles = cycles_of(t_initial, cycle_mul, cycle_decay, cycle_limit)

    def shape(position: FloatArray, length: FloatArray) -> FloatArray:
        progress = position**k_decay / length**k_decay
        height: FloatArray = 0.5 * (1.0 + np.cos(np.pi * progress))
        return height

    return cyclic(faithful, shape, cycles, lr_min, begin)


def tanh(
    faithful: bool,
    /,
    t_initial: int,
    lb: float = -7.0,
    ub: float = 3.0,
    lr_min: float = 0.0,
    cycle_mul: float = 1.0,
    cycle_decay: float = 1.0,
    cycle_limit: int = 1,
    warmup_t: int = 0,
    warmup_lr_init: float = 0.0,
    warmup_prefix: bool = False,
    t_in_epochs: bool = True,
    noise_range_t: NoiseRange = None,
    noise_pct: float = 0.67,
    noise_std: float = 1.0,
    noise_seed: int | None = 42,
    initialize: bool = True,
) -> Recipe:
    r"""As :func:`cosine`, with :math:`\tfrac12 [1 - \tanh(a (1 - p) + b p)]`.

    With p = s / l, ``lb`` a and ``ub`` b. Without ``warmup_prefix`` the warmup goes to
    what it has come down to by then.
    """
    if not number("lb", lb) < number("ub", ub):
        raise ValueError(f"`lb` must be below `ub`. {received(lb=lb, ub=ub)}")
    noise = noise_of(faithful, noise_range_t, noise_pct, noise_std, noise_seed)
    begin = begin_of(warmup_t, warmup_lr_init, warmup_prefix, noise)
    check_flags(t_in_epochs, initialize)
    cycles = cycles_of(t_initial, cycle_mul, cycle_decay, cycle_limit)

    def shape(position: FloatArray, length: FloatArray) -> FloatArray:
        progress = position / length
        height: FloatArray = 0.5 * (
            1.0 - np.tanh(lb * (1.0 - progress) + ub * progress)
        )
        return height

    return cyclic(faithful, shape, cycles, lr_min, begin, is_met=True)


def poly(
    faithful: bool,
    /,
    t_initial: int,
    power: float = 0.5,
    lr_min: float = 0.0,
    cycle_mul: float = 1.0,
    cycle_decay: float = 1.0,
    cycle_limit: int = 1,
    warmup_t: int = 0,
    warmup_lr_init: float = 0.0,
    warmup_prefix: bool = False,
    t_in_epochs: bool = True,
    noise_range_t: NoiseRange = None,
    noise_pct: float = 0.67,
    noise_std: float = 1.0,
    noise_seed: int | None = 42,
    k_decay: float = 1.0,
    initialize: bool = True,
) -> Recipe:
    r"""As :func:`cosine`, with :math:`(1 - (s / l)^k)^a`, ``power`` a."""
    check_value("power", power)
    check_value("k_decay", k_decay, above=0)
    noise = noise_of(faithful, noise_range_t, noise_pct, noise_std, noise_seed)
    begin = begin_of(warmup_t, warmup_lr_init, warmup_prefix, noise)
    check_flags(t_in_epochs, initialize)
    cycles = cycles_of(t_initial, cycle_mul, cycle_decay, cycle_limit)

    def shape(position: FloatArray, length: FloatArray) -> FloatArray:
        left = 1.0 - position**k_decay / length**k_decay
        height: FloatArray = np.maximum(left, 0.0) ** power
        return height

    return cyclic(faithful, shape, cycles, lr_min, begin)


def step(
    faithful: bool,
    /,
    decay_t: float,
    decay_rate: float = 1.0,
    warmup_t: int = 0,
    warmup_lr_init: float = 0.0,
    warmup_prefix: bool = True,
    t_in_epochs: bool = True,
    noise_range_t: NoiseRange = None,
    noise_pct: float = 0.67,
    noise_std: float = 1.0,
    noise_seed: int | None = 42,
    initialize: bool = True,
) -> Recipe:
    r"""A factor each so many steps, :math:`\eta r^{\lfloor t / T \rfloor}`.

    With ``decay_rate`` r and ``decay_t`` T, which may be fractional.
    """
    check_value("decay_t", decay_t, above=0)
    check_value("decay_rate", decay_rate)
    noise = noise_of(faithful, noise_range_t, noise_pct, noise_std, noise_seed)
    begin = begin_of(warmup_t, warmup_lr_init, warmup_prefix, noise)
    check_flags(t_in_epochs, initialize)

    def scheduled(steps: IntArray, base: float) -> FloatArray:
        if faithful:
            drops = np.floor_divide(steps, decay_t)
        else:
            drops = whole_times(steps, decay_t)
        return base * np.power(float(decay_rate), drops)

    return begun(scheduled, begin)


def multi_step(
    faithful: bool,
    /,
    decay_t: Sequence[float],
    decay_rate: float = 1.0,
    warmup_t: int = 0,
    warmup_lr_init: float = 0.0,
    warmup_prefix: bool = True,
    t_in_epochs: bool = True,
    noise_range_t: NoiseRange = None,
    noise_pct: float = 0.67,
    noise_std: float = 1.0,
    noise_seed: int | None = 42,
    initialize: bool = True,
) -> Recipe:
    """A factor at each of the steps in ``decay_t``."""
    check_sequence("decay_t", decay_t)
    milestones = [number("decay_t", each) for each in decay_t]
    if milestones != sorted(milestones):
        raise ValueError(f"`decay_t` must not fall. {received(decay_t=decay_t)}")
    check_value("decay_rate", decay_rate)
    noise = noise_of(faithful, noise_range_t, noise_pct, noise_std, noise_seed)
    begin = begin_of(warmup_t, warmup_lr_init, warmup_prefix, noise)
    check_flags(t_in_epochs, initialize)
    # timm looks at the step that comes next.
    early = 1 if faithful else 0

    def scheduled(steps: IntArray, base: float) -> FloatArray:
        drops = np.searchsorted(milestones, steps + early, side="right")
        return base * np.power(float(decay_rate), drops)

    return begun(scheduled, begin)


def create_scheduler_v2(
    faithful: bool,
    /,
    sched: str = "cosine",
    num_epochs: int = 300,
    decay_epochs: int = 90,
    decay_milestones: Sequence[int] = (90, 180, 270),
    cooldown_epochs: int = 0,
    patience_epochs: int = 10,
    decay_rate: float = 0.1,
    min_lr: float = 0.0,
    warmup_lr: float = 1e-5,
    warmup_epochs: int = 0,
    warmup_prefix: bool = False,
    noise: Sequence[float] | float | None = None,
    noise_pct: float = 0.67,
    noise_std: float = 1.0,
    noise_seed: int = 42,
    cycle_mul: float = 1.0,
    cycle_decay: float = 0.1,
    cycle_limit: int = 1,
    k_decay: float = 1.0,
    plateau_mode: str = "max",
    step_on_epochs: bool = True,
    updates_per_epoch: int = 0,
) -> Recipe:
    """The scheduler that timm's factory makes of these arguments.

    Its defaults are not those of the classes; ``decay_rate`` is the power of ``"poly"``
    as well; ``noise`` is where noise begins, or begins and ends, in lengths of the
    schedule.
    """
    check_choice("sched", sched, ("cosine", "tanh", "step", "multistep", "poly"))
    check_flag("step_on_epochs", step_on_epochs)
    if not step_on_epochs:
        check_value("updates_per_epoch", updates_per_epoch, above=0)
    unit = 1 if step_on_epochs else updates_per_epoch
    t_initial = num_epochs * unit
    common: dict[str, Any] = {
        "warmup_t": warmup_epochs * unit,
        "warmup_lr_init": warmup_lr,
        "warmup_prefix": warmup_prefix,
        "t_in_epochs": step_on_epochs,
        "noise_range_t": _noise_range(noise, t_initial),
        "noise_pct": noise_pct,
        "noise_std": noise_std,
        "noise_seed": noise_seed,
    }
    cycles: dict[str, Any] = {
        "t_initial": t_initial,
        "lr_min": min_lr,
        "cycle_mul": cycle_mul,
        "cycle_decay": cycle_decay,
        "cycle_limit": cycle_limit,
    }
    if sched == "cosine":
        return cosine(faithful, **cycles, **common, k_decay=k_decay)
    if sched == "tanh":
        return tanh(faithful, **cycles, **common)
    if sched == "poly":
        return poly(faithful, power=decay_rate, **cycles, **common, k_decay=k_decay)
    if sched == "step":
        return step(faithful, decay_epochs * unit, decay_rate, **common)
    check_sequence("decay_milestones", decay_milestones)
    milestones = [each * unit for each in decay_milestones]
    return multi_step(faithful, milestones, decay_rate, **common)


def _noise_range(noise: Any, length: int) -> Any:
    """Fractions of the schedule as steps."""
    if noise is None:
        return None
    if not isinstance(noise, list | tuple):
        return number("noise", noise) * length
    steps = [number("noise", each) * length for each in noise]
    return steps[0] if len(steps) == 1 else steps


def plateau(
    decay_rate: float = 0.1,
    patience_t: int = 10,
    threshold: float = 1e-4,
    cooldown_t: int = 0,
    warmup_t: int = 0,
    warmup_lr_init: float = 0.0,
    lr_min: float = 0.0,
    mode: str = "max",
    noise_range_t: NoiseRange = None,
    noise_type: str = "normal",
    noise_pct: float = 0.67,
    noise_std: float = 1.0,
    noise_seed: int | None = None,
    initialize: bool = True,
    monitor: str | None = None,
) -> dict[str, Any]:
    """The arguments of a ``Plateau`` that cuts where ``PlateauLRScheduler`` does.

    Its warmup rises at each update, to the same rate at the same time, where timm's
    rises at each epoch.

    Args:
        decay_rate: The factor of a cut.
        patience_t: Epochs without a better metric; one more and there is a cut.
        threshold: By what share of the best a better one must be better.
        cooldown_t: Epochs after a cut that do not count.
        warmup_t: Epochs of the warmup.
        warmup_lr_init: The rate where it begins, 0.
        lr_min: The floor.
        mode: ``"max"`` or ``"min"``: which is better.
        noise_range_t: None: there is no noise.
        noise_type: Without effect, as there is no noise.
        noise_pct: Likewise.
        noise_std: Likewise.
        noise_seed: Likewise.
        initialize: Without effect.
        monitor: The metric, as logs call it; None for ``val_accuracy`` where more is
            better, else ``val_loss``.
    """
    check_choice("mode", mode, ("max", "min"))
    if noise_range_t is not None:
        raise ValueError(
            "A Plateau has no noise. "
            f"{received(noise_range_t=noise_range_t)} Leave it out."
        )
    if warmup_t and warmup_lr_init:
        raise ValueError(
            "The warmup of a Plateau begins at a rate of 0. "
            f"{received(warmup_lr_init=warmup_lr_init)} Leave `warmup_t` out, and put "
            "a keras_lr.Warmup with a `start` beside it: Plateau waits for its end."
        )
    usual = "val_accuracy" if mode == "max" else "val_loss"
    return {
        "monitor": usual if monitor is None else monitor,
        "factor": decay_rate,
        "patience": patience_t,
        "mode": mode,
        "min_delta": threshold,
        "threshold": "relative",
        "cooldown": cooldown_t,
        "min_lr": lr_min,
        "warmup": f"{warmup_t} epochs" if warmup_t else 0,
        "convention": "torch",
    }


RECIPES: dict[str, Callable[..., Recipe]] = {
    "CosineLRScheduler": cosine,
    "MultiStepLRScheduler": multi_step,
    "PolyLRScheduler": poly,
    "StepLRScheduler": step,
    "TanhLRScheduler": tanh,
    "create_scheduler_v2": create_scheduler_v2,
}

PLATEAUS: dict[str, Callable[..., dict[str, Any]]] = {"PlateauLRScheduler": plateau}
