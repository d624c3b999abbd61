"""Branches that cool down: what they are, and that the trunk does not notice them."""

from __future__ import annotations

import subprocess
import sys

import keras
import numpy as np
import pytest

import keras_lr
from keras_lr.branches import Order, check_room
from keras_lr.fit import loop
from keras_lr.plan.duration import Argument, Clock
from tests.kit.sweeps import everything, outside

BACKEND = keras.backend.backend()
backend = pytest.mark.backend


def data(rows=48):
    generator = np.random.default_rng(0)
    x = generator.normal(size=(rows, 4)).astype("float32")
    return x, x.sum(axis=1, keepdims=True)


def trunk():
    """A model in which nothing comes back by itself, and the traces of its step."""
    traces = []

    class Counts(keras.layers.Layer):
        def call(self, x, training=False):
            if training:
                traces.append(1)
            return x

    keras.utils.set_random_seed(0)
    layers = keras.layers
    noisy = [layers.BatchNormalization(), layers.Dropout(0.3)]
    model = keras.Sequential([keras.Input((4,)), *noisy, Counts(), layers.Dense(1)])
    model.compile(keras.optimizers.Adam(0.01), "mse", metrics=["mae"])
    # Unbuilt, it would have Keras trace twice on TensorFlow.
    model.optimizer.build(model.trainable_variables)
    traces.clear()
    return model, traces


def plain(optimizer=None, **options):
    """A small model, which can be loaded from a file without its code."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    model.compile(optimizer or keras.optimizers.SGD(0.01), "mse", **options)
    return model


def fit(model, *callbacks, epochs=4, **options):
    """Six updates an epoch."""
    x, y = options.pop("data", data())
    options = {"batch_size": 8, "verbose": 0, **options}
    return model.fit(x, y, epochs=epochs, callbacks=list(callbacks), **options).history


def branches(*at, **options):
    return keras_lr.Cooldown(
        list(at), **{"duration": 5, "save": None, "verbose": 0, **options}
    )


def cool(model, **options):
    options = {"duration": 5, "save": None, "verbose": 0, "batch_size": 8, **options}
    return keras_lr.cooldown(model, *data(), **options)


def state(model):
    """All state, whatever the variables of a model like it are called."""
    return {name.split("/")[0].split()[0]: v for name, v in everything(model).items()}


def assert_same(model, expected):
    found = state(model)
    assert set(expected) <= set(found)
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value, err_msg=name)


class Listens(keras.callbacks.Callback):
    """Notes each hook that is called, and what it is told."""

    def __init__(self):
        super().__init__()
        self.heard = []
        for hook in ("train_batch_end", "test_begin", "epoch_end", "train_end"):
            setattr(self, f"on_{hook}", self.note(hook))

    def note(self, hook):
        return lambda *args, **kwargs: self.heard.append((hook, str(args)))


# Between two fits.


@backend
def test_a_run_without_schedules_goes_on_as_if_there_had_been_no_branches():
    cooled, cooled_traces = trunk()
    other, traces = trunk()
    cooldown = branches("2.5 epochs", "3 epochs")
    histories = []
    for model, callbacks in ((cooled, [cooldown]), (other, [])):
        keras.utils.set_random_seed(1)
        history = fit(model, epochs=2)
        if model is cooled:
            before = state(model)
            seen = outside(model)
            result = cool(model, duration="2 epochs")
            assert_same(model, before)
            assert outside(model) == seen
            assert model.history.history is history
            assert (result.step, result.updates, result.metrics) == (12, 12, {})
        histories.append(fit(model, *callbacks, initial_epoch=2))
    assert_same(cooled, state(other))
    assert histories[0] == histories[1]
    assert [one.step for one in cooldown.results] == [15, 18]
    assert [one.rate for one in cooldown.results] == pytest.approx([0.01, 0.01])
    # The step of all branches is compiled once.
    assert len(cooled_traces) == len(traces) + 1 or BACKEND == "torch"


@backend
def test_a_branch_is_a_file_that_keras_alone_loads(tmp_path):
    model = plain()
    fit(model, epochs=2)
    file = tmp_path / "some" / "{epoch}-{step}.keras"
    result = cool(model, save=file, validation_data=data(), verbose=0)
    assert result.path == tmp_path / "some" / "2-12.keras"
    code = (
        "import sys; sys.modules['keras_lr'] = None\n"
        "import keras, numpy as np\n"
        f"model = keras.saving.load_model({str(result.path)!r})\n"
        "generator = np.random.default_rng(0)\n"
        "x = generator.normal(size=(48, 4)).astype('float32')\n"
        "print(model.evaluate(x, x.sum(axis=1), verbose=0))\n"
        "assert np.isclose(model.optimizer.learning_rate, 0.01)\n"
        "assert int(model.optimizer.iterations) == 17\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    loss = float(done.stdout.split()[-1])
    assert loss == pytest.approx(result.metrics["loss"], rel=1e-5)
    assert str(result.path) in repr(result)


@backend
def test_a_cooldown_that_is_interrupted_gives_everything_back(monkeypatch):
    model = plain()
    fit(model, epochs=1)
    before = state(model)
    seen = outside(model)
    with monkeypatch.context() as patch:
        patch.setattr("keras_lr.branches._evaluated", interrupt)
        with pytest.raises(KeyboardInterrupt):
            cool(model)
    assert_same(model, before)
    interrupt_training(monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        cool(model)
    assert_same(model, before)
    assert outside(model) == seen


def interrupt(*args):
    raise KeyboardInterrupt


def interrupt_training(monkeypatch):
    train = loop.train

    def interrupted(model, iterator, batches, is_last):
        def look(done):
            return interrupt() if done == 3 else False

        train(model, iterator, batches, look)

    monkeypatch.setattr(loop, "train", interrupted)


# In a fit.


@backend
def test_a_fit_does_not_notice_its_branches():
    options = {"validation_data": data(20)}
    model, traces = trunk()
    listens = Listens()
    schedule = keras_lr.Warmup(8)
    history = fit(model, schedule, listens, **options)
    # In the middle of an epoch, at its end, and before the peak.
    cooldown = branches(3, "1.5 epochs", "2 epochs", validation_data=data())
    cooled, cooled_traces = trunk()
    cooled_listens = Listens()
    callbacks = [keras_lr.Warmup(8), cooldown, cooled_listens]
    assert fit(cooled, *callbacks, **options) == history
    assert_same(cooled, state(model))
    assert cooled_listens.heard == listens.heard
    assert cooled_traces == traces or BACKEND == "torch"
    assert [one.step for one in cooldown.results] == [3, 9, 12]
    falls = 1 - np.sqrt(np.arange(1, 6) / 5)
    starts = 0.01 * np.array([3 / 8, 1, 1])
    for result, start in zip(cooldown.results, starts, strict=True):
        rates = result.history.learning_rate
        np.testing.assert_allclose(rates, start * falls, rtol=1e-6, atol=1e-12)
        assert result.rate == pytest.approx(start)
        assert np.isfinite(result.history.loss).all()
    assert len({one.metrics["loss"] for one in cooldown.results}) == 3


@backend
def test_a_branch_is_the_run_that_would_have_cooled_down():
    decay = keras_lr.WarmupStableDecay(warmup=4, decay="1 epochs")
    whole = plain(keras.optimizers.Adam(0.01))
    history = fit(whole, decay, epochs=2, shuffle=False)
    cooldown = branches("1 epochs", duration="1 epochs", validation_data=data())
    model = plain(keras.optimizers.Adam(0.01))
    fit(model, keras_lr.Warmup(4), cooldown, epochs=3, shuffle=False)
    (result,) = cooldown.results
    assert result.metrics == whole.evaluate(*data(), batch_size=8, return_dict=True)
    assert result.history.learning_rate[-1] == history["learning_rate"][-1] == 0


@backend
def test_an_interrupted_branch_leaves_the_fit_at_the_trunk(monkeypatch):
    model = plain()
    fit(model, keras_lr.Warmup(4), epochs=1)
    # At the end of an epoch Keras draws numbers for the next one.
    expected = {name: value for name, value in state(model).items() if name.isdigit()}
    interrupt_training(monkeypatch)
    cooled = plain()
    with pytest.raises(KeyboardInterrupt):
        fit(cooled, keras_lr.Warmup(4), branches(6))
    assert_same(cooled, expected)
    assert type(cooled.optimizer) is type(model.optimizer)
    assert "make_train_function" not in vars(cooled)


@backend
def test_positions_that_have_been_passed_are_not_done_again(tmp_path):
    cooldown = branches(3, "1 epochs", 11)
    model = plain()
    fit(model, cooldown, initial_epoch=1)
    assert [one.step for one in cooldown.results] == [11]

    def callbacks(backup):
        return [cooldown, keras.callbacks.BackupAndRestore(tmp_path / backup)]

    with pytest.raises(RuntimeError, match="power cut"):
        fit(plain(), *callbacks("a"), at_epoch(2, "power cut"))
    assert [one.step for one in cooldown.results] == [3, 6, 11]
    fit(plain(), *callbacks("a"))
    assert [one.step for one in cooldown.results] == [3, 6, 11]


def at_epoch(epoch, message):
    def fail(at, logs):
        if at == epoch:
            raise RuntimeError(message)

    return keras.callbacks.LambdaCallback(on_epoch_begin=fail)


class Hooked(keras.utils.PyDataset):
    """Batches whose hooks count how often they are called."""

    def __init__(self):
        super().__init__()
        self.ended = 0

    def __len__(self):
        return 5

    def __getitem__(self, index):
        x, y = data()
        return x[8 * index : 8 * index + 8], y[8 * index : 8 * index + 8]

    def on_epoch_end(self):
        self.ended += 1


@backend
def test_data_of_other_kinds_are_gone_through_unnoticed():
    def run(*callbacks):
        hooked = Hooked()
        model = plain()
        fit(model, keras_lr.Warmup(4), *callbacks, data=(hooked, None), batch_size=None)
        return state(model), hooked.ended

    expected, ended = run()
    cooldown = branches(7)
    found, found_ended = run(cooldown)
    assert found_ended == ended
    assert all(np.array_equal(found[name], expected[name]) for name in expected)
    assert cooldown.results[0].updates == 5


def generator(batches):
    x, y = data()
    for _ in range(batches):
        yield x[:8], y[:8]


@backend
def test_data_that_are_used_up_need_others_for_branches():
    options = {"batch_size": None, "shuffle": False, "steps_per_epoch": 6}
    options["data"] = (generator(30), None)
    with pytest.raises(ValueError, match=r"gone through again.*Cooldown\(data="):
        fit(plain(), branches(7), **options)
    with pytest.raises(ValueError, match="`data` must be something that can be gone"):
        branches(7, data=generator(30))
    cooldown = branches(7, data=data())
    fit(plain(), cooldown, **options)
    assert len(cooldown.results[0].history.loss) == 5


@backend
def test_a_dataset_that_shuffles_itself_is_refused():
    tf = pytest.importorskip("tensorflow")
    whole = {"batch_size": None, "shuffle": False}
    dataset = tf.data.Dataset.from_tensor_slices(data()).shuffle(48).batch(8)
    with pytest.raises(ValueError, match="shuffles itself anew"):
        fit(plain(), branches(7), data=(dataset, None), **whole)
    fixed = tf.data.Dataset.from_tensor_slices(data())
    fixed = fixed.shuffle(48, reshuffle_each_iteration=False).batch(8)
    cooldown = branches(7)
    fit(plain(), cooldown, data=(fixed, None), **whole)
    assert len(cooldown.results) == 1


@backend
@pytest.mark.filterwarnings("ignore:Your input ran out of data")
def test_a_branch_may_leave_where_data_of_unknown_length_end():
    tf = pytest.importorskip("tensorflow")
    signature = (tf.TensorSpec((8, 4)), tf.TensorSpec((8, 1)))

    def run(*callbacks):
        dataset = tf.data.Dataset.from_generator(
            lambda: generator(3), output_signature=signature
        )
        model = plain()
        history = fit(
            model,
            keras_lr.LinearDecay(horizon=12),
            *callbacks,
            data=(dataset, None),
            batch_size=None,
            shuffle=False,
        )
        return state(model), history

    expected, history = run()
    cooldown = branches(2, 6)
    found, found_history = run(cooldown)
    assert found_history == history
    assert all(np.array_equal(found[name], expected[name]) for name in expected)
    assert [one.step for one in cooldown.results] == [2, 6]


@backend
def test_the_updates_of_a_branch_are_counted_under_accumulation():
    model = plain(keras.optimizers.SGD(0.01, gradient_accumulation_steps=3))
    fit(model, epochs=1, steps_per_epoch=4)
    result = cool(model, duration=4, shape="linear")
    # A batch of the first update has been trained on before.
    expected = 0.01 * np.array([0.75, 0.5, 0.25, 0])
    np.testing.assert_allclose(result.history.learning_rate, expected, rtol=1e-6)
    assert np.isfinite(result.history.loss).all()


@backend
@pytest.mark.skipif(BACKEND == "torch", reason="torch makes one step at a time")
def test_a_branch_begins_and_ends_with_an_execution_of_several_steps():
    model = plain(steps_per_execution=4)
    cooldown = branches(6)
    fit(model, keras_lr.Warmup(4), cooldown, data=data(64))
    assert [(one.step, one.updates) for one in cooldown.results] == [(8, 8)]


@backend
def test_a_rate_that_is_a_schedule_of_keras_is_the_one_that_a_branch_begins_from():
    rate = keras.optimizers.schedules.ExponentialDecay(0.01, 6, 0.5)
    model = plain(keras.optimizers.SGD(rate))
    cooldown = branches(6, duration=2, shape="linear")
    fit(model, cooldown, epochs=2)
    (result,) = cooldown.results
    np.testing.assert_allclose(result.history.learning_rate, [0.0025, 0], rtol=1e-5)


@backend
@pytest.mark.skipif(
    not hasattr(keras.optimizers, "MultiOptimizer"), reason="newer than this Keras"
)
def test_each_of_several_optimizers_falls_from_its_own_rate():
    fast = keras.optimizers.SGD(0.04)
    slow = keras.optimizers.SGD(0.01, momentum=0.5)
    groups = keras.optimizers.OptimizerMap(slow, {".*kernel": fast})
    model = plain(keras.optimizers.MultiOptimizer(groups))
    result = cool(model, duration=2, shape="linear", min_lr=0.02)
    assert result.rate == pytest.approx(0.04)
    np.testing.assert_allclose(result.history.learning_rate, [0.03, 0.02], rtol=1e-6)


# What is refused.


@backend
def test_what_no_branch_can_be_is_refused_before_any_update():
    model = plain()
    fit(model, epochs=1)
    before = state(model)
    bad = {
        "`duration` must be in updates or epochs": {"duration": "20%"},
        "`duration` must be longer than nothing": {"duration": 0},
        "`shape` must be one of 'linear'": {"shape": "round"},
        "`min_lr` must not be above the rate": {"min_lr": 0.5},
        "`min_lr` must be finite": {"min_lr": -1.0},
        "`save` must end in .keras": {"save": "branch"},
        "`save` may hold {step} and {epoch}": {"save": "{loss}.keras"},
    }
    for message, options in bad.items():
        with pytest.raises(ValueError, match="Received") as caught:
            cool(model, **options)
        assert message in str(caught.value)
    with pytest.raises(ValueError, match="in epochs only where the data have a length"):
        keras_lr.cooldown(model, generator(9), duration="1 epochs", save=None)
    with pytest.raises(ValueError, match="must last for its 5 batches"):
        keras_lr.cooldown(model, generator(2), duration=5, save=None)
    for late in (branches("4 epochs"), branches(20), branches(3, duration=1.0)):
        with pytest.raises(ValueError, match="must end within the run"):
            fit(model, late)
    assert_same(model, before)
    model.trainable = False
    with pytest.raises(ValueError, match="needs trainable weights"):
        cool(model)
    model.trainable = True
    inside = keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: cool(model))
    with pytest.raises(RuntimeError, match=r"use the callback keras_lr\.Cooldown"):
        fit(model, inside)
    by_hand = keras.callbacks.CallbackList([branches(1)])
    with pytest.raises(RuntimeError, match=r"call keras_lr\.cooldown"):
        by_hand.set_model(model)


def test_branches_in_one_file_are_refused():
    order = Order(5, "linear", 0.0, "branch.keras", 0)
    positions = [Argument.read("at", each) for each in (10, "2 epochs")]
    with pytest.raises(ValueError, match="a file of its own"):
        check_room(order, positions, Clock(100, 10.0))
    order = Order(5, "linear", 0.0, "{epoch}.keras", 0)
    check_room(order, positions, Clock(100, 10.0))
    with pytest.raises(ValueError, match="needs a position"):
        keras_lr.Cooldown([], duration=5)
