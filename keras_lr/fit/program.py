"""Program: what the optimizers of a step are to do from a moment on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from keras_lr.fit.optimizer import LentOptimizer
from keras_lr.fit.timetable import Timetable
from keras_lr.plan.curves import FloatArray
from keras_lr.plan.duration import IntArray


@dataclass(frozen=True)
class Program:
    """A timetable for each optimizer, and the counts at which they begin.

    Attributes:
        lents: The optimizers.
        timetables: For each of them.
        begun: The batches that each had done at the moment.
        statistics: The highest momentum of moving statistics.
    """

    lents: tuple[LentOptimizer, ...]
    timetables: tuple[Timetable, ...]
    begun: tuple[int, ...]
    statistics: float = 1.0

    def updates(self, i: int, counts: IntArray) -> IntArray:
        """The run's updates that an optimizer's batches belong to."""
        each = self.lents[i].accumulation
        begun = self.begun[i] // each
        updates: IntArray = self.timetables[i].first + counts // each - begun
        return updates

    def update(self, i: int, count: int) -> int:
        """The same of one batch."""
        each = self.lents[i].accumulation
        return self.timetables[i].first + count // each - self.begun[i] // each

    def given(self, i: int, counts: IntArray) -> FloatArray:
        """What the updates of an optimizer read, in the rows of some of its batches.

        The columns are the factor on the own rate, a rate to add to it, and the further
        hyperparameters.
        """
        lent = self.lents[i]
        timetable = self.timetables[i]
        updates = self.updates(i, counts)
        given = np.zeros((len(counts), 2 + len(lent.attributes)))
        factor_or_rate = 1 if timetable.absolute else 0
        if "learning_rate" in timetable.head:
            given[:, factor_or_rate] = timetable.values("learning_rate", updates)
        else:
            given[:, 0] = 1.0
        for place, name in enumerate(lent.attributes, 2):
            if name in timetable.head:
                given[:, place] = timetable.values(name, updates)
            else:
                given[:, place] = lent.own(name)
        return given

    def rate(self, i: int, count: int, own: float) -> float:
        """The rate in force for a batch of an optimizer.

        Args:
            i: The optimizer.
            count: The batches that it had done before.
            own: Its own rate.
        """
        timetable = self.timetables[i]
        if "learning_rate" not in timetable.head:
            return own
        entry = self._entry(i, "learning_rate", count)
        return entry if timetable.absolute else own * entry

    def other(self, i: int, hyperparameter: str, count: int) -> float:
        """The same of another hyperparameter."""
        if hyperparameter in self.timetables[i].head:
            return self._entry(i, hyperparameter, count)
        own: float = self.lents[i].own(hyperparameter)
        return own

    def _entry(self, i: int, hyperparameter: str, count: int) -> float:
        updates = self.updates(i, np.array([count]))
        return float(self.timetables[i].values(hyperparameter, updates)[0])

    def is_scheduled(self, i: int) -> bool:
        """Whether a schedule is for an optimizer."""
        return bool(self.timetables[i].head)

    def log_name(self, i: int, hyperparameter: str) -> str:
        """What logs call a hyperparameter of an optimizer."""
        label = self.timetables[i].label
        return hyperparameter if label is None else f"{hyperparameter}_{label}"

    def log_names(self) -> list[str]:
        """All that logs may be told."""
        return [
            self.log_name(i, name)
            for i, timetable in enumerate(self.timetables)
            if self.is_scheduled(i)
            for name in ("learning_rate", *timetable.head)
        ]
