"""A branch: some updates beside a run at a rate that falls, as if they had not been.

What a branch trains on are passes over the run's own data, each in an order of its own,
from the first batch on. Everything that it changes comes back when it ends, however it
ends: the state of the model (:class:`~keras_lr.fit.snapshot.Snapshot`) and that of the
lent step, so that the run goes on in the middle of an epoch, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from keras_lr.fit import keras_names, loop
from keras_lr.fit.optimizer import LentOptimizer
from keras_lr.fit.passes import Draw, state_of
from keras_lr.fit.snapshot import Snapshot
from keras_lr.fit.step import LentStep, rate_name
from keras_lr.fit.timetable import Timetable
from keras_lr.plan.curves import Curve, FloatArray
from keras_lr.plan.duration import IntArray

#: Bytes up to which the copy of the state stays in memory, as in a search.
MEMORY_LIMIT = 2**30


@dataclass(frozen=True)
class Fall:
    """How the rate of a branch falls.

    Attributes:
        curve: From the rate in force to the floor.
        floor: The rate of the last update; of several optimizers, that of the one with
            the highest rate, and the others keep their ratio to it.
        updates: How many.
    """

    curve: Curve
    floor: float
    updates: int

    def rates(self, start: float, floor: float) -> FloatArray:
        """The rate of each update, the last one exactly at the floor.

        Progress is 0 at the last update of the trunk, whose rate is ``start``.
        """
        progress = np.arange(1, self.updates + 1) / self.updates
        rates = self.curve(start, floor, progress)
        rates[-1] = floor
        return rates


@dataclass(frozen=True)
class InForce:
    """What is in force of one optimizer as a branch leaves the trunk.

    Attributes:
        rate: The learning rate.
        others: What else a step looks up, by hyperparameter.
        trains: Whether it has any weights; of several one may have none.
    """

    rate: float
    others: Mapping[str, float]
    trains: bool = True


@dataclass(frozen=True)
class Course:
    """What was seen of each update of a branch.

    Attributes:
        losses: The mean training loss of its batches, before it.
        rates: Its rate; of several optimizers, that of the one with the highest.
    """

    losses: FloatArray
    rates: FloatArray


def leading(in_force: Sequence[InForce]) -> int:
    """Which optimizer has the highest rate, of those that train something."""
    busy = [i for i, one in enumerate(in_force) if one.trains]
    return max(busy or range(len(in_force)), key=lambda i: in_force[i].rate)


def own_values(step: LentStep) -> list[InForce]:
    """What is in force outside of a fit: the optimizers' own values."""
    found = []
    for lent in step.optimizers:
        others = {name: float(lent.own(name)) for name in lent.attributes}
        found.append(InForce(step.own_rate(lent), others, _trains(lent)))
    return found


def last_values(step: LentStep) -> list[InForce]:
    """What is in force in a fit: the values of the last update of each optimizer."""
    found = []
    for lent in step.optimizers:
        others = {name: _in_force(step, lent, name) for name in lent.attributes}
        rate = _in_force(step, lent, "learning_rate")
        found.append(InForce(rate, others, _trains(lent)))
    return found


def _trains(lent: LentOptimizer) -> bool:
    return bool(keras_names.trained_by(lent.optimizer))


def _in_force(step: LentStep, lent: LentOptimizer, hyperparameter: str) -> float:
    last = step.last(lent, hyperparameter)
    return step.coming(lent, hyperparameter) if last is None else last


@contextmanager
def beside(model: Any, step: LentStep, data: Any) -> Iterator[None]:
    """A context of which nothing is left: not in the model, nor in the lent step.

    Args:
        model: A built and compiled model, in the middle of a fit or not.
        step: Its lent step, on loan.
        data: What is gone through in it.
    """
    is_torch = keras.backend.backend() == "torch"
    is_training = is_torch and model.training
    with step.aside():
        is_held = keras_names.holds_state(model)
        keras_names.sync_state(model)
        snapshot = Snapshot(model, MEMORY_LIMIT)
        put_back_data = state_of(data)
        # The trunk may have the plain one.
        function = keras_names.function_at(model)
        keras_names.set_function(model, step.function)
        try:
            yield
        finally:
            snapshot.restore()
            snapshot.drop()
            keras_names.set_function(model, function)
            if is_held:
                keras_names.hold_values(model)
            put_back_data()
            if is_torch:
                model.train(is_training)


def batches_of(step: LentStep, updates: int, batches_a_call: int) -> int:
    """Batches of so many updates, in whole calls of the step.

    Args:
        step: The lent step.
        updates: How many the first optimizer is to make.
        batches_a_call: Batches that Keras trains on between two calls of callbacks.
    """
    accumulation = step.optimizers[0].accumulation
    # An update that the trunk has begun ends in the branch.
    batches = updates * accumulation - step.counts()[0] % accumulation
    return -(-batches // batches_a_call) * batches_a_call


def train_branch(
    model: Any, step: LentStep, draw: Draw, fall: Fall, in_force: list[InForce]
) -> Course:
    """Train while the rate falls; everything else stays as it is.

    Args:
        model: The model, in the context that gives everything back.
        step: Its lent step.
        draw: Gives so many batches.
        fall: How the rate falls; under ``steps_per_execution`` it is stretched over as
            many updates as whole executions make.
        in_force: For each optimizer of the step.
    """
    accumulation = step.optimizers[0].accumulation
    begun = step.counts()[0] % accumulation
    batches = batches_of(step, fall.updates, int(model.steps_per_execution))
    updates = (begun + batches) // accumulation
    whole = Fall(fall.curve, fall.floor, updates)
    first = leading(in_force)
    highest = in_force[first].rate
    timetables = []
    for one in in_force:
        ratio = one.rate / highest if highest else 1.0
        rates = whole.rates(one.rate, fall.floor * ratio)
        head = {"learning_rate": rates}
        for name, value in one.others.items():
            head[name] = np.full(updates, value)
        timetables.append(Timetable(0, head, absolute=True))
    step.follow(timetables)
    step.record()
    try:
        loop.train(model, draw(batches), batches, lambda _: False)
    except BaseException as error:
        if not keras_names.is_end_of_data(error):
            raise
        raise ValueError(
            f"The data of a branch must last for its {batches} batches. Received: data "
            "that end before and cannot be gone through again. Give arrays, a dataset, "
            "or a shorter `duration`."
        ) from error
    if isinstance(model.optimizer, keras.optimizers.Optimizer):
        # As at the end of a fit: moving averages of the weights take their place.
        model.optimizer.finalize_variable_values(model.trainable_weights)
    seen = step.recorded()
    rates = seen[rate_name(first)]
    of_update = (begun + np.arange(batches)) // accumulation
    return _course(seen["loss"], rates, of_update, updates)


def _course(
    losses: FloatArray, rates: FloatArray, of_update: IntArray, updates: int
) -> Course:
    """What was seen of batches, by the updates that they belong to."""
    # Whole executions may end in the middle of one more.
    inside = of_update < updates
    counts = np.bincount(of_update[inside], minlength=updates)
    sums = np.bincount(of_update[inside], losses[inside], minlength=updates)
    # That of the batch which makes the update.
    ends = np.searchsorted(of_update, np.arange(updates), side="right") - 1
    return Course(sums / counts, rates[ends])
