"""All state of a model and of its random numbers, copied once and written back."""

from __future__ import annotations

import importlib
import random
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from keras_lr.fit import keras_names
from keras_lr.fit.choice import optimizers_in


class Snapshot:
    """Variables and random state of a moment, to be written back bit for bit.

    It holds ``model.variables`` (weights, batch-norm statistics, seed generators), the
    variables of all optimizers that the model has (slots, counters, the state of loss
    scaling), those of the metrics, and the random state of Python, NumPy, Keras and the
    backend. There is one copy, in host memory; one that is larger than ``memory_limit``
    bytes goes into a temporary folder of the system instead, which costs writing and
    reading it once.

    Args:
        model: A built and compiled Keras model.
        memory_limit: Bytes up to which the copy stays in memory.
    """

    def __init__(self, model: Any, memory_limit: float) -> None:
        self._model = model
        self._optimizers = optimizers_in(model)
        self._variables = keras_names.variables_of(model, self._optimizers)
        #: Optimizers whose variables their first update will make.
        self._unbuilt = [one for one in self._optimizers if not one.built]
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._arrays: list[NDArray[Any]] = []
        self._shapes: list[tuple[tuple[int, ...], Any]] = []
        if sum(_size(variable) for variable in self._variables) > memory_limit:
            self._folder = tempfile.TemporaryDirectory(prefix="keras-lr-")
        try:
            for variable in self._variables:
                self._keep(keras_names.read_in_fit(model, variable))
        except BaseException:
            self.drop()
            raise
        self._restore_random = random_state()

    def _keep(self, array: NDArray[Any]) -> None:
        self._shapes.append((array.shape, array.dtype))
        if self._folder is None:
            self._arrays.append(array)
        else:
            # Not by `tofile`, which says nothing of a disk that is full.
            self._file(len(self._shapes) - 1).write_bytes(_bytes_of(array))

    def restore(self) -> None:
        """Write everything back."""
        self._include_what_is_new()
        # Metrics that were made since have nothing to go back to but their beginning.
        self._model.reset_metrics()
        keras_names.write_in_fit(self._model, self._variables, self._values())
        self._restore_random()

    def _include_what_is_new(self) -> None:
        """Have optimizers that were built meanwhile go back to when they were new."""
        for optimizer in [one for one in self._unbuilt if one.built]:
            self._unbuilt.remove(optimizer)
            known = {id(variable) for variable in self._variables}
            new = keras_names.values_when_new(optimizer)
            for variable, array in zip(optimizer.variables, new, strict=True):
                if id(variable) not in known:
                    self._variables.append(variable)
                    self._keep(array)

    def drop(self) -> None:
        """Free the copy."""
        self._arrays = []
        if self._folder is not None:
            self._folder.cleanup()

    def _values(self) -> Iterator[NDArray[Any]]:
        if self._folder is None:
            yield from self._arrays
            return
        for i, (shape, dtype) in enumerate(self._shapes):
            yield np.fromfile(self._file(i), dtype).reshape(shape)

    def _file(self, i: int) -> Path:
        return Path(self._folder.name if self._folder else "", f"{i}.bin")


def _bytes_of(array: NDArray[Any]) -> Any:
    """The memory of an array, whatever its type: nothing is copied."""
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8)


def _size(variable: Any) -> int:
    """Bytes of a variable, counting four for each number."""
    return 4 * int(np.prod(variable.shape, dtype=np.int64))


@contextmanager
def history_kept(model: Any) -> Iterator[None]:
    """A context that leaves the model the history of its last fit."""
    had = hasattr(model, "history")
    history = getattr(model, "history", None)
    try:
        yield
    finally:
        if had:
            model.history = history
        elif hasattr(model, "history"):
            del model.history


def random_state() -> Callable[[], None]:
    """Take the random state of Python, NumPy, Keras and the backend.

    Returns:
        What sets it again.
    """
    undo: list[Callable[[], None]] = [
        partial(random.setstate, random.getstate()),
        partial(np.random.set_state, np.random.get_state()),
        keras_names.random_state(),
    ]
    if "torch" in sys.modules and keras.backend.backend() == "torch":
        undo += _torch_random_state(sys.modules["torch"])
    if "tensorflow" in sys.modules:
        # Keras' data pipelines use it on every backend.
        undo += _tensorflow_random_state(sys.modules["tensorflow"])

    def again() -> None:
        for one in undo:
            one()

    return again


def _torch_random_state(torch: Any) -> list[Callable[[], None]]:
    undo: list[Callable[[], None]] = [
        partial(torch.set_rng_state, torch.get_rng_state())
    ]
    if torch.cuda.is_available() and torch.cuda.is_initialized():
        states = torch.cuda.get_rng_state_all()
        undo.append(partial(torch.cuda.set_rng_state_all, states))
    return undo


def _tensorflow_random_state(tf: Any) -> list[Callable[[], None]]:
    context = importlib.import_module("tensorflow.python.eager.context").context()
    undo: list[Callable[[], None]] = []
    own = getattr(context, "_rng", None)
    if own is not None:
        undo.append(partial(own.setstate, own.getstate()))
    stateful = importlib.import_module("tensorflow.python.ops.stateful_random_ops")
    generator = stateful.global_generator
    if generator is not None:
        state = generator.state.numpy()
        undo.append(partial(generator.state.assign, state))
    return undo
