import inspect
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_lr.plan import curves

# The formulas once more, one number at a time, as factor of the way still to go.
LEFT = {
    "linear": lambda p: 1 - p,
    "cosine": lambda p: math.cos(math.pi * p / 2) ** 2,
    "polynomial": lambda p: 1 - p,
    "one_minus_sqrt": lambda p: 1 - math.sqrt(p),
    "one_minus_square": lambda p: (1 - p) * (1 + p),
    "rex": lambda p: 2 * (1 - p) / (2 - p),
    "tanh": lambda p: (
        (math.tanh(3) - math.tanh(9 * p - 6)) / (math.tanh(3) + math.tanh(6))
    ),
    "k_decay": lambda p: 1 - p * p,
}
WHOLE = {
    "exponential": lambda s, e, p: math.exp(
        math.log(s) + p * (math.log(e) - math.log(s))
    ),
    "inverse_time": lambda s, e, p: s * e / (e + p * (s - e)),
    "inverse_sqrt": lambda s, e, p: math.sqrt(s**2 * e**2 / (e**2 + p * (s**2 - e**2))),
}
MIDPOINTS = {
    "linear": ({}, 0.5),
    "cosine": ({}, 0.5),
    "cosine squared": ({"exponent": 2.0}, 0.25),
    "polynomial": ({"power": 3.0}, 0.125),
    "polynomial root": ({"power": 0.5}, math.sqrt(0.5)),
    "one_minus_sqrt": ({}, 1 - math.sqrt(0.5)),
    "one_minus_square": ({}, 0.75),
    "rex": ({}, 2 / 3),
    "tanh": ({"lower": -4.0, "upper": 4.0}, 0.5),
    "k_decay": ({"k": 3.0}, 0.875),
    "k_decay squared": ({"k": 3.0, "power": 2.0}, 0.765625),
}
CURVES = [
    name
    for name, member in inspect.getmembers(curves, inspect.isfunction)
    if not name.startswith("_") and name != "constant"
]
every_curve = pytest.mark.parametrize("name", CURVES)
rates = st.floats(1e-9, 1e3)
grid = np.linspace(0.0, 1.0, 1001)


def evaluate(name, start, end, progress, **options):
    curve = getattr(curves, name)
    return curve(start, end, np.asarray(progress, dtype=np.float64), **options)


def test_every_curve_has_an_independent_formula():
    assert sorted([*LEFT, *WHOLE]) == sorted(CURVES)


@pytest.mark.parametrize("name", LEFT)
def test_a_curve_follows_its_formula(name):
    expected = [0.1 + (0.9 - 0.1) * LEFT[name](p) for p in grid]
    np.testing.assert_allclose(evaluate(name, 0.9, 0.1, grid), expected, rtol=1e-12)


@pytest.mark.parametrize("name", WHOLE)
def test_a_curve_between_positive_ends_follows_its_formula(name):
    expected = [WHOLE[name](0.9, 0.1, p) for p in grid]
    np.testing.assert_allclose(evaluate(name, 0.9, 0.1, grid), expected, rtol=1e-12)


@pytest.mark.parametrize("case", MIDPOINTS)
def test_the_midpoint_is_where_it_should_be(case):
    options, expected = MIDPOINTS[case]
    (value,) = evaluate(case.split()[0], 1.0, 0.0, [0.5], **options)
    assert value == pytest.approx(expected, rel=1e-14)


@every_curve
@given(start=rates, end=rates)
def test_the_ends_are_met(name, start, end):
    values = evaluate(name, start, end, [0.0, 1.0])
    np.testing.assert_allclose(values, [start, end], rtol=1e-14)


@pytest.mark.parametrize("name", LEFT)
@pytest.mark.parametrize(("start", "end"), [(0.0, 0.3), (0.7, 0.0)])
def test_an_end_may_be_exactly_zero(name, start, end):
    assert evaluate(name, start, end, [0.0, 1.0]).tolist() == [start, end]


@every_curve
@given(start=rates, end=rates)
def test_a_curve_goes_one_way_and_stays_between_its_ends(name, start, end):
    values = evaluate(name, start, end, grid)
    noise = 1e-14 * max(start, end)
    assert np.all(np.diff(values) * np.sign(end - start) >= -noise)
    assert np.all(values >= min(start, end) - noise)
    assert np.all(values <= max(start, end) + noise)


@every_curve
@given(start=rates, end=rates)
def test_a_curve_is_never_negative_or_undefined(name, start, end):
    values = evaluate(name, start, end, grid)
    assert np.all(np.isfinite(values))
    assert np.all(values >= 0)


@pytest.mark.parametrize("name", LEFT)
def test_a_curve_to_zero_is_never_negative(name):
    fine = 1.0 - np.arange(10_000) / 1e9
    assert np.all(evaluate(name, 1.0, 0.0, fine) >= 0)


@every_curve
def test_values_are_float64_in_the_shape_of_the_progress(name):
    values = evaluate(name, 1, 2, np.zeros((2, 3)))
    assert values.shape == (2, 3)
    assert values.dtype == np.float64


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize(("start", "end"), [(0.0, 1.0), (1.0, 0.0), (-1.0, 1.0)])
def test_a_curve_that_never_reaches_zero_says_so(name, start, end):
    message = rf"{name} curve needs both ends above 0\. Received: start={start:g}, end="
    with pytest.raises(ValueError, match=message):
        evaluate(name, start, end, grid)


def test_constant_is_at_its_end_value():
    assert evaluate("constant", 0.25, 0.5, [0.0, 0.5, 1.0]).tolist() == [0.5] * 3


def test_one_minus_sqrt_falls_faster_than_a_line_and_one_minus_square_slower():
    line = evaluate("linear", 1.0, 0.0, grid[1:-1])
    assert np.all(evaluate("one_minus_sqrt", 1.0, 0.0, grid[1:-1]) < line)
    assert np.all(evaluate("one_minus_square", 1.0, 0.0, grid[1:-1]) > line)


def test_polynomial_and_k_decay_of_power_one_are_the_straight_line():
    line = evaluate("linear", 0.9, 0.1, grid)
    for name, options in [("polynomial", {"power": 1.0}), ("k_decay", {"k": 1.0})]:
        values = evaluate(name, 0.9, 0.1, grid, **options)
        np.testing.assert_allclose(values, line, rtol=1e-14)


def test_negative_control_the_oracle_tells_curves_apart():
    expected = [LEFT["cosine"](p) for p in grid]
    assert not np.allclose(evaluate("linear", 1.0, 0.0, grid), expected, rtol=1e-2)


@pytest.mark.parametrize("wrong", [0.0, -1.0, float("nan"), float("inf")])
@pytest.mark.parametrize(
    ("name", "option"),
    [("cosine", "exponent"), ("polynomial", "power"), ("k_decay", "k")],
)
def test_a_power_must_be_finite_and_above_zero(name, option, wrong):
    with pytest.raises(ValueError, match=rf"above 0\. Received: {option}={wrong!r}\."):
        evaluate(name, 1.0, 0.0, grid, **{option: wrong})


def test_tanh_needs_its_bounds_in_order():
    with pytest.raises(ValueError, match=r"Received: lower=3\.0, upper=3\.0\."):
        evaluate("tanh", 1.0, 0.0, grid, lower=3.0)
