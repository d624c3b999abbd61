"""Short trainings of a borrowed model, and how well they did on what is held out."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from keras_lr.finder.batches import Batches
from keras_lr.finder.borrowed import Borrowed
from keras_lr.finder.judge import SURE
from keras_lr.finder.sweep import LEAST_APART
from keras_lr.plan.curves import FloatArray

#: Times its standard error that the fall of the mean held-out loss must have.
SURE_OF_MEAN = 3.0


class Trainings:
    """Trainings of one model, each from the same state and on the same batches.

    One after another, on JAX too: side by side (``vmap``) five of 98 updates of a small
    net take a tenth of a second less, and 1.6 to 3 seconds more to compile.

    Args:
        model: The model, borrowed.
        borrowed: What takes it back to its state.
        train: Batches to train on.
        held: Batches to judge on.
    """

    def __init__(
        self, model: Any, borrowed: Borrowed, train: Batches, held: Batches
    ) -> None:
        self._model, self._borrowed = model, borrowed
        self._train, self._held = train, held

    def fit(self, updates: int, over: Callable[[int], bool]) -> None:
        """Train, until a function that is asked before each batch says it is over."""
        batches = self._train.first(updates * self._borrowed.accumulation)
        watch = _Watch(over)
        data = batches.for_fit()
        self._model.fit(data, shuffle=False, verbose=0, callbacks=[watch])

    def probe(self, rates: FloatArray) -> tuple[float, FloatArray, int]:
        """Train at given rates from the state of the beginning.

        Returns:
            The mean held-out loss, infinite where the training was lost; that of each
            batch; and the updates that were spent.
        """
        self._borrowed.again(rates, quick=True)
        self.fit(len(rates), self._lost)
        updates = self._borrowed.spent()
        loss, losses = self.evaluate()
        if updates < len(rates) or not math.isfinite(loss):
            loss = math.inf
        return loss, losses, updates

    def evaluate(self, swapped: bool = False) -> tuple[float, FloatArray]:
        """The mean loss of what is held out, and the loss of each batch of it.

        Args:
            swapped: Whether with the targets of other rows. What predicts the same for
                every row does that no worse.
        """
        running = _Running()
        held = self._held.swapped() if swapped else self._held
        self._model.evaluate(held, verbose=0, callbacks=[running])
        rows = np.cumsum(self._held.sizes())[[batch for batch, _ in running.seen]]
        means = np.array([loss for _, loss in running.seen])
        with np.errstate(invalid="ignore"):  # A lost probe has infinite losses.
            sums: FloatArray = np.diff(means * rows, prepend=0)
        return float(means[-1]), sums / np.diff(rows, prepend=0)

    def _lost(self, batch: int) -> bool:
        # Now and then: each look waits for the device.
        due = batch % LEAST_APART == 0
        return due and not np.isfinite(self._borrowed.seen()[0]).all()


def is_real(before: FloatArray, after: FloatArray) -> bool:
    """Whether the losses of the batches held out fell, and not by chance.

    By the fall of each batch and its standard error: the relative fall, where batches
    of quite different losses count alike, or the fall itself, where batches that began
    near 0 do not hide it. A few rows that lie far off decide neither.
    """
    sizes = np.maximum(np.abs(before) + np.abs(after), 1e-30)
    for falls, sure in (
        ((before - after) / sizes, SURE),
        ((before - after) / sizes.mean(), SURE_OF_MEAN),
    ):
        error = np.std(falls) / math.sqrt(max(1, len(falls) - 1))
        if falls.mean() > sure * error + 1e-5:
            return True
    return False


class _Watch(keras.callbacks.Callback):  # type: ignore[misc]
    """Stops a fit before a batch at which a function says so."""

    def __init__(self, over: Callable[[int], bool]) -> None:
        super().__init__()
        self._over = over

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Ask it."""
        if self._over(batch):
            self.model.stop_training = True


class _Running(keras.callbacks.Callback):  # type: ignore[misc]
    """Keeps the running mean of the loss after each batch of an evaluation."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[int, float]] = []

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        """Keep it."""
        self.seen.append((batch, float(logs["loss"])))
