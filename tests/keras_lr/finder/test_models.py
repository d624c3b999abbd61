"""Models of every kind that ``fit`` takes can be searched, and come back."""

from __future__ import annotations

import keras
import numpy as np
import pytest

import keras_lr
from keras_lr.fit.choice import optimizers_in
from tests.kit import own_steps
from tests.kit.gan import GAN

pytestmark = pytest.mark.backend

BACKEND = keras.backend.backend()


def variables_of(model):
    """All that a training may change, optimizers that no compile knows of included."""
    every = [*model.variables, *model.metrics_variables]
    for optimizer in optimizers_in(model):
        every += optimizer.variables
    return {id(one): keras.ops.convert_to_numpy(one.value).copy() for one in every}


def assert_same(after, before):
    for key, value in before.items():
        np.testing.assert_array_equal(after[key], value)


def own_step(**options):
    keras.utils.set_random_seed(0)
    model = own_steps.Own(**options)
    model.compile("adam")
    model.other = keras.optimizers.Adam()
    model.other.build(model.trainable_variables)
    return model


def find(model, *data, **options):
    options = {"batch_size": 16, "budget": 160, "verbose": 0, **options}
    return keras_lr.find_lr(model, *data, **options)


@pytest.mark.parametrize("tracker", ["loss", "total_loss"])
def test_a_step_with_a_loss_of_its_own_is_judged_by_it(tracker):
    model = own_step(tracker=tracker)
    model.fit(*own_steps.data(), batch_size=16, verbose=0)
    before = variables_of(model)
    result = find(model, *own_steps.data())
    assert result.verdict == "trust"
    # Of targets with a variance of 4; one that is not heard would be 0.
    assert 0.1 < result.start < 10
    assert_same(variables_of(model), before)


@pytest.mark.skipif(BACKEND == "jax", reason="a step on JAX carries one optimizer")
def test_a_step_that_does_not_use_the_optimizer_is_refused_and_nothing_changes():
    model = own_step(uses="other")
    model.fit(*own_steps.data(), batch_size=16, verbose=0)
    before = variables_of(model)
    with pytest.raises(ValueError, match=r"does not\. Name .*optimizer='other'"):
        find(model, *own_steps.data())
    assert_same(variables_of(model), before)
    assert find(model, *own_steps.data(), optimizer="other").verdict == "trust"
    assert_same(variables_of(model), before)


@pytest.mark.parametrize("name", ["d_optimizer", "g_optimizer"])
def test_one_of_two_optimizers_is_searched_while_the_other_trains_as_it_is(name):
    model = GAN()
    model.compile(keras.optimizers.Adam(1e-4), keras.optimizers.Adam(1e-4))
    x = np.random.default_rng(0).normal(size=(320, 4)).astype("float32")
    model.fit(x, batch_size=16, verbose=0)
    before = variables_of(model)
    result = find(model, x, optimizer=name)
    assert result.steps <= 160
    assert_same(variables_of(model), before)


def plain_model(*layers):
    keras.utils.set_random_seed(11)
    model = keras.Sequential(
        [*layers, keras.layers.Dropout(0.2), keras.layers.Dense(1)]
    )
    model.compile("adam", "mse", metrics=["mae"])
    return model


@pytest.mark.parametrize("is_built", [True, False], ids=["built", "not built"])
def test_a_search_in_front_of_a_fit_does_not_change_the_fit(is_built):
    x, y = own_steps.data()

    def weights_after(searches):
        model = plain_model(*([keras.Input((6,))] if is_built else []))
        for _ in range(searches):
            find(model, x, y)
        model.fit(x, y, batch_size=16, verbose=0, epochs=2)
        return dict(enumerate(model.get_weights()))

    alone = weights_after(0)
    assert_same(weights_after(1), alone)
    assert_same(weights_after(2), alone)


def test_a_model_that_has_nothing_to_train_is_refused():
    model = plain_model(keras.Input((6,)))
    model.trainable = False
    model.compile("adam", "mse")
    with pytest.raises(ValueError, match="needs trainable weights"):
        find(model, *own_steps.data())


def test_a_model_of_a_fixed_batch_size_gets_batches_of_it():
    inputs = keras.Input(batch_shape=(16, 6))
    model = keras.Sequential([inputs, keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    assert find(model, *own_steps.data(330)).verdict == "trust"


def test_the_loss_may_be_one_that_layers_add():
    class Adds(keras.layers.Layer):
        def call(self, x):
            self.add_loss(keras.ops.mean(x**2))
            return x

    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(3), Adds()])
    model.compile("adam", loss=None)
    assert find(model, own_steps.data()[0]).verdict == "trust"


@pytest.mark.skipif(BACKEND == "torch", reason="one step an execution on torch")
def test_several_steps_an_execution_spend_no_more_than_the_budget():
    model = plain_model(keras.Input((6,)))
    model.compile("adam", "mse", steps_per_execution=7)
    assert find(model, *own_steps.data()).steps <= 160


def test_a_fit_that_is_not_that_of_keras_is_refused():
    class Other(keras.Sequential):
        def fit(self, *given, **options):
            return None

    model = Other([keras.Input((6,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(TypeError, match="whose `fit` is another"):
        find(model, *own_steps.data())
