"""Sampler: the updates that a monitor keeps, of all that a step has written down."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from keras_lr.fit.choice import Choice
from keras_lr.fit.guests import Fit
from keras_lr.fit.moves import Move, Moves, groups_of, ratios
from keras_lr.fit.record import Rows, Scalar, StepView
from keras_lr.fit.step import rate_name
from keras_lr.plan.curves import FloatArray
from keras_lr.plan.duration import IntArray
from keras_lr.watching.samples import Samples


class Sampler:
    """Reads samples of a fit that has begun.

    Args:
        fit: The fit.
        every: Updates from one sample to the next.
        choices: The model's optimizers, and what logs call them.
        further: The hyperparameters besides the rate that the step writes down.
        moves: Measures how far updates move the weights; None for nothing.

    Attributes:
        fit: The fit.
        moves: What measures, or None.
    """

    def __init__(
        self,
        fit: Fit,
        every: int,
        choices: Sequence[Choice],
        further: Sequence[str],
        moves: Moves | None,
    ) -> None:
        self.fit = fit
        self.moves = moves
        self._every = every
        self._choices = choices
        self._further = further
        self._reader = fit.reader()
        #: Moves that end after the last row that has been read.
        self._unmatched: list[Move] = []
        #: Which weights are in each group; none before the model has weights for sure.
        self._groups: dict[str, FloatArray] = {}
        #: The first optimizer's count at a moment, and the run's update then.
        self._base = (0, 0)
        self.locate()

    def locate(self) -> None:
        """Look where the run stands: from here on updates are counted on."""
        counts = self.fit.step.counts()
        self._base = (counts[0], self.fit.step.next_update(counts))

    def read(self) -> Samples:
        """The samples since the last time. It waits for the device."""
        rows = self._reader.read()
        counts = rows.first + np.arange(len(rows))
        places = self._places_of_samples(counts, rows)
        updates, _ = self._updates(counts[places])
        columns = {
            "update": updates,
            "epoch": np.full(len(places), self.fit.epoch),
            **{name: rows.columns[key][places] for name, key in self._keys(rows)},
            **self._ratios(counts[places], rows.first + len(rows)),
        }
        whole = np.column_stack(list(columns.values())).astype(np.float64)
        return Samples(tuple(columns), whole)

    def _places_of_samples(self, counts: IntArray, rows: Rows) -> IntArray:
        """Which batches have made an update that is a sample."""
        updates, made = self._updates(counts)
        following = -(-updates // self._every) * self._every
        is_sample = following < updates + made
        has_data = ~np.isnan(rows.columns[rate_name(0)])
        places: IntArray = np.flatnonzero(is_sample & has_data)
        return places

    def _updates(self, counts: IntArray) -> tuple[IntArray, IntArray]:
        """The update of the run that each batch is in, and how many it completes."""
        each = self.fit.step.optimizers[0].accumulation
        count, made = self._base
        updates = made + counts // each - count // each
        completed = (counts + self.fit.step.pace()) // each - counts // each
        return updates, completed

    def _keys(self, rows: Rows) -> list[tuple[str, str]]:
        """What samples and the record call each column."""
        labels = {id(each.optimizer): each.label for each in self._choices}
        keys = [("loss", "loss")]
        for name in ("learning_rate", *self._further):
            is_rate = name == "learning_rate"
            for i, lent in enumerate(self.fit.step.optimizers):
                key = rate_name(i) if is_rate else in_force(name, i).name
                label = labels.get(id(lent.optimizer))
                if (is_rate or name in lent.attributes) and key in rows.columns:
                    keys.append((name if label is None else f"{name}_{label}", key))
        return keys

    def _ratios(self, counts: IntArray, end: int) -> dict[str, FloatArray]:
        """The ratios of samples, by group.

        Args:
            counts: The counts of their batches.
            end: The count up to which all has been read.
        """
        if self.moves is None:
            return {}
        if not self._groups:
            self._groups = groups_of(self.fit.model, self._choices)
        moves = [*self._unmatched, *self.moves.read()]
        self._unmatched = [move for move in moves if move.end > end]
        columns = np.full((len(self._groups), len(counts)), np.nan)
        if moves:
            found = ratios(moves, np.array(list(self._groups.values())))
            for move, of_groups in zip(moves, found, strict=True):
                # None, where loss scaling has left the update out.
                is_in = (move.first <= counts) & (counts < move.end)
                columns[:, is_in] = of_groups[:, None]
        return dict(zip(self._groups, columns, strict=True))


@cache
def in_force(hyperparameter: str, i: int) -> Scalar:
    """A hyperparameter of one optimizer, as the step writes it down.

    The same one for all fits, so that a model keeps its step.
    """

    def value(view: StepView) -> Any:
        if i >= len(view.in_force):
            return math.nan
        return view.in_force[i].get(hyperparameter, math.nan)

    return Scalar(f"{hyperparameter}_{i}", value)
