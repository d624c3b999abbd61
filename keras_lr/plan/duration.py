"""How long something lasts: ``500``, ``0.05``, ``"5%"``, ``"2 epochs"`` -> updates.

This is the one place that knows durations. :func:`parse` reads what a user wrote,
:class:`Argument` remembers how it was called, :class:`Clock` turns it into updates once
the length of the run is known.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Annotated, Any, Literal, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from keras_lr.plan.words import received

IntArray = NDArray[np.int64]
Duration = int | float | str
#: A duration that may be 0 (``"0%"``, ``"0 epochs"``): then there is nothing of it.
DurationOrZero = Annotated[Duration, "or zero"]
Unit = Literal["updates", "fraction", "epochs"]

#: Updates, or epochs, of the longest duration.
LONGEST = 10**15
#: An update that no run gets to, and that 64 bits can count.
FAR = 2**62

_UNITS: dict[str, Unit] = {
    "%": "fraction",
    "epoch": "epochs",
    "epochs": "epochs",
    "step": "updates",
    "steps": "updates",
    "update": "updates",
    "updates": "updates",
}
_TEXT = re.compile(
    r"([+-]?(?:\d+(?:\.\d*)?(?:e[+-]?\d+)?|\.\d+|nan|inf))\s*(\S.*)?", re.I | re.S
)
_FORMS = 'an int (updates), a fraction in (0, 1), "5%", "2 epochs" or "500 steps"'


class Length(NamedTuple):
    """A parsed duration: an amount of one unit, plus whole updates.

    Attributes:
        unit: ``"updates"``, ``"fraction"`` (of the run) or ``"epochs"``.
        amount: How many of them, above 0; or 0 where that is allowed.
        offset: Updates added after rounding; presets use it to end a phase one
            update earlier.
    """

    unit: Unit
    amount: float
    offset: int = 0


def parse(
    duration: Duration, name: str = "duration", *, may_be_zero: bool = False
) -> Length:
    """Read a duration as a user writes it.

    Args:
        duration: An int of at least 1 (optimizer updates), a float in (0, 1] (fraction
            of the run), or a string: ``"5%"``, ``"1.5 epochs"``, ``"500 steps"``. At
            most 10**15 updates or epochs.
        name: What the duration is called in an error.
        may_be_zero: Whether 0 of any unit is one.

    Returns:
        The amount and its unit.

    Raises:
        TypeError: If it is neither a number nor a string.
        ValueError: If it is zero, negative, not finite, too large, above the whole run,
            a fractional number of updates, or text that is not a duration.

    Example:
        >>> parse("5%")
        Length(unit='fraction', amount=0.05, offset=0)
        >>> parse(500)
        Length(unit='updates', amount=500, offset=0)
    """
    if isinstance(duration, str):
        return _checked(_read(duration, name), name, duration, may_be_zero)
    if not isinstance(duration, bool | np.bool_ | bytes):
        with suppress(TypeError):
            return _checked(_number(duration), name, duration, may_be_zero)
    given = received(**{name: duration})
    raise TypeError(f"`{name}` must be a duration: {_FORMS}. {given}")


def _number(duration: Any) -> Length:
    """Whatever is a whole number counts updates; any other is a fraction."""
    try:
        return Length("updates", operator.index(duration))
    except TypeError:
        pass
    try:
        return Length("fraction", float(duration))
    except OverflowError:
        return Length("fraction", math.inf)


def _read(text: str, name: str) -> Length:
    match = _TEXT.fullmatch(text.strip())
    if match is None:
        given = received(**{name: text})
        raise ValueError(f"`{name}` must be a duration: {_FORMS}. {given}")
    number = float(match[1])
    word = (match[2] or "").lower()
    if word in _UNITS:
        return Length(_UNITS[word], number / 100 if word == "%" else number)
    given = received(**{name: text})
    if not word:
        raise ValueError(
            f"`{name}` as text must name its unit: %, epochs or steps. {given}"
        )
    raise ValueError(
        f"`{name}` must be counted in %, epochs or steps, not in {word[:20]!r}. {given}"
    )


def _checked(length: Length, name: str, written: Any, may_be_zero: bool) -> Length:
    """The length, if it is one; what was written is shown if it is none."""
    problem = _problem(length, may_be_zero)
    if problem is not None:
        rule, step = problem
        given = received(**{name: written})
        raise ValueError(f"`{name}` {rule}. {given}{step}")
    if length.unit == "updates":
        return Length("updates", int(length.amount))
    return length


def _problem(length: Length, may_be_zero: bool) -> tuple[str, str] | None:
    """The rule that a length breaks, and the next step; None if it breaks none."""
    unit, amount, _ = length
    # Before anything makes a float of an int that is too large for one.
    if unit != "fraction" and amount > LONGEST and amount != math.inf:
        return f"must be at most 10**15 {unit}", ""
    if amount < 0 and amount != -math.inf:
        return "must not be negative", ""
    if not math.isfinite(amount):
        return "must be finite", ""
    if amount == 0 and not may_be_zero:
        return "must be longer than nothing", " The shortest is 1, an update."
    if unit == "fraction" and amount > 1:
        return (
            "as a fraction must not exceed the whole run (1.0, or 100%)",
            " For a number of updates write an int.",
        )
    if unit == "updates" and amount != int(amount):
        return "must be a whole number of updates", ""
    return None


@dataclass(frozen=True)
class Argument:
    """A duration, and what a message says of it.

    Attributes:
        name: The argument that the user wrote, as ``"warmup"``.
        written: Its value as the user wrote it.
        length: What that means.
    """

    name: str
    written: Any
    length: Length

    @classmethod
    def read(cls, name: str, written: Any, *, may_be_zero: bool = False) -> Self:
        """What a user wrote, parsed."""
        return cls(name, written, parse(written, name, may_be_zero=may_be_zero))

    @property
    def received(self) -> str:
        """The value, as a message shows it."""
        return received(**{self.name: self.written})


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

    def exact(self, argument: Argument) -> float:
        """A duration in updates before rounding; ValueError if the run cannot tell."""
        name = argument.name
        unit, amount, _ = argument.length
        if unit == "updates":
            return amount
        if unit == "fraction":
            if self.total is None:
                raise ValueError(
                    f"`{name}` is a fraction of the run, whose length is not known: "
                    "the data set does not tell its size. Give `steps_per_epoch=` to "
                    "fit, `horizon=` to the schedule, or a number of updates. "
                    f"{argument.received}"
                )
            return amount * self.total
        if self.steps_per_epoch is None:
            raise ValueError(
                f"`{name}` is in epochs, and the updates of an epoch are not known: "
                f"give `steps_per_epoch=`, or a number of updates. {argument.received}"
            )
        return amount * self.steps_per_epoch

    def updates(self, argument: Argument) -> int:
        """One duration in whole updates: at least 1, or 0 where it is nothing."""
        if argument.length.amount == 0:
            return 0
        return _within(_round(self.exact(argument)) + argument.length.offset)

    def epochs(self, updates: IntArray, *, in_fractions: bool = False) -> Any:
        """The epoch that each of some updates lies in, from 0.

        Epochs begin where durations in epochs end: at whole updates, halves up.

        Args:
            updates: The updates, from 0.
            in_fractions: Whether what has passed of the epoch counts as well.

        Raises:
            ValueError: If the updates of an epoch are not known.
        """
        if self.steps_per_epoch is None:
            raise ValueError(
                "What changes by epochs needs the updates of an epoch, which are not "
                "known: give `steps_per_epoch=`. Received: steps_per_epoch=None."
            )
        if in_fractions:
            return updates / self.steps_per_epoch
        # The last epoch e whose begin, floor(e * steps + 0.5 + 1e-9), has been reached.
        begins = (updates + (0.5 - 1e-9)) / self.steps_per_epoch
        return np.ceil(begins).astype(np.int64) - 1

    def split(self, arguments: Sequence[Argument]) -> list[int]:
        """Durations laid end to end, in whole updates, each at least 1.

        Boundaries are rounded, not lengths, so that fractions which add up to the
        whole run fill it exactly; what is given in updates stays exactly that. Epochs
        are rounded without a look at the fractions, whose length depends on the run.
        """
        rounded = {
            unit: iter(
                _rounded([self.exact(a) for a in arguments if a.length[0] == unit])
            )
            for unit in ("fraction", "epochs")
        }
        counts = []
        for length in (argument.length for argument in arguments):
            is_exact = length.unit == "updates"
            count = int(length.amount) if is_exact else next(rounded[length.unit])
            counts.append(_within(count + length.offset))
        return counts


def _within(updates: int) -> int:
    """At least one update, and no more than can be counted."""
    return min(max(1, updates), FAR)


def _rounded(exact: Sequence[float]) -> list[int]:
    """Lengths laid end to end, rounded at their ends so that none of them vanishes."""
    ends = [_round(end) for end in accumulate(exact)]
    last = max(ends[-1], len(ends)) if ends else 0
    for i in range(len(ends)):
        ends[i] = max(ends[i], ends[i - 1] + 1 if i else 1)
    # What the shortest gained is taken from those before the end.
    for i in reversed(range(len(ends))):
        ends[i] = min(ends[i], last - (len(ends) - 1 - i))
    return [end - begin for begin, end in pairwise([0, *ends])]


def _round(updates: float) -> int:
    """Nearest whole number, halves up, whatever the noise in the last digits."""
    return math.floor(updates + 0.5 + 1e-9)
