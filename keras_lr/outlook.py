"""``Outlook``: what a schedule, or a product of several, gives without a training."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from keras_lr.plan.checks import check_int, check_rate, check_value
from keras_lr.plan.curves import FloatArray
from keras_lr.plan.duration import LONGEST, Clock, IntArray
from keras_lr.plan.product import Planned, product
from keras_lr.plan.words import naming, received
from keras_lr.plot import plot_schedule
from keras_lr.tabulated import TabulatedSchedule


class Outlook:
    """The values in force in a run that is only thought of.

    Attributes:
        hyperparameter: What ``values`` are values of.
    """

    hyperparameter: str

    #: Updates of an epoch where nobody says; None if they have to be told.
    _usual_epoch: float | None = None

    def _planned(self) -> Sequence[Planned]:
        """All courses; those of one hyperparameter multiply."""
        raise NotImplementedError

    def values(
        self,
        steps: int,
        base_lr: float = 1.0,
        steps_per_epoch: float | None = None,
    ) -> FloatArray:
        """The value in force at each update of a run.

        Args:
            steps: Updates of the run, at least 1. A run that ends before durations in
                updates or epochs do sees their beginning.
            base_lr: The optimizer's own rate; ignored where ``max_lr`` is given.
            steps_per_epoch: Updates of an epoch, for durations in epochs.

        Returns:
            float64 array of shape ``(steps,)``, for updates 0 .. steps - 1.

        Raises:
            ValueError: If fractions add up to more than the run, or a length is needed
                that is not known.
        """
        with naming(self):
            run = self._run(steps, steps_per_epoch)
            check_value("base_lr", base_lr, above=0)
        return self._product(self.hyperparameter, base_lr, run, np.arange(steps))

    def at(
        self,
        updates: ArrayLike,
        steps: int,
        base_lr: float = 1.0,
        steps_per_epoch: float | None = None,
    ) -> Any:
        """The value in force at some updates of a run, which may be of any length.

        Args:
            updates: An int or an array of ints, in any order, from 0; past the end of
                the run the last value is in force.
            steps: Updates of the run, 1 to 10**15.
            base_lr: The optimizer's own rate; ignored where ``max_lr`` is given.
            steps_per_epoch: Updates of an epoch, for durations in epochs.

        Returns:
            float64 array of the shape of ``updates``, a float64 for a single int.

        Raises:
            TypeError: If ``updates`` are not ints.
            ValueError: If one is negative, or as :meth:`values` does.

        Example:
            >>> from keras_lr import LinearDecay
            >>> LinearDecay(max_lr=0.5).at([0, 5 * 10**9, 10**10], steps=10**10 + 1)
            array([0.5 , 0.25, 0.  ])
        """
        with naming(self):
            run = self._run(steps, steps_per_epoch)
            check_value("base_lr", base_lr, above=0)
            wanted = _updates(updates, run)
        values = self._product(self.hyperparameter, base_lr, run, wanted.ravel())
        # As NumPy's functions do: a number for a number.
        return values.reshape(wanted.shape)[()]

    def momentum_values(
        self,
        steps: int,
        base: float = 0.9,
        steps_per_epoch: float | None = None,
    ) -> FloatArray:
        """The momentum (or beta_1) in force at each update of a run.

        Args:
            steps: Updates of the run, at least 1.
            base: The optimizer's own momentum, in force where it is not scheduled.
            steps_per_epoch: Updates of an epoch, for durations in epochs.

        Returns:
            float64 array of shape ``(steps,)``.
        """
        with naming(self):
            run = self._run(steps, steps_per_epoch)
            check_value("base", base)
        return self._product("momentum", base, run, np.arange(steps))

    def _product(
        self, hyperparameter: str, base: float, run: Clock, updates: IntArray
    ) -> FloatArray:
        planned = [
            each
            for each in self._planned()
            if each.course.hyperparameter == hyperparameter
        ]
        return product(planned, base, run, updates)

    def _run(self, steps: int, steps_per_epoch: float | None) -> Clock:
        """A run of so many updates, checked."""
        check_int("steps", steps)
        if not 1 <= operator.index(steps) <= LONGEST:
            raise ValueError(
                "`steps` must be at least 1 and at most 10**15. "
                f"{received(steps=steps)}"
            )
        check_rate("steps_per_epoch", steps_per_epoch, above=0)
        if steps_per_epoch is None:
            steps_per_epoch = self._usual_epoch
        return Clock(operator.index(steps), steps_per_epoch)

    def plot(
        self,
        epochs: float = 1,
        steps_per_epoch: int = 1000,
        base_lr: float = 1.0,
        ax: Any = None,
    ) -> Any:
        """Draw the values over a run (needs matplotlib, extra ``plot``).

        Args:
            epochs: Epochs of the run.
            steps_per_epoch: Updates of an epoch.
            base_lr: The optimizer's own rate.
            ax: Matplotlib axes to draw on; None makes a figure.

        Returns:
            The axes.
        """
        return plot_schedule(self, epochs, steps_per_epoch, base_lr, ax)

    def as_keras_schedule(
        self,
        steps: int,
        base_lr: float = 1.0,
        steps_per_epoch: float | None = None,
        accumulation: int = 1,
    ) -> TabulatedSchedule:
        """The same values as a ``LearningRateSchedule``, for custom training loops.

        It is the rate alone; momentum, where it is scheduled as well, is given by
        :meth:`momentum_values` and set on the optimizer before each update
        (``examples/custom_loop.py`` does so on each backend).

        Args:
            steps: Updates of the run, at most 2**24.
            base_lr: The rate where ``max_lr`` is not given.
            steps_per_epoch: Updates of an epoch, for durations in epochs.
            accumulation: Batches of an update: the ``gradient_accumulation_steps`` of
                the optimizer, which hands a schedule the number of batches.

        Returns:
            A serializable schedule: pass it as an optimizer's ``learning_rate``.

        Raises:
            ValueError: If it is a schedule of momentum or weight decay, or the run is
                too long.

        Example:
            >>> from keras_lr import LinearDecay
            >>> rate = LinearDecay(max_lr=0.5).as_keras_schedule(3, accumulation=2)
            >>> [float(rate(batch)) for batch in range(6)]
            [0.5, 0.5, 0.25, 0.25, 0.0, 0.0]
        """
        with naming(self):
            return TabulatedSchedule(
                self, steps, base_lr, steps_per_epoch, accumulation
            )


def _updates(updates: ArrayLike, run: Clock) -> IntArray:
    """Updates as an array of ints, those past the end of the run at its last one."""
    try:
        given = np.asarray(updates)
    except ValueError as error:
        # Rows of several lengths.
        raise TypeError(
            f"`updates` must be ints. {received(updates=updates)}"
        ) from error
    if given.size == 0:
        return np.zeros(given.shape, np.int64)
    # Ints that 64 bits cannot hold come as objects.
    is_object = given.dtype == object and all(type(each) is int for each in given.flat)
    if not is_object and given.dtype.kind not in "iu":
        raise TypeError(f"`updates` must be ints. {received(updates=updates)}")
    if given.min() < 0:
        raise ValueError(f"`updates` must not be negative. {received(updates=updates)}")
    assert run.total is not None  # noqa: S101  _run has seen to it
    within: IntArray = np.minimum(given, run.total - 1).astype(np.int64)
    return within
