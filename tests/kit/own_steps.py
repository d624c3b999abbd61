"""Models trained by steps of a user's own, in the shapes of Keras' examples."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops


def data(count: int = 320) -> tuple[Any, Any]:
    x = np.random.default_rng(0).normal(size=(count, 6)).astype("float32")
    return x, 2 * x[:, :1]


class Own(keras.Model):  # type: ignore[misc]
    """A step that has a tracker of its own for the loss, and perhaps an optimizer.

    Args:
        uses: The attribute of the optimizer that the step uses.
        tracker: The name of the loss tracker.
    """

    def __init__(self, uses: str = "optimizer", tracker: str = "loss") -> None:
        super().__init__()
        self.net = keras.layers.Dense(1)
        self.net.build((None, 6))
        self.built = True
        self.tracker = keras.metrics.Mean(name=tracker)
        self.uses = uses

    @property
    def metrics(self) -> list[Any]:
        return [self.tracker]

    def loss_of(self, x: Any, y: Any) -> Any:
        return ops.mean((self.net(x) - y) ** 2)

    def train_step(self, *given: Any) -> Any:
        return STEPS[keras.backend.backend()](self, *given)


def _on_tensorflow(model: Any, data: Any) -> Any:
    import tensorflow as tf

    with tf.GradientTape() as tape:
        loss = model.loss_of(*data)
    weights = model.trainable_variables
    getattr(model, model.uses).apply(tape.gradient(loss, weights), weights)
    model.tracker.update_state(loss)
    return {"loss": model.tracker.result()}


def _on_torch(model: Any, data: Any) -> Any:
    import torch

    model.zero_grad()
    loss = model.loss_of(*data)
    loss.backward()
    weights = list(model.trainable_variables)
    gradients = [weight.value.grad for weight in weights]
    with torch.no_grad():
        getattr(model, model.uses).apply(gradients, weights)
    model.tracker.update_state(loss)
    return {"loss": model.tracker.result()}


def _on_jax(model: Any, state: Any, data: Any) -> Any:
    import jax

    trainable, others, slots, metrics = state

    def loss_of(values: Any) -> Any:
        mapping = list(zip(model.trainable_variables, values, strict=True))
        with keras.StatelessScope(state_mapping=mapping):
            return model.loss_of(*data)

    loss, gradients = jax.value_and_grad(loss_of)(trainable)
    trainable, slots = model.optimizer.stateless_apply(slots, gradients, trainable)
    metrics = model.tracker.stateless_update_state(metrics, loss)
    logs = {"loss": model.tracker.stateless_result(metrics)}
    return logs, (trainable, others, slots, metrics)


STEPS = {"tensorflow": _on_tensorflow, "torch": _on_torch, "jax": _on_jax}
