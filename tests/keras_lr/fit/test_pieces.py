"""Runs in pieces: several fits that follow one plan, or do not, and say so."""

from __future__ import annotations

import copy
import gc
import pickle
import threading

import keras
import numpy as np
import pytest

import keras_lr
from keras_lr.fit import keras_names
from tests.kit.probe import assert_rates, data, fit, recorded, watched

pytestmark = [
    pytest.mark.backend,
    # Keras says so of all data of unknown length.
    pytest.mark.filterwarnings("ignore:Your input ran out of data"),
]

optimizers = keras.optimizers


def warned(seen):
    return [str(one.message) for one in seen if "horizon=" in str(one.message)]


# Another plan.


def test_a_fit_an_epoch_at_a_time_without_a_horizon_warns_once():
    model = watched(optimizers.SGD(0.5), 40)
    schedule = keras_lr.CosineDecay(max_lr=0.1)
    fit(model, [schedule])
    with pytest.warns(UserWarning, match=r"CosineDecay.*20 updates.*10 in") as seen:
        fit(model, [schedule], initial_epoch=1, epochs=2)
    # Any warning is an error here.
    fit(model, [schedule], initial_epoch=2, epochs=3)
    assert len(warned(seen)) == 1
    assert "horizon='2 epochs'" in warned(seen)[0]


def test_a_fit_for_more_epochs_than_planned_warns():
    model = watched(optimizers.SGD(0.5), 60)
    fit(model, [keras_lr.CosineDecay(max_lr=0.1)], epochs=4)
    with pytest.warns(UserWarning, match="horizon="):
        fit(model, [keras_lr.CosineDecay(max_lr=0.1)], initial_epoch=4, epochs=6)


def test_a_resume_of_the_same_plan_warns_of_nothing():
    model = watched(optimizers.SGD(0.5), 60)
    stop = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: setattr(model, "stop_training", epoch == 1)
    )
    fit(model, [keras_lr.CosineDecay(), stop], epochs=4)
    fit(model, [keras_lr.CosineDecay()], initial_epoch=2, epochs=4)
    assert_rates(recorded(model)[:40], keras_lr.CosineDecay().values(40, 0.5))


@pytest.mark.parametrize(
    "schedule",
    [
        keras_lr.Warmup(3),
        keras_lr.StepDecay(every="2 epochs"),
        keras_lr.LinearDecay(horizon="6 epochs"),
        keras_lr.InverseSqrt(warmup=3),
    ],
)
def test_a_schedule_that_the_length_does_not_move_warns_of_nothing(schedule):
    model = watched(optimizers.SGD(0.5), 40)
    for epoch in range(3):
        fit(model, [schedule], initial_epoch=epoch, epochs=epoch + 1)
    values = schedule.values(30, 0.5, steps_per_epoch=10)
    assert_rates(recorded(model)[:30], values)


def test_a_new_run_of_the_model_warns_of_nothing():
    model = watched(optimizers.SGD(0.5), 40)
    for epochs in (1, 2, 1):
        fit(model, [keras_lr.LinearDecay()], epochs=epochs)
    fit(
        watched(optimizers.SGD(0.5), 10),
        [keras_lr.LinearDecay()],
        initial_epoch=1,
        epochs=2,
    )


# A horizon, and no epoch.


def test_with_a_horizon_the_next_fit_goes_on_where_the_last_one_ended(capsys):
    model = watched(optimizers.SGD(0.5), 60)
    schedule = keras_lr.OneCycle(max_lr=0.1, horizon="3 epochs")
    for _ in range(3):
        fit(model, [schedule])
    values = schedule.values(30, steps_per_epoch=10)
    assert_rates(recorded(model)[:30], values)
    said = capsys.readouterr().out
    assert "OneCycle" in said
    assert "goes on at update 10 of its horizon of 30" in said
    assert "goes on at update 20 of its horizon of 30" in said
    assert said.count("goes on") == 2
    # Used up, it begins anew.
    fit(model, [schedule], epochs=2)
    assert "goes on" not in capsys.readouterr().out
    assert_rates(recorded(model)[30:50], values[:20])


def test_a_horizon_in_updates_counts_the_updates_of_all_fits(capsys):
    model = watched(optimizers.SGD(0.5, gradient_accumulation_steps=2), 60)
    schedule = keras_lr.LinearDecay(horizon=12)
    for batches in (8, 6, 10):
        fit(model, [schedule], batches=batches)
    assert_rates(recorded(model)[:12], schedule.values(12, 0.5))
    assert capsys.readouterr().out.count("goes on") == 2


def test_the_place_belongs_to_the_model_and_the_callback(capsys):
    one, other = (watched(optimizers.SGD(0.5), 40) for _ in range(2))
    schedule = keras_lr.LinearDecay(horizon=40)
    values = schedule.values(40, 0.5)
    fit(one, [schedule])
    fit(other, [schedule], batches=4)
    for copied in (
        copy.copy(schedule),
        copy.deepcopy(schedule),
        pickle.loads(pickle.dumps(schedule)),
        keras_lr.LinearDecay.from_config(schedule.get_config()),
    ):
        third = watched(optimizers.SGD(0.5), 10)
        third.set_weights(one.get_weights())
        fit(one, [copied], batches=2)
    assert_rates(recorded(one)[10:18], np.tile(values[:2], 4))
    fit(one, [schedule], batches=3)
    fit(other, [schedule], batches=3)
    assert_rates(recorded(one)[18:21], values[10:13])
    assert_rates(recorded(other)[:7], values[:7])
    assert capsys.readouterr().out.count("goes on") == 2


def test_an_initial_epoch_says_where_the_fit_begins(capsys):
    model = watched(optimizers.SGD(0.5), 40)
    schedule = keras_lr.LinearDecay(horizon="4 epochs")
    values = schedule.values(40, 0.5, steps_per_epoch=10)
    fit(model, [schedule])
    fit(model, [schedule], initial_epoch=2, epochs=3)
    assert "goes on" not in capsys.readouterr().out
    fit(model, [schedule])
    assert_rates(recorded(model)[:30], np.concatenate([values[:10], values[20:]]))
    assert "goes on at update 30" in capsys.readouterr().out


class InterruptedAtBatchFour(keras.callbacks.Callback):
    def on_train_batch_begin(self, batch, logs=None):
        if batch == 4:
            raise KeyboardInterrupt


def test_a_fit_that_was_interrupted_goes_on_at_the_update_it_had_reached(capsys):
    model = watched(optimizers.SGD(0.5), 40)
    schedule = keras_lr.LinearDecay(horizon=20)
    with pytest.raises(KeyboardInterrupt):
        fit(model, [schedule, InterruptedAtBatchFour()])
    fit(model, [schedule])
    assert_rates(recorded(model)[:14], schedule.values(14 + 6, 0.5)[:14])
    assert "goes on at update 4 of" in capsys.readouterr().out


def test_the_next_fit_awaits_a_thread_that_gives_an_interrupted_one_back(
    monkeypatch, request
):
    model = watched(optimizers.SGD(0.5), 40)
    schedule = keras_lr.LinearDecay(horizon=20)
    caught = []
    # Else it might be collected before the thread is there.
    gc.disable()
    request.addfinalizer(gc.enable)
    try:
        fit(model, [schedule, InterruptedAtBatchFour()])
    except KeyboardInterrupt as error:
        caught.append(error)
    read_in_fit = keras_names.read_in_fit
    is_giving_back = threading.Event()
    has_begun = threading.Event()

    def read_slowly(model, variable):
        if threading.current_thread() is not threading.main_thread():
            is_giving_back.set()
            # Never, where the next fit waits, as it should.
            has_begun.wait(0.5)
        return read_in_fit(model, variable)

    def collect():
        # The exception holds the fit's list of callbacks. What drops the list last ends
        # what the fit has borrowed: this thread, or one of Keras' own for callbacks.
        caught.clear()
        gc.collect()

    monkeypatch.setattr(keras_names, "read_in_fit", read_slowly)
    collector = threading.Thread(target=collect)
    collector.start()
    assert is_giving_back.wait(20)
    begins = keras.callbacks.LambdaCallback(on_epoch_begin=lambda *_: has_begun.set())
    fit(model, [schedule, begins])
    collector.join()
    assert_rates(recorded(model)[:14], schedule.values(14, 0.5))


@pytest.mark.parametrize("order", [1, -1], ids=["schedule-first", "backup-first"])
def test_a_backup_says_where_a_fit_goes_on_and_the_place_does_not(
    tmp_path, capsys, order
):
    class Stop(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            if batch == 4 and self.epoch == 1:
                raise KeyboardInterrupt

        def on_epoch_begin(self, epoch, logs=None):
            self.epoch = epoch

    model = watched(optimizers.SGD(0.5), 60)
    schedule = keras_lr.LinearDecay(horizon="4 epochs")
    backup = keras.callbacks.BackupAndRestore(tmp_path)
    both = [schedule, backup][::order]
    with pytest.raises(KeyboardInterrupt):
        fit(model, [*both, Stop()], epochs=4)
    fit(model, both, epochs=4)
    assert "goes on" not in capsys.readouterr().out
    assert_rates(recorded(model)[:40], schedule.values(40, 0.5, steps_per_epoch=10))


def test_early_stopping_is_an_end_as_any_other():
    model = watched(optimizers.SGD(0.5), 60)
    schedule = keras_lr.LinearDecay(horizon="4 epochs")
    stop = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: setattr(model, "stop_training", True)
    )
    fit(model, [schedule, stop], epochs=4)
    fit(model, [schedule], epochs=3)
    assert_rates(recorded(model)[:40], schedule.values(40, 0.5, steps_per_epoch=10))


# Data of unknown length.


def rows(batches):
    x, y = data(batches)

    def generate():
        for row in range(0, 2 * batches, 2):
            yield x[row : row + 2], y[row : row + 2]

    return generate


def unknown(batches):
    """Data that know their length on no backend, for several epochs."""
    generate = rows(batches)
    if keras.backend.backend() == "torch":
        import torch

        class Rows(torch.utils.data.IterableDataset):
            def __iter__(self):
                return generate()

        return torch.utils.data.DataLoader(Rows(), batch_size=None)
    import tensorflow as tf

    spec = tf.TensorSpec((None, 4)), tf.TensorSpec((None, 2))
    return tf.data.Dataset.from_generator(generate, output_signature=spec)


def fit_unknown(model, callbacks, batches=10, epochs=1, **options):
    return model.fit(
        unknown(batches),
        epochs=epochs,
        callbacks=callbacks,
        shuffle=False,
        verbose=0,
        **options,
    ).history


def real(model, batches, epochs):
    """The rates of the updates that had data."""
    rates = recorded(model)
    if keras.backend.backend() != "tensorflow":
        return rates[: batches * epochs]
    # Keras counts one step without data at each epoch's end, and no weight moves.
    every = rates[: (batches + 1) * epochs].reshape(epochs, batches + 1)
    return every[:, :batches].ravel()


def test_a_step_without_data_costs_no_value():
    model = watched(optimizers.SGD(0.5), 60)
    schedule = keras_lr.LinearDecay(max_lr=0.1, horizon=30)
    history = fit_unknown(model, [schedule], epochs=3)
    values = schedule.values(30)
    assert_rates(real(model, 10, 3), values)
    assert_rates(history["learning_rate"], values[9::10])


def test_a_step_without_data_costs_no_value_in_a_long_epoch():
    model = watched(optimizers.SGD(0.5), 900)
    schedule = keras_lr.LinearDecay(max_lr=0.1, horizon=800)
    fit_unknown(model, [schedule], batches=400, epochs=2)
    assert_rates(real(model, 400, 2), schedule.values(800))


@pytest.mark.skipif(
    keras.backend.backend() == "torch", reason="torch has no steps_per_execution"
)
def test_a_step_without_data_costs_no_value_with_steps_per_execution():
    model = watched(optimizers.SGD(0.5), 60, steps_per_execution=4)
    schedule = keras_lr.LinearDecay(max_lr=0.1, horizon=30)
    history = fit_unknown(model, [schedule], epochs=3)
    values = schedule.values(30)
    assert_rates(history["learning_rate"], values[9::10])
    assert_rates(np.unique(recorded(model))[-30:], np.sort(values)[-30:])


def test_a_schedule_that_needs_the_length_in_its_first_epoch_is_refused():
    model = watched(optimizers.SGD(0.5), 60)
    for schedule, named in (
        (keras_lr.OneCycle(max_lr=0.1), r"OneCycle.*`warmup`.*0\.3"),
        (keras_lr.Warmup("2 epochs"), r"Warmup.*`warmup`.*2 epochs"),
        (keras_lr.LinearDecay(horizon="20 epochs"), r"LinearDecay.*`horizon`.*20 ep"),
        (keras_lr.CosineDecay(), "CosineDecay.*length"),
        (keras_lr.Warmup("5%", horizon="9 epochs"), r"Warmup.*`horizon`.*9 epochs"),
    ):
        with pytest.raises(ValueError, match=named):
            fit_unknown(model, [schedule], epochs=4)
    assert not recorded(model).any()


def test_from_the_second_epoch_on_the_measured_length_serves():
    model = watched(optimizers.SGD(0.5), 60)
    steps = keras_lr.StepDecay(every="1 epochs", rate=0.5)
    flat = keras_lr.FlatCosine(decay="50%")
    late = keras_lr.PiecewiseConstant(["2 epochs"], [1.0, 0.25], horizon="9 epochs")
    fit_unknown(model, [steps, flat, late], epochs=4)
    factors = [one.values(40, steps_per_epoch=10) for one in (steps, flat, late)]
    assert_rates(real(model, 10, 4), 0.5 * np.prod(factors, axis=0))


def test_an_epoch_longer_than_the_measured_one_goes_on_with_the_schedule():
    model = watched(optimizers.SGD(0.5), 60)
    lengths = iter([10, 6, 10])
    schedule = keras_lr.LinearDecay(max_lr=0.1, horizon=40)
    x, y = data(10)

    def generate():
        for row in range(0, 2 * next(lengths), 2):
            yield x[row : row + 2], y[row : row + 2]

    import tensorflow as tf

    spec = tf.TensorSpec((None, 4)), tf.TensorSpec((None, 2))
    rows = tf.data.Dataset.from_generator(generate, output_signature=spec)
    if keras.backend.backend() != "tensorflow":
        pytest.skip("others take their batches beforehand")
    model.fit(rows, epochs=3, callbacks=[schedule], shuffle=False, verbose=0)
    rates = recorded(model)
    assert_rates(
        np.concatenate([rates[:10], rates[11:17], rates[18:28]]),
        schedule.values(40)[:26],
    )


def test_a_length_that_an_earlier_fit_measured_serves_from_the_begin_on():
    model = watched(optimizers.SGD(0.5), 90)
    fit_unknown(model, [keras_lr.Warmup(3)], epochs=2)
    begun = len(np.flatnonzero(recorded(model)))
    schedule = keras_lr.WarmupCosine(warmup="1 epochs", max_lr=0.2)
    fit_unknown(model, [schedule], epochs=3)
    rates = recorded(model)[begun:]
    if keras.backend.backend() == "tensorflow":
        rates = rates[:33].reshape(3, 11)[:, :10].ravel()
    assert_rates(rates[:30], schedule.values(30, steps_per_epoch=10))


def test_a_run_of_unknown_length_that_is_resumed_goes_on():
    model = watched(optimizers.SGD(0.5), 60)
    schedule = keras_lr.LinearDecay(horizon=30)
    fit_unknown(model, [schedule])
    fit_unknown(model, [schedule], initial_epoch=1, epochs=3)
    assert_rates(real(model, 10, 3), schedule.values(30, 0.5))
