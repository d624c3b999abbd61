"""Formulas of the foundations, each against an independent computation."""

import numpy as np
import pytest

import glossary
from glossary.demos.gradient_descent import descend


def formula(name, **values):
    return glossary.term(name).formula(**values)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_a_gradient_is_what_central_differences_find(rng):
    w = rng.normal(size=4)
    x = rng.normal(size=4)
    y = 0.7
    differences = [
        (((w + step) @ x - y) ** 2 - ((w - step) @ x - y) ** 2) / 2e-6
        for step in 1e-6 * np.eye(4)
    ]
    assert formula("gradient", w=w, x=x, y=y) == pytest.approx(differences, rel=1e-6)


def test_gradient_descent_on_a_parabola_shrinks_the_weight_by_a_constant_factor():
    weight = 1.0
    for _ in range(10):
        weight = formula("gradient-descent", w=weight, lr=0.2, g=2 * weight)
    assert weight == pytest.approx(0.6**10)


def test_a_batch_has_the_mean_of_the_gradients(rng):
    g = rng.normal(size=7)
    assert formula("batch", g=g, batch_size=7) == pytest.approx(np.average(g))


def test_sgd_with_one_example_is_gradient_descent(rng):
    w, lr, g = rng.normal(size=3)
    step = formula("stochastic-gradient-descent", w=w, lr=lr, g=[g])
    assert step == pytest.approx(formula("gradient-descent", w=w, lr=lr, g=g))


@pytest.mark.parametrize(("examples", "size"), [(1797, 32), (64, 32), (65, 32), (3, 8)])
def test_iterations_are_the_batches_that_a_loop_makes(examples, size):
    batches = sum(1 for _ in range(3) for _ in range(0, examples, size))
    assert formula("iteration", epochs=3, examples=examples, batch_size=size) == batches


def test_epochs_and_iterations_agree_where_all_batches_are_full():
    updates = formula("iteration", epochs=3, examples=96, batch_size=32)
    assert formula("epoch", t=updates, batch_size=32, examples=96) == 3
    assert formula("epoch", t=57, batch_size=32, examples=1797) == pytest.approx(
        1.015, abs=5e-4
    )


def test_a_loss_is_the_mean_squared_error_of_scikit_learn(rng):
    from sklearn.metrics import mean_squared_error

    prediction = rng.normal(size=20)
    target = rng.normal(size=20)
    loss = formula("loss-function", prediction=prediction, target=target)
    assert loss == pytest.approx(mean_squared_error(target, prediction))


def test_a_neuron_is_the_logistic_regression_of_scikit_learn(rng):
    from sklearn.linear_model import LogisticRegression

    x = rng.normal(size=(50, 3))
    model = LogisticRegression().fit(x, x[:, 0] + x[:, 1] > 0.3)
    w = model.coef_[0]
    b = model.intercept_[0]
    chances = [formula("neuron", w=w, x=row, b=b) for row in x]
    assert chances == pytest.approx(model.predict_proba(x)[:, 1])


def test_a_bias_is_a_weight_on_an_input_of_one(rng):
    w = rng.normal(size=3)
    x = rng.normal(size=3)
    extended = formula("bias", w=[*w, 0.4], x=[*x, 1.0], b=0.0)
    assert formula("bias", w=w, x=x, b=0.4) == pytest.approx(extended)


def test_the_chain_rule_gives_the_derivative_of_sin_of_x_squared():
    x = 0.7
    slope = formula("chain-rule", outer=np.cos(x**2), inner=2 * x)
    differences = (np.sin((x + 1e-6) ** 2) - np.sin((x - 1e-6) ** 2)) / 2e-6
    assert slope == pytest.approx(differences)


def test_carried_derivatives_multiply_up_to_those_of_powers():
    x = 1.3
    value = x
    slope = 1.0
    for _ in range(4):
        slope = formula(
            "automatic-differentiation", u=value, u_dot=slope, v=x, v_dot=1.0
        )
        value = value * x
    assert slope == pytest.approx(np.polyval(np.polyder([1, 0, 0, 0, 0, 0]), x))


def test_descent_at_its_best_rate_keeps_the_bound_of_convergence():
    curvatures = np.array([1.0, 9.0])
    start = np.array([3.0, -4.0])
    way = descend(lambda w: curvatures * w, start, 2 / (1 + 9), 12)
    distances = np.linalg.norm(way, axis=1)
    bounds = [formula("convergence", distance=5.0, kappa=9.0, t=t) for t in range(13)]
    assert distances == pytest.approx(bounds)  # both directions shrink alike


@pytest.mark.backend
def test_keras_counts_and_computes_what_the_formulas_say(rng):
    import keras

    layer = keras.layers.Dense(3)
    layer.build((None, 5))
    assert layer.count_params() == formula("weight", inputs=5, units=3)

    hidden = keras.layers.Dense(4, activation="tanh")
    model = keras.Sequential([keras.layers.Input((5,)), hidden, keras.layers.Dense(3)])
    w1, b1, w2, b2 = (rng.normal(size=w.shape) for w in model.get_weights())
    model.set_weights([w1, b1, w2, b2])
    x = rng.normal(size=5)
    output = keras.ops.convert_to_numpy(model(x[None].astype("float32")))[0]
    computed = formula("multilayer-perceptron", W1=w1.T, b1=b1, W2=w2.T, b2=b2, x=x)
    assert computed == pytest.approx(output, rel=1e-4, abs=1e-5)

    loss = keras.losses.MeanSquaredError()(x[None], 2 * x[None])
    assert formula("loss-function", prediction=2 * x, target=x) == pytest.approx(
        float(loss), rel=1e-5
    )


@pytest.mark.backend
@pytest.mark.parametrize(("momentum", "second"), [(0.0, 1.0), (0.9, 1.9)])
def test_keras_sgd_makes_the_step_of_the_formula_and_of_its_note(momentum, second):
    import keras

    weight = keras.Variable([1.0])
    optimizer = keras.optimizers.SGD(0.1, momentum=momentum)
    optimizer.build([weight])
    gradient = keras.ops.ones(1)
    optimizer.apply([gradient])
    first = float(keras.ops.convert_to_numpy(weight.value)[0])
    step = formula("stochastic-gradient-descent", w=1.0, lr=0.1, g=[1.0])
    assert first == pytest.approx(step)
    optimizer.apply([gradient])
    last = float(keras.ops.convert_to_numpy(weight.value)[0])
    assert first - last == pytest.approx(0.1 * second, rel=1e-5)


def test_each_example_comes_out_as_it_is_printed():
    names = (
        "batch",
        "gradient",
        "weight",
        "bias",
        "iteration",
        "epoch",
        "loss-function",
        "gradient-descent",
        "stochastic-gradient-descent",
        "neuron",
        "multilayer-perceptron",
        "chain-rule",
        "automatic-differentiation",
        "convergence",
    )
    for name in names:
        term = glossary.term(name)
        assert term.formula(**term.example.values) == term.example.result, name
