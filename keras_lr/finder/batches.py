"""The batches of a search: drawn once, so that every probe sees the same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import keras
import numpy as np

from keras_lr.fit import keras_names

#: Share of the rows, or of the batches drawn, that is held out, and the most of each.
HELD, MOST_ROWS, MOST_BATCHES = 0.2, 1000, 32
#: Batches that rows held out make at least: how they differ tells what is noise.
PARTS = 16

#: What the user calls the data that are held out, if they are given.
HELD_OUT = "validation_data"

Batch = tuple[Any, ...]


class Batches(keras.utils.PyDataset):  # type: ignore[misc]
    """The first batches of a fixed sequence, again and again the same.

    Args:
        source: The batches, or the rows of each.
        count: How many batches.
        arrays: What the rows are of.
        called: What the user calls these data.
        begin: Number of the first batch in them.
        whole: Whether the user's own batches of these arrays would all be of one size.
        swapped: Whether each row gets the targets (and weight) of the row before it.
    """

    def __init__(
        self,
        source: list[Any],
        count: int,
        arrays: Any = None,
        called: str = "the data",
        begin: int = 0,
        whole: bool = False,
        swapped: bool = False,
    ) -> None:
        super().__init__()
        self._source = source
        self._count = count
        self._arrays = arrays
        self._called = called
        self._begin = begin
        self._whole = whole
        self._swapped = swapped

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> Any:
        found = self._source[index % len(self._source)]
        if self._arrays is not None:
            found = _rows(self._arrays, found)
        if not self._swapped:
            return found
        return found[:1] + keras.tree.map_structure(_rolled, tuple(found[1:]))

    def sizes(self) -> list[int]:
        """Rows of each batch."""
        return [_length(self[i]) for i in range(len(self))]

    def first(self, count: int) -> Batches:
        """The same sequence, of another length."""
        return Batches(
            self._source, count, self._arrays, self._called, self._begin, self._whole
        )

    def for_fit(self) -> Any:
        """The batches as ``fit`` would get them from the user's arrays.

        On TensorFlow a step is traced for what is known of its batches beforehand, and
        Keras knows more of arrays than of a PyDataset. So the step of the user's fits
        serves here, too.
        """
        if self._arrays is None or keras.backend.backend() != "tensorflow":
            return self
        return keras_names.dataset_of(self, whole=self._whole)

    def swapped(self) -> Batches:
        """The same batches, in each of which the targets belong to other rows."""
        return Batches(self._source, self._count, self._arrays, swapped=True)


def draw(
    given: Batch, batch_size: int, count: int, validation: Any, seed: int
) -> tuple[Batches, Batches]:
    """Batches to train on, and batches that are held out.

    Args:
        given: ``(x,)``, ``(x, y)`` or ``(x, y, sample_weight)``: arrays, or a single
            thing that yields batches.
        batch_size: Examples of a batch of arrays.
        count: Batches of the longest training; fewer are repeated.
        validation: Data of the same kinds to hold out, or None to split some off.
        seed: Of the order of the rows.
    """
    if len(given) > 1 or _is_array(given[0]):
        arrays = _arrays(given)
        rows = _length(arrays)
        order = np.random.default_rng(seed).permutation(rows)
        held = 0 if validation is not None else min(int(rows * HELD), MOST_ROWS)
        if rows - held < 2 or (validation is None and held < 1):
            raise ValueError(
                "A search needs at least 5 rows, or validation_data. Received: "
                f"{rows} rows. Give it more data."
            )
        rng, left = np.random.default_rng(seed), order[held:]
        size = _shared(min(batch_size, len(left)))
        whole = len(left) // size
        index: list[Any] = []
        while len(index) < count:
            index += np.split(rng.permutation(left)[: whole * size], whole)
        whole_batches = rows % batch_size == 0
        train = Batches(index[:count], count, arrays, whole=whole_batches)
        out = Batches(_chunks(order[:held], batch_size), 0, arrays)
    else:
        drawn = _stream(given[0], count if validation is not None else count * 5 // 4)
        many = 0 if validation is not None else min(len(drawn) // 5, MOST_BATCHES)
        if len(drawn) - many < 1 or (validation is None and many < 1):
            raise ValueError(
                "A search needs at least 5 batches, or validation_data and one batch. "
                f"Received: data that ended after {len(drawn)}. Give it more data."
            )
        train = Batches(drawn[many:], count, begin=many)
        out = Batches(drawn[:many], 0)
    if validation is not None:
        out = _held(validation, batch_size, seed)
    return train, out.first(len(out._source))


def batches_of_an_epoch(x: Any, batch_size: int) -> int | None:
    """How many batches the data make, if they have a length.

    Example:
        >>> batches_of_an_epoch({"a": np.zeros((10, 2))}, 4)
        3
    """
    if _is_array(x):
        return -(-_length((x,)) // batch_size)
    try:
        return len(x)
    except TypeError:  # A Dataset of unknown length has `__len__`, too.
        return None


def check_finite(*parts: Batches) -> None:
    """Refuse data with NaN or infinity, by row of the arrays or number of the batch.

    Raises:
        ValueError: At the first one.
    """
    for part in parts:
        for i, found in enumerate(part._source):
            for leaf in keras.tree.flatten(part[i]):
                values = np.asarray(leaf)
                if "float" not in values.dtype.name or np.isfinite(values).all():
                    continue
                bad = ~np.isfinite(values).reshape(len(values), -1).all(axis=1)
                where = f"batch {part._begin + i}"
                if part._arrays is not None:
                    where = f"row {found[int(np.argmax(bad))]}"
                raise ValueError(
                    "The data must be finite. Received: NaN or infinity in "
                    f"{where} of {part._called}, counted from 0. Leave those rows out."
                )


def _held(validation: Any, batch_size: int, seed: int) -> Batches:
    if isinstance(validation, tuple):
        arrays = _arrays(validation)
        order = np.random.default_rng(seed).permutation(_length(arrays))[:MOST_ROWS]
        return Batches(_chunks(order, batch_size), 0, arrays, HELD_OUT)
    return Batches(_stream(validation, MOST_BATCHES), 0, called=HELD_OUT)


def _stream(source: Any, count: int) -> list[Batch]:
    """The first batches of something that yields them, in host memory."""
    if isinstance(source, keras.utils.PyDataset):
        source = [source[i] for i in range(min(count, len(source)))]
    if not isinstance(source, Iterable):
        raise TypeError(
            "`x` must be arrays, or something that yields batches. Received: "
            f"x={type(source).__name__}."
        )
    found: Iterator[Any] = islice(source, count)
    drawn = [
        keras.tree.map_structure(_host, tuple(batch))
        if isinstance(batch, tuple | list)
        else (_host(batch),)
        for batch in found
    ]
    # A last batch of another size would make every backend compile anew.
    size = _length(drawn[0]) if drawn else 0
    return [batch for batch in drawn if _length(batch) == size]


def _is_array(value: Any) -> bool:
    leaves = keras.tree.flatten(value) if isinstance(value, list | dict) else [value]
    return all(hasattr(leaf, "__array__") for leaf in leaves) and bool(leaves)


def _arrays(given: Batch) -> Batch:
    arrays = tuple(keras.tree.map_structure(_as_in_fit, part) for part in given)
    rows = [len(leaf) for leaf in keras.tree.flatten(arrays)]
    if len(set(rows)) > 1:
        raise ValueError(
            "All arrays must have as many rows. Received: inputs, targets and weights "
            f"of {', '.join(map(str, rows))} rows."
        )
    return arrays


def _host(value: Any) -> Any:
    return keras.ops.convert_to_numpy(value) if hasattr(value, "shape") else value


def _as_in_fit(value: Any) -> Any:
    """An array in the dtype that ``fit`` gives it."""
    array = _host(value)
    if getattr(array, "dtype", None) == np.float64:
        return array.astype(keras.config.floatx())
    return array


def _rows(arrays: Batch, index: Any) -> Batch:
    return tuple(
        keras.tree.map_structure(lambda leaf: leaf[index], part) for part in arrays
    )


def _rolled(leaf: Any) -> Any:
    return np.roll(leaf, 1, axis=0)


def _length(arrays: Batch) -> int:
    return len(keras.tree.flatten(arrays)[0])


def _chunks(order: Any, size: int) -> list[Any]:
    """Rows in batches of one size; what is left over at the end is left out."""
    size = _shared(max(1, min(size, len(order) // PARTS)))
    whole = max(1, len(order) // size)
    return list(np.split(order[: whole * size], whole))


def _shared(size: int) -> int:
    """A batch size, made a multiple of the devices that share a batch on JAX."""
    among = keras.distribution.distribution()
    if among is None:
        return size
    mesh = among.device_mesh
    devices = int(mesh.shape[mesh.axis_names.index(among.batch_dim_name)])
    return max(1, size // devices) * devices
