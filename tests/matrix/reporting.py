"""What came of the corners: as lines in a terminal, and as docs/versions.md."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Sequence

from tests.matrix.bounds import Bound, bounds, bounds_of_extras, shown_by
from tests.matrix.corners import CORNERS, Corner
from tests.matrix.environments import ROOT
from tests.matrix.outcomes import FAILED, NOT_TO_BE_HAD, PASSED, Outcome

#: The extras that the fast part needs, whose lower bounds a corner runs at.
EXTRAS = ("plot",)

HEAD = """\
# Versions that were run

`make matrix` makes an environment for each line of the table, installs exactly these
versions, and runs the fast part of the tests in it: the rate of every update with
every optimizer, resume, a sweep and a search, the golden values of the schedules, and
the glossary. Corners and tests are listed in `tests/matrix/corners.py`. This page is
what it wrote.

```
make matrix                    # all corners
make matrix ONLY=newest-jax    # one of them
```

The environments stay in `.matrix/` (up to a gigabyte each; what they share lies on
the disk once), so that a second run installs nothing; without `.matrix/nightly-jax`
the next one fetches a newer nightly. `.matrix/NAME.log` is what pytest said.
"""

WHY = """\
An upper bound stands where the next release has not been run. keras_lr relies on
names that Keras does not document; each is checked at import or as a fit begins, so
that a Keras without one is refused in a sentence. A name that is still there and does
something else shows only in a run, and the nightly of 27 October 2026 has two of those
on torch: a sweep under `jit_compile=True` hears one loss, and `steps_per_execution`
above 1, which torch has not had before, trains at other rates than the schedule's. So
Keras 3.16 stays out until both are mended and its release was run.

Of TensorFlow and torch the corners take the builds without CUDA. For torch that is a
version ending in `+cpu`, which PyPI does not have: with `PIP_EXTRA_INDEX_URL` at
PyTorch's index of CPU builds, or `PIP_FIND_LINKS` at a folder of them, these corners
run as well. A Python that is not in pyenv or on PATH is fetched by uv, where the
network lets it.
"""

#: The extras that the fast part needs, whose lower bounds a corner runs at.
EXTRAS = ("plot",)

HEAD = """\
# Versions that were run

`make matrix` makes an environment for each line of the table, installs exactly these
versions, and runs the fast part of the tests in it: the rate of every update with
every optimizer, resume after `kill -9`, a sweep and a search, the golden values of
the schedules, and the glossary. Corners and tests are listed in
`tests/matrix/corners.py`. This page is what it wrote.

    make matrix                                      # all corners     python -m
tests.matrix --only newest-jax         # one of them     python -m tests.matrix
--markdown docs/versions.md

The environments stay in `.matrix/` (about a gigabyte each), so that a second run
installs nothing. `.matrix/NAME.log` is what pytest said. TensorFlow is the build
without CUDA, and so is torch; the indexes that pip has been told of decide which
builds are to be had.
"""


def line(outcome: Outcome) -> str:
    """For a terminal."""
    installed = " ".join(f"{name} {version}" for name, version in outcome.installed)
    shown = f"{outcome.corner:25} {result_of(outcome)}"
    return f"{shown} in {outcome.seconds:.0f} s [{installed}]" if installed else shown


def result_of(outcome: Outcome) -> str:
    """In a few words."""
    counts = outcome.counts
    if outcome.verdict == NOT_TO_BE_HAD:
        return f"{NOT_TO_BE_HAD}: {outcome.reason}"
    told = f"{counts.passed} passed, {counts.skipped} skipped"
    if counts.failures:
        told += f", {len(counts.failures)} failed"
    if outcome.reason:
        told += f"; {outcome.reason}"
    return told


def document(outcomes: Sequence[Outcome]) -> str:
    """docs/versions.md, of the last run of each corner."""
    ran = {one.corner: one for one in outcomes}
    return "\n".join(
        [HEAD, *_where(outcomes), *_table(ran), *_failures(outcomes), *_bounds(ran)]
    )


def _where(outcomes: Iterable[Outcome]) -> list[str]:
    days = sorted({one.day for one in outcomes})
    span = days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"
    machine = f"{platform.system()}, {platform.machine()}, {os.cpu_count()} cores"
    return [f"Run {span} on {machine}.", ""]


def _table(ran: dict[str, Outcome]) -> list[str]:
    rows = [_row(corner, ran.get(corner.name)) for corner in CORNERS]
    head = ["corner", "Python", "Keras", "engine", "NumPy", "tests"]
    return ["## The corners", "", *markdown_table(head, rows), ""]


def _row(corner: Corner, outcome: Outcome | None) -> list[str]:
    """With the versions that were installed, or else those that were asked for."""
    engine = corner.engine
    asked = {
        "python": corner.python,
        "keras": corner.keras,
        engine.backend: engine.version,
        "numpy": corner.numpy,
    }
    versions = dict(outcome.installed) if outcome and outcome.installed else asked
    return [
        corner.name,
        versions["python"],
        versions["keras"],
        f"{engine.backend} {versions[engine.backend]}",
        versions["numpy"],
        result_of(outcome) if outcome else "not run",
    ]


def _failures(outcomes: Iterable[Outcome]) -> list[str]:
    failed = [one for one in outcomes if one.verdict == FAILED]
    lines = [
        f"* {one.corner}: `{failure}`"
        for one in failed
        for failure in one.counts.failures
    ]
    return ["## What failed", "", *lines, ""] if lines else []


def _bounds(ran: dict[str, Outcome]) -> list[str]:
    written = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    stated = [*bounds(written), *bounds_of_extras(written, EXTRAS)]
    rows = [[f"`{bound}`", _shown(bound, ran)] for bound in stated]
    table = markdown_table(["in pyproject.toml", "shown by"], rows)
    return ["## The bounds, and the runs that show them", "", *table, "", WHY]


def _shown(bound: Bound, ran: dict[str, Outcome]) -> str:
    corners = shown_by(bound)
    verdicts = {one.name: ran[one.name].verdict for one in corners if one.name in ran}
    passed = [name for name, verdict in verdicts.items() if verdict == PASSED]
    missing = [name for name, verdict in verdicts.items() if verdict == NOT_TO_BE_HAD]
    if passed:
        return ", ".join(passed)
    if missing:
        return f"{NOT_TO_BE_HAD} ({', '.join(missing)})"
    return "not run"


def markdown_table(head: list[str], rows: Iterable[list[str]]) -> list[str]:
    """Lines of a table."""
    lines = [head, ["---"] * len(head), *rows]
    return [f"| {' | '.join(cells)} |" for cells in lines]
