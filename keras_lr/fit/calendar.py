"""Calendar: how long a fit is, and where an epoch of it begins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from keras_lr.fit.past import Past
from keras_lr.plan.duration import Clock


class Counted(Protocol):
    """What is asked of an optimizer to count its updates: it may be on loan."""

    @property
    def optimizer(self) -> Any:
        """The optimizer."""

    @property
    def accumulation(self) -> int:
        """Batches that make an update."""


@dataclass
class Calendar:
    """What is known of a fit's length.

    Attributes:
        epochs: Its epochs, counted from 0; None where nobody says.
        steps: Batches of an epoch; None where the data do not tell.
        past: What earlier fits of the model have left to know.
        batches: Where the data do not tell, the batches that have been counted before
            the epoch.
    """

    epochs: int | None
    steps: int | None
    past: Past
    batches: int = 0

    @property
    def counts_batches(self) -> bool:
        """Whether batches must be counted, since the data do not tell."""
        return self.steps is None

    def begin(self, epoch: int, counted: int) -> None:
        """Begin to count batches.

        Args:
            epoch: The epoch.
            counted: The optimizer's own count, for want of anything better.
        """
        if not epoch:
            self.batches = 0
        elif self.past.batches is not None:
            self.batches = epoch * self.past.batches
        else:
            self.batches = counted

    def add(self, batches: int) -> None:
        """Take note of the batches of an epoch that has ended."""
        self.batches += batches
        if batches > 0:
            self.past.batches = batches

    def place(self, lent: Counted, count: int, epoch: int) -> tuple[Clock, int]:
        """The run in an optimizer's updates, and the one that an epoch begins with.

        The place follows from the epoch, not from the optimizer's counter, which may
        have counted earlier fits; only where an epoch's length is unknown must the
        batches that have been counted do.

        Args:
            lent: The optimizer.
            count: The batches that it has done.
            epoch: The epoch.
        """
        each = lent.accumulation
        pace = self.past.paces.get(lent.optimizer, 1)
        steps = self.past.batches if self.steps is None else self.steps
        if self.steps is None:
            first = self.batches * pace // each
        else:
            first = epoch * self.steps * pace // each
        if steps is None:
            return Clock(), first
        steps *= pace
        if self.epochs is None:
            return Clock(None, steps / each), first
        left = (self.epochs - epoch) * steps
        if self.steps is not None:
            # An accumulation that an earlier fit has begun ends in this one.
            left += count % each
        return Clock(first + left // each, steps / each), first
