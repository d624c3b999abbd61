"""``Extended``: a schedule whose run becomes longer, or shorter, than was planned."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from keras_lr.fit.guests import Guest
from keras_lr.plan.course import Course
from keras_lr.plan.duration import Argument, Clock, Duration
from keras_lr.plan.seam import Extension
from keras_lr.plan.words import naming, received, shown
from keras_lr.plot import mark_seam
from keras_lr.schedule import Schedule, registered


@registered
class Extended(Schedule):
    """A schedule whose run has become another length; :meth:`Schedule.extend` makes it.

    Args:
        schedule: The schedule.
        done: What has been made of the run.
        total: The length of the whole run now, which is its horizon.
        warmup: How long the way over is.
        planned: The length that the run was laid over so far.
    """

    def __init__(
        self,
        schedule: Schedule,
        done: Duration,
        total: Duration,
        warmup: Duration = "5%",
        planned: Duration | None = None,
    ) -> None:
        if not isinstance(schedule, Schedule):
            raise TypeError(
                "What is extended must be a schedule of this package. "
                f"{received(schedule=schedule)}"
            )
        if not schedule._is_plan:
            raise TypeError(
                "A schedule that follows what its fits observe cannot be extended. "
                f"{received(schedule=schedule)} Give it on_extend='continue': the fit "
                "that goes on extends it."
            )
        self.schedule = schedule
        self.done = done
        self.total = total
        self.warmup = warmup
        self.planned = planned
        self.max_lr = schedule.max_lr
        with naming(schedule):
            self._prepare(
                {
                    "horizon": total,
                    "hyperparameter": schedule.hyperparameter,
                    "optimizer": schedule.optimizer,
                    "on_extend": schedule.on_extend,
                    "check": schedule.check,
                }
            )
            self._extension()

    def _extension(self) -> Extension:
        if isinstance(self.schedule, Extended):
            if self.planned is not None:
                raise ValueError(
                    "`planned` of a schedule that was extended before is its `total` "
                    f"({shown(self.schedule.total)}). "
                    f"{received(planned=self.planned)} Leave it out."
                )
            planned = self.schedule.total
        elif self.planned is not None:
            planned = self.planned
        elif self.schedule.horizon is not None:
            planned = self.schedule.horizon
        else:
            planned = self.done
        return Extension.read(self.done, planned, self.total, self.warmup)

    @property
    def _unextended(self) -> Schedule:
        """The schedule as it was before any extension."""
        schedule = self.schedule
        return schedule._unextended if isinstance(schedule, Extended) else schedule

    def _courses(self) -> list[Course]:
        extension = self._extension()
        olds = [one._replace(owner=self) for one in self.schedule._courses()]
        news = [one._replace(owner=self) for one in self._unextended._courses()]
        return [new.after(old, extension) for old, new in zip(olds, news, strict=True)]

    def _singles(self) -> list[tuple[str | None, Schedule]]:
        singles: list[tuple[str | None, Schedule]] = []
        for name, schedule in self.schedule._singles():
            single = copy.copy(self)
            single.schedule = schedule
            single.max_lr = schedule.max_lr
            singles.append((name, single))
        return singles

    def _guests_for(self, callback: Schedule) -> Sequence[Guest]:
        return self._unextended._guests_for(callback)

    def _warmup_updates(self, run: Clock) -> int:
        return self._unextended._warmup_updates(self._clock(run))

    def _clock(self, run: Clock) -> Clock:
        total = Argument.read("total", self.total)
        with naming(self):
            return Clock(run.updates(total), run.steps_per_epoch)

    def plot(
        self,
        epochs: float | None = None,
        steps_per_epoch: int = 1000,
        base_lr: float = 1.0,
        ax: Any = None,
    ) -> Any:
        """Draw the values, with the plans that they go over from and to.

        Args:
            epochs: Epochs of the run; None for all of ``total``.
            steps_per_epoch: Updates of an epoch.
            base_lr: The optimizer's own rate.
            ax: Matplotlib axes to draw on; None makes a figure.

        Returns:
            The axes.
        """
        moment = self._extension().within(Clock(None, steps_per_epoch))
        if epochs is None:
            epochs = moment.total / steps_per_epoch
        ax = super().plot(epochs, steps_per_epoch, base_lr, ax)
        plans = {}
        for schedule, updates in (
            (self.schedule, moment.planned),
            (self._unextended, moment.total),
        ):
            course = schedule._courses()[0]
            clock = Clock(updates, steps_per_epoch)
            values = course.values(course.peak or base_lr, clock, np.arange(updates))
            plans[f"planned for {updates}"] = values
        mark_seam(ax, plans, moment.done)
        return ax

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        schedule = keras.saving.serialize_keras_object(self.schedule)
        return {**super().get_config(), "schedule": schedule}

    def __repr__(self) -> str:
        shown = [repr(self.done), repr(self.total)]
        if self.warmup != "5%":
            shown.append(f"warmup={self.warmup!r}")
        if self.planned is not None:
            shown.append(f"planned={self.planned!r}")
        return f"{self.schedule!r}.extend({', '.join(shown)})"


Schedule._extended = Extended
