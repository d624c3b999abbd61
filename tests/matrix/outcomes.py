"""What a corner's run came to, and files that keep it between two calls."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path

PASSED = "passed"
FAILED = "failed"
NOT_TO_BE_HAD = "not to be had here"


@dataclass(frozen=True)
class Counts:
    """Tests by how they ended, and the names of those that failed."""

    passed: int = 0
    skipped: int = 0
    failures: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """What a corner's run came to.

    Attributes:
        corner: Its name.
        verdict: One of the three words above.
        reason: Why it could not be had, or what went wrong beside the tests.
        day: Of the run, as in 2026-11-26.
        commit: Of this project.
        installed: Name and version of Python, Keras, the engine and NumPy.
        counts: Of the tests.
        seconds: That the tests took.
    """

    corner: str
    verdict: str
    reason: str = ""
    day: str = ""
    commit: str = ""
    installed: tuple[tuple[str, str], ...] = ()
    counts: Counts = Counts()
    seconds: float = 0.0


def write(outcome: Outcome, folder: Path) -> None:
    """Keep it, in place of the corner's last."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(dataclasses.asdict(outcome), indent=1)
    (folder / f"{outcome.corner}.json").write_text(text + "\n", encoding="utf-8")


def read(corner: str, folder: Path) -> Outcome | None:
    """The corner's last outcome; None if it was not run yet."""
    path = folder / f"{corner}.json"
    if not path.exists():
        return None
    fields = json.loads(path.read_text(encoding="utf-8"))
    counts = fields.pop("counts")
    installed = tuple((name, version) for name, version in fields.pop("installed"))
    failures = tuple(counts.pop("failures"))
    return Outcome(
        **fields, installed=installed, counts=Counts(**counts, failures=failures)
    )
