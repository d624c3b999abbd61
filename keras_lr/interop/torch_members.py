"""How a scheduler of torch changes the rate from step to step.

Torch has each of its schedulers twice: as a closed form of the step, and as a step from
the rate in force to the next, which is what runs. Alone they agree; under
``SequentialLR`` and ``ChainedScheduler``, where others change the rate in between, the
step is what counts. So a member has both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from keras_lr.interop.numbers import called
from keras_lr.plan.curves import FloatArray
from keras_lr.plan.duration import Argument, IntArray


class Moves(NamedTuple):
    """Steps from one rate to the next: ``gain * rate + shift``."""

    gain: FloatArray
    shift: FloatArray


@dataclass(frozen=True)
class Limit:
    """The last step that torch can take, and what happens behind it."""

    step: int
    reason: str


@dataclass(frozen=True)
class Member:
    """One scheduler of torch.

    Attributes:
        values: Its rates at some of its own steps, counted from 0, when nothing else
            changes the rate; given the rate that it took for the optimizer's own as it
            was made, and the rate that it finds at its first step.
        moves: The same as steps to some of its own steps, at any rate; given the first
            of the two. That to step 0 is for a first step that is one among others.
        is_product: Whether the moves multiply only, and ``values`` is what it finds
            times a factor.
        follows: Whether it goes on from the rate in force where it takes over at a
            milestone; the others begin at the rate that they took for the optimizer's
            own, by their closed form.
        counts_calls: Whether its own steps are the calls of ``step``, of which nested
            composites make more than one before the first update.
        asks: Whether it calls a function of the user's, which should not be asked about
            steps that never come.
        sets_initial: The initial rate that it gives the optimizer, where it does.
        sets_rate: The rate that it gives the optimizer as it is made, where it does.
        momentum: The momenta at its own steps; None where it leaves them alone.
        limit: The last step that torch can take, where there is one.
        taking_over: What it is instead where it takes over at a milestone.
        kept: Those of its arguments that torch keeps in the optimizer, where the next
            scheduler overwrites them.
        keeping: It with others of these arguments.
        peak: As in a recipe, and so the next ones.
        floor: The lowest rate.
        length: The argument that tells how long it is.
        warmup: Steps of its warmup.
    """

    values: Callable[[IntArray, float, float], FloatArray]
    moves: Callable[[IntArray, float], Moves]
    is_product: bool = False
    follows: bool = False
    counts_calls: bool = False
    asks: bool = False
    sets_initial: float | None = None
    sets_rate: float | None = None
    momentum: Callable[[IntArray], FloatArray] | None = None
    limit: Limit | None = None
    taking_over: Member | None = None
    kept: Mapping[str, float] = field(default_factory=dict)
    keeping: Callable[[Mapping[str, float]], Member] | None = None
    peak: float | None = None
    floor: float | None = None
    length: Argument | None = None
    warmup: int = 0

    def check(self, step: int) -> None:
        """Raise where torch cannot take a step."""
        if self.limit is not None and step > self.limit.step:
            raise ValueError(
                f"{self.limit.reason} Received: faithful=True, step {step}. Without "
                "`faithful` it goes on."
            )


def product(
    factor: Callable[[IntArray], FloatArray],
    ratio: Callable[[IntArray], FloatArray],
    **facts: Any,
) -> Member:
    """A member that multiplies the rate.

    Args:
        factor: What the rate that it finds is multiplied by in all, at some steps.
        ratio: What the rate in force is multiplied by at each of some steps.
        **facts: What else is to be told of it.
    """

    def values(steps: IntArray, base: float, found: float) -> FloatArray:
        return found * factor(steps)

    def moves(steps: IntArray, base: float) -> Moves:
        gain = ratio(steps)
        return Moves(gain, np.zeros(gain.shape))

    return Member(values, moves, is_product=True, **facts)


def setting(at: Callable[[IntArray, float], FloatArray], **facts: Any) -> Member:
    """A member that sets the rate, whatever it was.

    Args:
        at: The rates at some steps, given what it took for the optimizer's own rate.
        **facts: What else is to be told of it.
    """

    def values(steps: IntArray, base: float, found: float) -> FloatArray:
        return at(steps, base)

    def moves(steps: IntArray, base: float) -> Moves:
        shift = at(steps, base)
        return Moves(np.zeros(shift.shape), shift)

    return Member(values, moves, **facts)


def cosine_annealing(half_period: float, low: float) -> Member:
    r"""Half a cosine down, half a one up, and so on.

    .. math:: \eta_{min} + (\eta - \eta_{min}) c(t), \quad
        c(t) = \tfrac12 (1 + \cos \pi t / T)

    As a step it is :math:`(\eta_{t-1} - \eta_{min}) c(t) / c(t-1) + \eta_{min}`, but
    behind a trough, where c is 0, the rate rises by :math:`(\eta - \eta_{min}) c(T+1)`:
    from there on :math:`\eta` is what it took for the optimizer's own rate.

    Args:
        half_period: T.
        low: :math:`\eta_{min}`.
    """
    has_troughs = half_period == int(half_period)

    def height(steps: IntArray) -> FloatArray:
        cosine: FloatArray = (1.0 + np.cos(np.pi * steps / half_period)) / 2.0
        return cosine

    def values(steps: IntArray, base: float, found: float) -> FloatArray:
        is_behind = has_troughs & (steps > half_period)
        top = np.where(is_behind, base, found)
        rates: FloatArray = low + (top - low) * height(steps)
        return rates

    def moves(steps: IntArray, base: float) -> Moves:
        rises = (steps - 1 - half_period) % (2 * half_period) == 0
        before = np.where(rises, 1.0, height(steps - 1))
        gain = np.where(rises, 1.0, height(steps) / before)
        rise = (base - low) * (1.0 - np.cos(np.pi / half_period)) / 2.0
        return Moves(gain, np.where(rises, rise, low * (1.0 - gain)))

    return Member(values, moves, floor=low or None)


def swa_annealing(end: float, weight: Callable[[IntArray], FloatArray]) -> Member:
    r"""From the rate that it finds to another one, which stays.

    .. math:: (1 - \alpha(t)) \eta + \alpha(t) \eta_{swa}

    Args:
        end: :math:`\eta_{swa}`.
        weight: :math:`\alpha` at some steps, from 0 to 1.
    """

    def values(steps: IntArray, base: float, found: float) -> FloatArray:
        alpha = weight(steps)
        rates: FloatArray = end * alpha + found * (1.0 - alpha)
        return rates

    def moves(steps: IntArray, base: float) -> Moves:
        left_before = 1.0 - weight(np.maximum(steps - 1, 0))
        left = np.where(left_before > 0, 1.0 - weight(steps), 0.0)
        gain = left / np.where(left_before > 0, left_before, 1.0)
        return Moves(gain, end * (1.0 - gain))

    return Member(
        values,
        moves,
        follows=True,
        counts_calls=True,
        kept={"swa_lr": end},
        keeping=lambda kept: swa_annealing(kept["swa_lr"], weight),
    )


class RunningProduct:
    """The product of a function's values at the steps from 1 on.

    Args:
        function: Of a step.
    """

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self._function = function
        self._products = np.ones(1)

    def at(self, steps: IntArray) -> FloatArray:
        """The products up to some steps; only steps that are new are looked up."""
        known = len(self._products)
        last = int(steps.max(initial=0))
        if last >= known:
            factors = called(self._function, np.arange(known, last + 1))
            new = self._products[-1] * np.cumprod(factors)
            self._products = np.concatenate([self._products, new])
        found: FloatArray = self._products[steps]
        return found
