"""A model on loan to the finder: what it borrows, and how everything comes back."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from keras_lr.finder import guard
from keras_lr.fit import optimizer as _optimizer
from keras_lr.fit import trainer as _trainer
from keras_lr.fit.snapshot import Snapshot
from keras_lr.plan.curves import FloatArray


class Borrowed:
    """A model whose fits run at given rates and write down the loss of each update.

    Its step is compiled once, whatever the rates of the fits.

    Args:
        model: A compiled model.
        updates: Of a fit at most.
        memory_limit: Bytes up to which the copy of the state stays in memory.
    """

    def __init__(self, model: Any, updates: int, memory_limit: float) -> None:
        self.loan = _optimizer.borrow(model)
        self.lent = self.loan.lent[0]
        self.lent.sync()
        self.batches_a_step = int(model.steps_per_execution)
        self._model, self._memory_limit = model, memory_limit
        self._recorder = _trainer.Recorder(model, self.loan.lent, updates, self._ready)
        self._snapshot: Snapshot | None = None

    def begin(self, rates: FloatArray, lasting: bool = False) -> None:
        """Copy the state, then lend the optimizers and the loss tracker.

        Args:
            rates: Of the updates of the first fit.
            lasting: Whether other fits follow; each wants :meth:`again` before it.
        """
        if _trainer.build(self._model):
            self._snapshot = Snapshot(self._model, self._memory_limit)
        self.loan.undo = self._undo
        for lent in self.loan.lent:
            lent.sync()
            lent.offset, lent.absolute = lent.updates, True
        self._recorder.lend()
        self._start(rates)
        self.loan.activate()
        self.loan.lasting = lasting
        step = self._model.train_function
        self._model.train_function = guard.guarded(step, partial(self.fail, True))

    def again(self, rates: FloatArray) -> None:
        """Go back to the state of the beginning, for a fit at other rates."""
        if self._snapshot is not None:
            self._snapshot.restore()
        for lent in self.loan.lent:
            lent.sync()
        self._start(rates)

    def seen(self) -> FloatArray:
        """Sum of the losses, number of the batches and bad data of each update."""
        table = self._recorder.table
        return _trainer.read_in_fit(self._model, table).astype(float)

    def spent(self) -> int:
        """Updates of the fit, after it."""
        return self.lent.updates - self.lent.offset

    def give_back(self) -> None:
        """Give everything back, if that has not been done."""
        _optimizer.give_back(self._model, self.loan)

    def fail(self, inside: bool) -> None:
        """Give everything back while the fit fails, inside of its loop or not."""
        if self.loan.active and inside:
            _trainer.keep_weights(self.loan)
        self.give_back()

    def _start(self, rates: FloatArray) -> None:
        own = [lent.own_rate for lent in self.loan.lent]
        highest = max((rate for rate in own if rate), default=None)
        for lent in self.loan.lent:
            # Those that were compiled with a schedule have no rate to compare.
            ratio = lent.own_rate / highest if highest and lent.own_rate else 1.0
            lent.tables = {"learning_rate": np.asarray(rates, float) * ratio}
        self._recorder.start()

    def _ready(self, batch: Any) -> None:
        """Copy the state of a model that its first batch has to build."""
        if self._snapshot is None:
            with _trainer.outside_of_graphs():
                _trainer.build(self._model, batch)
                self._snapshot = Snapshot(self._model, self._memory_limit)

    def _undo(self) -> None:
        self._recorder.give_back()
        if self._snapshot is not None:
            self._snapshot.restore()
            self._snapshot.drop()
