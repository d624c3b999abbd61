"""Building a model as its first fit would, so that this fit is as if nothing had been.

On JAX and torch the first ``fit`` of a model draws a batch to build it with: the loss,
the metrics, perhaps the weights. Who builds the model before takes two things from that
fit: the random numbers of building, and the draw. Both are made up for here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import MethodType
from typing import Any

from keras_lr.fit import keras_names
from keras_lr.fit.snapshot import random_state


class Building:
    """The building of a model, apart from the data that it is built with.

    Args:
        model: A compiled model.

    Attributes:
        draws: Whether the model's first fit is still to draw a batch for it.
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        self._as_before = random_state()
        self._as_built = self._as_before
        self._is_done = False
        self.draws = keras_names.draws_to_build(model)

    @contextmanager
    def by_fit(self) -> Iterator[None]:
        """A context in which the model is built by the fit that begins in it."""
        before = keras_names.set_building(self._model, self._by_fit)
        try:
            yield
        finally:
            keras_names.set_building(self._model, before)

    def _by_fit(self, iterator: Any = None, data_batch: Any = None) -> None:
        if data_batch is None and self.draws:
            data_batch = keras_names.batch_to_build_with(iterator)
        self.with_batch(data_batch)

    def with_batch(self, batch: Any) -> None:
        """Build the model with a batch, unless that has been done.

        Raises:
            ValueError: If a part of it has no weights yet and gets none so.
        """
        if self._is_done:
            return
        self._is_done = True
        # The numbers that its first fit would draw.
        self._as_before()
        keras_names.build_with(self._model, batch)
        self._as_built = random_state()

    def end(self) -> None:
        """Leave the random numbers, and the first fit, as if that had built it."""
        self._as_built()
        if self.draws and self._is_done:
            # A method, so that a copy of the model has one of its own.
            draws = MethodType(_draw_and_build, self._model)
            keras_names.set_building(self._model, draws)


def _draw_and_build(model: Any, iterator: Any = None, data_batch: Any = None) -> None:
    """Draw the batch that the first fit would have built the model with, for once."""
    keras_names.set_building(model, None)
    draws_itself = keras_names.draws_to_build(model)
    if data_batch is None and iterator is not None and not draws_itself:
        with suppress(StopIteration):
            keras_names.batch_to_build_with(iterator)
    build: Callable[..., None] = keras_names.building_of(model)
    build(iterator=iterator, data_batch=data_batch)
