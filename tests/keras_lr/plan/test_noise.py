"""The noise scale's mathematics, on numbers that are drawn."""

from __future__ import annotations

import math

import numpy as np
import pytest

from keras_lr.plan.noise import (
    LEVEL,
    covariances,
    noise_of,
    rate_factor,
    squares,
    t_quantile,
)

#: Of drawn gradients: their mean, and the deviation in each direction.
SIGNAL = np.array([0.3, -0.4, 0.0, 0.0, 0.0, 0.0])
DEVIATIONS = np.array([1.0, 2.0, 1.0, 0.5, 2.0, 1.5])
TRACE = float(np.sum(DEVIATIONS**2))
SQUARE = float(np.sum(SIGNAL**2))


def measured(rng, batches, rows, parts=2, signal=SIGNAL):
    """What batches of Gaussian gradients are measured to have."""
    size = rows // parts
    noise = rng.normal(size=(batches, parts, len(signal))) * DEVIATIONS
    gradients = signal + noise / math.sqrt(size)
    few = np.sum(gradients**2, axis=2).mean(axis=1)
    many = np.sum(gradients.mean(axis=1) ** 2, axis=1)
    of = np.full(batches, size), np.full(batches, rows)
    return covariances(few, many, *of), squares(few, many, *of)


@pytest.mark.parametrize("parts", [2, 4])
def test_both_estimates_are_unbiased_at_any_batch_size(parts):
    for rows in (8, 64):
        traces, lengths = measured(np.random.default_rng(0), 200_000, rows, parts)
        np.testing.assert_allclose(traces.mean(), TRACE, rtol=0.01)
        spread = lengths.std() / math.sqrt(len(lengths))
        assert abs(lengths.mean() - SQUARE) < 3 * spread


@pytest.mark.parametrize(("batches", "rows"), [(12, 256), (40, 64), (100, 16)])
def test_the_interval_holds_the_truth_as_often_as_it_says(batches, rows):
    rng = np.random.default_rng(1)
    truth = TRACE / SQUARE
    held = 0
    for _ in range(400):
        low, high = noise_of(*measured(rng, batches, rows)).interval
        held += low <= truth <= high
    # Three deviations of a share of 400.
    assert abs(held / 400 - LEVEL) < 3 * math.sqrt(LEVEL * (1 - LEVEL) / 400)


def test_a_gradient_that_is_all_noise_has_no_upper_end_as_often_as_it_should():
    rng = np.random.default_rng(2)
    nothing = np.zeros(len(SIGNAL))
    found = [noise_of(*measured(rng, 40, 32, signal=nothing)) for _ in range(200)]
    open_ends = [math.isinf(noise.interval[1]) for noise in found]
    assert np.mean(open_ends) > 0.93
    assert all(noise.interval[0] > 0 for noise in found)
    assert any(math.isinf(noise.scale) for noise in found)


def test_rows_that_are_all_alike_have_no_noise():
    noise = noise_of(np.zeros(20), np.full(20, 3.0))
    assert (noise.scale, noise.interval) == (0.0, (0.0, 0.0))


def test_where_neither_is_known_the_interval_is_everything():
    rng = np.random.default_rng(3)
    noise = noise_of(rng.normal(size=50), rng.normal(size=50))
    assert noise.interval == (0.0, math.inf)
    assert noise_of(np.ones(7), np.ones(7)).interval == (0.0, math.inf)


def test_students_t_is_right_to_three_digits():
    # From tables, two-sided 95 %.
    table = {7: 2.365, 10: 2.228, 20: 2.086, 100: 1.984}
    for freedom, value in table.items():
        assert t_quantile(freedom) == pytest.approx(value, abs=2e-3)


def test_the_law_is_a_power_below_the_noise_scale_and_levels_off_above():
    assert rate_factor(1e6, 1, 2, 1.0) == pytest.approx(2, rel=1e-5)
    assert rate_factor(1e6, 1, 4, 0.5) == pytest.approx(2, rel=1e-5)
    assert rate_factor(1.0, 1000, 10**6, 1.0) == pytest.approx(1, rel=2e-3)
    assert rate_factor(0.0, 8, 64, 1.0) == 1
    # At the noise scale half of the highest rate.
    assert rate_factor(64.0, 64, 10**9, 1.0) == pytest.approx(2, rel=1e-6)
