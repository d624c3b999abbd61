"""What came of each point that was tried, and the table of counts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

WHOLE = "nothing lost"
ERROR = "clear error"
FAULT = "fault"
VERDICTS = (WHOLE, ERROR, FAULT)

#: Characters of what was said, in a list of faults.
LONGEST = 400


@dataclass(frozen=True)
class Amounts:
    """How many points are tried of each kind, on a backend.

    Attributes:
        kills: Processes killed.
        interrupts: Ctrl-C: a third in a fit, in a sweep and in a race each.
        rounds: Times that each other place is tried, at other random points.
    """

    kills: int
    interrupts: int
    rounds: int


@dataclass(frozen=True)
class Outcome:
    """What came of one point.

    Attributes:
        kind: What was tried, as the table calls it.
        place: Where, so that it can be found again.
        verdict: One of ``VERDICTS``.
        said: The error, or what was lost.
    """

    kind: str
    place: str
    verdict: str
    said: str = ""

    def as_line(self) -> str:
        """One line of JSON."""
        return json.dumps(asdict(self))


def of_line(line: str) -> Outcome:
    """The outcome that a line of JSON tells."""
    return Outcome(**json.loads(line))


def table(by_backend: dict[str, Sequence[Outcome]]) -> str:
    """The counts as a Markdown table.

    Example:
        >>> print(table({"jax": [Outcome("kill -9", "0.2 s", WHOLE)]}))
        | kind | backend | tried | nothing lost | clear error | fault |
        |---|---|---|---|---|---|
        | kill -9 | jax | 1 | 1 | 0 | 0 |
    """
    head = ["kind", "backend", "tried", *VERDICTS]
    lines = [_row(head), _row(["---"] * len(head)).replace(" ", "")]
    every = [one for outcomes in by_backend.values() for one in outcomes]
    for kind in dict.fromkeys(one.kind for one in every):
        for backend, outcomes in by_backend.items():
            of_kind = [one.verdict for one in outcomes if one.kind == kind]
            counts = [of_kind.count(verdict) for verdict in VERDICTS]
            if of_kind:
                lines.append(_row([kind, backend, len(of_kind), *counts]))
    return "\n".join(lines)


def faults(outcomes: Iterable[Outcome]) -> list[str]:
    """One line for each fault: where, and what was lost."""
    return [
        f"{one.kind}, {one.place}: {' '.join(one.said.split())[-LONGEST:]}"
        for one in outcomes
        if one.verdict == FAULT
    ]


def _row(cells: Sequence[object]) -> str:
    return f"| {' | '.join(map(str, cells))} |"
