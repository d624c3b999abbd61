"""The matrix: its corners are those of the bounds, and its words are true."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from pathlib import Path

import pytest

from tests.matrix import outcomes, reporting, running
from tests.matrix.bounds import Bound, bounds, bounds_of_extras, shown_by
from tests.matrix.corners import CORNERS, FAST_PART, Corner, Engine
from tests.matrix.environments import (
    ROOT,
    NotToBeHad,
    interpreter,
    reason_of,
    settings,
)
from tests.matrix.outcomes import FAILED, NOT_TO_BE_HAD, PASSED, Counts, Outcome

PYPROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
PAGE = (ROOT / "docs/versions.md").read_text(encoding="utf-8")
HERE = Corner("here", "3.11", "3.15.1", Engine("jax", "jax", "0.10.2"))
STATED = [*bounds(PYPROJECT), *bounds_of_extras(PYPROJECT, reporting.EXTRAS)]


@pytest.mark.parametrize("bound", STATED, ids=str)
def test_each_bound_is_that_of_a_corner(bound):
    assert shown_by(bound)


def test_a_bound_that_no_corner_runs_at_is_told():
    assert not shown_by(Bound("keras", ">=", "3.11"))
    assert not shown_by(Bound("keras", "<", "3.18"))
    assert not shown_by(Bound("torch", ">=", "2.5"))
    lowest = {corner.name for corner in shown_by(Bound("jax", ">=", "0.5"))}
    assert lowest == {"oldest-jax", "new-keras-old-jax"}
    highest = {corner.keras for corner in shown_by(Bound("keras", "<", "3.16"))}
    assert highest == {"3.15.1"}


def test_pythons_that_are_promised_are_those_of_corners():
    promised = tomllib.loads(PYPROJECT)["project"]["classifiers"]
    versions = {one.split(" :: ")[-1] for one in promised if "Python :: 3." in one}
    run = {row.split(" | ")[1] for row in rows() if "passed" in row}
    assert versions == {".".join(version.split(".")[:2]) for version in run}


def test_what_an_import_of_another_keras_says_is_the_bound():
    names = (ROOT / "keras_lr/fit/keras_names.py").read_text(encoding="utf-8")
    said = set(re.findall(r"keras>=[0-9.]+,<[0-9.]+", names))
    (stated,) = [one for one in PYPROJECT.split('"') if one.startswith("keras>=")]
    assert said == {stated}


@pytest.mark.parametrize("test", FAST_PART)
def test_the_fast_part_is_there(test):
    path, _, name = test.partition("::")
    module = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    functions = [one.name for one in module.body if isinstance(one, ast.FunctionDef)]
    assert not name or name.split("[")[0] in functions


def rows():
    """Of the table of corners in docs/versions.md."""
    names = tuple(f"| {corner.name} |" for corner in CORNERS)
    return [line.strip("| ") for line in PAGE.splitlines() if line.startswith(names)]


def test_the_page_has_each_corner_and_each_bound():
    assert [row.split(" | ")[0] for row in rows()] == [one.name for one in CORNERS]
    for bound in STATED:
        (line,) = [one for one in PAGE.splitlines() if f"`{bound}`" in one]
        assert "not run" not in line


def test_no_test_failed_in_the_runs_of_releases_that_the_page_shows():
    assert not [row for row in rows() if " failed" in row and ".dev" not in row]


def test_outcomes_survive_their_file(tmp_path):
    outcome = Outcome(
        "here",
        FAILED,
        "why",
        "2026-11-26",
        "abc",
        (("numpy", "2.4"),),
        Counts(3, 2, ("a",)),
    )
    outcomes.write(outcome, tmp_path)
    assert outcomes.read("here", tmp_path) == outcome
    assert outcomes.read("there", tmp_path) is None


@pytest.fixture
def kept(tmp_path, monkeypatch):
    monkeypatch.setattr(running, "KEPT", tmp_path)
    return tmp_path


def ended(tmp_path, source):
    path = tmp_path / "test_some.py"
    path.write_text(source)
    return running.run_tests(HERE, Path(sys.executable), [str(path)])


def test_tests_are_counted_by_how_they_end(kept):
    outcome = ended(
        kept,
        "import os, pytest\n"
        "def test_passes(): assert os.environ['KERAS_BACKEND'] == 'jax'\n"
        "def test_fails(): assert False\n"
        "def test_skips(): pytest.skip()\n"
        "def test_breaks(missing): pass\n",
    )
    assert (outcome.counts.passed, outcome.counts.skipped) == (1, 1)
    names = [name.split("::")[-1] for name in outcome.counts.failures]
    assert names == ["test_fails", "test_breaks"]
    assert outcome.reason == ""


def test_a_run_without_tests_is_no_pass(kept):
    assert ended(kept, "").reason == "pytest ended with 5"
    skipped = ended(kept, "import pytest\ndef test_skips(): pytest.skip()\n")
    assert (skipped.verdict, skipped.reason) == (FAILED, "no test passed")


def test_what_cannot_be_had_is_marked_so_with_its_reason(monkeypatch):
    def refuse(corner):
        raise NotToBeHad("no such thing")

    monkeypatch.setattr(running, "environment", refuse)
    outcome = running.run(HERE)
    assert (outcome.verdict, outcome.reason) == (NOT_TO_BE_HAD, "no such thing")
    assert "not to be had here: no such thing" in reporting.line(outcome)


def test_a_bound_is_shown_by_a_run_that_passed_alone():
    passed = Outcome("oldest-jax", PASSED, counts=Counts(9))
    page = reporting.document([passed, Outcome("oldest-torch", NOT_TO_BE_HAD, "why")])
    assert "| `jax>=0.5` | oldest-jax |" in page
    assert "| `torch>=2.6` | not to be had here (oldest-torch) |" in page
    assert "| `tensorflow>=2.18` | not run |" in page


def test_a_reason_is_the_cause_in_a_line():
    log = (
        "  x No solution found:\n  -> Because there is no version of\n     torch==2.6.0"
    )
    assert reason_of(log) == "no torch==2.6.0 at the indexes that pip knows"
    assert reason_of("error: one\n  two") == "error: one two"
    assert len(reason_of("error: " + "x" * 1000)) == 160


def test_the_newest_python_of_a_version_is_taken(tmp_path, monkeypatch):
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    for version in ("3.12.9", "3.12.10", "3.13.0"):
        folder = tmp_path / "versions" / version / "bin"
        folder.mkdir(parents=True)
        (folder / f"python{version[:4]}").touch()
    assert interpreter("3.12").endswith("versions/3.12.10/bin/python3.12")
    assert interpreter("3.14") == "3.14"


def test_uv_is_told_of_the_indexes_of_pip():
    told = settings({"PIP_FIND_LINKS": "wheels", "PIP_INDEX_URL": "a"})
    assert told["UV_FIND_LINKS"] == "wheels"
    assert told["UV_DEFAULT_INDEX"] == "a"
    assert (
        settings({"PIP_INDEX_URL": "a", "UV_DEFAULT_INDEX": "b"})["UV_DEFAULT_INDEX"]
        == "b"
    )
