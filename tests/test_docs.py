"""The pages of docs: what they show is so, and what is to be pasted runs.

A page of reference shows sessions, and blocks without prompts that can be pasted alone.
A page that is read from top to bottom (*start*, *coming from*, the how-to's) is one
program: each of its blocks, with prompts or without, goes on where the last has ended.
"""

from __future__ import annotations

import doctest
import importlib.util
import re
import sys
import warnings
from dataclasses import replace
from pathlib import Path

import keras
import matplotlib as mpl
import numpy as np
import pytest

from keras_lr.finder import reasons
from keras_lr.finder.verdict import verdict_of
from tests.keras_lr.finder.test_verdicts import PLAIN, seen

pytestmark = pytest.mark.backend

DOCS = Path(__file__).parents[1] / "docs"
TEXTS = {
    page.relative_to(DOCS).as_posix(): page.read_text("utf-8")
    for page in sorted(DOCS.rglob("*.md"))
    if "_build" not in page.parts
}
OPTIONS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
PYTHON = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)

#: Pages that are one program, and what their blocks need beside the package.
PROGRAMS = {
    name: text
    for name, text in TEXTS.items()
    if name in ("start.md", "coming_from.md") or name.startswith("howto/")
}
NEEDS = {"coming_from.md": "optax", "howto/keras_tuner.md": "keras_tuner"}
#: How-to's take seconds each, and say the same on each backend: they share them.
ONLY_ON = {
    "howto/custom_loop.md": "torch",
    "howto/fine_tuning.md": "torch",
    "howto/finder_verdicts.md": "jax",
    "howto/gan.md": "tensorflow",
    "howto/keras_tuner.md": "jax",
    "howto/loggers.md": "tensorflow",
    "howto/more_epochs.md": "torch",
    "howto/one_cycle_in_a_script.md": "torch",
    "howto/rates_by_group.md": "jax",
    "howto/resume.md": "tensorflow",
    "howto/torch_recipe.md": "torch",
}

#: Pages with sessions, and blocks without prompts, which are there to be pasted.
SESSIONS = [
    name for name, text in TEXTS.items() if ">>>" in text and name not in PROGRAMS
]
BLOCKS = [
    pytest.param(block, id=f"{name}-{number}")
    for name, text in TEXTS.items()
    if name not in PROGRAMS
    for number, block in enumerate(PYTHON.findall(text))
    if ">>>" not in block
]


@pytest.fixture
def warnings_shown():
    """Warnings in place of standard error, which doctest does not look at."""

    def show(message, category, *place):
        print(f"{category.__name__}: {message}")

    with warnings.catch_warnings():
        warnings.simplefilter("always", UserWarning)
        # Keras says so of all data of unknown length.
        warnings.filterwarnings("ignore", "Your input ran out of data")
        warnings.filterwarnings("ignore", ".*shuffle=True")
        warnings.showwarning = show
        yield


@pytest.mark.parametrize("page", SESSIONS)
@pytest.mark.usefixtures("warnings_shown")
def test_what_a_page_shows_is_so(page, tmp_path, monkeypatch):
    # Pages may write files.
    monkeypatch.chdir(tmp_path)
    failed, tried = doctest.testfile(
        str(DOCS / page), module_relative=False, optionflags=OPTIONS
    )
    assert tried > 5
    assert not failed


@pytest.mark.parametrize("block", BLOCKS)
def test_what_is_to_be_pasted_runs(block, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec(compile(block, "page", "exec"), {"__name__": "page"})


def run(page, text):
    """Run all blocks of a page in one namespace.

    Returns:
        How many sessions there were, and how many lines of them failed.
    """
    names = {"__name__": "page"}
    runner = doctest.DocTestRunner(optionflags=OPTIONS)
    parser = doctest.DocTestParser()
    sessions = 0
    for block in PYTHON.finditer(text):
        line = text.count("\n", 0, block.start(1))
        if ">>>" not in block[1]:
            # Lines of the page, for tracebacks.
            exec(compile("\n" * line + block[1], str(DOCS / page), "exec"), names)
            continue
        session = parser.get_doctest(block[1], names, page, str(DOCS / page), line)
        # What is left of the names is what the next block begins with.
        session.globs = names
        runner.run(session, clear_globs=False)
        sessions += 1
    return sessions, runner.summarize(verbose=False).failed


@pytest.mark.parametrize("page", PROGRAMS)
@pytest.mark.usefixtures("warnings_shown")
def test_a_page_that_is_one_program_runs_and_shows_what_is_so(
    page, tmp_path, monkeypatch
):
    if ONLY_ON.get(page, keras.backend.backend()) != keras.backend.backend():
        pytest.skip(f"run on {ONLY_ON[page]}")
    if page in NEEDS:
        pytest.importorskip(NEEDS[page])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(mpl, "get_backend", lambda: "agg")
    sessions, failed = run(page, PROGRAMS[page])
    assert sessions > 0
    assert not failed


def test_the_pages_that_are_run_are_there():
    assert {"changing_plans.md", "in_a_fit.md", "plateau.md"} <= set(SESSIONS)
    assert {"start.md", "coming_from.md", *ONLY_ON} <= set(PROGRAMS)


def test_a_page_that_is_not_so_fails(capsys):
    page = "```python\none = 1\n```\n\n```python\n>>> one + 1\n3\n```\n"
    assert run("wrong.md", page) == (1, 1)
    assert "line 6" in capsys.readouterr().out
    assert run("right.md", page.replace("\n3", "\n2")) == (1, 0)
