"""Train on several devices of this machine, and compare with the values.

XLA must be told of the devices before Keras starts, so this is a process of its own.
"""

from __future__ import annotations

import keras
import numpy as np

import keras_lr
from tests.kit.probe import assert_rates, fit, recorded, watched

SCHEDULE = keras_lr.OneCycle(max_lr=0.01)


def assert_noise(model, batches, **options):
    """That of the gradients of single rows, 2 (p - t) x, by hand."""
    noise = keras_lr.GradientNoiseScale(every=1)
    model.fit(batches, callbacks=[noise], verbose=0, **options)
    found = noise.result
    x, y = (np.concatenate(one) for one in zip(*batches, strict=True))
    gradients = 2 * (x @ model.get_weights()[0] - y) * x
    square = np.sum(gradients.mean(axis=0) ** 2)
    trace = np.sum(gradients.var(axis=0))
    assert found.batch_size == 64
    np.testing.assert_allclose(found.covariances.mean(), trace, rtol=0.25)
    np.testing.assert_allclose(found.squares.mean(), square, rtol=0.25)


def single_layer():
    layer = keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")
    model = keras.Sequential([keras.Input((4,)), layer])
    model.compile(keras.optimizers.SGD(0.0), "mse", jit_compile=False)
    return model


def rows():
    x = np.random.default_rng(0).normal(size=(40, 64, 4)).astype("float32")
    return list(zip(x, 0.1 * x[:, :, :1], strict=True))


def jax_data_parallel():
    devices = keras.distribution.list_devices()
    assert len(devices) == 4, devices
    keras.distribution.set_distribution(
        keras.distribution.DataParallel(devices=devices)
    )
    model = watched(keras.optimizers.Adam(0.1), 10)
    fit(model, [SCHEDULE], batches=20, batch_size=4)
    assert_rates(recorded(model), SCHEDULE.values(10))
    assert_noise(single_layer(), Batches(rows()), shuffle=False)


class Batches(keras.utils.PyDataset):
    """Batches of a list."""

    def __init__(self, batches):
        super().__init__()
        self.batches = batches

    def __len__(self):
        return len(self.batches)

    def __getitem__(self, index):
        return self.batches[index]


class Rates(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.seen = []

    def on_train_batch_begin(self, batch, logs=None):
        self.seen.append(float(self.model.optimizer.learning_rate))


def tensorflow_mirrored():
    import tensorflow as tf

    cpu = tf.config.list_physical_devices("CPU")[0]
    two = [tf.config.LogicalDeviceConfiguration()] * 2
    tf.config.set_logical_device_configuration(cpu, two)
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    with strategy.scope():
        layer = keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")
        model = keras.Sequential([keras.Input((1,)), layer])
        model.compile(keras.optimizers.SGD(0.1), "mse", jit_compile=False)
        noisy = single_layer()
    rates = Rates()
    ones = (tf.ones((40, 1)), tf.ones((40, 1)))
    batches = tf.data.Dataset.from_tensor_slices(ones).batch(4)
    model.fit(batches, callbacks=[SCHEDULE, rates], shuffle=False, verbose=0)
    assert_rates(rates.seen, SCHEDULE.values(10))
    # Gradient of (w - 1)^2 is 2 (w - 1): each update shrinks the error by 1 - 2 rate.
    error = 1.0
    for rate in SCHEDULE.values(10):
        error *= 1 - 2 * rate
    assert_rates(1 - model.get_weights()[0][0, 0], error)
    x, y = (np.concatenate(one) for one in zip(*rows(), strict=True))
    batches = tf.data.Dataset.from_tensor_slices((x, y)).batch(64)
    assert_noise(noisy, batches, shuffle=False)
    beside = history_beside_branches(strategy, 3, 8)
    assert beside == history_beside_branches(strategy)


def history_beside_branches(strategy, *at):
    """The history of a mirrored fit in which each device has statistics of its own."""
    import tensorflow as tf

    keras.utils.set_random_seed(0)
    layers = [keras.layers.BatchNormalization(), keras.layers.Dense(1)]
    with strategy.scope():
        model = keras.Sequential([keras.Input((1,)), *layers])
        model.compile("sgd", "mse", jit_compile=False)
    rows = tf.reshape(tf.range(40.0), (40, 1)) / 40
    batches = tf.data.Dataset.from_tensor_slices((rows, rows)).batch(4)
    callbacks = [keras_lr.Warmup(4)]
    if at:
        callbacks.append(keras_lr.Cooldown(list(at), duration=2, save=None, verbose=0))
    options = {"validation_data": batches, "shuffle": False, "verbose": 0}
    return model.fit(batches, callbacks=callbacks, **options).history


if __name__ == "__main__":
    if keras.backend.backend() == "jax":
        jax_data_parallel()
    else:
        tensorflow_mirrored()
    print("exact")
