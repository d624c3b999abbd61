"""The pages that say what happens to the rate in a fit, and where plans change."""

from __future__ import annotations

import doctest
import re
import warnings
from pathlib import Path

import pytest

pytestmark = pytest.mark.backend

DOCS = Path(__file__).parents[3] / "docs"


@pytest.mark.parametrize(("name", "least"), [("in_a_fit", 60), ("changing_plans", 25)])
def test_what_the_pages_on_fits_show_is_so(name, least):
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
            str(DOCS / f"{name}.md"),
            module_relative=False,
            optionflags=doctest.NORMALIZE_WHITESPACE,
        )
    assert tried > least
    assert not failed


def test_what_is_to_be_pasted_runs():
    page = (DOCS / "changing_plans.md").read_text("utf-8")
    (block,) = re.findall(r"```python\n(import.*?)```", page, re.DOTALL)
    exec(compile(block, "changing_plans.md", "exec"), {})
