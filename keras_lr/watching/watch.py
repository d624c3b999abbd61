"""Watch: what a monitor does in one fit."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np

from keras_lr.fit.choice import Choice, choices_in
from keras_lr.fit.guests import Fit
from keras_lr.fit.moves import Move, Moves, groups_of
from keras_lr.fit.optimizer import attributes_of
from keras_lr.fit.record import Reader, Rows, Scalar, StepView
from keras_lr.fit.step import rate_name
from keras_lr.plan.curves import FloatArray
from keras_lr.plan.duration import IntArray
from keras_lr.watching.live import LivePicture
from keras_lr.watching.samples import Samples, next_sample

#: Updates after which what has been written down is read, at the latest: what a kill
#: may cost. Reading waits for the device.
READ_AFTER = 1000

#: Updates between two looks at the clock, at least, where a picture is drawn live.
LOOK_AFTER = 10


class Watch:
    """A guest of one fit that hands on what the step has written down of samples.

    Args:
        model: The model.
        every: Updates from one sample to the next.
        has_ratios: Whether to measure how far updates move the weights.
        live: A picture to draw anew; None for none.
        on_begin: Called with the update of the run that the fit begins with, and again
            where it goes on elsewhere.
        on_samples: Called with new samples.
    """

    def __init__(
        self,
        model: Any,
        every: int,
        has_ratios: bool,
        live: LivePicture | None,
        on_begin: Callable[[int], None],
        on_samples: Callable[[Samples], None],
    ) -> None:
        self._every = every
        self._has_ratios = has_ratios
        self._live = live
        self._on_begin = on_begin
        self._on_samples = on_samples
        self._model = model
        self._choices: Sequence[Choice] = []
        self._further: Sequence[str] = []
        self._fit: Fit | None = None
        self._reader: Reader | None = None
        self._moves: Moves | None = None
        self._unmatched: list[Move] = []
        #: The first optimizer's count at a moment, and the run's update then.
        self._base = (0, 0)
        self._read_at = 0
        self._due: int | None = None

    # As a guest (see `keras_lr.fit.guests.Guest`).

    @property
    def scalars(self) -> Sequence[Scalar]:
        """Momentum and weight decay, of the optimizers that the model has now."""
        self._choices = choices_in(self._model)
        attributes = [attributes_of(choice.optimizer) for choice in self._choices]
        self._further = sorted({name for each in attributes for name in each})
        numbers = range(len(self._choices))
        return [in_force(name, i) for i in numbers for name in self._further]

    def begin(self, fit: Fit) -> None:
        """The place in the run is known."""
        self._fit = fit
        self._reader = fit.reader()
        self._unmatched = []
        if self._moves is not None:
            self._moves.stop()
        if self._has_ratios:
            first = fit.step.optimizers[0]
            calls = math.ceil(first.accumulation / fit.step.batches_of_call())
            self._moves = Moves(fit.model, first.optimizer, calls)
        self.begin_epoch()
        made = self._base[1]
        self._read_at = made
        self._on_begin(made)
        self._await(made)

    def begin_epoch(self) -> None:
        """Look where the run stands, which data of unknown length tell only now."""
        if self._fit is not None:
            counts = self._fit.step.counts()
            self._base = (counts[0], self._fit.step.next_update(counts))

    def due(self) -> int | None:
        """After how many updates to look."""
        return self._due

    def look(self, made: int) -> None:
        """Measure the next update if it is a sample, and read if it is time."""
        is_late = made >= self._read_at + READ_AFTER
        if is_late or (self._live is not None and self._live.is_due()):
            self.read()
            self._read_at = made
        self._await(made)

    def end_epoch(self, epoch: int, logs: Mapping[str, Any]) -> None:
        """Read what there is of the epoch."""
        self.read()
        assert self._fit is not None  # noqa: S101  it has begun
        self._read_at = self._fit.updates_made()
        self._await(self._read_at)

    # What it does.

    def read(self) -> None:
        """Hand on the samples since the last time. It waits for the device."""
        if self._fit is None or self._reader is None or not self._fit.is_open():
            return
        rows = self._reader.read()
        samples = self._samples(rows)
        if len(samples):
            self._on_samples(samples)

    def end(self) -> None:
        """Take no more part."""
        if self._moves is not None:
            self._moves.stop()
        self._fit = None

    def _await(self, made: int) -> None:
        """Have the next update measured if it is a sample; when to look again."""
        assert self._fit is not None  # noqa: S101  it has begun
        dues = [self._read_at + READ_AFTER]
        if self._live is not None:
            dues.append(made + max(self._every, LOOK_AFTER))
        if self._moves is not None:
            step = self._fit.step
            accumulation = step.optimizers[0].accumulation
            of_call = max(step.batches_of_call() // accumulation, 1)
            if self._every <= of_call:
                # There is a sample in each call: nothing to wait for.
                self._moves.measure_next(step, goes_on=True)
            else:
                if next_sample(made, self._every) < made + of_call:
                    self._moves.measure_next(step)
                # The call that the one after has a part in begins so long before it.
                coming = next_sample(made + of_call, self._every)
                dues.append(coming - of_call + 1)
        self._due = max(min(dues), made + 1)

    def _samples(self, rows: Rows) -> Samples:
        """The rows of those updates that are samples."""
        assert self._fit is not None  # noqa: S101  it has begun
        step = self._fit.step
        counts = rows.first + np.arange(len(rows))
        updates, of_row = self._updates(counts, step.pace())
        following = -(-updates // self._every) * self._every
        is_written = ~np.isnan(rows.columns[rate_name(0)])
        chosen = np.flatnonzero(is_written & (following < updates + of_row))
        columns = {
            "update": updates[chosen],
            "epoch": np.full(len(chosen), self._epoch),
        }
        columns |= {
            name: rows.columns[key][chosen] for name, key in self._names(rows).items()
        }
        columns |= self._ratios(counts[chosen], rows.first + len(rows))
        whole = np.column_stack([columns[name] for name in columns]).astype(np.float64)
        return Samples(tuple(columns), whole)

    @property
    def _epoch(self) -> int:
        assert self._fit is not None  # noqa: S101  it has begun
        return self._fit.epoch

    def _updates(self, counts: IntArray, pace: int) -> tuple[IntArray, IntArray]:
        """The update of the run that each batch is in, and how many it completes."""
        assert self._fit is not None  # noqa: S101  it has begun
        each = self._fit.step.optimizers[0].accumulation
        count, made = self._base
        updates = made + counts // each - count // each
        completed = (counts + pace) // each - counts // each
        return updates, completed

    def _names(self, rows: Rows) -> dict[str, str]:
        """What samples call the columns of the record."""
        assert self._fit is not None  # noqa: S101  it has begun
        labels = {id(each.optimizer): each.label for each in self._choices}
        names = {"loss": "loss"}
        for name in ("learning_rate", *self._further):
            for i, lent in enumerate(self._fit.step.optimizers):
                is_rate = name == "learning_rate"
                key = rate_name(i) if is_rate else in_force(name, i).name
                label = labels.get(id(lent.optimizer))
                if (is_rate or name in lent.attributes) and key in rows.columns:
                    names[name if label is None else f"{name}_{label}"] = key
        return names

    def _ratios(self, counts: IntArray, end: int) -> dict[str, FloatArray]:
        """The ratios of the samples whose batches have these counts, by group."""
        if self._moves is None:
            return {}
        assert self._fit is not None  # noqa: S101  it has begun
        moves = [*self._unmatched, *self._moves.read()]
        groups = groups_of(self._fit.model, self._choices)
        columns = {name: np.full(len(counts), np.nan) for name in groups}
        for move in moves:
            # None, where loss scaling has left the update out.
            places = np.flatnonzero((move.first <= counts) & (counts < move.end))
            for name, weights in groups.items():
                columns[name][places] = move.ratio(weights)
        self._unmatched = [move for move in moves if move.end > end]
        return columns


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
