"""``Scene``: a fit that is only thought of, as findings look at it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from keras_lr.plan.course import Course
from keras_lr.plan.curves import FloatArray
from keras_lr.plan.duration import Argument, Clock
from keras_lr.plan.layout import Placed
from keras_lr.plan.seam import Seam


@dataclass(frozen=True)
class Plan:
    """One hyperparameter's way through the run, as one schedule has it.

    Attributes:
        name: The schedule, as a message shows it.
        course: The way.
        peak: The value that factor 1 stands for.
        clock: The run as the schedule counts it.
        shift: How much further the schedule counts than the run does: updates that
            earlier fits have made of its horizon, or, below 0, those before a fit that
            it begins anew with.
        arguments: The durations that the user gave it.
        knows_peak: Whether a fit expects it to reach its peak.
        warmup: Updates of its warmup, where an argument says so; 0 for none.
        is_warmup: Whether it does no more than warm up.
        begins_anew: Whether earlier fits have used its horizon up.
        library: The one that it was carried over from; None where it is ours.
    """

    name: str
    course: Course
    peak: float
    clock: Clock
    shift: int = 0
    arguments: tuple[Argument, ...] = ()
    knows_peak: bool = False
    warmup: int = 0
    is_warmup: bool = False
    begins_anew: bool = False
    library: str | None = None

    @cached_property
    def placed(self) -> list[Placed]:
        """Its parts over the run."""
        return self.course.place(self.peak, self.clock)

    @property
    def is_rate(self) -> bool:
        """Whether it is of the learning rate."""
        return self.course.hyperparameter == "learning_rate"

    @property
    def seam(self) -> Seam | None:
        """The seam between two plans, where it has one."""
        seams = [each.part for each in self.placed if isinstance(each.part, Seam)]
        return seams[0] if seams else None

    @property
    def extended(self) -> int | None:
        """The update of its own at which one plan gives way to another, if any does."""
        if self.seam is None:
            return None
        return self.seam.extension.within(self.clock).done

    def values(self, first: int, updates: int) -> FloatArray:
        """Its own values at some updates of the run, in a row.

        Args:
            first: The first of them.
            updates: How many.
        """
        here = first + self.shift + np.arange(updates)
        return self.course.values(self.peak, self.clock, np.maximum(here, 0))


@dataclass(frozen=True)
class Lane:
    """One optimizer of the fit.

    Attributes:
        label: What logs call it; None for the only one.
        optimizer: Its class, as ``"Adam"``; None without a model.
        clock: The run as it counts it.
        first: The first update of the fit.
        rates: The rate of each update of the fit.
        momentum: The momentum of each, where that is scheduled, else None.
        weight_decay: The same of the weight decay.
        own_rate: The rate that it was compiled with; None where that is a schedule.
        own_schedule: That schedule, as a message shows it.
        own_is_past_end: Whether that schedule has nothing more to give than its last
            rate, far below its first.
        counts_batches: Whether that schedule takes batches for updates.
        accumulation: Batches that make an update.
        plans: What schedules ask of it.
        beta_2: The decay of its second moments; None where it has none.
        usual: The rate that Keras gives optimizers of its class; None where that says
            nothing.
        found: What ``find_lr`` found for it; None where nobody has asked.
        has_trained: Whether it has made updates before.
        other_plan: What a fit says where it goes on under another plan, else None.
    """

    label: str | None
    optimizer: str | None
    clock: Clock
    first: int
    rates: FloatArray
    momentum: FloatArray | None
    weight_decay: FloatArray | None
    own_rate: float | None
    own_schedule: str | None = None
    own_is_past_end: bool = False
    counts_batches: bool = False
    accumulation: int = 1
    plans: tuple[Plan, ...] = ()
    beta_2: float | None = None
    usual: float | None = None
    found: float | None = None
    has_trained: bool = False
    other_plan: str | None = None

    @property
    def goes_on(self) -> bool:
        """Whether the fit begins in the middle of what its rates follow."""
        if self.own_schedule is not None and self.has_trained:
            return True
        return self.first > 0 or any(plan.shift > 0 for plan in self.plans)

    @property
    def total(self) -> int:
        """Updates of the whole run, with those before the fit."""
        return self.first + len(self.rates)

    @property
    def rate_plans(self) -> list[Plan]:
        """The plans of the learning rate."""
        return [plan for plan in self.plans if plan.is_rate]

    @property
    def name(self) -> str:
        """Whose rates they are, as a message names it."""
        names = [plan.name for plan in self.rate_plans]
        return " and ".join(names) or self.own_schedule or "The optimizer"

    @property
    def log_name(self) -> str:
        """What logs call its rate."""
        return "learning_rate" if self.label is None else f"learning_rate_{self.label}"

    @property
    def of(self) -> str:
        """Which optimizer's, where there are several."""
        return "" if self.label is None else f" ({self.label})"


@dataclass(frozen=True)
class Writer:
    """A callback that changes the rate, and is no schedule that is a plan.

    Attributes:
        kind: ``"LearningRateScheduler"``, ``"ReduceLROnPlateau"`` or ``"Plateau"``.
        name: As a message shows it.
    """

    kind: str
    name: str


@dataclass(frozen=True)
class Scene:
    """A fit.

    Attributes:
        lanes: Its optimizers.
        epochs: Its epochs, counted from 0.
        epoch: The one that it begins with.
        writers: Callbacks that change the rate besides schedules.
        twice: Schedules that are in the list of callbacks twice.
    """

    lanes: tuple[Lane, ...]
    epochs: int
    epoch: int = 0
    writers: tuple[Writer, ...] = ()
    twice: tuple[str, ...] = ()
