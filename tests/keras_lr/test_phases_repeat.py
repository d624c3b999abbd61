import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_lr.phases import cosine, hold, linear, repeat
from keras_lr.plan.cycles import Cycles
from keras_lr.plan.duration import Clock
from keras_lr.plan.layout import evaluate, place
from tests.kit.names import name_of


def lay(*parts, total=None, at=None, spe=None):
    clock = Clock(total, spe)
    updates = np.arange(total) if at is None else np.asarray(at)
    return evaluate(place(parts, clock, 0.0), updates, clock)


def saw(length, **options):
    return repeat(linear(length, to=0.0, start=1.0), **options)


def triangles(up, down, **options):
    return repeat(linear(up), linear(down, to=0.0), **options)


def test_cycles_follow_each_other_without_a_gap():
    values = lay(saw(3), total=8)
    assert values.tolist() == [1.0, 0.5, 0.0, 1.0, 0.5, 0.0, 1.0, 0.5]


def test_a_cycle_without_a_start_continues_from_the_one_before():
    values = lay(triangles(2, 4), total=8)
    assert values.tolist() == [0.5, 1.0, 0.75, 0.5, 0.25, 0.0, 0.5, 1.0]


def test_cycles_may_grow():
    values = lay(saw(2, grow=2.0), total=14)
    assert np.flatnonzero(values == 1.0).tolist() == [0, 2, 6]
    assert np.flatnonzero(values == 0.0).tolist() == [1, 5, 13]


def test_cycles_may_shrink_towards_their_end_value():
    values = lay(repeat(linear(2, to=0.5, start=1.5), shrink=0.5), total=6)
    assert values.tolist() == [1.5, 0.5, 1.0, 0.5, 0.75, 0.5]


def test_the_height_may_follow_a_function_of_cycle_and_update():
    seen = []

    def height(cycle, update):
        seen.extend(zip(cycle.tolist(), update.tolist(), strict=True))
        return np.ones(cycle.shape)

    lay(repeat(linear(2, to=0.0, start=1.0), shrink=height), total=4)
    assert seen[-4:] == [(0, 0), (0, 1), (1, 2), (1, 3)]


@pytest.mark.parametrize("total", [9, 10, 11, 100, 1000, 12345])
def test_three_cycles_of_a_third_fit_the_run_exactly(total):
    values = lay(saw(1 / 3), total=total)
    tops, floors = np.flatnonzero(values == 1.0), np.flatnonzero(values == 0.0)
    assert len(tops) == len(floors) == 3
    assert tops[0] == 0
    assert floors[-1] == total - 1
    assert np.all(floors[:-1] + 1 == tops[1:])


@given(st.integers(1, 20), st.integers(20, 5000))
def test_n_cycles_of_one_nth_fit_the_run_exactly(n, total):
    values = lay(repeat(cosine(1 / n, to=0.0, start=1.0)), total=total)
    assert values[-1] == 0.0
    assert np.count_nonzero(values == 0.0) == n


@given(st.integers(1, 30), st.integers(1, 30), st.integers(10**6, 10**9))
def test_a_late_cycle_is_the_first_cycle(up, down, cycle):
    first = lay(triangles(up, down), at=np.arange(up + down))
    late = lay(triangles(up, down), at=cycle * (up + down) + np.arange(up + down))
    np.testing.assert_allclose(late, first, rtol=1e-12)


@given(
    st.floats(0.3, 3.0),
    st.floats(0.0, 1.0),
    st.integers(0, 400),
    st.integers(1, 50),
    st.sampled_from([3, 10, "1.5 epochs", "2.3 epochs"]),
)
def test_a_window_is_a_slice_of_the_whole(grow, shrink, first, width, length):
    cycle = repeat(linear(length, to=0.1, start=1.0), grow=grow, shrink=shrink)
    parts = hold(5, 1.0), cycle
    whole = lay(*parts, total=500, spe=4)
    at = np.arange(first, first + width)
    assert lay(*parts, total=500, spe=4, at=at).tolist() == whole[at].tolist()


@given(st.floats(0.1, 3.0), st.floats(0.0, 1.0), st.integers(1, 30))
def test_cycles_are_never_negative_or_above_the_first(grow, shrink, length):
    cycle = repeat(cosine(length, to=0.25, start=1.0), grow=grow, shrink=shrink)
    values = lay(cycle, total=500)
    assert np.all(values >= 0.25)
    assert np.all(values <= 1.0)
    assert np.all(np.isfinite(values))


@given(st.floats(1.0, 3.0), st.integers(2, 30))
def test_every_cycle_begins_at_its_top_and_ends_at_its_floor(grow, length):
    values = lay(saw(length, grow=grow), total=600)
    tops = np.flatnonzero(values == 1.0)
    assert tops[0] == 0
    assert np.all(values[tops[1:] - 1] == 0.0)


def test_cycles_in_part_of_an_epoch_stay_in_step_with_the_epochs():
    values = lay(saw("2.5 epochs"), total=1000, spe=3)
    tops = np.flatnonzero(values == 1.0)
    assert np.all(np.abs(tops - 7.5 * np.arange(len(tops))) <= 0.5)


def test_a_repeat_of_some_length_is_followed_by_the_next_phase():
    values = lay(saw(2, duration=4), hold(2, 0.25), total=6)
    assert values.tolist() == [1.0, 0.0, 1.0, 0.0, 0.25, 0.25]


def test_the_phase_after_a_cut_cycle_begins_where_it_was_cut():
    values = lay(saw(3, duration=5), linear(2, to=0.0), total=7)
    assert values.tolist() == [1.0, 0.5, 0.0, 1.0, 0.5, 0.25, 0.0]


def test_an_open_repeat_left_with_nothing_leaves_the_value():
    values = lay(linear(1), saw(3), linear(2, to=0.0), total=3)
    assert values.tolist() == [1.0, 0.5, 0.0]


def test_restarts_that_never_reach_the_floor_are_possible():
    values = lay(repeat(linear(4, to=0.0, start=1.0, endpoint=False)), total=8)
    assert values.tolist() == [1.0, 0.75, 0.5, 0.25] * 2


def test_cycles_need_no_length_of_the_run():
    assert lay(saw(2), at=[10**12, 10**12 + 1]).tolist() == [1.0, 0.0]


@pytest.mark.parametrize(
    "parts", [(), (linear(),), (hold(3),), (linear(2), cosine())], ids=name_of
)
def test_each_phase_of_a_cycle_needs_a_duration_and_a_value(parts):
    with pytest.raises(ValueError, match="phases that each have a duration and a val"):
        repeat(*parts)


@pytest.mark.parametrize("grow", [0.0, -1.0, float("nan"), float("inf")])
def test_the_growth_must_be_finite_and_above_0(grow):
    with pytest.raises(ValueError, match=rf"above 0\. Received: grow={grow!r}\."):
        saw(3, grow=grow)


def by_hand(lengths, grow, fixed, total):
    """Cycle, phase, first update, length and end of the cycle, for each update."""
    found = []
    begin = 0.0
    cycle = 0
    while len(found) < total:
        joins = [begin]
        for i, length in enumerate(lengths):
            growth = 1.0 if i < fixed else grow**cycle
            joins.append(joins[-1] + max(1.0, length * growth))
        edges = [math.floor(join + 0.5 + 1e-9) for join in joins]
        for phase, (first, last) in enumerate(pairwise(edges)):
            rows = [(cycle, phase, first, last - first, edges[-1])] * (last - first)
            found += rows
        begin = joins[-1]
        cycle += 1
    return found[:total]


@given(
    st.lists(st.floats(1.0, 40.0), min_size=1, max_size=3),
    st.floats(0.01, 3.0) | st.sampled_from([1.0, 0.999, 1e-300]),
    st.integers(0, 2),
    st.integers(1, 300),
)
def test_cycles_that_grow_or_shrink_lie_where_a_count_by_hand_finds_them(
    lengths, grow, fixed, total
):
    fixed = min(fixed, len(lengths) - 1)
    found = Cycles(lengths, grow, fixed).locate(np.arange(total))
    expected = by_hand(lengths, grow, fixed, total)
    assert list(zip(*(column.tolist() for column in found), strict=True)) == expected


def test_cycles_that_shrink_end_as_single_updates_at_their_end_value():
    values = lay(saw(4, grow=0.5), total=12)
    assert values[:7].tolist() == pytest.approx([1, 2 / 3, 1 / 3, 0, 1, 0, 0])
    assert values[7:].tolist() == [0.0] * 5
    # Infinitely many of them would end after 8 updates; a phase has one at least.
    assert lay(saw(4, grow=0.5), at=[10**15]).tolist() == [0.0]
    both = lay(triangles(4, 4, grow=0.5), at=[14, 15, 16, 17, 10**12 + 1])
    assert both.tolist() == [1.0, 0.0, 1.0, 0.0, 0.0]


def test_the_first_phases_may_keep_their_length():
    values = lay(triangles(2, 2, grow=2.0, fixed=1), total=16)
    assert np.flatnonzero(values == 1.0).tolist() == [1, 5, 11]
    assert np.flatnonzero(values == 0.0).tolist() == [3, 9]


@pytest.mark.parametrize("fixed", [-1, 2])
def test_a_phase_that_grows_is_left(fixed):
    with pytest.raises(ValueError, match=rf"0 \.\. 1\. Received: fixed={fixed}\."):
        triangles(2, 2, fixed=fixed)


@pytest.mark.parametrize("shrink", [-0.5, float("nan"), float("inf")])
def test_the_height_must_be_finite_and_not_negative(shrink):
    with pytest.raises(ValueError, match=rf"Received: shrink={shrink!r}\."):
        saw(3, shrink=shrink)


def test_no_cycle_and_no_phase_of_one_is_shorter_than_an_update():
    assert lay(saw("5%"), total=4).tolist() == [0.0] * 4
    assert lay(saw("5%", grow=2.0), total=7)[[0, 1, 2, 3, 6]].tolist() == [
        0,
        1,
        0,
        1,
        0,
    ]
    values = lay(triangles("1%", "50%"), total=8)
    assert values.tolist() == [1.0, 0.75, 0.5, 0.25, 0.0, 1.0, 0.75, 0.5]


def test_updates_of_a_cycle_may_come_in_any_order_from_any_distance():
    at = [10**12 + 7, 3, 0, 10**12 + 6, 3]
    assert lay(saw(2), at=at).tolist() == [0.0, 0.0, 1.0, 1.0, 0.0]
    assert lay(saw(2), at=[]).tolist() == []


def test_cycles_may_grow_as_slowly_or_as_fast_as_one_likes():
    slow = saw(3, grow=1.0001)
    at = np.array([10**7, 5, 2 * 10**7])
    windows = [lay(slow, at=[update])[0] for update in at]
    assert lay(slow, at=at).tolist() == windows
    fast = lay(saw(3, grow=1e308), at=[2, 3, 10**9])
    assert fast.tolist() == pytest.approx([0.0, 1.0, 1.0], rel=1e-9)


def test_only_phases_can_be_repeated():
    with pytest.raises(ValueError, match=r"Received: \(3,\)\."):
        repeat(3)
