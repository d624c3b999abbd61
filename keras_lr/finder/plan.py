"""What is to be swept, and a schedule in small, as sweep and probes have to know it."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import Any

import numpy as np

from keras_lr.finder.judge import LEAST
from keras_lr.plan.checks import check_rate
from keras_lr.plan.curves import FloatArray
from keras_lr.schedule import Schedule

SPACINGS = ("exponential", "linear")

#: Updates of the long run that a schedule is looked at over, and of each epoch of it.
LONG, EPOCH = 100_000, 1000


@dataclass(frozen=True)
class SweepPlan:
    """The rates of a sweep.

    Attributes:
        min_lr: First rate, above 0.
        max_lr: Last rate, above ``min_lr``.
        steps: Updates, at least 20 for each of ``updates_per_rate``.
        spacing: ``"exponential"`` or ``"linear"``.
        updates_per_rate: Updates at each rate.
        stop_early: Whether to stop when the loss has risen.

    Raises:
        ValueError: If one of them is out of range.
    """

    min_lr: float = 1e-7
    max_lr: float = 10.0
    steps: int = 200
    spacing: str = "exponential"
    updates_per_rate: int = 1
    stop_early: bool = True

    def __post_init__(self) -> None:
        check_rate("min_lr", self.min_lr, above=0)
        check_rate("max_lr", self.max_lr, above=self.min_lr)
        if self.spacing not in SPACINGS:
            raise ValueError(
                f"`spacing` must be one of {', '.join(SPACINGS)}. "
                f"Received: spacing={self.spacing!r}."
            )
        if operator.index(self.updates_per_rate) < 1:
            raise ValueError(
                "`updates_per_rate` must be at least 1. "
                f"Received: updates_per_rate={self.updates_per_rate!r}."
            )
        if operator.index(self.steps) < self.least_updates:
            raise ValueError(
                f"`steps` must be at least {LEAST} for each of "
                f"`updates_per_rate` (={self.updates_per_rate}). "
                f"Received: steps={self.steps!r}."
            )

    @property
    def least_updates(self) -> int:
        """Updates that a sweep needs at least."""
        return LEAST * self.updates_per_rate

    def points(self, steps: int) -> int:
        """How many rates a sweep of so many updates has."""
        return -(-steps // self.updates_per_rate)

    def values(self, steps: int) -> FloatArray:
        """The rate of each update of a sweep of so many."""
        space = np.geomspace if self.spacing == "exponential" else np.linspace
        rates = space(self.min_lr, self.max_lr, self.points(steps))
        return np.repeat(rates, self.updates_per_rate)[:steps]


def check_schedule(schedule: Schedule | None) -> None:
    """Refuse what is neither a schedule of this package nor None."""
    if schedule is not None and not isinstance(schedule, Schedule):
        raise TypeError(
            "`schedule` must be a keras_lr schedule, as OneCycle(), or None for a "
            f"constant rate. Received: schedule={schedule!r}."
        )


def check_trainable(model: Any) -> None:
    """Refuse a model in which there is nothing to train.

    Args:
        model: A compiled model; one that is not built yet passes, since its weights are
            not known.

    Raises:
        ValueError: If it is built and no weight of it is trainable.
    """
    if model.built and not model.trainable_weights:
        frozen = len(model.weights)
        have = f"{frozen} weights, all frozen" if frozen else "no weights"
        raise ValueError(
            "A model needs trainable weights for its learning rate to matter. "
            f"Received: {type(model).__name__} {model.name!r} with {have}. Set "
            "`trainable = True` on the layers to train, and compile it again."
        )


def in_small(schedule: Schedule | None, updates: int) -> FloatArray:
    """A schedule's course over a run of few updates, for a peak of 1.

    It is a long run's course, seen at so many places: also of a schedule with phases
    of a fixed number of updates, which a short run would not get past.

    Args:
        schedule: The schedule; None for a constant rate.
        updates: Of the short run.

    Returns:
        float64 array of shape ``(updates,)``.

    Example:
        >>> from keras_lr import LinearDecay
        >>> in_small(LinearDecay(), 5).round(2)
        array([1.  , 0.78, 0.56, 0.33, 0.11])
    """
    if schedule is None:
        return np.ones(updates)
    length = LONG
    if schedule._meant_for is not None:
        unit, amount, _ = schedule._meant_for
        length = max(1, int(amount * (EPOCH if unit == "epochs" else 1)))
    values = schedule.values(length, steps_per_epoch=EPOCH)
    values = values[((np.arange(updates) + 0.5) * length / updates).astype(int)]
    factors: FloatArray = values / values.max()
    return factors


def comes_down(schedule: Schedule | None) -> bool:
    """Whether a schedule's rate is well below its peak for most of the run.

    Its mean is then below three quarters of the peak, as in everything that anneals.

    Example:
        >>> from keras_lr import OneCycle, Warmup
        >>> comes_down(OneCycle()), comes_down(Warmup("5%")), comes_down(None)
        (True, False, False)
    """
    return bool(in_small(schedule, 1000).mean() < 0.75)
