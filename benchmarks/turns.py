"""Taking turns, by the clock: what alternates in one process is timed in pairs."""

from __future__ import annotations

import gc
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from benchmarks.pairs import orders

#: Longer messages of what failed are cut.
LONGEST = 160
#: Where somebody's files lie is nobody's business.
PATH = re.compile(r"(?:[A-Za-z]:)?(?:[/\\][\w.+~-]+){2,}[/\\]?")


@dataclass(frozen=True)
class Reading:
    """Seconds, by two clocks.

    Attributes:
        wall: What a user waits for; disturbed by whoever else uses the machine.
        processor: What this process computed, all its threads together.
    """

    wall: float
    processor: float

    def __sub__(self, earlier: Reading) -> Reading:
        return Reading(self.wall - earlier.wall, self.processor - earlier.processor)


Clock = Callable[[], Reading]
#: What is timed.
Run = Callable[[], object]
#: Makes what is timed, which itself is not.
Prepare = Callable[[], Run]


def now() -> Reading:
    """What both clocks say."""
    return Reading(time.perf_counter(), time.process_time())


@dataclass(frozen=True)
class Turns:
    """What everyone's turns took.

    Attributes:
        readings: By name, one a round.
        errors: By name, why someone has no readings.
    """

    readings: Mapping[str, list[Reading]]
    errors: Mapping[str, str]

    def between(self, first: int, last: int) -> Turns:
        """The same without so many rounds at the begin, and at the end."""
        kept = {
            name: readings[first : len(readings) - last]
            for name, readings in self.readings.items()
        }
        return Turns(kept, self.errors)


def joined(parts: list[Turns]) -> Turns:
    """One after the other; who failed in one of them has failed."""
    errors: dict[str, str] = {}
    for part in parts:
        errors |= part.errors
    names = [name for name in parts[0].readings if name not in errors]
    readings = {
        name: [reading for part in parts for reading in part.readings[name]]
        for name in names
    }
    return Turns(readings, errors)


def take_turns(
    prepares: Mapping[str, Prepare], rounds: int, clock: Clock = now, seed: int = 0
) -> Turns:
    """Let everyone run once a round, in an order that is new each round.

    Who raises is out from then on: an error is a result as well.

    Args:
        prepares: By name; called before each turn, for what is then timed.
        rounds: Turns of each.
        clock: Read before and after a turn.
        seed: Of the orders.

    Returns:
        What each turn took.
    """
    readings: dict[str, list[Reading]] = {name: [] for name in prepares}
    errors: dict[str, str] = {}
    for order in orders(list(prepares), rounds, seed):
        # Python collects garbage between rounds, and in nobody's turn.
        gc.collect()
        gc.disable()
        try:
            for name in order:
                if name not in errors:
                    _take_turn(name, prepares[name], clock, readings, errors)
        finally:
            gc.enable()
    return Turns(readings, errors)


def _take_turn(
    name: str,
    prepare: Prepare,
    clock: Clock,
    readings: dict[str, list[Reading]],
    errors: dict[str, str],
) -> None:
    try:
        run = prepare()
        begun = clock()
        run()
        readings[name].append(clock() - begun)
    except Exception as error:
        errors[name] = message_of(error)
        del readings[name]


def message_of(error: BaseException) -> str:
    """Kind and first line of an error, without anybody's paths."""
    return readable(f"{type(error).__name__}: {error}")


def readable(text: str) -> str:
    """The first line of a message, cut to a length, without anybody's paths."""
    lines = text.strip().splitlines() or [""]
    line = PATH.sub("...", lines[0])
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 3]}..."
