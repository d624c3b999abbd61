"""Guests of a fit: callbacks that take part in it beside schedules, or without any.

A guest looks at what the lent step writes down, or does something at certain updates.
Keras is not told that it wants to hear of batches: where a callback does, every batch
waits until its logs are numbers on the host.
"""

from __future__ import annotations

import math
import weakref
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import keras

from keras_lr.fit.loan import Loan
from keras_lr.fit.record import Reader, Rows, Scalar
from keras_lr.fit.step import LentStep
from keras_lr.plan.duration import Clock


class Progress(NamedTuple):
    """Where the run of a schedule stands.

    Attributes:
        made: Updates that its optimizer has made, as its horizon counts them.
        pace: How many of them there are for one of the first optimizer.
    """

    made: int
    pace: float


class Fit(Protocol):
    """What a guest may ask of the fit."""

    @property
    def model(self) -> Any:
        """The model."""

    @property
    def run(self) -> Clock:
        """The run as the first optimizer counts it, as far as known."""

    @property
    def step(self) -> LentStep:
        """The lent step."""

    @property
    def epoch(self) -> int:
        """The epoch that the fit is in, or has ended last."""

    @property
    def callbacks(self) -> list[Any]:
        """All callbacks of the fit, as far as known."""

    @property
    def schedules(self) -> list[Any]:
        """All schedules of the fit."""

    def peaks(self, schedule: Any) -> list[float]:
        """The rates that factor 1 of a schedule stands for; 1 where nobody knows."""

    def made_before(self, schedule: Any) -> int:
        """Updates of a schedule's horizon that earlier fits have made."""

    def is_open(self) -> bool:
        """Whether the step is still the fit's, and can be asked."""

    def updates_made(self) -> int:
        """Updates of the run that the first optimizer has made: the device is asked."""

    def progress_of(self, schedule: Any) -> Progress:
        """Where the run of a schedule stands: the device is asked."""

    def reader(self) -> Reader:
        """Gives what is written down of each batch from now on."""

    def lay_again(self) -> None:
        """Lay the schedules anew from now on: one of them has changed its plan."""


class Guest(Protocol):
    """What a fit asks of a guest."""

    @property
    def scalars(self) -> Sequence[Scalar]:
        """What the lent step is to write down for it besides loss and rates."""

    def begin(self, fit: Fit) -> None:
        """The place in the run is known: at the first epoch, and where it moves."""

    def due(self) -> int | None:
        """After how many updates of the run it wants to look; None for never."""

    def look(self, made: int) -> None:
        """So many updates of the run are made: as many as it has asked for, or more."""

    def end_epoch(self, epoch: int, logs: Mapping[str, Any]) -> None:
        """An epoch has ended; no callback has heard of it yet."""


class Attendance:
    """The guests of a fit, and the batch after which one of them wants to look.

    Args:
        fit: The fit.

    Attributes:
        guests: Its guests.
        hears_list: Whether they hear of batches, and of epochs before all callbacks.
    """

    def __init__(self, fit: Fit) -> None:
        self._fit = fit
        self.guests: list[Guest] = []
        self.hears_list = False
        self._readers: list[Reader] = []
        #: Ends of batches (of executions, where several steps are one) until a look.
        self._wait = math.inf

    @property
    def scalars(self) -> list[Scalar]:
        """What the lent step is to write down for all of them."""
        return [scalar for guest in self.guests for scalar in guest.scalars]

    def listen(self, owner: weakref.ref[Any], loan: Loan) -> None:
        """Hear of batches and epochs through the fit's list of callbacks.

        Args:
            owner: The list, if there is one.
            loan: The fit's, with which it ends.
        """
        if not self.guests or not isinstance(owner(), keras.callbacks.CallbackList):
            return
        self.hears_list = True
        # By no strong reference: the list would hold itself, and its death ends loans.
        kind: Any = type(owner())

        def on_train_batch_end(batch: int, logs: Any = None) -> None:
            kind.on_train_batch_end(owner(), batch, logs)
            self.end_batch()

        def on_epoch_end(epoch: int, logs: Any = None) -> None:
            self.end_epoch(epoch, logs or {})
            kind.on_epoch_end(owner(), epoch, logs)

        loan.override(owner(), "on_train_batch_end", on_train_batch_end)
        loan.override(owner(), "on_epoch_end", on_epoch_end)

    def reader(self) -> Reader:
        """Gives what is written down of each batch from now on."""
        step = self._fit.step
        if not self._readers:
            step.record()
        reader = Reader(self._rows, step.counts()[0])
        self._readers.append(reader)
        return reader

    def _rows(self) -> Rows:
        """All that some reader has still to read."""
        step = self._fit.step
        step.forget(min(reader.position for reader in self._readers))
        return step.recorded_rows()

    def begin(self) -> None:
        """Tell all that the place in the run is known."""
        self._readers.clear()
        for guest in self.guests:
            guest.begin(self._fit)
        self._plan()

    def end_batch(self) -> None:
        """A batch has ended."""
        self._wait -= 1
        if self._wait <= 0:
            self._look()

    def end_epoch(self, epoch: int, logs: Mapping[str, Any]) -> None:
        """An epoch has ended."""
        for guest in self.guests:
            guest.end_epoch(epoch, logs)
        self._plan()

    def _look(self) -> None:
        made = self._fit.updates_made()
        for guest in self.guests:
            due = guest.due()
            if due is not None and made >= due:
                guest.look(made)
        self._plan()

    def _plan(self) -> None:
        """Count the batches until a guest wants to look.

        Updates may be left out meanwhile (loss scaling): then it is counted again.
        """
        dues = [due for guest in self.guests if (due := guest.due()) is not None]
        self._wait = math.inf
        if dues:
            step = self._fit.step
            counts = step.counts()
            following = step.next_update(counts) + 1
            batches = step.batches_until(max(min(dues), following), counts)
            self._wait = max(math.ceil(batches / step.batches_of_call()), 1)
