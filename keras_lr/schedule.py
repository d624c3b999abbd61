"""``Schedule``: the Keras callback that lays phases over a fit."""

from __future__ import annotations

import copy
import inspect
import operator
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self, Unpack
from weakref import WeakKeyDictionary

import keras
import numpy as np

from keras_lr.arguments import (
    Common,
    Peak,
    arguments_of,
    check_peaks,
    completed,
    signature_of,
)
from keras_lr.fit.director import Director, director_of
from keras_lr.fit.timetable import Request
from keras_lr.plan.checks import check_momentum, check_rate
from keras_lr.plan.config import from_config, to_config
from keras_lr.plan.course import HYPERPARAMETERS, Course
from keras_lr.plan.curves import FloatArray
from keras_lr.plan.duration import Clock, parse
from keras_lr.plan.layout import evaluate, span
from keras_lr.plan.parts import Part
from keras_lr.plot import plot_schedule
from keras_lr.tabulated import TabulatedSchedule

#: Largest run that is looked through for a peak.
LARGEST_LOOK = 2**16

registered = keras.saving.register_keras_serializable("keras_lr")


@registered
class Schedule(keras.callbacks.Callback):  # type: ignore[misc]
    """Lays phases over ``model.fit``, exact at every optimizer update.

    The value in force is the optimizer's own rate times the phases' value, or
    ``max_lr`` times it where that is given. Several schedules in one fit multiply.
    While the fit runs ``optimizer.learning_rate`` reads the scheduled value, and logs
    get ``learning_rate`` at the end of each epoch: the rate of its last update. At the
    end of the fit the optimizer is as it was.

    Args:
        *phases: Laid end to end (see :mod:`keras_lr.phases`); values are factors.
        max_lr: The rate that factor 1 stands for; None for the optimizer's own rate.
            With several optimizers it is that of the one with the highest rate, and the
            others keep their ratio to it. A mapping from names, as ``optimizer`` takes
            them, to rates schedules exactly the optimizers that it names.
        start: Factor just before the first update, for a first phase without a start.
        **common: ``horizon``: length of the whole run as a duration, where ``fit`` does
            not tell it (a fit in a loop with ``initial_epoch``, data of unknown size);
            None takes it from ``fit``. ``hyperparameter``: ``"learning_rate"``,
            ``"momentum"`` (beta_1 in Adam and its kin) or ``"weight_decay"``; for the
            last two ``max_lr`` is the value that factor 1 stands for. ``optimizer``:
            the one that the schedule is for: an attribute of the model, such as
            ``"d_optimizer"``, or else the name of one of a MultiOptimizer; None for all
            that the model was compiled with.

    Raises:
        ValueError: If an argument is out of range, or no phase is given.

    Example:
        >>> from keras_lr.phases import cosine, hold, linear
        >>> schedule = Schedule(linear(2), hold(1), cosine(to=0.0), max_lr=0.5)
        >>> schedule.values(5)
        array([0.25, 0.5 , 0.5 , 0.25, 0.  ])
    """

    #: Whether a run that never reaches the peak deserves a warning.
    _has_peak = False

    #: What ``help`` shows: the shared arguments are listed as well.
    __signature__: ClassVar[inspect.Signature]

    def __init__(
        self,
        *phases: Part,
        max_lr: Peak = None,
        start: float = 0.0,
        **common: Unpack[Common],
    ) -> None:
        if not phases:
            raise ValueError(
                "A schedule needs at least one phase. Received: none. "
                "See keras_lr.phases."
            )
        for phase in phases:
            if not isinstance(phase, Part):
                raise TypeError(
                    "A schedule is made of phases, as keras_lr.phases.linear(...) "
                    f"makes them. Received: {phase!r}."
                )
        self._phases = phases
        self.start = start
        self.max_lr = max_lr
        check_rate("start", start)
        self._prepare(common)

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.__signature__ = signature_of(cls)

    def _prepare(self, common: Common) -> None:
        """Take what every schedule has, and check it."""
        super().__init__()
        shared = completed(type(self), common)
        self.horizon = shared["horizon"]
        self.hyperparameter = shared["hyperparameter"]
        self.optimizer = shared["optimizer"]
        self._director: Director | None = None
        #: Where its fits of each model have ended, in updates of its horizon.
        self._ends: WeakKeyDictionary[Any, int] = WeakKeyDictionary()
        self._warned = False
        self._looked: tuple[Clock, int | None, bool] | None = None
        if self.horizon is not None:
            parse(self.horizon, "horizon")
        if self.hyperparameter not in HYPERPARAMETERS:
            raise ValueError(
                f"`hyperparameter` must be one of {', '.join(HYPERPARAMETERS)}. "
                f"Received: hyperparameter={self.hyperparameter!r}."
            )
        check_peaks(self.max_lr, self.optimizer)

    # What presets override.

    def _parts(self, peak: float) -> Sequence[Part]:
        """The parts, in absolute values."""
        return [phase.scaled(peak) for phase in self._phases]

    def _courses(self) -> list[Course]:
        """What this schedule changes."""
        return [Course(self.hyperparameter, self._peak, self._parts, self.start)]

    def _singles(self) -> list[tuple[str | None, Schedule]]:
        """The schedule as each optimizer that it names has it, with one peak."""
        if not isinstance(self.max_lr, Mapping):
            return [(self.optimizer, self)]
        singles: list[tuple[str | None, Schedule]] = []
        for name, peak in self.max_lr.items():
            single = copy.copy(self)
            single.max_lr = peak
            singles.append((name, single))
        return singles

    @property
    def _peak(self) -> float | None:
        """The one rate that factor 1 stands for."""
        if isinstance(self.max_lr, Mapping):
            raise ValueError(
                "To look at a schedule it must have one peak. Received: "
                f"max_lr={self.max_lr!r}. Look at one like it with each of these rates "
                "as `max_lr`."
            )
        return self.max_lr

    # Looking at it without training.

    def values(
        self,
        steps: int,
        base_lr: float = 1.0,
        steps_per_epoch: float | None = None,
    ) -> FloatArray:
        """The value in force at each update of a run.

        Args:
            steps: Updates of the run.
            base_lr: The optimizer's own rate; ignored where ``max_lr`` is given.
            steps_per_epoch: Updates of an epoch, for durations in epochs.

        Returns:
            float64 array of shape ``(steps,)``, for updates 0 .. steps - 1.

        Raises:
            ValueError: If the phases do not fit into the run.
        """
        return self._values(self._courses()[0], steps, base_lr, steps_per_epoch)

    def momentum_values(
        self,
        steps: int,
        base: float = 0.9,
        steps_per_epoch: float | None = None,
    ) -> FloatArray:
        """The momentum (or beta_1) in force at each update of a run.

        Args:
            steps: Updates of the run.
            base: The optimizer's own momentum, in force where it is not scheduled.
            steps_per_epoch: Updates of an epoch, for durations in epochs.

        Returns:
            float64 array of shape ``(steps,)``.
        """
        for course in self._courses():
            if course.hyperparameter == "momentum":
                values = self._values(course, steps, base, steps_per_epoch)
                check_momentum(values, np.arange(steps))
                return values
        return np.full(steps, base)

    def _values(
        self, course: Course, steps: int, base: float, steps_per_epoch: float | None
    ) -> FloatArray:
        if operator.index(steps) < 1:
            raise ValueError(f"`steps` must be at least 1. Received: steps={steps!r}.")
        check_rate("base_lr", base, above=0)
        clock = self._clock(Clock(steps, steps_per_epoch))
        peak = base if course.peak is None else course.peak
        return course.values(peak, clock, np.arange(steps))

    def _clock(self, run: Clock) -> Clock:
        """The run as this schedule counts it."""
        if self.horizon is None:
            return run
        return Clock(run.updates(parse(self.horizon), "horizon"), run.steps_per_epoch)

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
    ) -> TabulatedSchedule:
        """The same values as a ``LearningRateSchedule``, for custom training loops.

        Args:
            steps: Updates of the run, at most 2**24.
            base_lr: The rate where ``max_lr`` is not given.
            steps_per_epoch: Updates of an epoch, for durations in epochs.

        Returns:
            A serializable schedule: pass it as an optimizer's ``learning_rate``.
        """
        return TabulatedSchedule(self, steps, base_lr, steps_per_epoch)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        config = {name: getattr(self, name) for name in arguments_of(type(self))}
        if hasattr(self, "_phases"):
            config["phases"] = [to_config(phase) for phase in self._phases]
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """A schedule from its config."""
        config = {
            name: keras.saving.deserialize_keras_object(value)
            if isinstance(value, dict) and "class_name" in value
            else value
            for name, value in config.items()
        }
        if cls is not Schedule:
            return cls(**config)
        return cls(*map(from_config, config.pop("phases")), **config)

    def __repr__(self) -> str:
        shown = [repr(phase) for phase in getattr(self, "_phases", ())]
        for name, default in arguments_of(type(self)).items():
            value = getattr(self, name)
            if value != default:
                shown.append(f"{name}={value!r}")
        return f"{type(self).__name__}({', '.join(shown)})"

    def __getstate__(self) -> dict[str, Any]:
        """The arguments: a copy takes no part in the fit that this one is in."""
        state = {**vars(self), "_director": None, "_model": None}
        # Nor does it go on where this one's fits have ended.
        del state["_ends"]
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._ends = WeakKeyDictionary()

    # Callback hooks.

    def set_model(self, model: Any) -> None:
        """Called by Keras as a fit begins."""
        before = self._director
        director = director_of(model, self)
        if before not in (None, director) and before.is_under_way():
            raise ValueError(
                f"A schedule can be in one fit at a time. Received: {self!r}, whose "
                "other fit is under way. Make another one like it for this fit."
            )
        ends = None if self.horizon is None else self._ends
        director.join(
            [
                Request(self, tuple(single._courses()), self._clock, name, ends)
                for name, single in self._singles()
            ]
        )
        super().set_model(model)
        self._director = director

    def on_train_begin(self, logs: Any = None) -> None:
        """Join the schedules of this fit."""
        if self._director is not None:
            self._director.begin(self.params or {})
            for run in self._director.runs:
                self._warn(run)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Find the place in the run, which is known only now."""
        if self._director is not None:
            self._director.begin_epoch(epoch)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Await the next epoch."""
        if self._director is not None:
            rates = self._director.end_epoch()
            if isinstance(logs, dict):
                logs.update(rates)

    def on_train_end(self, logs: Any = None) -> None:
        """Give the optimizer back."""
        if self._director is not None:
            self._director.end()
            self._director = None

    def _warn(self, run: Clock) -> None:
        """Say once what is odd about this schedule in this run."""
        if self._warned or run.total is None:
            return
        clock = self._clock(run)
        if self._looked is None or self._looked[0] != clock:
            # Fits in a loop, with a horizon, have the same one.
            self._looked = (clock, *self._look(clock))
        _, end, has_peak = self._looked
        odd = None
        if self.horizon is not None and clock.total is not None:
            end = min(clock.total, end or clock.total)
        elif not has_peak:
            odd = f"never reaches its peak in the run of {run.total} updates"
        if end is not None and end < run.total:
            odd = (
                f"ends after {end} of the run's {run.total} updates and holds its "
                "last value from there"
            )
        if odd is not None:
            self._warned = True
            warnings.warn(f"{self!r} {odd}.", UserWarning, stacklevel=2)

    def _look(self, clock: Clock) -> tuple[int | None, bool]:
        """The update from which the value stays, and whether the peak is reached."""
        _, single = self._singles()[0]
        course = single._courses()[0]
        peak = course.peak or 1.0
        placed = course.place(peak, clock)
        has_peak = True
        if self._has_peak and clock.total is not None and clock.total <= LARGEST_LOOK:
            values = evaluate(placed, np.arange(clock.total), clock)
            has_peak = bool(values.max() >= peak * (1 - 1e-9))
        return span(placed), has_peak


# Of a subclass, __init_subclass__ does it.
Schedule.__signature__ = signature_of(Schedule)
