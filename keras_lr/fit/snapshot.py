"""A model's whole state, copied once and written back bit for bit."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_lr.fit import trainer as _trainer

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Snapshot:
    """Variables and random state of a moment.

    It holds ``model.variables`` (weights, batch-norm statistics, seed generators), the
    optimizer's variables (slots, counters, the state of loss scaling), those of the
    metrics, and the random state of Python, NumPy, Keras and the backend. There is one
    copy, in host memory; one that is larger than ``memory_limit`` bytes goes into a
    temporary folder of the system instead, which costs writing and reading it once.

    Args:
        model: A built and compiled Keras model.
        memory_limit: Bytes up to which the copy stays in memory.
    """

    def __init__(self, model: Any, memory_limit: float) -> None:
        self._model = model
        self._variables = _trainer.variables_of(model)
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._arrays: list[NDArray[Any]] = []
        self._shapes: list[tuple[tuple[int, ...], Any]] = []
        if sum(_size(variable) for variable in self._variables) > memory_limit:
            self._folder = tempfile.TemporaryDirectory(prefix="keras-lr-")
        for variable in self._variables:
            array = _trainer.read_in_fit(model, variable)
            self._shapes.append((array.shape, array.dtype))
            if self._folder is None:
                self._arrays.append(array)
            else:
                array.tofile(self._file(len(self._shapes) - 1))
        self._restore_random = _trainer.random_state()

    def restore(self) -> None:
        """Write everything back."""
        # Metrics that were made since have nothing to go back to but their beginning.
        self._model.reset_metrics()
        _trainer.write(self._model, self._variables, self._values())
        self._restore_random()

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


def _size(variable: Any) -> int:
    """Bytes of a variable, counting four for each number."""
    return 4 * int(np.prod(variable.shape, dtype=np.int64))
