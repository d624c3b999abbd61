"""A corner's run: its environment, the fast part of the tests in it, and their end."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from xml.etree import ElementTree

from tests.matrix.corners import FAST_PART, NIGHTLY, Corner
from tests.matrix.environments import KEPT, ROOT, Environment, NotToBeHad, environment
from tests.matrix.outcomes import FAILED, NOT_TO_BE_HAD, PASSED, Counts, Outcome

MINUTES_TO_TEST = 30
#: Packages of years apart warn one another of what will be gone; CI, whose versions are
#: of one day, takes such a warning for an error.
WARNINGS = ("-W", "default::DeprecationWarning", "-W", "default::FutureWarning")


def run(corner: Corner) -> Outcome:
    """Make the corner's environment if need be, and run the fast part in it."""
    day = date.today().isoformat()
    try:
        made = environment(corner)
    except NotToBeHad as cause:
        return Outcome(corner.name, NOT_TO_BE_HAD, str(cause), day)
    began = time.monotonic()
    ended = run_tests(corner, made.python, FAST_PART)
    reason = ended.reason
    if corner.keras != NIGHTLY:
        # The nightly meets no requirement that names Keras.
        reason = reason or made.disagreements()
    return Outcome(
        corner=corner.name,
        verdict=FAILED if reason or ended.counts.failures else PASSED,
        reason=reason,
        day=day,
        commit=_commit(),
        installed=_installed(corner, made),
        counts=ended.counts,
        seconds=round(time.monotonic() - began, 1),
    )


def run_tests(corner: Corner, python: Path, tests: Sequence[str]) -> Outcome:
    """How the tests end with that interpreter, without what is installed there."""
    KEPT.mkdir(exist_ok=True)
    report = KEPT / f"{corner.name}.xml"
    report.unlink(missing_ok=True)
    log = KEPT / f"{corner.name}.log"
    options = ["-p", "no:cacheprovider", f"--junit-xml={report}"]
    command = [python, "-m", "pytest", *options, *WARNINGS, *tests]
    with log.open("w", encoding="utf-8") as output:
        try:
            ran = subprocess.run(
                command,
                cwd=ROOT,
                env=_variables(corner),
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=MINUTES_TO_TEST * 60,
            )
        except subprocess.TimeoutExpired:
            reason = f"took more than {MINUTES_TO_TEST} minutes"
            return Outcome(corner.name, FAILED, reason)
    if not report.exists():
        return Outcome(corner.name, FAILED, f"pytest wrote no report: see {log}")
    counts = counts_of(report)
    # 0: all passed; 1: some failed. Anything else is no run of the tests.
    reason = "" if ran.returncode in (0, 1) else f"pytest ended with {ran.returncode}"
    if not counts.passed:
        reason = reason or "no test passed"
    return Outcome(corner.name, FAILED if reason else PASSED, reason, counts=counts)


def _variables(corner: Corner) -> dict[str, str]:
    return {
        **os.environ,
        "KERAS_BACKEND": corner.engine.backend,
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": "",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }


def counts_of(report: Path) -> Counts:
    """How the tests of a JUnit report ended."""
    passed = 0
    skipped = 0
    failures = []
    for case in ElementTree.parse(report).iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            failures.append(f"{case.get('classname')}::{case.get('name')}")
        elif case.find("skipped") is not None:
            skipped += 1
        else:
            passed += 1
    return Counts(passed, skipped, tuple(failures))


def _installed(corner: Corner, made: Environment) -> tuple[tuple[str, str], ...]:
    versions = made.versions()
    engine = corner.engine
    keras = "keras-nightly" if corner.keras == NIGHTLY else "keras"
    return (
        ("python", versions["python"]),
        ("keras", versions[keras]),
        (engine.backend, versions[engine.distribution]),
        ("numpy", versions["numpy"]),
    )


def _commit() -> str:
    command = ["git", "describe", "--always", "--dirty"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    return ran.stdout.strip()
