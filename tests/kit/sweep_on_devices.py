"""Sweep and search on several devices of this machine, against a plain model's losses.

XLA must be told of the devices before Keras starts, so this is a process of its own.
"""

from __future__ import annotations

from contextlib import nullcontext

import keras
import numpy as np

import keras_lr
from tests.kit.sweeps import (
    assert_same,
    data,
    everything,
    finder_of,
    model_of,
    plain_losses,
)


def scope():
    if keras.backend.backend() == "jax":
        devices = keras.distribution.list_devices()
        assert len(devices) == 4, devices
        parallel = keras.distribution.DataParallel(devices=devices)
        keras.distribution.set_distribution(parallel)
        return nullcontext()
    import tensorflow as tf

    cpu = tf.config.list_physical_devices("CPU")[0]
    two = [tf.config.LogicalDeviceConfiguration()] * 2
    tf.config.set_logical_device_configuration(cpu, two)
    return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope()


def main():
    x, y = data()
    finder, devices = finder_of(), scope()
    plain = model_of("sgd", jit_compile=False)
    expected = plain_losses(plain, finder.values(), x, y)
    with devices:
        model = model_of("sgd", jit_compile=False)
        model.optimizer.build(model.trainable_variables)
    model.evaluate(x, y, batch_size=4, verbose=0)
    state = everything(model)
    model.fit(x, y, batch_size=4, shuffle=False, verbose=0, callbacks=[finder])
    assert_same(everything(model), state)
    seen = finder.result.losses
    assert len(seen) == 40, len(seen)
    error = np.abs(seen / expected[: len(seen)] - 1).max()
    print(f"largest relative error of a loss {error:.1e}")
    assert error < 1e-4
    options = {"batch_size": 8, "budget": 240, "verbose": 0}
    found = keras_lr.find_lr(model, x, y, **options)
    assert found.verdict == "trust", found
    assert_same(everything(model), state)
    print("exact")


if __name__ == "__main__":
    main()
