"""The pages of docs: what they show is so, and what is to be pasted runs."""

from __future__ import annotations

import doctest
import re
import warnings
from pathlib import Path

import pytest

pytestmark = pytest.mark.backend

DOCS = Path(__file__).parents[1] / "docs"
TEXTS = {page.name: page.read_text("utf-8") for page in sorted(DOCS.glob("*.md"))}
#: Pages with sessions, and blocks without prompts, which are there to be pasted.
SESSIONS = [name for name, text in TEXTS.items() if ">>>" in text]
BLOCKS = [
    pytest.param(block, id=f"{name}-{number}")
    for name, text in TEXTS.items()
    for number, block in enumerate(re.findall(r"```python\n(.*?)```", text, re.DOTALL))
    if ">>>" not in block
]


@pytest.mark.parametrize("page", SESSIONS)
def test_what_a_page_shows_is_so(page, tmp_path, monkeypatch):
    # Pages may write files.
    monkeypatch.chdir(tmp_path)

    def show(message, category, *place):
        # In place of standard error, which doctest does not look at.
        print(f"{category.__name__}: {message}")

    with warnings.catch_warnings():
        warnings.simplefilter("always", UserWarning)
        # Keras says so of all data of unknown length.
        warnings.filterwarnings("ignore", "Your input ran out of data")
        warnings.filterwarnings("ignore", ".*shuffle=True")
        warnings.showwarning = show
        failed, tried = doctest.testfile(
            str(DOCS / page),
            module_relative=False,
            optionflags=doctest.NORMALIZE_WHITESPACE,
        )
    assert tried > 5
    assert not failed


@pytest.mark.parametrize("block", BLOCKS)
def test_what_is_to_be_pasted_runs(block, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec(compile(block, "page", "exec"), {"__name__": "page"})


def test_the_pages_that_are_run_are_there():
    assert {"changing_plans.md", "in_a_fit.md", "plateau.md"} <= set(SESSIONS)
