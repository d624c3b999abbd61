"""The data of a search: what it trains on, and what is held out to judge by."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import chain
from typing import Any

import keras
import numpy as np

from keras_lr.finder.known import Known, known_together
from keras_lr.finder.sources import FirstOf, RowBatches, bounded
from keras_lr.finder.split import Index, held_size, split_rows
from keras_lr.finder.tuning import TUNING
from keras_lr.fit import keras_data, keras_names, processes
from keras_lr.fit.building import Building
from keras_lr.fit.feed import (
    Batch,
    Feed,
    Given,
    count_rows,
    draw,
    size_of,
)

TOO_FEW = (
    "A search needs at least 5 batches, or validation_data and one batch. Received: "
    "data that ended after {}. Give it more data."
)


@dataclass(frozen=True)
class Data:
    """The batches of a search.

    Attributes:
        train: To train on.
        held: To judge by: nothing is ever trained on them.
        swapped: Gives those that are held out with the targets of other rows, made when
            they are first asked for; None where that says nothing: without targets, or
            with inputs that are all the same.
        is_constant: Whether the targets of all rows that are held out are the same.
        rows_held: Rows that are held out; with several processes, those of all.
        drawn: Batches that were drawn from ``x``; 0 where it is arrays.
    """

    train: Feed
    held: Feed
    swapped: Callable[[], Feed | None]
    is_constant: bool
    rows_held: int
    drawn: int


def batches_for(
    model: Any,
    given: Given,
    count: int,
    validation: Any,
    seed: int,
    room: float,
    building: Building,
) -> Data:
    """Draw the batches that a search needs, and build the model.

    Args:
        model: A compiled model.
        given: What the user gives to train on.
        count: Batches of the longest training; fewer are repeated.
        validation: Data to hold out, or None to split some off.
        seed: Of the order of the rows.
        room: Bytes that may be kept.
        building: Builds the model in passing.

    Raises:
        ValueError: If there are too few data, or some are not finite; if processes that
            search together have other numbers of batches.
    """
    with processes.all_or_none():
        drawn = _drawn_for(model, given, count, validation, seed, room, building)
    held = drawn.held
    known = known_together(
        Known(
            len(drawn.train.feed.rows),
            len(held.feed.rows),
            sum(held.feed.rows),
            held.alike,
            held.target,
        )
    )
    return Data(
        drawn.train.feed,
        held.feed,
        cache(partial(held.swapped, known.alike)),
        known.target is not None,
        known.rows_held,
        drawn.count,
    )


def _drawn_for(
    model: Any,
    given: Given,
    count: int,
    validation: Any,
    seed: int,
    room: float,
    building: Building,
) -> _BothDrawn:
    """Draw what is trained on, and what is held out."""
    draws = _Draws(model, building, room)
    held: _Drawn | None = None
    drawn = 0
    if keras_data.are_arrays(given.x, given.y, given.sample_weight):
        split = split_rows(given, count, validation is None, seed, model)
        train = draws.rows(given, split.train, split.size, split.is_whole)
        if len(split.held):
            size = held_size(model, split.size, len(split.held))
            given_held = replace(given, class_weight=None)
            held = draws.rows(given_held, split.held, size, True)
    else:
        _check_batched(model, given.x)
        wanted = count
        if validation is None:
            wanted += min(count // 4, TUNING.most_batches_held)
        whole = draws.stream(given, wanted, "the data")
        drawn = len(whole.feed.rows)
        train = whole
        if validation is None:
            at = min(drawn // 5, TUNING.most_batches_held)
            held, train = whole.split(at)
        if not train.feed.rows or not (held is None or held.feed.rows):
            raise ValueError(TOO_FEW.format(drawn))
    if validation is not None:
        held = draws.validation(validation, given, seed)
    assert held is not None  # noqa: S101  one of the ways has given it
    return _BothDrawn(train, held.cut(model), drawn)


def batches_of_an_epoch(x: Any, batch_size: int) -> int | None:
    """How many batches the data make, if they have a length.

    Example:
        >>> batches_of_an_epoch({"a": np.zeros((10, 2))}, 4)
        3
    """
    if keras_data.are_arrays(x):
        return -(-count_rows(x) // batch_size)
    if isinstance(x, keras.utils.PyDataset):
        batches: int | None = x.num_batches
        return batches
    try:
        return len(x)
    except TypeError:  # A Dataset of unknown length has `__len__`, too.
        return None


# Drawing.


@dataclass(frozen=True)
class _Drawn:
    """Batches, and what was seen of each as it was drawn.

    Attributes:
        feed: The batches.
        seen: What tells whether targets can be swapped.
    """

    feed: Feed
    seen: list[_Seen]

    def cut(self, model: Any) -> _Drawn:
        """In smaller batches, where they are too few to tell what is noise."""
        rows = self.feed.rows
        if len(rows) >= TUNING.parts or keras_names.fixed_batch(model) is not None:
            return self
        pieces = -(-TUNING.parts // len(rows))
        size = keras_names.shared(model, max(1, min(rows) // pieces))
        feed = self.feed.cut(size)
        # The shapes are those of whole batches: alike if these are.
        return _Drawn(feed, (self.seen * pieces)[: len(feed.rows)])

    def split(self, at: int) -> tuple[_Drawn, _Drawn]:
        before, after = self.feed.split(at)
        return _Drawn(before, self.seen[:at]), _Drawn(after, self.seen[at:])

    @property
    def target(self) -> bytes | None:
        """The targets of a row, where all rows have the same; else None."""
        firsts = {one.target for one in self.seen}
        return firsts.pop() if len(firsts) == 1 else None

    @property
    def alike(self) -> int:
        """How many of the first batches may swap targets; 0 where it says nothing."""
        alike = 0
        for one in self.seen:
            if one.targets != self.seen[0].targets:
                break
            alike += 1
        varies = any(one.varies for one in self.seen)
        return alike if alike > 1 and varies and self.seen[0].targets else 0

    def swapped(self, alike: int) -> Feed | None:
        """So many of the batches with the targets of others; None for none."""
        return self.feed.swapped(alike) if alike else None


@dataclass(frozen=True)
class _BothDrawn:
    """What was drawn to train on and to hold out.

    Attributes:
        train: To train on.
        held: To judge by.
        count: Batches that were drawn from something that yields them.
    """

    train: _Drawn
    held: _Drawn
    count: int


@dataclass(frozen=True)
class _Seen:
    """What was seen of a batch.

    Attributes:
        targets: The shapes of what stands beside the inputs.
        varies: Whether not all rows have the same inputs.
        target: The targets of a row, where all rows have the same; else None.
    """

    targets: tuple[tuple[int, ...], ...]
    varies: bool
    target: bytes | None


class _Draws:
    """Draws batches and looks at each."""

    def __init__(self, model: Any, building: Building, room: float) -> None:
        self._model = model
        self._building = building
        self._room = room

    def rows(
        self,
        given: Given,
        index: Index,
        size: int,
        is_whole: bool,
        name: str = "the data",
    ) -> _Drawn:
        """Batches of some rows of arrays.

        Args:
            given: The arrays.
            index: The rows, for whole batches.
            size: Rows of a batch.
            is_whole: Whether the user's own batches of the arrays are all of one size.
            name: What the user calls the data.
        """
        count = len(index) // size
        arrays = (given.x, given.y, given.sample_weight)
        a_row = size_of(arrays) / count_rows(given.x)
        if a_row * len(index) > self._room:
            x = RowBatches(arrays, index.reshape(count, size))
            small = replace(given, x=x, y=None, sample_weight=None, batch_size=None)
        else:
            if keras.backend.backend() == "tensorflow" and not is_whole:
                # One row of a further batch: a step on TensorFlow is traced for what is
                # known of the size of batches, and so one trace serves fits, too.
                index = np.append(index, index[:1])
            x, y, weight = keras_data.rows_of(arrays, index)
            small = replace(given, x=x, y=y, sample_weight=weight, batch_size=size)

        def place(number: int, row: int) -> str:
            return f"row {index[number * size + row]} of {name}"

        return self._draw(small, count, place)

    def stream(self, given: Given, count: int, name: str) -> _Drawn:
        """The first batches of something that yields them."""
        x = given.x
        is_generator = isinstance(x, Iterator)
        if is_generator:
            first = next(x, None)
            if first is None:
                raise ValueError(TOO_FEW.format(0))
            x = bounded(chain([first], x), count, self._room)
        elif isinstance(x, keras.utils.PyDataset):
            x = FirstOf(x, count)
        small = replace(given, x=x, batch_size=None, begins_anew=not is_generator)
        return self._draw(small, count, lambda number, _: f"batch {number} of {name}")

    def validation(self, validation: Any, given: Given, seed: int) -> _Drawn:
        """What the user has held out."""
        name = "validation_data"
        if isinstance(validation, tuple | list) and keras_data.are_arrays(*validation):
            x, y, weight = (*validation, None, None)[:3]
            rows = count_rows(x)
            held = min(rows, TUNING.most_rows_held)
            size = min(held_size(self._model, given.batch_size or 32, held), rows)
            index = np.random.default_rng(seed).permutation(rows)
            index = index[: held // size * size]
            return self.rows(Given(x, y, weight), index, size, True, name)
        return self.stream(Given(validation), TUNING.most_batches_held, name)

    def _draw(
        self, given: Given, count: int, place: Callable[[int, int], str]
    ) -> _Drawn:
        seen: list[_Seen] = []

        def look(number: int, batch: Batch) -> None:
            parts = batch if isinstance(batch, tuple | list) else (batch,)
            _check_finite(batch, lambda row: place(number, row))
            targets = keras.tree.flatten(parts[1:2])
            shapes = [tuple(leaf.shape) for leaf in keras.tree.flatten(parts[1:])]
            target = None if _varies(targets) else _first_row(targets)
            seen.append(_Seen(tuple(shapes), _varies(parts[0]), target))

        feed = draw(self._model, given, self._building, count, self._room, look)
        return _Drawn(feed, seen)


def _check_finite(batch: Batch, place: Callable[[int], str]) -> None:
    for leaf in keras.tree.flatten(batch):
        values = _numbers(leaf)
        if values is None or np.isfinite(values).all():
            continue
        bad = ~np.isfinite(values).reshape(len(values), -1).all(axis=1)
        raise ValueError(
            "The data must be finite. Received: NaN or infinity in "
            f"{place(int(np.argmax(bad)))}, counted from 0. Leave those rows out."
        )


def _varies(inputs: Any) -> bool:
    """Whether not all rows of some inputs are the same, as far as it can be known."""
    for leaf in keras.tree.flatten(inputs):
        values = _array(leaf)
        # The first two tell, as a rule: the others need not be compared.
        if values is None or (values[1:2] != values[:1]).any():
            return True
        if (values[1:] != values[:-1]).any():
            return True
    return False


def _first_row(leaves: list[Any]) -> bytes:
    return b"".join(np.ascontiguousarray(_array(leaf)[:1]).tobytes() for leaf in leaves)


def _numbers(leaf: Any) -> Any:
    """A leaf of a batch as an array of floats; None if it is none."""
    values = _array(leaf)
    is_float = values is not None and "float" in values.dtype.name
    return values if is_float else None


def _array(leaf: Any) -> Any:
    """A leaf of a batch as an array with rows; None where it is none, or sparse."""
    if leaf is None or not hasattr(leaf, "__array__"):
        return None
    values = np.asarray(keras.ops.convert_to_numpy(processes.own_rows(leaf)))
    return values if values.ndim else None


def _check_batched(model: Any, x: Any) -> None:
    """Refuse a dataset of single rows, which Keras' own error does not tell."""
    spec = getattr(x, "element_spec", None)
    inputs = getattr(model, "inputs", None)
    if spec is None or not inputs:
        return
    first = keras.tree.flatten(spec)[0]
    rank = getattr(getattr(first, "shape", None), "rank", None)
    if rank is not None and rank == len(inputs[0].shape) - 1:
        raise ValueError(
            "A tf.data.Dataset must yield batches. Received: one that yields single "
            f"rows of shape {tuple(first.shape)}. Give x.batch(32)."
        )
