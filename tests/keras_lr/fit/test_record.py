"""What a step writes down, and the rows that it reads."""

from __future__ import annotations

import copy
import pickle

import keras
import numpy as np
import pytest
from keras import ops

import keras_lr
from keras_lr.fit.choice import optimizers_of
from keras_lr.fit.loan import Loan
from keras_lr.fit.record import Record, Scalar, Segment, places_in_ring
from keras_lr.fit.timetable import OWN, Timetable
from tests.kit.probe import assert_rates, data, fit, recorded, watch, watched

pytestmark = pytest.mark.backend

BACKEND = keras.backend.backend()


def segment(first, rows):
    numbers = np.arange(first, first + rows, dtype=float)
    return Segment(first, rows, lambda: np.stack([numbers, -numbers], axis=1))


def test_a_record_has_the_rows_of_all_segments_once():
    record = Record(["count", "less"], 3)
    record.add(segment(0, 8))
    record.add(segment(8, 4))
    read = record.read(segment(10, 5))
    np.testing.assert_array_equal(read["count"], np.arange(3, 15))
    np.testing.assert_array_equal(read["less"], -np.arange(3, 15))
    np.testing.assert_array_equal(
        record.read(segment(12, 0))["count"], np.arange(3, 12)
    )


def test_a_ring_has_the_rows_in_the_order_of_their_batches():
    np.testing.assert_array_equal(places_in_ring(254, 4, 256), [254, 255, 0, 1])


def test_a_timetable_holds_its_last_value_and_begins_with_its_first():
    table = Timetable(5, {"momentum": np.array([1.0, 2.0, 3.0])})
    values = table.values("momentum", np.array([0, 5, 6, 7, 100]))
    np.testing.assert_array_equal(values, [1, 1, 2, 3, 3])


def loan_of(model, **options):
    """A loan that lasts until it is closed, whoever trains the model."""
    options = {"on_stranger": lambda asking: None, **options}
    return Loan(model, lambda: optimizers_of(model), lambda: True, **options)


@pytest.mark.parametrize("batches", [10, 300], ids=["short", "longer-than-the-ring"])
def test_losses_and_rates_of_all_batches_are_written_down(batches):
    model = watched(keras.optimizers.SGD(0.1), batches)
    other = watched(keras.optimizers.SGD(0.1), batches)
    rates = np.geomspace(1e-4, 1e-2, batches)
    loan = loan_of(model)
    loan.step.follow([Timetable(0, {"learning_rate": rates}, absolute=True)])
    loan.step.record()
    fit(model, [], batches=batches)
    seen = loan.step.recorded()
    loan.close()
    x, y = data(batches)
    expected = []
    for i, rate in enumerate(rates):
        other.optimizer.learning_rate = float(rate)
        rows = slice(2 * i, 2 * i + 2)
        other.reset_metrics()
        expected.append(other.train_on_batch(x[rows], y[rows]))
    np.testing.assert_allclose(seen["loss"], np.ravel(expected), rtol=1e-5)
    assert_rates(seen["learning_rate_0"], rates)
    assert_rates(recorded(model), rates)


def largest_input(view):
    return ops.max(ops.abs(ops.convert_to_tensor(view.data[0])))


def test_a_monitor_can_have_a_scalar_of_its_own_written_down():
    model = watched(keras.optimizers.SGD(0.1), 10)
    fit(model, [keras_lr.LinearDecay()])
    loan = loan_of(model, scalars=[Scalar("largest", largest_input)])
    loan.step.follow([OWN])
    loan.step.record()
    fit(model, [])
    seen = loan.step.recorded()
    loan.close()
    x, _ = data(10)
    expected = np.abs(x.reshape(10, -1)).max(axis=1)
    np.testing.assert_allclose(seen["largest"], expected, rtol=1e-6)


class Twice(keras.Sequential):
    """Applies its gradients twice, as methods that look ahead do."""

    def train_step(self, *args):
        if BACKEND == "jax":
            state, batch = args
            _, state = super().train_step(state, batch)
            return super().train_step(state, batch)
        super().train_step(*args)
        return super().train_step(*args)


def test_a_step_with_two_updates_has_two_rates_however_long_the_run():
    keras.utils.set_random_seed(0)
    model = Twice([keras.Input((4,)), keras.layers.Dense(2)])
    model.compile(keras.optimizers.SGD(0.1), "mse")
    model.optimizer.build(model.trainable_variables)
    watch(model.optimizer, model.trainable_variables, 800)
    schedule = keras_lr.ExponentialDecay(rate=0.5, every=100, horizon=800)
    fit(model, [schedule], batches=400)
    assert_rates(recorded(model), schedule.values(800, 0.1))


@pytest.mark.parametrize(
    "again", [copy.copy, copy.deepcopy, lambda s: pickle.loads(pickle.dumps(s))]
)
def test_a_copy_of_a_schedule_in_a_fit_takes_no_part_in_it(again):
    schedule = keras_lr.OneCycle(max_lr=0.01)
    copies = []
    look = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: copies.append(again(schedule))
    )
    fit(watched(keras.optimizers.SGD(0.1), 10), [schedule, look])
    model = watched(keras.optimizers.SGD(0.1), 10)
    fit(model, copies)
    assert repr(copies[0]) == repr(schedule)
    assert_rates(recorded(model), schedule.values(10))
