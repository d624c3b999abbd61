"""Python started anew, by the clocks of its parent."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from collections.abc import Mapping

from benchmarks.turns import Reading, Run

#: Seconds after which a process has failed.
LONGEST = 120


def children() -> Reading:
    """Time of day, and the processor time of all processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Reading(time.perf_counter(), used.ru_utime + used.ru_stime)


def python(code: str, environment: Mapping[str, str] | None = None) -> Run:
    """A process that runs some code, and fails where that does."""
    given = {**os.environ, **(environment or {})}

    def run() -> None:
        ended = subprocess.run(
            [sys.executable, "-c", code],
            env=given,
            capture_output=True,
            text=True,
            timeout=LONGEST,
            check=False,
        )
        if ended.returncode:
            raise RuntimeError(last_line(ended.stderr))

    return run


def last_line(text: str) -> str:
    """Where Python says what went wrong."""
    lines = text.strip().splitlines()
    return lines[-1] if lines else "it said nothing"
