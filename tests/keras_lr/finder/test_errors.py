from __future__ import annotations

import keras
import numpy as np
import pytest

import keras_lr
from keras_lr.finder import LRFinder
from tests.kit.sweeps import assert_same, data, everything, finder_of, model_of
from tests.kit.sweeps import sweep as run

pytestmark = pytest.mark.backend


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"min_lr": 0}, ValueError, r"`min_lr` .* above 0. Received: min_lr=0"),
        ({"min_lr": -1}, ValueError, "min_lr=-1"),
        ({"min_lr": "1"}, TypeError, "min_lr='1'"),
        ({"max_lr": np.inf}, ValueError, "max_lr=inf"),
        ({"min_lr": 1, "max_lr": 0.5}, ValueError, r"above 1. Received: max_lr=0.5"),
        ({"min_lr": 1, "max_lr": 1}, ValueError, "max_lr=1"),
        ({"steps": 19}, ValueError, r"at least 20 .* steps=19"),
        ({"steps": 30, "updates_per_rate": 2}, ValueError, r"\(=2\).*steps=30"),
        ({"steps": 30.5}, TypeError, "float"),
        ({"updates_per_rate": 0}, ValueError, "updates_per_rate=0"),
        ({"spacing": "cubic"}, ValueError, "spacing='cubic'"),
        ({"schedule": "one-cycle"}, TypeError, "schedule='one-cycle'"),
    ],
)
def test_arguments_out_of_range_are_refused(arguments, error, words):
    with pytest.raises(error, match=words):
        LRFinder(**arguments)


def refused(model, words, *callbacks, finder=None, error=ValueError, **options):
    before = everything(model)
    with pytest.raises(error, match=words):
        run(model, finder or finder_of(), *callbacks, **options)
    assert_same(everything(model), before)


def built():
    """A model that has nothing left to build when a fit begins."""
    model = model_of(metrics=["mae"])
    model.optimizer.build(model.trainable_variables)
    model.evaluate(*data(1), verbose=0)
    return model


def test_too_few_updates_are_refused_before_the_first():
    words = r"at least 20 updates. Received: a fit of 10"
    refused(built(), words, data=data(10))
    words = r"at least 40 updates. Received: a fit of 30"
    refused(built(), words, finder=finder_of(40, updates_per_rate=2), data=data(30))


@pytest.mark.filterwarnings("ignore:.*any trainable weights")
def test_a_model_with_nothing_to_train_is_refused_before_the_first_update():
    frozen = built()
    frozen.trainable = False
    frozen.compile("adam", "mse")
    # Keras' own fit makes these on the way.
    frozen.optimizer.build([])
    frozen.evaluate(*data(1), verbose=0)
    refused(frozen, r"trainable weights .* 'sequential.*' with 4 weights, all frozen")
    empty = keras.Sequential([keras.Input((4,)), keras.layers.Flatten()])
    empty.compile("sgd", "mse")
    with pytest.raises(ValueError, match="with no weights"):
        run(empty, finder_of(), data=(data()[0], data()[0]))


@pytest.mark.filterwarnings("ignore:Your input ran out of data")
def test_a_generator_that_ends_too_soon_is_refused():
    x, y = data(12)
    batches = ((x[row : row + 4], y[row : row + 4]) for row in range(0, 48, 4))
    model = built()
    before = everything(model)
    with pytest.raises(ValueError, match="ended after 12 updates"):
        model.fit(batches, callbacks=[finder_of()], verbose=0, shuffle=False)
    assert_same(everything(model), before)


def test_a_model_that_is_not_compiled_is_refused():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    with pytest.raises(ValueError, match="compile"):
        model.fit(*data(), callbacks=[finder_of()], verbose=0)
    finder = finder_of()
    finder.set_model(model)
    with pytest.raises(RuntimeError, match=r"must be compiled"):
        finder.on_train_begin()


@pytest.mark.parametrize("batch", [0, 7, 25])
@pytest.mark.parametrize("where", [0, 1], ids=["inputs", "targets"])
def test_nan_in_the_data_is_named_with_its_batch(batch, where):
    both = data()
    both[where][4 * batch + 2, 0] = np.nan
    refused(built(), f"data must be finite.*in batch {batch} of", data=both)


def test_nan_that_the_model_hides_from_its_loss_is_named_too():
    class Hides(keras.layers.Layer):
        def call(self, x):
            return keras.ops.nan_to_num(x)

    model = keras.Sequential([keras.Input((4,)), Hides(), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.evaluate(*data(1), verbose=0)
    both = data()
    both[0][50, 1] = np.nan
    refused(model, "data must be finite.*in batch 12 of", data=both)


def test_a_loss_that_is_nan_from_the_start_is_refused():
    model = built()
    kernel = model.layers[0].kernel
    kernel.assign(np.full(kernel.shape, np.nan))
    refused(model, r"finite at the first update. Received: a loss of nan at a rate")


@pytest.mark.parametrize(
    "other",
    [
        lambda: keras.callbacks.EarlyStopping("loss"),
        lambda: keras.callbacks.ModelCheckpoint("x.keras"),
        lambda: keras.callbacks.BackupAndRestore("backup"),
        lambda: keras.callbacks.ReduceLROnPlateau("loss"),
        lambda: keras_lr.OneCycle(max_lr=0.1),
        lambda: keras_lr.Cooldown(9, duration=5),
        lambda: finder_of(),
    ],
)
def test_callbacks_that_a_sweep_would_mislead_are_refused(other):
    callback = other()
    words = rf"fit of its own. Received: callbacks with a {type(callback).__name__}"
    refused(built(), words, callback)


def test_another_training_inside_of_the_sweep_is_refused():
    class Other(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.train_on_batch(*data(1))

    with pytest.raises(RuntimeError, match="needs the model to itself"):
        run(built(), finder_of(), Other())


def test_there_is_no_result_before_a_sweep_or_after_one_that_failed():
    finder = finder_of()
    with pytest.raises(RuntimeError, match="only after a sweep"):
        finder.result  # noqa: B018
    model = built()
    run(model, finder)
    with pytest.raises(ValueError, match="at least 20 updates"):
        run(model, finder, data=data(10))
    with pytest.raises(RuntimeError, match="only after a sweep"):
        finder.result  # noqa: B018
