"""Formulas of optimizers, evaluation and regularization, computed in another way."""

import math

import numpy as np
import pytest

import glossary


def formula(name):
    return glossary.term(name).formula


RNG = np.random.default_rng(16)
W = RNG.normal(size=6)
G = RNG.normal(size=6)


def applied(optimizer, updates=3, w=W, g=G):
    """Weights after some updates of a Keras optimizer, with the same gradients."""
    import keras

    variable = keras.Variable(w.astype("float32"))
    for _ in range(updates):
        optimizer.apply([keras.ops.convert_to_tensor(g.astype("float32"))], [variable])
    return keras.ops.convert_to_numpy(variable)


@pytest.mark.backend
def test_rmsprop_is_what_keras_computes_also_near_epsilon():
    import keras

    for scale in (1.0, 1e-4):
        w = W
        v = np.zeros(6)
        g = G * scale
        for _ in range(3):
            w = formula("RMSProp")(w=w, g=g, v=v, rho=0.9, lr=0.01, epsilon=1e-7)
            v = 0.9 * v + 0.1 * g**2
        made = applied(keras.optimizers.RMSprop(0.01, rho=0.9, epsilon=1e-7), g=g)
        np.testing.assert_allclose(made, w, atol=1e-6)


@pytest.mark.backend
def test_adagrad_is_what_keras_computes_from_its_own_first_sum():
    import keras

    w = W
    s = np.full(6, 0.1)
    for _ in range(3):
        w = formula("AdaGrad")(w=w, g=G, s=s, lr=0.1, epsilon=1e-7)
        s = s + G**2
    np.testing.assert_allclose(applied(keras.optimizers.Adagrad(0.1)), w, atol=1e-6)


@pytest.mark.backend
def test_nesterov_momentum_is_what_keras_computes():
    import keras

    w = W
    v = np.zeros(6)
    for _ in range(3):
        w = np.array(formula("NAG")(w=w, v=v, g=G, mu=0.9, lr=0.1))
        v = 0.9 * v - 0.1 * G
    optimizer = keras.optimizers.SGD(0.1, momentum=0.9, nesterov=True)
    np.testing.assert_allclose(applied(optimizer), w, atol=1e-6)


@pytest.mark.backend
def test_adamw_is_what_keras_computes_for_gradients_far_above_epsilon():
    import keras

    w = W
    m = np.zeros(6)
    v = np.zeros(6)
    for step in (1, 2, 3):
        m = 0.9 * m + 0.1 * G
        v = 0.999 * v + 0.001 * G**2
        w = np.array(
            formula("AdamW")(
                w=w,
                m_hat=m / (1 - 0.9**step),
                v_hat=v / (1 - 0.999**step),
                lr=0.01,
                decay=0.1,
                epsilon=0.0,
            )
        )
    optimizer = keras.optimizers.AdamW(0.01, weight_decay=0.1)
    np.testing.assert_allclose(applied(optimizer), w, atol=1e-5)


@pytest.mark.backend
def test_the_numbers_in_the_notes_are_what_keras_computes():
    import keras

    def step(optimizer, size):
        made = applied(optimizer, 1, np.zeros(1), np.full(1, size))
        return -float(made[0])

    optimizers = keras.optimizers
    rmsprop = optimizers.RMSprop(1.0, rho=0.9, epsilon=1e-7)
    assert step(rmsprop, 1e-4) == pytest.approx(0.315, abs=5e-4)
    assert step(optimizers.Adagrad(1.0), 0.1) == pytest.approx(0.302, abs=5e-4)
    adamw = optimizers.AdamW(1.0, weight_decay=0.1, epsilon=1e-7)
    assert step(adamw, 1e-6) == pytest.approx(0.240, abs=5e-4)
    inside = 0.001 / math.sqrt(1e-8 + 1e-7)
    assert inside == pytest.approx(3.0, abs=0.02)
    outside = formula("adaptive learning rate")(lr=0.001, v=1e-8, epsilon=0.0)
    assert outside == pytest.approx(10.0)


@pytest.mark.backend
def test_the_penalty_and_the_accuracy_are_those_of_keras():
    import keras

    plain = formula("L2 regularization")(loss=0.0, penalty=0.01, w=[3.0, 4.0])
    added = keras.regularizers.L2(0.01)(np.array([3.0, 4.0], dtype="float32"))
    assert float(added) == pytest.approx(plain)
    metric = keras.metrics.Accuracy()
    metric.update_state([3, 1, 4, 2], [3, 1, 4, 1])
    made = formula("accuracy")(answer=[3, 1, 4, 1], label=[3, 1, 4, 2])
    assert float(metric.result()) == pytest.approx(made)


@pytest.mark.backend
def test_dropout_lets_through_the_values_of_keras():
    import keras

    x = np.abs(W)[None].astype("float32")
    layer = keras.layers.Dropout(0.25, seed=3)
    made = keras.ops.convert_to_numpy(layer(x, training=True))[0]
    kept = formula("dropout")(x=np.abs(W), m=(made != 0).astype(float), rate=0.25)
    np.testing.assert_allclose(made, kept, rtol=1e-6)


def test_the_accuracy_is_that_of_scikit_learn():
    from sklearn.metrics import accuracy_score

    answer = RNG.integers(0, 3, 200)
    label = RNG.integers(0, 3, 200)
    made = formula("accuracy")(answer=answer, label=label)
    assert made == pytest.approx(accuracy_score(label, answer))


def test_the_penalized_loss_is_the_one_that_ridge_regression_minimizes():
    from sklearn.linear_model import Ridge

    x = RNG.normal(size=(40, 5))
    y = RNG.normal(size=40)
    best = Ridge(alpha=2.0, fit_intercept=False).fit(x, y).coef_

    def penalized(w):
        loss = float(((x @ w - y) ** 2).sum())
        return formula("L2 regularization")(loss=loss, penalty=2.0, w=w)

    moves = 1e-3 * RNG.normal(size=(20, 5))
    assert all(penalized(best) < penalized(best + move) for move in moves)


def test_the_bound_on_the_gap_holds_for_coins():
    bound = formula("generalization")(k=50, n=100, delta=0.05)
    coins = RNG.random((400, 50, 100)).round().mean(axis=2)
    above = (abs(coins - 0.5).max(axis=1) > bound).mean()
    assert above < 0.05
    assert (abs(coins - 0.5).max(axis=1) > bound / 2).mean() > 0.05
