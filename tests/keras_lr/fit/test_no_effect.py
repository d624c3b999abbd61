"""Schedules that would have no effect: followed, refused, or said."""

from __future__ import annotations

import gc

import keras
import numpy as np
import pytest

import keras_lr
from tests.kit.probe import assert_rates, data, fit, recorded, watch, watched

pytestmark = pytest.mark.backend

BACKEND = keras.backend.backend()
optimizers = keras.optimizers


class AtEnd(keras.callbacks.Callback):
    """Does something with the model at the end of the first epoch."""

    def __init__(self, do):
        super().__init__()
        self.do = do

    def on_epoch_end(self, epoch, logs=None):
        if epoch == 0:
            self.do(self.model)


def other_optimizer(model, rate):
    other = optimizers.SGD(rate)
    watch(other, model.trainable_variables, 40)
    return other


def replaced(model):
    model.optimizer = other_optimizer(model, 0.2)


def compiled(model):
    model.compile(other_optimizer(model, 0.2), "mse")


def compiled_and_made(model):
    compiled(model)
    model.make_train_function(force=True)


@pytest.mark.parametrize("change", [replaced, compiled, compiled_and_made])
@pytest.mark.parametrize("peak", [None, 0.5])
def test_another_optimizer_is_followed_from_the_next_epoch_on(change, peak):
    model = watched(optimizers.SGD(0.5), 30)
    first = model.optimizer
    decay = keras_lr.LinearDecay(max_lr=peak)
    history = fit(model, [decay, AtEnd(change)], epochs=3)
    values = decay.values(30, 0.5)
    assert_rates(recorded(first)[:10], values[:10])
    expected = decay.values(30, 0.2)[10:]
    assert_rates(recorded(model)[:20], expected)
    logged = [values[9], *expected[9::10]]
    assert_rates(history.history["learning_rate"], logged)
    assert float(model.optimizer.get_config()["learning_rate"]) == np.float32(0.2)
    # A later fit is the new optimizer's alone.
    fit(model, [decay], epochs=1)
    assert_rates(recorded(model)[20:30], decay.values(10, 0.2))


def compiled_with_its_own(model):
    model.compile(model.optimizer, "mae")


def test_a_model_compiled_with_the_same_optimizer_is_followed():
    model = watched(optimizers.SGD(0.05), 40)
    decay = keras_lr.LinearDecay()
    fit(model, [decay, AtEnd(compiled_with_its_own)], epochs=3)
    assert_rates(recorded(model)[:30], decay.values(30, 0.05))


def frozen_and_compiled(model):
    model.layers[0].trainable = False
    model.compile(optimizers.Adam(0.02), "mae", metrics=["mse"])


def test_a_model_compiled_with_other_losses_and_metrics_is_followed():
    model = watched(optimizers.SGD(0.05), 10)
    frozen = model.layers[0].kernel
    decay = keras_lr.LinearDecay()
    history = fit(model, [decay, AtEnd(frozen_and_compiled)], epochs=3).history
    values = [decay.values(30, 0.05)[9], *decay.values(30, 0.02)[[19, 29]]]
    assert_rates(history["learning_rate"], values)
    assert len(history["mse"]) == 2
    at_end = np.array(keras.ops.convert_to_numpy(frozen))
    fit(model, [decay])
    np.testing.assert_array_equal(at_end, keras.ops.convert_to_numpy(frozen))


def test_a_model_compiled_in_the_middle_of_an_epoch_has_no_rate_in_its_logs():
    if BACKEND == "jax":
        pytest.skip("plain Keras fails there")

    class Compiles(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 4 and self.params["epoch"] == 0:
                compiled_and_made(self.model)

        def on_epoch_begin(self, epoch, logs=None):
            self.params["epoch"] = epoch

    model = watched(optimizers.SGD(0.5), 30)
    decay = keras_lr.LinearDecay()
    rows = []
    keep = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: rows.append(logs.get("learning_rate"))
    )
    fit(model, [decay, Compiles(), keep], epochs=2)
    assert rows[0] is None
    assert_rates(recorded(model)[5:15], decay.values(20, 0.2)[10:])
    assert_rates(recorded(model)[:5], 0.2)


class Own(keras.Model):
    """Trains with an optimizer of its own."""

    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(2)

    def call(self, x):
        return self.dense(x)

    def compile(self, mine, **options):
        super().compile(loss="mse", **options)
        self.mine = mine

    def train_step(self, *args):
        if BACKEND == "jax":
            (trainable, other, slots, metrics), (x, y) = args

            def loss_of(weights):
                out, _ = self.stateless_call(weights, other, x)
                return keras.ops.mean((out - y) ** 2)

            import jax

            loss, grads = jax.value_and_grad(loss_of)(trainable)
            trainable = [w - 0.1 * g for w, g in zip(trainable, grads, strict=True)]
            return {"loss": loss}, (trainable, other, slots, metrics)
        (x, y) = args[0]
        if BACKEND == "tensorflow":
            import tensorflow as tf

            with tf.GradientTape() as tape:
                loss = keras.ops.mean((self(x) - y) ** 2)
            grads = tape.gradient(loss, self.trainable_variables)
        else:
            loss = keras.ops.mean((self(x) - y) ** 2)
            self.zero_grad()
            loss.backward()
            grads = [v.value.grad for v in self.trainable_weights]
        self.mine.apply(grads, self.trainable_variables)
        return {"loss": loss}


def own_model(rate=0.1):
    keras.utils.set_random_seed(0)
    model = Own()
    model(data(1)[0])
    model.compile(optimizers.SGD(rate))
    watch(model.mine, model.trainable_variables, 40)
    return model


def test_a_schedule_of_an_unused_optimizer_says_so_once_and_logs_nothing():
    model = own_model()
    schedule = keras_lr.WarmupCosine(max_lr=0.05, warmup=4)
    with pytest.warns(UserWarning, match=r"WarmupCosine.*optimizer=.*'mine'") as seen:
        history = fit(model, [schedule], epochs=3)
    assert len([one for one in seen if "no effect" in str(one.message)]) == 1
    assert "learning_rate" not in history.history
    if BACKEND != "jax":
        assert_rates(recorded(model.mine)[:30], 0.1)


def test_each_of_several_schedules_without_effect_is_named():
    with pytest.warns(UserWarning, match="no effect") as seen:
        fit(own_model(), [keras_lr.Warmup(4), keras_lr.LinearDecay()])
    said = " ".join(str(one.message) for one in seen)
    assert "Warmup" in said
    assert "LinearDecay" in said


def loop_by_hand(model, callbacks, batches, epochs=1):
    x, y = data(batches)
    loop = keras.callbacks.CallbackList(
        callbacks, model=model, epochs=epochs, steps=batches
    )
    loop.on_train_begin()
    for epoch in range(epochs):
        loop.on_epoch_begin(epoch)
        for i in range(batches):
            loop.on_train_batch_begin(i)
            rows = slice(2 * i, 2 * i + 2)
            logs = model.train_on_batch(x[rows], y[rows], return_dict=True)
            loop.on_train_batch_end(i, logs)
        loop.on_epoch_end(epoch, logs)
    loop.on_train_end()


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_train_on_batch_in_a_list_of_callbacks_is_scheduled(optimizer):
    model = watched(optimizers.get({"class_name": optimizer, "config": {}}), 40)
    model.optimizer.learning_rate = 0.5
    schedule = keras_lr.Warmup(8)
    history = keras.callbacks.History()
    loop_by_hand(model, [schedule, history], 10, epochs=2)
    assert_rates(recorded(model)[:20], 0.5 * schedule.values(20))
    logged = history.history["learning_rate"]
    assert_rates(logged, 0.5 * schedule.values(20)[9::10])
    # After its end the optimizer is itself, in a loop and in a fit.
    model.train_on_batch(*data(1))
    fit(model, [])
    assert_rates(recorded(model)[20:31], 0.5)


def begun(model, callbacks):
    """A loop by hand in its first epoch."""
    loop = keras.callbacks.CallbackList(callbacks, model=model, epochs=1, steps=10)
    loop.on_train_begin()
    loop.on_epoch_begin(0)
    return loop


def test_a_loop_that_was_left_is_ended_by_the_next_fit():
    model = watched(optimizers.SGD(0.5), 30)
    schedule = keras_lr.Warmup(8)
    left = begun(model, [schedule])
    model.train_on_batch(*data(1))
    fit(model, [])
    assert left.callbacks[0] is schedule
    assert_rates(recorded(model)[0], 0.5 / 8)
    assert_rates(recorded(model)[1:11], 0.5)
    fit(model, [keras_lr.LinearDecay()])
    assert_rates(recorded(model)[11:21], keras_lr.LinearDecay().values(10, 0.5))


def test_a_loop_that_was_left_gives_way_to_another_with_the_same_schedule():
    model = watched(optimizers.SGD(0.5), 30)
    schedule = keras_lr.Warmup(8)
    left = begun(model, [schedule])
    model.train_on_batch(*data(1))
    loop_by_hand(model, [schedule], 10)
    assert_rates(recorded(model)[1:11], schedule.values(10, 0.5))
    assert left.callbacks[0] is schedule


def test_a_loop_that_has_no_end_and_dies_gives_the_optimizer_back():
    model = watched(optimizers.SGD(0.5), 30)
    loop = begun(model, [keras_lr.Warmup(8)])
    model.train_on_batch(*data(1))
    del loop
    gc.collect()
    model.train_on_batch(*data(1))
    assert_rates(recorded(model)[:2], [0.5 / 8, 0.5])


def test_a_step_of_ones_own_in_a_list_of_callbacks_is_told_to_have_no_schedule():
    model = watched(optimizers.SGD(0.5), 30)
    loop = begun(model, [keras_lr.Warmup(8)])
    variables = model.trainable_variables
    zeros = [keras.ops.zeros(v.shape) for v in variables]
    model.optimizer.apply(zeros, variables)
    with pytest.warns(UserWarning, match="as_keras_schedule"):
        loop.on_epoch_end(0, {})
    loop.on_train_end()
    assert_rates(recorded(model)[0], 0.5)


class Looped(keras.Sequential):
    """Has a fit of its own, as loops that were written for train_on_batch do."""

    def fit(self, x, y, epochs, callbacks):
        callbacks = keras.callbacks.CallbackList(
            callbacks, add_history=True, model=self, epochs=epochs, steps=len(x) // 2
        )
        callbacks.on_train_begin()
        for epoch in range(epochs):
            callbacks.on_epoch_begin(epoch)
            for i in range(len(x) // 2):
                callbacks.on_train_batch_begin(i)
                rows = slice(2 * i, 2 * i + 2)
                logs = self.train_on_batch(x[rows], y[rows], return_dict=True)
                callbacks.on_train_batch_end(i, logs)
            callbacks.on_epoch_end(epoch, logs)
        callbacks.on_train_end()
        return self.history


def test_a_fit_of_ones_own_around_train_on_batch_is_scheduled():
    class Foreign(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 4:
                self.model.train_on_batch(*data(1))

    keras.utils.set_random_seed(0)
    model = Looped([keras.Input((4,)), keras.layers.Dense(2)])
    model.compile(optimizers.SGD(0.5), "mse")
    watch(model.optimizer, model.trainable_variables, 60)
    warmup = keras_lr.Warmup("2 epochs")
    x, y = data(10)
    model.fit(x, y, 2, [warmup])
    values = warmup.values(20, 0.5, steps_per_epoch=10)
    assert_rates(recorded(model)[:20], values)
    # A batch that a callback trains on is none of the loop's.
    model.fit(x, y, 2, [warmup, Foreign()])
    assert_rates(recorded(model)[25], 0.5)
    assert_rates(recorded(model)[20:25], values[:5])
    # Interrupted, it gives the optimizer back.
    stop = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        model.fit(x, y, 2, [warmup, stop])
    gc.collect()
    assert type(model.optimizer).__name__ == "SGD"
    assert model.optimizer.get_config()["learning_rate"] == 0.5
