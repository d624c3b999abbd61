import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import keras_lr
from keras_lr.finder.climb import (
    Seen,
    climb,
    lasting,
    lengths,
    point_of,
    rate_of,
    sweep_updates,
)
from keras_lr.finder.plan import comes_down, in_small
from keras_lr.interop import from_keras

INF = math.inf
#: Losses of one part, which tell of no noise.
START = Seen(100.0, np.array([100.0]))


def seen(loss):
    return Seen(loss, np.array([loss]))


def climbed(loss_of, updates=700, start=START, first=3e-2, **given):
    """A climb over the losses of points, and what it asked for."""
    asked = []

    def probe(rate, length, follows):
        point = point_of(rate)
        asked.append((point, length, follows))
        found = loss_of(point, follows)
        return found if isinstance(found, Seen) else seen(found)

    return climb(probe, updates=updates, start=start, first=first, **given), asked


def place_of(summit):
    """Where the answer lies, in points, before what a longer training bears of it."""
    return 3 * math.log10(summit.rate / summit.factor)


@given(vertex=st.integers(-17, 2), first=st.floats(1e-5, 3.0), steep=st.floats(0.1, 10))
def test_a_bowl_that_is_within_reach_is_found_within_half_a_step(vertex, first, steep):
    reach = abs(vertex - point_of(first / 3.0)) <= 8
    summit, _ = climbed(
        lambda k, _: steep * (k - vertex) ** 2, first=first, looks_wide=not reach
    )
    assert summit.best == pytest.approx(rate_of(vertex))
    assert place_of(summit) == pytest.approx(vertex, abs=0.5)
    low, high = summit.interval
    assert low <= summit.rate <= high


def test_a_loss_that_only_falls_is_followed_up_and_one_that_only_rises_down():
    up, _ = climbed(lambda k, _: -float(k))
    down, _ = climbed(lambda k, _: float(k))
    assert up.best > 0.1 > 1e-3 > down.best


@given(
    updates=st.integers(100, 5000),
    wide=st.booleans(),
    first=st.none() | st.floats(1e-9, 1e3),
    losses=st.lists(st.floats(-10, 10) | st.just(INF), min_size=30, max_size=30),
)
def test_a_climb_stays_within_its_updates_whatever_it_sees(
    updates, wide, first, losses
):
    summit, asked = climbed(
        lambda k, follows: losses[(k + 7 * follows) % 30],
        updates,
        first=first,
        looks_wide=wide,
    )
    assert sum(length for _, length, _ in asked) <= updates
    assert len({(point, follows) for point, _, follows in asked}) == len(asked)
    longs = [point for point, _, follows in asked if follows]
    assert longs
    assert min(longs) - 1e-9 <= place_of(summit) <= max(longs) + 1e-9
    low, high = summit.interval
    assert low <= summit.rate <= high
    assert all(length > 0 for _, length, _ in asked)


@given(
    losses=st.lists(st.integers(0, 1000), min_size=30, max_size=30),
    scale=st.sampled_from([2.0**-20, 0.5, 4.0, 2.0**20]),
    shift=st.sampled_from([-64.0, 0.0, 1024.0]),
)
def test_losses_on_another_scale_give_the_same_answer(losses, scale, shift):
    def other(value):
        return Seen(
            scale * value + shift, scale * np.array([value - 1.0, value + 1.0]) + shift
        )

    one, _ = climbed(lambda k, _: Seen(losses[k % 30], losses[k % 30] + np.array(
        [-1.0, 1.0])), start=seen(500.0))  # fmt: skip
    two, _ = climbed(lambda k, _: other(losses[k % 30]), start=other(500.0))
    assert two.rate == pytest.approx(one.rate, rel=1e-6)
    assert two.best == one.best


def test_where_every_training_is_lost_the_summit_says_so():
    summit, asked = climbed(lambda k, _: INF)
    assert summit.is_lost
    assert summit.interval == (summit.rate, summit.rate)
    # It went down as far as its updates let it.
    assert min(k for k, _, _ in asked) < point_of(1e-2) - 8


def test_one_long_training_that_lasts_is_the_answer():
    summit, _ = climbed(
        lambda k, follows: INF if follows and k != -7 else float((k + 6) ** 2)
    )
    assert not summit.is_lost
    assert place_of(summit) == pytest.approx(-7)


def test_where_the_sweep_told_nothing_a_wide_look_finds_rates_that_are_far():
    for vertex in (-17, 1):
        summit, asked = climbed(lambda k, _, at=vertex: (k - at) ** 2, first=None)
        assert summit.best == pytest.approx(rate_of(vertex))
        assert {-18, -10, 2} <= {k for k, _, follows in asked if not follows}


def test_long_trainings_decide_where_short_ones_mislead():
    summit, _ = climbed(lambda k, follows: (k - (-8 if follows else -6)) ** 2)
    assert summit.best == pytest.approx(rate_of(-8))


def test_what_noise_does_not_tell_apart_counts_alike():
    rng = np.random.default_rng(0)

    def noisy(size):
        def loss_of(k, _):
            return Seen(
                (k + 6) ** 2 / 10, (k + 6) ** 2 / 10 + size * rng.normal(size=16)
            )

        return climbed(loss_of, start=seen(4.0))[0]

    sharp = noisy(1e-3)
    blurred = noisy(10.0)
    width = [math.log10(one.interval[1] / one.interval[0]) for one in (sharp, blurred)]
    assert width[0] < 0.5 < 1.5 < width[1]


def test_noise_that_all_trainings_share_does_not_blur():
    rows = np.linspace(-50, 50, 16)
    summit, _ = climbed(lambda k, _: Seen((k + 6.0) ** 2, (k + 6) ** 2 + rows))
    assert summit.interval[1] / summit.interval[0] < 3


def test_a_huge_loss_at_the_start_does_not_make_all_equally_good():
    summit, _ = climbed(lambda k, _: float(abs(k + 6)), start=seen(1e9))
    assert place_of(summit) == pytest.approx(-6, abs=0.1)


def test_a_model_is_off_scale_where_any_rate_gains_far_more_than_the_best_one():
    for start, off in ((1e4, True), (10.0, False)):
        summit, _ = climbed(lambda k, _: float(abs(k + 6)) + 5, start=seen(start))
        assert summit.is_off_scale is off


def test_a_task_that_the_best_rate_solves_is_not_off_scale():
    summit, _ = climbed(lambda k, _: float(abs(k + 6)), start=seen(1e4))
    assert not summit.is_off_scale


def test_a_longer_training_bears_less_and_a_short_one_no_more_than_was_tried():
    factors = [lasting(90, planned, False) for planned in (10, 90, 500, 1000, 10**6)]
    assert factors[:2] == [1.0, 1.0]
    assert factors[2:] == sorted(factors[2:], reverse=True)
    assert 0.1 < factors[-1] < factors[2] < 0.5
    assert lasting(90, 500, True) > lasting(90, 500, False)


def test_the_planned_length_moves_the_answer_and_nothing_else():
    bowl = [climbed(lambda k, _: (k + 6) ** 2, planned=n)[0] for n in (300, 3000)]
    assert bowl[0].best == bowl[1].best
    assert bowl[0].rate > 3 * bowl[1].rate


@pytest.mark.parametrize("budget", [120, 300, 800, 5000])
def test_a_budget_is_shared_by_a_sweep_and_trainings_of_two_lengths(budget):
    left = budget - sweep_updates(budget)
    short, long = lengths(left)
    assert sweep_updates(budget) >= 20
    assert 5 <= short < long
    assert 7 * short + 6 * long <= left


def test_a_schedule_in_small_keeps_its_course_and_reaches_its_peak():
    small = in_small(keras_lr.OneCycle(), 100)
    assert small.max() == 1.0
    whole = keras_lr.OneCycle(max_lr=1.0).values(100)
    np.testing.assert_allclose(small, whole, atol=0.05)


def test_a_recipe_that_tells_its_length_is_seen_over_that():
    arguments = {"initial_learning_rate": 0.5, "decay_steps": 200}
    recipe = from_keras("CosineDecay", **arguments)
    small = in_small(recipe, 50)
    np.testing.assert_allclose(small, in_small(keras_lr.CosineDecay(), 50), atol=0.02)
    assert comes_down(recipe)


def test_a_warmup_of_many_updates_is_passed_in_small_too():
    small = in_small(keras_lr.Warmup(5000), 100)
    assert small[0] < 0.2
    np.testing.assert_allclose(small[6:], 1.0)


def test_the_horizon_is_the_run_that_is_made_small():
    with_horizon = in_small(keras_lr.CosineDecay(horizon="20 epochs"), 50)
    np.testing.assert_allclose(
        with_horizon, in_small(keras_lr.CosineDecay(), 50), atol=1e-2
    )


@pytest.mark.parametrize(
    ("schedule", "down"),
    [
        (None, False),
        (keras_lr.Warmup("5%"), False),
        (keras_lr.CyclicalLR(half_cycle="2 epochs"), True),
        (keras_lr.OneCycle(), True),
        (keras_lr.CosineDecay(), True),
    ],
)
def test_what_comes_down_is_told_from_what_stays(schedule, down):
    assert comes_down(schedule) is down
