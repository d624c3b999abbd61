import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_lr import CyclicalLR, OneCycle

SHAPES = {
    "cosine": lambda p: math.sin(math.pi * p / 2) ** 2,
    "linear": lambda p: p,
}


def way(start, end, shape, n):
    return [start + (end - start) * SHAPES[shape](k / n) for k in range(1, n + 1)]


def close(values, expected):
    np.testing.assert_allclose(values, expected, rtol=1e-13, atol=1e-16)
    return True


@pytest.mark.parametrize("shape", SHAPES)
def test_one_cycle_in_two_phases(shape):
    schedule = OneCycle(max_lr=1.0, warmup=4, annealing=shape, div_factor=10.0)
    expected = [0.1, *way(0.1, 1.0, shape, 3), *way(1.0, 1e-5, shape, 7)]
    assert close(schedule.values(11), expected)


@pytest.mark.parametrize("shape", SHAPES)
def test_one_cycle_in_three_phases(shape):
    schedule = OneCycle(max_lr=1.0, warmup=4, annealing=shape, phases="three")
    down = [*way(1.0, 0.04, shape, 3), *way(0.04, 4e-6, shape, 5)]
    assert close(schedule.values(12), [0.04, *way(0.04, 1.0, shape, 3), *down])


@pytest.mark.parametrize("shape", SHAPES)
def test_momentum_swings_against_the_rate_in_two_phases(shape):
    schedule = OneCycle(warmup=4, annealing=shape)
    expected = [0.95, *way(0.95, 0.85, shape, 3), *way(0.85, 0.95, shape, 7)]
    assert close(schedule.momentum_values(11), expected)


@pytest.mark.parametrize("shape", SHAPES)
def test_momentum_stays_high_in_the_third_phase(shape):
    schedule = OneCycle(warmup=4, annealing=shape, phases="three", momentum=(0.5, 0.75))
    swing = [0.75, *way(0.75, 0.5, shape, 3), *way(0.5, 0.75, shape, 3)]
    assert close(schedule.momentum_values(12), [*swing, *[0.75] * 5])


def test_no_momentum_leaves_it_alone():
    assert OneCycle(momentum=None).momentum_values(5, base=0.7).tolist() == [0.7] * 5


def test_the_ends_of_one_cycle_are_exact():
    values = OneCycle(max_lr=0.3, min_lr=0.01, div_factor=3.0).values(100)
    assert values[[0, 29, 99]].tolist() == [0.3 / 3.0, 0.3, 0.01]
    default = OneCycle(max_lr=0.3).values(100)
    assert default[[0, 99]].tolist() == [0.3 / 25, 0.3 / 25 / 1e4]


@given(st.integers(2, 300), st.floats(0.001, 0.5), st.floats(1e-6, 10.0))
def test_one_cycle_reaches_its_peak_whatever_the_rounding(total, warmup, peak):
    values = OneCycle(max_lr=peak, warmup=warmup).values(total)
    assert values.max() == peak
    assert values[-1] == peak / 25 / 1e4
    assert OneCycle(warmup=warmup).momentum_values(total).min() == 0.85


@given(st.integers(3, 300), st.floats(0.001, 0.4))
def test_three_phases_reach_peak_and_floor_whatever_the_rounding(total, warmup):
    values = OneCycle(max_lr=1.0, warmup=warmup, phases="three").values(total)
    assert values.max() == 1.0
    assert values[-1] == 0.04 / 1e4


@pytest.mark.parametrize(
    ("phases", "total", "expected"),
    [
        ("two", 2, [1.0, 0.0]),
        ("two", 3, [1.0, 0.5, 0.0]),
        ("two", 4, [1.0, 0.75, 0.25, 0.0]),
        ("three", 3, [1.0, 0.25, 0.0]),
        ("three", 4, [1.0, 0.25, 0.125, 0.0]),
    ],
)
def test_one_cycle_in_a_tiny_run(phases, total, expected):
    schedule = OneCycle(max_lr=1.0, warmup=1, phases=phases, div_factor=4.0, min_lr=0.0)
    assert close(schedule.values(total), expected)


@pytest.mark.parametrize(("phases", "total"), [("two", 1), ("three", 2)])
def test_a_run_too_short_for_the_phases_sees_the_first(phases, total):
    values = OneCycle(max_lr=0.5, phases=phases).values(total)
    assert values.tolist() == [0.5, 0.02][:total]


@pytest.mark.parametrize("phases", ["two", "three"])
@pytest.mark.parametrize("zero", [0, 0.0, "0%", "0 epochs", "0 steps"])
def test_one_cycle_without_warmup_begins_at_its_peak(phases, zero):
    schedule = OneCycle(max_lr=1.0, warmup=zero, phases=phases, min_lr=0.0)
    assert close(schedule.values(3), [1.0, 0.5, 0.0])
    assert close(schedule.momentum_values(3), [0.85, 0.9, 0.95])


def test_a_triangle_climbs_and_falls():
    values = CyclicalLR(max_lr=0.5, min_lr=0.1, half_cycle=4).values(17)
    assert close(values[:9], [0.1, 0.2, 0.3, 0.4, 0.5, 0.4, 0.3, 0.2, 0.1])
    assert values[8:].tolist() == values[:9].tolist()
    assert values[[0, 4, 8]].tolist() == [0.1, 0.5, 0.1]


def test_the_halves_may_differ():
    schedule = CyclicalLR(half_cycle=1, half_cycle_down=4)
    assert schedule.values(7).tolist() == [0.0, 1.0, 0.75, 0.5, 0.25, 0.0, 1.0]


def test_half_cycles_of_two_epochs_are_the_default():
    values = CyclicalLR().values(50, steps_per_epoch=5)
    assert np.flatnonzero(values == 1.0).tolist() == [10, 30]
    assert np.flatnonzero(values == 0.0).tolist() == [0, 20, 40]


def test_triangular2_halves_the_height_from_cycle_to_cycle():
    schedule = CyclicalLR(max_lr=1.0, min_lr=0.5, half_cycle=2, mode="triangular2")
    assert schedule.values(12)[[2, 6, 10]].tolist() == [1.0, 0.75, 0.625]
    assert schedule.values(12)[[0, 4, 8]].tolist() == [0.5, 0.5, 0.5]


def test_exp_range_shrinks_with_every_update():
    schedule = CyclicalLR(half_cycle=5, mode="exp_range", gamma=0.9)
    plain = CyclicalLR(half_cycle=5).values(30)
    assert close(schedule.values(30), plain * 0.9 ** np.arange(30))


def test_an_own_height_by_cycle_counts_cycles_from_1():
    schedule = CyclicalLR(half_cycle=2, scale_fn=lambda cycle: 1 / cycle)
    assert close(schedule.values(12)[[2, 6, 10]], [1, 1 / 2, 1 / 3])


def test_an_own_height_by_step_counts_updates_from_0():
    schedule = CyclicalLR(half_cycle=2, scale_fn=float, scale_by="step")
    assert schedule.values(8)[[2, 6]].tolist() == [2.0, 6.0]


def test_an_own_height_wins_over_the_mode():
    schedule = CyclicalLR(half_cycle=1, mode="triangular2", scale_fn=lambda cycle: 1)
    assert schedule.values(5).tolist() == [0.0, 1.0, 0.0, 1.0, 0.0]


@pytest.mark.parametrize("mode", ["triangular", "triangular2", "exp_range"])
def test_momentum_swings_against_the_triangles(mode):
    schedule = CyclicalLR(half_cycle=3, half_cycle_down=5, mode=mode, gamma=0.9)
    rate, momentum = schedule.values(60), schedule.momentum_values(60)
    assert close(momentum, 0.9 - 0.1 * rate)


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 20))
def test_triangles_follow_the_formula_of_the_paper(up, down, cycles):
    schedule = CyclicalLR(max_lr=0.7, min_lr=0.2, half_cycle=up, half_cycle_down=down)

    def height(t):
        t %= up + down
        return t / up if t <= up else (up + down - t) / down

    steps = cycles * (up + down)
    expected = [0.2 + 0.5 * height(t) for t in range(steps)]
    np.testing.assert_allclose(schedule.values(steps), expected, rtol=1e-12)


def test_no_half_of_a_triangle_is_shorter_than_an_update():
    values = CyclicalLR(half_cycle="10%").values(5)
    assert values.tolist() == [0.0, 1.0, 0.0, 1.0, 0.0]


def test_triangles_far_out_are_as_exact_as_the_first():
    schedule = CyclicalLR(half_cycle=500_000_000, momentum=None)
    assert schedule.values(3).tolist() == [0.0, 1 / 5e8, 2 / 5e8]
