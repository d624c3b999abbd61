"""``TabulatedSchedule``: a schedule of this package for loops without ``fit``."""

from __future__ import annotations

import inspect
from typing import Any, Protocol, Self, runtime_checkable

import keras
from keras import ops

from keras_lr.plan.checks import check_int
from keras_lr.plan.curves import FloatArray
from keras_lr.plan.words import received
from keras_lr.reading import read_config

#: Largest run that is tabulated (64 MB of float32).
LARGEST_TABLE = 2**24


@runtime_checkable
class HasValues(Protocol):
    """What is asked of a schedule to tabulate it."""

    hyperparameter: str

    def values(
        self, steps: int, base_lr: float = 1.0, steps_per_epoch: float | None = None
    ) -> FloatArray:
        """The value at each update."""


@keras.saving.register_keras_serializable("keras_lr")
class TabulatedSchedule(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
    """A schedule of this package as a Keras ``LearningRateSchedule``.

    Args:
        schedule: The schedule.
        steps: Updates of the run, at most 2**24.
        base_lr: The rate where the schedule has no ``max_lr``.
        steps_per_epoch: Updates of an epoch, for durations in epochs.
        accumulation: Batches of an update.

    Example:
        >>> from keras_lr import LinearDecay
        >>> rate = LinearDecay().as_keras_schedule(steps=5, base_lr=0.5)
        >>> [float(rate(step)) for step in (0, 2, 4, 100)]
        [0.5, 0.25, 0.0, 0.0]
    """

    def __init__(
        self,
        schedule: HasValues,
        steps: int,
        base_lr: float = 1.0,
        steps_per_epoch: float | None = None,
        accumulation: int = 1,
    ) -> None:
        super().__init__()
        if not isinstance(schedule, HasValues):
            raise TypeError(
                "`schedule` must be a schedule of this package. "
                f"{received(schedule=schedule)}"
            )
        check_int("steps", steps)
        check_int("accumulation", accumulation)
        if not 1 <= steps <= LARGEST_TABLE:
            raise ValueError(
                f"`steps` must lie in 1 .. {LARGEST_TABLE}. {received(steps=steps)}"
            )
        if schedule.hyperparameter != "learning_rate":
            raise ValueError(
                f"A schedule of {schedule.hyperparameter} is none of the rate. "
                f"{received(hyperparameter=schedule.hyperparameter)} Set what its "
                "`values` give on the optimizer before each update."
            )
        if accumulation < 1:
            raise ValueError(
                "`accumulation` must be at least 1. "
                f"{received(accumulation=accumulation)}"
            )
        self.schedule = schedule
        self.steps = steps
        self.base_lr = base_lr
        self.steps_per_epoch = steps_per_epoch
        self.accumulation = accumulation
        self._table = schedule.values(steps, base_lr, steps_per_epoch)

    def __call__(self, step: Any) -> Any:
        """The rate in force at an update; past the end the last one.

        Args:
            step: The update, from 0; with ``accumulation`` the batch.
        """
        dtype = "float64" if keras.config.floatx() == "float64" else "float32"
        update = ops.floor_divide(ops.cast(step, "int32"), self.accumulation)
        index = ops.clip(update, 0, self.steps - 1)
        return ops.take(self._table.astype(dtype), index, axis=0)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            "schedule": keras.saving.serialize_keras_object(self.schedule),
            "steps": self.steps,
            "base_lr": self.base_lr,
            "steps_per_epoch": self.steps_per_epoch,
            "accumulation": self.accumulation,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """A schedule from its config.

        Raises:
            ValueError: If it is none.
        """
        names = dict.fromkeys(inspect.signature(cls).parameters)
        arguments = read_config(cls.__name__, config, names)
        try:
            return cls(**arguments)
        except TypeError as error:
            raise ValueError(f"{cls.__name__}: {error}") from error
