"""Gradients of parts of a batch, taken inside of the step before the model's own work.

The batch is cut into parts of equally many rows; what its length leaves over is left
out. The gradient of each part is that which the training step of Keras would take: with
the model's own loss, weights of rows, regularizers, and dropout (another one for each
part). All that this changes is thrown away: moving statistics, seed generators, metrics
and the like go on from where they were, so that the training is the same to the bit.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import keras

from keras_lr.fit import keras_names
from keras_lr.fit.record import BeforeView, Scalar, StepView

#: What the scalars are called: the mean of the squared lengths of the parts' gradients,
#: the squared length of their mean, and the rows of the batch.
PARTS = "squared_of_parts"
WHOLE = "squared_of_whole"
ROWS = "rows"

NAN = float("nan")


@dataclass(frozen=True)
class PartGradients:
    """Measures the gradients of the parts of a batch now and then.

    Equal ones are the same work, so that one trace serves fits with equal settings.

    Attributes:
        parts: Of a batch.
        every: Batches from one measurement to the next.
    """

    parts: int
    every: int

    def __call__(self, view: BeforeView) -> Sequence[Any]:
        """The numbers of the three scalars; the first two NaN if it is not their turn.

        They are NaN as well where the batch has fewer rows than there are parts.
        """
        by_backend: dict[str, Callable[..., Sequence[Any]]] = {
            "jax": self._on_jax,
            "tensorflow": self._on_tensorflow,
            "torch": self._on_torch,
        }
        return by_backend[keras.backend.backend()](view)

    def _on_jax(self, view: BeforeView) -> Sequence[Any]:
        jax = importlib.import_module("jax")
        jnp = jax.numpy
        rows = jax.tree.leaves(view.data)[0].shape[0]
        nothing = (jnp.float32(NAN), jnp.float32(NAN))
        size = rows // self.parts
        if not size:
            return (*nothing, rows)

        def cut(leaf: Any) -> Any:
            whole = leaf[: size * self.parts]
            return whole.reshape(self.parts, size, *leaf.shape[1:])

        trainable, other, slots, metrics = view.state
        scale = self._scale_on_jax(view)

        def loss_of(values: Any, others: Any, part: Any) -> tuple[Any, Any]:
            state = (values, others, slots, metrics)
            return keras_names.stateless_training_loss(view.model, state, part)

        def add(carry: Any, part: Any) -> tuple[Any, None]:
            others, summed, squares = carry
            found, after = jax.grad(loss_of, has_aux=True)(trainable, others, part)
            found = [one.astype("float32") / scale for one in found]
            summed = [one + more for one, more in zip(summed, found, strict=True)]
            # What is not trained goes on from part to part: dropout above all.
            return (list(after), summed, squares + _squared(jnp, found)), None

        def measure() -> Any:
            zeros = [jnp.zeros(one.shape, "float32") for one in trainable]
            begin = (list(other), zeros, jnp.float32(0))
            # A loop, so that the model is traced once for all parts.
            parts = jax.tree.map(cut, view.data)
            (_, summed, squares), _ = jax.lax.scan(add, begin, parts)
            whole = _squared(jnp, summed) / self.parts**2
            return squares / self.parts, whole

        is_due = view.count % self.every == 0
        return (*jax.lax.cond(is_due, measure, lambda: nothing), rows)

    def _scale_on_jax(self, view: BeforeView) -> Any:
        """What the loss is multiplied by, to save half precision from underflow."""
        variables = view.model.optimizer.variables
        mapping = list(zip(variables, view.state[2], strict=False))
        with keras.StatelessScope(state_mapping=mapping):
            return view.model.optimizer.scale_loss(keras.ops.ones((), "float32"))

    def _on_tensorflow(self, view: BeforeView) -> Sequence[Any]:
        tf = importlib.import_module("tensorflow")
        model = view.model
        rows = tf.shape(_first(view.data))[0]
        size = rows // self.parts

        def gradients(part: int) -> list[Any]:
            begin = part * size
            with tf.GradientTape() as tape:
                here = _cut(view.data, begin, begin + size)
                loss = keras_names.training_loss(model, here)
            weights = model.trainable_weights
            found = [one for one in tape.gradient(loss, weights) if one is not None]
            scale = model.optimizer.scale_loss(tf.constant(1.0))
            # Those of embeddings have rows of their own.
            return [tf.cast(tf.convert_to_tensor(one), "float32") / scale for one in found]

        def measure() -> Any:
            with keras.StatelessScope():
                return self._means(tf, map(gradients, range(self.parts)))

        nothing = (tf.constant(NAN), tf.constant(NAN))
        is_due = tf.equal(view.count % self.every, 0) & (size > 0)
        return (*tf.cond(is_due, measure, lambda: nothing), rows)

    def _on_torch(self, view: BeforeView) -> Sequence[Any]:
        torch = importlib.import_module("torch")
        model = view.model
        rows = int(_first(view.data).shape[0])
        size = rows // self.parts
        if view.count % self.every or not size:
            return (NAN, NAN, rows)
        weights = [one.value for one in model.trainable_weights]

        def gradients(part: int) -> list[Any]:
            here = _cut(view.data, part * size, (part + 1) * size)
            loss = keras_names.training_loss(model, here)
            found = torch.autograd.grad(loss, weights, allow_unused=True)
            scale = model.optimizer.scale_loss(1.0)
            return [one.float() / scale for one in found if one is not None]

        with keras.StatelessScope(), _kept(torch, model):
            return (*self._means(torch, map(gradients, range(self.parts))), rows)

    def _means(self, backend: Any, parts: Iterator[list[Any]]) -> tuple[Any, Any]:
        """The mean of the squared lengths, and the squared length of the mean."""
        summed = next(parts)
        squares = _squared(backend, summed)
        for found in parts:
            squares = squares + _squared(backend, found)
            summed = [one + more for one, more in zip(summed, found, strict=True)]
        return squares / self.parts, _squared(backend, summed) / self.parts**2


@dataclass(frozen=True)
class _Told:
    """One of the numbers that have been worked out before."""

    number: int

    def __call__(self, view: StepView) -> Any:
        return NAN if view.before is None else view.before[self.number]


def scalars_of(work: PartGradients) -> tuple[Scalar, ...]:
    """What the step is to write down."""
    names = (PARTS, WHOLE, ROWS)
    return tuple(Scalar(name, _Told(i), work) for i, name in enumerate(names))


def _squared(backend: Any, gradients: Sequence[Any]) -> Any:
    """The squared length of a gradient."""
    # TensorFlow has its own name for it.
    total = getattr(backend, "reduce_sum", None) or backend.sum
    return sum(total(one * one) for one in gradients)


def _first(data: Any) -> Any:
    return next(leaf for leaf in keras.tree.flatten(data) if leaf is not None)


def _cut(data: Any, begin: Any, end: Any) -> Any:
    """Some rows of a batch."""
    return keras.tree.map_structure(
        lambda leaf: None if leaf is None else leaf[begin:end], data
    )


@contextmanager
def _kept(torch: Any, model: Any) -> Iterator[None]:
    """A context that leaves alone what modules of torch change by themselves.

    Variables of Keras are kept by a scope; a module of torch inside of a model has
    buffers, and draws from torch's own random numbers.
    """
    buffers = [(one, one.clone()) for one in model.buffers()]
    device = _first([model.trainable_weights]).value.device
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        try:
            yield
        finally:
            with torch.no_grad():
                for one, before in buffers:
                    one.copy_(before)
