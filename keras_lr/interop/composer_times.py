"""Times as MosaicML's composer writes them: ``"10ep"``, ``"100ba"``, ``"0.5dur"``.

Source: composer, commit 64051888 of April 2026, ``core/time.py`` and the conversion in
``optim/scheduler.py``.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from keras_lr.plan.checks import check_value
from keras_lr.plan.duration import LONGEST, Argument, Clock, IntArray, Length, Unit
from keras_lr.plan.words import received

_UNITS: dict[str, Unit] = {"ep": "epochs", "ba": "updates", "dur": "fraction"}
#: What composer can count as well, and a fit cannot.
_OTHERS = {
    "sp": "samples",
    "tok": "tokens",
    "iter": "iterations",
    "sec": "seconds, which composer's own schedulers refuse",
}
_TEXT = re.compile(rf"\s*(\S+?)\s*({'|'.join([*_UNITS, *_OTHERS])})\s*", re.IGNORECASE)


def time_of(name: str, written: Any) -> Argument:
    """A time as composer writes it.

    Args:
        name: What the time is called in an error.
        written: A number and a unit: ``ep`` for epochs and ``ba`` for batches, both
            whole, and ``dur`` for lengths of the training.

    Raises:
        ValueError: If it is none, or is counted in something else.

    Example:
        >>> time_of("t_max", "1e2ba").length
        Length(unit='updates', amount=100.0, offset=0)
    """
    given = received(**{name: written})
    match = _TEXT.fullmatch(written) if isinstance(written, str) else None
    amount = None if match is None else _number(match[1])
    if match is None or amount is None:
        raise ValueError(
            f"`{name}` must be a time as composer writes it, such as '10ep', '100ba' "
            f"or '0.5dur'. {given}"
        )
    suffix = match[2].lower()
    if suffix in _OTHERS:
        raise ValueError(
            f"`{name}` must be counted in epochs (ep), batches (ba) or the duration of "
            f"the training (dur): a fit counts no {_OTHERS[suffix]}. {given}"
        )
    check_value(name, amount)
    unit = _UNITS[suffix]
    if amount > LONGEST or (unit != "fraction" and amount != int(amount)):
        raise ValueError(
            f"`{name}` must be a whole number of {suffix}, at most 10**15. {given}"
        )
    return Argument(name, written, Length(unit, amount))


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


@dataclass(frozen=True)
class Training:
    """A training as a scheduler of composer sees it.

    Attributes:
        run: Its length: composer's ``max_duration``, already scaled.
        ratio: By what epochs and batches are scaled.
        faithful: Whether whole batches are found as composer finds them.
    """

    run: Clock
    ratio: float
    faithful: bool

    def batches(self, time: Argument, is_scaled: bool = True) -> int:
        """A time in whole batches, rounded down.

        Args:
            time: The time.
            is_scaled: Whether the ratio scales it; it never scales the duration.
        """
        exact = self.run.exact(time)
        if time.length.unit != "fraction":
            return self.whole(exact * (self.ratio if is_scaled else 1.0))
        epoch = self.run.steps_per_epoch
        if self.faithful and epoch is not None and self.run.total is not None:
            # Trainers are told epochs; the product is another one in the last digit.
            exact = time.length.amount * epoch * (self.run.total / epoch)
        return self.whole(exact)

    def some_batches(self, time: Argument, is_scaled: bool = True) -> int:
        """A time in whole batches, at least one; ValueError if it is shorter."""
        batches = self.batches(time, is_scaled)
        if batches < 1:
            raise ValueError(
                f"`{time.name}` must come to a batch or more. {time.received} It is "
                f"rounded down; the training has {self.run.total} batches."
            )
        return batches

    def whole(self, exact: float) -> int:
        """Rounded down; unless faithful, whatever the noise in the last digits."""
        if self.faithful:
            return int(exact)
        return math.floor(exact * (1 + 1e-12))

    def check_end(self, end: Argument) -> None:
        """Raise where composer refuses a schedule that ends before the training."""
        total = self.run.total
        if self.faithful and total is not None and self.batches(end) < total:
            raise ValueError(
                f"composer refuses a `{end.name}` before the end of the training "
                f"(={total} batches). {end.received} Leave `faithful` out, and the "
                "last value stays."
            )

    def cycles(
        self, first: Argument, growth: float, last: int
    ) -> tuple[IntArray, IntArray]:
        """Where cycles begin up to a batch, and how long they are.

        The last one that is returned either holds that batch, or repeats itself.

        Args:
            first: The length of the first.
            growth: How many times as long the next one is, before it is rounded down.
            last: The batch.
        """
        lengths = [self.some_batches(first)]
        begins = [0]
        while begins[-1] + lengths[-1] <= last:
            length = self.whole(growth * lengths[-1])
            if length == lengths[-1]:
                break
            if length < 1:
                raise ValueError(
                    f"Cycles must last a batch or more. {received(t_mult=growth)} They "
                    f"are shorter than that from batch {begins[-1] + lengths[-1]} on."
                )
            begins.append(begins[-1] + lengths[-1])
            lengths.append(length)
        return np.array(begins), np.array(lengths)
