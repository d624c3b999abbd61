"""``kill -9`` at random moments of a training that is backed up each epoch."""

from __future__ import annotations

import os
import random
import signal
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tests.faults.counting import ERROR, FAULT, WHOLE, Amounts, Outcome
from tests.faults.life import ORDERS, Life, forked, read_diary

KIND = "kill -9, backed up each epoch"

#: What errors say that are meant to be read: in their last lines.
CLEAR = (
    "half written, as a kill while BackupAndRestore writes leaves it",
    "the run would go on with untrained weights",
)

#: Seconds after which a life that does not end is a fault.
TOO_LONG = 300.0


@dataclass(frozen=True)
class Reference:
    """A run that nobody has killed.

    Attributes:
        life: Where it was.
        seconds: What it took.
        digests: The state at each epoch's begin.
    """

    life: Life
    seconds: float
    digests: dict[int, str]


def try_all(amounts: Amounts, generator: random.Random) -> Iterator[Outcome]:
    """Kill lives until there were as many kills as asked for."""
    with tempfile.TemporaryDirectory() as folder:
        references = {
            order: _reference(Path(folder, order), order)
            for order in ORDERS[: max(1, min(len(ORDERS), amounts.kills // 2))]
        }
        killed = 0
        while killed < amounts.kills:
            order = generator.choice(list(references))
            with tempfile.TemporaryDirectory() as chain:
                left = amounts.kills - killed
                outcomes = _chain(Path(chain), references[order], generator, left)
                for outcome in outcomes:
                    killed += 1
                    yield outcome


def _life_in(folder: Path, order: str) -> Life:
    folder.mkdir(parents=True, exist_ok=True)
    return Life(folder / "backups", folder / "diary", folder / "end.npz", order)


def _reference(folder: Path, order: str) -> Reference:
    """A run to the end, in a process like the others."""
    life = _life_in(folder, order)
    begun = time.monotonic()
    errors = folder / "errors"
    code = _wait(forked(life.run, errors), TOO_LONG)
    seconds = time.monotonic() - begun
    if code != 0:
        raise RuntimeError(f"The run to compare with failed: {errors.read_text()}")
    return Reference(life, seconds, dict(read_diary(life.diary)))


def _chain(
    folder: Path, reference: Reference, generator: random.Random, kills: int
) -> Iterator[Outcome]:
    """Lives that resume one another, until one of them comes to its end."""
    life = _life_in(folder, reference.life.order)
    places: list[str] = []
    while True:
        moment = generator.uniform(0.0, reference.seconds)
        is_killed, errors = _live(life, moment if len(places) < kills else None)
        verdict = _verdict(life, reference, errors, is_killed)
        if places:
            # What this life has found is what the last kill has left.
            yield replace(verdict, place=f"{life.order}, {places[-1]}")
        if verdict.verdict != WHOLE or not is_killed:
            return
        places.append(f"killed after {moment:.2f} s")


def _live(life: Life, moment: float | None) -> tuple[bool, str]:
    """One life.

    Args:
        life: The life.
        moment: The second at which it is killed; None to let it end.

    Returns:
        Whether it was killed, and what it has raised.
    """
    errors = life.end.with_name("errors")
    number = forked(life.run, errors)
    code = _wait(number, TOO_LONG if moment is None else moment)
    if code is None and moment is None:
        return False, f"A life did not end within {TOO_LONG:g} s."
    raised = errors.read_text() if errors.exists() else ""
    if code not in (0, None) and not raised:
        raised = f"The process ended with {code}."
    return code is None, raised


def _wait(number: int, seconds: float) -> int | None:
    """How a process has ended; None if it had to be killed."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        ended, status = os.waitpid(number, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.002)
    os.kill(number, signal.SIGKILL)
    _, status = os.waitpid(number, 0)
    code = os.waitstatus_to_exitcode(status)
    return None if code == -signal.SIGKILL else code


def _verdict(life: Life, reference: Reference, errors: str, is_killed: bool) -> Outcome:
    """What a life has found of what the one before it has left."""
    if errors:
        said = errors.strip().splitlines()[-1]
        clear = said.startswith("ValueError") and any(words in said for words in CLEAR)
        return Outcome(
            KIND, "", ERROR if clear else FAULT, errors if not clear else said
        )
    for epoch, digest in read_diary(life.diary):
        if reference.digests[epoch] != digest:
            return Outcome(KIND, "", FAULT, f"Epoch {epoch} begins with other weights.")
    if is_killed:
        return Outcome(KIND, "", WHOLE)
    with np.load(life.end) as found, np.load(reference.life.end) as expected:
        is_same = all(np.array_equal(found[name], expected[name]) for name in expected)
    said = "" if is_same else "The end is another one."
    return Outcome(KIND, "", WHOLE if is_same else FAULT, said)
