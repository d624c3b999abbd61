"""The page that says what happens to the rate in a fit."""

from __future__ import annotations

import doctest
import warnings
from pathlib import Path

import pytest

pytestmark = pytest.mark.backend

PAGE = Path(__file__).parents[3] / "docs" / "in_a_fit.md"


def test_what_the_page_on_the_rate_in_a_fit_shows_is_so():
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
            str(PAGE),
            module_relative=False,
            optionflags=doctest.NORMALIZE_WHITESPACE,
        )
    assert tried > 60
    assert not failed
