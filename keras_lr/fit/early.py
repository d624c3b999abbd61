"""Scalars that are worked out before the step, on JAX: by functions of their own."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import keras

from keras_lr.fit.record import Before, BeforeView, Scalar, StepView

#: Gives a tape with the numbers in it, of a model, the tape, the model's state, a batch
#: and the number of batches before it.
Run = Callable[[Any, Any, Any, Any, Any], Any]


class EarlyScalars:
    """Those scalars of a step that are worked out before it.

    Args:
        scalars: All scalars of the step.
        first: The cell of the first of them in what a step writes down of a batch.
        is_wanted: Whether somebody will read them.

    Attributes:
        cells: Those of the scalars that are worked out before.
    """

    def __init__(
        self,
        scalars: Sequence[Scalar],
        first: int = 0,
        is_wanted: Callable[[], bool] = bool,
    ) -> None:
        self._is_wanted = is_wanted
        self._width = first + len(scalars)
        self._places: dict[Before, list[tuple[int, Scalar]]] = {}
        for cell, scalar in enumerate(scalars, first):
            if scalar.before is not None:
                self._places.setdefault(scalar.before, []).append((cell, scalar))
        self.cells = [cell for places in self._places.values() for cell, _ in places]
        self._functions: dict[Before, Any] = {}

    def due(self, count: int, batches: int) -> list[Run]:
        """What is to be worked out before the next batches, so many after a count."""
        if not self.cells or not self._is_wanted():
            return []
        return [
            partial(self._run, work)
            for work in self._places
            if -count % work.every < batches
        ]

    def _run(
        self, work: Before, model: Any, tape: Any, state: Any, data: Any, count: Any
    ) -> Any:
        if work not in self._functions:
            self._functions[work] = self._function(work, model, tape)
        return self._functions[work](tape, state, data, count)

    def _function(self, work: Before, model: Any, tape: Any) -> Any:
        jax = importlib.import_module("jax")
        places = self._places[work]
        # What is written down stands at the end of a row.
        columns = [cell - self._width for cell, _ in places]

        def written(tape: Any, state: Any, data: Any, count: Any) -> Any:
            found = work(BeforeView(model, state, data, count))
            view = StepView(None, data, None, (), found)
            told = [scalar.value(view) for _, scalar in places]
            cells = [jax.numpy.asarray(one, tape.dtype) for one in told]
            row = count & (tape.shape[0] - 1)
            return tape.at[row, jax.numpy.asarray(columns)].set(jax.numpy.stack(cells))

        if keras.distribution.distribution() is None:
            return jax.jit(written)
        # Where it lies, as the step expects it.
        return jax.jit(written, out_shardings=tape.sharding)
