"""What earlier fits of a model have left to know."""

from __future__ import annotations

import weakref
from dataclasses import dataclass, field
from typing import Any

from keras_lr.plan.duration import Clock


@dataclass(frozen=True)
class Stretch:
    """A part of a run that was made under a plan of another length than it has now.

    Attributes:
        done: Where it has ended, in epochs since the run's begin.
        planned: The length of that plan, in epochs.
    """

    done: float
    planned: float


@dataclass
class Past:
    """What is known of a model's earlier scheduled fits, and of searches.

    Attributes:
        planned: The run that the last one was laid over; None before the first.
        epochs: The epochs of that run, as far as known.
        stretches: The parts of its run that were made under plans of other lengths, as
            far as a schedule has gone over from one into the next.
        batches: Batches of an epoch, as the last fit over data of unknown length has
            counted them; None if none has.
        has_warned: Whether the user has been told that the planned run changes.
        paces: Updates that a step makes of an optimizer, where they are several.
        found: The rate that a search has found for an optimizer.
    """

    planned: Clock | None = None
    epochs: int | None = None
    stretches: tuple[Stretch, ...] = ()
    batches: int | None = None
    has_warned: bool = False
    paces: weakref.WeakKeyDictionary[Any, int] = field(
        default_factory=weakref.WeakKeyDictionary
    )
    found: weakref.WeakKeyDictionary[Any, float] = field(
        default_factory=weakref.WeakKeyDictionary
    )

    def planned_in(self, run: Clock) -> Clock | None:
        """The run that the last fit was laid over, in updates; None if nobody knows.

        Args:
            run: The run now, which may know how long an epoch is.
        """
        planned = self.planned
        if planned is None or planned.total is not None:
            return planned
        if self.epochs is None or run.steps_per_epoch is None:
            return None
        # The data have been counted since.
        return Clock(round(self.epochs * run.steps_per_epoch), run.steps_per_epoch)


_PASTS: weakref.WeakKeyDictionary[Any, Past] = weakref.WeakKeyDictionary()


def past_of(model: Any) -> Past:
    """What is known of a model's earlier scheduled fits."""
    return _PASTS.setdefault(model, Past())
