import math

import numpy as np
import pytest

from keras_lr import (
    CosineDecay,
    CosineRestarts,
    ExponentialDecay,
    FlatCosine,
    Function,
    InverseSqrt,
    InverseTimeDecay,
    LinearDecay,
    PiecewiseConstant,
    PiecewiseLinear,
    PolynomialDecay,
    Rex,
    StepDecay,
    Warmup,
    WarmupCosine,
    WarmupLinear,
    WarmupStableDecay,
)
from tests.kit.names import name_of

COOLDOWNS = {
    "linear": lambda p: 1 - p,
    "cosine": lambda p: math.cos(math.pi * p / 2) ** 2,
    "1-sqrt": lambda p: 1 - math.sqrt(p),
    "1-square": lambda p: 1 - p * p,
}


def close(values, expected):
    np.testing.assert_allclose(values, expected, rtol=1e-14, atol=1e-16)
    return True


def test_warmup_rises_to_the_own_rate_and_stays():
    values = Warmup(4).values(6, base_lr=0.5)
    assert values.tolist() == [0.125, 0.25, 0.375, 0.5, 0.5, 0.5]


def test_warmup_may_start_above_zero():
    assert Warmup(2, start=0.5).values(3).tolist() == [0.75, 1.0, 1.0]


def test_warmup_along_a_cosine():
    assert close(Warmup(3, curve="cosine").values(4), [0.25, 0.75, 1.0, 1.0])


def test_warmup_in_equal_factors():
    values = Warmup(2, start=0.01, curve="exponential").values(3)
    assert close(values, [0.1, 1.0, 1.0])


def test_warmup_of_five_percent_is_the_default():
    assert np.argmax(Warmup().values(1000)) == 49


def test_warmup_cosine_meets_peak_and_floor():
    values = WarmupCosine(max_lr=0.8, warmup=4, min_lr=0.2).values(9)
    middle = [0.2 + 0.6 * math.cos(math.pi * k / 10) ** 2 for k in range(1, 5)]
    assert close(values, [0.2, 0.4, 0.6, 0.8, *middle, 0.2])


def test_warmup_cosine_may_end_early_and_holds_the_floor():
    values = WarmupCosine(max_lr=1.0, warmup=1, decay=2, min_lr=0.25).values(5)
    assert close(values, [1.0, 0.625, 0.25, 0.25, 0.25])


def test_the_exponent_bends_the_cosine():
    assert WarmupCosine(warmup=1, exponent=2.0).values(3)[1] == pytest.approx(0.25)
    assert CosineDecay(exponent=2.0).values(3)[1] == pytest.approx(0.25)


def test_warmup_linear_is_a_slanted_triangle():
    values = WarmupLinear(max_lr=1.0, warmup=2, min_lr=0.2).values(6)
    assert close(values, [0.5, 1.0, 0.8, 0.6, 0.4, 0.2])


@pytest.mark.parametrize("shape", COOLDOWNS)
def test_warmup_stable_decay_cools_down_in_its_shape(shape):
    schedule = WarmupStableDecay(max_lr=0.8, warmup=2, decay=5, shape=shape, min_lr=0.3)
    cooldown = [0.3 + 0.5 * COOLDOWNS[shape](k / 5) for k in range(1, 6)]
    assert close(schedule.values(10), [0.4, 0.8, 0.8, 0.8, 0.8, *cooldown])


def test_the_stable_phase_may_be_empty():
    values = WarmupStableDecay(warmup=2, decay=2, shape="linear").values(4)
    assert values.tolist() == [0.5, 1.0, 0.5, 0.0]


def test_flat_cosine_stays_then_falls():
    values = FlatCosine(max_lr=1.0, decay="50%", min_lr=0.0).values(8)
    fall = [math.cos(math.pi * k / 8) ** 2 for k in range(1, 4)]
    assert close(values, [1.0] * 4 + fall + [0.0])


def test_inverse_sqrt_is_halved_when_the_time_has_quadrupled():
    values = InverseSqrt(max_lr=0.4, warmup=100).values(1000)
    assert values[99] == 0.4
    assert values[[399, 899]] == pytest.approx([0.2, 0.4 / 3], rel=1e-14)


def test_inverse_sqrt_without_warmup_starts_at_the_peak():
    values = InverseSqrt(max_lr=0.4, timescale=3).values(10)
    assert values[[0, 9]].tolist() == [0.4, 0.2]
    default = InverseSqrt(max_lr=1.0).values(30_001)
    assert default[-1] == pytest.approx(0.5, rel=1e-14)


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (CosineDecay(max_lr=0.8, min_lr=0.2), [0.8, 0.5, 0.2]),
        (LinearDecay(max_lr=0.8, min_lr=0.2), [0.8, 0.5, 0.2]),
        (PolynomialDecay(max_lr=0.8, min_lr=0.2), [0.8, 0.35, 0.2]),
        (PolynomialDecay(max_lr=0.8, power=3.0), [0.8, 0.1, 0.0]),
        (Rex(max_lr=0.8, min_lr=0.2), [0.8, 0.6, 0.2]),
        (ExponentialDecay(max_lr=0.8, min_lr=0.2), [0.8, 0.4, 0.2]),
        (InverseTimeDecay(max_lr=0.6, min_lr=0.2), [0.6, 0.3, 0.2]),
    ],
    ids=name_of,
)
def test_a_decay_starts_at_the_peak_and_ends_at_the_floor(schedule, expected):
    values = schedule.values(3)
    assert close(values, expected)
    assert [values[0], values[-1]] == [expected[0], expected[-1]]


@pytest.mark.parametrize("decay", [3, "30%", "3 steps", "1.5 epochs"])
def test_a_decay_may_last_for_part_of_the_run(decay):
    values = LinearDecay(max_lr=1.0, decay=decay).values(10, steps_per_epoch=2)
    assert values.tolist() == [1.0, 0.5, *[0.0] * 8]


@pytest.mark.parametrize("preset", [ExponentialDecay, InverseTimeDecay])
def test_what_never_reaches_zero_falls_to_a_hundredth(preset):
    assert preset(max_lr=0.5).values(50)[-1] == 0.005


def test_exponential_decay_at_a_given_pace():
    values = ExponentialDecay(max_lr=1.0, rate=0.25, every=2).values(5)
    assert close(values, [1.0, 0.5, 0.25, 0.125, 0.0625])


def test_inverse_time_decay_at_a_given_pace():
    values = InverseTimeDecay(max_lr=1.0, rate=0.5, every="10%").values(30)
    assert values[[0, 6, 18]] == pytest.approx([1.0, 0.5, 0.25], rel=1e-14)


@pytest.mark.parametrize("preset", [ExponentialDecay, InverseTimeDecay])
def test_a_decay_at_a_given_pace_stops_at_the_floor(preset):
    values = preset(max_lr=1.0, rate=0.5, every=1, min_lr=0.3).values(20)
    assert values[0] == 1.0
    assert values[-1] == values.min() == 0.3


def test_step_decay_drops_at_each_multiple():
    values = StepDecay(max_lr=1.0, every=3, rate=0.5, min_lr=0.2).values(10)
    assert values.tolist() == [1.0] * 3 + [0.5] * 3 + [0.25] * 3 + [0.2]


@pytest.mark.parametrize("epochs", [0.7, 1, 1.5, 2.1])
def test_step_decay_stays_in_step_with_the_epochs(epochs):
    schedule = StepDecay(every=f"{epochs} epochs", rate=0.5)
    drops = np.flatnonzero(np.diff(schedule.values(1000, steps_per_epoch=10))) + 1
    expected = [math.ceil(round(epochs * 10 * k, 6)) for k in range(1, len(drops) + 1)]
    assert drops.tolist() == expected


def test_step_decay_by_default_drops_three_times():
    drops = np.flatnonzero(np.diff(StepDecay().values(100))) + 1
    assert drops.tolist() == [30, 60, 90]


def test_cosine_restarts_grow_and_shrink():
    schedule = CosineRestarts(
        max_lr=0.9, first_cycle=3, t_mul=2.0, m_mul=0.5, min_lr=0.1
    )
    values = schedule.values(9)
    assert close(values[:3], [0.9, 0.5, 0.1])
    assert close(values[[3, 8]], [0.5, 0.1])


def test_cosine_restarts_fill_a_run_with_cycles_of_a_third():
    values = CosineRestarts(first_cycle=1 / 3, t_mul=1.0).values(100)
    assert np.flatnonzero(values == 0.0).tolist() == [32, 66, 99]
    assert np.flatnonzero(values == 1.0).tolist() == [0, 33, 67]


def test_cosine_restarts_without_endpoint_never_reach_the_floor():
    values = CosineRestarts(first_cycle=4, t_mul=1.0, endpoint=False).values(8)
    expected = [math.cos(math.pi * k / 8) ** 2 for k in range(4)]
    assert close(values, expected * 2)


@pytest.mark.parametrize(
    ("first_cycle", "warmup"), [(6, 2), ("1.5 epochs", 2), (0.25, 2), (0.25, "2 steps")]
)
def test_cosine_restarts_may_warm_up_in_each_cycle_as_long(first_cycle, warmup):
    schedule = CosineRestarts(
        first_cycle=first_cycle, warmup=warmup, t_mul=2.0, m_mul=0.5, min_lr=0.1
    )
    values = schedule.values(24, steps_per_epoch=4)
    # 2 + 4, 2 + 8 and 2 + 16 updates.
    peaks = [1.0, 0.55, 0.325]
    assert close(values[[1, 7, 17]], peaks)
    assert close(values[[0, 6, 16]], [(0.1 + peak) / 2 for peak in peaks])
    assert close(values[[5, 15]], [0.1, 0.1])
    assert np.all(np.diff(values[7:16]) < 0)


def test_cosine_restarts_may_become_shorter_until_they_stay_at_the_floor():
    values = CosineRestarts(first_cycle=4, t_mul=0.5).values(20)
    assert np.flatnonzero(values == 1.0).tolist() == [0, 4]
    assert not values[5:].any()
    warm = CosineRestarts(first_cycle=6, warmup=2, t_mul=0.5).values(20)
    assert np.flatnonzero(warm == 1.0).tolist() == [1, 7, 11, 14, 17]


def test_a_warmup_since_the_fit_has_the_values_of_one_since_the_run():
    assert Warmup(4, since="fit").values(9).tolist() == Warmup(4).values(9).tolist()


def test_piecewise_constant_changes_at_its_boundaries():
    schedule = PiecewiseConstant([2, "50%", "2 epochs"], [1, 0.5, 0.25, 0.125])
    values = schedule.values(10, base_lr=0.8, steps_per_epoch=4)
    assert values.tolist() == [0.8] * 2 + [0.4] * 3 + [0.2] * 3 + [0.1] * 2


def test_piecewise_linear_goes_through_its_points():
    points = [(0, 0.0), ("40%", 1.0), ("100%", 0.25)]
    values = PiecewiseLinear(points, max_lr=0.6).values(10)
    assert values[[0, 3, 9]].tolist() == [0.0, 0.6, 0.15]
    assert close(np.diff(values)[:3], [0.2] * 3)


def test_piecewise_linear_holds_its_first_and_its_last_factor():
    values = PiecewiseLinear([(3, 0.5), (5, 1.0)]).values(7)
    assert values.tolist() == [0.5, 0.5, 0.5, 0.75, 1.0, 1.0, 1.0]


def test_piecewise_linear_in_a_tiny_run_keeps_the_later_point():
    points = [(0, 0.0), ("1%", 0.5), ("100%", 1.0)]
    assert PiecewiseLinear(points).values(3).tolist() == [0.5, 0.75, 1.0]


def test_of_positions_that_meet_or_overtake_each_other_the_later_one_wins():
    shares = PiecewiseConstant(["1%", "2%", "60%"], [1.0, 0.5, 0.25, 0.125])
    assert shares.values(4).tolist() == [1.0, 0.25, 0.125, 0.125]
    assert shares.values(1).tolist() == [1.0]
    mixed = PiecewiseConstant([3, "50%"], [1.0, 0.5, 0.25])
    assert mixed.values(4).tolist() == [1.0, 1.0, 1.0, 0.25]
    assert mixed.values(2).tolist() == [1.0, 1.0]
    line = PiecewiseLinear([(0, 0.0), (4, 1.0), ("50%", 0.5), ("100%", 0.0)])
    assert line.values(4).tolist() == [0.0, 1 / 3, 2 / 3, 0.0]
    assert line.values(1).tolist() == [0.0]


def test_function_of_the_step():
    values = Function(lambda step: 1 / (1 + step), max_lr=0.5).values(3)
    assert values.tolist() == [0.5, 0.25, 0.5 / 3]


def test_function_of_progress():
    values = Function(lambda p: p * p, of="progress").values(5)
    assert values.tolist() == [0.0, 0.0625, 0.25, 0.5625, 1.0]


def test_function_receives_plain_numbers_and_may_return_any():
    seen = []

    def factor(step):
        seen.append(type(step))
        return np.float32(0.5)

    assert Function(factor).values(2).tolist() == [0.5, 0.5]
    assert set(seen) == {int}


@pytest.mark.parametrize("wrong", [-0.5, float("nan"), float("inf")])
def test_a_function_must_stay_finite_and_not_negative(wrong):
    schedule = Function(lambda step: 1.0 if step < 3 else wrong)
    with pytest.raises(ValueError, match=rf"Received: {wrong:g} at update 3\."):
        schedule.values(10)


@pytest.mark.parametrize("name", ["momentum", "weight_decay"])
def test_a_preset_may_schedule_another_hyperparameter(name):
    schedule = CosineDecay(max_lr=0.8, hyperparameter=name)
    assert close(schedule.values(3), [0.8, 0.4, 0.0])


def test_a_schedule_of_momentum_is_told_by_momentum_values():
    schedule = LinearDecay(hyperparameter="momentum", min_lr=0.5)
    assert schedule.momentum_values(3, base=0.9).tolist() == [0.9, 0.7, 0.5]
    assert CosineDecay().momentum_values(3, base=0.9).tolist() == [0.9] * 3


def test_momentum_must_stay_below_one():
    schedule = Warmup(2, hyperparameter="momentum", max_lr=1.0)
    with pytest.raises(ValueError, match=r"below 1 .* Received: 1 at update 1\."):
        schedule.momentum_values(4)


def test_a_horizon_replaces_the_length_of_the_run():
    values = LinearDecay(max_lr=1.0, horizon=5).values(7)
    assert values.tolist() == [1.0, 0.75, 0.5, 0.25, 0.0, 0.0, 0.0]
    epochs = LinearDecay(max_lr=1.0, horizon="2 epochs")
    assert epochs.values(3, steps_per_epoch=2)[-1] == pytest.approx(1 / 3)
