from __future__ import annotations

import numpy as np
import pytest

from keras_lr.finder.judge import ending, judge
from tests.kit.curves_of_sweeps import FALLEN, LRS, curve


def verdict_of(losses, lrs=LRS, points=200):
    return judge(lrs[: len(losses)], np.asarray(losses), points, 10.0)


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
        assert low <= found.suggestion <= high
        assert 0.7 < found.suggestion / (FALLEN / 10) < 1.4


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("noise", [0.0, 0.001, 0.05, 0.5, 5.0])
def test_losses_that_do_not_fall_give_no_suggestion(noise, seed):
    found = verdict_of(curve("flat", noise, seed))
    assert found.verdict == ("noisy" if noise > 0.1 else "flat")
    assert found.suggestion is None
    assert found.interval is None


@pytest.mark.parametrize("seed", range(5))
def test_a_fall_that_noise_hides_is_noisy(seed):
    found = verdict_of(curve("easy", 4.0, seed))
    assert (found.verdict, found.suggestion) == ("noisy", None)


@pytest.mark.parametrize("seed", range(5))
def test_a_rise_from_the_start_is_divergence(seed):
    found = verdict_of(stopped(curve("diverging", seed=seed)))
    assert (found.verdict, found.suggestion) == ("diverged early", None)
    assert "min_lr" in found.reason


@pytest.mark.parametrize("end", [2, 15, 30])
def test_losses_that_are_soon_not_finite_are_divergence(end):
    losses = curve("flat")[: end + 1]
    losses[end] = np.inf
    assert verdict_of(losses).verdict == "diverged early"


@pytest.mark.parametrize("seed", range(5))
def test_a_fall_that_goes_on_at_the_end_needs_a_wider_range(seed):
    found = verdict_of(curve("narrow", seed=seed))
    assert (found.verdict, found.suggestion) == ("range too narrow", None)
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
    assert (one.verdict, one.suggestion) == (other.verdict, other.suggestion)


@pytest.mark.parametrize("kind", ["easy", "saturating", "narrow", "diverging"])
def test_negative_losses_are_judged_as_others(kind):
    losses = stopped(curve(kind))
    one, other = verdict_of(losses), verdict_of(losses - 10)
    assert (one.verdict, one.suggestion) == (other.verdict, other.suggestion)
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
            "zero_lag",
        }
