from __future__ import annotations

import numpy as np
import pytest

from keras_lr.finder.judge import course, ending, is_ruined, judge
from keras_lr.finder.reasons import FOR_SEARCH
from tests.kit.curves_of_sweeps import FALLEN, LRS, curve


def verdict_of(losses, lrs=LRS, points=200):
    return judge(lrs[: len(losses)], np.asarray(losses), points)


def stopped(losses):
    """The losses up to where a sweep that looks every ten updates stops."""
    for n in range(10, len(losses) + 1, 10):
        if ending(losses[:n], len(losses)):
            return losses[:n]
    return losses


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("kind", ["easy", "saturating"])
def test_a_clear_fall_is_to_be_trusted(kind, seed):
    for losses in (curve(kind, seed=seed), stopped(curve(kind, seed=seed))):
        found = verdict_of(losses)
        assert found.verdict == "trust"
        low, high = found.interval
        assert low <= found.fallen_rate <= high
        assert 0.7 < found.fallen_rate / FALLEN < 1.4


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("noise", [0.0, 0.001, 0.05, 0.5, 5.0])
def test_losses_that_do_not_fall_give_no_suggestion(noise, seed):
    found = verdict_of(curve("flat", noise, seed))
    assert found.verdict == ("noisy" if noise > 0.1 else "flat")


@pytest.mark.parametrize("seed", range(5))
def test_a_fall_that_noise_hides_is_noisy(seed):
    found = verdict_of(curve("easy", 4.0, seed))
    assert found.verdict == "noisy"


@pytest.mark.parametrize("seed", range(5))
def test_a_rise_from_the_start_is_divergence(seed):
    found = verdict_of(stopped(curve("diverging", seed=seed)))
    assert found.verdict == "diverged early"
    assert "min_lr" in found.reason


def ruin(seed, first, behind, wild, calm):
    """A first loss, then a model in ruins, whose losses come down to a constant."""
    generator = np.random.default_rng(seed)
    fall = np.exp(-np.arange(149) / 20) * np.exp(wild * generator.normal(size=149))
    noise = 0.1 * generator.normal(size=149)
    return np.array([first, *(calm + (behind - calm) * fall + noise)])


@pytest.mark.parametrize("calm", [2.3, 40.0])
@pytest.mark.parametrize("wild", [0.0, 0.1, 0.5, 1.0])
def test_a_sweep_that_begins_in_ruins_has_diverged(wild, calm):
    for seed in range(20):
        losses = ruin(seed, 2.45, 2000.0, wild, calm)
        for lowest, highest in ((3, 10), (1, 100)):
            found = verdict_of(losses, np.geomspace(lowest, highest, 150), 150)
            assert found.verdict == "diverged early"
            assert "from 2.45 to" in found.reason


@pytest.mark.parametrize("kind", ["easy", "saturating", "flat", "narrow"])
def test_noise_of_the_first_loss_is_no_ruin(kind):
    false_alarms = 0
    for seed in range(100):
        generator = np.random.default_rng(seed)
        upward = np.exp(generator.normal(size=200)) - 1
        for noise in (0.1, 0.6):
            for more in (generator.normal(size=200), upward):
                losses = curve(kind, 0.0) + noise * more
                false_alarms += is_ruined(LRS, losses, course(losses, 200), 200)
    # Of 400 sweeps, whose first loss is the lowest of all in two.
    assert false_alarms <= 2


def test_a_model_that_the_lowest_rate_ruins_needs_a_higher_one_or_other_data():
    # As Ftrl does, which sets all weights to 0 at once: upwards, and downwards.
    for first in (2.1, 2.5):
        losses = 2.3 + 1e-4 * np.random.default_rng(0).normal(size=200)
        losses[0] = first
        found = verdict_of(losses)
        assert found.verdict == "diverged early"
        assert "Ftrl's, begin higher, with a `min_lr`" in found.reason
    for end in (1, 4):
        losses = np.full(200, np.nan)
        losses[:end] = 2.3
        found = verdict_of(losses)
        assert found.verdict == "diverged early"
        assert "look at the data" in found.reason
        assert "begin" not in found.reason
    assert "not finite at any rate" in verdict_of(losses[:1]).reason


def test_nothing_is_advised_that_the_caller_cannot_do():
    nan = np.array([2.3, np.nan])
    sweeps = [
        (LRS, stopped(curve("diverging"))),
        (LRS, curve("narrow")),
        (LRS, curve("flat", 1.0)),
        (LRS, curve("easy", 2.0)),
        (LRS, ruin(0, 2.4, 2000.0, 0.1, 2.3)),
        (10 * LRS, ruin(0, 2.4, 2000.0, 0.1, 2.3)),
        (LRS, nan),
        (10 * LRS, nan),
    ]
    for lrs, losses in sweeps:
        found = judge(lrs[: len(losses)], losses, 200, FOR_SEARCH)
        assert found.verdict != "trust"
        for name in ("min_lr", "max_lr", "updates_per_rate", "steps"):
            assert name not in found.reason


def test_batches_in_an_order_are_told_from_noise():
    classes = np.repeat(np.random.default_rng(0).normal(size=40), 5)
    losses = curve("flat", 0.02) + 0.5 * classes
    found = verdict_of(losses)
    assert found.verdict == "noisy"
    assert "shuffle the rows" in found.reason


def test_a_fall_too_small_to_matter_is_flat():
    losses = 100 + 0.05 * curve("easy", 0.0)
    assert verdict_of(losses).verdict == "flat"


def test_a_model_that_may_have_learned_all_is_said_to():
    losses = np.abs(curve("flat", 0.03) - 2.3)
    found = verdict_of(losses)
    assert found.verdict == "noisy"
    assert "unless the model has learned all it can" in found.reason


@pytest.mark.parametrize("end", [2, 15, 30])
def test_losses_that_are_soon_not_finite_are_divergence(end):
    losses = curve("flat")[: end + 1]
    losses[end] = np.inf
    assert verdict_of(losses).verdict == "diverged early"


@pytest.mark.parametrize("seed", range(5))
def test_a_fall_that_goes_on_at_the_end_needs_a_wider_range(seed):
    found = verdict_of(curve("narrow", seed=seed))
    assert found.verdict == "range too narrow"
    assert "max_lr" in found.reason


def test_a_fall_that_ends_in_losses_that_are_not_finite_is_to_be_trusted():
    losses = curve("easy")[:150]
    losses[149] = np.nan
    found = verdict_of(losses)
    assert found.verdict == "trust"
    assert np.isnan(found.smoothed[149])
    assert np.isfinite(found.smoothed[:149]).all()


@pytest.mark.parametrize("kind", ["easy", "saturating", "flat", "narrow", "diverging"])
def test_judgements_do_not_depend_on_scale(kind):
    losses = stopped(curve(kind))
    one, other = verdict_of(losses), verdict_of(1024 * losses)
    assert (one.verdict, one.fallen_rate) == (other.verdict, other.fallen_rate)


@pytest.mark.parametrize("kind", ["easy", "saturating", "narrow", "diverging"])
def test_negative_losses_are_judged_as_others(kind):
    losses = stopped(curve(kind))
    one, other = verdict_of(losses), verdict_of(losses - 10)
    assert (one.verdict, one.fallen_rate) == (other.verdict, other.fallen_rate)
    assert len(stopped(curve(kind))) == len(stopped(curve(kind) - 10))


@pytest.mark.parametrize("kind", ["easy", "saturating"])
def test_a_sweep_stops_after_the_minimum_and_before_the_end(kind):
    seen = stopped(curve(kind))
    assert np.argmin(curve(kind, 0.0)) < len(seen) < 200


@pytest.mark.parametrize("seed", range(20))
def test_noise_alone_stops_no_sweep(seed):
    assert len(stopped(curve("flat", 1.0, seed))) == 200


def test_a_saturating_loss_never_reaches_four_times_its_best():
    # Why the usual rule does not do.
    losses = curve("saturating", 0.0)
    assert losses.max() < 4 * losses.min()
    assert len(stopped(losses)) < 200


def test_all_rules_answer_whatever_the_verdict():
    for kind in ("easy", "flat", "narrow"):
        assert set(verdict_of(curve(kind)).suggestions) == {
            "minimum",
            "slide",
            "steepest",
            "valley",
        }
