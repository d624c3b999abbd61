"""A one-cycle in a training loop of one's own, momentum included, on any backend.

Where there is no ``fit`` there is no callback: the optimizer is given the rate as a
schedule, and the momentum of each update is set before it. The end of the loop is
compared with a ``fit`` that has the same schedule as a callback.
"""

from __future__ import annotations

import os

# Nets this small are faster on one thread.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from sklearn.datasets import load_digits

import keras_lr

EPOCHS = 8
BATCH = 50
SCHEDULE = keras_lr.combine(
    keras_lr.Warmup("0.5 epochs"), keras_lr.OneCycle(max_lr=0.05)
)


def network() -> Any:
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Dense(32, activation="relu"), keras.layers.Dense(10)]
    return keras.Sequential([keras.Input((64,)), *layers])


def cross_entropy(y: Any, logits: Any) -> Any:
    losses = keras.losses.sparse_categorical_crossentropy(y, logits, from_logits=True)
    return keras.ops.mean(losses)


def gradients_of(model: Any) -> Callable[[Any, Any], Any]:
    """How the backend at hand computes the gradients of a batch."""
    backend = keras.backend.backend()
    if backend == "jax":
        return gradients_on_jax(model)
    return gradients_on_torch(model) if backend == "torch" else gradients_on_tf(model)


def gradients_on_tf(model: Any) -> Callable[[Any, Any], Any]:
    import tensorflow as tf

    @tf.function
    def gradients(x: Any, y: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = cross_entropy(y, model(x, training=True))
        return tape.gradient(loss, model.trainable_variables)

    return gradients


def gradients_on_jax(model: Any) -> Callable[[Any, Any], Any]:
    import jax

    @jax.jit
    @jax.grad
    def gradients(weights: Any, x: Any, y: Any) -> Any:
        logits, _ = model.stateless_call(weights, [], x, training=True)
        return cross_entropy(y, logits)

    return lambda x, y: gradients([w.value for w in model.trainable_variables], x, y)


def gradients_on_torch(model: Any) -> Callable[[Any, Any], Any]:
    def gradients(x: Any, y: Any) -> Any:
        model.zero_grad()
        cross_entropy(y, model(x, training=True)).backward()
        return [weight.value.grad for weight in model.trainable_variables]

    return gradients


def train_in_a_loop(model: Any, x: Any, y: Any) -> None:
    each = len(x) // BATCH
    steps = EPOCHS * each
    rate = SCHEDULE.as_keras_schedule(steps, steps_per_epoch=each)
    momenta = SCHEDULE.momentum_values(steps, steps_per_epoch=each)
    optimizer = keras.optimizers.SGD(rate, momentum=0.9)
    optimizer.build(model.trainable_variables)
    gradients = gradients_of(model)
    for update in range(steps):
        batch = slice(update % each * BATCH, (update % each + 1) * BATCH)
        found = gradients(x[batch], y[batch])
        # A plain number, read at each update as long as `apply` is not compiled: in a
        # compiled step the first value would stay.
        optimizer.momentum = float(momenta[update])
        optimizer.apply(found, model.trainable_variables)


def train_with_fit(model: Any, x: Any, y: Any) -> None:
    model.compile(keras.optimizers.SGD(momentum=0.9), cross_entropy)
    model.fit(
        x,
        y,
        batch_size=BATCH,
        epochs=EPOCHS,
        shuffle=False,
        verbose=0,
        # In a fit the schedules stand side by side.
        callbacks=[*SCHEDULE.schedules],
    )


def main() -> None:
    x, y = load_digits(return_X_y=True)
    x = (x / 16).astype("float32")
    looped = network()
    fitted = network()
    train_in_a_loop(looped, x[:1400], y[:1400])
    train_with_fit(fitted, x[:1400], y[:1400])
    for name, model in {"own loop": looped, "fit": fitted}.items():
        answers = model.predict(x[1400:], verbose=0).argmax(axis=-1)
        accuracy = np.mean(answers == y[1400:])
        print(f"{name:10} accuracy on images never seen: {accuracy:.1%}")
    pairs = zip(looped.get_weights(), fitted.get_weights(), strict=True)
    difference = max(abs(one - other).max() for one, other in pairs)
    print(f"largest difference of their weights: {difference:.1e}")


if __name__ == "__main__":
    main()
