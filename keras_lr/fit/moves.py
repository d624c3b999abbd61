"""How far updates move the weights: measured on the device, around a call of the step.

The weights are copied before the call and compared after it, by two small functions of
their own. The step itself is not traced anew for that, and costs nothing more where
nothing is measured.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from keras_lr.fit import keras_names
from keras_lr.fit.choice import Choice
from keras_lr.fit.step import LentStep
from keras_lr.plan.curves import FloatArray

#: How the names of all ratios begin, and what that of all weights is called. Not by the
#: first alone: MLflow has a file for each name, and cannot have a folder beside it.
RATIO = "ratio"
RATIO_OF_ALL = f"{RATIO}/all"


@dataclass(frozen=True)
class Move:
    """How far the weights have moved between two moments.

    Attributes:
        first: Batches that the first optimizer had done at the first one.
        end: At the second one.
        changes: For each weight the sum of the squares of its change.
        sizes: The same of the weight itself, at the first moment.
    """

    first: int
    end: int
    changes: FloatArray
    sizes: FloatArray


def ratios(moves: Sequence[Move], groups: FloatArray) -> FloatArray:
    r"""The changes of groups of weights over their sizes.

    .. math:: r_g = \sqrt{\sum_i g_i \|\Delta w_i\|^2 \Big/ \sum_i g_i \|w_i\|^2}

    Args:
        moves: At least one.
        groups: The numbers :math:`g_i`: for each group, a row, 1 for each weight in it.

    Returns:
        Shape ``(moves, groups)``; NaN where all weights of a group are zero.

    Example:
        >>> move = Move(0, 1, np.array([4.0, 0.0]), np.array([9.0, 16.0]))
        >>> ratios([move], np.array([[1.0, 1.0], [0.0, 1.0]]))
        array([[0.4, 0. ]])
    """
    changes = np.array([move.changes for move in moves]) @ groups.T
    sizes = np.array([move.sizes for move in moves]) @ groups.T
    found: FloatArray = np.full(sizes.shape, np.nan)
    np.divide(changes, sizes, out=found, where=sizes > 0)
    return np.sqrt(found)


class Moves:
    """Measures moves around the calls of a lent step.

    Args:
        model: A compiled model.
        optimizer: The first of its optimizers that are lent.
        calls: Calls of the step that a move is measured over: as many as make an
            update, where gradients are accumulated.

    Attributes:
        calls: The same.
    """

    def __init__(self, model: Any, optimizer: Any, calls: int) -> None:
        self.calls = calls
        self._step: LentStep | None = None
        counter = keras_names.counter_of(optimizer)
        self._is_jax = keras.backend.backend() == "jax"
        #: On JAX the step carries what stands in the variables elsewhere.
        self._place = keras_names.place_in_state(model, counter) or (0, 0)
        self._model = model
        self._counter = counter
        #: Calls until the next measurement, and from one to the next.
        self._wait = 0
        self._period: int | None = None
        self._before: list[Any] | None = None
        self._left = 0
        #: What has been measured and not been read: arrays of the device.
        self._measured: list[tuple[Any, Any]] = []

    def measure(self, step: LentStep, wait: int, period: int | None) -> None:
        """Measure a move after so many calls, and again every so many.

        One that is being measured ends as it is.

        Args:
            step: The step, which counts its calls, so that the device is not asked.
            wait: Calls before the first one.
            period: Calls from the begin of one to that of the next, at least as many as
                a move is measured over; None for one alone.
        """
        if step is not self._step:
            self.stop()
        self._wait = wait
        self._period = period
        self._step = step
        if self not in step.around:
            step.around = (*step.around, self)

    def stop(self) -> None:
        """Measure no more."""
        if self._step is not None:
            others = [one for one in self._step.around if one is not self]
            self._step.around = tuple(others)
        self.forget()

    def read(self) -> list[Move]:
        """What has been measured since the last time. It waits for the device."""
        fetch = _operations().fetch
        moves = []
        for squares, counts in self._measured:
            changes, sizes = fetch(squares).astype(np.float64).reshape(2, -1)
            first, end = fetch(counts).tolist()
            moves.append(Move(first, end, changes, sizes))
        self._measured.clear()
        return moves

    # Called by the step (see `keras_lr.fit.step.Around`).

    def before(self, args: tuple[Any, ...]) -> None:
        """The step is about to run, of state and data on JAX, elsewhere of data."""
        if self._before is not None:
            return
        if self._wait > 0:
            self._wait -= 1
            return
        self._before = _operations().copy(self._watched(args[0]))
        self._left = self.calls

    def after(self, result: Any) -> None:
        """The step has run, and returned logs and state on JAX, elsewhere logs."""
        if self._before is None:
            return
        self._left -= 1
        if self._left > 0:
            return
        now = self._watched(result[1] if self._is_jax else None)
        # A model that had no weights before its first step has nothing to compare.
        if len(now) == len(self._before) > 1:
            self._measured.append(_operations().compare(self._before, now))
        self._before = None
        if self._period is None:
            self.stop()
        else:
            self._wait = self._period - self.calls

    def forget(self) -> None:
        """The step had no data, or failed."""
        self._before = None

    def _watched(self, state: Any) -> list[Any]:
        """The weights, and the first optimizer's count of batches."""
        if self._is_jax:
            return keras_names.trained_in_state(state, self._place)
        weights = [variable.value for variable in self._model.trainable_variables]
        return [*weights, self._counter.value]


@dataclass(frozen=True)
class Operations:
    """What a backend does on its device.

    Attributes:
        copy: Copies arrays, the weights and the count of batches.
        compare: Gives sums of squares, of all changes and then of the arrays before,
            and both counts.
        fetch: Brings an array to the host.
    """

    copy: Callable[[list[Any]], list[Any]]
    compare: Callable[[list[Any], list[Any]], tuple[Any, Any]]
    fetch: Callable[[Any], NDArray[Any]]


@cache
def _operations() -> Operations:
    backend = keras.backend.backend()
    if backend == "jax":
        return _of_jax()
    return _of_tensorflow() if backend == "tensorflow" else _of_torch()


def _of_jax() -> Operations:
    jax = importlib.import_module("jax")
    numpy = jax.numpy

    def square(array: Any) -> Any:
        return numpy.sum(numpy.square(array.astype("float32")))

    def copy(arrays: list[Any]) -> list[Any]:
        # The step uses up the arrays themselves.
        return [numpy.copy(array) for array in arrays]

    def compare(before: list[Any], after: list[Any]) -> tuple[Any, Any]:
        pairs = list(zip(before[:-1], after[:-1], strict=True))
        changes = [square(new.astype("float32") - old) for old, new in pairs]
        sizes = [square(old) for old, _ in pairs]
        squares = numpy.stack([*changes, *sizes])
        return squares, numpy.stack([before[-1], after[-1]])

    return Operations(jax.jit(copy), jax.jit(compare), np.asarray)


def _of_tensorflow() -> Operations:
    tf = importlib.import_module("tensorflow")

    def half_square(tensor: Any) -> Any:
        return tf.nn.l2_loss(tf.cast(tensor, "float32"))

    def copy(variables: list[Any]) -> list[Any]:
        # What is read keeps its value: an update of a variable that somebody holds the
        # value of writes elsewhere.
        return [tf.convert_to_tensor(variable) for variable in variables]

    def compare(before: list[Any], after: list[Any]) -> tuple[Any, Any]:
        now = copy(after)
        pairs = list(zip(before[:-1], now[:-1], strict=True))
        changes = [half_square(new - old) for old, new in pairs]
        sizes = [half_square(old) for old, _ in pairs]
        squares = 2.0 * tf.stack([*changes, *sizes])
        return squares, tf.stack([before[-1], now[-1]])

    def fetch(tensor: Any) -> Any:
        return np.asarray(tensor.numpy())

    return Operations(copy, tf.function(compare), fetch)


def _of_torch() -> Operations:
    torch = importlib.import_module("torch")

    def square(tensor: Any) -> Any:
        return tensor.float().square().sum()

    def copy(tensors: list[Any]) -> list[Any]:
        return [tensor.detach().clone() for tensor in tensors]

    def compare(before: list[Any], after: list[Any]) -> tuple[Any, Any]:
        with torch.no_grad():
            pairs = list(zip(before[:-1], after[:-1], strict=True))
            changes = [square(new.float() - old.float()) for old, new in pairs]
            sizes = [square(old) for old, _ in pairs]
            squares = torch.stack([*changes, *sizes])
            return squares, torch.stack([before[-1], after[-1].detach()])

    return Operations(copy, compare, lambda tensor: np.asarray(tensor.cpu().numpy()))


def groups_of(model: Any, choices: Sequence[Choice]) -> dict[str, FloatArray]:
    """Groups of the weights that a model trains, by name.

    All of them; those of each optimizer, where there are several; and those of each of
    the model's own layers, whatever these are made of. A weight that two layers share
    counts for the first, and one that no layer has for the model.

    Args:
        model: A built model.
        choices: Its optimizers, and what logs call them.

    Returns:
        For each group 1 for each weight that is in it and 0 for each that is not, by
        name: ``"ratio/all"``, ``"ratio_<optimizer>"``, ``"ratio/<layer>"``.
    """
    weights = [id(weight) for weight in model.trainable_variables]
    left = {weight: place for place, weight in enumerate(weights)}
    groups = {RATIO_OF_ALL: list(left.values())}
    for choice in choices:
        if choice.label is not None:
            trained = map(id, keras_names.trained_by(choice.optimizer))
            own = [left[weight] for weight in trained if weight in left]
            groups[f"{RATIO}_{choice.label}"] = own
    for layer in model.layers:
        trained = map(id, layer.trainable_variables)
        own = [left.pop(weight) for weight in trained if weight in left]
        name = f"{RATIO}/{layer.name}"
        if name == RATIO_OF_ALL:
            name += "_layer"
        groups.setdefault(name, []).extend(own)
    groups.setdefault(f"{RATIO}/{model.name}", []).extend(left.values())
    every = np.arange(len(weights))
    return {
        name: np.isin(every, own).astype(np.float64)
        for name, own in groups.items()
        if own
    }
