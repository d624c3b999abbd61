"""``RateMonitor`` in fits, against what can be worked out beside them."""

from __future__ import annotations

import csv
import math
import sys
import types

import keras
import numpy as np
import pytest

import keras_lr
from keras_lr.watching import watch
from tests.kit.gan import GAN, images
from tests.kit.probe import data

pytestmark = pytest.mark.backend

BACKEND = keras.backend.backend()
optimizers = keras.optimizers
no_executions = pytest.mark.skipif(
    BACKEND == "torch", reason="Keras refuses steps_per_execution on torch"
)


def linear_net(optimizer, **options):
    keras.utils.set_random_seed(0)
    layers = [
        keras.layers.Dense(3, name="body", use_bias=False),
        keras.layers.Dense(2, name="head", use_bias=False),
    ]
    model = keras.Sequential([keras.Input((4,)), *layers])
    model.compile(optimizer, loss="mse", **options)
    return model


def train(model, callbacks, batches=10, **options):
    x, y = data(batches)
    options = {"batch_size": 2, "shuffle": False, "verbose": 0, **options}
    return model.fit(x, y, callbacks=callbacks, **options)


class Weights(keras.callbacks.Callback):
    """Keeps the weights as they are before each batch, and at the end."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def on_train_begin(self, logs=None):
        self.seen.append(self.model.get_weights())

    def on_train_batch_end(self, batch, logs=None):
        self.seen.append(self.model.get_weights())

    def losses(self, batches):
        """The loss of each batch at the weights that it began with."""
        x, y = data(batches)
        losses = []
        for i, (body, head) in enumerate(self.seen[:-1]):
            rows = slice(2 * (i % batches), 2 * (i % batches) + 2)
            losses.append(np.mean((x[rows] @ body @ head - y[rows]) ** 2))
        return losses

    def ratios(self, batches, part=slice(None)):
        """|change| / |weights| from before each batch until so many later."""
        found = []
        for before, after in zip(self.seen, self.seen[batches:], strict=False):
            pairs = list(zip(before[part], after[part], strict=True))
            change = sum(np.sum((new - old) ** 2) for old, new in pairs)
            found.append(math.sqrt(change / sum(np.sum(old**2) for old, _ in pairs)))
        return np.array(found)


def assert_close(found, expected, rtol=2e-5):
    np.testing.assert_allclose(found, expected, rtol=rtol)


@pytest.mark.parametrize("every", [1, 3])
def test_a_sample_is_what_its_very_update_was_made_with(every):
    schedule = keras_lr.OneCycle(max_lr=0.05)
    model = linear_net(optimizers.SGD(0.1, momentum=0.9, weight_decay=0.01))
    monitor = keras_lr.RateMonitor(every)
    history = train(model, [schedule, monitor], epochs=2).history
    alone = linear_net(optimizers.SGD(0.1, momentum=0.9, weight_decay=0.01))
    weights = Weights()
    train(alone, [schedule, weights], epochs=2)
    for one, other in zip(model.get_weights(), alone.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    seen = monitor.history
    assert list(seen) == [
        "update",
        "epoch",
        "loss",
        "learning_rate",
        "momentum",
        "weight_decay",
        "ratio/all",
        "ratio/body",
        "ratio/head",
    ]
    assert all(column.dtype == np.float64 for column in seen.values())
    sampled = slice(None, None, every)
    np.testing.assert_array_equal(seen["update"], np.arange(20)[sampled])
    np.testing.assert_array_equal(seen["epoch"], np.repeat([0, 1], 10)[sampled])
    assert_close(seen["loss"], weights.losses(10)[sampled])
    rates = schedule.values(20)[sampled]
    np.testing.assert_allclose(seen["learning_rate"], rates, rtol=1e-6, atol=1e-12)
    assert_close(seen["momentum"], schedule.momentum_values(20)[sampled], rtol=1e-6)
    assert_close(seen["weight_decay"], 0.01, rtol=1e-6)
    assert_close(seen["ratio/all"], weights.ratios(1)[sampled], rtol=1e-3)
    for place, layer in enumerate(("body", "head")):
        ratios = weights.ratios(1, slice(place, place + 1))[sampled]
        assert_close(seen[f"ratio/{layer}"], ratios, rtol=1e-3)
    told = {"loss", "learning_rate", "momentum", "weight_decay", "ratio/all"}
    assert set(history) == told


def test_a_fit_without_a_schedule_is_watched_at_the_optimizers_own_values():
    model = linear_net(optimizers.AdamW(0.02))
    monitor = keras_lr.RateMonitor(4, ratios=False)
    history = train(model, [monitor], epochs=2).history
    alone = linear_net(optimizers.AdamW(0.02))
    assert_close(history["loss"], train(alone, [], epochs=2).history["loss"])
    seen = monitor.history
    assert set(history) == {*seen} - {"update", "epoch"}
    np.testing.assert_array_equal(seen["update"], [0, 4, 8, 12, 16])
    assert_close(seen["learning_rate"], 0.02, rtol=1e-6)
    assert_close(seen["momentum"], 0.9, rtol=1e-6)
    assert_close(seen["weight_decay"], 0.004, rtol=1e-6)
    assert not [name for name in seen if name.startswith("ratio")]
    # A fit that begins again is another run, and one that goes on is the same one.
    train(model, [monitor], epochs=2, initial_epoch=1)
    np.testing.assert_array_equal(monitor.history["update"], [0, 4, 8, 12, 16])
    train(model, [monitor])
    np.testing.assert_array_equal(monitor.history["update"], [0, 4, 8])


@no_executions
def test_of_an_execution_of_several_updates_the_ratio_is_that_of_all_of_them():
    weights = Weights()
    model = linear_net(optimizers.SGD(0.05), steps_per_execution=4)
    monitor = keras_lr.RateMonitor(6)
    # The last execution of an epoch has two updates.
    train(model, [monitor], epochs=2)
    alone = linear_net(optimizers.SGD(0.05))
    train(alone, [weights], epochs=2)
    seen = monitor.history
    np.testing.assert_array_equal(seen["update"], [0, 6, 12, 18])
    assert_close(seen["loss"], weights.losses(10)[::6])
    after_four = weights.ratios(4)
    expected = [after_four[0], after_four[4], after_four[10], weights.ratios(2)[18]]
    assert_close(seen["ratio/all"], expected, rtol=1e-3)


def test_an_update_of_several_batches_is_one_sample():
    model = linear_net(optimizers.SGD(0.05, gradient_accumulation_steps=2))
    alone = linear_net(optimizers.SGD(0.05, gradient_accumulation_steps=2))
    weights = Weights()
    # Each measures for itself.
    monitors = [keras_lr.RateMonitor(3), keras_lr.RateMonitor(2)]
    train(model, [keras_lr.LinearDecay(), *monitors], epochs=2)
    train(alone, [keras_lr.LinearDecay(), weights], epochs=2)
    np.testing.assert_array_equal(monitors[0].history["update"], [0, 3, 6, 9])
    ratios = weights.ratios(2)[0::6]
    assert_close(monitors[0].history["ratio/all"], ratios, rtol=1e-3)
    seen = monitors[1].history
    np.testing.assert_array_equal(seen["update"], [0, 2, 4, 6, 8])
    np.testing.assert_array_equal(seen["epoch"], [0, 0, 0, 1, 1])
    # Of the batch that completes the update.
    assert_close(seen["loss"], weights.losses(10)[1::4])
    assert_close(seen["ratio/all"], weights.ratios(2)[0::4], rtol=1e-3)
    decay = keras_lr.LinearDecay(max_lr=0.05).values(10)[::2]
    assert_close(seen["learning_rate"], decay, rtol=1e-6)


def test_an_update_that_loss_scaling_leaves_out_is_no_sample():
    x, y = data(6)
    x[4] = np.inf  # In the third batch.
    scaled = optimizers.LossScaleOptimizer(optimizers.SGD(0.05), initial_scale=2.0)
    model = linear_net(scaled)
    monitor = keras_lr.RateMonitor(1)
    fit = {"batch_size": 2, "shuffle": False, "verbose": 0}
    model.fit(x, y, callbacks=[monitor], **fit)
    alone = linear_net(optimizers.SGD(0.05))
    weights = Weights()
    finite = np.r_[0:4, 6:12]
    alone.fit(x[finite], y[finite], callbacks=[weights], **fit)
    seen = monitor.history
    np.testing.assert_array_equal(seen["update"], np.arange(5))
    assert_close(seen["ratio/all"], weights.ratios(1), rtol=1e-3)


@pytest.mark.filterwarnings("ignore:Your input ran out of data")
def test_data_of_unknown_length_give_each_update_once():
    tf = pytest.importorskip("tensorflow")
    x, y = data(5)

    def batches():
        for i in range(0, 10, 2):
            yield x[i : i + 2], y[i : i + 2]

    shapes = (tf.TensorSpec((2, 4)), tf.TensorSpec((2, 2)))
    # On TensorFlow the step that finds no more data counts as a batch.
    source = tf.data.Dataset.from_generator(batches, output_signature=shapes)
    model = linear_net(optimizers.SGD(0.05))
    monitor = keras_lr.RateMonitor(1)
    model.fit(source, epochs=2, verbose=0, shuffle=False, callbacks=[monitor])
    alone = linear_net(optimizers.SGD(0.05))
    weights = Weights()
    train(alone, [weights], batches=5, epochs=2)
    seen = monitor.history
    np.testing.assert_array_equal(seen["update"], np.arange(10))
    np.testing.assert_array_equal(seen["epoch"], np.repeat([0, 1], 5))
    assert_close(seen["loss"], weights.losses(5))
    assert_close(seen["ratio/all"], weights.ratios(1), rtol=1e-3)


@pytest.mark.skipif(
    not hasattr(keras.optimizers, "MultiOptimizer"), reason="newer than this Keras"
)
def test_each_of_several_optimizers_has_columns_of_its_own():
    fast = optimizers.SGD(0.1, momentum=0.8, name="fast")
    slow = optimizers.SGD(0.01, name="slow")
    both = optimizers.OptimizerMap(fast, {".*head.*": slow})
    model = linear_net(optimizers.MultiOptimizer(both))
    monitor = keras_lr.RateMonitor(1)
    train(model, [monitor, keras_lr.Warmup(5, optimizer="slow")])
    seen = monitor.history
    assert_close(seen["learning_rate_fast"], 0.1, rtol=1e-6)
    warmup = keras_lr.Warmup(5).values(10, 0.01)
    assert_close(seen["learning_rate_slow"], warmup, rtol=1e-6)
    assert_close(seen["momentum_fast"], 0.8, rtol=1e-6)
    assert "momentum_slow" not in seen
    groups = {"ratio_fast": "ratio/body", "ratio_slow": "ratio/head"}
    for optimizer, layer in groups.items():
        np.testing.assert_array_equal(seen[optimizer], seen[layer])
    assert (seen["ratio_slow"] > 0).all()


def test_optimizers_of_the_models_own_are_watched_too():
    model = GAN(d_steps=2)
    model.compile(optimizers.SGD(0.1), optimizers.SGD(0.2))
    monitor = keras_lr.RateMonitor(1)
    model.fit(images(4), batch_size=2, verbose=0, callbacks=[monitor])
    seen = monitor.history
    assert_close(seen["learning_rate_d_optimizer"], 0.1, rtol=1e-6)
    assert_close(seen["learning_rate_g_optimizer"], 0.2, rtol=1e-6)
    # Two updates of the first optimizer in each of four steps.
    np.testing.assert_array_equal(seen["update"], [0, 2, 4, 6])
    assert (seen["ratio_d_optimizer"] > 0).all()


class Stop(keras.callbacks.Callback):
    """Ends the fit by an error, at the end of a batch of an epoch."""

    def __init__(self, epoch, batch, monitor):
        super().__init__()
        self.epoch = epoch
        self.batch = batch
        self.monitor = monitor
        self.now = None

    def on_epoch_begin(self, epoch, logs=None):
        self.now = epoch

    def on_train_batch_end(self, batch, logs=None):
        if (self.now, batch) == (self.epoch, self.batch):
            # As every ten seconds: what was seen is in the file.
            assert self.monitor.history["update"][-1] >= 10 * self.epoch
            raise KeyboardInterrupt


def test_a_run_that_is_cut_and_resumed_has_the_file_of_one_that_was_not(tmp_path):
    def pieces(name):
        model = linear_net(optimizers.SGD(0.05))
        monitor = keras_lr.RateMonitor(3, csv=tmp_path / "runs" / f"{name}.csv")
        backup = keras.callbacks.BackupAndRestore(tmp_path / name)
        return model, monitor, [keras_lr.LinearDecay(), monitor, backup]

    model, whole, callbacks = pieces("whole")
    train(model, callbacks, epochs=3)
    model, cut, callbacks = pieces("cut")
    with pytest.raises(KeyboardInterrupt):
        train(model, [*callbacks, Stop(1, 6, cut)], epochs=3)
    # The epoch that was cut is made again.
    assert cut.history["update"].max() > 10
    model, again, callbacks = pieces("cut")
    train(model, callbacks, epochs=3)
    path = tmp_path / "runs"
    assert (path / "cut.csv").read_text() == (path / "whole.csv").read_text()
    for name, column in whole.history.items():
        np.testing.assert_array_equal(
            np.float32(again.history[name]), np.float32(column)
        )
    with (path / "cut.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [int(row["update"]) for row in rows] == list(range(0, 30, 3))


def test_a_fit_that_was_interrupted_can_be_looked_at_and_done_again():
    model = linear_net(optimizers.SGD(0.05))
    monitor = keras_lr.RateMonitor(1)
    with pytest.raises(KeyboardInterrupt):
        train(model, [monitor, Stop(0, 6, monitor)])
    np.testing.assert_array_equal(monitor.history["update"], np.arange(7))
    train(model, [])
    train(model, [monitor])
    np.testing.assert_array_equal(monitor.history["update"], np.arange(10))


def test_a_model_that_is_compiled_anew_in_the_middle_is_watched_on():
    class Anew(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 0:
                self.model.compile(optimizers.SGD(0.01, momentum=0.5), loss="mse")

    model = linear_net(optimizers.SGD(0.05))
    monitor = keras_lr.RateMonitor(5)
    train(model, [monitor, Anew()], epochs=2)
    seen = monitor.history
    np.testing.assert_array_equal(seen["update"], [0, 5, 10, 15])
    assert_close(seen["learning_rate"], [0.05, 0.05, 0.01, 0.01], rtol=1e-6)
    assert_close(seen["momentum"], [np.nan, np.nan, 0.5, 0.5], rtol=1e-6)
    assert np.isfinite(seen["ratio/all"]).all()


def test_samples_are_told_in_the_middle_of_an_epoch_when_it_is_time(monkeypatch):
    told = []
    seen = []
    monkeypatch.setattr(watch, "READ_AFTER", 0.0)
    monkeypatch.setattr(watch, "FIRST_LOOK", 4)
    # Whatever the pace, after one more update each.
    monkeypatch.setattr(watch, "LOOK_AFTER", 0.0)
    monitor = keras_lr.RateMonitor(1, log=lambda _, update: told.append(update))
    look = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: seen.append(len(told))
    )
    train(linear_net(optimizers.SGD(0.05)), [monitor, look])
    assert told == list(range(10))
    # After all callbacks have heard of the fourth batch, and of each later one.
    assert seen == [0, 0, 0, 0, 4, 5, 6, 7, 8, 9]


def test_whoever_is_told_of_samples_may_end_the_fit():
    told = []

    def log(values, update):
        told.append((update, values))
        if update == 6:
            raise OSError("The disk is full.")

    with pytest.raises(OSError, match=r"The disk is full\."):
        train(linear_net(optimizers.SGD(0.05)), [keras_lr.RateMonitor(3, log=log)])
    assert [update for update, _ in told] == [0, 3, 6]
    assert set(told[0][1]) == {
        *("epoch", "loss", "learning_rate", "ratio/all", "ratio/body", "ratio/head")
    }


def test_in_a_notebook_the_last_picture_has_all_that_was_seen(monkeypatch):
    shown = []
    displays = types.ModuleType("IPython.display")
    displays.Image = lambda data: data
    displays.display = lambda image, display_id: types.SimpleNamespace(
        update=shown.append
    )
    notebook = types.ModuleType("IPython")
    notebook.version_info = (9, 0)  # matplotlib asks for it.
    notebook.get_ipython = lambda: types.SimpleNamespace(kernel=True)
    monkeypatch.setitem(sys.modules, "IPython", notebook)
    monkeypatch.setitem(sys.modules, "IPython.display", displays)
    train(linear_net(optimizers.SGD(0.05)), [keras_lr.RateMonitor(3, live=True)])
    # The first one was shown, and then replaced, as the fit ended.
    assert [image[:4] for image in shown] == [b"\x89PNG"]


def test_elsewhere_a_live_picture_is_a_warning_before_the_training():
    with pytest.raises(UserWarning, match="`live=True` needs a notebook"):
        train(linear_net(optimizers.SGD(0.05)), [keras_lr.RateMonitor(3, live=True)])


def test_logs_get_what_belongs_to_an_epoch():
    monitor = keras_lr.RateMonitor(every=15)
    model = linear_net(optimizers.SGD(0.1, momentum=0.8))
    history = train(model, [monitor], epochs=4).history
    seen = monitor.history
    assert seen["update"].tolist() == [0, 15, 30]
    assert list(history) == ["loss", "learning_rate", "momentum", "ratio/all"]
    # The third epoch has no sample: it would have been that of update 30.
    expected = [*seen["ratio/all"][:2], np.nan, seen["ratio/all"][2]]
    np.testing.assert_allclose(history["ratio/all"], expected)
    np.testing.assert_allclose(history["momentum"], [0.8, 0.8, np.nan, 0.8])
