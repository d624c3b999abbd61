"""Formulas and worked examples against an independent computation, and Keras."""

from __future__ import annotations

import numpy as np
import pytest

import glossary

TERMS = (
    "activation-function",
    "adam",
    "adapter-layers",
    "attention-mechanism",
    "autoencoder",
)


@pytest.mark.parametrize("name", TERMS)
def test_the_worked_example_comes_out(name: str) -> None:
    term = glossary.term(name)
    assert term.formula is not None
    assert term.example is not None
    result = term.formula(**term.example.values)
    np.testing.assert_allclose(result, term.example.result, rtol=0, atol=1e-9)


def test_a_neuron_is_its_weighted_sum_cut_at_zero() -> None:
    rng = np.random.default_rng(0)
    formula = glossary.term("activation function").formula
    for w, x in rng.normal(size=(20, 2, 5)):
        assert formula(w=w, x=x, b=0.1) == pytest.approx(max(w @ x + 0.1, 0), abs=1e-12)


def test_an_adapter_is_two_matrices_beside_the_identity() -> None:
    rng = np.random.default_rng(0)
    h = rng.normal(size=6)
    down = rng.normal(size=(2, 6))
    up = rng.normal(size=(6, 2))
    expected = h + up @ np.maximum(down @ h, 0)
    adapted = glossary.term("adapter").formula(h=h, down=down, up=up)
    np.testing.assert_allclose(adapted, expected, atol=1e-12)


def test_attention_is_the_softmax_of_scaled_products_times_the_values() -> None:
    rng = np.random.default_rng(0)
    q = rng.normal(size=4)
    keys = rng.normal(size=(3, 4))
    values = rng.normal(size=(3, 2))
    powers = np.exp(keys @ q / 2)
    expected = powers / powers.sum() @ values
    attended = glossary.term("attention").formula(q=q, K=keys, V=values, d=4)
    np.testing.assert_allclose(attended, expected, atol=1e-12)


def test_the_loss_of_an_autoencoder_is_the_mean_square() -> None:
    x, x_hat = np.random.default_rng(0).normal(size=(2, 9))
    loss = glossary.term("autoencoder").formula(x=x, x_hat=x_hat)
    assert loss == pytest.approx(np.mean((x - x_hat) ** 2), abs=1e-12)


GRADIENTS = (0.5, -0.25, 2.0)
SETTINGS = {"beta_1": 0.9, "beta_2": 0.99, "epsilon": 1e-9}


def keras_weights(optimizer: object, gradients: tuple[float, ...]) -> list[float]:
    import keras

    weight = keras.Variable(1.0)
    weights = []
    for gradient in gradients:
        tensor = keras.ops.convert_to_tensor(gradient, dtype="float32")
        optimizer.apply([tensor], [weight])  # type: ignore[attr-defined]
        weights.append(float(keras.ops.convert_to_numpy(weight)))
    return weights


@pytest.mark.backend
def test_adam_is_the_adam_of_keras_where_epsilon_does_not_count() -> None:
    import keras

    adam = keras.optimizers.Adam(learning_rate=0.1, **SETTINGS)
    w = 1.0
    m = 0.0
    v = 0.0
    weights = []
    for t, g in enumerate(GRADIENTS, start=1):
        w = glossary.term("adam").formula(w=w, g=g, m=m, v=v, t=t, lr=0.1, **SETTINGS)
        m = 0.9 * m + 0.1 * g
        v = 0.99 * v + 0.01 * g * g
        weights.append(w)
    np.testing.assert_allclose(weights, keras_weights(adam, GRADIENTS), rtol=1e-5)


@pytest.mark.backend
def test_the_note_on_keras_epsilon_is_right() -> None:
    """0.24 learning rates where the formula gives 0.91, for a gradient of 1e-6."""
    import keras

    stepped = keras_weights(keras.optimizers.Adam(learning_rate=0.1), (1e-6,))[0]
    assert (1 - stepped) / 0.1 == pytest.approx(0.24, abs=0.005)
    own = glossary.term("adam").formula(
        w=1.0, g=1e-6, m=0.0, v=0.0, t=1, lr=0.1, beta_1=0.9, beta_2=0.999, epsilon=1e-7
    )
    assert (1 - own) / 0.1 == pytest.approx(0.91, abs=0.005)


@pytest.mark.backend
def test_the_note_on_keras_attention_without_scale_is_right() -> None:
    import keras

    example = glossary.term("attention").example
    assert example is not None
    q, k, v = (
        np.array(example.values[name], "float32").reshape(1, -1, size)
        for name, size in (("q", 4), ("K", 4), ("V", 1))
    )
    out, scores = keras.layers.Attention()([q, v, k], return_attention_scores=True)
    weights = np.array(keras.ops.convert_to_numpy(scores)).ravel()
    np.testing.assert_allclose(weights, [0.98, 0.02], atol=0.005)
    assert float(keras.ops.convert_to_numpy(out)[0, 0, 0]) == pytest.approx(
        10.18, abs=0.005
    )


@pytest.mark.backend
def test_the_note_on_biases_of_an_adapter_is_right() -> None:
    import keras

    down = keras.layers.Dense(64)
    up = keras.layers.Dense(768)
    up(down(np.zeros((1, 768), "float32")))
    biases = down.bias.shape[0] + up.bias.shape[0]
    assert (biases, down.count_params() + up.count_params()) == (832, 99_136)
