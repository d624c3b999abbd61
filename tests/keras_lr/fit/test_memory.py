from __future__ import annotations

import keras
import pytest

from benchmarks.memory import MEGABYTE, ManyFits

pytestmark = pytest.mark.backend


@pytest.fixture(scope="module")
def looks():
    """What the process holds after 100 scheduled fits in a row, and after 1,000."""
    many = ManyFits(scheduled=True)
    found = []
    for fits in (100, 1000):
        many.until(fits)
        found.append(many.look())
    return found


def test_fits_in_a_row_leave_no_classes(looks):
    early, late = looks
    assert late["classes"] <= early["classes"]


@pytest.mark.skipif(keras.backend.backend() == "torch", reason="torch traces nothing")
def test_fits_in_a_row_trace_nothing(looks):
    early, late = looks
    assert late["traces"] == early["traces"]


def test_fits_in_a_row_take_no_memory(looks):
    early, late = looks
    assert late["bytes"] - early["bytes"] < 30 * MEGABYTE
