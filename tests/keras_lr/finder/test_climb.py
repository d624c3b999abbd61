import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import keras_lr
from keras_lr.finder.climb import climb, lengths
from keras_lr.finder.plan import comes_down, in_small


def asked_of(probe, updates=640, start=1000.0):
    asked = []

    def noted(k, long):
        asked.append((k, long))
        return probe(k, long)

    return climb(noted, updates, start), asked


@pytest.mark.parametrize("vertex", [-7.0, -3.0, 0.0, 2.0, 5.0])
def test_the_climb_finds_the_vertex_of_a_parabola(vertex):
    summit, _ = asked_of(lambda k, long: (k - vertex) ** 2)
    assert summit.best == vertex
    assert summit.place == pytest.approx(vertex, abs=0.5)


def test_two_that_are_equally_good_meet_in_the_middle():
    summit, _ = asked_of(lambda k, long: 0.0 if k in (2, 3) else 1e9)
    assert summit.place == pytest.approx(2.5)


def test_what_is_far_above_the_best_does_not_count():
    summit, _ = asked_of(lambda k, long: {2: 0.0, 3: 100.0, 1: 100.0}.get(k, 900.0))
    assert summit.place == pytest.approx(2.0, abs=1e-2)
    assert summit.good == [2]


def test_a_huge_loss_at_the_start_does_not_make_all_equally_good():
    bowl = {0: 3.0, 1: 2.0, 2: 1.0, 3: 2.0, 4: 3.0, -2: 3.0, -4: 3.0}
    summit, _ = asked_of(lambda k, long: bowl[k], start=1e9)
    assert summit.place == pytest.approx(2.0, abs=1e-2)


def test_the_climb_comes_down_from_where_everything_diverges():
    summit, _ = asked_of(lambda k, long: (k + 8) ** 2 if k < -4 else np.inf)
    assert summit.place == pytest.approx(-8, abs=0.6)


def test_long_trainings_decide_where_short_ones_mislead():
    summit, _ = asked_of(lambda k, long: (k - (1 if long else 2)) ** 2)
    assert summit.best == 1


def test_where_only_long_trainings_last_no_lost_point_is_good():
    summit, asked = asked_of(lambda k, long: (k + 4) ** 2 if long else np.inf)
    assert summit.good == sorted(k for k, long in asked if long)
    assert min(summit.good) <= summit.place <= max(summit.good)


def test_where_every_training_is_lost_there_is_no_loss():
    summit, _ = asked_of(lambda k, long: np.inf)
    assert summit.loss == np.inf
    assert summit.good == []


@given(
    updates=st.integers(60, 5000),
    losses=st.lists(
        st.floats(-10, 10) | st.just(float("inf")), min_size=30, max_size=30
    ),
)
def test_a_climb_stays_within_its_updates_and_its_points(updates, losses):
    summit, asked = asked_of(lambda k, long: losses[k % 30], updates)
    short, long = lengths(updates)
    assert sum(long if longer else short for _, longer in asked) <= updates
    points = [k for k, longer in asked if longer]
    assert min(points) <= summit.place <= max(points)
    assert len(set(asked)) == len(asked)


def test_a_schedule_in_small_keeps_its_course_and_reaches_its_peak():
    small = in_small(keras_lr.OneCycle(), 100)
    assert small.max() == 1.0
    whole = keras_lr.OneCycle(max_lr=1.0).values(100)
    np.testing.assert_allclose(small, whole, atol=0.05)


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
