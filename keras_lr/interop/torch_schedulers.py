"""Torch's learning-rate schedulers.

Each takes the arguments of the class of its name in ``torch.optim.lr_scheduler`` (and
``torch.optim.swa_utils``) but the optimizer, after ``faithful``, and equals what torch
2.13 gives at each step. Where torch fails, or its step and its own closed form differ,
the closed form counts; with ``faithful`` what torch does.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from keras_lr.interop.arguments import made_of, pair_of
from keras_lr.interop.torch_composites import recipe_of
from keras_lr.interop.torch_cycles import cyclic_lr, one_cycle_lr
from keras_lr.interop.torch_numbers import check_start, one, whole
from keras_lr.interop.torch_simple import (
    constant_lr,
    cosine_annealing_lr,
    cosine_annealing_warm_restarts,
    exponential_lr,
    lambda_lr,
    linear_lr,
    missed_restarts,
    multi_step_lr,
    multiplicative_lr,
    polynomial_lr,
    step_lr,
    swalr,
)
from keras_lr.interop.torch_trees import InTurn, Together, Tree
from keras_lr.plan.checks import check_choice, check_sequence
from keras_lr.plan.curves import FloatArray
from keras_lr.plan.duration import Clock, IntArray
from keras_lr.plan.recipe import Recipe
from keras_lr.plan.words import received, shown


def sequential_lr(
    faithful: bool,
    /,
    schedulers: Sequence[Any],
    milestones: Sequence[int],
    last_epoch: int = -1,
) -> InTurn:
    """One scheduler after another.

    At its milestone each begins at its own step 0, from the rate that it took for the
    optimizer's own; ``MultiplicativeLR`` and ``SWALR`` go on from the rate in force.

    Args:
        faithful: Whether faults are carried over, here and in the schedulers.
        schedulers: Pairs of a name and arguments, in the order in which torch makes
            them.
        milestones: The first step of each but the first, in order.
        last_epoch: -1.
    """
    check_start(last_epoch)
    parts = _trees(faithful, schedulers)
    check_sequence("milestones", milestones)
    if len(milestones) != len(parts) - 1:
        raise ValueError(
            "`milestones` must be one fewer than `schedulers`. Received: "
            f"{len(parts)} schedulers, {len(milestones)} milestones."
        )
    places = [whole("milestones", each, 0) for each in milestones]
    if places != sorted(places):
        raise ValueError(
            f"`milestones` must not decrease. {received(milestones=milestones)}"
        )
    return InTurn(parts, places)


def chained_scheduler(faithful: bool, /, schedulers: Sequence[Any]) -> Together:
    """Schedulers that all step, one after another, each from the rate in force.

    Those that step by a factor multiply; ``LambdaLR``, ``CyclicLR``, ``OneCycleLR`` and
    ``CosineAnnealingWarmRestarts`` overwrite what those before them have made;
    ``CosineAnnealingLR`` and ``SWALR`` scale the distance from their end.
    """
    return Together(_trees(faithful, schedulers))


def _trees(faithful: bool, schedulers: Sequence[Any]) -> list[Tree]:
    check_sequence("schedulers", schedulers)
    if not schedulers:
        raise ValueError("`schedulers` must be at least one. Received: none.")
    return [_tree(faithful, each) for each in schedulers]


def _tree(faithful: bool, scheduler: Any) -> Tree:
    """What stands in a list of schedulers."""
    such_as = "('StepLR', {'step_size': 30}), or what from_torch returns"
    pair = pair_of(scheduler, "schedulers", such_as)
    name, _ = pair
    if name in PLATEAUS:
        raise ValueError(
            f"{name} follows a metric and cannot be one of several, in torch neither. "
            f"Received: {shown(scheduler)}. Give the fit a keras_lr.Plateau beside the "
            "others."
        )
    return made_of(pair, "schedulers", TREES, faithful)


def reduce_lr_on_plateau(
    mode: str = "min",
    factor: float = 0.1,
    patience: int = 10,
    threshold: float = 1e-4,
    threshold_mode: str = "rel",
    cooldown: int = 0,
    min_lr: float = 0,
    eps: float = 1e-8,
    monitor: str = "val_loss",
) -> dict[str, Any]:
    """The arguments of a ``Plateau`` that cuts where torch's does.

    Args:
        mode: ``"min"`` or ``"max"``: whether less or more is better.
        factor: What a cut multiplies the rate by, below 1.
        patience: Observations without a better one that are waited for.
        threshold: By how much a better one must be better.
        threshold_mode: ``"rel"`` to the best, or ``"abs"``.
        cooldown: Observations after a cut that do not count.
        min_lr: The lowest rate.
        eps: 1e-8, or 0: a ``Plateau`` makes the smallest cuts, too.
        monitor: The metric, as logs call it.
    """
    check_choice("mode", mode, ("min", "max"))
    check_choice("threshold_mode", threshold_mode, ("rel", "abs"))
    if eps not in (1e-8, 0):
        raise ValueError(
            "`eps` must be 1e-8 or 0: a Plateau makes cuts of any size. "
            f"{received(eps=eps)} Give `min_lr`, below which it does not cut."
        )
    return {
        "monitor": monitor,
        "mode": mode,
        "factor": factor,
        "patience": patience,
        "min_delta": threshold,
        "threshold": {"rel": "relative", "abs": "absolute"}[threshold_mode],
        "cooldown": cooldown,
        "min_lr": one("min_lr", min_lr),
        "convention": "torch",
    }


TREES: dict[str, Callable[..., Tree]] = {
    "ChainedScheduler": chained_scheduler,
    "ConstantLR": constant_lr,
    "CosineAnnealingLR": cosine_annealing_lr,
    "CosineAnnealingWarmRestarts": cosine_annealing_warm_restarts,
    "CyclicLR": cyclic_lr,
    "ExponentialLR": exponential_lr,
    "LambdaLR": lambda_lr,
    "LinearLR": linear_lr,
    "MultiStepLR": multi_step_lr,
    "MultiplicativeLR": multiplicative_lr,
    "OneCycleLR": one_cycle_lr,
    "PolynomialLR": polynomial_lr,
    "SWALR": swalr,
    "SequentialLR": sequential_lr,
    "StepLR": step_lr,
}


def _recipe(make: Callable[..., Tree]) -> Callable[..., Recipe]:
    """The function that makes a recipe, with the same parameters."""

    @functools.wraps(make)
    def recipe(faithful: bool, /, **arguments: Any) -> Recipe:
        return recipe_of(make(faithful, **arguments), faithful)

    return recipe


def warm_restarts_as_shown(
    faithful: bool,
    /,
    T_0: int,
    T_mult: int = 1,
    eta_min: float = 0.0,
    last_epoch: int = -1,
) -> Recipe:
    """The schedule of ``CosineAnnealingWarmRestarts``.

    With ``faithful`` it is that of the loop in torch's documentation, ``step(epoch +
    i / iters)``: by epochs it moves within each of them, and it finds its cycle by a
    logarithm, which misses some restarts: there the rate is the lowest. ``step()``
    misses none.
    """
    tree = cosine_annealing_warm_restarts(faithful, T_0, T_mult, eta_min, last_epoch)
    recipe = recipe_of(tree, faithful)

    def rate(steps: IntArray, base: float, run: Clock) -> FloatArray:
        rates = recipe.rate(steps, base, run)
        missed = missed_restarts(int(T_0), int(T_mult), int(steps.max(initial=0)))
        return np.where(np.isin(steps, missed), one("eta_min", eta_min), rates)

    if not faithful:
        return recipe
    return replace(recipe, rate=rate, takes_fractions=True)


RECIPES = {
    **{name: _recipe(make) for name, make in TREES.items()},
    "CosineAnnealingWarmRestarts": warm_restarts_as_shown,
}

PLATEAUS = {"ReduceLROnPlateau": reduce_lr_on_plateau}
