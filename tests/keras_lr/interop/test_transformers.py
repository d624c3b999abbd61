"""Schedules of transformers, against its numbers and its own tests' expectations."""

import numpy as np
import pytest

from keras_lr.interop import from_torch, from_transformers
from keras_lr.interop.transformers_schedules import RECIPES
from tests.keras_lr.test_golden import FILES

CASES = {case["name"]: case for case in FILES["hf_transformers"]["cases"]}


def carried_over(case, **options):
    return from_transformers(case["scheduler"], **case["kwargs"], **options)


def close(values, expected, rtol=1e-12):
    np.testing.assert_allclose(values, expected, rtol=rtol, atol=1e-15)
    return True


@pytest.mark.parametrize("name", CASES)
def test_golden_rates_are_met(name):
    expected = np.array(CASES[name]["lr"])
    options = {"base_lr": CASES[name]["base_lr"]}
    as_it_is = carried_over(CASES[name], faithful=True)
    assert close(as_it_is.values(len(expected), **options), expected)
    mended = carried_over(CASES[name])
    # Cosines have come down after 100 steps, or 99, and stay there.
    end = 100 - ("warmup_with_min_lr" in name) if "cosine_" in name[:7] else None
    held = expected.copy()
    if end is not None:
        held[end:] = expected[end]
        assert len(set(expected[end:])) == len(expected) - end
    assert close(mended.values(len(expected), **options), held)


def test_what_its_own_tests_expect():
    t = np.arange(10)
    up = np.minimum(t / 2, 1)
    down = np.clip((10 - t) / 8, 0, 1)
    expectations = {
        "constant": ({}, np.ones(10)),
        "constant_with_warmup": (
            {"num_warmup_steps": 4},
            np.minimum(t / 4, 1),
        ),
        "linear": ({}, up * down),
        "cosine": ({}, up * np.sin(np.pi * down / 2) ** 2),
        "cosine_with_restarts": (
            {"num_cycles": 2},
            up * np.cos(np.pi * (np.maximum(t - 2, 0) / 4 % 1) / 2) ** 2,
        ),
        "polynomial": (
            {"power": 2.0, "lr_end": 1e-7},
            up * np.where(t < 2, 1, (1 - 1e-8) * down**2 + 1e-8),
        ),
        "inverse_sqrt": ({}, np.minimum(up, np.sqrt(2 / np.maximum(t, 2)))),
        "warmup_stable_decay": (
            {"num_stable_steps": 2, "num_decay_steps": 3, "min_lr_ratio": 0.1},
            [0.1, 0.55, 1, 1, 1, 0.775, 0.325, 0.1, 0.1, 0.1],
        ),
    }
    for name, (arguments, factors) in expectations.items():
        # get_scheduler is given both lengths, whatever the schedule.
        lengths = {"num_warmup_steps": 2, "num_training_steps": 10}
        schedule = from_transformers(name, **{**lengths, **arguments})
        assert close(schedule.values(10, base_lr=10.0), 10 * np.array(factors))


def test_the_functions_are_the_names_of_get_scheduler():
    functions = {
        "constant": "get_constant_schedule",
        "constant_with_warmup": "get_constant_schedule_with_warmup",
        "linear": "get_linear_schedule_with_warmup",
        "cosine": "get_cosine_schedule_with_warmup",
        "cosine_with_restarts": "get_cosine_with_hard_restarts_schedule_with_warmup",
        "polynomial": "get_polynomial_decay_schedule_with_warmup",
        "inverse_sqrt": "get_inverse_sqrt_schedule",
        "cosine_with_min_lr": "get_cosine_with_min_lr_schedule_with_warmup",
        "cosine_warmup_with_min_lr": (
            "get_cosine_with_min_lr_schedule_with_warmup_lr_rate"
        ),
        "warmup_stable_decay": "get_wsd_schedule",
    }
    assert set(RECIPES) == set(functions) | set(functions.values())
    for case in CASES.values():
        named = carried_over(case).values(30, base_lr=0.1)
        called = carried_over({**case, "scheduler": functions[case["scheduler"]]})
        assert close(called.values(30, base_lr=0.1), named)


def test_a_plateau_is_torchs():
    arguments = {"factor": 0.5, "patience": 3, "monitor": "loss"}
    for name in ("reduce_lr_on_plateau", "get_reduce_on_plateau_schedule"):
        schedule = from_transformers(name, **arguments)
        assert schedule.get_config() == (
            from_torch("ReduceLROnPlateau", **arguments).get_config()
        )


def test_arguments_of_ones_own_may_come_as_get_scheduler_takes_them():
    lengths = {"num_warmup_steps": 2, "num_training_steps": 20}
    for name, more in (
        ("warmup_stable_decay", {"num_decay_steps": 5, "decay_type": "linear"}),
        ("cosine_with_min_lr", {"min_lr": 0.1}),
        ("inverse_sqrt", {"timescale": 7}),
    ):
        nested = from_transformers(name, **lengths, scheduler_specific_kwargs=more)
        assert close(
            nested.values(20), from_transformers(name, **lengths, **more).values(20)
        )
    assert from_transformers("constant", **lengths).values(3).tolist() == [1.0] * 3


def test_a_floor_is_a_rate_and_a_ratio_is_not():
    lengths = {"num_warmup_steps": 0, "num_training_steps": 10}
    for name in ("cosine_with_min_lr", "cosine_warmup_with_min_lr"):
        for base in (1.0, 0.1):
            rate = from_transformers(name, **lengths, min_lr=0.01)
            assert rate.at(10, steps=11, base_lr=base) == pytest.approx(0.01)
            ratio = from_transformers(name, **lengths, min_lr_rate=0.01)
            assert ratio.at(10, steps=11, base_lr=base) == pytest.approx(0.01 * base)


def test_hard_restarts_are_at_their_step():
    # 22 cycles of two steps; transformers' product of floats misses the 16th.
    arguments = {"num_warmup_steps": 0, "num_training_steps": 44, "num_cycles": 22}
    values = from_transformers("cosine_with_restarts", **arguments).values(46)
    assert close(values, [1.0, 0.5] * 22 + [0.0, 0.0])
    as_it_is = from_transformers("cosine_with_restarts", faithful=True, **arguments)
    assert np.flatnonzero(np.abs(as_it_is.values(46) - values) > 1e-9).tolist() == [30]


def test_a_polynomial_without_a_decay_has_a_value_at_its_end():
    lengths = {"num_warmup_steps": 2, "num_training_steps": 2}
    values = from_transformers("polynomial", **lengths, lr_end=0.1).values(5)
    assert values.tolist() == [0.0, 0.5, 1.0, 0.1, 0.1]
    with pytest.raises(ValueError, match="divides by zero"):
        from_transformers("polynomial", faithful=True, **lengths)


def test_a_decay_that_does_not_fit_is_refused_unless_faithful():
    lengths = {"num_warmup_steps": 4, "num_decay_steps": 4, "num_training_steps": 6}
    linear = {"decay_type": "linear"}
    with pytest.raises(ValueError, match="the warmup and the decay together"):
        from_transformers("warmup_stable_decay", **lengths)
    as_it_is = from_transformers(
        "warmup_stable_decay", faithful=True, **lengths, **linear
    )
    assert as_it_is.values(7).tolist() == [0.0, 0.25, 0.5, 0.75, 0.5, 0.25, 0.0]


LENGTHS = {"num_warmup_steps": 2, "num_training_steps": 10}


@pytest.mark.parametrize(
    ("name", "arguments", "error", "message"),
    [
        ("greedy", {}, ValueError, "up and down with a metric. keras_lr.Plateau"),
        ("linear", {"num_training_steps": 5}, ValueError, "needs `num_warmup_steps`"),
        (
            "linear",
            {"num_warmup_steps": 0.1, "num_training_steps": 5},
            ValueError,
            "whole number of steps. Received: num_warmup_steps=0.1. For a ratio",
        ),
        ("linear", {**LENGTHS, "last_epoch": 3}, ValueError, "`initial_epoch`"),
        ("linear", {**LENGTHS, "lr_end": 0.1}, TypeError, "no argument `lr_end`"),
        ("cosine_with_min_lr", LENGTHS, ValueError, "either `min_lr` or"),
        (
            "cosine_with_min_lr",
            {**LENGTHS, "min_lr": 0.1, "min_lr_rate": 0.1},
            ValueError,
            "min_lr=0.1, min_lr_rate=0.1",
        ),
        ("warmup_stable_decay", LENGTHS, ValueError, "`num_decay_steps` must be given"),
        (
            "get_wsd_schedule",
            {"num_warmup_steps": 1, "num_decay_steps": 1},
            ValueError,
            "`num_training_steps` or `num_stable_steps`",
        ),
        (
            "warmup_stable_decay",
            {**LENGTHS, "num_decay_steps": 3, "decay_type": "sqrt"},
            ValueError,
            "'linear', 'cosine', '1-sqrt'. Received: decay_type='sqrt'",
        ),
        (
            "cosine",
            {**LENGTHS, "scheduler_specific_kwargs": {"power": 2}},
            TypeError,
            "of num_warmup_steps, .* Received: power=2",
        ),
    ],
)
def test_bad_input_is_refused_with_the_reason(name, arguments, error, message):
    with pytest.raises(error, match=message):
        from_transformers(name, **arguments)


def test_an_end_above_the_own_rate_is_refused_where_that_is_known():
    schedule = from_transformers("polynomial", **LENGTHS, lr_end=0.1)
    with pytest.raises(ValueError, match=r"own rate \(=0.05\). Received: lr_end=0.1"):
        schedule.values(10, base_lr=0.05)
