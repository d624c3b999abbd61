"""How long something lasts: ``500``, ``0.05``, ``"5%"``, ``"2 epochs"`` -> updates.

This is the one place that knows durations. :func:`parse` reads what a user wrote,
:class:`Clock` turns it into updates once the length of the run is known.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]
Duration = int | float | str
Unit = Literal["updates", "fraction", "epochs"]

_UNITS: dict[str, Unit] = {
    "%": "fraction",
    "epoch": "epochs",
    "epochs": "epochs",
    "step": "updates",
    "steps": "updates",
    "update": "updates",
    "updates": "updates",
}
_TEXT = re.compile(r"([+-]?(?:\d+\.?\d*(?:e[+-]?\d+)?|\.\d+|nan|inf))\s*(\S.*)?", re.I)
_FORMS = 'an int (updates), a fraction in (0, 1), "5%", "2 epochs" or "500 steps"'


class Length(NamedTuple):
    """A parsed duration: an amount of one unit, plus whole updates.

    Attributes:
        unit: ``"updates"``, ``"fraction"`` (of the run) or ``"epochs"``.
        amount: How many of them, above 0.
        offset: Updates added after rounding; presets use it to end a phase one
            update earlier.
    """

    unit: Unit
    amount: float
    offset: int = 0


def parse(duration: Duration, name: str = "duration") -> Length:
    """Read a duration as a user writes it.

    Args:
        duration: An int of at least 1 (optimizer updates), a float in (0, 1] (fraction
            of the run), or a string: ``"5%"``, ``"1.5 epochs"``, ``"500 steps"``.
        name: What the duration is called in an error.

    Returns:
        The amount and its unit.

    Raises:
        TypeError: If it is neither a number nor a string.
        ValueError: If it is zero, negative, not finite, above the whole run, a
            fractional number of updates, or text that is not a duration.

    Example:
        >>> parse("5%")
        Length(unit='fraction', amount=0.05, offset=0)
        >>> parse(500)
        Length(unit='updates', amount=500, offset=0)
    """
    received = f"Received: {name}={duration!r}."
    if isinstance(duration, str):
        return _parse_text(duration, name, received)
    if not isinstance(duration, bool | np.bool_ | bytes):
        with suppress(TypeError):
            return _checked(_number(duration), name, received)
    raise TypeError(f"`{name}` must be a duration: {_FORMS}. {received}")


def _number(duration: Any) -> Length:
    """Whatever is a whole number counts updates; any other is a fraction."""
    try:
        return Length("updates", operator.index(duration))
    except TypeError:
        return Length("fraction", float(duration))


def _parse_text(text: str, name: str, received: str) -> Length:
    match = _TEXT.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"`{name}` must be a duration: {_FORMS}. {received}")
    number, word = float(match[1]), (match[2] or "").lower()
    if not word:
        raise ValueError(
            f"`{name}` as text must name its unit: %, epochs or steps. {received}"
        )
    if word not in _UNITS:
        raise ValueError(
            f"`{name}` must be counted in %, epochs or steps, not in {word!r}. "
            f"{received}"
        )
    unit = _UNITS[word]
    return _checked(
        Length(unit, number / 100 if word == "%" else number), name, received
    )


def _checked(length: Length, name: str, received: str) -> Length:
    unit, amount, _ = length
    if not math.isfinite(amount):
        raise ValueError(f"`{name}` must be finite. {received}")
    if amount < 0:
        raise ValueError(f"`{name}` must not be negative. {received}")
    if amount == 0:
        raise ValueError(
            f"`{name}` must be longer than nothing. {received} "
            "To do without it, leave it out."
        )
    if unit == "fraction" and amount > 1:
        raise ValueError(
            f"`{name}` as a fraction must not exceed the whole run (1.0, or 100%). "
            f"{received} For a number of updates write an int."
        )
    if unit == "updates":
        if amount != int(amount):
            raise ValueError(f"`{name}` must be a whole number of updates. {received}")
        return Length(unit, int(amount))
    return length


@dataclass(frozen=True)
class Clock:
    """What is known of a run's length; turns durations into updates.

    Attributes:
        total: Updates of the whole run, or None if unknown.
        steps_per_epoch: Updates of an epoch (fractional under gradient accumulation),
            or None if unknown.
    """

    total: int | None = None
    steps_per_epoch: float | None = None

    def exact(self, length: Length, name: str = "duration") -> float:
        """Length in updates before rounding; ValueError if the run does not tell."""
        if length.unit == "updates":
            return length.amount
        if length.unit == "fraction":
            if self.total is None:
                raise ValueError(
                    f"`{name}` is a fraction of the run, whose length is not known: "
                    "the data set does not tell its size. Give `steps_per_epoch=` to "
                    "fit, `horizon=` to the schedule, or a number of updates. "
                    f"Received: {name}={length.amount:g} of the run."
                )
            return length.amount * self.total
        if self.steps_per_epoch is None:
            raise ValueError(
                f"`{name}` is in epochs, and the updates of an epoch are not known: "
                "give `steps_per_epoch=`, or a number of updates. "
                f"Received: {name}={length.amount:g} epochs."
            )
        return length.amount * self.steps_per_epoch

    def updates(self, length: Length, name: str = "duration") -> int:
        """One duration in whole updates, at least 1."""
        return max(1, _round(self.exact(length, name)) + length.offset)

    def split(self, lengths: Sequence[Length]) -> list[int]:
        """Durations laid end to end, in whole updates, each at least 1.

        Boundaries are rounded, not lengths, so that fractions which add up to the
        whole run fill it exactly; what is given in updates stays exactly that.
        """
        relative = [self.exact(n) for n in lengths if n.unit != "updates"]
        ends = _boundaries(relative)
        rounded = iter(end - begin for begin, end in pairwise([0, *ends]))
        counts = (
            int(length.amount) if length.unit == "updates" else next(rounded)
            for length in lengths
        )
        return [max(1, n + p.offset) for n, p in zip(counts, lengths, strict=True)]


def _boundaries(exact: Sequence[float]) -> list[int]:
    """Ends of lengths laid end to end, rounded so that none of them vanishes."""
    ends = [_round(end) for end in accumulate(exact)]
    last = max(ends[-1], len(ends)) if ends else 0
    for i in range(len(ends)):
        ends[i] = max(ends[i], ends[i - 1] + 1 if i else 1)
    # What the shortest gained is taken from those before the end.
    for i in reversed(range(len(ends))):
        ends[i] = min(ends[i], last - (len(ends) - 1 - i))
    return ends


def _round(updates: float) -> int:
    """Nearest whole number, halves up, whatever the noise in the last digits."""
    return math.floor(updates + 0.5 + 1e-9)
