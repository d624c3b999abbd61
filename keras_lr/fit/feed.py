"""What ``fit`` would feed a model's step: its own batches, to be used again and again.

Keras turns data of many kinds into batches, and some models (those of keras_hub) have a
``fit`` that prepares data before. So nothing is guessed here: the model's own ``fit``
is called with no epoch left to run, and what it would iterate over is kept. That yields
what the step of a real fit would get, down to the shapes that a trace depends on.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol

import keras
import numpy as np
from numpy.typing import NDArray

from keras_lr.fit import keras_data
from keras_lr.fit.building import Building

Batch = Any
#: Batches that are kept in any case: those that are held out must be.
LEAST_KEPT = 5
#: Is called with the number of a batch, from 0, and the batch.
Look = Callable[[int, Batch], None]


@dataclass(frozen=True)
class Given:
    """Data as ``fit`` takes them.

    Attributes:
        x: Inputs: arrays, or something that yields batches.
        y: Targets; None where ``x`` yields them.
        sample_weight: Weights of the rows.
        batch_size: Rows of a batch of arrays; None where ``x`` yields batches.
        class_weight: Weights of the classes.
        begins_anew: Whether the data can be iterated over again. If not, they must
            end before they take more memory than there is.
    """

    x: Any
    y: Any = None
    sample_weight: Any = None
    batch_size: int | None = None
    class_weight: Any = None
    begins_anew: bool = True


class Feed(Protocol):
    """Batches that a model's step can be fed with, the same each time.

    Attributes:
        rows: Rows of each batch that was drawn.
        is_kept: Whether all batches are in memory; else they are drawn anew each time.
    """

    rows: list[int]
    is_kept: bool

    def first(self, count: int) -> Iterator[Batch]:
        """So many batches; they are repeated where there are fewer."""

    def one(self, number: int) -> Iterator[Batch]:
        """The batch of a number, alone."""

    def split(self, at: int) -> tuple[Feed, Feed]:
        """The batches before a number, and those from it on."""

    def cut(self, size: int) -> Feed:
        """The same rows in smaller batches; what is left over of each is left out."""

    def swapped(self, count: int) -> Feed:
        """The first of the batches, each row with the targets of another one."""


def draw(
    model: Any,
    given: Given,
    building: Building,
    count: int,
    room: float,
    look: Look,
) -> Feed:
    """Draw the batches that ``fit`` would feed a model's step, and build the model.

    They are kept in memory if they fit in there. If not, those that do are kept, and
    the others are drawn anew each time.

    Args:
        model: A compiled model.
        given: The data.
        building: Builds the model in passing.
        count: How many batches at most.
        room: Bytes that may be kept, beyond a few batches; of data that cannot be begun
            anew, all are.
        look: Is shown each batch as it is drawn.

    Raises:
        TypeError: If the model's ``fit`` is not that of Keras, nor calls it.
    """
    with building.by_fit():
        source = keras_data.source_of_fit(
            model,
            given.x,
            given.y,
            sample_weight=given.sample_weight,
            batch_size=given.batch_size,
            class_weight=given.class_weight,
        )
    room = room if given.begins_anew else math.inf
    if keras.backend.backend() == "tensorflow":
        return _draw_on_tensorflow(model, source, building, count, room, look)
    return _draw_list(source, count, room, look)


def size_of(batch: Batch) -> int:
    """Bytes of a batch, as far as they can be known."""
    total = 0
    for leaf in keras.tree.flatten(batch):
        known = getattr(leaf, "nbytes", None)
        shape = getattr(leaf, "shape", ())
        total += 4 * math.prod(map(int, shape)) if known is None else int(known)
    return total


def count_rows(batch: Batch) -> int:
    """Rows of a batch, or of arrays, by the first of them."""
    first = next(leaf for leaf in keras.tree.flatten(batch) if leaf is not None)
    return int(first.shape[0])


def _rows_in(batch: Batch, index: Any) -> Batch:
    return keras.tree.map_structure(
        lambda leaf: None if leaf is None else leaf[index], batch
    )


def _other_order(rows: int) -> NDArray[np.int64]:
    """Another order of the rows of a batch: targets may come in turns."""
    return np.random.default_rng(0).permutation(rows)


# JAX and torch.


class ListFeed:
    """Batches in a list, and where more of them come from.

    Args:
        kept: The batches.
        anew: Begins all batches anew; None where those that are kept are all.
    """

    def __init__(
        self, kept: list[Batch], anew: Callable[[], Iterator[Batch]] | None = None
    ) -> None:
        self._kept = kept
        self._anew = anew
        self.rows = [count_rows(batch) for batch in kept]
        self.is_kept = anew is None

    def first(self, count: int) -> Iterator[Batch]:
        """So many batches; they are repeated where there are fewer."""
        return islice(self._endless(), count)

    def _endless(self) -> Iterator[Batch]:
        while True:
            yield from self._kept if self._anew is None else self._anew()

    def one(self, number: int) -> Iterator[Batch]:
        """The batch of a number, alone."""
        return iter(self._kept[number : number + 1])

    def split(self, at: int) -> tuple[Feed, Feed]:
        """The batches before a number, and those from it on."""
        begin = self._anew
        later = None if begin is None else (lambda: islice(begin(), at, None))
        return ListFeed(self._kept[:at]), ListFeed(self._kept[at:], later)

    def cut(self, size: int) -> Feed:
        """The same rows in smaller batches; what is left over of each is left out."""
        pieces = []
        for batch, rows in zip(self._kept, self.rows, strict=True):
            for begin in range(0, rows - size + 1, size):
                piece = slice(begin, begin + size)
                pieces.append(_rows_in(batch, piece))
        return ListFeed(pieces)

    def swapped(self, count: int) -> Feed:
        """The first of the batches, each row with the targets of another one."""
        batches = self._kept[:count]
        others = batches[count // 2 :] + batches[: count // 2]
        order = _other_order(self.rows[0])
        swapped = []
        for batch, other in zip(batches, others, strict=True):
            swapped.append((batch[0], *_rows_in(other[1:], order)))
        return ListFeed(swapped)


def _draw_list(source: Any, count: int, room: float, look: Look) -> Feed:
    def begin() -> Iterator[Batch]:
        batches = map(keras_data.on_device, keras_data.batches_of(source))
        return islice(batches, count)

    kept: list[Batch] = []
    taken = 0
    for number, batch in enumerate(begin()):
        look(number, batch)
        taken += size_of(batch)
        if len(kept) >= LEAST_KEPT and taken > room:
            return ListFeed(kept, begin)
        kept.append(batch)
    return ListFeed(kept)


# TensorFlow: a step fetches its batches itself.


class DatasetFeed:
    """Batches of a dataset.

    Args:
        model: Whose devices share each batch.
        dataset: The batches.
        rows: Rows of those that were drawn.
        is_kept: Whether the dataset has them in memory.
    """

    def __init__(
        self, model: Any, dataset: Any, rows: list[int], is_kept: bool = True
    ) -> None:
        self._model = model
        self._dataset = dataset
        self.rows = rows
        self.is_kept = is_kept

    def first(self, count: int) -> Iterator[Batch]:
        """So many batches; they are repeated where there are fewer."""
        dataset = self._dataset.repeat().take(count)
        return iter(keras_data.distributed(self._model, dataset))

    def one(self, number: int) -> Iterator[Batch]:
        """The batch of a number, alone."""
        dataset = self._dataset.skip(number).take(1)
        return iter(keras_data.distributed(self._model, dataset))

    def split(self, at: int) -> tuple[Feed, Feed]:
        """The batches before a number, and those from it on."""
        # Where the data do not fit into memory, these do.
        before = self._dataset.take(at).cache()
        after = self._dataset.skip(at)
        return (
            DatasetFeed(self._model, before, self.rows[:at]),
            DatasetFeed(self._model, after, self.rows[at:], self.is_kept),
        )

    def cut(self, size: int) -> Feed:
        """The same rows in smaller batches; what is left over is left out."""
        pieces = self._dataset.rebatch(size, drop_remainder=True).cache()
        return DatasetFeed(self._model, pieces, [size] * (sum(self.rows) // size))

    def swapped(self, count: int) -> Feed:
        """The first of the batches, each row with the targets of another one."""
        batches = self._dataset.take(count)
        others = batches.skip(count // 2).concatenate(batches.take(count // 2))
        pairs = type(self._dataset).zip((batches, others))
        order = _other_order(self.rows[0])

        def swap(batch: Batch, other: Batch) -> Batch:
            beside = keras.tree.map_structure(
                lambda leaf: keras.ops.take(leaf, order, axis=0), other[1:]
            )
            return (batch[0], *beside)

        return DatasetFeed(self._model, pairs.map(swap).cache(), self.rows[:count])


def _draw_on_tensorflow(
    model: Any,
    source: Any,
    building: Building,
    count: int,
    room: float,
    look: Look,
) -> Feed:
    dataset = keras_data.dataset_of(source)
    cached = dataset.take(count).cache()
    rows: list[int] = []
    taken = 0
    # This fills the cache.
    for number, batch in enumerate(cached):
        building.with_batch(batch)
        look(number, batch)
        taken += size_of(batch)
        if len(rows) >= LEAST_KEPT and taken > room:
            return DatasetFeed(model, dataset.take(count), rows, is_kept=False)
        rows.append(count_rows(batch))
    return DatasetFeed(model, cached, rows)
