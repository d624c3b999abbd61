"""Short trainings of a borrowed model, and how well they did on what is held out."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from keras_lr.finder.batches import Data
from keras_lr.finder.borrowed import Borrowed
from keras_lr.finder.climb import Seen
from keras_lr.finder.plan import in_small
from keras_lr.finder.probe import Probe
from keras_lr.finder.progress import Progress
from keras_lr.finder.sweep import LEAST_APART
from keras_lr.finder.verdict import is_clear
from keras_lr.fit import keras_names, loop, processes
from keras_lr.fit.choice import optimizers_in
from keras_lr.fit.feed import Feed
from keras_lr.plan.curves import FloatArray
from keras_lr.schedule import Schedule


class Trainings:
    """Trainings of one model, each from the same state and on the same batches.

    One after another, on JAX too: side by side (``vmap``) five of 98 updates of a small
    net take a tenth of a second less, and 1.6 to 3 seconds more to compile.

    What is held out is judged as ``evaluate`` judges it. A model whose ``train_step``
    is the user's may have no test step that knows its loss: then the loss is that of
    its training step, at rates of 0.

    Args:
        model: The model, borrowed.
        borrowed: What takes it back to its state.
        data: The batches.
        unused: What to say where the model's step does not use the optimizer.
        go_on: Is called before each step, and raises where nobody waits for it.
    """

    def __init__(
        self,
        model: Any,
        borrowed: Borrowed,
        data: Data,
        unused: str,
        go_on: Callable[[], None] | None = None,
    ) -> None:
        self._go_on = go_on
        self._model = model
        self._borrowed = borrowed
        self._data = data
        self._unused = unused
        # Loss scaling leaves updates out, the first ones above all.
        self._may_skip = any(map(keras_names.scales_loss, optimizers_in(model)))
        self._was_used = False
        self._lost = False
        self._is_tested = True

    def fit(self, updates: int, is_last: Callable[[int], bool]) -> None:
        """Train, until a function says before a step that it is the last one."""
        batches = updates * self._borrowed.accumulation
        self._train(self._data.train, batches, is_last)

    def _train(self, feed: Feed, batches: int, is_last: Callable[[int], bool]) -> None:
        def is_last_or_wrong(done: int) -> bool:
            if self._go_on is not None:
                self._go_on()
            if done:
                self._check_used()
            return is_last(done)

        loop.train(self._model, feed.first(batches), batches, is_last_or_wrong)
        self._check_used()
        if not self._was_used:
            raise ValueError(self._unused)

    def _check_used(self) -> None:
        self._was_used = self._was_used or self._borrowed.is_used()
        if not self._was_used and not self._may_skip:
            raise ValueError(self._unused)
        self._borrowed.check_loss()

    def probe(self, rates: FloatArray) -> tuple[Seen, int]:
        """Train at given rates from the state of the beginning.

        Returns:
            What is seen of it on what is held out, with an infinite loss where the
            training was lost; and the updates that were spent.
        """
        self._borrowed.again(rates, quick=True)
        self._lost = False
        self.fit(len(rates), self._is_lost)
        updates = self._borrowed.spent()
        seen = self.evaluate()
        if self._lost or not math.isfinite(seen.loss):
            seen = Seen(math.inf, np.full(len(seen.losses), math.inf))
        return seen, updates

    def begin(self) -> Seen:
        """The loss before any training; what is held out is judged so from then on."""
        if keras_names.has_own_train_step(self._model):
            self._is_tested = self._can_be_tested()
        return self.evaluate()

    def _can_be_tested(self) -> bool:
        try:
            return loop.losses_of(self._model, self._data.held, 1) is not None
        except Exception:
            # It need not have a `call`, nor a loss that it was compiled with.
            return False

    def evaluate(self) -> Seen:
        """The loss of each batch that is held out, and their mean."""
        return self._seen(self._data.held)

    def evaluate_swapped(self) -> Seen | None:
        """The same with the targets of other rows; None where that says nothing.

        What predicts the same for every row does that no worse.
        """
        swapped = self._data.swapped()
        return None if swapped is None else self._seen(swapped)

    def _seen(self, feed: Feed) -> Seen:
        own = self._losses(feed)
        own_rows = np.asarray(feed.rows[: len(own)], float)
        losses = processes.mean(own, own_rows)
        rows = processes.mean(own_rows)
        return Seen(float(np.average(losses, weights=rows)), losses)

    def _losses(self, feed: Feed) -> FloatArray:
        count = len(feed.rows)
        if self._is_tested:
            losses = loop.losses_of(self._model, feed, count)
            if losses is not None:
                return losses
        self._borrowed.go_on(np.zeros(count), quick=True)
        self._train(feed, count, lambda _: False)
        return self._borrowed.losses(count)

    def _is_lost(self, batch: int) -> bool:
        # Now and then: each look waits for the device.
        is_due = batch > 0 and batch % LEAST_APART == 0
        self._lost = is_due and not np.isfinite(self._borrowed.seen()[0]).all()
        return self._lost


@dataclass(frozen=True)
class Errand:
    """A training that a search asks for.

    Attributes:
        rate: The rate of its updates, or the peak of it.
        updates: Of the training.
        follows: Whether the rate follows the schedule in small.
    """

    rate: float
    updates: int
    follows: bool

    def rates(self, schedule: Schedule | None) -> FloatArray:
        """The rate of each update, in the course of a schedule if it follows one."""
        shape = np.ones(self.updates)
        if self.follows:
            shape = in_small(schedule, self.updates)
        return self.rate * shape


class Work(Protocol):
    """Where the trainings of a search are run."""

    def ahead(self, errands: Sequence[Errand]) -> None:
        """Begin trainings that may be asked for, where several can run at a time."""

    def seen(self, errand: Errand) -> tuple[Seen, int]:
        """Train; what is seen, and the updates that were spent."""

    def swapped(self, errand: Errand) -> Seen | None:
        """What is seen of the last one with the targets of other rows."""


class Here:
    """Trainings one after another, of the model itself."""

    def __init__(self, trainings: Trainings, schedule: Schedule | None) -> None:
        self._trainings = trainings
        self._schedule = schedule

    def ahead(self, errands: Sequence[Errand]) -> None:
        """Leave them for when they are asked for."""

    def seen(self, errand: Errand) -> tuple[Seen, int]:
        """Train; what is seen, and the updates that were spent."""
        return self._trainings.probe(errand.rates(self._schedule))

    def swapped(self, errand: Errand) -> Seen | None:
        """What is seen of the last one with the targets of other rows."""
        return self._trainings.evaluate_swapped()


class Probes:
    """The trainings that a search asks for, as it asks for them.

    Attributes:
        seen: Each, in the order they were run.
        swapped: What is seen of the best long one with the targets of other rows, where
            that decides something.
    """

    def __init__(
        self,
        work: Work,
        schedule: Schedule | None,
        start: Seen,
        is_doubtful: bool,
        updates: int,
        progress: Progress,
    ) -> None:
        self._work = work
        self._schedule = schedule
        self._start = start
        self._is_doubtful = is_doubtful
        self._left = updates
        self._progress = progress
        self._lowest = math.inf
        self.seen: list[Probe] = []
        self.swapped: Seen | None = None

    def __call__(self, rate: float, updates: int, follows: bool) -> Seen:
        """Run one."""
        self._progress.begin_training(rate, updates, self._left)
        errand = Errand(rate, updates, follows)
        seen, spent = self._work.seen(errand)
        if follows and seen.loss < self._lowest:
            self._lowest = seen.loss
            self.swapped = None
            # Looked at where it decides.
            if self._is_doubtful or not is_clear(self._start, seen):
                self.swapped = self._work.swapped(errand)
        is_scheduled = follows and self._schedule is not None
        probe = Probe(rate, seen.loss, spent, updates, is_scheduled)
        self.seen.append(probe)
        self._left -= updates
        self._progress.end_training(probe)
        return seen

    def ahead(self, rates: Sequence[float], updates: int, follows: bool) -> None:
        """Begin some that may be asked for, where several can run at a time."""
        self._work.ahead([Errand(rate, updates, follows) for rate in rates])
