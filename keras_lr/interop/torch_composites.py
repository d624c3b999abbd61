"""Schedulers of torch that are made of others, as recipes.

What a scheduler finds depends on those that torch made before it: each takes the
*initial* rate of the optimizer for its own, which ``OneCycleLR`` and ``CyclicLR``
change. Members that take turns, and those that only scale, have closed forms; the
others go step by step.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from keras_lr.interop.torch_members import Member
from keras_lr.interop.torch_trees import InTurn, Together, Tree, members_of, shared
from keras_lr.interop.torch_walk import FIRST, Walk
from keras_lr.plan.curves import FloatArray
from keras_lr.plan.duration import Argument, Clock, IntArray, Length
from keras_lr.plan.recipe import Recipe


def recipe_of(tree: Tree, faithful: bool) -> Recipe:
    """The recipe of a scheduler.

    Args:
        tree: The scheduler.
        faithful: Whether it fails where torch does.
    """
    if faithful:
        tree = shared(tree)
    members = list(members_of(tree))
    is_nested = not isinstance(tree, Member) and list(tree.parts) != members
    if is_nested:
        recipe = _walked(tree, faithful)
    elif isinstance(tree, InTurn):
        recipe = _in_turn(members, tree.milestones)
    elif len(members) == 1:
        recipe = _alone(members[0])
    elif all(each.is_product for each in members):
        recipe = _product(members)
    else:
        recipe = _walked(tree, faithful)
    peaks = [each.peak for each in members if each.peak is not None]
    floors = [each.floor for each in members if each.floor is not None]
    return replace(
        recipe,
        peak=max(peaks) if len(peaks) == len(members) else None,
        floor=min(floors) if len(floors) == len(members) else None,
        length=_length(tree),
        warmup=_warmup(tree),
    )


def _alone(member: Member) -> Recipe:
    def rate(steps: IntArray, base: float, run: Clock) -> FloatArray:
        member.check(_last(steps))
        return member.values(steps, base, base)

    found = member.momentum
    if found is None:
        return Recipe(rate)

    def momentum(steps: IntArray, run: Clock) -> FloatArray:
        member.check(_last(steps))
        return found(steps)

    return Recipe(rate, momentum=momentum)


def _product(members: Sequence[Member]) -> Recipe:
    """Members that only scale: their factors multiply."""

    def rate(steps: IntArray, base: float, run: Clock) -> FloatArray:
        rates = np.full(steps.shape, float(base))
        for member in members:
            member.check(_last(steps))
            rates = rates * member.values(steps, 1.0, 1.0)
        return rates

    return Recipe(rate)


@dataclass(frozen=True)
class Turn:
    """A member while it is the one that steps.

    Attributes:
        member: The member.
        begin: Its first step.
        end: The first step behind it; None for the last.
        base: The rate that it takes for the optimizer's own.
        found: The rate that it finds.
    """

    member: Member
    begin: int
    end: int | None
    base: float
    found: float

    def rates(self, steps: IntArray) -> FloatArray:
        """Its rates at some steps of its turn."""
        self.member.check(_last(steps - self.begin))
        return self.member.values(steps - self.begin, self.base, self.found)


def _in_turn(members: Sequence[Member], milestones: Sequence[int]) -> Recipe:
    """Members that take turns."""

    def rate(steps: IntArray, base: float, run: Clock) -> FloatArray:
        turns = _turns(members, milestones, base, _last(steps))
        rates = np.empty(steps.shape)
        for turn, mine in _shared_out(turns, steps):
            rates[mine] = turn.rates(steps[mine])
        return rates

    swinging = [each for each in members if each.momentum is not None]
    if not swinging:
        return Recipe(rate)

    def momentum(steps: IntArray, run: Clock) -> FloatArray:
        momenta = np.empty(steps.shape)
        # Torch sets the momentum as it makes a scheduler; the last one counts.
        in_force = _momenta(swinging[-1], FIRST)[0]
        turns = _turns(members, milestones, 1.0, _last(steps))
        for turn, mine in _shared_out(turns, steps):
            if turn.member.momentum is None:
                momenta[mine] = in_force
                continue
            momenta[mine] = _momenta(turn.member, steps[mine] - turn.begin)
            if turn.end is not None:
                last = np.array([turn.end - 1 - turn.begin])
                in_force = _momenta(turn.member, last)[0]
        return momenta

    return Recipe(rate, momentum=momentum)


def _momenta(member: Member, steps: IntArray) -> FloatArray:
    assert member.momentum is not None  # noqa: S101  who calls has looked
    member.check(_last(steps))
    return member.momentum(steps)


def _turns(
    members: Sequence[Member], milestones: Sequence[int], own: float, last: int
) -> list[Turn]:
    """The turns that begin up to some step, with what each member finds."""
    bases, initial = _bases(members, own)
    turns: list[Turn] = []
    # Those whose milestone is 0, or less, never have a turn.
    for i in range(bisect_right(milestones, 0), len(members)):
        begin = milestones[i - 1] if turns else 0
        if begin > last:
            break
        end = milestones[i] if i < len(milestones) else None
        if begin == end:
            continue
        member = members[i]
        if not turns:
            turns.append(Turn(member, begin, end, bases[i], initial))
            continue
        member = member.taking_over or member
        found = bases[i]
        if member.follows:
            gain, shift = member.moves(FIRST, bases[i])
            found = gain[0] * turns[-1].rates(np.array([begin - 1]))[0] + shift[0]
        turns.append(Turn(member, begin, end, bases[i], float(found)))
    return turns


def _bases(members: Sequence[Member], own: float) -> tuple[list[float], float]:
    """What each member takes for the optimizer's own rate, and what that is then."""
    initial = own if members[0].sets_rate is None else members[0].sets_rate
    bases = []
    for member in members:
        initial = initial if member.sets_initial is None else member.sets_initial
        bases.append(initial)
    return bases, initial


def _shared_out(
    turns: Sequence[Turn], steps: IntArray
) -> list[tuple[Turn, np.ndarray[tuple[int], np.dtype[np.bool_]]]]:
    """The turns, and which steps lie in each."""
    begins = [turn.begin for turn in turns[1:]]
    index = np.searchsorted(begins, steps, side="right")
    return [(turn, index == i) for i, turn in enumerate(turns)]


def _walked(tree: Tree, faithful: bool) -> Recipe:
    """Any composite, step by step."""

    # A run is looked at piece by piece, and walked through once.
    @lru_cache(maxsize=4)
    def walk(base: float) -> Walk:
        return Walk(tree, base, is_mended=not faithful)

    def rate(steps: IntArray, base: float, run: Clock) -> FloatArray:
        walk(base).go_to(_last(steps))
        return np.array([walk(base).rates[step] for step in steps.tolist()])

    if all(each.momentum is None for each in members_of(tree)):
        return Recipe(rate)

    def momentum(steps: IntArray, run: Clock) -> FloatArray:
        walk(1.0).go_to(_last(steps))
        return np.array([walk(1.0).momenta[step] for step in steps.tolist()])

    return Recipe(rate, momentum=momentum)


def _last(steps: IntArray) -> int:
    return int(steps.max(initial=0))


def _length(tree: Tree) -> Argument | None:
    """The argument that tells how long a scheduler is: that of the last in turn."""
    if isinstance(tree, Member):
        return tree.length
    if isinstance(tree, Together):
        return None
    last = _length(tree.parts[-1])
    if last is None or not tree.milestones:
        return last
    end = int(last.length.amount) + tree.milestones[-1]
    return Argument(f"milestones[-1] + {last.name}", end, Length("updates", end))


def _warmup(tree: Tree) -> int:
    """The steps of its warmup: that of the first in turn, or the longest."""
    if isinstance(tree, Member):
        return tree.warmup
    if isinstance(tree, Together):
        return max(_warmup(part) for part in tree.parts)
    first = bisect_right(tree.milestones, 0)
    warmup = _warmup(tree.parts[first])
    end = tree.milestones[first] if first < len(tree.milestones) else warmup
    return min(warmup, end)
