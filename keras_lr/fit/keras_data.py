"""What is done with the names of Keras about data: ``keras_names`` has the contract."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from keras_lr.fit import callers, keras_names


class _Takes(keras.callbacks.Callback):  # type: ignore[misc]
    """Takes what the fit that it is in iterates over."""

    def __init__(self) -> None:
        super().__init__()
        self.taken: Any = None

    def on_train_begin(self, logs: Any = None) -> None:
        """Look at what the fit holds."""
        _, held = callers.list_of_fit()
        self.taken = source_in(held)


def source_of_fit(model: Any, x: Any, y: Any, **options: Any) -> Any:
    """What a fit of a model would iterate over.

    Args:
        model: A compiled model.
        x: What ``fit`` takes as its first argument.
        y: What it takes as its second.
        options: Further arguments of ``fit``; those that are None are left out.

    Raises:
        TypeError: If the model's ``fit`` is not that of Keras, nor calls it.
    """
    takes = _Takes()
    given = {name: value for name, value in options.items() if value is not None}
    if y is not None:
        given["y"] = y
    given = {"shuffle": False, **given, "verbose": 0, "callbacks": [takes]}
    with keras_names.weights_kept(model.optimizer):
        # Some models' own `fit` takes no number of epochs below 1.
        model.fit(x, epochs=1, initial_epoch=1, **given)
    if takes.taken is None:
        raise TypeError(
            "A search needs a model that is trained by the fit of Keras. Received: "
            f"{type(model).__name__}, whose `fit` is another. Use LRFinder in it."
        )
    return takes.taken


def source_in(held: Any) -> Any | None:
    """What the fit that holds some values iterates over; None where there is none."""
    module = importlib.import_module("keras.src.trainers.epoch_iterator")
    found = [one for one in held if isinstance(one, module.EpochIterator)]
    if not found:
        return None
    source = found[0]
    keras_names.check("EpochIterator", source, keras_names.INSTANCE_CONTRACT)
    if keras.backend.backend() == "tensorflow":
        keras_names.check("TFEpochIterator", source, keras_names.INSTANCE_CONTRACT)
    return source


def source_like(source: Any, model: Any, x: Any, **options: Any) -> Any:
    """What the same fit would iterate over with other data.

    Args:
        source: What it iterates over.
        model: Its model.
        x: The data.
        options: Further arguments of ``fit``.
    """
    if keras.backend.backend() == "tensorflow":
        options["distribute_strategy"] = model.distribute_strategy
    return type(source)(x=x, steps_per_execution=model.steps_per_execution, **options)


def batches_in(source: Any) -> int | None:
    """Batches of a pass over what a fit iterates over; None where nobody knows."""
    count: int | None = source.num_batches
    return count


def shuffles_itself(data: Any) -> bool:
    """Whether a tf.data.Dataset has an order of its own, another one each time."""
    if "tensorflow" not in sys.modules:
        return False
    if not isinstance(data, sys.modules["tensorflow"].data.Dataset):
        return False
    datasets = [data]
    while datasets:
        one = datasets.pop()
        # No more than a name and a flag are looked at: a version of TensorFlow that
        # has others shuffles unnoticed.
        if getattr(one, "_reshuffle_each_iteration", False):
            return True
        datasets += one._inputs()
    return False


def batch_size_of(held: Any) -> int | None:
    """Rows of a batch of a fit's data, where these tell.

    Args:
        held: What the fit's frame holds.
    """
    source = source_in(held)
    size = None if source is None else source.data_adapter.batch_size
    return None if size is None else int(size)


def are_arrays(*data: Any) -> bool:
    """Whether ``fit`` takes data as arrays, and cuts batches out of them itself."""
    module = importlib.import_module(
        "keras.src.trainers.data_adapters.array_data_adapter"
    )
    return bool(module.can_convert_arrays(data))


def rows_of(arrays: Any, index: Any) -> Any:
    """Some rows of arrays of any kind that ``fit`` takes."""
    module = importlib.import_module("keras.src.trainers.data_adapters.array_slicing")
    sliceables = module.convert_to_sliceable(arrays)
    return keras.tree.map_structure(
        lambda one: None if one is None else one[index], sliceables
    )


def batches_of(source: Any) -> Iterator[Any]:
    """The batches that a fit on JAX or torch would iterate over, from the first one."""
    return iter(source._get_iterator())


def on_device(batch: Any) -> Any:
    """A batch whose arrays need no transfer at each step, on JAX."""
    if keras.backend.backend() != "jax":
        return batch
    jax = importlib.import_module("jax")

    def put(leaf: Any) -> Any:
        return jax.device_put(leaf) if isinstance(leaf, np.ndarray) else leaf

    return keras.tree.map_structure(put, batch)


def dataset_of(source: Any) -> Any:
    """The dataset that a fit on TensorFlow would iterate over, on one device."""
    tf = importlib.import_module("tensorflow")
    dataset = source._distributed_dataset
    is_one = isinstance(dataset, tf.data.Dataset)
    return dataset if is_one else source.data_adapter.get_tf_dataset()


def distributed(model: Any, dataset: Any) -> Any:
    """A dataset as a fit on TensorFlow hands it to the devices of the model."""
    return model.distribute_strategy.experimental_distribute_dataset(dataset)
