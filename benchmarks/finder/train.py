"""A fast trainer for the truth: whole trainings compiled into one loop, on JAX.

It does what ``model.fit`` does, with the same layers, losses and optimizers of Keras
through their stateless interface, at one given rate for each update.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import jax
import keras
import numpy as np

if TYPE_CHECKING:
    from benchmarks.finder.tasks import Task

#: Rates of the grid, three to a decade.
GRID = 10.0 ** np.linspace(-6, 2, 25)


class Trainer:
    """Trains one task at given rates, from given seeds."""

    def __init__(self, task: Task) -> None:
        if keras.backend.backend() != "jax":
            raise RuntimeError("The truth is computed on JAX: set KERAS_BACKEND=jax.")
        self.task = task
        self.data = [np.asarray(part) for part in task.data()]
        self.loss = task.loss()
        self.model: Any = task.model()
        self.optimizer: Any = task.optimizer()
        self.optimizer.build(self.model.trainable_variables)
        names = [id(one) for one in self.optimizer.variables]
        self._rate = names.index(id(self.optimizer._learning_rate))
        self._fresh = [np.array(one.value) for one in self.optimizer.variables]
        self._train = jax.jit(self._scan)
        self._value = jax.jit(self._evaluate)
        self._state: Any = None
        self._begun: dict[int, tuple[Any, Any]] = {}

    def begin(self, seed: int) -> tuple[Any, Any, Any]:
        """Weights of a seed, everything else fresh."""
        if seed not in self._begun:
            # Many short trainings begin from one seed, and building a model of Keras
            # takes longer than some of them.
            keras.utils.set_random_seed(seed)
            fresh = self.task.model()
            self._begun[seed] = (
                [np.array(one.value) for one in fresh.trainable_variables],
                [np.array(one.value) for one in fresh.non_trainable_variables],
            )
        weights, others = self._begun[seed]
        return weights, others, list(self._fresh)

    def batches(self, seed: int, updates: int, rows: int | None = None) -> Any:
        """Rows of each batch: a new order for each epoch, whole batches only."""
        rng, size = np.random.default_rng(seed), self.task.batch_size
        rows = len(self.data[0]) if rows is None else rows
        epochs = -(-updates // (rows // size))
        order = [rng.permutation(rows)[: rows // size * size] for _ in range(epochs)]
        return np.concatenate(order).reshape(-1, size)[:updates]

    def run(
        self,
        seed: int,
        rates: Any,
        checks: Sequence[int] = (),
        held: Any = None,
    ) -> tuple[Any, Any]:
        """Train from a seed.

        Args:
            seed: Of the weights and the batches.
            rates: One for each update.
            checks: Updates after which to evaluate; none means at the end.
            held: Arrays to evaluate on; None for the task's own.

        Returns:
            The loss of each update before it, and the evaluated losses.
        """
        x, y, *own = self.data
        held = own if held is None else held
        state, losses, values = self.begin(seed), [], []
        batches = self.batches(seed, len(rates))
        start = 0
        for end in checks or [len(rates)]:
            state, seen = self._train(
                state, np.asarray(rates[start:end], "float32"), x, y, batches[start:end]
            )
            losses.append(np.asarray(seen))
            values.append(float(self._value(state, *held)))
            start = end
        self._state = state
        return np.concatenate(losses), np.array(values)

    def keep(self) -> None:
        """Leave the weights of the last run in the model."""
        for variable, value in zip(
            self.model.trainable_variables, self._state[0], strict=True
        ):
            variable.assign(value)

    def advance(self, state: Any, rates: Any, batches: Any) -> tuple[Any, Any]:
        """State after some updates, and the loss before each of them."""
        x, y = self.data[:2]
        rates = np.asarray(rates, "float32")
        state, losses = self._train(state, rates, x, y, batches)
        return state, losses

    def value(self, state: Any, x: Any, y: Any) -> float:
        """The loss of a state on rows that it was not trained on."""
        return float(self._value(state, x, y))

    def gradients(self, weights: Any, others: Any, x: Any, y: Any) -> Any:
        """``((loss, others), gradients)`` of a batch, for a compiled loop."""

        def loss_of(weights: Any, others: Any) -> Any:
            out, others = self.model.stateless_call(weights, others, x, training=True)
            return self.loss(y, out), others

        return jax.value_and_grad(loss_of, has_aux=True)(weights, others)

    def _scan(self, state: Any, rates: Any, x: Any, y: Any, batches: Any) -> Any:
        def step(state: Any, now: Any) -> Any:
            weights, others, slots = state
            rate, rows = now
            (loss, others), grads = self.gradients(weights, others, x[rows], y[rows])
            slots = [*slots[: self._rate], rate, *slots[self._rate + 1 :]]
            weights, slots = self.optimizer.stateless_apply(slots, grads, weights)
            return (weights, others, slots), loss

        return jax.lax.scan(step, state, (rates, batches))

    def _evaluate(self, state: Any, x: Any, y: Any) -> Any:
        out, _ = self.model.stateless_call(state[0], state[1], x, training=False)
        return self.loss(y, out)
