"""The director of a fit: which schedules take part, and where the run stands."""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from typing import Any

from keras_lr.fit import keras_names
from keras_lr.fit.loan import Loan, end_if_left, while_in_fit
from keras_lr.fit.optimizer import attributes_of, optimizers_of
from keras_lr.fit.step import ROWS
from keras_lr.fit.timetable import Facts, Request, lay
from keras_lr.plan.duration import Clock

_DIRECTORS: weakref.WeakKeyDictionary[Any, Director] = weakref.WeakKeyDictionary()


def director_of(model: Any, schedule: Any) -> Director:
    """The director of the fit that is calling a schedule, made for its first one.

    Args:
        model: The model.
        schedule: The schedule, a Keras callback.
    """
    callbacks, _ = keras_names.list_of_fit()
    # Without a list, where a callback is called by hand, each is a fit of its own.
    director = None if callbacks is None else _DIRECTORS.get(callbacks)
    if director is None or director.model is not model:
        director = Director(model, schedule if callbacks is None else callbacks)
        if callbacks is not None:
            _DIRECTORS[callbacks] = director
    return director


class Director:
    """One fit's schedules, laid over its run once, and again where the run has moved.

    Args:
        model: A compiled model, before anything of the fit has changed it.
        owner: What lives as long as the fit: its list of callbacks.

    Attributes:
        runs: The run as each optimizer counts it, once it has begun.
        is_under_way: Whether the fit is at work at this moment, in any thread.
    """

    def __init__(self, model: Any, owner: Any) -> None:
        # What an interrupted fit has left behind.
        end_if_left(model)
        self._model = weakref.ref(model)
        self._owner = weakref.ref(owner)
        self.is_under_way = while_in_fit(self._owner)
        # Before BackupAndRestore loads others.
        self._optimizers = optimizers_of(model)
        keras_names.check_model(model, self._optimizers)
        self._own_rates = [keras_names.own_rate(one) for one in self._optimizers]
        self._requests: list[Request] = []
        self._loan: Loan | None = None
        self._params: Mapping[str, Any] = {}
        self._epoch = 0
        self._counts: list[int] = []
        self._is_located = False
        self._is_in_epoch = False
        self.runs: list[Clock] = []

    @property
    def model(self) -> Any:
        """The model."""
        return self._model()

    def join(self, request: Request) -> None:
        """Take part.

        Raises:
            ValueError: If the schedule takes part already.
        """
        if any(request.schedule is one.schedule for one in self._requests):
            raise ValueError(
                "A schedule can be in a fit once, since schedules multiply. Received: "
                f"{request.schedule!r} twice in the list of callbacks. Leave one out."
            )
        self._requests.append(request)

    # As the fit goes on. Each schedule of the fit calls these; the first call counts.

    def begin(self, params: Mapping[str, Any]) -> None:
        """Lay the schedules over the run, and take the optimizers.

        Args:
            params: What Keras tells callbacks: ``epochs``, and ``steps`` of an epoch.
        """
        if self._loan is not None:
            return
        self._params = params
        self._epoch = keras_names.first_epoch(self.model)
        if self._epoch >= params.get("epochs", self._epoch + 1):
            return  # BackupAndRestore found the run finished: there is nothing to do.
        loan = Loan(self.model, self.is_under_way)
        try:
            self._lay(loan, self._epoch)
            loan.log_rates()
        except BaseException:
            loan.close()
            raise
        self._loan = loan
        owner = self._owner()
        if owner is not None:
            loan.end_with(owner)

    def begin_epoch(self, epoch: int) -> None:
        """Find the place in the run, which is known for certain only now."""
        loan = self._loan
        if loan is None or self._is_in_epoch or not loan.is_open:
            return
        self._is_in_epoch = True
        loan.check_step()
        counts = loan.step.counts()
        if not self._is_located and (epoch, counts) != (self._epoch, self._counts):
            self._lay(loan, epoch)
        else:
            loan.step.sync(counts)
        self._is_located = True

    def end_epoch(self) -> None:
        """Await the next epoch."""
        self._is_in_epoch = False

    def end(self) -> None:
        """Give the optimizers back."""
        if self._loan is not None:
            self._loan.close()
            self._loan = None

    def _lay(self, loan: Loan, epoch: int) -> None:
        """Lay all schedules over the run, from where it stands."""
        self._epoch = epoch
        self._counts = loan.step.counts()
        self.runs = []
        timetables = []
        for i, lent in enumerate(loan.step.optimizers):
            run, first = self._place(lent.accumulation, self._counts[i], epoch)
            self.runs.append(run)
            timetables.append(lay(self._requests, self._facts_of(i), run, first, ROWS))
        loan.step.follow(timetables)

    def _place(self, each: int, count: int, epoch: int) -> tuple[Clock, int]:
        """The run in an optimizer's updates, and the one that comes next.

        The place follows from the epoch, not from the optimizer's counter, which may
        have counted earlier fits; only where an epoch's length is unknown must the
        counter do.
        """
        batches = self._params.get("steps")
        epochs = self._params.get("epochs")
        if batches is None or epochs is None:
            return Clock(), count // each if epoch else 0
        first = epoch * batches // each
        # An accumulation that an earlier fit has begun ends in this one.
        left = (count % each + (epochs - epoch) * batches) // each
        return Clock(first + left, batches / each), first

    def _facts_of(self, i: int) -> Facts:
        """What is known of an optimizer."""
        optimizer = self._optimizers[i]
        own = {"learning_rate": self._own_rates[i]}
        for name, attribute in attributes_of(optimizer).items():
            own[name] = float(vars(optimizer)[attribute])
        rates = self._own_rates
        known = [rate for rate in rates if rate is not None]
        # The groups of a MultiOptimizer keep their ratios to the highest rate.
        highest = max(known) if len(known) == len(rates) else None
        return Facts(type(optimizer).__name__, own, highest)
