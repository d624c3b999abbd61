"""``on_cycle_end``: when it is called, and what it finds there."""

from __future__ import annotations

import keras
import numpy as np
import pytest

import keras_lr
from tests.kit.probe import fit, watched

pytestmark = pytest.mark.backend

optimizers = keras.optimizers


class Noted:
    """Notes the calls, the rate in force, and the weights."""

    def __init__(self):
        self.calls = []
        self.rates = []
        self.weights = []

    def __call__(self, model, cycle, update):
        self.calls.append((cycle, update))
        self.rates.append(float(model.optimizer.learning_rate))
        self.weights.append(flat(model))


class AfterEachBatch(keras.callbacks.Callback):
    """Notes the weights after each batch, which every batch then waits for."""

    def __init__(self):
        super().__init__()
        self.weights = []

    def on_train_batch_end(self, batch, logs=None):
        self.weights.append(flat(self.model))


def flat(model):
    return np.concatenate([weight.ravel() for weight in model.get_weights()])


def test_it_is_called_after_each_complete_cycle_with_the_weights_of_its_end(tmp_path):
    def save(model, cycle, update):
        noted(model, cycle, update)
        model.save(tmp_path / f"{cycle}.keras")

    noted = Noted()
    schedule = keras_lr.CosineRestarts(
        first_cycle=4, t_mul=1.5, min_lr=0.1, on_cycle_end=save
    )
    model = watched(optimizers.SGD(0.5), 20)
    # Cycles of 4, 6 and 9 updates; the fourth is cut off.
    fit(model, [schedule], epochs=2)
    assert noted.calls == [(0, 4), (1, 10), (2, 19)]
    np.testing.assert_allclose(noted.rates, 0.1, rtol=1e-6)
    saved = keras.saving.load_model(tmp_path / "1.keras", compile=False)
    np.testing.assert_array_equal(flat(saved), noted.weights[1])
    # After a resume, cycles that have ended before are not told again.
    fit(model, [schedule], initial_epoch=1, epochs=4)
    assert noted.calls[3:] == [(2, 19), (3, 33)]
    # What it does there changes nothing of the training.
    every = AfterEachBatch()
    schedule.on_cycle_end = None
    fit(watched(optimizers.SGD(0.5), 20), [schedule, every], epochs=2)
    for weights, update in zip(noted.weights, [4, 10, 19], strict=False):
        np.testing.assert_array_equal(weights, every.weights[update - 1])


def test_cycles_go_on_with_a_horizon_and_with_what_was_extended():
    noted = Noted()
    schedule = keras_lr.CyclicalLR(
        half_cycle=3, min_lr=0.1, horizon=40, on_cycle_end=noted
    )
    model = watched(optimizers.SGD(0.5), 40)
    for _ in range(2):
        fit(model, [schedule])
    # Update 0 is at the lower rate, and so is the last one of each cycle.
    assert noted.calls == [(0, 7), (1, 13), (2, 19)]
    np.testing.assert_allclose(noted.rates, 0.1, rtol=1e-6)
    fit(model, [schedule.extend(20, 45)])
    assert noted.calls[3:] == [(3, 25)]


def test_several_updates_of_a_step_or_several_steps_of_an_update_count_as_updates():
    noted = Noted()
    schedule = keras_lr.CosineRestarts(
        first_cycle=3, t_mul=1.0, min_lr=0.1, on_cycle_end=noted
    )
    fit(watched(optimizers.SGD(0.5, gradient_accumulation_steps=2), 20), [schedule])
    assert noted.calls == [(0, 3)]
    if keras.backend.backend() != "torch":
        noted.calls.clear()
        model = watched(optimizers.SGD(0.5), 20, steps_per_execution=5)
        fit(model, [schedule])
        # At the end of the execution in which, or with which, a cycle has ended.
        assert noted.calls == [(0, 5), (1, 10), (2, 10)]


def test_it_must_be_a_function():
    with pytest.raises(TypeError, match=r"`on_cycle_end` must be a function.*=3"):
        keras_lr.CyclicalLR(on_cycle_end=3)
