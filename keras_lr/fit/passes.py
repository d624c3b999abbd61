"""Passes over the data of a fit beside it, of which the fit does not notice a thing."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import keras

from keras_lr.fit import keras_data
from keras_lr.plan.words import shown

#: Gives so many batches to train on.
Draw = Callable[[int], Iterator[Any]]


def passes(model: Any, source: Any, *, are_endless: bool = True) -> Draw:
    """Batches of what a fit iterates over, pass after pass, from the first one on.

    Each pass over the data has an order of its own where the fit shuffles.

    Args:
        model: Whose devices share each batch.
        source: What the fit iterates over.
        are_endless: Whether one pass follows another; else there is one, which may end
            before there are as many batches as are asked for.
    """

    def draw(count: int) -> Iterator[Any]:
        if keras.backend.backend() == "tensorflow":
            dataset = keras_data.dataset_of(source)
            whole = dataset.repeat() if are_endless else dataset
            return iter(keras_data.distributed(model, whole.take(count)))
        once = keras_data.batches_of
        batches = _pass_after_pass(source) if are_endless else once(source)
        return islice(batches, count)

    return draw


def _pass_after_pass(source: Any) -> Iterator[Any]:
    has_some = True
    while has_some:
        has_some = False
        for batch in keras_data.batches_of(source):
            has_some = True
            yield batch


def unhooked(data: Any) -> Any:
    """Data that can be gone through beside a fit that goes through them as well."""
    return _Batches(data) if isinstance(data, keras.utils.PyDataset) else data


class _Batches(keras.utils.PyDataset):  # type: ignore[misc]
    """The batches of a PyDataset whose hooks hear nothing of it.

    They may shuffle its rows, which is for the fit that it is given to.
    """

    def __init__(self, dataset: Any) -> None:
        super().__init__()
        self._dataset = dataset

    @property
    def num_batches(self) -> int | None:
        """How many there are in a pass; None if there is no end."""
        count: int | None = self._dataset.num_batches
        return count

    def __getitem__(self, index: int) -> Any:
        return self._dataset[index]


def can_be_shuffled(x: Any, y: Any, sample_weight: Any) -> bool:
    """Whether ``fit`` puts data into another order; of others it warns if it is to."""
    is_dataset = isinstance(x, keras.utils.PyDataset)
    return is_dataset or keras_data.are_arrays(x, y, sample_weight)


def check_can_be_shared(name: str, data: Any, instead: str) -> None:
    """Raise where going through data beside a fit would change what the fit gets.

    Args:
        name: What the user calls the data.
        data: Inputs, as ``fit`` takes them.
        instead: The argument that takes others.

    Raises:
        ValueError: If the data can be gone through only once, or are shuffled anew each
            time by themselves.
    """
    next_step = f"Give data for the branches alone, as `{instead}`."
    if isinstance(data, Iterator):
        raise ValueError(
            f"A branch goes through the data of the fit beside it, so that `{name}` "
            f"must be something that can be gone through again. Received: {name}="
            f"{shown(data)}. {next_step}"
        )
    if keras_data.shuffles_itself(data):
        # Its order is drawn from a generator inside of it, which cannot be set back.
        raise ValueError(
            f"A branch goes through the data of the fit beside it, so that `{name}` "
            "must not be a tf.data.Dataset that shuffles itself anew each time. "
            f"Received: {name}={shown(data)}. {next_step} A second dataset made in the "
            "same way will do."
        )


def state_of(data: Any) -> Callable[[], None]:
    """Take the state of a torch DataLoader's own random numbers; sets it again."""
    generators = []
    if "torch" in sys.modules:
        for owner in (data, getattr(data, "sampler", None)):
            generator = getattr(owner, "generator", None)
            if isinstance(generator, sys.modules["torch"].Generator):
                generators.append((generator, generator.get_state()))

    def again() -> None:
        for generator, state in generators:
            generator.set_state(state)

    return again
