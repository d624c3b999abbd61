from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import ops

import keras_lr
from keras_lr.fit import keras_names
from tests.kit.probe import assert_rates, data, fit, recorded, watched

pytestmark = pytest.mark.backend

optimizers = keras.optimizers


class At(keras.callbacks.Callback):
    """Does something at one batch of one epoch."""

    def __init__(self, what, batch=3, epoch=0):
        super().__init__()
        self.what, self.batch, self.epoch, self.now = what, batch, epoch, 0

    def on_epoch_begin(self, epoch, logs=None):
        self.now = epoch

    def on_train_batch_end(self, batch, logs=None):
        if (self.now, batch) == (self.epoch, self.batch):
            self.what(self.model)


def interrupt(model):
    raise KeyboardInterrupt


def fail(model):
    raise RuntimeError("user code")


def state(model):
    optimizer = model.optimizer
    return (
        type(optimizer),
        [v.path for v in optimizer.variables],
        optimizer.get_config(),
        {name for name in vars(model) if "train_function" in name or "logs" in name},
        set(vars(optimizer)),
    )


def test_a_first_a_second_and_a_third_fit_each_have_their_own_rates():
    model = watched(optimizers.SGD(0.1), 30)
    first, second = keras_lr.OneCycle(max_lr=0.01), keras_lr.CosineDecay(max_lr=0.2)
    for callbacks in ([first], [second], []):
        fit(model, callbacks)
    expected = np.concatenate([first.values(10), second.values(10), np.full(10, 0.1)])
    assert_rates(recorded(model), expected)


def test_one_callback_serves_several_fits():
    model = watched(optimizers.SGD(0.1), 20)
    schedule = keras_lr.Warmup(4)
    fit(model, [schedule])
    fit(model, [schedule])
    assert_rates(recorded(model), 0.1 * np.tile(schedule.values(10), 2))


def test_a_fit_in_a_loop_with_a_horizon_equals_one_fit():
    schedule = keras_lr.OneCycle(max_lr=0.01, horizon="3 epochs")
    model = watched(optimizers.Adam(), 30)
    for epoch in range(3):
        fit(model, [schedule], initial_epoch=epoch, epochs=epoch + 1)
    assert_rates(recorded(model), schedule.values(30, steps_per_epoch=10))


def test_a_run_that_begins_at_a_later_epoch_begins_at_its_rate():
    schedule = keras_lr.OneCycle(max_lr=0.01)
    model = watched(optimizers.Adam(), 20)
    fit(model, [schedule], initial_epoch=1, epochs=3)
    assert_rates(recorded(model), schedule.values(30)[10:])


def fit_endless(model, callbacks):
    x, y = data(10)
    batches = ((x[row : row + 2], y[row : row + 2]) for row in range(0, 20, 2))
    model.fit(batches, callbacks=callbacks, shuffle=False, verbose=0)


@pytest.mark.filterwarnings("ignore:Your input ran out of data")
def test_data_of_unknown_length_runs_schedules_in_updates():
    schedule = keras_lr.CyclicalLR(min_lr=0.01, max_lr=0.1, half_cycle=4)
    model = watched(optimizers.SGD(0.1), 10)
    fit_endless(model, [keras_lr.Warmup(3), schedule])
    assert_rates(recorded(model), schedule.values(10) * keras_lr.Warmup(3).values(10))


@pytest.mark.filterwarnings("ignore:Your input ran out of data")
def test_data_of_unknown_length_needs_a_horizon_where_the_rest_is_meant():
    model = watched(optimizers.SGD(0.1), 10)
    with pytest.raises(ValueError, match=r"length is not known.*horizon="):
        fit_endless(model, [keras_lr.OneCycle(max_lr=0.1)])
    schedule = keras_lr.OneCycle(max_lr=0.1, horizon=10)
    fit_endless(model, [schedule])
    assert_rates(recorded(model), schedule.values(10))


def test_the_optimizer_reads_the_scheduled_rate_in_callbacks():
    schedule = keras_lr.OneCycle(max_lr=0.01)
    seen = []
    reader = keras.callbacks.LambdaCallback(
        on_train_batch_begin=lambda batch, logs: seen.append(
            float(ops.convert_to_numpy(model.optimizer.learning_rate))
        )
    )
    model = watched(optimizers.SGD(0.1), 5)
    if keras.backend.backend() == "jax":

        class Reader(keras.callbacks.Callback):
            # Only `self.model` has the state of the moment on JAX.
            def on_train_batch_begin(self, batch, logs=None):
                seen.append(float(self.model.optimizer.learning_rate))

        reader = Reader()
    fit(model, [reader, schedule], batches=5)
    assert_rates(seen, schedule.values(5))


class Logs(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.seen = []

    def on_epoch_end(self, epoch, logs=None):
        self.seen.append(dict(logs))


def test_logs_of_every_callback_have_the_rates_of_the_last_update():
    schedule = keras_lr.OneCycle(max_lr=0.01)
    before, after = Logs(), Logs()
    model = watched(optimizers.SGD(0.1, momentum=0.9), 30)
    history = fit(model, [before, schedule, after], epochs=3, validation_split=0.0)
    assert_rates(history.history["learning_rate"], schedule.values(30)[9::10])
    assert_rates(history.history["momentum"], schedule.momentum_values(30)[9::10])
    assert before.seen == after.seen
    assert before.seen[1]["learning_rate"] == history.history["learning_rate"][1]


def test_validation_logs_have_no_rate():
    model = watched(optimizers.SGD(0.1), 10)
    x, y = data(10)
    history = model.fit(
        x, y, 2, 1, 0, [keras_lr.LinearDecay()], validation_data=(x, y)
    ).history
    assert set(history) == {"loss", "val_loss", "learning_rate"}


def test_tensorboard_shows_the_scheduled_rate(tmp_path):
    pytest.importorskip("tensorboard")
    from tensorflow.python.summary.summary_iterator import summary_iterator

    schedule = keras_lr.LinearDecay(max_lr=0.1, min_lr=0.02)
    model = watched(optimizers.SGD(0.1), 20)
    fit(model, [schedule, keras.callbacks.TensorBoard(tmp_path)], epochs=2)
    found = [
        float(np.frombuffer(value.tensor.tensor_content, "float32")[0])
        for file in (tmp_path / "train").iterdir()
        for event in summary_iterator(str(file))
        for value in event.summary.value
        if value.tag == "epoch_learning_rate"
    ]
    # TensorBoard reads the optimizer.
    assert_rates(found, schedule.values(20)[[9, 19]])


def test_after_a_fit_the_optimizer_is_as_it_was():
    model = watched(optimizers.Adam(0.1, weight_decay=0.01), 20)
    fit(model, [])
    before = state(model)
    fit(model, [keras_lr.OneCycle(max_lr=0.01), keras_lr.Warmup(3)])
    assert state(model) == before
    assert float(ops.convert_to_numpy(model.optimizer.learning_rate)) == np.float32(0.1)
    model.optimizer.learning_rate = 0.05
    assert float(ops.convert_to_numpy(model.optimizer.learning_rate)) == np.float32(
        0.05
    )


def test_during_a_fit_config_and_class_are_the_original_ones():
    model = watched(optimizers.Adam(0.1), 10)
    before = state(model)
    seen = []
    fit(
        model,
        [
            keras_lr.OneCycle(max_lr=0.01),
            At(
                lambda m: seen.append((m.optimizer.__class__, m.optimizer.get_config()))
            ),
        ],
    )
    assert seen == [(before[0], before[2])]


@pytest.mark.parametrize("problem", [interrupt, fail], ids=["ctrl-c", "exception"])
def test_the_next_fit_does_not_notice_an_interrupted_one(problem):
    model = watched(optimizers.SGD(0.1, momentum=0.9), 24)
    before = state(model)
    with pytest.raises((KeyboardInterrupt, RuntimeError)):
        fit(model, [keras_lr.OneCycle(max_lr=0.01), At(problem)])
    fit(model, [])
    assert state(model) == before
    fit(model, [keras_lr.LinearDecay()])
    rates = recorded(model)
    assert_rates(rates[:4], keras_lr.OneCycle(max_lr=0.01).values(10)[:4])
    assert_rates(
        rates[4:], [*np.full(10, 0.1), *keras_lr.LinearDecay().values(10, 0.1)]
    )


def test_train_on_batch_after_an_interrupted_fit_is_at_the_own_rate():
    model = watched(optimizers.SGD(0.1), 6)
    with pytest.raises(KeyboardInterrupt):
        fit(model, [keras_lr.OneCycle(max_lr=0.01), At(interrupt)])
    model.train_on_batch(*data(1))
    assert_rates(recorded(model)[4], 0.1)


def test_restored_gives_back_at_once():
    model = watched(optimizers.SGD(0.1), 10)
    before = state(model)
    with pytest.raises(KeyboardInterrupt), keras_lr.restored(model):
        fit(model, [keras_lr.OneCycle(max_lr=0.01), At(interrupt)])
    assert state(model) == before


def test_training_on_a_batch_inside_a_fit_does_not_end_the_schedule():
    schedule = keras_lr.LinearDecay()
    model = watched(optimizers.SGD(0.1), 11)
    fit(model, [schedule, At(lambda m: m.train_on_batch(*data(1)))])
    rates = np.delete(recorded(model), 4)
    assert_rates(recorded(model)[4], 0.1)
    expected = schedule.values(10, 0.1)
    assert_rates(rates[:4], expected[:4])
    assert_rates(rates[4:9], expected[5:])


def test_compiling_anew_with_another_optimizer_leaves_nothing_behind():
    model = watched(optimizers.SGD(0.1), 10)
    fit(model, [keras_lr.OneCycle(max_lr=0.01)])
    model.compile(optimizers.Adam(0.2), "mse")
    fit(model, [])
    assert float(ops.convert_to_numpy(model.optimizer.learning_rate)) == np.float32(0.2)


def test_a_plateau_cuts_what_the_schedule_multiplies():
    model = watched(optimizers.SGD(0.1), 30)
    plateau = keras.callbacks.ReduceLROnPlateau("loss", 0.5, 1, min_delta=1e9)
    warmup = keras_lr.Warmup(15)
    fit(model, [warmup, plateau], epochs=3)
    own = 0.1 * np.repeat([1, 1, 0.5], 10)
    assert_rates(recorded(model), own * warmup.values(30))


def test_a_rate_set_by_learning_rate_scheduler_is_multiplied():
    model = watched(optimizers.SGD(0.1), 30)
    setter = keras.callbacks.LearningRateScheduler(lambda epoch: 0.2 * 0.5**epoch)
    warmup = keras_lr.Warmup(15)
    fit(model, [warmup, setter], epochs=3)
    own = np.repeat([0.2, 0.1, 0.05], 10)
    assert_rates(recorded(model)[:10], (own * warmup.values(30))[:10])
    assert_rates(recorded(model)[20:], (own * warmup.values(30))[20:])


def test_early_stopping_ends_a_fit_cleanly():
    model = watched(optimizers.SGD(0.1), 30)
    before = state(model)
    stop = keras.callbacks.EarlyStopping("loss", min_delta=1e9, patience=1)
    fit(model, [keras_lr.OneCycle(max_lr=0.01), stop], epochs=3)
    assert state(model) == before


def traces(callbacks_of_fits):
    count = []

    def loss(y, out):
        count.append(1)
        return ops.mean((y - out) ** 2)

    model = watched(optimizers.Adam(), 99)
    model.compile(optimizers.Adam(), loss)
    seen = []
    for callbacks in callbacks_of_fits:
        fit(model, callbacks, epochs=2)
        seen.append(len(count))
    return np.diff([0, *seen])


@pytest.mark.skipif(keras.backend.backend() == "torch", reason="torch does not trace")
def test_a_first_fit_compiles_once_and_a_later_one_at_most_once_more():
    plain = traces([[], []])
    ours = traces([[keras_lr.OneCycle(max_lr=0.01)], [keras_lr.Warmup(3)], []])
    assert ours[0] == plain[0]
    assert ours[1] <= plain[0]
    assert ours[2] <= plain[0]


@pytest.mark.parametrize(
    ("contract", "owner"),
    [
        ("CONTRACT", "Optimizer"),
        ("CONTRACT", "Model"),
        ("INSTANCE_CONTRACT", "Optimizer"),
        ("INSTANCE_CONTRACT", "Model"),
    ],
)
def test_a_keras_without_what_we_rely_on_is_refused(monkeypatch, contract, owner):
    names = {**getattr(keras_names, contract), owner: ("_gone",)}
    monkeypatch.setattr(keras_names, contract, names)
    model = watched(optimizers.SGD(0.1), 1)

    def begin():
        keras_names.check_keras()
        keras_lr.LinearDecay().set_model(model)

    message = rf"Keras 3\.12 to 3\.15.*{owner} lacks _gone"
    with pytest.raises(ImportError, match=message):
        begin()
