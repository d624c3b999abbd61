"""Short trainings that rivals tune by, judged on rows held out as ``find_lr`` does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks.finder.train import Trainer
from benchmarks.finder.truth import shape
from keras_lr.finder.tuning import TUNING

#: Updates of a whole short training, and of each piece of it. Every training on a task
#: is made of such pieces, so that one compiled loop serves all of them.
LENGTH = 100
PIECE = 10


def held_out(rows: int, seed: int) -> tuple[Any, Any]:
    """Numbers of the rows that ``find_lr`` trains on, and of those it holds out."""
    order = np.random.default_rng(seed).permutation(rows)
    held = min(int(rows * TUNING.share_held), TUNING.most_rows_held)
    return order[held:], order[:held]


class ShortTrainings:
    """Trainings of 100 updates from one seed, which follow a schedule in small.

    All begin with the same weights and see the same batches.
    """

    def __init__(self, trainer: Trainer, seed: int, schedule: str) -> None:
        x, y = trainer.data[:2]
        left, held = held_out(len(x), seed)
        self._trainer = trainer
        self._seed = seed
        self._held = x[held], y[held]
        self._batches = left[trainer.batches(seed, LENGTH, len(left))]
        self._shape = shape(schedule, LENGTH)

    def loss(self, rate: float) -> float:
        """Held-out loss at the end; infinite where the training was lost."""
        *_, last = self._states(rate)
        return self._judge(last)

    def losses(self, rate: float) -> Iterator[float]:
        """Held-out loss after each piece, as long as it is asked for."""
        for state in self._states(rate):
            yield self._judge(state)

    def _judge(self, state: Any) -> float:
        loss = self._trainer.value(state, *self._held)
        return loss if np.isfinite(loss) else np.inf

    def _states(self, rate: float) -> Iterator[Any]:
        state: Any = self._trainer.begin(self._seed)
        for begin in range(0, LENGTH, PIECE):
            piece = slice(begin, begin + PIECE)
            rates = rate * self._shape[piece]
            state, _ = self._trainer.advance(state, rates, self._batches[piece])
            yield state


def swept(trainer: Trainer, seed: int, rates: Any) -> Any:
    """The loss of each update of a sweep over all training rows."""
    state: Any = trainer.begin(seed)
    batches = trainer.batches(seed, len(rates))
    losses = []
    for begin in range(0, len(rates), PIECE):
        piece = slice(begin, begin + PIECE)
        state, seen = trainer.advance(state, rates[piece], batches[piece])
        losses.append(np.asarray(seen, float))
    return np.concatenate(losses)
