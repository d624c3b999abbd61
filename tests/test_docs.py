"""The pages of docs: what they show is so."""

from __future__ import annotations

import doctest
import re
import warnings
from pathlib import Path

import pytest

pytestmark = pytest.mark.backend

DOCS = Path(__file__).parents[1] / "docs"
PAGES = sorted(page.name for page in DOCS.glob("*.md") if ">>>" in page.read_text())


@pytest.mark.parametrize("page", PAGES)
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


def test_the_pages_that_are_run_are_there():
    assert {"changing_plans.md", "in_a_fit.md", "plateau.md"} <= set(PAGES)


def test_what_is_to_be_pasted_runs():
    page = (DOCS / "changing_plans.md").read_text("utf-8")
    (block,) = re.findall(r"```python\n(import.*?)```", page, re.DOTALL)
    exec(compile(block, "changing_plans.md", "exec"), {})
