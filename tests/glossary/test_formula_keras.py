from __future__ import annotations

import numpy as np
import pytest

import glossary

keras = pytest.importorskip("keras")
pytestmark = pytest.mark.backend
GRADIENTS = (0.5, -0.25, 2.0)


def keras_weights(optimizer: object) -> list[float]:
    weight = keras.Variable(1.0)
    seen = []
    for gradient in GRADIENTS:
        optimizer.apply([keras.ops.convert_to_tensor(gradient)], [weight])  # type: ignore[attr-defined]
        seen.append(float(keras.ops.convert_to_numpy(weight)))
    return seen


def test_momentum_is_the_momentum_of_keras() -> None:
    expected = keras_weights(keras.optimizers.SGD(learning_rate=0.1, momentum=0.9))
    w, v, seen = 1.0, 0.0, []
    for g in GRADIENTS:
        before = w
        w = glossary.term("momentum").formula(w=w, mu=0.9, v=v, lr=0.1, g=g)
        v = w - before
        seen.append(w)
    np.testing.assert_allclose(seen, expected, rtol=1e-5)


def test_weight_decay_is_that_of_keras() -> None:
    optimizer = keras.optimizers.SGD(learning_rate=0.1, weight_decay=0.5)
    expected = keras_weights(optimizer)
    w, seen = 1.0, []
    for g in GRADIENTS:
        w = glossary.term("weight decay").formula(w=w, lr=0.1, g=g, decay=0.5)
        seen.append(w)
    np.testing.assert_allclose(seen, expected, rtol=1e-5)


def test_batch_normalization_is_the_layer_of_keras() -> None:
    x = np.random.default_rng(0).normal(size=8).astype("float32")
    layer = keras.layers.BatchNormalization(epsilon=1e-3)
    expected = keras.ops.convert_to_numpy(layer(x[:, None], training=True))[:, 0]
    formula = glossary.term("BN").formula
    found = formula(x=x, gamma=1.0, beta=0.0, epsilon=1e-3)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_the_api_links_of_installed_terms_exist() -> None:
    from glossary.read import validate

    assert validate.check_terms(glossary.terms(), links=True) == []
