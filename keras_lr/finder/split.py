"""Which rows of arrays a search trains on, and which it holds out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from keras_lr.finder.tuning import TUNING
from keras_lr.fit import keras_names
from keras_lr.fit.feed import Given

Index = NDArray[np.int64]


@dataclass(frozen=True)
class Split:
    """Rows of arrays to train on and to hold out.

    Attributes:
        train: Rows of all batches to train on, one after another.
        held: Rows to hold out, for whole batches.
        size: Rows of a batch to train on.
        is_whole: Whether the user's own batches are all of one size.
    """

    train: Index
    held: Index
    size: int
    is_whole: bool


def split_rows(
    given: Given, count: int, holds_out: bool, seed: int, model: Any
) -> Split:
    """Split rows by chance into those to train on, in batches, and those to hold out.

    Args:
        given: The arrays.
        count: Batches of the longest training; epochs follow each other in new orders.
        holds_out: Whether rows are to be held out.
        seed: Of the split and of the orders.
        model: Whose devices share each batch, or that takes batches of one size alone.

    Raises:
        ValueError: If the arrays differ in length, or are too short.
    """
    arrays = (given.x, given.y, given.sample_weight)
    leaves = [leaf for leaf in keras.tree.flatten(arrays) if leaf is not None]
    counts = [int(leaf.shape[0]) for leaf in leaves]
    if len(set(counts)) > 1:
        raise ValueError(
            "All arrays must have as many rows. Received: inputs, targets and weights "
            f"of {', '.join(map(str, counts))} rows."
        )
    rows = counts[0]
    batch_size = given.batch_size or 32
    order = np.random.default_rng(seed).permutation(rows)
    held = 0
    if holds_out:
        held = min(int(rows * TUNING.share_held), TUNING.most_rows_held)
        size = held_size(model, batch_size, held)
        held = max(held // size, 1) * size
    if rows - held < 2 or (holds_out and rows < 5):
        raise ValueError(
            "A search needs at least 5 rows, or validation_data. Received: "
            f"{rows} rows. Give it more data."
        )
    fixed = keras_names.fixed_batch(model)
    if fixed is not None and rows - held < fixed:
        raise ValueError(
            "A search needs a batch to train on, and one to hold out, or "
            f"validation_data. Received: {rows} rows for a model that takes batches of "
            f"{fixed}. Give it more data."
        )
    rng = np.random.default_rng(seed)
    left = order[held:]
    size = keras_names.shared(model, min(batch_size, len(left)))
    whole = len(left) // size
    epochs = [rng.permutation(left)[: whole * size] for _ in range(-(-count // whole))]
    train = np.concatenate(epochs)[: count * size]
    return Split(train, order[:held], size, rows % batch_size == 0)


def held_size(model: Any, batch_size: int, rows: int) -> int:
    """Rows of a batch that is held out: few large ones, but enough to tell noise."""
    fixed = keras_names.fixed_batch(model)
    if fixed is not None:
        return fixed
    size = min(rows // TUNING.parts, TUNING.larger * batch_size)
    return keras_names.shared(model, max(1, size))
