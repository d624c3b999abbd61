"""``Probe``: one short training that a search has run."""

from __future__ import annotations

import dataclasses
import math


@dataclasses.dataclass(frozen=True)
class Probe:
    """One short training of a search: at which rate, how long, and what it came to.

    Attributes:
        lr: The rate of its updates, or its peak where the rate followed a schedule.
        loss: The mean held-out loss after it; infinite where the training was lost.
        updates: Optimizer updates that were spent: fewer than planned where it was
            given up.
        planned: Optimizer updates that it was to have.
        follows: Whether its rate followed the course of the schedule in small; False
            where the rate stayed.

    Example:
        >>> Probe(lr=0.1, loss=0.5, updates=30, planned=30, follows=False).lasted
        True
    """

    lr: float
    loss: float
    updates: int
    planned: int
    follows: bool

    @property
    def lasted(self) -> bool:
        """Whether the training was not lost."""
        return math.isfinite(self.loss)
