"""Guests of a fit: when they look, what they read, and that nothing changes."""

from __future__ import annotations

import keras
import numpy as np
import pytest

import keras_lr
from keras_lr.companion import Companion
from tests.kit.probe import data, fit, watched

pytestmark = pytest.mark.backend


class Notes(Companion):
    """Looks after some updates, and notes all that it hears."""

    def __init__(self, dues=()):
        super().__init__()
        self.dues = list(dues)
        self.scalars = ()
        self.heard = []
        self.rows = []

    def _guests(self):
        return [self]

    def begin(self, fit):
        self.fit = fit
        self.reader = fit.reader()
        self.heard.append(("begin", fit.updates_made()))

    def due(self):
        return self.dues[0] if self.dues else None

    def look(self, made):
        self.heard.append((self.dues.pop(0), made))
        self.rows.append(self.reader.read())

    def end_epoch(self, epoch, logs):
        self.heard.append((f"epoch {epoch}", round(float(logs["loss"]), 4)))
        self.rows.append(self.reader.read())

    def seen(self, name):
        return np.concatenate([rows.columns[name] for rows in self.rows])


class Losses(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.means = []

    def on_train_batch_end(self, batch, logs=None):
        self.means.append(logs["loss"])


def losses_of(means):
    """Of each batch, from the running means of an epoch."""
    sums = np.array(means) * np.arange(1, len(means) + 1)
    return np.diff(sums, prepend=0)


@pytest.mark.parametrize("schedules", [[], [keras_lr.LinearDecay]])
def test_a_guest_looks_after_the_updates_it_asks_for_and_reads_each_batch_once(
    schedules,
):
    notes = Notes([1, 4, 13])
    losses = Losses()
    model = watched(keras.optimizers.SGD(0.1), 20)
    made = [schedule() for schedule in schedules]
    fit(model, [*made, notes, losses], epochs=2)
    heard = [each for each in notes.heard if not str(each[0]).startswith("epoch")]
    assert heard == [("begin", 0), (1, 1), (4, 4), (13, 13)]
    assert [rows.first for rows in notes.rows] == [0, 1, 4, 10, 13]
    expected = np.concatenate([losses_of(losses.means[i : i + 10]) for i in (0, 10)])
    np.testing.assert_allclose(notes.seen("loss"), expected, rtol=1e-3)
    rates = made[0].values(20, 0.1) if made else np.full(20, 0.1)
    np.testing.assert_allclose(notes.seen("learning_rate_0"), rates, rtol=1e-6)


def test_a_fit_with_a_guest_gives_the_weights_of_one_without():
    weights = []
    for callbacks in ([], [Notes([3])]):
        model = watched(keras.optimizers.Adam(0.1), 20)
        fit(model, callbacks, epochs=2)
        weights.append(model.get_weights())
    # The lent step differs from the plain one by an ulp with Adam.
    for plain, lent in zip(*weights, strict=True):
        np.testing.assert_allclose(plain, lent, rtol=1e-5, atol=1e-7)


def test_a_guest_hears_of_an_epoch_before_any_callback():
    order = []
    notes = Notes()
    notes.end_epoch = lambda epoch, logs: order.append("guest")
    first = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: order.append("first in the list")
    )
    fit(watched(keras.optimizers.SGD(0.1), 10), [first, notes])
    assert order == ["guest", "first in the list"]


@pytest.mark.skipif(keras.backend.backend() == "torch", reason="torch refuses it")
def test_a_guest_looks_at_the_end_of_the_execution_that_has_its_update():
    notes = Notes([3, 8, 10])
    model = watched(keras.optimizers.SGD(0.1), 12, steps_per_execution=4)
    fit(model, [notes], batches=12)
    assert notes.heard[1:-1] == [(3, 4), (8, 8), (10, 12)]


def test_under_accumulation_a_guest_counts_updates():
    notes = Notes([2, 3])
    optimizer = keras.optimizers.SGD(0.1, gradient_accumulation_steps=3)
    fit(watched(optimizer, 20), [keras_lr.Warmup(2), notes], epochs=1)
    assert notes.heard[1:3] == [(2, 2), (3, 3)]
    assert [rows.first for rows in notes.rows] == [0, 6, 9]


def test_a_guest_counts_the_updates_of_the_run_where_a_fit_goes_on():
    notes = Notes([14])
    model = watched(keras.optimizers.SGD(0.1), 30)
    fit(model, [keras_lr.LinearDecay()], epochs=1)
    fit(model, [notes], initial_epoch=1, epochs=2)
    assert notes.heard[:2] == [("begin", 10), (14, 14)]


def test_schedules_are_laid_again_in_the_middle_of_an_epoch():
    schedule = keras_lr.Function(lambda step: schedule.level)
    schedule.level = 1.0
    notes = Notes([4])

    def look(made):
        notes.dues.pop()
        schedule.level = 0.5
        notes.fit.lay_again()

    notes.look = look
    history = fit(watched(keras.optimizers.SGD(0.1), 20), [schedule, notes], epochs=2)
    rates = notes.seen("learning_rate_0")
    np.testing.assert_allclose(rates, [0.1] * 4 + [0.05] * 16, rtol=1e-6)
    assert history.history["learning_rate"] == pytest.approx([0.05, 0.05])


def test_a_guest_without_a_schedule_leaves_the_rate_out_of_logs():
    history = fit(watched(keras.optimizers.SGD(0.1), 10), [Notes()])
    assert list(history.history) == ["loss"]


def test_guests_hear_of_a_loop_of_ones_own():
    notes = Notes([2])
    model = watched(keras.optimizers.SGD(0.1), 10)
    callbacks = keras.callbacks.CallbackList([notes], model=model, epochs=1, steps=3)
    x, y = data(1)
    callbacks.on_train_begin()
    callbacks.on_epoch_begin(0)
    for batch in range(3):
        callbacks.on_train_batch_begin(batch)
        logs = model.train_on_batch(x, y, return_dict=True)
        callbacks.on_train_batch_end(batch, logs)
    callbacks.on_epoch_end(0, logs)
    callbacks.on_train_end()
    assert [name for name, _ in notes.heard] == ["begin", 2, "epoch 0"]
    assert np.isfinite(notes.seen("loss")).all()


def test_a_callback_cannot_be_in_a_list_twice():
    notes = Notes()
    with pytest.raises(ValueError, match="can be in a fit once"):
        fit(watched(keras.optimizers.SGD(0.1), 10), [notes, notes])
