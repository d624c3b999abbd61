"""A generative adversarial net of the shape of Keras' examples, on the three backends.

Its two optimizers are attributes of the model; the one it is compiled with is unused.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from tests.kit.probe import watch

BACKEND = keras.backend.backend()
binary_crossentropy = keras.losses.BinaryCrossentropy(from_logits=True)


class GAN(keras.Model):
    """Trains a discriminator some times a batch, and a generator once.

    Args:
        d_steps: Updates of the discriminator a batch.
        carries: Whether the step carries the state of both optimizers, which JAX needs.
    """

    def __init__(self, d_steps: int = 1, carries: bool = True) -> None:
        super().__init__()
        self.d_steps = d_steps
        self.carries = carries
        keras.utils.set_random_seed(0)
        self.d = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
        self.g = keras.Sequential([keras.Input((2,)), keras.layers.Dense(4)])

    def compile(self, d_optimizer: Any, g_optimizer: Any, **options: Any) -> None:
        super().compile(**options)
        self.d_optimizer = d_optimizer
        self.g_optimizer = g_optimizer
        for net, optimizer in ((self.d, d_optimizer), (self.g, g_optimizer)):
            inner = getattr(optimizer, "inner_optimizer", optimizer)
            watch(inner, net.trainable_variables, 99)
            if inner is not optimizer:
                optimizer.build(net.trainable_variables)
        if self.carries:
            # What a layer keeps in a list is part of its state.
            self.d_state = list(d_optimizer.variables)
            self.g_state = list(g_optimizer.variables)

    def call(self, x: Any) -> Any:
        return self.d(x)

    def train_step(self, *args: Any) -> Any:
        if BACKEND == "jax":
            return self._step_of_jax(*args)
        (real,) = args
        noise = ops.ones((ops.shape(real)[0], 2), "float32")
        for _ in range(self.d_steps):
            d_loss = self._update(
                self.d, self.d_optimizer, lambda: self._d_loss(real, noise)
            )
        g_loss = self._update(self.g, self.g_optimizer, lambda: self._g_loss(noise))
        return {"d_loss": d_loss, "g_loss": g_loss}

    def _d_loss(self, real: Any, noise: Any) -> Any:
        of_real = self.d(real)
        of_false = self.d(self.g(noise))
        said = ops.concatenate([of_real, of_false])
        true = ops.concatenate([ops.ones_like(of_real), ops.zeros_like(of_false)])
        return binary_crossentropy(true, said)

    def _g_loss(self, noise: Any) -> Any:
        said = self.d(self.g(noise))
        return binary_crossentropy(ops.ones_like(said), said)

    def _update(self, net: Any, optimizer: Any, loss_of: Any) -> Any:
        if BACKEND == "tensorflow":
            import tensorflow as tf

            with tf.GradientTape() as tape:
                loss = loss_of()
            gradients = tape.gradient(loss, net.trainable_variables)
        else:
            loss = loss_of()
            self.zero_grad()
            loss.backward()
            gradients = [v.value.grad for v in net.trainable_variables]
        optimizer.apply(gradients, net.trainable_variables)
        return loss

    def _step_of_jax(self, state: Any, real: Any) -> Any:
        import jax

        trainable, other, slots, metrics = state
        weights = dict(zip(map(id, self.trainable_variables), trainable, strict=True))
        states = dict(zip(map(id, self.non_trainable_variables), other, strict=True))
        noise = ops.ones((ops.shape(real)[0], 2), "float32")

        def scoped(loss_of: Any, net: Any) -> Any:
            def loss(values: Any) -> Any:
                own = {
                    **weights,
                    **dict(zip(map(id, net.trainable_variables), values, strict=True)),
                }
                pairs = [(v, own[id(v)]) for v in self.trainable_variables]
                with keras.StatelessScope(state_mapping=pairs):
                    return loss_of()

            return loss

        losses = []
        turns = [(self.d, self.d_optimizer, lambda: self._d_loss(real, noise))]
        turns = turns * self.d_steps
        turns.append((self.g, self.g_optimizer, lambda: self._g_loss(noise)))
        for net, optimizer, loss_of in turns:
            values = [weights[id(v)] for v in net.trainable_variables]
            loss, gradients = jax.value_and_grad(scoped(loss_of, net))(values)
            losses.append(loss)
            own = [states[id(v)] for v in optimizer.variables]
            values, own = optimizer.stateless_apply(own, gradients, values)
            weights.update(zip(map(id, net.trainable_variables), values, strict=True))
            states.update(zip(map(id, optimizer.variables), own, strict=True))
        trainable = [weights[id(v)] for v in self.trainable_variables]
        other = [states[id(v)] for v in self.non_trainable_variables]
        logs = {"d_loss": losses[0], "g_loss": losses[-1]}
        return logs, (trainable, other, slots, metrics)


def images(batches: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(2 * batches, 4)).astype("float32")
