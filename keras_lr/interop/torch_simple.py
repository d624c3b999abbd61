"""Torch's schedulers that are made of nothing else, but for those that swing."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from keras_lr.interop.numbers import called, length_of
from keras_lr.interop.torch_members import (
    Limit,
    Member,
    RunningProduct,
    cosine_annealing,
    product,
    setting,
    swa_annealing,
)
from keras_lr.interop.torch_numbers import check_start, one, power, whole
from keras_lr.plan.checks import (
    check_at_least,
    check_callable,
    check_choice,
    check_sequence,
    check_value,
    number,
)
from keras_lr.plan.curves import FloatArray
from keras_lr.plan.duration import IntArray
from keras_lr.plan.words import received


def lambda_lr(
    faithful: bool, /, lr_lambda: Callable[[int], float], last_epoch: int = -1
) -> Member:
    r"""The optimizer's rate times what a function of the step gives.

    .. math:: \eta \lambda(t)
    """
    check_start(last_epoch)
    function = one("lr_lambda", lr_lambda)
    check_callable("lr_lambda", function)

    def at(steps: IntArray, base: float) -> FloatArray:
        return base * called(function, steps)

    return setting(at, asks=True)


def multiplicative_lr(
    faithful: bool, /, lr_lambda: Callable[[int], float], last_epoch: int = -1
) -> Member:
    r"""The rate in force times what a function of the step gives.

    .. math:: \eta \prod_{i=1}^{t} \lambda(i)

    At a milestone of a ``SequentialLR`` the product begins with i = 0.
    """
    check_start(last_epoch)
    function = one("lr_lambda", lr_lambda)
    check_callable("lr_lambda", function)

    def ratio(steps: IntArray) -> FloatArray:
        return called(function, steps)

    return product(RunningProduct(function).at, ratio, follows=True, asks=True)


def step_lr(
    faithful: bool, /, step_size: int, gamma: float = 0.1, last_epoch: int = -1
) -> Member:
    r"""A factor every so many steps.

    .. math:: \eta \gamma^{\lfloor t / s \rfloor}

    with ``step_size`` s.
    """
    check_start(last_epoch)
    size = whole("step_size", step_size, 1)
    rate = number("gamma", gamma)

    def factor(steps: IntArray) -> FloatArray:
        return power(rate, steps // size)

    def ratio(steps: IntArray) -> FloatArray:
        return np.where((steps > 0) & (steps % size == 0), rate, 1.0)

    return product(factor, ratio)


def multi_step_lr(
    faithful: bool,
    /,
    milestones: Sequence[int],
    gamma: float = 0.1,
    last_epoch: int = -1,
) -> Member:
    r"""A factor at each milestone.

    .. math:: \eta \gamma^{n(t)}

    with the number n of milestones that are not above t; one that is there twice counts
    twice.
    """
    check_start(last_epoch)
    check_sequence("milestones", milestones)
    places = np.sort([whole("milestones", each, 0) for each in milestones])
    rate = number("gamma", gamma)

    def passed(steps: IntArray) -> IntArray:
        return np.searchsorted(places, steps, side="right")

    def factor(steps: IntArray) -> FloatArray:
        return power(rate, passed(steps))

    def ratio(steps: IntArray) -> FloatArray:
        return power(rate, passed(steps) - passed(steps - 1))

    return product(factor, ratio)


def constant_lr(
    faithful: bool,
    /,
    factor: float = 1.0 / 3,
    total_iters: int = 5,
    last_epoch: int = -1,
) -> Member:
    r"""A factor in the first steps.

    .. math:: \eta f \;(t < T), \quad \eta

    with ``factor`` f and ``total_iters`` T. Torch divides by f at step T.
    """
    check_start(last_epoch)
    _check_share("factor", factor)
    total = whole("total_iters", total_iters, 0)
    share = float(factor)
    if faithful and total == 0:
        # Step 0 multiplies, and nothing takes that back, but where it takes over.
        return replace(_held(share), taking_over=_held(1.0))
    limit = None
    if faithful and share == 0:
        reason = "torch divides by `factor` (=0) where its steps are over, and fails."
        limit = Limit(total - 1, reason)

    def in_all(steps: IntArray) -> FloatArray:
        return np.where(steps < total, share, 1.0)

    def ratio(steps: IntArray) -> FloatArray:
        # Nothing gets a rate back that has been multiplied by 0.
        inverse = 1.0 / share if share else np.inf
        gains = np.where(steps == total, inverse, 1.0)
        return np.where(steps == 0, in_all(steps), gains)

    return product(in_all, ratio, limit=limit, warmup=total if share < 1 else 0)


def _held(share: float) -> Member:
    """A factor for good."""

    def in_all(steps: IntArray) -> FloatArray:
        return np.full(steps.shape, share)

    def ratio(steps: IntArray) -> FloatArray:
        return np.where(steps == 0, share, 1.0)

    return product(in_all, ratio)


def _failing() -> Member:
    """What divides by the number of its steps as it takes over, where that is 0."""
    reason = "torch divides by `total_iters` (=0) where it takes over, and fails."
    return replace(_held(1.0), limit=Limit(-1, reason))


def linear_lr(
    faithful: bool,
    /,
    start_factor: float = 1.0 / 3,
    end_factor: float = 1.0,
    total_iters: int = 5,
    last_epoch: int = -1,
) -> Member:
    r"""A factor that goes in a straight line from one value to another.

    .. math:: \eta [s + (e - s) \min(t, T) / T]

    with ``start_factor`` s, ``end_factor`` e and ``total_iters`` T; where T is 0 it is
    e at once.
    """
    check_start(last_epoch)
    check_value("start_factor", start_factor, above=0)
    for name, value in (("start_factor", start_factor), ("end_factor", end_factor)):
        _check_share(name, value)
    start = float(start_factor)
    end = float(end_factor)
    total = whole("total_iters", total_iters, 0)
    if total == 0 and faithful:
        # It never gets away from its first step.
        return replace(_held(start), taking_over=_failing())
    if total == 0:
        return _held(end)

    def factor(steps: IntArray) -> FloatArray:
        inside = start + (end - start) * np.minimum(steps, total) / total
        return np.where(steps < 0, 1.0, inside)

    def ratio(steps: IntArray) -> FloatArray:
        before = factor(steps - 1)
        # Where the rate has come to 0 it stays as it is.
        return np.where(before > 0, factor(steps), 1.0) / np.where(
            before > 0, before, 1.0
        )

    return product(factor, ratio, warmup=total if start < end else 0)


def exponential_lr(faithful: bool, /, gamma: float, last_epoch: int = -1) -> Member:
    r"""A factor at each step.

    .. math:: \eta \gamma^t
    """
    check_start(last_epoch)
    rate = number("gamma", gamma)

    def factor(steps: IntArray) -> FloatArray:
        return power(rate, steps)

    def ratio(steps: IntArray) -> FloatArray:
        return np.full(steps.shape, rate)

    return product(factor, ratio)


def polynomial_lr(
    faithful: bool,
    /,
    total_iters: int = 5,
    power: float = 1.0,
    last_epoch: int = -1,
) -> Member:
    r"""A power of what is left.

    .. math:: \eta (1 - \min(t, T) / T)^p

    with ``total_iters`` T and ``power`` p; where T is 0 nothing changes, as in torch.
    """
    check_start(last_epoch)
    total = whole("total_iters", total_iters, 0)
    check_value("power", power)
    exponent = float(power)
    if total == 0:
        held = _held(1.0)
        return replace(held, taking_over=_failing()) if faithful else held

    def factor(steps: IntArray) -> FloatArray:
        left: FloatArray = (1.0 - np.minimum(steps, total) / total) ** exponent
        return left

    def ratio(steps: IntArray) -> FloatArray:
        is_under_way = steps <= total
        before = np.where(is_under_way, factor(steps - 1), 1.0)
        return np.where(is_under_way, factor(steps), 1.0) / before

    return product(factor, ratio, length=length_of("total_iters", total))


def cosine_annealing_lr(
    faithful: bool,
    /,
    T_max: float,
    eta_min: float = 0.0,
    last_epoch: int = -1,
) -> Member:
    r"""Half a cosine down in ``T_max`` steps, half a one up in as many, and so on.

    .. math:: \eta_{min} + (\eta - \eta_{min}) \tfrac12 (1 + \cos \pi t / T)
    """
    check_start(last_epoch)
    check_at_least("T_max", T_max, 1)
    return cosine_annealing(float(T_max), number("eta_min", one("eta_min", eta_min)))


def cosine_annealing_warm_restarts(
    faithful: bool,
    /,
    T_0: int,
    T_mult: int = 1,
    eta_min: float = 0.0,
    last_epoch: int = -1,
) -> Member:
    r"""Half a cosine down, again and again, each ``T_mult`` times as long as the last.

    .. math:: \eta_{min} + (\eta - \eta_{min}) \tfrac12 (1 + \cos \pi c / T_i), \quad
        T_i = T_0 m^i

    at the c-th step of cycle i, counted from 0: the lowest rate is never reached.
    """
    check_start(last_epoch)
    first = whole("T_0", T_0, 1)
    growth = whole("T_mult", T_mult, 1)
    low = number("eta_min", one("eta_min", eta_min))

    def at(steps: IntArray, base: float) -> FloatArray:
        done, length = _in_cycle(steps, first, growth)
        cosine = (1.0 + np.cos(np.pi * done / length)) / 2.0
        rates: FloatArray = low + (base - low) * cosine
        return rates

    return setting(at, floor=low or None)


def _in_cycle(
    steps: IntArray, first: int, growth: int
) -> tuple[IntArray, IntArray | int]:
    """The step in its cycle, and the length of that, in whole numbers."""
    if growth == 1:
        return steps % first, first
    begins = [0]
    lengths = [first]
    while begins[-1] + lengths[-1] <= steps.max(initial=0):
        begins.append(begins[-1] + lengths[-1])
        lengths.append(lengths[-1] * growth)
    cycle = np.searchsorted(begins, steps, side="right") - 1
    return steps - np.array(begins)[cycle], np.array(lengths)[cycle]


def missed_restarts(first: int, growth: int, last: int) -> list[int]:
    """The restarts up to some step that torch's ``step(epoch)`` takes for none.

    Args:
        first: Steps of the first cycle.
        growth: How many times as long each next one is.
        last: The step.

    Example:
        >>> missed_restarts(first=1, growth=3, last=200)
        [121]
    """
    missed = []
    begin = first
    cycle = 1
    while growth > 1 and begin <= last:
        # In floats, the logarithm of 3**5 to the base 3 is below 5.
        if int(math.log(begin / first * (growth - 1) + 1, growth)) < cycle:
            missed.append(begin)
        begin += first * growth**cycle
        cycle += 1
    return missed


def swalr(
    faithful: bool,
    /,
    swa_lr: float,
    anneal_epochs: int = 10,
    anneal_strategy: str = "cos",
    last_epoch: int = -1,
) -> Member:
    r"""From the rate in force to another one, which stays.

    .. math:: (1 - \alpha) \eta + \alpha \eta_{swa}, \quad
        \alpha = p \text{ or } \tfrac12 (1 - \cos \pi p), \quad p = \min(t, E) / E

    with ``anneal_epochs`` E; where that is 0 it is ``swa_lr`` at once.
    """
    check_start(last_epoch)
    end = number("swa_lr", one("swa_lr", swa_lr))
    span = whole("anneal_epochs", anneal_epochs, 0)
    check_choice("anneal_strategy", anneal_strategy, ("cos", "linear"))

    def weight(steps: IntArray) -> FloatArray:
        progress = np.ones(steps.shape)
        if span:
            progress = np.minimum(steps, span) / span
        if anneal_strategy == "linear":
            return progress
        return (1.0 - np.cos(np.pi * progress)) / 2.0

    return swa_annealing(end, weight)


def _check_share(name: str, value: float) -> None:
    check_at_least(name, value, 0)
    if value > 1:
        raise ValueError(f"`{name}` must be at most 1. {received(**{name: value})}")
