import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_lr import curves, phases
from keras_lr.phases import (
    cosine,
    curve,
    exponential,
    function,
    hold,
    linear,
    one_minus_sqrt,
    polynomial,
    repeat,
    rex,
    tanh,
)
from keras_lr.plan.duration import Clock
from keras_lr.plan.layout import evaluate, place
from keras_lr.plan.parts import FunctionPhase, Points
from tests.kit.names import name_of

SHAPES = ["linear", "cosine", "polynomial", "one_minus_sqrt", "one_minus_square"]
SHAPES += ["rex", "tanh", "k_decay", "exponential", "inverse_time", "inverse_sqrt"]

shape = st.sampled_from([getattr(phases, name) for name in SHAPES])
rate = st.floats(1e-6, 10.0)
count = st.integers(1, 50)


def lay(*parts, total=None, start=0.0, at=None, spe=None):
    clock = Clock(total, spe)
    updates = np.arange(total) if at is None else np.asarray(at)
    return evaluate(place(parts, clock, start), updates, clock)


def test_every_curve_has_a_phase_of_its_name():
    for name in SHAPES:
        phase = getattr(phases, name)(3, to=0.5)
        assert phase.curve is getattr(curves, name)
        assert repr(phase) == f"{name}(3, to=0.5)"


def test_a_warmup_is_at_k_of_w_at_its_kth_update():
    assert lay(linear(4), total=4).tolist() == [0.25, 0.5, 0.75, 1.0]


def test_a_phase_with_a_start_begins_exactly_there():
    values = lay(linear(5, to=0.0, start=1.0), total=5)
    assert values.tolist() == [1.0, 0.75, 0.5, 0.25, 0.0]


def test_a_phase_after_another_moves_at_once():
    values = lay(hold(2, 1.0), linear(4, to=0.0), total=6)
    assert values.tolist() == [1.0, 1.0, 0.75, 0.5, 0.25, 0.0]


def test_a_run_without_warmup_starts_exactly_at_its_start():
    assert lay(cosine(to=0.1, start=0.7), total=9)[0] == 0.7


def test_the_value_before_the_first_update_is_the_start_of_the_schedule():
    assert lay(linear(4), total=4, start=0.5).tolist() == [0.625, 0.75, 0.875, 1.0]


def test_endpoint_false_stops_one_short_as_linspace_does():
    values = lay(linear(4, to=0.0, start=1.0, endpoint=False), hold(), total=6)
    assert values.tolist() == [*np.linspace(1, 0, 4, endpoint=False), 0.0, 0.0]


def test_the_phase_after_an_open_end_begins_at_the_value_left_out():
    first = linear(2, to=1.0, start=0.0, endpoint=False)
    values = lay(first, linear(3, to=0.0), total=5)
    assert values.tolist() == [0.0, 0.5, 1.0, 0.5, 0.0]


def test_endpoint_false_after_a_phase_divides_the_way_into_one_part_more():
    values = lay(hold(1, 1.0), linear(3, to=0.0, endpoint=False), hold(), total=5)
    assert values.tolist() == [1.0, 0.75, 0.5, 0.25, 0.0]


def test_a_phase_of_one_update_is_at_its_end():
    assert lay(linear(1, to=0.5, start=0.1), total=1).tolist() == [0.5]
    assert lay(linear(1), linear(1, to=0.0), total=2).tolist() == [1.0, 0.0]


def test_a_phase_of_one_update_without_endpoint_is_at_its_start():
    one = linear(1, to=0.5, start=0.1, endpoint=False)
    assert lay(one, hold(), total=2).tolist() == [0.1, 0.5]


def test_a_hold_keeps_the_value_or_sets_one():
    values = lay(linear(2), hold(1), hold(1, 0.5), hold(1), total=5)
    assert values.tolist() == [0.5, 1.0, 1.0, 0.5, 0.5]


@pytest.mark.parametrize("at", [4, 5, 10**6, 10**12, 2**62])
def test_past_its_end_a_schedule_holds_its_last_value(at):
    assert lay(linear(2), cosine(2, to=0.25), at=[at]).tolist() == [0.25]


@given(st.lists(st.tuples(shape, count, rate), min_size=1, max_size=6), rate)
def test_each_phase_is_exactly_at_its_end_at_its_last_update(made, start):
    parts = [phase(n, to=to) for phase, n, to in made]
    last = np.cumsum([n for _, n, _ in made]) - 1
    values = lay(*parts, total=int(last[-1]) + 1, start=start)
    assert values[last].tolist() == [to for *_, to in made]


@given(shape, shape, st.integers(2, 400), st.floats(0.01, 0.5), rate)
def test_peak_and_floor_are_exact_whatever_the_rounding(up, down, total, warmup, low):
    values = lay(up(warmup, to=11.0), down(to=low), total=total, start=low)
    assert values.max() == 11.0
    assert values[-1] == low


@given(st.integers(1, 500))
def test_warmup_is_at_k_of_w_for_every_length(w):
    expected = [k / w for k in range(1, w + 1)]
    np.testing.assert_allclose(lay(linear(w), total=w), expected, rtol=1e-15)


@given(st.lists(st.tuples(shape, count, rate), min_size=1, max_size=4), rate)
def test_values_stay_between_the_knots(made, start):
    parts = [phase(n, to=to) for phase, n, to in made]
    values = lay(*parts, total=300, start=start)
    ends = [start, *(to for *_, to in made)]
    assert np.all(values >= min(ends) * (1 - 1e-14))
    assert np.all(values <= max(ends) * (1 + 1e-14))


@given(st.lists(st.tuples(shape, count, rate), min_size=1, max_size=4), st.booleans())
def test_a_window_is_a_slice_of_the_whole(made, endpoint):
    parts = [phase(n, to=to, start=0.1, endpoint=endpoint) for phase, n, to in made]
    parts += [hold()]
    whole, at = lay(*parts, total=220), [7, 3, 219, 100, 3]
    assert lay(*parts, total=220, at=at).tolist() == whole[at].tolist()
    assert lay(*parts, total=220, at=range(50, 90)).tolist() == whole[50:90].tolist()


@pytest.mark.parametrize("name", SHAPES)
def test_a_position_of_a_billion_is_as_exact_as_a_position_of_zero(name):
    phase = getattr(phases, name)(1000, to=0.5)
    near = lay(hold(1, 1.0), phase, at=1 + np.arange(1000))
    far = lay(hold(10**9, 1.0), phase, at=10**9 + np.arange(1000))
    np.testing.assert_allclose(far, near, rtol=1e-12)


def test_neighbours_differ_in_a_run_of_a_billion_updates():
    middle = lay(linear(2 * 10**9), at=[10**9 - 1, 10**9])
    assert middle.tolist() == [0.5, (10**9 + 1) / (2 * 10**9)]


def test_open_phase_takes_the_rest():
    values = lay(linear("20%"), hold(), linear("20%", to=0.0), total=10)
    assert values.tolist() == [0.5, *[1.0] * 7, 0.5, 0.0]


def test_open_hold_may_be_left_with_nothing():
    assert lay(linear(2), hold(), linear(2, to=0.0), total=4).max() == 1.0


def test_an_open_function_left_with_nothing_is_never_called():
    never = function(lambda t: 1 / 0)
    assert lay(linear(1), never, linear(2, to=0.0), total=3).tolist() == [1, 0.5, 0]


def test_an_endless_phase_needs_no_length_of_the_run():
    assert lay(linear(2), hold(), at=[0, 1, 10**9]).tolist() == [0.5, 1.0, 1.0]


def test_epochs_are_counted_by_the_clock():
    values = lay(linear("1.5 epochs"), hold(), total=4, spe=2)
    np.testing.assert_allclose(values, [1 / 3, 2 / 3, 1, 1], rtol=1e-15)


def test_an_own_curve_is_met_at_both_ends():
    def wrong_ends(start, end, progress):
        return np.full(progress.shape, 0.3)

    values = lay(curve(wrong_ends, 3, to=0.0, start=1.0), total=3)
    assert values.tolist() == [1.0, 0.3, 0.0]


@pytest.mark.parametrize(
    ("phase", "middle"),
    [
        (cosine(3, to=0.0, start=1.0, exponent=2.0), 0.25),
        (polynomial(3, to=0.0, start=1.0, power=3.0), 0.125),
        (tanh(3, to=0.0, start=1.0, lower=-3.0, upper=3.0), 0.5),
        (one_minus_sqrt(3, to=0.0, start=1.0), 1 - math.sqrt(0.5)),
        (exponential(3, to=0.01, start=1.0), 0.1),
        (rex(3, to=0.0, start=1.0), 2 / 3),
    ],
    ids=name_of,
)
def test_options_reach_the_curve(phase, middle):
    assert lay(phase, total=3)[1] == pytest.approx(middle, rel=1e-14)


def test_a_function_counts_from_its_own_first_update():
    assert lay(function(float), total=3).tolist() == [0.0, 1.0, 2.0]


def test_a_function_after_a_phase_counts_from_its_own_first_update():
    for before in (hold(2, 0.1), linear(2, to=0.1, start=0.1, endpoint=False)):
        values = lay(before, function(lambda t: 0.5**t), total=5)
        assert values.tolist() == [0.1, 0.1, 1.0, 0.5, 0.25]


def test_a_function_of_progress_after_a_phase_goes_from_0_to_1():
    progress = FunctionPhase(lambda p: p, 3, progress=True)
    assert lay(linear(2), progress, hold(), total=6).tolist() == [0.5, 1, 0, 0.5, 1, 1]


def test_a_phase_after_a_function_begins_at_the_functions_last_value():
    values = lay(function(lambda t: 1 + t, 2), linear(2, to=0.0), total=4)
    assert values.tolist() == [1.0, 2.0, 1.0, 0.0]


def test_a_unit_that_is_no_whole_number_of_updates_does_not_drift():
    half = function(lambda t: 0.5 ** math.floor(t), unit="1.5 epochs")
    expected = [0.5 ** math.floor(t / 7.5) for t in range(40)]
    assert lay(half, total=40, spe=5).tolist() == expected


def test_a_function_of_progress_goes_from_0_to_1():
    whole = FunctionPhase(lambda p: p, progress=True)
    assert lay(whole, total=5).tolist() == [0.0, 0.25, 0.5, 0.75, 1.0]
    assert lay(whole, total=1).tolist() == [0.0]


def test_points_are_joined_by_lines_or_held():
    points = ((0, 1.0), (4, 4.0), (6, 0.0))
    assert lay(Points(points), total=7).tolist() == [1, 2, 3, 4, 2, 0, 0]
    assert lay(Points(points, "hold"), total=7).tolist() == [1, 1, 1, 1, 4, 4, 0]


def test_points_count_from_the_start_of_their_phase():
    values = lay(linear(2), Points(((0, 1.0), (2, 0.5)), "hold"), total=6)
    assert values.tolist() == [0.5, 1.0, 1.0, 1.0, 0.5, 0.5]


def test_only_one_phase_may_be_open():
    with pytest.raises(ValueError, match=r"of the run\. Received: 2 of them\."):
        lay(linear(), cosine(to=0.0), total=10)


@pytest.mark.parametrize(
    "parts",
    [
        (linear(8), linear(30, to=0.0)),
        (linear("2 epochs"), cosine("3 epochs", to=0.0), hold(3)),
        (linear(100),),
        (repeat(linear(3), linear(4, to=0.0), duration=40), hold(4, 0.5)),
    ],
    ids=name_of,
)
def test_a_run_too_short_for_its_phases_sees_their_beginning(parts):
    whole = lay(*parts, total=200, spe=4)
    for total in (1, 2, 10, 37):
        assert lay(*parts, total=total, spe=4).tolist() == whole[:total].tolist()


def test_an_open_phase_gets_what_is_left_and_that_may_be_nothing():
    values = lay(linear(10), linear(to=0.0), total=10)
    assert values.tolist() == [k / 10 for k in range(1, 11)]
    assert lay(linear(10), linear(to=0.0), total=4).tolist() == values[:4].tolist()


def test_the_phase_after_an_empty_one_begins_at_its_value():
    values = lay(linear(2), linear(to=0.5), linear(3, to=0.0), total=5)
    assert values.tolist() == [0.5, 1.0, 0.5, 0.25, 0.0]
    assert lay(hold(value=1.0), linear(3, to=0.0), total=3).tolist() == [1.0, 0.5, 0.0]


def test_fractions_that_add_up_to_more_than_the_run_are_refused():
    with pytest.raises(
        ValueError, match=r"than the run \(100 %\)\. Received: duration='80%', duratio"
    ):
        lay(linear("80%"), linear(0.3, to=0.0), hold(), total=10)


@pytest.mark.parametrize("parts", [3, 7])
def test_fractions_of_the_whole_run_always_fit(parts):
    phases = [linear(1 / parts, to=1.0 + i) for i in range(parts)]
    for total in (1, 2, parts, 3 * parts + 1):
        values = lay(*phases, total=total)
        assert values[-1] == min(parts, total)


@pytest.mark.parametrize("last", [cosine(to=0.0), linear(to=0.0)], ids=name_of)
def test_an_open_phase_that_must_end_needs_the_length_of_the_run(last):
    with pytest.raises(ValueError, match="the rest of the run, whose length is not kn"):
        lay(linear(2), last, at=[0])


def test_an_open_phase_before_another_needs_the_length_of_the_run():
    with pytest.raises(ValueError, match="whose length is not known"):
        lay(linear(2), hold(), linear(2, to=0.0), at=[0])


@pytest.mark.parametrize("wrong", [-0.1, float("nan"), float("inf")])
@pytest.mark.parametrize("name", ["to", "start"])
def test_values_must_be_finite_and_not_negative(name, wrong):
    message = f"`{name}` must be finite and not negative. Received: {name}={wrong!r}."
    with pytest.raises(ValueError) as error:  # noqa: PT011  compared below
        linear(3, **{name: wrong})
    assert str(error.value) == message


def test_a_wrong_duration_is_refused_where_it_enters():
    with pytest.raises(ValueError, match=r"Received: duration='5 parsecs'\."):
        linear("5 parsecs")
    with pytest.raises(ValueError, match=r"Received: duration=-1\."):
        function(float, -1)


def test_a_value_must_be_a_number():
    with pytest.raises(
        TypeError, match=r"`to` must be a number, not text\. Received: to='1'\."
    ):
        linear(3, to="1")


def test_an_option_that_the_curve_does_not_have_is_refused_at_once():
    with pytest.raises(
        TypeError, match=r"no option `exponnt`\. Received: .*=2\.0\. It has exponent\."
    ):
        cosine(3, exponnt=2.0)


def test_an_option_that_the_curve_cannot_use_is_refused_at_once():
    with pytest.raises(TypeError, match=r"`exponent` must be a number, not text"):
        cosine(3, exponent="2.0")
    with pytest.raises(ValueError, match=r"`power` of a polynomial curve must be"):
        polynomial(3, power=-1)


def test_a_function_or_curve_must_be_callable():
    with pytest.raises(TypeError, match=r"`function` .* Received: function=3\."):
        function(3)
    with pytest.raises(TypeError, match=r"`curve` .* Received: curve='cosine'\."):
        curve("cosine", 3)
