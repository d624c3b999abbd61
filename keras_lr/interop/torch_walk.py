"""The way of torch's composites, step by step.

Here stands what torch does where schedulers are nested, or where they change a rate
together that is more than scaled: who steps, in which order, and what each finds. What
a scheduler of a ``SequentialLR`` has done as it was made is undone, and the first one
begins once more. A composite in its place steps instead, which is one step too many for
a ``SequentialLR``, and for some members of a ``ChainedScheduler``.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

import numpy as np

from keras_lr.interop.torch_members import Member
from keras_lr.interop.torch_trees import InTurn, Together, Tree

#: Steps of a member that are looked up at once.
BLOCK = 4096

FIRST = np.zeros(1, np.int64)


@dataclass
class Group:
    """What the schedulers share: the group of parameters.

    Attributes:
        rate: The rate in force.
        initial: The rate that the next scheduler takes for the optimizer's own; None
            before the first is made.
        momentum: The momentum; None while nobody has set it.
    """

    rate: float
    initial: float | None = None
    momentum: float | None = None


class Walk:
    """The rates and momenta of a composite, from its first step on.

    Args:
        tree: The composite.
        own: The optimizer's own rate.
        is_mended: Whether a composite may take over at a milestone.
    """

    def __init__(self, tree: Tree, own: float, is_mended: bool) -> None:
        self._group = Group(own)
        self._root = _running(tree, self._group, is_mended)
        self.rates = [self._group.rate]
        self.momenta = [self._group.momentum]

    def go_to(self, step: int) -> None:
        """Go on until a step has been taken."""
        while len(self.rates) <= step:
            self._root.step(self._group)
            self.rates.append(self._group.rate)
            self.momenta.append(self._group.momentum)


class _Member:
    """A member on its way. Its methods are called as torch calls them."""

    def __init__(self, member: Member, group: Group) -> None:
        if member.sets_initial is not None:
            group.initial = member.sets_initial
        if member.sets_rate is not None:
            group.rate = member.sets_rate
        if group.initial is None:
            group.initial = group.rate
        self._member = member
        self._base = group.initial
        self._gains: list[float] = []
        self._shifts: list[float] = []
        self._momenta: list[float] = []
        self.begin(group)
        if member.sets_rate is not None:
            # As it is made it does not know yet that this is its lowest rate.
            group.rate = self._base

    def begin(self, group: Group) -> None:
        """Its first step, as the first of all."""
        self._last = 0
        self._calls = 1
        self._member.check(0)
        group.rate = float(self._member.values(FIRST, self._base, group.rate)[0])
        self._swing(group)

    #: As the first of a SequentialLR it begins anew.
    start = begin

    def undo(self) -> None:
        """Forget a step, but not what it did."""
        self._last -= 1

    def step(self, group: Group) -> None:
        """The next step."""
        self._last += 1
        self._calls += 1
        self._move(group)

    def take_over(self, group: Group) -> None:
        """Its step 0 at a milestone."""
        self._last = 0
        if self._member.taking_over is not None:
            self._member = self._member.taking_over
            self._gains.clear()
            self._shifts.clear()
        if self._member.follows:
            self._move(group)
        else:
            self._member.check(0)
            group.rate = float(self._member.values(FIRST, self._base, self._base)[0])
            self._swing(group)

    def _move(self, group: Group) -> None:
        step = self._calls - 1 if self._member.counts_calls else self._last
        self._member.check(step)
        while len(self._gains) <= step:
            moves = self._member.moves(self._block(len(self._gains)), self._base)
            self._gains += moves.gain.tolist()
            self._shifts += moves.shift.tolist()
        group.rate = self._gains[step] * group.rate + self._shifts[step]
        self._swing(group)

    def _swing(self, group: Group) -> None:
        if self._member.momentum is None:
            return
        while len(self._momenta) <= self._last:
            block = self._block(len(self._momenta))
            self._momenta += self._member.momentum(block).tolist()
        group.momentum = self._momenta[self._last]

    def _block(self, first: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        """The next steps to look up."""
        return np.arange(first, first + (1 if self._member.asks else BLOCK))


class _Together:
    """A ``ChainedScheduler`` on its way."""

    def __init__(self, tree: Together, group: Group, is_mended: bool) -> None:
        self._parts = [_running(part, group, is_mended) for part in tree.parts]
        self._is_mended = is_mended

    def begin(self, group: Group) -> None:
        for part in self._parts:
            part.begin(group)

    def undo(self) -> None:
        for part in self._parts:
            part.undo()

    def step(self, group: Group) -> None:
        for part in self._parts:
            part.step(group)

    start = step

    def take_over(self, group: Group) -> None:
        _begin_anew(self, group, self._is_mended)


class _InTurn:
    """A ``SequentialLR`` on its way."""

    def __init__(self, tree: InTurn, group: Group, is_mended: bool) -> None:
        self._parts = [_running(part, group, is_mended) for part in tree.parts]
        self._milestones = tree.milestones
        self._is_mended = is_mended
        self._last = 0
        _reset(group)
        self.undo()
        self._parts[bisect_right(self._milestones, 0)].start(group)

    def begin(self, group: Group) -> None:
        self._last = 0
        self._parts[bisect_right(self._milestones, 0)].begin(group)

    def undo(self) -> None:
        # Torch forgets to undo its own step.
        for part in self._parts:
            part.undo()

    def step(self, group: Group) -> None:
        self._last += 1
        index = bisect_right(self._milestones, self._last)
        if index > 0 and self._milestones[index - 1] == self._last:
            self._parts[index].take_over(group)
        else:
            self._parts[index].step(group)

    start = step

    def take_over(self, group: Group) -> None:
        _begin_anew(self, group, self._is_mended)


_Running = _Member | _Together | _InTurn


def _running(tree: Tree, group: Group, is_mended: bool) -> _Running:
    """A scheduler, as torch makes it: those that it is made of come first."""
    if isinstance(tree, Member):
        return _Member(tree, group)
    if isinstance(tree, Together):
        return _Together(tree, group, is_mended)
    return _InTurn(tree, group, is_mended)


def _begin_anew(running: _Together | _InTurn, group: Group, is_mended: bool) -> None:
    """Where torch fails a composite begins as it would at the start of a run."""
    if not is_mended:
        raise ValueError(
            "torch cannot have a composite take over at a milestone: it raises "
            "NotImplementedError. Received: faithful=True. Without `faithful` the "
            "composite begins there as it would at the start of a run."
        )
    _reset(group)
    running.begin(group)


def _reset(group: Group) -> None:
    """Go back to the optimizer's initial rate."""
    assert group.initial is not None  # noqa: S101  there is a member, who has set it
    group.rate = group.initial
