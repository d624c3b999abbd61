"""The tape: rows of numbers that a step reads and writes, one row a batch.

Each row has a part that is *given* (what the updates read: factors on the rate,
momentum, weight decay) and a part that is *seen* (what the step writes down). A tape is
a ring: the row of a batch is its count modulo the number of rows, so that rows can be
laid anew while a fit runs, without a word to the step. Several optimizers may count
differently (a step of the user's may train one more often than another): each reads its
columns in the row of its own count, and what is seen stands in the row of the first
one's. A tape is *state* of the step, never a constant of its trace; hence one trace
serves every schedule, sweep and probe.

There are three kinds, since each backend keeps state in its own way, with the same
methods: ``lay`` sets the given part, ``call`` runs Keras' function once, and ``keep``
gives the seen part. On TensorFlow and JAX ``step`` is the training step that Keras'
function calls while it is traced.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import keras
import numpy as np

from keras_lr.fit import keras_names
from keras_lr.fit.control import Control, wide_dtype
from keras_lr.fit.jax_tape import Fetch, Undo
from keras_lr.fit.optimizer import LentOptimizer
from keras_lr.plan.curves import FloatArray


class TensorFlowTape:
    """A tape on TensorFlow: two variables that the step captures."""

    def __init__(
        self,
        model: Any,
        counters: Sequence[Any],
        rate: Any,
        shape: tuple[int, int, int],
    ) -> None:
        self._tf = importlib.import_module("tensorflow")
        self._counters = counters
        self._rows, given, seen = shape
        options: dict[str, Any] = {"trainable": False, "dtype": wide_dtype()}
        self._shared = keras_names.replicas(model) > 1
        kept: dict[str, Any] = {}
        if self._shared:
            # Each replica writes down its part of the batch.
            kept = {"aggregation": "mean", "synchronization": "on_read"}
        with keras_names.strategy_scope(model), self._tf.init_scope():
            self._given = keras.Variable(
                np.zeros((self._rows, given)),
                aggregation="only_first_replica",
                **options,
            )
            blank = np.full((self._rows, seen), np.nan)
            self._seen = keras.Variable(blank, **options, **kept)
            self._blank = self._tf.fill(
                (self._rows, seen), np.array(np.nan, wide_dtype())
            )
        self._is_laid = False

    def counts(self, iterator: Any) -> list[int]:
        """Batches that each optimizer has done when the function is called."""
        return [int(keras_names.read(counter)) for counter in self._counters]

    def is_stale(self, iterator: Any) -> bool:
        """Whether rows must be laid: there are none."""
        return not self._is_laid

    def lay(self, given: FloatArray, iterator: Any) -> None:
        """Set the given part of all rows."""
        self._given.value.assign(given.astype(wide_dtype()))
        # So that it can be told which rows have been written.
        self._seen.value.assign(self._blank)
        self._is_laid = True

    def call(self, function: Callable[..., Any], iterator: Any) -> Any:
        """Run Keras' function."""
        return function(iterator)

    def step(self, own_step: Callable[..., Any], control: Control, data: Any) -> Any:
        """The training step: the row read before it, and written after it."""
        tf = self._tf
        before = [tf.convert_to_tensor(counter.value) for counter in self._counters]
        mask = tf.constant(self._rows - 1, before[0].dtype)
        indices = [tf.bitwise.bitwise_and(count, mask) for count in before]
        # Looked up outside of any branch of the step, so that no tensor leaves one.
        given = self._given.value
        rows = [tf.unstack(tf.gather(given, index)) for index in indices]
        values = control.look_up(rows)
        graph = self._graph()

        def later(i: int, applied: int) -> dict[str, Any] | None:
            if not applied and graph is self._graph():
                return None
            more = self._counters[i].value - before[i]
            place = tf.bitwise.bitwise_and(before[0] + more, mask)
            row = tf.unstack(tf.gather(self._given.value, place))
            return control.look_up_one(i, row)

        worked = control.before(data, before[0])
        with control.step(values, later):
            logs = own_step(data)
            scalars = control.scalars(values, data, logs, worked)
        seen = tf.stack([tf.cast(one, wide_dtype()) for one in scalars])
        if self._shared:
            rows = tf.convert_to_tensor(self._seen.value)
            rows = tf.tensor_scatter_nd_update(rows, [[indices[0]]], [seen])
            self._seen.value.assign(rows)
        else:
            # In place: the whole variable would be copied else.
            self._seen.value.scatter_update(tf.IndexedSlices(seen, indices[0]))
        return logs

    def _graph(self) -> Any:
        """The graph that is being traced: another one in a branch or a loop."""
        tf = self._tf
        return None if tf.executing_eagerly() else tf.compat.v1.get_default_graph()

    def set_aside(self) -> Undo:
        """Make room for other rows; gives what puts those of now back."""
        given, seen, is_laid = self._given.numpy(), self._seen.numpy(), self._is_laid
        self._is_laid = False

        def put_back() -> None:
            self._given.assign(given)
            self._seen.assign(seen)
            self._is_laid = is_laid

        return put_back

    def keep(self) -> Fetch:
        """The seen part as it is now."""
        value = self._seen.value
        if self._shared:
            value = value.read_value()
        copy = self._tf.identity(value)
        return lambda: copy.numpy().astype(np.float64)


class TorchTape:
    """A tape on torch: lists on the host, since its steps run eagerly."""

    def __init__(
        self,
        control: Control,
        optimizers: Sequence[LentOptimizer],
        shape: tuple[int, int, int],
    ) -> None:
        self._torch = importlib.import_module("torch")
        self._control = control
        self._optimizers = optimizers
        self._rows, _, self._names = shape
        self._given: list[list[float]] = []
        self._seen: list[list[Any] | None] = [None] * self._rows

    def counts(self, data: Any) -> list[int]:
        """Batches that each optimizer has done when the function is called."""
        return [lent.counter for lent in self._optimizers]

    def is_stale(self, data: Any) -> bool:
        """Whether rows must be laid: there are none."""
        return not self._given

    def lay(self, given: FloatArray, data: Any) -> None:
        """Set the given part of all rows."""
        self._given = given.tolist()
        self._seen = [None] * self._rows

    def call(self, function: Callable[..., Any], data: Any) -> Any:
        """Run Keras' function with the values of its row."""
        indices = [lent.counter % self._rows for lent in self._optimizers]
        control = self._control
        values = control.look_up([self._given[index] for index in indices])

        def later(i: int, applied: int) -> dict[str, Any] | None:
            if not applied:
                return None
            row = self._given[(indices[i] + applied) % self._rows]
            return control.look_up_one(i, row)

        # Keras hands the batches of a step over in a list.
        batch = data[0]
        worked = control.before(batch, self._optimizers[0].counter)
        with control.step(values, later):
            logs = function(data)
            self._seen[indices[0]] = control.scalars(values, batch, logs, worked)
        return logs

    def set_aside(self) -> Undo:
        """Make room for other rows; gives what puts those of now back."""
        put_back = partial(vars(self).update, dict(vars(self)))
        self._given = []
        return put_back

    def keep(self) -> Fetch:
        """The seen part as it is now."""
        seen = list(self._seen)
        return lambda: self._as_array(seen)

    def _as_array(self, seen: list[list[Any] | None]) -> FloatArray:
        rows: FloatArray = np.full((self._rows, self._names), np.nan)
        written = [i for i, row in enumerate(seen) if row is not None]
        for column in range(self._names):
            cells = [row[column] for row in seen if row is not None]
            tensors = [i for i, one in enumerate(cells) if self._is_tensor(one)]
            if tensors:
                # One transfer for all.
                fetched = self._torch.stack([cells[i] for i in tensors]).cpu().tolist()
                for i, number in zip(tensors, fetched, strict=True):
                    cells[i] = number
            rows[written, column] = cells
        return rows

    def _is_tensor(self, cell: Any) -> bool:
        return isinstance(cell, self._torch.Tensor)
