"""Optimizers that record the rate of every single update, where the update reads it."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops


def watch(optimizer: Any, variables: Any, updates: int) -> None:
    """Have the updates of an optimizer write their rates into a variable of its own."""
    if not optimizer.built:
        optimizer.build(variables)
    optimizer.log = optimizer.add_variable((updates,), dtype="float32", name="log")
    update, start = optimizer._backend_update_step, counted(optimizer)

    def recording(grads: Any, variables: Any, learning_rate: Any) -> Any:
        index = ops.cast(optimizer.iterations - start, "int32")
        here = ops.equal(np.arange(updates, dtype="int32"), index)
        rate = ops.cast(learning_rate, "float32")
        optimizer.log.assign(ops.where(here, rate, optimizer.log.value))
        return update(grads, variables, learning_rate)

    optimizer._backend_update_step = recording


def counted(optimizer: Any) -> int:
    every = optimizer.gradient_accumulation_steps or 1
    return int(ops.convert_to_numpy(optimizer._iterations.value)) // every


def watched(optimizer: Any, updates: int, **compile: Any) -> Any:
    """A small compiled model whose optimizer records its rates."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(3), keras.layers.Dense(2)]
    )
    model.compile(optimizer, loss="mse", **compile)
    inner = getattr(model.optimizer, "inner_optimizer", model.optimizer)
    watch(inner, model.trainable_variables, updates)
    if inner is not model.optimizer:
        model.optimizer.build(model.trainable_variables)
    return model


def recorded(optimizer: Any) -> np.ndarray:
    optimizer = getattr(optimizer, "optimizer", optimizer)
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)
    return np.asarray(ops.convert_to_numpy(optimizer.log.value))


def data(batches: int, batch_size: int = 2) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    rows = batches * batch_size
    x = generator.normal(size=(rows, 4)).astype("float32")
    return x, generator.normal(size=(rows, 2)).astype("float32")


def fit(
    model: Any, callbacks: Any, *, batches: int = 10, epochs: int = 1, **options: Any
) -> Any:
    x, y = data(batches)
    options = {"batch_size": 2, "shuffle": False, "verbose": 0, **options}
    return model.fit(x, y, epochs=epochs, callbacks=callbacks, **options)


def assert_rates(rates: Any, values: Any) -> None:
    np.testing.assert_allclose(rates, values, rtol=1e-6, atol=0)
