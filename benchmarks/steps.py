"""Tables of what a step costs, by the way of setting its rate; for three parts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import keras

from benchmarks.figures import BACKENDS, Figure, compared, extra
from benchmarks.nets import BATCH, noise
from benchmarks.paced import Gate, Pause, Start, Work, in_turns
from benchmarks.pairs import spread
from benchmarks.turns import Clock, Turns, now

Callbacks = Callable[[int], list[Any]]
MICROSECONDS = 1e6
MILLISECONDS = 1e3


@dataclass(frozen=True)
class Way:
    """One way of training, and the one that it is compared with.

    Attributes:
        name: In the table.
        beside: Name of the other one; its own for one that others are compared with.
        start: From updates of an epoch and epochs, a training.
    """

    name: str
    beside: str
    start: Callable[[int, int], Work]


@dataclass(frozen=True)
class Size:
    """How long it is looked at.

    Attributes:
        steps: Updates of an epoch.
        rounds: Epochs of a fit that count.
        fits: Of each way.
        layers: Nets to train, by the number of their layers.
    """

    steps: int
    rounds: int
    fits: int
    layers: tuple[int, ...] = (2,)


def no_callbacks(total: int) -> list[Any]:
    """Of a plain fit."""
    return []


def keras_fit(
    make: Callable[[int], Any], callbacks: Callbacks = no_callbacks
) -> Callable[[int, int], Work]:
    """A fit of Keras, from the model and the callbacks of so many updates."""

    def start(steps: int, epochs: int) -> Work:
        total = steps * epochs
        model = make(total)
        given = callbacks(total)
        x, y = noise(steps)

        def work(pause: Pause) -> None:
            model.fit(
                x,
                y,
                batch_size=BATCH,
                epochs=epochs,
                shuffle=False,
                verbose=0,
                callbacks=[*given, Gate(pause)],
            )

        return work

    return start


def measured(
    title: str, ways: Sequence[Way], steps: int, size: Size, clock: Clock = now
) -> list[Figure]:
    """A table of ways whose epochs took turns.

    Args:
        title: Of the table; backend and device are put behind it.
        ways: To compare.
        steps: Updates of an epoch.
        size: For rounds and fits.
        clock: Read around each epoch.

    Returns:
        The figures.
    """
    starts = {way.name: _of_epochs(way, steps) for way in ways}
    turns, first = in_turns(starts, size.rounds, size.fits, clock)
    table = f"{title}, {BACKENDS[keras.backend.backend()]}"
    return [figure for way in ways for figure in _row(way, table, turns, first, steps)]


def _of_epochs(way: Way, steps: int) -> Start:
    return lambda epochs: way.start(steps, epochs)


def _row(way: Way, table: str, turns: Turns, first: Turns, steps: int) -> list[Figure]:
    if way.name in turns.errors:
        return [Figure(table, way.name, "a step", error=turns.errors[way.name])]
    scale = MILLISECONDS / steps
    each = [scale * reading.processor for reading in turns.readings[way.name]]
    compiling = [reading.processor for reading in first.readings[way.name]]
    figures = [Figure(table, way.name, "a step", spread(each), "ms")]
    if way.beside == way.name:
        figures.append(Figure(table, way.name, "processor time", text="1"))
        figures.append(Figure(table, way.name, "wall time", text="1"))
        figures.append(Figure(table, way.name, "more a step", text="0"))
    else:
        figures += compared(turns, table, way.name, way.beside)
        figures += extra(
            turns, table, way.name, way.beside, "more a step",
            MICROSECONDS / steps, "us",
        )  # fmt: skip
    figures.append(
        Figure(table, way.name, "first epoch, compiling", spread(compiling), "s")
    )
    return figures


def epoch_of(layers: int, steps: int) -> int:
    """Updates of an epoch: fewer of a deep net, whose single steps last longer."""
    return max(1, steps * 8 // (layers + 6))
