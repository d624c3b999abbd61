"""One sweep of a fit: what it has borrowed, and what it has seen."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_lr import _optimizer, _trainer
from keras_lr._optimizer import Lent, Loan
from keras_lr._trainer import Recorder
from keras_lr.finder import _guard
from keras_lr.finder.judge import LEAST, ending, judge
from keras_lr.finder.result import LRFinderResult
from keras_lr.finder.rules import FloatArray
from keras_lr.finder.state import Snapshot

if TYPE_CHECKING:
    from keras_lr.finder.sweep import LRFinder

#: Looks at the losses in a sweep, and updates between two of them at least: each look
#: waits for the device.
LOOKS, LEAST_APART = 20, 10


class Sweep:
    """One sweep of a fit."""

    def __init__(
        self, finder: LRFinder, model: Any, loan: Loan, params: dict[str, Any]
    ) -> None:
        self._finder, self._model, self._loan = finder, model, loan
        self._lent = loan.lent[0]
        self._lent.sync()
        self._begun = self._lent.counter % self._lent.accumulation
        self._planned = _planned(self._lent, self._begun, params)
        self._steps = min(finder.steps, self._planned or finder.steps)
        self._rates = finder.values(self._steps)
        self._recorder = Recorder(model, self._lent, self._steps, self._ready)
        self._snapshot: Snapshot | None = None
        self._apart = max(LEAST_APART, self._steps // LOOKS)
        self._before, self._next = 0, self._apart
        self._table: FloatArray = np.zeros((3, self._steps))
        self._spent = 0
        self._stopped = False
        self._shows = bool(finder.verbose) and not params.get("verbose")

    # Borrowing and giving back.

    def begin(self) -> None:
        """Copy the state, then lend the optimizers and the loss tracker."""
        least = LEAST * self._finder.updates_per_rate
        if self._planned is not None and self._planned < least:
            raise ValueError(
                f"A sweep needs at least {least} updates. Received: a fit of "
                f"{self._planned}. Give it more epochs or smaller batches."
            )
        if self._finder.copy is not None:
            self._snapshot = self._finder.copy
        elif _trainer.build(self._model):
            self._snapshot = Snapshot(self._model, self._finder.memory_limit)
        self._loan.writers.append(self._finder)
        self._loan.undo = self._undo
        rates = [lent.own_rate for lent in self._loan.lent]
        highest = max((rate for rate in rates if rate), default=None)
        for lent in self._loan.lent:
            lent.sync()
            lent.offset, lent.absolute = lent.updates, True
            # Those that were compiled with a schedule have no rate to compare.
            ratio = lent.own_rate / highest if highest and lent.own_rate else 1.0
            lent.tables = {"learning_rate": self._rates * ratio}
        self._recorder.lend()
        self._loan.activate()
        step = self._model.train_function
        self._model.train_function = _guard.guarded(step, partial(self.fail, True))

    def _ready(self, batch: Any) -> None:
        """Copy the state of a model that its first batch has to build."""
        if self._snapshot is None:
            with _trainer.outside_of_graphs():
                _trainer.build(self._model, batch)
                self._snapshot = Snapshot(self._model, self._finder.memory_limit)

    def give_back(self) -> None:
        """Give everything back, if that has not been done."""
        _optimizer.give_back(self._model, self._loan)

    def fail(self, inside: bool) -> None:
        """Give everything back while the fit fails, inside of its loop or not."""
        if self._loan.active and inside:
            _trainer.keep_weights(self._loan)
        self.give_back()

    def _undo(self) -> None:
        self._recorder.give_back()
        if self._snapshot is not None:
            self._snapshot.restore()
            if self._snapshot is not self._finder.copy:
                self._snapshot.drop()

    # Looking.

    def begin_epoch(self) -> None:
        """Count the batches of the epochs before, and await the epoch's logs."""
        self._check_active()
        self._before = int(self._read()[1].sum())
        self._loan.begin_epoch()

    def look(self, batch: int) -> bool:
        """Whether the sweep is over, before a batch of the epoch."""
        self._check_active()
        updates = (self._begun + self._before + batch) // self._lent.accumulation
        if updates < min(self._next, self._steps):
            return False
        self._next = updates + self._apart
        losses = self._losses(self._read())
        if self._shows:
            self._show(losses)
        means = self._means(losses)
        self._stopped = (
            len(losses) >= self._steps
            or not np.isfinite(losses).all()
            or (self._finder.stop_early and bool(ending(means, self._points())))
        )
        return self._stopped

    def _check_active(self) -> None:
        if not self._loan.active:
            raise RuntimeError(
                "A sweep needs the model to itself. Received: another training of it "
                "from a callback. Leave that callback out of the sweep's fit."
            )

    def _read(self) -> FloatArray:
        self._table = _trainer.read_in_fit(self._model, self._recorder.table).astype(
            float
        )
        return self._table

    def _losses(self, table: FloatArray) -> FloatArray:
        """Loss of each update that is complete: the mean of its batches' losses."""
        sums, counts, bad = table
        done = int(np.argmin(counts > 0)) if (counts == 0).any() else len(counts)
        if done > 1 and counts[done - 1] < self._lent.accumulation:
            done -= 1
        losses: FloatArray = sums[:done] / counts[:done]
        wrong = ~np.isfinite(losses)
        if wrong.any():
            self._check_wrong(int(np.argmax(wrong)), losses, counts, bad)
        return losses

    def _check_wrong(
        self, at: int, losses: FloatArray, counts: FloatArray, bad: FloatArray
    ) -> None:
        """Raise where a loss that is not finite is no matter of the rate."""
        batch = int(counts[:at].sum())
        if bad[at]:
            raise ValueError(
                "The data must be finite. Received: NaN or infinity in batch "
                f"{batch} of the sweep, counted from 0."
            )
        if at == 0:
            raise ValueError(
                "The loss must be finite at the first update. Received: a loss of "
                f"{losses[0]} at a rate of {self._rates[0]:.2g}, with finite data. "
                "Look at the model and its loss."
            )

    def _means(self, losses: FloatArray) -> FloatArray:
        """Loss of each rate."""
        each = self._finder.updates_per_rate
        whole = len(losses) // each
        means: FloatArray = losses[: whole * each].reshape(whole, each).mean(axis=1)
        return means

    def _points(self) -> int:
        return -(-self._steps // self._finder.updates_per_rate)

    def _show(self, losses: FloatArray) -> None:
        if len(losses):
            rate, loss = self._rates[len(losses) - 1], losses[-1]
            done = f"update {len(losses)} of {self._steps}"
            sys.stdout.write(f"\rlearning rate {rate:.2e}  loss {loss:.4g}  {done}   ")
            sys.stdout.flush()

    # Judging.

    def finish(self) -> None:
        """Look for the last time, while the model is still borrowed."""
        if not self._loan.active:
            return  # No epoch was run.
        self._read()
        self._spent = self._lent.updates - self._lent.offset
        if self._shows:
            self._show(self._losses(self._table))
            sys.stdout.write("\n")

    def judge(self, divisor: float) -> LRFinderResult:
        """What the sweep says.

        Raises:
            ValueError: If it saw too little.
        """
        losses = self._losses(self._table)
        if not self._table[1].any() and self._spent:
            raise ValueError(
                "A train_step must report its loss to a metric named 'loss', as the "
                "one of Keras does. Received: one that does not. Update the metric "
                "of self.metrics whose name is 'loss' in it."
            )
        means = self._means(losses)
        rates = self._rates[:: self._finder.updates_per_rate][: len(means)]
        if len(means) < LEAST and np.isfinite(means).all():
            raise ValueError(
                f"A sweep needs at least {LEAST} rates. Received: a fit that ended "
                f"after {len(losses)} updates. Give it more data or epochs."
            )
        found = judge(rates, means, self._points(), divisor)
        return LRFinderResult(
            suggestion=found.suggestion,
            verdict=found.verdict,
            reason=found.reason + self._shortened(len(losses)),
            interval=found.interval,
            lrs=rates,
            losses=means,
            smoothed=found.smoothed,
            suggestions=found.suggestions,
            probes=(),
            steps=self._spent,
        )

    def _shortened(self, updates: int) -> str:
        if updates < self._steps and not self._stopped:
            return (
                f" (the fit ended after {updates} of the sweep's {self._steps} updates)"
            )
        if self._steps < self._finder.steps:
            return (
                f" (the fit had only {self._steps} updates for the sweep instead of "
                f"{self._finder.steps})"
            )
        return ""


def _planned(lent: Lent, begun: int, params: dict[str, Any]) -> int | None:
    """Updates that the fit will have, if that is known."""
    batches, epochs = params.get("steps"), params.get("epochs")
    if not batches or not epochs:
        return None
    return int((begun + epochs * batches) // lent.accumulation)
