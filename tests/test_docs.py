"""The pages of docs: what they show is so, and what is to be pasted runs.

A page of reference shows sessions, and blocks without prompts that can be pasted alone.
A page that is read from top to bottom (*start*, *coming from*, the how-to's) is one
program: each of its blocks, with prompts or without, goes on where the last has ended.
"""

from __future__ import annotations

import doctest
import inspect
import re
import warnings
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from keras_lr.finder import reasons
from keras_lr.finder.verdict import verdict_of
from tests.keras_lr.finder.test_verdicts import PLAIN, seen

pytestmark = pytest.mark.backend

DOCS = Path(__file__).parents[1] / "docs"
TEXTS = {
    page.relative_to(DOCS).as_posix(): page.read_text("utf-8")
    for page in sorted([*DOCS.glob("*.md"), *DOCS.glob("howto/*.md")])
}
OPTIONS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
PYTHON = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)

#: Pages that are one program.
PROGRAMS = {
    name: text
    for name, text in TEXTS.items()
    if name in ("start.md", "coming_from.md") or name.startswith("howto/")
}
#: What they need that the tests do not bring.
NEEDS = {"howto/keras_tuner.md": "keras_tuner"}
#: These take seconds each, and say the same on each backend: they share them.
ONLY_ON = {
    "coming_from.md": "torch",
    "howto/custom_loop.md": "torch",
    "howto/fine_tuning.md": "torch",
    "howto/finder_verdicts.md": "jax",
    "howto/gan.md": "tensorflow",
    "howto/keras_tuner.md": "torch",
    "howto/loggers.md": "tensorflow",
    "howto/more_epochs.md": "torch",
    "howto/one_cycle_in_a_script.md": "torch",
    "howto/rates_by_group.md": "torch",
    "howto/resume.md": "tensorflow",
    "howto/torch_recipe.md": "torch",
}

#: Other pages that have nothing of a backend in them.
SAME_ON_ALL = {
    "batch_size.md",
    "changing_plans.md",
    "command_line.md",
    "groups.md",
    "interop.md",
    "lint.md",
    "tour.md",
    "watching.md",
}

#: Pages with sessions, and blocks without prompts, which are there to be pasted.
SESSIONS = [
    name for name, text in TEXTS.items() if ">>>" in text and name not in PROGRAMS
]
BLOCKS = [
    pytest.param(name, block, id=f"{name}-{number}")
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
        warnings.filterwarnings("ignore", ".*Name|currentThread", module="keras_tuner")
        warnings.showwarning = show
        yield


@pytest.mark.parametrize("page", SESSIONS)
@pytest.mark.usefixtures("warnings_shown")
def test_what_a_page_shows_is_so(page, tmp_path, monkeypatch):
    skip_elsewhere(page)
    # Pages may write files.
    monkeypatch.chdir(tmp_path)
    failed, tried = doctest.testfile(
        str(DOCS / page), module_relative=False, optionflags=OPTIONS
    )
    assert tried > 5
    assert not failed


def skip_elsewhere(page):
    if page in SAME_ON_ALL and keras.backend.backend() != "torch":
        pytest.skip("the same on all: run on torch")


@pytest.mark.parametrize(("page", "block"), BLOCKS)
def test_what_is_to_be_pasted_runs(page, block, tmp_path, monkeypatch):
    skip_elsewhere(page)
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
    blocks = list(PYTHON.finditer(text))
    assert len(blocks) == text.count("```python"), "an indented block is not run"
    sessions = 0
    for block in blocks:
        line = text.count("\n", 0, block.start(1))
        if ">>>" not in block[1]:
            # Lines of the page, for tracebacks.
            exec(compile("\n" * line + block[1], str(DOCS / page), "exec"), names)
            continue
        # Sources of what a session defines are looked up by its name, which must
        # not be that of another one.
        name = f"{page}:{line}"
        session = parser.get_doctest(block[1], names, name, str(DOCS / page), line)
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
    sessions, failed = run(page, PROGRAMS[page])
    assert sessions > 0
    assert not failed


def test_the_pages_that_are_run_are_there():
    assert {"changing_plans.md", "in_a_fit.md", "plateau.md"} <= set(SESSIONS)
    assert {"start.md", *ONLY_ON} == set(PROGRAMS)
    assert set(TEXTS) > SAME_ON_ALL


def test_a_page_that_is_not_so_fails(capsys):
    page = "```python\none = 1\n```\n\n```python\n>>> one + 1\n3\n```\n"
    assert run("wrong.md", page) == (1, 1)
    assert "line 6" in capsys.readouterr().out
    assert run("right.md", page.replace("\n3", "\n2")) == (1, 0)


def reasons_given():
    """Each reason that a finder may give, but for trust without a caveat."""
    sweep = reasons.FOR_SWEEP
    yield reasons.not_finite(0.1, 3, sweep)
    yield reasons.not_finite(1e-9, 3, sweep)
    yield reasons.ruined(1.0, 9.0, 0.1, sweep)
    yield reasons.ruined(1.0, 9.0, 1e-9, sweep)
    yield reasons.rose(0.1, sweep)
    yield reasons.still_falling(0.1, sweep)
    yield reasons.in_order(1.0, 2.0)
    yield reasons.anywhere(1.0, 0.1, 2.0, sweep)
    yield reasons.hidden(1.0, 0.1, 0.5, False, False, sweep)
    yield reasons.flat(1.0, 0.1, 1e-6, 1.0, False)
    yield reasons.trusted(1.0, 0.1, 0.01)
    for evidence in (
        replace(PLAIN, is_trained=True),
        replace(PLAIN, best=seen(np.inf)),
        replace(PLAIN, best=seen(2.4)),
        replace(PLAIN, best=seen(2.4), is_trained=True),
        replace(PLAIN, best=seen(2.25, 0.5, seed=3), swapped=None),
        replace(PLAIN, swapped=seen(0.4, 0.1, seed=1), is_doubtful=True),
        replace(PLAIN, swapped=seen(0.6, 3.0, seed=4), is_doubtful=True),
        replace(PLAIN, is_off_scale=True),
    ):
        yield verdict_of(evidence).reason


def test_the_page_on_verdicts_knows_each_reason_and_no_other():
    page = TEXTS["howto/finder_verdicts.md"]
    phrases = re.findall(r"^\| \*(.+?)\* \|", page, re.MULTILINE)
    given = list(reasons_given())
    for reason in given:
        assert sum(phrase in reason for phrase in phrases) == 1, reason
    for phrase in phrases:
        assert any(phrase in reason for reason in given), phrase


def test_no_way_to_give_a_reason_is_left_out_here():
    makers = {
        name
        for name, maker in vars(reasons).items()
        if inspect.isfunction(maker)
        and maker.__module__ == reasons.__name__
        and not name.startswith("_")
    }
    here = inspect.getsource(reasons_given)
    assert {name for name in makers if f"reasons.{name}(" not in here} == set()
