"""Things that yield the batches of a search, made of what the user gives."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

import keras

from keras_lr.finder.split import Index
from keras_lr.fit import keras_data
from keras_lr.fit.feed import LEAST_KEPT, size_of


class FirstOf(keras.utils.PyDataset):  # type: ignore[misc]
    """The first batches of a PyDataset, none of whose hooks is called."""

    def __init__(self, source: Any, count: int) -> None:
        super().__init__()
        self._source = source
        known = source.num_batches
        self._count = count if known is None else min(count, known)

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> Any:
        return self._source[index]


class RowBatches(keras.utils.PyDataset):  # type: ignore[misc]
    """Batches of arrays that are too large to be copied."""

    def __init__(self, arrays: Any, index: Index) -> None:
        super().__init__()
        self._arrays = arrays
        self._index = index

    def __len__(self) -> int:
        return len(self._index)

    def __getitem__(self, number: int) -> Any:
        rows = keras_data.rows_of(self._arrays, self._index[number])
        return tuple(part for part in rows if part is not None)


def bounded(source: Iterator[Any], count: int, room: float) -> Iterator[Any]:
    """The first batches of a generator, until the memory is full."""
    taken = 0
    for number, batch in enumerate(islice(source, count), 1):
        yield batch
        taken += size_of(batch)
        if taken > room and number >= LEAST_KEPT:
            return
