"""Gradients of parts of a batch, taken inside of the step before the model's own work.

The batch is cut into parts of equally many rows; what its length leaves over is left
out. The gradient of each part is that which the training step of Keras would take: with
the model's own loss, weights of rows, regularizers, and dropout (another one for each
part). All that this changes is thrown away: moving statistics, seed generators, metrics
and the like go on from where they were, so that the training is the same to the bit.

On torch, where a pass over a few rows takes nearly as long as one over all, that of the
last part is saved where it can be: the step leaves the gradient of the whole batch
behind, which is the mean over all parts. That is so where a model has no state besides
its weights, hence neither dropout nor batch normalization, and one process trains it.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import keras

from keras_lr.fit import keras_names, processes
from keras_lr.fit.record import BeforeView, Scalar, StepView

NAN = float("nan")


@dataclass(frozen=True)
class Names:
    """What the scalars of a measurement are called.

    Attributes:
        part: Squared length of a part's gradient: the mean over those that are taken.
        whole: Squared length of the gradient of all of them.
        rows: Rows of the batch.
        rows_of_whole: Of these, the rows whose gradients are in that of the whole.
    """

    part: str
    whole: str
    rows: str
    rows_of_whole: str


@dataclass(frozen=True)
class PartGradients:
    """Measures the gradients of the parts of a batch now and then.

    Equal ones are the same work, so that one trace serves fits with equal settings.

    Attributes:
        parts: Of a batch, at least 2.
        every: Batches from one measurement to the next, at least 1.
    """

    parts: int
    every: int

    @property
    def names(self) -> Names:
        """What its scalars are called: others than those of other settings."""
        names = ("part", "whole", "rows", "rows_of_whole")
        return Names(*(f"{name}_{self.parts}_{self.every}" for name in names))

    def scalars(self) -> tuple[Scalar, ...]:
        """What the step is to write down."""
        names = self.names
        order = (names.part, names.whole, names.rows, names.rows_of_whole)
        return tuple(Scalar(name, _Told(i), self) for i, name in enumerate(order))

    def __call__(self, view: BeforeView) -> Sequence[Any]:
        """The numbers of the scalars; the first two NaN if it is not their turn.

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
        size = rows // self.parts
        if not size:
            return (NAN, NAN, rows, 0)

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

        zeros = [jnp.zeros(one.shape, "float32") for one in trainable]
        begin = (list(other), zeros, jnp.float32(0))
        # A loop, so that the model is traced once for all parts.
        parts = jax.tree.map(cut, view.data)
        (_, summed, squares), _ = jax.lax.scan(add, begin, parts)
        whole = _squared(jnp, summed) / self.parts**2
        return (squares / self.parts, whole, rows, size * self.parts)

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

        def gradients(part: int, values: list[Any]) -> list[Any]:
            begin = part * size
            with tf.GradientTape() as tape:
                tape.watch(values)
                here = _cut(view.data, begin, begin + size)
                loss = keras_names.training_loss(model, here)
            found = [one for one in tape.gradient(loss, values) if one is not None]
            scale = model.optimizer.scale_loss(tf.constant(1.0))
            # Those of embeddings have rows of their own.
            found = [tf.cast(tf.convert_to_tensor(one), "float32") for one in found]
            return [one / scale for one in found]

        def measure() -> Any:
            weights = model.trainable_weights
            values = [tf.convert_to_tensor(one.value) for one in weights]
            with _scope(weights, values):
                summed = gradients(0, values)
                squares = _squared(tf, summed)
                for part in range(1, self.parts):
                    found = gradients(part, values)
                    squares += _squared(tf, found)
                    summed = [a + b for a, b in zip(summed, found, strict=True)]
            return squares / self.parts, _squared(tf, summed) / self.parts**2

        nothing = (tf.constant(NAN), tf.constant(NAN))
        is_due = tf.equal(view.count % self.every, 0) & (size > 0)
        found = tf.cond(is_due, measure, lambda: nothing)
        return (*found, rows, size * self.parts)

    def _on_torch(self, view: BeforeView) -> Sequence[Any]:
        torch = importlib.import_module("torch")
        model = view.model
        rows = int(_first(view.data).shape[0])
        size = rows // self.parts
        if view.count % self.every or not size:
            return (NAN, NAN, rows, rows)
        gradients = _TorchGradients(torch, model)
        # The gradient that the step leaves behind is that of all processes.
        is_alone = processes.with_losses_of_their_own() == 1
        is_whole = rows == size * self.parts
        spares_last = is_alone and is_whole and gradients.are_repeatable()
        parts = []
        with gradients.kept():
            for part in range(self.parts - spares_last):
                here = _cut(view.data, part * size, (part + 1) * size)
                parts.append(gradients.of(here))
        found = _FoundOnTorch(gradients, parts, self.parts)
        return (found, found, rows, size * self.parts)


class _TorchGradients:
    """Gradients of a model on torch, taken without a trace in it.

    Args:
        torch: The module.
        model: The model.
    """

    def __init__(self, torch: Any, model: Any) -> None:
        self.torch = torch
        self._model = model
        self._variables = model.trainable_weights
        self._weights = [one.value for one in self._variables]
        self._scale = model.optimizer.scale_loss(1.0)

    def are_repeatable(self) -> bool:
        """Whether another pass over the same rows gives the same gradients."""
        has_buffers = next(iter(self._model.buffers()), None) is not None
        return not self._model.non_trainable_variables and not has_buffers

    def of(self, data: Any) -> list[Any]:
        """The gradient of some rows."""
        loss = keras_names.training_loss(self._model, data)
        grad = self.torch.autograd.grad
        return self._unscaled(grad(loss, self._weights, allow_unused=True))

    def left_by_step(self) -> list[Any]:
        """The gradient of the whole batch, after the model's own step."""
        return self._unscaled([weight.grad for weight in self._weights])

    def squared(self, gradient: Sequence[Any]) -> Any:
        """The squared length of a gradient."""
        # All of it at once: each operation costs more than its numbers do.
        return self.torch.nn.utils.get_total_norm(gradient) ** 2

    def _unscaled(self, gradient: Sequence[Any]) -> list[Any]:
        found = [one.detach().float() for one in gradient if one is not None]
        is_scaled = not isinstance(self._scale, float) or self._scale != 1
        return [one / self._scale for one in found] if is_scaled else found

    @contextmanager
    def kept(self) -> Iterator[None]:
        """A context that leaves alone what modules of torch change by themselves.

        Variables of Keras are kept by a scope; a module of torch inside of a model has
        buffers, and draws from torch's own random numbers.
        """
        buffers = [(one, one.clone()) for one in self._model.buffers()]
        device = self._weights[0].device
        fork = self.torch.random.fork_rng
        devices = [device] if device.type == "cuda" else []
        with fork(devices), _scope(self._variables, self._weights):
            try:
                yield
            finally:
                with self.torch.no_grad():
                    for one, before in buffers:
                        one.copy_(before)


class _FoundOnTorch:
    """The gradients of all parts, or of all but the last one until the step is done.

    Args:
        gradients: Gives the gradient that the step leaves behind.
        parts: Those of the parts.
        count: Of all parts.
    """

    def __init__(
        self, gradients: _TorchGradients, parts: list[list[Any]], count: int
    ) -> None:
        self._gradients = gradients
        self._parts = parts
        self._count = count
        self._means: tuple[Any, Any] | None = None

    def means(self) -> tuple[Any, Any]:
        """The mean squared length, and the squared length of the mean gradient."""
        if self._means is None:
            self._means = self._work_out()
            self._parts = []
        return self._means

    def _work_out(self) -> tuple[Any, Any]:
        squared = self._gradients.squared
        squares = sum(squared(part) for part in self._parts)
        summed = [sum(each) for each in zip(*self._parts, strict=True)]
        if len(self._parts) == self._count:
            return squares / self._count, squared(summed) / self._count**2
        whole = self._gradients.left_by_step()
        last = [
            self._count * all_rows - others
            for all_rows, others in zip(whole, summed, strict=True)
        ]
        return (squares + squared(last)) / self._count, squared(whole)


@dataclass(frozen=True)
class _Told:
    """One of the numbers that have been worked out before, or are there after it."""

    number: int

    def __call__(self, view: StepView) -> Any:
        told = NAN if view.before is None else view.before[self.number]
        if isinstance(told, _FoundOnTorch):
            return told.means()[self.number]
        return told


def _squared(backend: Any, gradients: Sequence[Any]) -> Any:
    """The squared length of a gradient."""
    # TensorFlow has a name of its own for it.
    total = getattr(backend, "reduce_sum", None) or backend.sum
    return sum(total(one * one) for one in gradients)


def _scope(weights: Sequence[Any], values: Sequence[Any]) -> Any:
    """A scope that keeps all variables of Keras as they are."""
    # Regularizers look for the weights in it.
    return keras.StatelessScope(state_mapping=list(zip(weights, values, strict=True)))


def _first(data: Any) -> Any:
    return next(leaf for leaf in keras.tree.flatten(data) if leaf is not None)


def _cut(data: Any, begin: Any, end: Any) -> Any:
    """Some rows of a batch."""
    return keras.tree.map_structure(
        lambda leaf: None if leaf is None else leaf[begin:end], data
    )
