from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import glossary
from glossary import formula as formulas
from glossary.errors import FormulaError

NUMBERS = st.floats(-1e3, 1e3)
RNG = np.random.default_rng(0)
X = RNG.normal(size=6)
K, V, Q = RNG.normal(size=(3, 4)), RNG.normal(size=(3, 2)), RNG.normal(size=4)
W = RNG.normal(size=(2, 3))


def numpy_attention() -> np.ndarray:
    scores = np.exp(K @ Q / np.sqrt(4))
    return (scores / scores.sum()) @ V


def numpy_adam() -> float:
    w, m, v = 1.0, 0.0, 0.0
    for t, g in enumerate((0.3, -0.2), 1):
        m, v = 0.9 * m + 0.1 * g, 0.99 * v + 0.01 * g**2
        w -= 0.1 * (m / (1 - 0.9**t)) / (math.sqrt(v / (1 - 0.99**t)) + 1e-7)
    return w


def second_adam_step() -> float:
    first = {"lr": 0.1, "beta_1": 0.9, "beta_2": 0.99, "epsilon": 1e-7}
    adam = glossary.term("adam").formula
    assert adam is not None
    w = adam(w=1.0, g=0.3, m=0.0, v=0.0, t=1, **first)
    return float(adam(w=w, g=-0.2, m=0.1 * 0.3, v=0.01 * 0.09, t=2, **first))


ORACLES = {
    "activation-function": ({"w": [2, -1], "x": [3, 4], "b": 0.5}, 2.5),
    "adapter-layers": (
        {"h": [1.0, 2.0], "down": [[1.0, -1.0], [2.0, 0.0]], "up": [[1, 3], [0, 1]]},
        [1.0 + 3 * 2.0, 2.0 + 2.0],
    ),
    "attention-mechanism": ({"q": Q, "K": K, "V": V, "d": 4}, numpy_attention()),
    "autoencoder": ({"x": [1, 2, 3], "x_hat": [1, 1, 5]}, 5 / 3),
    "backpropagation": (
        {"delta": [1.0, -2.0], "W": W, "slope": [1, 0, 1]},
        (W.T @ [1.0, -2.0]) * [1, 0, 1],
    ),
    "batch-normalization": (
        {"x": X, "gamma": 2.0, "beta": -1.0, "epsilon": 1e-3},
        2.0 * (X - X.mean()) / np.sqrt(X.var() + 1e-3) - 1.0,
    ),
    "batch-size": ({"variance": 3.0, "batch_size": 4}, 0.75),
    "learning-rate": ({"w": [1.0, 2.0], "lr": 0.5, "g": [2.0, -2.0]}, [0.0, 3.0]),
    "cosine-annealing": (
        {"min_lr": 0.1, "max_lr": 0.5, "steps": 4, "t": [0, 2, 4]},
        [0.5, 0.3, 0.1],
    ),
    "cyclical-learning-rate": (
        {"min_lr": 0.0, "max_lr": 1.0, "half_cycle": 2, "t": [0, 1, 2, 3, 4, 5]},
        [0.0, 0.5, 1.0, 0.5, 0.0, 0.5],
    ),
    "early-stopping": ({"epoch": [4, 5], "best_epoch": 2, "patience": 3}, [0, 1]),
    "gradient-accumulation": ({"g": [1.0, 2.0, 6.0]}, 3.0),
    "gradient-noise-scale": ({"variance": [3, 1], "gradient": [0.0, 2.0]}, 1.0),
    "learning-rate-schedule": ({"base_lr": 0.5, "factor": [1, 0.5]}, [0.5, 0.25]),
    "linear-scaling-rule": ({"lr": 0.1, "from_batch": 32, "to_batch": 256}, 0.8),
    "loss-scaling": ({"scaled_gradient": [4.0, 8.0], "scale": 8}, [0.5, 1.0]),
    "lr-range-test": (
        {"min_lr": 1e-6, "max_lr": 1.0, "steps": 7, "t": [0, 3, 6]},
        [1e-6, 1e-3, 1.0],
    ),
    "momentum": ({"w": 1.0, "mu": 0.5, "v": -2.0, "lr": 0.25, "g": 4.0}, -1.0),
    "one-cycle-policy": (
        {
            "start_lr": 0.1,
            "max_lr": 1.0,
            "end_lr": 0.0,
            "up_steps": 4,
            "steps": 12,
            "t": [0, 2, 4, 8, 12],
        },
        [0.1, 0.55, 1.0, 0.5, 0.0],
    ),
    "warm-restarts": (
        {"min_lr": 0.0, "max_lr": 1.0, "cycle": 2, "t": [0, 1, 2, 3, 4]},
        [1.0, 0.5, 1.0, 0.5, 1.0],
    ),
    "warmup": (
        {"lr": 0.5, "t": [0, 1, 2, 9], "warmup_steps": 2},
        [0.25, 0.5, 0.5, 0.5],
    ),
    "warmup-stable-decay": (
        {
            "lr": 1.0,
            "warmup_steps": 2,
            "decay_steps": 4,
            "steps": 10,
            "t": [0, 1, 2, 6, 8],
        },
        # Of ten updates, 0 to 9, the last is the one that reaches the end.
        [0.5, 1.0, 1.0, 0.75, 0.25],
    ),
    "weight-decay": ({"w": 2.0, "lr": 0.5, "g": 1.0, "decay": 0.1}, 1.4),
}


@pytest.mark.parametrize("id", ORACLES)
def test_the_formula_agrees_with_an_independent_value(id: str) -> None:
    values, expected = ORACLES[id]
    formula = glossary.term(id).formula
    assert formula is not None
    np.testing.assert_allclose(formula(**values), expected, rtol=1e-12, atol=1e-15)


def test_adam_takes_the_second_step_that_a_loop_takes() -> None:
    assert second_adam_step() == pytest.approx(numpy_adam(), rel=1e-12)


@pytest.mark.parametrize("term", glossary.terms(), ids=lambda term: term.id)
def test_every_formula_takes_its_symbols_and_gives_the_result_of_its_example(
    term: glossary.Term,
) -> None:
    # Those that are not above are computed independently in tests/glossary/claims.
    if term.formula is not None:
        names = formulas.names(term.formula.expression)
        assert names == {symbol.name for symbol in term.formula.symbols}
        if term.example is not None and term.example.values:
            result = term.formula(**term.example.values)
            np.testing.assert_allclose(result, term.example.result, rtol=1e-9)


@given(NUMBERS, NUMBERS, NUMBERS)
def test_arithmetic_is_that_of_python(a: float, b: float, c: float) -> None:
    computed = formulas.call(
        "-a + b * c - a / 4", list("abc"), {"a": a, "b": b, "c": c}
    )
    assert computed == -a + b * c - a / 4


@given(st.lists(st.floats(-50, 50), min_size=1, max_size=9))
def test_softmax_is_positive_and_sums_to_one(scores: list[float]) -> None:
    weights = formulas.call("softmax(s)", ["s"], {"s": scores})
    assert all(weight > 0 for weight in weights)
    assert math.fsum(weights) == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("7 // 2 + 7 % 4", 6.0),
        ("2 ** 10", 1024.0),
        ("min(2, 1) + max(2, 1)", 3.0),
        ("abs(-2) * sqrt(9) * exp(0) * cos(0)", 6.0),
        ("log(1) + sin(0) + tanh(0) + floor(2.9)", 2.0),
        ("1 if 2 < 1 else 3 if 2 >= 2 else 4", 3.0),
        ("a = 2\nb = a * a\nb + 1", 5.0),
    ],
)
def test_the_grammar_computes(expression: str, value: float) -> None:
    assert formulas.call(expression, [], {}) == value


@pytest.mark.parametrize(
    "expression",
    [
        "__import__('os').system('true')",
        "().__class__",
        "open('x')",
        "x.real",
        "x[0]",
        "[x]",
        "lambda: x",
        "[y for y in x]",
        "f'{x}'",
        "'text'",
        "True",
        "None",
        "x and y",
        "(y := 1)",
        "sqrt(x, key=1)",
        "sqrt(1, 2)",
        "sqrt",
        "x = 1",
        "import os",
        "x += 1",
        "1; 2",
        "1 < 2 < 3",
        "await x",
        "",
        "1 +",
        "1\x00",
        "(" * 300 + "1" + ")" * 300,
        "1" + "+1" * 1500,
    ],
)
def test_what_is_no_arithmetic_is_refused(expression: str) -> None:
    with pytest.raises(FormulaError):
        formulas.call(expression, ["x"], {"x": 1.0})


@pytest.mark.parametrize("expression", ["9 ** 9 ** 9", "1 / 0", "sqrt(-1)", "log(0)"])
def test_what_has_no_value_is_a_formula_error(expression: str) -> None:
    with pytest.raises(FormulaError, match="has no value here"):
        formulas.call(expression, [], {})


def test_missing_and_unknown_symbols_are_named() -> None:
    formula = glossary.term("weight decay").formula
    assert formula is not None
    with pytest.raises(FormulaError, match=r"takes w, lr, g, decay\. Received: lr, w"):
        formula(w=1.0, lr=0.1)


@pytest.mark.parametrize("value", ["3", None, {}, 10**400])
def test_a_value_that_is_no_number_is_refused(value: object) -> None:
    with pytest.raises(FormulaError, match=r"`z` (must be a number|is beyond)"):
        formulas.call("z", ["z"], {"z": value})


def test_lists_of_different_lengths_are_refused() -> None:
    with pytest.raises(FormulaError, match="different lengths"):
        formulas.call("a + b", ["a", "b"], {"a": [1, 2], "b": [1, 2, 3]})


def test_a_branch_that_is_not_taken_is_not_computed() -> None:
    expression = "a / b if b > 0 else 0"
    assert formulas.call(expression, ["a", "b"], {"a": 1, "b": [0, 2]}) == [0.0, 0.5]


def test_names_come_from_outside_only() -> None:
    assert formulas.names("a = x * pi\na + sqrt(y)") == {"x", "y"}
