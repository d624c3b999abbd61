"""What schedulers of torch are made of: members, in turn or together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from keras_lr.interop.torch_members import Member


@dataclass(frozen=True)
class InTurn:
    """One after another, as in ``SequentialLR``.

    Attributes:
        parts: Its schedulers.
        milestones: The first step of each but the first.
    """

    parts: Sequence[Tree]
    milestones: Sequence[int]


@dataclass(frozen=True)
class Together:
    """All at once, one after another at each step, as in ``ChainedScheduler``.

    Attributes:
        parts: Its schedulers.
    """

    parts: Sequence[Tree]


Tree = Member | InTurn | Together


def members_of(tree: Tree) -> Iterator[Member]:
    """All members, in the order in which torch makes them."""
    if isinstance(tree, Member):
        yield tree
    else:
        for part in tree.parts:
            yield from members_of(part)


def shared(tree: Tree) -> Tree:
    """The tree as torch has it: what members keep in the optimizer is the last's."""
    kept: dict[str, float] = {}
    for member in members_of(tree):
        kept.update(member.kept)
    return _keeping(tree, kept) if kept else tree


def _keeping(tree: Tree, kept: Mapping[str, float]) -> Tree:
    if isinstance(tree, Member):
        return tree if tree.keeping is None else tree.keeping(kept)
    return replace(tree, parts=[_keeping(part, kept) for part in tree.parts])
