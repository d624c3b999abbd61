"""Rates and lengths at another batch size, and the power that rates grow with."""

from __future__ import annotations

import math

import numpy as np
import pytest

from keras_lr import NoiseScaleResult, scale_length, scale_lr
from keras_lr.finder.by_batch import power_of


@pytest.mark.parametrize(("rule", "power"), [("linear", 1.0), ("sqrt", 0.5)])
def test_a_rate_grows_as_the_rule_says_and_comes_back(rule, power):
    there = scale_lr(0.1, 32, 320, rule=rule)
    assert there == pytest.approx(0.1 * 10**power)
    assert scale_lr(there, 320, 32, rule=rule) == pytest.approx(0.1)
    assert scale_lr(0.0, 32, 320, rule=rule) == 0
    assert type(scale_lr(np.float32(1), 1, np.int64(2), rule=rule)) is float


def test_only_a_count_of_updates_changes_with_the_batch_size():
    assert scale_length(1000, 32, 128) == 250
    assert scale_length("1000 steps", 128, 32) == 4000
    for same in ("5%", 0.05, 1.0, "2 epochs"):
        assert scale_length(same, 32, 128) == same
    # Halves up, and never nothing.
    assert scale_length(5, 1, 2) == 3
    assert scale_length(1, 1, 1000) == 1
    assert scale_length(10**15, 7, 7) == 10**15


@pytest.mark.parametrize(
    ("function", "arguments", "error"),
    [
        (scale_lr, ("0.1", 1, 2), r"`lr` must be a number, not text"),
        (scale_lr, (-1, 1, 2), r"`lr` must be finite and not negative"),
        (scale_lr, (0.1, 0, 2), r"`from_batch` must be .*at least 1. Received: from_b"),
        (scale_lr, (0.1, 1, 2.5), r"`to_batch` must be an int"),
        (scale_lr, (0.1, 1, 2, "cube"), r"`rule` must be one of 'linear', 'sqrt'"),
        (scale_length, ("5 rows", 1, 2), r"`length` must be counted in"),
        (scale_length, (5, 1, -2), r"`to_batch` must be at least 1"),
    ],
)
def test_what_is_out_of_range_is_refused(function, arguments, error):
    with pytest.raises((TypeError, ValueError), match=error):
        function(*arguments)


def test_the_exponent_is_that_of_a_power_law_and_its_ends_are_reached():
    sizes = [8, 32, 128, 512]
    rates = [0.01 * size**0.7 for size in sizes]
    exact = [(s, r, (r, r)) for s, r in zip(sizes, rates, strict=True)]
    power, interval = power_of(exact)
    assert power == pytest.approx(0.7)
    assert interval == pytest.approx((0.7, 0.7))
    wide = [(s, r, (r / 2, r * 2)) for s, r, _ in exact]
    power, (low, high) = power_of(wide)
    ends = [r * 2 if s < 64 else r / 2 for s, r, _ in wide]
    slope = np.polyfit(np.log(sizes), np.log(ends), 1)[0]
    assert low == pytest.approx(slope)
    assert high - power == pytest.approx(power - low)


def result(scale, interval, *, batch_size=32, exponent=1.0, measurements=40):
    numbers = np.arange(measurements)
    return NoiseScaleResult(
        scale,
        interval,
        measurements,
        batch_size,
        0.1,
        exponent,
        numbers,
        numbers,
        numbers,
    )


def test_a_result_says_what_to_do():
    below = str(result(320.0, (200.0, 500.0)))
    assert below.startswith(
        "Gradient noise scale 320 rows (40 measurements: 200 to 500)"
    )
    assert "with 64, at a rate of 0.18 instead of 0.1, about 0.55 times" in below
    assert "about as large as pays" in str(result(40.0, (20.0, 80.0)))
    above = str(result(4.0, (2.0, 8.0)))
    assert "above it: with 16, at a rate of 0.09 instead of 0.1" in above
    assert "measure 8 times or more" in str(
        result(4.0, (0.0, math.inf), measurements=3)
    )
    assert "too little of the gradient" in str(result(math.inf, (9.0, math.inf)))
    assert "below it" in str(result(math.inf, (900.0, math.inf)))


def test_the_critical_batch_size_is_whole_and_the_rate_follows_the_law():
    found = result(320.4, (200.0, 500.0))
    assert found.critical_batch_size == 320
    assert found.rate_at(32) == found.learning_rate
    assert found.rate_at(320) == pytest.approx(
        0.1 * (1 + 320.4 / 32) / (1 + 320.4 / 320)
    )
    root = result(320.4, (200.0, 500.0), exponent=0.5)
    assert root.rate_at(320) == pytest.approx(0.1 * (found.rate_at(320) / 0.1) ** 0.5)
    endless = result(math.inf, (90.0, math.inf))
    assert endless.critical_batch_size is None
    assert endless.rate_at(64) == pytest.approx(0.2)
    assert result(0.2, (0.1, 0.3)).critical_batch_size == 1
    with pytest.raises(
        ValueError, match=r"`batch_size` must be at least 1\. Received: b"
    ):
        found.rate_at(0)


def test_a_result_cannot_be_changed():
    found = result(32.0, (20.0, 50.0))
    with pytest.raises(AttributeError):
        found.noise_scale = 1.0
    with pytest.raises(ValueError, match="read-only"):
        found.squares[0] = 1.0
