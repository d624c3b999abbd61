"""What a fit an epoch at a time costs: a loop of fits under a schedule with a horizon.

Over the same loop without callbacks. Every model has run the loop before, so that the
step is compiled; a plain loop once more shows what is noise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras

import keras_lr
from benchmarks.figures import BACKENDS, Figure, compared, extra, processors
from benchmarks.nets import BATCH, RATE, Counted, dense, noise
from benchmarks.pairs import spread
from benchmarks.turns import Prepare, Run, Turns, take_turns

PLAIN = "plain fits"
NOISE = "plain fits, again (noise)"


@dataclass(frozen=True)
class Size:
    """How long it is looked at.

    Attributes:
        fits: Of a loop, an epoch each.
        steps: Updates of an epoch.
        rounds: Loops of each way that count.
    """

    fits: int
    steps: tuple[int, ...]
    rounds: int


SIZES = {
    "quick": Size(2, (2,), 1),
    "default": Size(8, (32,), 4),
    "full": Size(16, (32, 256), 15),
}


def ways(fits: int) -> dict[str, Callable[[], list[Any]]]:
    """By name, the callbacks of a loop of so many fits."""
    horizon = f"{fits} epochs"
    return {
        PLAIN: lambda: [],
        NOISE: lambda: [],
        "`OneCycle`, with momentum": lambda: [
            keras_lr.OneCycle(max_lr=RATE, horizon=horizon)
        ],
        "`WarmupCosine`": lambda: [keras_lr.WarmupCosine(max_lr=RATE, horizon=horizon)],
    }


class Loop:
    """One model that is trained an epoch at a time, again and again."""

    def __init__(
        self, callbacks: Callable[[], list[Any]], fits: int, steps: int
    ) -> None:
        self._callbacks = callbacks
        self._fits = fits
        self._data = noise(steps)
        self._model = dense(2, kind=Counted)
        #: How often each loop has traced the step.
        self.traces: list[int] = []

    def prepare(self) -> Run:
        """The loop, with callbacks of its own."""
        callbacks = self._callbacks()
        return lambda: self._run(callbacks)

    def _run(self, callbacks: list[Any]) -> None:
        before = self._model.traced
        for epoch in range(self._fits):
            self._model.fit(
                *self._data,
                batch_size=BATCH,
                initial_epoch=epoch,
                epochs=epoch + 1,
                verbose=0,
                callbacks=callbacks,
            )
        self.traces.append(self._model.traced - before)


def measure(size: str) -> list[Figure]:
    """A table for each length of an epoch."""
    chosen = SIZES[size]
    figures = []
    for steps in chosen.steps:
        loops = {
            name: Loop(callbacks, chosen.fits, steps)
            for name, callbacks in ways(chosen.fits).items()
        }
        prepares: dict[str, Prepare] = {
            name: loop.prepare for name, loop in loops.items()
        }
        # The first loop of each compiles.
        turns = take_turns(prepares, chosen.rounds + 1).between(1, 0)
        table = (
            f"{chosen.fits} fits of {steps} updates each, "
            f"{BACKENDS[keras.backend.backend()]}"
        )
        for name, loop in loops.items():
            figures += _row(table, name, turns, loop.traces, chosen.fits)
    return figures


def _row(
    table: str, name: str, turns: Turns, traces: list[int], fits: int
) -> list[Figure]:
    if name in turns.errors:
        return [Figure(table, name, "a fit", error=turns.errors[name])]
    times = [1e3 * seconds / fits for seconds in processors(turns.readings[name])]
    figures = [Figure(table, name, "a fit", spread(times), "ms")]
    if name == PLAIN:
        figures.append(Figure(table, name, "processor time", text="1"))
        figures.append(Figure(table, name, "wall time", text="1"))
    else:
        figures += compared(turns, table, name, PLAIN)
        figures += extra(turns, table, name, PLAIN, "more a fit", 1e3 / fits, "ms")
    first, *later = traces
    counted = f"{first}, then {max(later)}"
    if keras.backend.backend() == "torch":
        counted = "nothing is compiled"
    return [*figures, Figure(table, name, "traces of a loop", text=counted)]
