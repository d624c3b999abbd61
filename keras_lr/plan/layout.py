"""Parts laid end to end over a run, and their values at any update."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from keras_lr.plan.curves import FloatArray
from keras_lr.plan.duration import Argument, Clock, IntArray
from keras_lr.plan.parts import Part, Repeat
from keras_lr.plan.phase import Knot, Phase, as_argument
from keras_lr.plan.words import cut, shown


class Placed(NamedTuple):
    """A part at its place in the run."""

    part: Part
    first: int
    length: int | None
    knot: Knot | None


def place(parts: Sequence[Part], clock: Clock, start: float = 0.0) -> list[Placed]:
    """Lay parts end to end over a run.

    Args:
        parts: In order; at most one without a duration, which takes the rest.
        clock: Length of the run and of its epochs, as far as known.
        start: The value before the first update, for a first phase that continues.

    Returns:
        The parts with their first update and their length.

    Where the parts take more updates than the run has, the run sees their beginning.

    Raises:
        ValueError: If two parts have no duration, if fractions add up to more than the
            run, or if a length is needed that is not known.
    """
    arguments = [as_argument(p.duration) for p in parts if p.duration is not None]
    if len(parts) - len(arguments) > 1:
        raise ValueError(
            "Only one phase can be left without a duration, to take the rest of the "
            f"run. Received: {len(parts) - len(arguments)} of them."
        )
    _check_shares(arguments)
    lengths = clock.split(arguments)
    rest = _rest(parts, sum(lengths), clock)
    counts = iter(lengths)
    placed: list[Placed] = []
    first = 0
    knot = None
    for i, part in enumerate(parts, 1):
        count = rest if part.duration is None else next(counts)
        # A first Phase continues from `start`; a first function begins at its time 0.
        if knot is None and isinstance(part, Phase):
            knot = Knot(start)
        placed.append(Placed(part, first, count, knot))
        # What gets no update leaves the value as it is; an empty phase still sets it.
        if i < len(parts) and (count != 0 or isinstance(part, Phase)):
            knot = part.ends(knot, clock, count)
        first += count or 0
    return placed


def _check_shares(arguments: Sequence[Argument]) -> None:
    """Raise where fractions of the run add up to more than all of it."""
    shares = [each for each in arguments if each.length.unit == "fraction"]
    total = sum(share.length.amount for share in shares)
    if total > 1 + 1e-9:
        told = ", ".join(f"{share.name}={shown(share.written)}" for share in shares)
        # There may be hundreds of phases.
        given = cut(told, 400)
        raise ValueError(
            "Fractions must not add up to more than the run (100 %). "
            f"Received: {given}: {100 * total:g} % of it."
        )


def _rest(parts: Sequence[Part], taken: int, clock: Clock) -> int | None:
    """Updates left for the part without a duration; None if it needs no end."""
    opens = [p for p in parts if p.duration is None]
    if not opens:
        return None
    if clock.total is not None:
        return max(0, clock.total - taken)
    if opens[0] is parts[-1] and opens[0].endless:
        return None
    raise ValueError(
        "The schedule takes the rest of the run, whose length is not known: the data "
        "set does not tell its size. Give `steps_per_epoch=` to fit, or `horizon=` to "
        "the schedule."
    )


class Cycle(NamedTuple):
    """A cycle of the last part, a repeat.

    Attributes:
        number: Which one, from 0.
        end: The first update behind it.
    """

    number: int
    end: int


def cycle_at(placed: Sequence[Placed], update: int, clock: Clock) -> Cycle:
    """The cycle that an update lies in, or the first one where that comes later."""
    part, first, _, _ = placed[-1]
    assert isinstance(part, Repeat)  # noqa: S101  of schedules that end in cycles
    place = part.locate(np.array([max(update - first, 0)]), clock)
    return Cycle(int(place.cycle[0]), first + int(place.end[0]))


def span(placed: Sequence[Placed]) -> int | None:
    """Updates after which the value stays as it is; None if it never does."""
    last = placed[-1]
    if last.length is not None and not (
        isinstance(last.part, Phase) and last.part.endless
    ):
        return last.first + last.length
    return None


def evaluate(placed: Sequence[Placed], updates: IntArray, clock: Clock) -> FloatArray:
    """Values at some updates, in float64.

    Args:
        placed: What :func:`place` returned.
        updates: Updates counted from 0, in any order, any size.
        clock: The clock that the parts were placed with.

    Returns:
        One value an update; past the end the last one.

    Example:
        >>> clock = Clock(total=4)
        >>> placed = place([Phase(2, to=1.0), Phase(to=0.0)], clock)
        >>> evaluate(placed, np.arange(5), clock)
        array([0.5, 1. , 0.5, 0. , 0. ])
    """
    values = np.full(updates.shape, np.nan)
    # From the last part to the first, each for the updates that no later one has.
    left = np.ones(updates.shape, bool)
    for part, first, count, knot in reversed(placed):
        inside = left & (updates >= first)
        if count == 0 or not inside.any():
            continue
        k = updates[inside] - first
        if count is not None:
            k = np.minimum(k, count - 1)
        values[inside] = part.at(k, count, knot, clock)
        left &= ~inside
    return values
