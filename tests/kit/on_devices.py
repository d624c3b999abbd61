"""Train and search on several devices of this machine, however they share the work.

XLA must be told of the devices before Keras starts, so this is a process of its own.

Usage: python -m tests.kit.on_devices data|model|mirrored
"""

from __future__ import annotations

import sys
import tempfile
from contextlib import nullcontext

import keras
import numpy as np

import keras_lr
from tests.kit.sweeps import assert_same, everything

UPDATES = 5
EPOCHS = 4
SCHEDULE = keras_lr.OneCycle(max_lr=0.05)


def scope_of(kind):
    """Gives a context in which models are made."""
    if kind == "mirrored":
        import tensorflow as tf

        cpu = tf.config.list_physical_devices("CPU")[0]
        two = [tf.config.LogicalDeviceConfiguration()] * 2
        tf.config.set_logical_device_configuration(cpu, two)
        return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope
    devices = keras.distribution.list_devices()
    assert len(devices) == 4, devices
    if kind == "data":
        shared = keras.distribution.DataParallel(devices=devices)
    else:
        mesh = keras.distribution.DeviceMesh((2, 2), ["batch", "model"], devices)
        layout = keras.distribution.LayoutMap(mesh)
        layout[".*kernel"] = (None, "model")
        shared = keras.distribution.ModelParallel(
            layout_map=layout, batch_dim_name="batch"
        )
    keras.distribution.set_distribution(shared)
    return nullcontext


class Errors(keras.callbacks.Callback):
    """How far the model is off after each update: each shrinks it by 1 - 2 rate."""

    def __init__(self):
        super().__init__()
        self.seen = [1.0]

    def on_train_batch_end(self, batch, logs=None):
        (kernel,) = self.model.get_weights()
        self.seen.append(1 - float(kernel.sum(axis=0).mean()))

    def rates(self):
        seen = np.array(self.seen)
        return (1 - seen[1:] / seen[:-1]) / 2


class Interrupted(Exception):
    pass


class Stop(keras.callbacks.Callback):
    """Interrupts the run in its third epoch."""

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if self.epoch == 2 and batch == 3:
            raise Interrupted


def model_of(optimizer, initial):
    keras.utils.set_random_seed(0)
    layer = keras.layers.Dense(4, use_bias=False, kernel_initializer=initial)
    model = keras.Sequential([keras.Input((4,)), layer])
    model.compile(optimizer, "mse", jit_compile=False)
    return model


def trained(backups, *callbacks):
    model = model_of(keras.optimizers.SGD(0.1), "zeros")
    ones = np.ones((UPDATES * 8, 4), "float32")
    backup = keras.callbacks.BackupAndRestore(backups)
    options = {"batch_size": 8, "epochs": EPOCHS, "verbose": 0}
    model.fit(ones, ones, callbacks=[SCHEDULE, backup, *callbacks], **options)
    return model.get_weights()


def assert_rates_and_resume(scope):
    errors = Errors()
    again = Errors()
    with tempfile.TemporaryDirectory() as folder, scope():
        whole = trained(folder + "/whole", errors)
        try:
            trained(folder + "/parts", Stop())
        except Interrupted:
            parts = trained(folder + "/parts", again)
    wanted = SCHEDULE.values(EPOCHS * UPDATES)
    np.testing.assert_allclose(errors.rates(), wanted, atol=2e-6)
    assert len(again.seen) == 1 + 2 * UPDATES
    np.testing.assert_array_equal(parts, whole)


def assert_searches(scope, rows, **options):
    """A search of rows that devices cannot share evenly."""
    generator = np.random.default_rng(0)
    x = generator.normal(size=(rows, 4)).astype("float32")
    with scope():
        model = model_of("adam", "glorot_uniform")
        model.optimizer.build(model.trainable_variables)
    model.evaluate(x[:8], x[:8], verbose=0)
    state = everything(model)
    found = keras_lr.find_lr(model, x, 2 * x, budget=240, verbose=0, **options)
    assert found.verdict == "trust", found
    assert_same(everything(model), state)


def main():
    scope = scope_of(sys.argv[1])
    assert_rates_and_resume(scope)
    # Held out are 80 rows, in batches of 80 // 16 = 5 that two devices cannot share.
    assert_searches(scope, 400)
    assert_searches(scope, 131, batch_size=11)
    print("exact")


if __name__ == "__main__":
    main()
