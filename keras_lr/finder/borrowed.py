"""A model on loan to the finder: what it borrows, and how everything comes back."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from keras_lr.finder.tuning import TUNING
from keras_lr.fit import keras_names, processes
from keras_lr.fit.choice import chosen
from keras_lr.fit.loan import Loan, end_or_refuse
from keras_lr.fit.snapshot import Snapshot
from keras_lr.fit.step import rate_name
from keras_lr.fit.timetable import OWN, Timetable
from keras_lr.plan.curves import FloatArray


class Borrowed:
    """A model whose fits run at given rates and write down the loss of each update.

    Args:
        model: A compiled model.
        updates: Of a fit at most.
        memory_limit: Bytes up to which the copy of the state stays in memory.
        is_wanted: Whether what the model was borrowed for is still under way.
        alone: Whether nobody else may train the model meanwhile, in a fit of the
            user's; else the fits are the finder's own.
        told: Gives numbers of each batch of the fit so far that are NaN where its data
            are not finite; None where the data are known.
        optimizer: Which of the model's optimizers is to follow the rates; None for all
            that it was compiled with.
        loss: What the logs call the loss.

    Attributes:
        accumulation: Batches that make an update.
        begun: Batches of the first update that were trained on before.
        begun_updates: Updates that were made before.
        batches_a_step: Batches that Keras trains on between two calls of callbacks.
    """

    def __init__(
        self,
        model: Any,
        updates: int,
        memory_limit: float,
        is_wanted: Callable[[], bool],
        *,
        alone: bool,
        told: Callable[[], Any] | None = None,
        optimizer: str | None = None,
        loss: str = "loss",
    ) -> None:
        end_or_refuse(model)
        self._choose = partial(optimizers_chosen, model, optimizer)
        optimizers = self._choose()
        keras_names.check_model(model, optimizers)
        self.accumulation = int(optimizers[0].gradient_accumulation_steps or 1)
        counter = keras_names.counter_of(optimizers[0])
        done = int(keras_names.read(counter))
        self.begun = done % self.accumulation
        self.begun_updates = done // self.accumulation
        self.batches_a_step = int(model.steps_per_execution)
        self._loss = loss
        self._model = model
        self._updates = updates
        self._memory_limit = memory_limit
        self._is_wanted = is_wanted
        self._on_stranger = refuse if alone else allow
        self._loan: Loan | None = None
        self._snapshot: Snapshot | None = None
        self._told = told
        self._looked_at = 0
        self._bad: list[int] = []

    @property
    def is_open(self) -> bool:
        """Whether the model is borrowed at this moment."""
        return self._loan is not None and self._loan.is_open

    def begin(self, rates: FloatArray, *, quick: bool = False) -> None:
        """Copy the state, then take the optimizers.

        Args:
            rates: Of the updates of the first fit.
            quick: Whether batch normalization follows within some tens of batches.
        """
        if keras_names.build(self._model):
            self._snapshot = Snapshot(self._model, self._memory_limit)
        loan = Loan(
            self._model,
            self._choose,
            self._is_wanted,
            loss=self._loss,
            on_stranger=self._on_stranger,
            on_failure=partial(self.fail, True),
            at_last=self._restore,
        )
        self._loan = loan
        loan.step.on_first_batch = self._copy_what_is_built
        self._follow(rates, quick)

    def log_rates(self) -> None:
        """Have the logs of each epoch tell the rates of its last update."""
        if self._loan is not None:
            self._loan.log_rates()

    def end_with(self, owner: Any) -> None:
        """Give everything back when an object dies."""
        if self._loan is not None:
            self._loan.end_with(owner)

    def go_on(self, rates: FloatArray, *, quick: bool = False) -> None:
        """Go on from where the last fit has ended, at other rates."""
        self._follow(rates, quick)

    def is_used(self) -> bool:
        """Whether the step that has run has updated weights by the optimizers.

        One of them is enough: of several, the one for what no other is for may have
        nothing to train.
        """
        if self._loan is None:
            return True
        wanted = {id(one) for one in self._choose()}
        lents = self._loan.step.optimizers
        return any(lent.applied for lent in lents if id(lent.optimizer) in wanted)

    def again(self, rates: FloatArray, *, quick: bool = False) -> None:
        """Go back to the state of the beginning, for a fit at other rates."""
        if self._snapshot is not None:
            self._snapshot.restore()
        self._follow(rates, quick)

    def seen(self) -> FloatArray:
        """Sum of the losses, number of the batches and bad data of each update.

        Of several processes it is the mean: the gradients of an update are, too.

        Returns:
            Shape ``(3, updates)``; the last is NaN where data are not finite, else 0.
        """
        table = np.zeros((3, self._updates))
        if self._loan is None:
            return table
        step = self._loan.step
        seen = step.recorded()
        if not step.control.reports_loss:
            return table
        # On TensorFlow the step that finds no more data counts as a batch, too.
        losses = seen["loss"][~np.isnan(seen[rate_name(0)])]
        updates = (self.begun + np.arange(len(losses))) // self.accumulation
        inside = updates < self._updates
        np.add.at(table[0], updates[inside], losses[inside])
        np.add.at(table[1], updates[inside], 1)
        for batch in self._bad_batches(int(inside.sum())):
            table[2, updates[batch]] = np.nan
        return processes.mean(table)

    def losses(self, batches: int) -> FloatArray:
        """The loss of each of the first batches of the fit so far."""
        if self._loan is None:
            return np.zeros(0)
        seen = self._loan.step.recorded()
        losses: FloatArray = seen["loss"][~np.isnan(seen[rate_name(0)])][:batches]
        return losses

    def check_loss(self) -> None:
        """Refuse a model whose step does not tell the loss.

        Raises:
            ValueError: If the step that has run did not.
        """
        if self._loan is not None and not self._loan.step.control.reports_loss:
            raise ValueError(
                "A train_step must report its loss, by a metric of that name or in "
                f"what it returns. Received: one without {self._loss!r}. Return it, as "
                f"{{{self._loss!r}: loss}}."
            )

    def spent(self) -> int:
        """Updates of the fit, after it."""
        return 0 if self._loan is None else self._loan.step.spent()

    def give_back(self) -> None:
        """Give everything back, if that has not been done."""
        if self._loan is not None:
            self._loan.close()
        elif self._snapshot is not None:
            # Ctrl-C before there was anything to give back.
            self._snapshot.drop()

    def fail(self, inside: bool) -> None:
        """Give everything back while the fit fails, inside of its loop or not."""
        if self._loan is not None and self._loan.is_open and inside:
            for lent in self._loan.step.optimizers:
                keras_names.keep_weights(lent.optimizer)
        self.give_back()

    def _bad_batches(self, count: int) -> list[int]:
        """Those of the first batches whose data are not finite."""
        told = () if self._told is None else self._told()
        # Each is looked at once: to look waits for the device.
        for batch in range(self._looked_at, min(count, len(told))):
            if any(np.isnan(float(one)) for one in told[batch]):
                self._bad.append(batch)
            self._looked_at = batch + 1
        return self._bad

    def _follow(self, rates: FloatArray, quick: bool) -> None:
        assert self._loan is not None  # noqa: S101  it has begun
        step = self._loan.step
        optimizers = self._choose()
        own = [keras_names.own_rate(one) for one in optimizers]
        highest = max((rate for rate in own if rate), default=None)
        timetables = []
        for lent in step.optimizers:
            if lent.optimizer not in optimizers:
                timetables.append(OWN)
                continue
            rate = keras_names.own_rate(lent.optimizer)
            # Those that were compiled with a schedule have no rate to compare.
            ratio = rate / highest if highest and rate else 1.0
            head = {"learning_rate": np.asarray(rates, np.float64) * ratio}
            label = lent.optimizer.name if len(optimizers) > 1 else None
            timetables.append(Timetable(0, head, absolute=True, label=label))
        step.follow(timetables, TUNING.statistics if quick else 1.0)
        step.record()
        self._looked_at = 0
        self._bad = []

    def _copy_what_is_built(self, batch: Any) -> None:
        """Copy the state of a model that its first batch has to build."""
        if self._snapshot is None:
            with keras_names.outside_of_graphs():
                keras_names.build(self._model, batch)
                self._snapshot = Snapshot(self._model, self._memory_limit)

    def _restore(self) -> None:
        if self._loan is not None:
            self._loan.step.on_first_batch = None
        if self._snapshot is not None:
            self._snapshot.restore()
            self._snapshot.drop()
            self._snapshot = None


def optimizers_chosen(model: Any, name: str | None) -> list[Any]:
    """The optimizers that ``optimizer=`` means, unwrapped (see ``fit.choice``)."""
    return [choice.optimizer for choice in chosen(model, name)]


def refuse(asking: str) -> None:
    """Refuse another training in a sweep of the user's fit."""
    raise RuntimeError(
        "A sweep needs the model to itself. Received: another training of it from a "
        "callback. Leave that callback out of the sweep's fit."
    )


def allow(asking: str) -> None:
    """Let the finder's own fits train."""
