"""``Schedule``: the Keras callback that lays phases over a fit."""

from __future__ import annotations

import copy
import inspect
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Self, Unpack
from weakref import WeakKeyDictionary

import keras

from keras_lr.arguments import (
    ON_EXTEND,
    Common,
    Peak,
    arguments_of,
    check_peaks,
    completed,
    signature_of,
)
from keras_lr.companion import Companion
from keras_lr.fit.director import Director
from keras_lr.fit.guests import Guest
from keras_lr.fit.past import Stretch
from keras_lr.fit.timetable import Request
from keras_lr.outlook import Outlook
from keras_lr.plan.checks import check_choice, check_flag, check_value
from keras_lr.plan.config import from_config as part_from_config
from keras_lr.plan.config import to_config
from keras_lr.plan.course import HYPERPARAMETERS, Course
from keras_lr.plan.duration import Argument, Clock, Duration, Length, parse
from keras_lr.plan.oddities import Look, look, oddity
from keras_lr.plan.parts import Part
from keras_lr.plan.plain import plain
from keras_lr.plan.product import Planned
from keras_lr.plan.words import naming, received, shown
from keras_lr.reading import read_config

registered = keras.saving.register_keras_serializable("keras_lr")


@registered
class Schedule(Outlook, Companion):
    """Lays phases over ``model.fit``, exact at every optimizer update.

    The value in force is the optimizer's own rate times the phases' value, or
    ``max_lr`` times it where that is given. Several schedules in one fit multiply.

    While the fit runs ``optimizer.learning_rate`` reads the rate of the last update, as
    a fit, an epoch or a batch begins that of the coming one, and logs get
    ``learning_rate`` at the end of each epoch. A number that is assigned to it is the
    rate that the schedule goes on multiplying: the optimizer's own, or the peak of this
    fit where ``max_lr`` is given; a multiple of what was read scales what is in force.
    At the end of the fit the optimizer is as it was, but for an own rate that was set.

    Args:
        *phases: Laid end to end (see :mod:`keras_lr.phases`); values are factors.
        max_lr: The rate that factor 1 stands for; None for the optimizer's own rate.
            With several optimizers it is that of the one with the highest rate, and the
            others keep their ratio to it. A mapping from names, as ``optimizer`` takes
            them, to rates schedules exactly the optimizers that it names.
        start: Factor just before the first update, for a first phase without a start.
        **common: ``horizon``: length of the whole run as a duration, where ``fit`` does
            not tell it (a fit in a loop with ``initial_epoch``, data of unknown size);
            None takes it from ``fit``. With one, and no ``initial_epoch``, the next fit
            of the same model goes on where the last one has ended.
            ``hyperparameter``: ``"learning_rate"``, ``"momentum"`` (beta_1 in Adam and
            its kin) or ``"weight_decay"``; for the last two ``max_lr`` is the value
            that factor 1 stands for. ``optimizer``: the one that the schedule is for:
            an attribute of the model, such as ``"d_optimizer"``, or else the name of
            one of a MultiOptimizer; None for all that the model was compiled with.
            ``on_extend``: what a fit does that goes on at an ``initial_epoch`` with
            another length than was planned: ``"warn"`` that the rate jumps, or
            ``"continue"``: go over into the new plan, as :meth:`extend` does.
            ``check``: whether a fit warns, before its first update, of what
            :func:`keras_lr.lint` finds odd about its schedules, notes left out.

    Raises:
        ValueError: If an argument is out of range, or no phase is given; in a fit, if
            the optimizer that is named is not there, or values of the first epoch
            depend on a length that nobody knows.

    Example:
        >>> from keras_lr.phases import cosine, hold, linear
        >>> schedule = Schedule(linear(2), hold(1), cosine(to=0.0), max_lr=0.5)
        >>> schedule.values(5)
        array([0.25, 0.5 , 0.5 , 0.25, 0.  ])
    """

    _kind = "schedule"

    #: Whether a run that never reaches the peak deserves a warning.
    _has_peak = False

    #: Whether its values follow from its arguments alone.
    _is_plan = True

    #: Makes what :meth:`extend` gives. That is a schedule as well, so it stands in a
    #: module on top of this one, :mod:`keras_lr.extended`, which puts itself in here.
    _extended: ClassVar[Callable[..., Schedule]]

    #: Warns in a fit of what :mod:`keras_lr.linting` finds, which puts itself in here
    #: for the same reason.
    _lint_fit: ClassVar[Callable[[Schedule, int, Sequence[Stretch]], None]]

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
                    f"makes them. Received: {shown(phase)}."
                )
        self._phases = phases
        self.start = start
        self.max_lr = max_lr
        with naming(type(self).__name__):
            self._prepare(common)
            check_value("start", start)

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
        self.on_extend = shared["on_extend"]
        self.check = shared["check"]
        #: Where its fits of each model have ended, in updates of its horizon.
        self._ends: WeakKeyDictionary[Any, tuple[int, ...]] = WeakKeyDictionary()
        self._warned = False
        #: What fits have said of it, and it of them.
        self._told: set[str] = set()
        self._looked: tuple[Clock, Look] | None = None
        for name in arguments_of(type(self)):
            if hasattr(self, name):
                setattr(self, name, plain(getattr(self, name)))
        if self.horizon is not None:
            parse(self.horizon, "horizon")
        if self.hyperparameter not in HYPERPARAMETERS:
            raise ValueError(
                f"`hyperparameter` must be one of {', '.join(HYPERPARAMETERS)}. "
                f"{received(hyperparameter=self.hyperparameter)}"
            )
        check_choice("on_extend", self.on_extend, ON_EXTEND)
        check_flag("check", self.check)
        check_peaks(self.max_lr, self.optimizer)

    def extend(
        self,
        done: Duration,
        total: Duration,
        warmup: Duration = "5%",
        planned: Duration | None = None,
    ) -> Schedule:
        r"""The schedule of a run that is to be longer, or shorter, than was planned.

        .. math:: v(t) = n(t) + g (1 - j / W), \quad g = o(D - 1) - n(D - 1)

        at the j-th of W updates (``warmup``) after the first D (``done``), with the
        values o of this schedule over ``planned`` and n of the same over ``total``.
        Before them it is o, as it was realised; behind them n, which ends where the
        schedule ends. In between it lies between o(D - 1) and n(t), and no step is
        larger than :math:`|g| / W` and that of n together.

        Args:
            done: What has been made of the run, in updates or epochs.
            total: The length of the whole run now, in updates or epochs; it is longer
                than ``done``, and past it the last value stays.
            warmup: How long the way over is: a fraction is one of what is left.
            planned: The length that the run was laid over so far, in updates or epochs;
                None for ``horizon`` where there is one, or else for ``done``: it had
                ended. Past it the last value has stayed.

        Returns:
            A schedule, for the fit that goes on (at ``initial_epoch``, or where the
            last one with a ``horizon`` has ended) as for a run from its begin on.

        Raises:
            TypeError: If the schedule follows what its fits observe, as Plateau does.
            ValueError: If nothing is left of the run, or less than ``warmup``; if a
                length is a fraction of the run; if ``planned`` is given for a schedule
                that was extended, whose plan is its ``total``.

        Example:
            >>> from keras_lr import LinearDecay
            >>> LinearDecay().extend(done=3, total=9, warmup=2).values(9)
            array([1.   , 0.5  , 0.   , 0.25 , 0.5  , 0.375, 0.25 , 0.125, 0.   ])
            >>> LinearDecay().extend(3, 5, planned=9).values(5)  # cut short
            array([1.   , 0.875, 0.75 , 0.25 , 0.   ])
        """
        extended = type(self)._extended(self, done, total, warmup, planned)
        # It goes on where the fits of this one have ended.
        extended._ends.update(self._ends)
        return extended

    # What presets override.

    def _parts(self, peak: float) -> Sequence[Part]:
        """The parts, in absolute values."""
        return [phase.scaled(peak) for phase in self._phases]

    def _courses(self) -> list[Course]:
        """What this schedule changes."""
        return [
            Course(self.hyperparameter, self._peak, self._parts, self.start, owner=self)
        ]

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
                "To look at a schedule it must have one peak. "
                f"{received(max_lr=self.max_lr)} Look at one like it with each of "
                "these rates as `max_lr`."
            )
        return self.max_lr

    def _guests_for(self, callback: Schedule) -> Sequence[Guest]:
        """Who takes part in a fit for it, where a callback has brought it there."""
        return []

    def _guests(self) -> Sequence[Guest]:
        return self._guests_for(self)

    def _planned(self) -> list[Planned]:
        return [Planned(course, self._clock) for course in self._courses()]

    def _clock(self, run: Clock) -> Clock:
        """The run as this schedule counts it."""
        if self.horizon is None:
            return run
        horizon = Argument.read("horizon", self.horizon)
        with naming(self):
            return Clock(run.updates(horizon), run.steps_per_epoch)

    @property
    def _meant_for(self) -> Length | None:
        """The length of the run that it is made for, where it tells one."""
        return None if self.horizon is None else parse(self.horizon, "horizon")

    def _warmup_updates(self, run: Clock) -> int:
        """How long it warms up, where it has an argument for that.

        Args:
            run: The run of the fit.
        """
        return 0

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        config = {name: getattr(self, name) for name in arguments_of(type(self))}
        if hasattr(self, "_phases"):
            config["phases"] = [to_config(phase) for phase in self._phases]
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """A schedule from its config.

        Raises:
            ValueError: If it is no config of this schedule.
        """
        names = dict.fromkeys(inspect.signature(cls).parameters)
        arguments = read_config(cls.__name__, config, names)
        phases: Any = ()
        if "phases" not in arguments_of(cls):
            phases = arguments.pop("phases", ())
        with naming(cls.__name__):
            if not isinstance(phases, list | tuple):
                raise ValueError(
                    f"`phases` in the config must be a list. {received(phases=phases)}"
                )
            try:
                return cls(*map(part_from_config, phases), **arguments)
            except TypeError as error:
                raise ValueError(str(error)) from error

    def __repr__(self) -> str:
        shown = [repr(phase) for phase in getattr(self, "_phases", ())]
        for name, default in arguments_of(type(self)).items():
            value = getattr(self, name)
            if value != default:
                shown.append(f"{name}={value!r}")
        return f"{type(self).__name__}({', '.join(shown)})"

    def __getstate__(self) -> dict[str, Any]:
        """The arguments: a copy takes no part in the fit that this one is in."""
        state = super().__getstate__()
        # Nor does it go on where this one's fits have ended.
        del state["_ends"]
        return {**state, "_told": set()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._ends = WeakKeyDictionary()

    def _before_fit(self, model: Any) -> Schedule:
        """The schedule as it stands before the next fit of a model.

        Args:
            model: The model; None for any that it has not been in a fit of.
        """
        return self

    def _requests(self) -> list[Request]:
        """What it asks of a fit, for each optimizer that it names."""
        ends = None if self.horizon is None else self._ends
        return [
            Request(
                self,
                tuple(single._courses()),
                self._clock,
                name,
                ends,
                self.on_extend,
                self._look_over if self.check else None,
            )
            for name, single in self._singles()
        ]

    def _look_over(self, epoch: int, stretches: Sequence[Stretch]) -> None:
        """Warn of what is odd about the schedules of the fit."""
        type(self)._lint_fit(self, epoch, stretches)

    def _join(self, director: Director) -> None:
        director.join(self._requests())
        super()._join(director)

    # Callback hooks.

    def on_train_begin(self, logs: Any = None) -> None:
        """Join the schedules of this fit."""
        super().on_train_begin(logs)
        if self._director is not None:
            for run in self._director.runs:
                self._warn(run)

    def _warn(self, run: Clock) -> None:
        """Say once what is odd about this schedule in this run."""
        if self._warned or run.total is None:
            return
        clock = self._clock(run)
        if self._looked is None or self._looked[0] != clock:
            # Fits in a loop, with a horizon, have the same one.
            _, single = self._singles()[0]
            course = single._courses()[0]
            self._looked = (clock, look(course, clock, self._has_peak))
        seen = self._looked[1]
        is_rate = self.hyperparameter == "learning_rate"
        odd = oddity(seen, clock, run, is_rate and seen.is_zero(run.total))
        if odd is not None:
            self._warned = True
            message = f"{shown(self)} {odd.says}."
            self._told.add(message)
            warnings.warn(message, UserWarning, stacklevel=2)


# Of a subclass, __init_subclass__ does it.
Schedule.__signature__ = signature_of(Schedule)
