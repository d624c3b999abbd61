"""How long imports take, each in a process of its own, beyond Python's own start."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from benchmarks.figures import BACKENDS, PROCESSOR, WALL, Figure, processors, walls
from benchmarks.pairs import differences, spread
from benchmarks.processes import children, python
from benchmarks.turns import Prepare, Run, Turns, take_turns

EMPTY = "nothing"
TABLE = "an import in a new process"
MILLISECONDS = 1e3


@dataclass(frozen=True)
class Import:
    """What is imported, and beside what.

    Attributes:
        name: In the table.
        code: What Python is to run.
        beside: Name of the import that it is compared with.
        backend: Of Keras.
    """

    name: str
    code: str
    beside: str = EMPTY
    backend: str = ""


@dataclass(frozen=True)
class Size:
    """Processes of each that count, and backends of Keras."""

    rounds: int
    backends: tuple[str, ...]


SIZES = {
    "quick": Size(1, ("jax",)),
    "default": Size(3, tuple(BACKENDS)),
    "full": Size(15, tuple(BACKENDS)),
}


def imports(backends: tuple[str, ...]) -> list[Import]:
    """All that are timed."""
    chosen = [
        Import(EMPTY, "pass"),
        Import("numpy", "import numpy"),
        Import("glossary", "import glossary"),
        Import("wn", "import wn"),
        Import("torch.optim", "import torch.optim.lr_scheduler"),
        Import("optax", "import optax"),
    ]
    for backend in backends:
        keras = f"keras on {BACKENDS[backend]}"
        both = f"keras_lr beside it, {BACKENDS[backend]}"
        chosen.append(Import(keras, "import keras", EMPTY, backend))
        chosen.append(Import(both, "import keras, keras_lr", keras, backend))
    return chosen


def measure(size: str) -> list[Figure]:
    """A row for each import."""
    chosen = SIZES[size]
    among = imports(chosen.backends)
    prepares: dict[str, Prepare] = {
        each.name: partial(_process, each) for each in among
    }
    turns = take_turns(prepares, chosen.rounds, children)
    return [
        figure for each in among if each.name != EMPTY for figure in _row(each, turns)
    ]


def _process(each: Import) -> Run:
    environment = {"KERAS_BACKEND": each.backend} if each.backend else {}
    return python(each.code, environment)


def _row(each: Import, turns: Turns) -> list[Figure]:
    for name in (each.name, each.beside):
        if name in turns.errors:
            return [Figure(TABLE, each.name, WALL, error=turns.errors[name])]
    own = turns.readings[each.name]
    other = turns.readings[each.beside]
    beside = "Python's own start" if each.beside == EMPTY else each.beside
    figures = [Figure(TABLE, each.name, "beyond", text=beside)]
    for clock, seconds_of in ((WALL, walls), (PROCESSOR, processors)):
        longer = differences(seconds_of(own), seconds_of(other))
        times = [MILLISECONDS * seconds for seconds in longer]
        figures.append(Figure(TABLE, each.name, clock, spread(times), "ms"))
    return figures
