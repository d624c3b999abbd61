"""What a scheduler of torch was made with, read off the object.

Torch need not be there: whoever has a scheduler has imported it. Some arguments torch
keeps under names of its own, or in the optimizer; those names stand here alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from keras_lr.plan.words import received, shown

MODULES = ("torch.optim.lr_scheduler", "torch.optim.swa_utils")

# What torch has no public name for.
SCHEDULERS = "_schedulers"
MILESTONES = "_milestones"
SCALE_FN = "_scale_fn_custom"
PHASES = "_schedule_phases"
CYCLE_STRATEGY = "_anneal_func_type"
SWA_STRATEGY = "_anneal_strategy"


def spec_of(scheduler: Any) -> tuple[str, dict[str, Any]]:
    """The name and the arguments of a scheduler of torch.

    It does not matter whether it has been stepped: they are those that it was made
    with. The rate that it scales is the optimizer's, and no part of it.

    Args:
        scheduler: An instance of a class of ``torch.optim.lr_scheduler``, or ``SWALR``.

    Raises:
        TypeError: If it is something else, also an instance of a subclass.
    """
    kind = type(scheduler)
    if kind.__module__ not in MODULES or kind.__name__ not in READERS:
        raise TypeError(
            "`scheduler` must be the name of a scheduler of torch, or one of torch's "
            f"own: {', '.join(READERS)}. {received(scheduler=scheduler)} What another "
            "class makes of the rate nobody can read off it: name the torch scheduler "
            "that it equals, or give its formula to keras_lr.Function."
        )
    return kind.__name__, READERS[kind.__name__](scheduler)


def _named(*names: str) -> Callable[[Any], dict[str, Any]]:
    """Arguments that torch keeps under their names."""

    def read(scheduler: Any) -> dict[str, Any]:
        return {name: getattr(scheduler, name) for name in names}

    return read


def _function(scheduler: Any) -> dict[str, Any]:
    return {"lr_lambda": _common(scheduler.lr_lambdas)}


def _multi_step(scheduler: Any) -> dict[str, Any]:
    milestones = sorted(scheduler.milestones.elements())
    return {"milestones": milestones, "gamma": scheduler.gamma}


def _cyclic(scheduler: Any) -> dict[str, Any]:
    up = _near(scheduler.step_ratio * scheduler.total_size)
    arguments = {
        "base_lr": _common(_numbers(scheduler.base_lrs)),
        "max_lr": _common(_numbers(scheduler.max_lrs)),
        "step_size_up": up,
        "step_size_down": _near(scheduler.total_size - up),
        "mode": scheduler.mode,
        "gamma": scheduler.gamma,
        "scale_fn": _hidden(scheduler, SCALE_FN),
        "scale_mode": scheduler.scale_mode,
        "cycle_momentum": scheduler.cycle_momentum,
    }
    if scheduler.cycle_momentum:
        arguments["base_momentum"] = _common(scheduler.base_momentums)
        arguments["max_momentum"] = _common(scheduler.max_momentums)
    return arguments


def _one_cycle(scheduler: Any) -> dict[str, Any]:
    phases = _hidden(scheduler, PHASES)
    first = _common(_kept(scheduler, "initial_lr"))
    top = _common(_kept(scheduler, "max_lr"))
    last = _common(_kept(scheduler, "min_lr"))
    several = [each for each in (top, first, last) if isinstance(each, list)]
    arguments = {
        # Several are refused with the message for several.
        "max_lr": several[0] if several else top,
        "total_steps": scheduler.total_steps,
        "pct_start": (phases[0]["end_step"] + 1.0) / scheduler.total_steps,
        "anneal_strategy": _hidden(scheduler, CYCLE_STRATEGY),
        "cycle_momentum": scheduler.cycle_momentum,
        "three_phase": len(phases) == 3,
    }
    if not several:
        arguments["div_factor"] = top / first
        arguments["final_div_factor"] = first / last
    if scheduler.cycle_momentum:
        arguments["base_momentum"] = _common(_kept(scheduler, "base_momentum"))
        arguments["max_momentum"] = _common(_kept(scheduler, "max_momentum"))
    return arguments


def _swa(scheduler: Any) -> dict[str, Any]:
    return {
        "swa_lr": _common(_kept(scheduler, "swa_lr")),
        "anneal_epochs": scheduler.anneal_epochs,
        "anneal_strategy": _hidden(scheduler, SWA_STRATEGY),
    }


def _plateau(scheduler: Any) -> dict[str, Any]:
    names = (
        "mode",
        "factor",
        "patience",
        "threshold",
        "threshold_mode",
        "cooldown",
        "eps",
    )
    floor = _common(_numbers(scheduler.min_lrs))
    return {**_named(*names)(scheduler), "min_lr": floor}


def _chained(scheduler: Any) -> dict[str, Any]:
    return {"schedulers": [spec_of(each) for each in _hidden(scheduler, SCHEDULERS)]}


def _sequential(scheduler: Any) -> dict[str, Any]:
    milestones = list(_hidden(scheduler, MILESTONES))
    return {**_chained(scheduler), "milestones": milestones}


READERS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "ChainedScheduler": _chained,
    "ConstantLR": _named("factor", "total_iters"),
    "CosineAnnealingLR": _named("T_max", "eta_min"),
    "CosineAnnealingWarmRestarts": _named("T_0", "T_mult", "eta_min"),
    "CyclicLR": _cyclic,
    "ExponentialLR": _named("gamma"),
    "LambdaLR": _function,
    "LinearLR": _named("start_factor", "end_factor", "total_iters"),
    "MultiStepLR": _multi_step,
    "MultiplicativeLR": _function,
    "OneCycleLR": _one_cycle,
    "PolynomialLR": _named("total_iters", "power"),
    "ReduceLROnPlateau": _plateau,
    "SWALR": _swa,
    "SequentialLR": _sequential,
    "StepLR": _named("step_size", "gamma"),
}


def _hidden(scheduler: Any, name: str) -> Any:
    """What torch has no public name for."""
    try:
        return getattr(scheduler, name)
    except AttributeError as error:
        raise TypeError(
            f"This version of torch does not keep {name} in {shown(type(scheduler))}: "
            "give from_torch the name of the scheduler and its arguments."
        ) from error


def _kept(scheduler: Any, name: str) -> list[float]:
    """What torch keeps with the groups of parameters."""
    return _numbers([group[name] for group in scheduler.optimizer.param_groups])


def _numbers(values: Sequence[Any]) -> list[float]:
    """Numbers, also where they are tensors."""
    return [float(each) for each in values]


def _common(values: Sequence[Any]) -> Any:
    """The one value of all groups; the list where they differ."""
    first = values[0]
    return first if all(each == first for each in values) else list(values)


def _near(steps: float) -> float:
    """A number of steps that has been a quotient: whole where it nearly is."""
    near = round(steps)
    return near if abs(steps - near) < 1e-6 else steps
