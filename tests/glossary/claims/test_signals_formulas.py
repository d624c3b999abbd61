"""Formulas of activation functions, signals, losses, precision and averages.

Each against another computation: NumPy's, or the object of Keras that is linked.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import glossary

Z = np.random.default_rng(0).normal(0, 3, 40)
TERMS = (
    "relu", "sigmoid", "tanh", "gelu", "softmax", "cross-entropy",
    "weight-initialization", "vanishing-gradient", "exploding-gradient",
    "residual-connection", "layer-normalization", "internal-covariate-shift",
    "mixed-precision", "moving-average",
)  # fmt: skip


def formula(term: str, **values: Any) -> Any:
    stated = glossary.term(term).formula
    assert stated is not None
    return stated(**values)


@pytest.mark.parametrize("term", TERMS)
def test_the_worked_number_comes_out(term: str) -> None:
    example = glossary.term(term).example
    assert example is not None
    result = formula(term, **example.values)
    np.testing.assert_allclose(result, example.result, rtol=1e-9, atol=1e-9)


def test_activation_functions_are_those_of_numpy() -> None:
    exact = [0.5 * z * (1 + math.erf(z / math.sqrt(2))) for z in Z]
    np.testing.assert_allclose(formula("relu", z=Z), Z * (Z > 0))
    np.testing.assert_allclose(formula("sigmoid", z=Z), 0.5 + 0.5 * np.tanh(Z / 2))
    np.testing.assert_allclose(formula("tanh", z=Z), np.tanh(Z))
    np.testing.assert_allclose(formula("gelu", z=Z), exact, atol=5e-4)


def test_softmax_and_cross_entropy_are_those_of_numpy() -> None:
    shares = formula("softmax", z=Z[:5])
    np.testing.assert_allclose(shares, np.exp(Z[:5]) / np.exp(Z[:5]).sum())
    target = [0.1, 0.2, 0.3, 0.4, 0.0]
    expected = -np.dot(target, np.log(shares))
    np.testing.assert_allclose(formula("cross-entropy", p=target, q=shares), expected)


def test_initial_weights_have_the_standard_deviation() -> None:
    draws = np.random.default_rng(0).normal(
        0, formula("weight-initialization", g=2.0, n=50.0), (2000, 50)
    )
    # Sums of 50 products with inputs of mean square 1 have variance 2.
    np.testing.assert_allclose((draws @ np.ones(50)).var(), 2, rtol=0.1)


def test_a_gradient_through_sigmoids_is_the_product_of_their_factors() -> None:
    product = np.prod(np.full(10, 0.25))
    np.testing.assert_allclose(formula("vanishing-gradient", f=0.25, n=10.0), product)


def test_clipping_keeps_the_direction_and_bounds_the_length() -> None:
    clipped = np.array(formula("exploding-gradient", g=Z, c=2.0))
    np.testing.assert_allclose(np.linalg.norm(clipped), 2)
    np.testing.assert_allclose(clipped / 2, Z / np.linalg.norm(Z))
    np.testing.assert_allclose(formula("exploding-gradient", g=Z, c=1e3), Z)


def test_a_shift_is_the_norm_of_the_difference() -> None:
    shift = formula("internal-covariate-shift", before=Z[:20], after=Z[20:])
    np.testing.assert_allclose(shift, np.linalg.norm(Z[:20] - Z[20:]))


@pytest.mark.parametrize(("kind", "digits"), [(np.float16, 11), (np.float32, 24)])
def test_rounding_is_as_coarse_as_numpy_says(kind: Any, digits: int) -> None:
    # NumPy's eps is the distance from 1 to the next number; rounding is off by half.
    assert formula("mixed-precision", p=digits) == np.finfo(kind).eps / 2


def test_an_average_weighs_values_by_their_age() -> None:
    mean = 0.0
    for value in Z:
        mean = formula("moving-average", m=mean, x=value, beta=0.9)
    weights = 0.1 * 0.9 ** np.arange(len(Z))[::-1]
    np.testing.assert_allclose(mean, weights @ Z)


def test_bfloat16_is_that_of_ml_dtypes() -> None:
    ml_dtypes = pytest.importorskip("ml_dtypes")
    from glossary.demos.mixed_precision import rounded

    values = np.random.default_rng(0).normal(size=2000) * 10.0 ** np.linspace(
        -30, 30, 2000
    )
    expected = values.astype(np.float32).astype(ml_dtypes.bfloat16).astype(float)
    np.testing.assert_array_equal(rounded(values, "bfloat16"), expected)


def test_gradients_of_normalized_nets_are_those_of_differences() -> None:
    from glossary.lab import norms

    rng = np.random.default_rng(0)
    x = rng.normal(size=(8, 5))
    y = rng.integers(0, 3, 8)
    ws = [rng.normal(size=(5, 4)), rng.normal(size=(4, 3))]
    for norm in (norms.over_batch, norms.over_example, norms.scaled_only):
        _, gradients = norms.loss_and_gradients(ws, x, y, norm)
        way = rng.normal(size=(5, 4))
        ends = [
            norms.loss_and_gradients([ws[0] + h * way, ws[1]], x, y, norm)[0]
            for h in (1e-5, -1e-5)
        ]
        slope = (ends[0] - ends[1]) / 2e-5
        np.testing.assert_allclose((gradients[0] * way).sum(), slope, rtol=1e-5)


@pytest.mark.parametrize("skip", [0.0, 1.0])
def test_gradients_of_stacks_are_those_of_differences(skip: float) -> None:
    from glossary.demos import residual_connection
    from glossary.lab.nets import tanh

    rng = np.random.default_rng(0)
    ws = residual_connection.stacked(0, 4, 1.0)
    x = rng.normal(size=(6, 64))
    y = rng.integers(0, 10, 6)

    def stack(h: float) -> residual_connection.Stack:
        moved = [w + h * np.ones_like(w) for w in ws]
        return residual_connection.Stack(moved, tanh, skip, 0.5)

    ends = [residual_connection.run(stack(h), x, y).loss for h in (1e-6, -1e-6)]
    gradients = residual_connection.run(stack(0.0), x, y).gradients
    slope = (ends[0] - ends[1]) / 2e-6
    total = sum(float(gradient.sum()) for gradient in gradients)
    np.testing.assert_allclose(total, slope, rtol=1e-4)


@pytest.mark.backend
def test_functions_are_those_of_keras() -> None:
    import keras

    z = Z.astype("float32")
    convert = keras.ops.convert_to_numpy
    for term in ("relu", "sigmoid", "tanh", "softmax"):
        row = z[None] if term == "softmax" else z
        expected = convert(getattr(keras.activations, term)(row)).reshape(-1)
        np.testing.assert_allclose(formula(term, z=z), expected, atol=1e-6)
    approximate = convert(keras.activations.gelu(z, approximate=True))
    np.testing.assert_allclose(formula("gelu", z=z), approximate, atol=1e-5)
    # The note of the term: Keras' default is exact, and less than 0.0005 away.
    assert abs(formula("gelu", z=z) - convert(keras.activations.gelu(z))).max() < 5e-4


@pytest.mark.backend
def test_cross_entropy_is_that_of_keras_and_clips_at_zero() -> None:
    import keras

    loss = keras.losses.CategoricalCrossentropy()
    right = np.array([[0.0, 1.0, 0.0]], "float32")
    shares = np.array([[0.2, 0.7, 0.1]], "float32")
    expected = float(loss(right, shares))
    found = formula("cross-entropy", p=right[0], q=shares[0])
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    impossible = float(loss(right, np.array([[1.0, 0.0, 0.0]], "float32")))
    np.testing.assert_allclose(impossible, 16.1, atol=0.1)


@pytest.mark.backend
def test_layer_normalization_is_the_layer_of_keras() -> None:
    import keras

    x = Z[None].astype("float32")
    expected = keras.ops.convert_to_numpy(keras.layers.LayerNormalization()(x))[0]
    found = formula("layer-normalization", x=Z, gamma=1.0, beta=0.0, epsilon=0.001)
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.backend
def test_initial_weights_of_keras_have_the_standard_deviation() -> None:
    import keras

    drawn = keras.initializers.HeNormal(seed=0)((50, 4000))
    weights = keras.ops.convert_to_numpy(drawn)
    expected = formula("weight-initialization", g=2.0, n=50.0)
    np.testing.assert_allclose(weights.std(), expected, rtol=0.01)
    # The note of the term: cut off at 2.27 times that value, and on torch not at all.
    longest = abs(weights).max() / expected
    if keras.backend.backend() == "torch":
        assert longest > 2.5
    else:
        np.testing.assert_allclose(longest, 2.27, atol=0.02)


@pytest.mark.backend
def test_clipping_is_that_of_keras() -> None:
    import keras

    weight = keras.Variable(np.zeros(2, "float32"))
    optimizer = keras.optimizers.SGD(learning_rate=1.0, global_clipnorm=1.0)
    optimizer.apply([keras.ops.convert_to_tensor([3.0, 4.0])], [weight])
    step = -keras.ops.convert_to_numpy(weight)
    np.testing.assert_allclose(
        formula("exploding-gradient", g=[3.0, 4.0], c=1.0), step, rtol=1e-5
    )
