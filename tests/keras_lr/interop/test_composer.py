"""Schedulers of composer, against its own tests' expectations and closed forms."""

import numpy as np
import pytest

from keras_lr.interop import from_composer


def close(values, expected, rtol=1e-12):
    np.testing.assert_allclose(values, expected, rtol=rtol, atol=1e-15)
    return True


STEP = "StepScheduler"
MULTI = "MultiStepScheduler"
LINEAR = "LinearScheduler"
COSINE = "CosineAnnealingScheduler"
RESTARTS = "CosineAnnealingWarmRestartsScheduler"
POLY = "PolynomialScheduler"
MULTI_UP = "MultiStepWithWarmupScheduler"
CONSTANT_UP = "ConstantWithWarmupScheduler"
LINEAR_UP = "LinearWithWarmupScheduler"
COSINE_UP = "CosineAnnealingWithWarmupScheduler"
POLY_UP = "PolynomialWithWarmupScheduler"
HALVES = {"milestones": ["100ba", "1ep", "0.01dur"], "gamma": 0.5}
EPOCHS = {"t_warmup": "10ba", "milestones": ["2ep", "4ep"], "gamma": 0.5}
QUARTER = {"alpha_i": 0.0, "alpha_f": 1.0, "t_max": "0.25dur"}
HUNDRED = {"power": 2.0, "t_max": "100ba", "alpha_f": 0.5}
THIRTY = {"t_max": "30ba", "alpha_f": 0.5}
MILLION = 1_000_000
UP_AND_HELD = {0: 0, 250_000: 1.5, 500_000: 3, 500_500: 3, 501_000: 3}
LATE = {0: 0, 450_000: 0.5, 900_000: 1}
LATE_SHORT = {0: 0, 4500: 0.5, 9000: 1}

#: Name, arguments, ratio, and the factor at some batches of 1000 epochs (times the
#: ratio) of 1000 batches.
# fmt: off
EXPECTATIONS = [
    (STEP, {"step_size": "10ba"}, 1, {5: 1, 15: 0.1, 35: 0.001}),
    (STEP, {"step_size": "0.002dur", "gamma": 0.8}, 1,
     {1000: 1, 3000: 0.8, 7000: 0.512}),
    (STEP, {"step_size": "1ep", "gamma": 0.5}, 1, {500: 1, 1500: 0.5, 3500: 0.125}),
    (STEP, {"step_size": "10ba", "gamma": 0.5}, 0.5, {3: 1, 8: 0.5, 18: 0.125}),
    (MULTI, {"milestones": ["10ba", "30ba", "70ba"]}, 1,
     {5: 1, 20: 0.1, 50: 0.01, 100: 0.001}),
    (MULTI, HALVES, 1, {50: 1, 500: 0.5, 5000: 0.25, 50_000: 0.125}),
    (MULTI, HALVES, 4, {200: 1, 2000: 0.5, 20_000: 0.25, 200_000: 0.125}),
    (LINEAR, {}, 1, {100_000: 0.9, 200_000: 0.8, 400_000: 0.6}),
    (LINEAR, {"alpha_i": 0.0, "alpha_f": 2.0}, 1, {100_000: 0.2, 400_000: 0.8}),
    (LINEAR, QUARTER, 1, {100_000: 0.4, 400_000: 1}),
    (LINEAR, QUARTER, 2, {100_000: 0.2, 400_000: 0.8}),
    ("ExponentialScheduler", {"gamma": 0.5}, 1, {1000: 0.5, 2000: 0.25, 4000: 0.0625}),
    ("ExponentialScheduler", {"gamma": 0.5}, 2, {2000: 0.5, 4000: 0.25, 8000: 0.0625}),
    (COSINE, {}, 1, {0: 1, 333_333: 0.75, 500_000: 0.5, 666_667: 0.25, MILLION: 0}),
    (COSINE, THIRTY, 1, {0: 1, 10: 0.875, 15: 0.75, 30: 0.5, 50: 0.5}),
    (COSINE, THIRTY, 0.2, {0: 1, 2: 0.875, 3: 0.75, 6: 0.5, 10: 0.5}),
    (RESTARTS, {"t_0": "30ba"}, 1,
     {0: 1, 10: 0.75, 15: 0.5, 20: 0.25, 30: 1, 40: 0.75}),
    (RESTARTS, {"t_0": "0.003dur", "t_mult": 1.5}, 1,
     {0: 1, 1000: 0.75, 3000: 1, 4500: 0.75, 7500: 1, 14_250: 1}),
    (RESTARTS, {"t_0": "30ep", "t_mult": 2.0, "alpha_f": 0.5}, 0.5,
     {0: 1, 5000: 0.875, 15_000: 1, 25_000: 0.875}),
    (POLY, {"power": 2.0}, 1, {0: 1, 100_000: 0.81, 200_000: 0.64, 500_000: 0.25}),
    (POLY, HUNDRED, 1, {0: 1, 10: 0.905, 50: 0.625}),
    (POLY, HUNDRED, 0.5, {0: 1, 10: 0.82, 50: 0.5}),
    (MULTI_UP, {"t_warmup": "10ba", "milestones": ["20ba", "40ba"]}, 1,
     {0: 0, 5: 0.5, 15: 1, 25: 0.1, 45: 0.01}),
    (MULTI_UP, EPOCHS, 0.5, {0: 0, 5: 0.5, 15: 1, 1500: 0.5, 2500: 0.25}),
    (MULTI_UP, {**EPOCHS, "scale_warmup": True}, 0.5,
     {0: 0, 5: 1, 15: 1, 1500: 0.5, 2500: 0.25}),
    (MULTI_UP, {"t_warmup": "1000ep", "milestones": []}, 1,
     {0: 0, 100_000: 0.1, MILLION: 1}),
    (CONSTANT_UP, {"t_warmup": "500ep"}, 1,
     {0: 0, 250_000: 0.5, 500_000: 1, MILLION: 1}),
    (CONSTANT_UP, {"t_warmup": "500ep", "alpha": 3.0}, 1, UP_AND_HELD),
    (CONSTANT_UP, {"t_warmup": "0.0005dur"}, 1, {0: 0, 250: 0.5, 500: 1, 499_750: 1}),
    (CONSTANT_UP, {"t_warmup": "500ep", "alpha": 3.0, "t_max": "501000ep"}, 0.5,
     UP_AND_HELD),
    (LINEAR_UP, {"t_warmup": "500ep"}, 1,
     {0: 0, 250_000: 0.5, 500_000: 1, 750_000: 0.5, MILLION: 0}),
    (LINEAR_UP, {"t_warmup": "0.0005dur"}, 1, {0: 0, 250: 0.5, 500: 1, 499_750: 0.5}),
    (LINEAR_UP, {"t_warmup": "500ba"}, 0.5, {0: 0, 250: 0.5, 500: 1, 249_875: 0.5}),
    (LINEAR_UP, {"t_warmup": "500ba", "scale_warmup": True}, 0.5,
     {0: 0, 125: 0.5, 250: 1, 249_875: 0.5}),
    (LINEAR_UP, {"t_warmup": "1000ep"}, 1, {0: 0, 100_000: 0.1, MILLION: 1}),
    (COSINE_UP, {"t_warmup": "0.9dur"}, 1,
     {**LATE, 933_333: 0.75, 950_000: 0.5, MILLION: 0}),
    (COSINE_UP, {"t_warmup": "0.9dur", "alpha_f": 0.5}, 0.01,
     {**LATE_SHORT, 9333: 0.875, 9500: 0.75}),
    (COSINE_UP, {"t_warmup": "1000ep"}, 1, {0: 0, 100_000: 0.1, MILLION: 1}),
    (POLY_UP, {"t_warmup": "0.9dur"}, 1,
     {**LATE, 913_397: 0.75, 929_289: 0.5, MILLION: 0}),
    (POLY_UP, {"t_warmup": "0.9dur", "alpha_f": 0.5}, 0.01,
     {**LATE_SHORT, 9134: 0.875, 9293: 0.75}),
    (POLY_UP, {"t_warmup": "0.9dur", "alpha_f": 0.5, "scale_warmup": True}, 0.01,
     {**LATE_SHORT, 9134: 0.875}),
]
# fmt: on


@pytest.mark.parametrize("faithful", [True, False])
@pytest.mark.parametrize(("name", "arguments", "ratio", "expected"), EXPECTATIONS)
def test_what_its_own_tests_expect(name, arguments, ratio, expected, faithful):
    schedule = from_composer(
        name, faithful=faithful, scale_schedule_ratio=ratio, **arguments
    )
    steps = round(MILLION * ratio)
    got = schedule.at(list(expected), steps=steps, steps_per_epoch=1000)
    np.testing.assert_allclose(got, list(expected.values()), atol=1e-3)


def test_a_factor_of_some_time_ends():
    values = from_composer("ConstantScheduler", alpha=0.5, t_max="3ba").values(5)
    assert values.tolist() == [0.5, 0.5, 0.5, 1.0, 1.0]
    assert from_composer("ConstantScheduler", alpha=0.5).values(3).tolist() == [0.5] * 3


def test_times_are_rounded_down_but_for_noise():
    # In floating point 0.29 times 100 is a little less than 29.
    drop = {"milestones": ["0.29dur", "0.295dur"], "gamma": 0.5}
    values = from_composer(MULTI, **drop).values(100)
    assert values[27:31].tolist() == [1.0, 1.0, 0.25, 0.25]
    as_it_is = from_composer(MULTI, faithful=True, **drop)
    assert as_it_is.values(100)[27:31].tolist() == [1.0, 0.5, 0.25, 0.25]
    # A trainer that is told ten epochs multiplies in another order.
    assert as_it_is.values(100, steps_per_epoch=10).tolist() == values.tolist()


def test_cycles_are_rounded_down_each_by_itself():
    # 5, int(7.5), int(10.5), int(15.0)
    values = from_composer(RESTARTS, t_0="5ba", t_mult=1.5).values(60)
    assert np.flatnonzero(values == 1.0).tolist() == [0, 5, 12, 22, 37, 59]
    alike = from_composer(RESTARTS, t_0="5ba", t_mult=1.1)
    assert close(alike.at(10**9 + 2, steps=10**10), np.cos(np.pi * 0.2) ** 2)
    shrinking = from_composer(RESTARTS, t_0="4ba", t_mult=0.5)
    assert shrinking.values(7).tolist()[4:] == [1.0, 0.5, 1.0]
    with pytest.raises(ValueError, match="shorter than that from batch 7 on"):
        shrinking.values(8)


def test_a_scaled_warmup_ends_at_its_end():
    def values(ratio, **options):
        schedule = from_composer(
            LINEAR_UP,
            t_warmup="4ba",
            t_max="100ba",
            scale_warmup=True,
            scale_schedule_ratio=ratio,
            **options,
        )
        return schedule.values(9)

    assert close(values(2.0), np.arange(9) / 8)
    assert close(values(0.5)[:6], [0, 0.5, 1, 47 / 48, 46 / 48, 45 / 48])
    # composer leaves it when an unscaled one would be over: it jumps there, or waits.
    assert close(values(2.0, faithful=True)[3:6], [3 / 8, 1, 195 / 196])
    assert close(values(0.5, faithful=True)[:6], [0, 0.5, 1, 1, 1, 45 / 46])


def test_an_end_before_that_of_the_training_is_refused_where_it_is_to_be_faithful():
    options = {"t_warmup": "2ba", "t_max": "4ba"}
    values = from_composer(LINEAR_UP, **options).values(6)
    assert values.tolist() == [0.0, 0.5, 1.0, 0.5, 0.0, 0.0]
    as_it_is = from_composer(LINEAR_UP, faithful=True, **options)
    assert as_it_is.values(4).tolist() == values[:4].tolist()
    with pytest.raises(ValueError, match="before the end of the training"):
        as_it_is.values(6)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"t_max": "10"}, ValueError, "'10ep', '100ba' or '0.5dur'. Received: t_max"),
        ({"t_max": 10}, ValueError, "a time as composer writes it"),
        ({"t_max": "tenba"}, ValueError, "a time as composer writes it"),
        ({"t_max": "10sp"}, ValueError, "counts no samples"),
        ({"t_max": "10tok"}, ValueError, "counts no tokens"),
        ({"t_max": "10sec"}, ValueError, "own schedulers refuse"),
        ({"t_max": "2iter"}, ValueError, "counts no iterations"),
        ({"t_max": "1.5ep"}, ValueError, "whole number of ep"),
        ({"t_max": "-1ba"}, ValueError, "not negative"),
        ({"scale_schedule_ratio": 0}, ValueError, "`scale_schedule_ratio`"),
        ({"power": 2}, TypeError, "no argument `power`"),
    ],
)
def test_bad_input_is_refused_with_the_reason(arguments, error, message):
    with pytest.raises(error, match=message):
        from_composer(LINEAR, **arguments)


def test_what_a_run_cannot_tell_is_asked_for():
    with pytest.raises(ValueError, match="`t_max` is in epochs, and the updates"):
        from_composer(LINEAR, t_max="2ep").values(9)
    with pytest.raises(ValueError, match="`step_size` must come to a batch or more"):
        from_composer(STEP, step_size="0.01dur").values(9)
