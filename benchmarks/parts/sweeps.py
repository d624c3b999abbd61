"""What a sweep costs: a fit under ``LRFinder`` over a plain fit of as many updates.

A round makes new models for both, so that both compile, and then trains each once more.
Copying, looking at the losses, restoring and judging are part of the sweep, which ends
far below the edge, so that it never stops early.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras

import keras_lr
from benchmarks.figures import BACKENDS, Figure, compared, walls
from benchmarks.nets import BATCH, dense, noise
from benchmarks.pairs import spread
from benchmarks.turns import Prepare, Run, Turns, take_turns

FIT = "plain fit"
SWEEP = "sweep"
LOWEST = 1e-9
HIGHEST = 1e-5
#: The first one imports and warms up.
WARM_UP = 1


@dataclass(frozen=True)
class Size:
    """Rounds, and the sweeps by layers of the net and updates."""

    rounds: int
    sweeps: tuple[tuple[int, int], ...]


SIZES = {
    "quick": Size(1, ((2, 20),)),
    "default": Size(3, ((2, 200),)),
    "full": Size(9, ((2, 200), (2, 2000), (20, 200))),
}


class Models:
    """The model that each way trains: a new one whenever its turn begins a round."""

    def __init__(self, layers: int, updates: int, anew: bool) -> None:
        self._layers = layers
        self._data = noise(updates)
        self._updates = updates
        self._anew = anew
        self._kept: dict[str, Any] = {}

    def prepare(self, way: str) -> Prepare:
        """What is timed for a way: a fit, with a sweep or without."""
        return lambda: self._run(way)

    def _run(self, way: str) -> Run:
        if self._anew or way not in self._kept:
            self._kept[way] = dense(self._layers)
        model = self._kept[way]
        x, y = self._data
        callbacks = []
        if way == SWEEP:
            steps = self._updates
            finder = keras_lr.LRFinder(LOWEST, HIGHEST, steps=steps, verbose=0)
            callbacks.append(finder)
        return lambda: model.fit(x, y, batch_size=BATCH, verbose=0, callbacks=callbacks)


def measure(size: str) -> list[Figure]:
    """A row for each net and number of updates."""
    chosen = SIZES[size]
    figures = []
    for layers, updates in chosen.sweeps:
        row = f"{updates} updates, {layers} dense layers"
        for anew in (True, False):
            models = Models(layers, updates, anew)
            prepares = {way: models.prepare(way) for way in (FIT, SWEEP)}
            turns = take_turns(prepares, chosen.rounds + WARM_UP)
            figures += _row(row, turns.between(WARM_UP, 0), anew)
    return figures


def _row(row: str, turns: Turns, anew: bool) -> list[Figure]:
    table = f"a sweep over a plain fit, {BACKENDS[keras.backend.backend()]}"
    column = "both compile" if anew else "neither compiles"
    ratios = [
        Figure(table, row, each.column, each.spread, each.unit, error=each.error)
        for each in compared(turns, table, SWEEP, FIT, column)
    ]
    if FIT in turns.errors:
        return ratios
    fits = [1e3 * seconds for seconds in walls(turns.readings[FIT])]
    return [*ratios, Figure(table, row, f"{column}: the plain fit", spread(fits), "ms")]
