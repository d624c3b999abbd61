from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import keras_lr as k
from tests.keras_lr.test_config import SCHEDULES
from tests.kit.names import name_of

RUN = {"steps": 40, "base_lr": 0.5, "steps_per_epoch": 10}


@pytest.mark.parametrize("schedule", SCHEDULES, ids=name_of)
def test_values_at_some_updates_are_those_of_the_whole(schedule):
    whole = schedule.values(**RUN)
    at = np.array([[39, 0, 7], [7, 38, 12]])
    assert schedule.at(at, **RUN).tolist() == whole[at].tolist()
    past = [40, 41, 10**6, 2**63 - 1, 10**30]
    assert schedule.at(past, **RUN).tolist() == [whole[39]] * 5


@given(st.lists(st.integers(0, 10**10 + 5), max_size=5))
def test_a_run_of_any_length_is_looked_at_without_a_table(updates):
    run = 10**10
    values = k.LinearDecay().at(updates, steps=run + 1)
    expected = [1 - min(update, run) / run for update in updates]
    np.testing.assert_allclose(values, expected, rtol=1e-9, atol=1e-12)
    cycles = k.CyclicalLR(half_cycle=5).at(updates, steps=run + 6)
    triangle = [1 - abs(update % 10 - 5) / 5 for update in updates]
    np.testing.assert_allclose(cycles, triangle, rtol=1e-9, atol=1e-12)


def test_the_value_at_one_update_is_a_number_as_from_a_function_of_numpy():
    schedule = k.LinearDecay(max_lr=1.0)
    for update in (1, np.int32(1), np.uint64(1), np.array(1)):
        value = schedule.at(update, steps=3)
        assert type(value) is np.float64
        assert value == 0.5
    assert schedule.at([], steps=3).shape == (0,)
    assert schedule.at([[1]], steps=3).tolist() == [[0.5]]
    assert schedule.at(range(3), 3).tolist() == [1.0, 0.5, 0.0]


@pytest.mark.parametrize(
    "wrong", [1.0, [0, 1.5], True, "1", None, [None], [[1], [1, 2]], [10**30, 0.5]]
)
def test_updates_are_ints(wrong):
    with pytest.raises(TypeError, match=r"^LinearDecay\(\): `updates` must be ints\."):
        k.LinearDecay().at(wrong, steps=3)


@pytest.mark.parametrize("wrong", [-1, [3, -1], -(10**30)])
def test_updates_are_not_negative(wrong):
    with pytest.raises(ValueError, match=r"`updates` must not be negative.*updates="):
        k.LinearDecay().at(wrong, steps=3)


@pytest.mark.parametrize("steps", [0, -3, 10**15 + 1])
def test_the_run_at_which_one_looks_has_a_length(steps):
    with pytest.raises(ValueError, match=r"`steps` must be at least 1 and at most"):
        k.LinearDecay().at(0, steps=steps)
