"""Batches as plain values, to be sent to another process and fed to a step there."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from keras_lr.fit.feed import Batch, DatasetFeed, Feed, ListFeed


@dataclass(frozen=True)
class PackedFeed:
    """Batches that pickle takes.

    Attributes:
        batches: Each as the step gets it; on TensorFlow the arrays that it consists of.
        rows: Rows of each.
        spec: What TensorFlow knows of all of them, which a trace depends on.
    """

    batches: list[Any]
    rows: list[int]
    spec: Any = None


def pack(feed: Feed) -> PackedFeed:
    """All batches of a feed that keeps them."""
    batches = feed.first(len(feed.rows))
    if keras.backend.backend() != "tensorflow":
        # Arrays of JAX and of torch know themselves how to be pickled.
        return PackedFeed(list(batches), feed.rows)
    spec = batches.element_spec  # type: ignore[attr-defined]
    return PackedFeed([_parts(batch) for batch in batches], feed.rows, spec)


def unpack(packed: PackedFeed, model: Any) -> Feed:
    """The batches, to be fed to a model's step in this process."""
    if keras.backend.backend() != "tensorflow":
        return ListFeed(packed.batches)
    tf = importlib.import_module("tensorflow")

    def batches() -> Iterator[Batch]:
        for parts in packed.batches:
            tensors = [tf.constant(part) for part in parts]
            yield tf.nest.pack_sequence_as(packed.spec, tensors, expand_composites=True)

    dataset = tf.data.Dataset.from_generator(batches, output_signature=packed.spec)
    return DatasetFeed(model, dataset.cache(), packed.rows)


def _parts(batch: Batch) -> list[NDArray[Any]]:
    """The arrays of a batch, and those that sparse and ragged tensors are made of."""
    tf = importlib.import_module("tensorflow")
    leaves = tf.nest.flatten(batch, expand_composites=True)
    return [np.asarray(leaf) for leaf in leaves]
