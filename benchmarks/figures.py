"""What a part of the benchmark hands over: one record a figure, written as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from benchmarks.pairs import Spread, differences, ratios, spread
from benchmarks.turns import Reading, Turns

#: How backends are called in tables.
BACKENDS = {"tensorflow": "TensorFlow", "jax": "JAX", "torch": "torch"}
RATIO = "ratio"
PROCESSOR = "processor time"
WALL = "wall time"


@dataclass(frozen=True)
class Figure:
    """One cell of a table.

    Attributes:
        table: Title of its table.
        row: What was measured.
        column: What of it.
        spread: The numbers; None where `text` or `error` says it.
        unit: Of the numbers, such as ``"ms"``; ``"ratio"`` for none.
        text: What is no number.
        error: Why there is nothing to show.
    """

    table: str
    row: str
    column: str
    spread: Spread | None = None
    unit: str = ""
    text: str = ""
    error: str = ""


def to_json(figures: Sequence[Figure]) -> str:
    """As text for another process."""
    return json.dumps([asdict(figure) for figure in figures])


def from_json(text: str) -> list[Figure]:
    """What another process measured."""
    figures = []
    for record in json.loads(text):
        numbers = record.pop("spread")
        numbers = None if numbers is None else Spread(**numbers)
        figures.append(Figure(spread=numbers, **record))
    return figures


def walls(readings: Sequence[Reading]) -> list[float]:
    """Seconds that a user waits."""
    return [reading.wall for reading in readings]


def processors(readings: Sequence[Reading]) -> list[float]:
    """Seconds of the processor."""
    return [reading.processor for reading in readings]


def compared(
    turns: Turns, table: str, name: str, beside: str, column: str = ""
) -> list[Figure]:
    """The ratios of someone's turns to another's, by both clocks.

    Args:
        turns: Of both.
        table: Title of the table.
        name: Whose.
        beside: To whose.
        column: Put before the names of the clocks.

    Returns:
        Two figures, or one that says what failed.
    """
    prefix = f"{column}, " if column else ""
    for failed in (name, beside):
        if failed in turns.errors:
            error = turns.errors[failed]
            return [Figure(table, name, f"{prefix}{PROCESSOR}", error=error)]
    own = turns.readings[name]
    other = turns.readings[beside]
    return [
        Figure(
            table,
            name,
            f"{prefix}{clock}",
            spread(ratios(seconds_of(own), seconds_of(other))),
            RATIO,
        )
        for clock, seconds_of in ((PROCESSOR, processors), (WALL, walls))
    ]


def extra(
    turns: Turns,
    table: str,
    name: str,
    beside: str,
    column: str,
    scale: float,
    unit: str,
) -> list[Figure]:
    """By how much processor time someone's turns are longer than another's."""
    if name in turns.errors or beside in turns.errors:
        return []
    own = processors(turns.readings[name])
    other = processors(turns.readings[beside])
    longer = [scale * seconds for seconds in differences(own, other)]
    return [Figure(table, name, column, spread(longer), unit)]
