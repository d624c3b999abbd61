"""A loop over batches with a model's own step, without all that ``fit`` does around it.

A search makes many short trainings of one model. Half of the time of a fit of thirty
updates goes into what comes before the first of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np

from keras_lr.fit import keras_names
from keras_lr.fit.feed import Feed
from keras_lr.plan.curves import FloatArray


def train(
    model: Any,
    iterator: Iterator[Any],
    batches: int,
    is_last: Callable[[int], bool],
) -> None:
    """Train a model by the step that it has now.

    Args:
        model: A built and compiled model.
        iterator: Yields the batches.
        batches: How many of them.
        is_last: Is asked before each call of the step, with the batches so far, whether
            it is to be the last one.
    """
    each = int(model.steps_per_execution)
    backend = keras.backend.backend()
    model.reset_metrics()
    if backend == "jax":
        _train_on_jax(model, iterator, range(0, batches, each), is_last)
        return
    step = keras_names.plain_function(model)
    if backend == "torch":
        model.train()
    try:
        for done in range(0, batches, each):
            ends = is_last(done)
            step([next(iterator)] if backend == "torch" else iterator)
            if ends:
                return
    finally:
        if backend == "torch":
            model.eval()


def _train_on_jax(
    model: Any,
    iterator: Iterator[Any],
    calls: range,
    is_last: Callable[[int], bool],
) -> None:
    step = keras_names.plain_function(model)
    state = keras_names.take_state(model, trains=True)
    keras_names.hold_state(model, state)
    try:
        for done in calls:
            ends = is_last(done)
            _, state = step(state, iterator)
            keras_names.hold_state(model, state)
            if ends:
                return
    finally:
        keras_names.put_state(model)


def losses_of(model: Any, feed: Feed, batches: int) -> FloatArray | None:
    """The mean loss of each batch, as ``evaluate`` finds it.

    Returns:
        Shape ``(batches,)``; None where the model's test step reports no loss.
    """
    test = keras_names.test_function(model)
    model.reset_metrics()
    if keras.backend.backend() == "jax":
        found = _test_on_jax(model, test, _each(model, feed, batches))
    else:
        found = _test(model, test, _each(model, feed, batches))
    if not keras_names.has_heard_of_loss(model):
        return None
    if any("loss" not in logs for logs in found):
        return None
    # Fetched at the end, so that nothing waits for the device before.
    return np.array([keras.ops.convert_to_numpy(logs["loss"]) for logs in found], float)


def _each(model: Any, feed: Feed, batches: int) -> Iterator[Iterator[Any]]:
    """For each batch an iterator that begins with it."""
    if model.steps_per_execution == 1:
        iterator = feed.first(batches)
        for _ in range(batches):
            yield iterator
        return
    # A call of the test function takes several: there must be no more than this one.
    for number in range(batches):
        yield feed.one(number)


def _test(model: Any, test: Any, iterators: Iterator[Iterator[Any]]) -> list[Any]:
    is_torch = keras.backend.backend() == "torch"
    found = []
    for iterator in iterators:
        # The metrics begin anew: what they say is of this batch alone.
        model.reset_metrics()
        found.append(test([next(iterator)] if is_torch else iterator))
    return found


def _test_on_jax(
    model: Any, test: Any, iterators: Iterator[Iterator[Any]]
) -> list[Any]:
    metrics = [keras_names.read(one) for one in model.metrics_variables]
    state = keras_names.take_state(model, trains=False)
    keras_names.hold_state(model, state)
    found = []
    try:
        for iterator in iterators:
            # The metrics begin anew, as above.
            logs, state = test((*state[:2], list(metrics)), iterator)
            keras_names.hold_state(model, state)
            found.append(logs)
    finally:
        keras_names.put_state(model)
    return found
