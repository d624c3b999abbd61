from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from keras_lr.finder import rules
from tests.kit.curves_of_sweeps import FALLEN, LRS, curve

CASES = json.loads(
    Path(__file__).parents[2].joinpath("data/finder/fastai_rules.json").read_text()
)["cases"]
RULES = {
    "valley": rules.valley,
    "slide": rules.slide,
    "minimum": rules.minimum,
    "steep": rules.steepest,
}


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_the_published_rules_are_those_of_fastai_to_the_digit(case, name):
    found = RULES[name](case["lrs"], case["losses"])
    assert found == pytest.approx(case["expected"][name], rel=1e-12)


def test_smoothing_equals_a_loop():
    losses, width = curve("easy", 0.3), 21

    def loop(values, width, reduce):
        out = []
        for i in range(len(values)):
            reach = min(width // 2, i, len(values) - 1 - i)
            out.append(reduce(sorted(values[i - reach : i + reach + 1])))
        return out

    medians = loop(losses, width, lambda some: some[len(some) // 2])
    expected = loop(medians, 11, lambda some: sum(some) / len(some))
    np.testing.assert_allclose(rules.smooth(losses, width), expected)


def test_smoothing_has_no_lag_and_exponential_smoothing_has():
    losses = (np.log10(LRS) + 2) ** 2
    lowest = np.argmin(losses)
    assert abs(np.argmin(rules.smooth(losses, 21)) - lowest) <= 1
    average, lagging = 0.0, []
    for i, loss in enumerate(losses, 1):
        average = 0.98 * average + 0.02 * loss
        lagging.append(average / (1 - 0.98**i))
    assert np.log10(LRS[np.argmin(lagging)] / LRS[lowest]) > 0.5


def test_smoothing_leaves_a_line_alone():
    line = np.arange(50.0)
    np.testing.assert_allclose(rules.smooth(line, 11), line)


@pytest.mark.parametrize("sigma", [0.01, 1.0])
def test_noise_is_measured_beside_a_course_and_a_jump(sigma):
    generator = np.random.default_rng(0)
    losses = np.linspace(0, -50 * sigma, 2000) + sigma * generator.normal(size=2000)
    losses[-100:] += 1e6 * np.arange(100) ** 2
    assert rules.noise(losses) == pytest.approx(sigma, rel=0.15)
    assert rules.noise([1.0, 5.0]) == 0.0


@pytest.mark.parametrize("rule", [rules.steepest, rules.minimum, rules.zero_lag])
def test_a_rule_does_not_depend_on_level_and_scale(rule):
    losses = curve("easy")
    assert rule(LRS, losses) == rule(LRS, 7 * losses - 100)


def test_our_rule_finds_where_the_loss_has_fallen_under_noise():
    for seed in range(20):
        found = rules.zero_lag(LRS, curve("easy", 0.1, seed), divisor=1.0)
        assert 0.4 < found / FALLEN < 2.5


def test_a_wide_basin_does_not_carry_our_rule_to_its_far_side():
    losses = np.interp(np.log10(LRS), [-4, -2, 0, 1], [2.0, 1.0, 0.99, 3.0])
    assert np.log10(LRS[np.argmin(losses)]) == pytest.approx(0, abs=0.05)
    found = rules.zero_lag(LRS, losses, divisor=1.0)
    assert np.log10(found) == pytest.approx(-2, abs=0.2)


def test_a_dip_before_the_fall_is_not_where_it_has_fallen():
    smoothed = np.array([3.0, 1.01, 3.0, 2.0, 1.0, 5.0])
    assert rules.fallen(smoothed, np.array(4), 3.0) == 4


def test_steepest_is_per_logarithm_not_per_rate():
    # Equal noise at tiny rates wins by far where one divides by the rate.
    losses = curve("easy", 0.001)
    per_rate = LRS[np.argmin(np.gradient(losses, LRS))]
    assert per_rate < 1e-6
    assert 1e-4 < rules.steepest(LRS, losses) < 1e-2


@pytest.mark.parametrize("rule", [*RULES.values(), rules.zero_lag])
def test_unequal_lengths_are_refused(rule):
    with pytest.raises(ValueError, match=r"shapes \(30,\) and \(31,\)"):
        rule(np.ones(30), np.ones(31))


def test_too_few_points_are_refused():
    with pytest.raises(ValueError, match="at least 16"):
        rules.slide(np.ones(15), np.ones(15))
