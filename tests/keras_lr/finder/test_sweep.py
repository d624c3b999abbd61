from __future__ import annotations

import copy
import pickle

import keras
import numpy as np
import pytest
from keras import ops

import keras_lr
from keras_lr.finder import LRFinder
from tests.kit.probe import assert_rates, recorded, watch, watched
from tests.kit.probe import data as probe_data
from tests.kit.sweeps import TORCH, data, finder_of, model_of, plain_losses, sweep

pytestmark = pytest.mark.backend

optimizers = keras.optimizers


class Before(keras.callbacks.Callback):
    """Reads the rates that the optimizer has written down, while the sweep lasts."""

    def __init__(self, *watching):
        super().__init__()
        self.watching = watching

    def on_train_end(self, logs=None):
        self.rates = [recorded(o) for o in self.watching or [self.model]]


def rates_of(optimizer, finder, **options):
    model = watched(optimizer, finder.steps, **options.pop("compile", {}))
    spy = Before()
    sweep(model, finder, spy, data=probe_data(40), **{"batch_size": 2, **options})
    return spy.rates[0]


@pytest.mark.parametrize("spacing", ["exponential", "linear"])
def test_the_rate_of_every_update_is_exact(spacing):
    finder = finder_of(spacing=spacing)
    space = np.geomspace if spacing == "exponential" else np.linspace
    assert_rates(rates_of("sgd", finder), space(1e-4, 0.1, 40))
    assert_rates(finder.result.lrs, space(1e-4, 0.1, 40))


def test_several_updates_share_a_rate_and_their_losses_are_averaged():
    finder, single = finder_of(40, updates_per_rate=2), finder_of(40)
    assert_rates(rates_of("sgd", finder), np.repeat(np.geomspace(1e-4, 0.1, 20), 2))
    slow = {"min_lr": 1e-9, "max_lr": 2e-9}
    finder, single = finder_of(updates_per_rate=2, **slow), finder_of(**slow)
    twice, once = sweep(model_of(), finder), sweep(model_of(), single)
    np.testing.assert_allclose(
        twice.losses, once.losses.reshape(20, 2).mean(axis=1), rtol=1e-5
    )


def test_an_optimizer_compiled_with_a_schedule_is_swept_all_the_same():
    compiled = optimizers.schedules.CosineDecay(0.3, 100)
    finder = finder_of()
    assert_rates(rates_of(optimizers.SGD(compiled), finder), finder.values())


def test_groups_of_a_multi_optimizer_keep_their_ratios():
    if not hasattr(optimizers, "MultiOptimizer"):
        pytest.skip("this Keras has no MultiOptimizer")
    fast, slow = optimizers.SGD(0.4), optimizers.SGD(0.1)
    both = optimizers.MultiOptimizer(optimizers.OptimizerMap(fast, {".*kernel": slow}))
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    model.compile(both, "mse")
    kernel, bias = model.trainable_variables
    both.build([kernel, bias])
    watch(fast, [bias], 40)
    watch(slow, [kernel], 40)
    spy, finder = Before(fast, slow), finder_of()
    sweep(model, finder, spy)
    assert_rates(spy.rates[0], finder.values())
    assert_rates(spy.rates[1], finder.values() / 4)


@pytest.mark.skipif(TORCH, reason="Keras refuses steps_per_execution on torch")
@pytest.mark.parametrize("steps", [4, 7])
def test_rates_and_losses_are_exact_under_steps_per_execution(steps):
    several = finder_of()
    assert_rates(
        rates_of("sgd", several, compile={"steps_per_execution": steps}),
        several.values(),
    )
    found = sweep(model_of(steps_per_execution=steps), several)
    expected = sweep(model_of(), finder_of())
    np.testing.assert_allclose(found.losses, expected.losses, rtol=1e-5)


@pytest.mark.skipif(TORCH, reason="Keras refuses steps_per_execution on torch")
@pytest.mark.parametrize(
    ("batches", "execution", "updates"),
    [(10, 4, 40), (10, 101, 40), (1, 4, 23), (10, 8, 24)],
)
def test_steps_above_the_end_of_an_epoch_cost_no_rates(batches, execution, updates):
    finder = finder_of(updates, stop_early=False)
    model = model_of(steps_per_execution=execution)
    found = sweep(model, finder, data=data(batches), epochs=updates)
    assert_rates(found.lrs, np.geomspace(1e-4, 0.1, updates))
    plain = sweep(
        model_of(), finder_of(updates, stop_early=False), data=data(batches), epochs=99
    )
    np.testing.assert_allclose(found.losses, plain.losses, rtol=1e-5)


@pytest.mark.filterwarnings("ignore:Your input ran out of data")
@pytest.mark.parametrize("execution", [1] if TORCH else [1, 4, 101])
@pytest.mark.parametrize("each", [None, 2])
def test_epochs_of_unknown_length_cost_no_rates(execution, each):
    tensorflow = pytest.importorskip("tensorflow")
    x, y = data(10)

    def rows():
        for row in range(0, 40, 4):
            yield x[row : row + 4], y[row : row + 4]

    signature = (tensorflow.TensorSpec((4, 4)), tensorflow.TensorSpec((4, 1)))
    batches = tensorflow.data.Dataset.from_generator(rows, output_signature=signature)
    slow = {"min_lr": 1e-4, "max_lr": 1e-2, "stop_early": False}
    finder = finder_of(23, **slow)
    optimizer = optimizers.SGD(1e-3, gradient_accumulation_steps=each)
    model = model_of(optimizer, steps_per_execution=execution)
    model.fit(batches, epochs=30, shuffle=False, verbose=0, callbacks=[finder])
    assert_rates(finder.result.lrs, np.geomspace(1e-4, 1e-2, 23))
    if each is None:
        # No rate is passed over where TensorFlow counts a step without data.
        plain = sweep(model_of("sgd"), finder_of(23, **slow), data=(x, y), epochs=30)
        np.testing.assert_allclose(finder.result.losses, plain.losses, rtol=1e-4)
        assert finder.result.steps <= 23 + execution


def test_a_fit_that_begins_later_gets_a_sweep_of_what_is_left():
    finder = finder_of(200)
    found = sweep(model_of(), finder, data=data(20), initial_epoch=2, epochs=4)
    assert_rates(found.lrs, np.geomspace(1e-4, 0.1, 40))


@pytest.mark.parametrize("batch", [4, 32])
@pytest.mark.parametrize("ends", [(3, 10), (1, 100)])
def test_a_sweep_that_begins_too_high_has_diverged(ends, batch):
    generator = np.random.default_rng(0)
    centres = generator.normal(size=(10, 16))
    labels = generator.integers(0, 10, 640)
    x = (centres[labels] + 0.7 * generator.normal(size=(640, 16))).astype("float32")
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Dense(64, "relu"), keras.layers.Dense(10)]
    model = keras.Sequential([keras.Input((16,)), *layers])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss)
    finder = LRFinder(*ends, 100, verbose=0)
    model.fit(x, labels, batch, epochs=5, verbose=0, callbacks=[finder])
    assert finder.result.verdict == "diverged early"
    assert finder.result.suggestion is None
    assert finder.result.interval is None
    assert "min_lr" in finder.result.reason


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch.compile's own
@pytest.mark.parametrize(
    "options",
    [{"jit_compile": False}, {"run_eagerly": True}, {"jit_compile": True}],
    ids=["no-jit", "eager", "jit"],
)
def test_the_losses_are_those_the_updates_were_computed_from(options):
    finder = finder_of(stop_early=False)
    found = sweep(model_of(**options), finder).losses
    expected = plain_losses(model_of(), finder.values(), *data())
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_the_losses_go_on_over_epochs_and_validation():
    x, y = data(20)
    finder = finder_of(stop_early=False)
    options = {"epochs": 2, "validation_data": (x[:8], y[:8]), "data": (x, y)}
    found = sweep(model_of(), finder, **options).losses
    twice = np.concatenate([x, x]), np.concatenate([y, y])
    expected = plain_losses(model_of(), finder.values(), *twice)
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_sample_weights_count():
    (x, y), finder = data(), finder_of(stop_early=False)
    w = np.linspace(0.1, 2, len(x)).astype("float32")
    found = sweep(model_of(), finder, sample_weight=w).losses
    expected = plain_losses(model_of(), finder.values(), x, y, w)
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_several_outputs_add_up():
    def two():
        keras.utils.set_random_seed(0)
        x = keras.Input((4,))
        a, b = keras.layers.Dense(1, name="a")(x), keras.layers.Dense(1, name="b")(x)
        model = keras.Model(x, {"a": a, "b": b})
        model.compile("adam", {"a": "mse", "b": "mae"}, loss_weights={"a": 0.3, "b": 2})
        return model

    (x, y), finder = data(), finder_of(stop_early=False)
    found = sweep(two(), finder, data=(x, {"a": y, "b": -y})).losses
    other = two()
    expected = []
    for i, rate in enumerate(finder.values()):
        rows = slice(4 * i, 4 * i + 4)
        other.optimizer.learning_rate = float(rate)
        other.reset_metrics()
        batch = {"a": y[rows], "b": -y[rows]}
        done = other.train_on_batch(x[rows], batch, return_dict=True)
        expected.append(float(done["loss"]))
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_an_update_of_several_batches_has_their_mean_loss():
    finder = finder_of(20, stop_early=False)
    found = sweep(model_of(optimizers.SGD(0.1, gradient_accumulation_steps=2)), finder)
    rates = np.repeat(np.geomspace(1e-4, 0.1, 20), 2)
    accumulating = model_of(optimizers.SGD(0.1, gradient_accumulation_steps=2))
    expected = plain_losses(accumulating, rates, *data())
    np.testing.assert_allclose(
        found.losses, expected.reshape(20, 2).mean(axis=1), rtol=1e-4
    )
    assert_rates(found.lrs, rates[::2])
    assert found.steps == 20


def test_losses_are_not_scaled_by_loss_scaling_and_skipped_updates_do_not_count():
    x, y = data(41)
    model = model_of(optimizers.LossScaleOptimizer(optimizers.SGD(0.1), 2.0**10))
    finder = finder_of(stop_early=False)
    found = sweep(model, finder, data=(x, y))
    expected = plain_losses(model_of("sgd"), finder.values(), x, y)
    np.testing.assert_allclose(found.losses, expected, rtol=1e-3)
    # A scale that overflows: the first updates are skipped until it is small enough.
    big = model_of(optimizers.LossScaleOptimizer(optimizers.SGD(0.1), 2.0**127))
    finder = finder_of(20, stop_early=False)
    found = sweep(big, finder, data=(x, y), epochs=4)
    assert found.steps < 41
    assert len(found.lrs) == 20


@pytest.mark.parametrize("each", [1, 3])
def test_a_sweep_stops_the_fit_after_its_last_update(each):
    optimizer = optimizers.SGD(
        1e-3, gradient_accumulation_steps=each if each > 1 else None
    )
    found = sweep(model_of(optimizer), finder_of(25, stop_early=False), epochs=6)
    assert len(found.lrs) == 25
    assert found.steps == 25


def test_a_sweep_that_diverges_stops_early():
    finder = finder_of(200, min_lr=1e-6, max_lr=1e3)
    found = sweep(model_of("sgd"), finder, epochs=10)
    assert 40 < found.steps < 200
    assert finder_of(200, stop_early=False).stop_early is False


def test_a_shorter_fit_gets_a_shorter_sweep_and_says_so():
    found = sweep(model_of(), finder_of(200))
    assert_rates(found.lrs, np.geomspace(1e-4, 0.1, 40))
    assert "the fit had only 40 updates" in found.reason


@pytest.mark.filterwarnings("ignore:Your input ran out of data")
def test_a_generator_that_ends_gives_a_result_of_what_it_had():
    x, y = data(30)
    batches = ((x[row : row + 4], y[row : row + 4]) for row in range(0, 120, 4))
    finder = finder_of(60)
    model_of().fit(batches, callbacks=[finder], verbose=0, shuffle=False)
    assert_rates(finder.result.lrs, np.geomspace(1e-4, 0.1, 60)[:30])
    assert "ended after 30 of the sweep's 60 updates" in finder.result.reason


def test_in_mid_training_it_works_the_same():
    x, y = data()
    model = model_of()
    model.fit(x, y, 4, 2, 0, shuffle=False)
    other = model_of()
    other.fit(x, y, 4, 2, 0, shuffle=False)
    finder = finder_of(stop_early=False)
    found = sweep(model, finder).losses
    np.testing.assert_allclose(
        found, plain_losses(other, finder.values(), x, y), rtol=1e-4
    )


def test_the_suggestion_belongs_to_the_schedule():
    constant = sweep(model_of(), finder_of(max_lr=10.0))
    peak = sweep(model_of(), finder_of(max_lr=10.0, schedule=keras_lr.OneCycle()))
    for name, ratio in (("zero_lag", 3.0), ("minimum", 1.0)):
        np.testing.assert_allclose(
            peak.suggestions[name], ratio * constant.suggestions[name]
        )


class OwnStep(keras.Model):
    """A train_step of one's own, with its own loss tracker, as the guides have it."""

    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(1)
        self.own_tracker = keras.metrics.Mean(name="loss")

    def call(self, x):
        return self.dense(x)


class OwnTorch(OwnStep):
    def train_step(self, data):
        x, y = data
        self.zero_grad()
        loss = ops.mean((self(x, training=True) - y) ** 2)
        loss.backward()
        weights = self.trainable_weights
        self.optimizer.apply([v.value.grad for v in weights], weights)
        self.own_tracker.update_state(loss)
        return {"loss": self.own_tracker.result()}


class OwnTensorFlow(OwnStep):
    def train_step(self, data):
        import tensorflow as tf

        x, y = data
        with tf.GradientTape() as tape:
            loss = ops.mean((self(x, training=True) - y) ** 2)
        weights = self.trainable_weights
        self.optimizer.apply(tape.gradient(loss, weights), weights)
        self.own_tracker.update_state(loss)
        return {"loss": self.own_tracker.result()}


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="state is passed by hand")
def test_a_step_with_its_own_loss_tracker_is_heard():
    model = OwnTorch() if TORCH else OwnTensorFlow()
    model.compile("adam")
    model(np.zeros((1, 4)))
    found = sweep(model, finder_of())
    assert len(found.losses) == 40
    assert np.isfinite(found.losses).all()


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="state is passed by hand")
def test_a_step_that_reports_its_loss_nowhere_is_refused():
    model = OwnTorch() if TORCH else OwnTensorFlow()
    model.own_tracker.name = "mine"
    model.compile("adam")
    model(np.zeros((1, 4)))
    weights = [np.array(w) for w in model.get_weights()]
    with pytest.raises(ValueError, match="must report its loss"):
        sweep(model, finder_of())
    for one, two in zip(model.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(one, two)


def test_the_line_of_progress_shows_rate_and_loss(capsys, monkeypatch):
    monkeypatch.setenv("PYCHARM_HOSTED", "1")  # A line there can be taken back.
    sweep(model_of(), finder_of(verbose=1))
    out = capsys.readouterr().out
    assert "update 40 of 40: rate 0.1, loss" in out
    sweep(model_of(), finder_of(verbose=0))
    assert capsys.readouterr().out == ""


def test_logs_have_the_rate_and_the_fit_its_history():
    model = model_of()
    x, y = data()
    history = model.fit(x, y, 4, 1, 0, [finder_of()], shuffle=False).history
    assert_rates(history["learning_rate"], [0.1])


def test_a_finder_serves_several_fits():
    model, finder = model_of(), finder_of()
    first = sweep(model, finder)
    second = sweep(model, finder)
    np.testing.assert_array_equal(first.losses, second.losses)
    assert isinstance(finder, LRFinder)


def test_a_finder_can_be_pickled_before_during_and_after_its_sweep():
    finder = finder_of(20)
    copies = [pickle.loads(pickle.dumps(finder))]
    look = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: copies.append(
            pickle.loads(pickle.dumps(finder))
        )
    )
    sweep(model_of(), finder, look, data=data(20))
    copies.append(pickle.loads(pickle.dumps(finder)))
    copies.append(copy.deepcopy(finder))
    assert copies[-2].result.suggestion == finder.result.suggestion
    assert copies[-1].result.to_dict() == finder.result.to_dict()
    for copied in [*copies[:2], copies[-1]]:
        assert sweep(model_of(), copied, data=data(20)).steps == finder.result.steps
