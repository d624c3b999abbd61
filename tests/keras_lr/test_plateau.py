"""Plateau in fits: rates recorded where the update reads them."""

from __future__ import annotations

import copy
import pickle
import warnings

import keras
import numpy as np
import pytest

import keras_lr
from keras_lr import Plateau
from tests.kit.probe import assert_rates, data, fit, recorded, watched

pytestmark = pytest.mark.backend


class Metric(keras.callbacks.Callback):
    """Has the validation say a metric of its own at each epoch."""

    def __init__(self, values):
        super().__init__()
        self.values = values

    def set_model(self, model):
        super().set_model(model)
        vars(model)["evaluate"] = lambda *_, **__: {"m": self.values[self.epoch]}

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_end(self, logs=None):
        vars(self.model).pop("evaluate", None)


def sgd(updates, rate=0.1, **options):
    return watched(keras.optimizers.SGD(rate, **options), updates)


def by_epoch(model, updates=10):
    """The one rate of each epoch."""
    rates = recorded(model).reshape(-1, updates)
    assert (rates == rates[:, :1]).all()
    return rates[:, 0].tolist()


def fitted(model, metrics, *callbacks, **options):
    metric = Metric(metrics)
    options = {"epochs": len(metrics), "validation_data": data(1), **options}
    return fit(model, [metric, *callbacks], **options)


WORSE = [1.0, 2.0, 2.0, 2.0, 2.0, 2.0]


def test_it_cuts_as_keras_callback_does_and_logs_say_so():
    histories = []
    for callback in (
        Plateau("val_m", 0.5, 2, mode="min", min_lr=0.02),
        keras.callbacks.ReduceLROnPlateau("val_m", 0.5, 2, mode="min", min_lr=0.02),
    ):
        model = sgd(60)
        history = fitted(model, WORSE, callback).history
        histories.append((by_epoch(model), history["learning_rate"]))
    (ours, our_logs), (theirs, their_logs) = histories
    assert ours == pytest.approx([0.1, 0.1, 0.1, 0.05, 0.05, 0.025])
    assert ours == pytest.approx(theirs)
    # What Keras logs is read before the cut, thus the rate that was used, too.
    assert our_logs == pytest.approx(their_logs)
    # Keras' stays cut; ours gives the optimizer back as it was.
    assert float(model.optimizer.learning_rate) == pytest.approx(0.025)


def test_a_cut_compiles_nothing(monkeypatch):
    calls = []

    class Counting(keras.layers.Dense):
        def call(self, inputs):
            calls.append(1)
            return super().call(inputs)

    model = keras.Sequential([keras.Input((4,)), Counting(2)])
    model.compile("sgd", "mse")
    traces = []

    class After(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            traces.append(len(calls))

    fitted(model, WORSE, Plateau("val_m", 0.5, 1, mode="min"), After())
    if keras.backend.backend() != "torch":
        assert len(set(traces)) == 1


def test_patience_begins_with_the_first_epoch_after_the_warmup():
    model = sgd(60)
    plateau = Plateau("val_m", 0.5, 2, mode="min", warmup=15)
    fitted(model, [0.0, 0.1, 1.0, 1.0, 1.0, 1.0], plateau)
    rates = recorded(model)
    assert_rates(rates[:15], 0.1 * np.arange(1, 16) / 15)
    assert_rates(rates[15:], [0.1] * 35 + [0.05] * 10)


def test_patience_begins_after_the_warmup_of_a_schedule_beside_it():
    model = sgd(60)
    plateau = Plateau("val_m", 0.5, 2, mode="min")
    fitted(model, [0.0, 1.0, 1.0, 1.0, 1.0, 1.0], keras_lr.Warmup("1 epochs"), plateau)
    assert_rates(recorded(model)[10::10], [0.1, 0.1, 0.1, 0.05, 0.05])


def test_called_by_hand_without_a_list_it_observes_each_epoch_once():
    model = sgd(12)
    plateau = Plateau("loss", 0.5, 1, min_delta=9.0)
    plateau.set_params({"epochs": 4, "steps": 3})
    plateau.set_model(model)
    plateau.on_train_begin()
    x, y = data(1)
    for epoch in range(4):
        plateau.on_epoch_begin(epoch)
        for _ in range(3):
            logs = model.train_on_batch(x, y, return_dict=True)
        plateau.on_epoch_end(epoch, dict(logs))
    plateau.on_train_end()
    assert_rates(recorded(model), np.repeat([0.1, 0.1, 0.05, 0.025], 3))


def test_it_multiplies_with_other_schedules():
    model = sgd(60)
    linear = keras_lr.LinearDecay()
    fitted(model, WORSE, linear, Plateau("val_m", 0.5, 3, mode="min", max_lr=0.2))
    cuts = np.repeat([1, 1, 1, 1, 0.5, 0.5], 10)
    assert_rates(recorded(model), linear.values(60, 0.2) * cuts)


def test_the_final_decay_falls_from_the_last_level_and_no_metric_counts_in_it():
    model = sgd(60)
    plateau = Plateau("val_m", 0.5, 1, mode="min", decay=20, final_lr=0.001)
    fitted(model, [1.0, 1.0, 0.5, 0.5, 0.5, 0.5], plateau)
    rates = recorded(model)
    assert_rates(rates[:40], np.repeat([0.1, 0.1, 0.05, 0.05], 10))
    assert_rates(rates[40:], np.linspace(0.05, 0.001, 21)[1:])


def test_it_stops_when_the_floor_has_been_waited_out():
    model = sgd(60)
    plateau = Plateau("val_m", 0.1, 1, mode="min", min_lr=0.05, stop=True)
    history = fitted(model, WORSE, plateau).history
    # Cut after the second epoch, waited out after the third.
    assert len(history["val_m"]) == 3
    assert_rates(recorded(model)[:30], np.repeat([0.1, 0.1, 0.05], 10))


def test_the_fit_after_one_that_stopped_stops_again_unless_the_metric_gets_better():
    plateau = Plateau("val_m", 0.1, 1, mode="min", min_lr=0.05, stop=True)
    model = sgd(80)
    fitted(model, WORSE, plateau)
    again = fitted(model, WORSE, plateau).history["val_m"]
    better = fitted(model, [0.5, 0.4, 0.4, 0.4], plateau).history["val_m"]
    # Of the second fit the first epoch is as good as the best, no better.
    assert (len(again), len(better)) == (1, 3)


def test_with_a_decay_it_decays_before_it_stops():
    model = sgd(60)
    options = {"min_lr": 0.05, "stop": True, "decay": 4, "mode": "min"}
    fitted(model, WORSE, Plateau("val_m", 0.1, 1, **options))
    rates = recorded(model)
    assert_rates(rates[:30], np.repeat([0.1, 0.1, 0.05], 10))
    np.testing.assert_allclose(rates[30:34], [0.0375, 0.025, 0.0125, 0], atol=1e-9)
    assert int(keras.ops.convert_to_numpy(model.optimizer.iterations)) == 34


def test_the_epoch_after_a_cut_begins_with_the_best_weights():
    model = sgd(40)
    at_begin = []
    at_end = []

    class Weights(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            if batch == 0:
                at_begin.append(self.model.get_weights())

        def on_epoch_end(self, epoch, logs=None):
            at_end.append(self.model.get_weights())

    plateau = Plateau("val_m", 0.5, 2, mode="min", restore_best=True)
    fitted(model, [1.0, 0.5, 0.7, 0.6], plateau, Weights())
    begin = [weights[0].tolist() for weights in at_begin]
    end = [weights[0].tolist() for weights in at_end]
    assert begin[1:] == [end[0], end[1], end[2]]
    # The last epoch ended with a cut: the fit ends with the best weights.
    assert model.get_weights()[0].tolist() == end[1] != end[3]


def test_a_second_fit_goes_on_waiting():
    whole = sgd(60)
    fitted(whole, WORSE, Plateau("val_m", 0.5, 3, mode="min"))
    parts = sgd(60)
    plateau = Plateau("val_m", 0.5, 3, mode="min")
    for first in range(0, 6, 2):
        fitted(parts, WORSE, plateau, initial_epoch=first, epochs=first + 2)
    assert recorded(parts).tolist() == recorded(whole).tolist()
    # Keras forgets what it has waited for: three fits of two epochs never cut.
    keras_model = sgd(60)
    callback = keras.callbacks.ReduceLROnPlateau("val_m", 0.5, 3, mode="min")
    for first in range(0, 6, 2):
        fitted(keras_model, WORSE, callback, initial_epoch=first, epochs=first + 2)
    assert by_epoch(keras_model) == pytest.approx([0.1] * 6)


def test_fits_from_epoch_0_go_on_waiting_too():
    model = sgd(60)
    plateau = Plateau("val_m", 0.5, 3, mode="min")
    for _ in range(3):
        fitted(model, [1.0, 1.0], plateau)
    assert by_epoch(model) == pytest.approx([0.1, 0.1, 0.1, 0.1, 0.05, 0.05])


def test_models_do_not_share_what_is_waited_for_nor_do_copies():
    plateau = Plateau("val_m", 0.5, 2, mode="min")
    fitted(sgd(60), WORSE, plateau)
    for other in (plateau, copy.deepcopy(plateau), pickle.loads(pickle.dumps(plateau))):
        model = sgd(20)
        fitted(model, [1.0, 1.0], other)
        assert by_epoch(model) == pytest.approx([0.1, 0.1])


def test_its_values_are_the_plan_also_after_a_fit():
    plateau = Plateau("val_m", 0.5, 1, mode="min", warmup=2)
    fitted(sgd(60), WORSE, plateau)
    assert_rates(plateau.values(4, 0.1), [0.05, 0.1, 0.1, 0.1])


class Stop(Exception):
    pass


@pytest.mark.parametrize("order", ["plateau first", "backup first"])
def test_a_run_resumed_from_a_backup_is_the_run_that_was_not_cut_off(tmp_path, order):
    metrics = [1.0, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]

    def plateau():
        return Plateau("val_m", 0.5, 2, mode="min", restore_best=True, cooldown=1)

    whole = watched(keras.optimizers.Adam(0.1), 70)
    fitted(whole, metrics, plateau())
    for cut_off in (3, 5):
        backup = keras.callbacks.BackupAndRestore(tmp_path / f"{cut_off}")

        class Fail(keras.callbacks.Callback):
            def on_train_batch_end(self, batch, logs=None, at=cut_off):
                if self.params["epochs"] and batch == 4 and self.epoch == at:
                    raise Stop

            def on_epoch_begin(self, epoch, logs=None):
                self.epoch = epoch

        def in_order(backup):
            both = [plateau(), backup]
            return both if order == "plateau first" else both[::-1]

        model = watched(keras.optimizers.Adam(0.1), 70)
        with pytest.raises(Stop):
            fitted(model, metrics, *in_order(backup), Fail())
        model = watched(keras.optimizers.Adam(0.1), 70)
        backup = keras.callbacks.BackupAndRestore(tmp_path / f"{cut_off}")
        fitted(model, metrics, *in_order(backup))
        assert recorded(model).tolist() == recorded(whole).tolist()
        for one, other in zip(model.get_weights(), whole.get_weights(), strict=True):
            assert one.tolist() == other.tolist()
        assert not (tmp_path / f"{cut_off}").exists()


def test_it_warns_where_it_cannot_know_of_cuts_before():
    with pytest.warns(UserWarning, match="knows nothing of the epochs before 2"):
        fitted(sgd(40), [1.0] * 4, Plateau("val_m", mode="min"), initial_epoch=2)


def test_per_update_it_cuts_at_the_very_update_that_a_direct_look_finds():
    x, y = data(60)
    losses = []

    class Losses(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            before = losses[-1][1] if losses and batch else 0.0
            total = logs["loss"] * (batch + 1)
            losses.append((total - before, total))

    model = sgd(120, 1e-6)
    options = {"per": "update", "smoothing": 0.8, "warmup": 5, "cooldown": 4}
    plateau = Plateau("loss", 0.5, 12, min_delta=0.0, **options)
    model.fit(x, y, batch_size=2, epochs=2, verbose=0, callbacks=[plateau, Losses()])
    mean = 0.0
    weight = 0.0
    best = np.inf
    wait = 0
    rest = 0
    level = 1.0
    expected = []
    for update, (loss, _) in enumerate(losses):
        expected.append(level if update >= 5 else level * (update + 1) / 5)
        if update < 5:
            continue
        mean = 0.8 * mean + 0.2 * loss
        weight = 0.8 * weight + 0.2
        rest = max(rest - 1, 0)
        if mean / weight < best:
            best = mean / weight
            wait = 0
        elif rest:
            wait = 0
        else:
            wait += 1
        if wait >= 12:
            level /= 2
            wait = 0
            rest = 4
    assert level < 1
    assert_rates(recorded(model), 1e-6 * np.array(expected))


def test_per_update_under_accumulation_it_counts_updates():
    optimizer = keras.optimizers.SGD(1e-9, gradient_accumulation_steps=2)
    model = watched(optimizer, 20)
    x = np.ones((40, 4), "float32")
    plateau = Plateau("loss", 0.5, 3, per="update")
    model.fit(
        x,
        x[:, :2],
        batch_size=2,
        epochs=2,
        verbose=0,
        callbacks=[plateau, Metric([0, 0])],
    )
    # The loss stays: best at the first update, cut after each three more.
    levels = 0.5 ** np.array([0, 0, 0, 0, *np.repeat(np.arange(1, 7), 3)])[:20]
    assert_rates(recorded(model), 1e-9 * levels)


@pytest.mark.skipif(
    not hasattr(keras.optimizers, "MultiOptimizer"), reason="newer than this Keras"
)
def test_a_floor_keeps_the_ratio_of_several_optimizers():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    rates = {"slow": 0.01, "fast": 0.1}
    slow, fast = (keras.optimizers.SGD(rate, name=name) for name, rate in rates.items())
    mapped = keras.optimizers.OptimizerMap(fast, {".*kernel": slow})
    model.compile(keras.optimizers.MultiOptimizer(mapped), "mse")
    plateau = Plateau("val_m", 0.5, 2, mode="min", min_lr=0.04)
    history = fitted(model, WORSE, plateau).history
    fast = history["learning_rate_fast"]
    assert fast == pytest.approx([0.1, 0.1, 0.1, 0.05, 0.05, 0.04])
    assert history["learning_rate_slow"] == pytest.approx([r / 10 for r in fast])


def test_a_metric_that_a_callback_in_front_puts_into_the_logs_counts():
    class Own(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs["own"] = WORSE[epoch]

    model = sgd(60)
    fit(model, [Own(), Plateau("own", 0.5, 2, mode="min")], epochs=6)
    assert by_epoch(model) == pytest.approx([0.1, 0.1, 0.1, 0.05, 0.05, 0.025])


def test_a_metric_that_is_not_there_is_named_after_the_first_epoch():
    with pytest.raises(
        ValueError, match=r"Received: monitor='val_loss' .*logs with 'l"
    ):
        fit(sgd(10), [Plateau()])


def test_an_epoch_without_validation_is_none_that_counts():
    x, y = data(10)
    model = sgd(60)
    plateau = Plateau("val_loss", 0.5, 2, min_delta=100.0)
    fit(model, [plateau], epochs=6, validation_data=(x, y), validation_freq=2)
    assert by_epoch(model) == pytest.approx([0.1] * 6)
    fit(sgd(60), [plateau], epochs=6, validation_data=(x, y), validation_freq=2)


def test_auto_knows_what_keras_knows_and_warns_once_of_what_it_does_not():
    x, y = data(10)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    model.compile(keras.optimizers.SGD(1e-9), "mse", metrics=["accuracy"])
    options = {"epochs": 3, "batch_size": 2, "verbose": 0}
    plateau = Plateau("accuracy", 0.5, 1, min_delta=2.0)
    history = model.fit(x, y, callbacks=[plateau], **options).history
    rates = np.array(history["learning_rate"])
    assert_rates(rates / rates[0], [1, 1, 0.5])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fitted(sgd(30), [1.0, 2.0, 3.0], Plateau("val_m", 0.5, 1))
    (one,) = [each for each in caught if each.category is UserWarning]
    assert "does not know whether more or less of 'val_m'" in str(one.message)


def test_verbose_says_each_cut_in_a_line(capsys):
    fitted(sgd(40), WORSE[:4], Plateau("val_m", 0.5, 2, 1, mode="min"))
    line, *others = capsys.readouterr().out.splitlines()
    assert line.startswith("Epoch 3: Plateau(")
    assert line.endswith(" cuts the rate to 0.05.")
    assert not others


BAD = [
    ({"patience": 0}, "`patience` must be at least 1.*convention='torch'"),
    ({"factor": 1.0}, "`factor` must be below 1"),
    ({"factor": 0}, "`factor`"),
    ({"mode": "up"}, "`mode` must be one of"),
    ({"per": "batch"}, "`per` must be one of"),
    ({"per": "update"}, "`monitor` must be 'loss'"),
    ({"monitor": "loss", "per": "update", "restore_best": True}, "`restore_best`"),
    ({"stop": True}, "`min_lr` above 0"),
    ({"smoothing": 1.0}, "`smoothing` must be below 1"),
    ({"cooldown": -1}, "`cooldown`"),
    ({"min_delta": -1}, "`min_delta`"),
    ({"max_lr": 0.1, "min_lr": 0.2}, "`min_lr` must not exceed"),
    ({"threshold": "rel"}, "`threshold` must be one of"),
    ({"warmup": -3}, "`warmup`"),
]


@pytest.mark.parametrize(("arguments", "message"), BAD)
def test_bad_input_is_refused_before_any_training(arguments, message):
    with pytest.raises(ValueError, match=f"^Plateau: .*{message}"):
        Plateau(**arguments)
