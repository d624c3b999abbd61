"""The noise scale of fits: right, without a trace in the training, or refused."""

from __future__ import annotations

import copy
import pickle

import keras
import numpy as np
import pytest

import keras_lr
from keras_lr import GradientNoiseScale
from tests.kit.own_steps import Own
from tests.kit.own_steps import data as own_data

pytestmark = pytest.mark.backend

BACKEND = keras.backend.backend()


def linear_model(features=6, rate=0.0, *, optimizer=None, **compile):
    layer = keras.layers.Dense(1, use_bias=False)
    model = keras.Sequential([keras.Input((features,)), layer])
    model.compile(optimizer or keras.optimizers.SGD(rate), "mse", **compile)
    model.set_weights([np.full((features, 1), features**-0.5, "float32")])
    return model


def linear_data(rows, features=6, noise=0.0, seed=0):
    """Gaussian inputs, and targets that are nothing but noise."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, features)).astype("float32")
    return x, (noise * rng.normal(size=(rows, 1))).astype("float32")


def fit(model, x, y, noise, **options):
    options = {"batch_size": 32, "verbose": 0, **options}
    model.fit(x, y, callbacks=[noise], **options)
    return noise.result


def test_of_a_quadratic_it_is_the_known_one():
    # With residual r = e.x, Gaussian x and label noise s, a row's gradient 2rx has the
    # mean 2e and the trace of covariance 4 (d + 1) |e|^2 + 4 d s^2: d + 1 + d s^2.
    x, y = linear_data(9600, noise=1.0)
    noise = GradientNoiseScale(every=1, micro_batches=4, window=1000)
    found = fit(linear_model(), x, y, noise, batch_size=96)
    assert found.noise_scale == pytest.approx(6 + 1 + 6, rel=0.2)
    assert found.interval[0] < 13 < found.interval[1]
    assert found.squares.mean() == pytest.approx(4, rel=0.1)
    assert (found.measurements, found.batch_size, found.exponent) == (100, 96, 1.0)
    # A control: where both parts of a batch are the same rows it sees no noise at all.
    twice = [one[:960].reshape(20, 1, 48, -1).repeat(2, axis=1) for one in (x, y)]
    x, y = (one.reshape(1920, -1) for one in twice)
    blind = GradientNoiseScale(every=1)
    blind = fit(linear_model(), x, y, blind, batch_size=96, shuffle=False)
    assert blind.noise_scale == pytest.approx(0, abs=1e-3)


def test_of_digits_it_is_that_of_single_rows_gradients():
    sklearn = pytest.importorskip("sklearn.datasets")
    x, y = sklearn.load_digits(return_X_y=True)
    x = (x / 16).astype("float32")
    weights = np.random.default_rng(0).uniform(0.5, 1.5, len(x)).astype("float32")
    keras.utils.set_random_seed(0)
    hidden = keras.layers.Dense(16, activation="relu")
    model = keras.Sequential([keras.Input((64,)), hidden, keras.layers.Dense(10)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.0), loss)
    noise = GradientNoiseScale(every=1, window=1000)
    options = {"batch_size": 128, "epochs": 2, "sample_weight": weights}
    found = fit(model, x, y, noise, **options)
    # The gradient of each row, by hand.
    w1, b1, w2, b2 = (np.float64(one) for one in model.get_weights())
    inner = np.maximum(x @ w1 + b1, 0)
    told = np.exp(inner @ w2 + b2)
    errors = told / told.sum(axis=1, keepdims=True) - np.eye(10)[y]
    errors *= weights[:, None]
    hidden_errors = errors @ w2.T * (inner > 0)
    lengths = np.sum(errors**2, 1) * (1 + np.sum(inner**2, 1))
    lengths += np.sum(hidden_errors**2, 1) * (1 + np.sum(x**2, 1))
    parts = (inner.T @ errors, errors.sum(0), x.T @ hidden_errors, hidden_errors.sum(0))
    square = sum(np.sum((part / len(x)) ** 2) for part in parts)
    truth = (lengths.mean() - square) / square
    assert found.noise_scale == pytest.approx(truth, rel=0.2)
    assert found.squares.mean() == pytest.approx(square, rel=0.15)


def net():
    keras.utils.set_random_seed(0)
    layers = [
        keras.Input((6,)),
        keras.layers.Dense(8, activation="relu", kernel_regularizer="l2"),
        keras.layers.BatchNormalization(),
        keras.layers.Dropout(0.3),
        keras.layers.Dense(2, activation="softmax"),
    ]
    model = keras.Sequential(layers)
    loss = "sparse_categorical_crossentropy"
    model.compile(keras.optimizers.Adam(0.01), loss, metrics=["accuracy"])
    return model


def state_of(model):
    variables = [*model.variables, *model.metrics_variables]
    return [np.array(keras.ops.convert_to_numpy(one.value)) for one in variables]


def test_a_training_is_the_same_to_the_bit():
    x, _ = linear_data(128)
    y = (x[:, 0] > 0).astype(int)
    options = {
        "batch_size": 32,
        "epochs": 2,
        "verbose": 0,
        "class_weight": {0: 2, 1: 1},
    }
    without = net()
    history = without.fit(x, y, callbacks=[keras_lr.Warmup()], **options).history
    noise = GradientNoiseScale(every=3)
    measured = net()
    same = measured.fit(x, y, callbacks=[keras_lr.Warmup(), noise], **options).history
    assert same == history
    for before, after in zip(state_of(without), state_of(measured), strict=True):
        np.testing.assert_array_equal(after, before)
    found = noise.result
    np.testing.assert_array_equal(found.batches, [0, 3, 6])
    # That of Adam.
    assert (found.batch_size, found.exponent) == (32, 0.5)
    # The peak of the schedule, not what stands at the end of it.
    assert found.learning_rate == pytest.approx(0.01)
    # A second fit goes on, with what was measured before.
    measured.fit(x, y, callbacks=[noise], **options)
    assert list(noise.result.batches) == [0, 3, 6, 9, 12, 15]
    again = pickle.loads(pickle.dumps(copy.deepcopy(noise)))
    assert repr(again) == "GradientNoiseScale(every=3, micro_batches=2, window=100)"
    with pytest.raises(RuntimeError, match=r"only after a measurement.*none so far"):
        _ = again.result


def test_it_is_that_of_the_loss_whatever_the_optimizer_makes_of_it():
    # The last batch has 17 rows, of which 16 are measured.
    x, y = linear_data(817)
    plain = fit(linear_model(), x, y, GradientNoiseScale(every=1), shuffle=False)
    assert plain.measurements == 26
    scaled = keras.optimizers.SGD(0.0, clipnorm=1e-3, use_ema=True)
    kinds = {
        128: keras.optimizers.SGD(0.0, gradient_accumulation_steps=4),
        32: keras.optimizers.LossScaleOptimizer(scaled, initial_scale=2**10),
    }
    for batch_size, optimizer in kinds.items():
        model = linear_model(optimizer=optimizer)
        found = fit(model, x, y, GradientNoiseScale(every=1), shuffle=False)
        np.testing.assert_allclose(found.squares, plain.squares, rtol=1e-3, atol=1e-3)
        np.testing.assert_allclose(found.covariances, plain.covariances, rtol=1e-3)
        assert found.batch_size == batch_size


def test_targets_that_are_noise_at_the_optimum_have_no_upper_end():
    x, y = linear_data(2048, noise=1.0)
    model = linear_model()
    model.set_weights([np.linalg.lstsq(x, y, rcond=None)[0]])
    found = fit(model, x, y, GradientNoiseScale(every=1), shuffle=False)
    assert found.interval[0] > 32
    assert found.interval[1] == float("inf")


# What cannot be measured.


def test_a_batch_of_one_is_refused_before_training_where_the_data_tell():
    x, y = linear_data(8)
    model = linear_model(rate=0.1)
    before = model.get_weights()[0].copy()
    with pytest.raises(
        ValueError, match=r"micro batches of them \(2\).*a batch of 1\."
    ):
        fit(model, x, y, GradientNoiseScale(), batch_size=1)
    np.testing.assert_array_equal(model.get_weights()[0], before)
    assert int(model.optimizer.iterations) == 0


def test_a_batch_of_one_is_refused_after_the_first_one_where_the_data_do_not_tell():
    x, y = linear_data(8)
    model = linear_model(rate=0.1)

    def batches():
        for i in range(8):
            yield x[i : i + 1], y[i : i + 1]

    options = {"batch_size": None, "shuffle": False}
    refused = r"micro batches of them \(2\).*a batch of 1\."
    with pytest.raises(ValueError, match=refused):
        fit(model, batches(), None, GradientNoiseScale(), **options)
    assert int(keras.ops.convert_to_numpy(model.optimizer.iterations)) == 1


def test_a_step_of_ones_own_and_fixed_batches_are_refused():
    own = Own()
    own.compile(keras.optimizers.SGD(0.1))
    with pytest.raises(ValueError, match=r"own train_step. Received: Own 'own"):
        fit(own, *own_data(), GradientNoiseScale())
    x, y = linear_data(8)
    inputs = keras.Input(batch_shape=(4, 6))
    fixed = keras.Model(inputs, keras.layers.Dense(1)(inputs))
    fixed.compile("sgd", "mse")
    with pytest.raises(ValueError, match=r"any size.* takes batches of 4 rows"):
        fit(fixed, x, y, GradientNoiseScale(), batch_size=4)


@pytest.mark.parametrize(
    ("argument", "value", "rule"),
    [
        ("every", 0, "1"),
        ("micro_batches", 1, "2"),
        ("window", 7, "8"),
    ],
)
def test_an_argument_out_of_range_is_refused(argument, value, rule):
    with pytest.raises(ValueError, match=f"`{argument}` must be at least {rule}"):
        GradientNoiseScale(**{argument: value})


def test_a_picture_shows_the_noise_scale_over_the_training():
    pytest.importorskip("matplotlib").use("Agg")
    x, y = linear_data(801)
    found = fit(linear_model(), x, y, GradientNoiseScale(every=1))
    # The last row, alone, is no batch to measure.
    assert found.measurements == 25
    axes = found.plot()
    assert axes.get_xlabel() == "batches trained on"
    assert axes.get_title(loc="left").startswith("Gradient noise scale")
    axes.figure.clear()


def test_a_model_that_its_first_batch_builds_takes_batches_of_any_size():
    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    x = np.random.default_rng(0).normal(size=(64, 3)).astype("float32")
    noise = keras_lr.GradientNoiseScale(every=1)
    model.fit(x, x[:, :1], batch_size=8, verbose=0, callbacks=[noise])
    assert noise.result.measurements == 8
