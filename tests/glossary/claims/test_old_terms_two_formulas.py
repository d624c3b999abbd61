"""Formulas of backpropagation, batch normalization, batch size and learning rate."""

from __future__ import annotations

import numpy as np
import pytest

import glossary


def test_an_error_signal_goes_back_through_the_transposed_weights():
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(4, 3))
    delta = rng.normal(size=4)
    z = rng.normal(size=3)
    slope = 1 - np.tanh(z) ** 2
    value = glossary.term("backpropagation").formula(
        delta=delta, W=weights, slope=slope
    )
    h = 1e-6
    # The signal is the slope of delta . (weights @ tanh(z)) along each z.
    for place in range(3):
        step = h * np.eye(3)[place]
        up = delta @ (weights @ np.tanh(z + step))
        down = delta @ (weights @ np.tanh(z - step))
        assert value[place] == pytest.approx((up - down) / (2 * h), rel=1e-6)


def test_the_variance_of_a_mean_falls_as_the_formula_says():
    draws = np.random.default_rng(0).normal(0, 3, (100_000, 8)).mean(1)
    value = glossary.term("batch size").formula(variance=9.0, batch_size=8)
    assert draws.var() == pytest.approx(value, rel=0.02)


@pytest.mark.backend
def test_batch_normalization_is_the_layer_of_keras():
    import keras

    x = np.random.default_rng(0).normal(size=8).astype("float32")
    layer = keras.layers.BatchNormalization(epsilon=1e-3)
    expected = keras.ops.convert_to_numpy(layer(x[:, None], training=True))[:, 0]
    formula = glossary.term("BN").formula
    value = formula(x=x, gamma=1.0, beta=0.0, epsilon=1e-3)
    np.testing.assert_allclose(value, expected, atol=1e-5)


@pytest.mark.backend
def test_the_learning_rate_scales_the_step_of_sgd_in_keras():
    import keras

    weight = keras.Variable(1.0)
    keras.optimizers.SGD(0.25).apply([keras.ops.convert_to_tensor(2.0)], [weight])
    value = glossary.term("learning rate").formula(w=1.0, g=2.0, lr=0.25)
    assert float(keras.ops.convert_to_numpy(weight)) == pytest.approx(value)
