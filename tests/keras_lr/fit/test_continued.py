"""Fits that go on under another plan: by themselves, or by a schedule extended."""

from __future__ import annotations

import copy

import keras
import numpy as np
import pytest

import keras_lr
from tests.keras_lr.fit.test_pieces import fit_unknown, real
from tests.kit.probe import assert_rates, fit, recorded, watched

pytestmark = pytest.mark.backend

optimizers = keras.optimizers


def stop_after(model, epoch):
    return keras.callbacks.LambdaCallback(
        on_epoch_end=lambda at, logs: setattr(model, "stop_training", at == epoch - 1)
    )


def test_a_run_becomes_shorter_and_longer_and_never_jumps(capsys):
    model = watched(optimizers.SGD(0.5), 90)
    schedule = keras_lr.WarmupCosine(max_lr=0.1, on_extend="continue")
    fit(model, [schedule, stop_after(model, 2)], epochs=4)
    fit(model, [schedule], initial_epoch=2, epochs=3)
    # Another callback like it; the fit is interrupted, and resumed under its own plan.
    again = copy.deepcopy(schedule)
    fit(model, [again, stop_after(model, 4)], initial_epoch=3, epochs=6)
    fit(model, [again], initial_epoch=4, epochs=6)
    expected = schedule.extend(20, 30, planned=40).extend(30, 60)
    assert_rates(recorded(model)[:60], expected.values(60))
    said = capsys.readouterr().out.splitlines()
    assert said == [
        "WarmupCosine(max_lr=0.1, on_extend='continue') goes on at update 20: planned "
        "for 40 updates, it goes over into a plan for 30 within 1.",
        "WarmupCosine(max_lr=0.1, on_extend='continue') goes on at update 30: planned "
        "for 30 updates, it goes over into a plan for 60 within 2.",
    ]
    # From an earlier epoch on: what was changed behind it is undone.
    fit(model, [schedule], initial_epoch=2, epochs=5)
    expected = schedule.extend(20, 50, planned=40)
    assert_rates(recorded(model)[60:90], expected.values(50)[20:])


def test_the_rungs_of_hyperband_go_on_with_models_made_anew():
    # As KerasTuner does: for each rung a model, the weights of the last one, a copy of
    # the callbacks, and the epochs that are still to be made.
    schedule = keras_lr.OneCycle(max_lr=0.1, on_extend="continue")
    weights = None
    before = 0
    for epochs in (2, 6, 18):
        model = watched(optimizers.SGD(0.5, momentum=0.9), 120)
        if weights is not None:
            model.set_weights(weights)
        plan = schedule.extend(10 * before, 10 * epochs) if before else schedule
        callbacks = copy.deepcopy([schedule])
        fit(model, callbacks, initial_epoch=before, epochs=epochs)
        expected = plan.values(10 * epochs)[10 * before :]
        assert_rates(recorded(model)[: len(expected)], expected)
        weights = model.get_weights()
        before = epochs


class PowerCut(keras.callbacks.Callback):
    def __init__(self, epoch):
        super().__init__()
        self.at = epoch

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.at:
            raise KeyboardInterrupt


@pytest.mark.parametrize(("begun", "order"), [(0, 1), (1, -1)])
def test_a_run_that_a_backup_resumes_has_the_plan_that_it_had(tmp_path, begun, order):
    schedule = keras_lr.LinearDecay(on_extend="continue")
    rates = []
    for at in (2, None):
        model = watched(optimizers.SGD(0.5), 30)
        both = [schedule, keras.callbacks.BackupAndRestore(tmp_path)][::order]
        options = {"initial_epoch": begun, "epochs": 3, "batches": 5}
        if at is None:
            fit(model, both, **options)
        else:
            with pytest.raises(KeyboardInterrupt):
                fit(model, [*both, PowerCut(at)], **options)
        rates.append(recorded(model))
    # The backup has the log of rates, which is a variable of the optimizer.
    plan = schedule.extend(5, 15) if begun else schedule
    expected = plan.values(15, 0.5)[5 * begun :]
    assert_rates(rates[-1][: len(expected)], expected)


def test_an_update_of_several_batches_is_one():
    model = watched(optimizers.SGD(0.5, gradient_accumulation_steps=2), 30)
    schedule = keras_lr.LinearDecay(on_extend="continue")
    fit(model, [schedule], batches=5, epochs=3)
    fit(model, [schedule], batches=5, initial_epoch=3, epochs=6)
    assert_rates(recorded(model)[:15], schedule.extend(7, 15).values(15, 0.5))


def test_a_horizon_is_a_plan_that_does_not_change():
    model = watched(optimizers.SGD(0.5), 10)
    schedule = keras_lr.LinearDecay(horizon="3 epochs", on_extend="continue")
    fit(model, [schedule], batches=5, initial_epoch=1, epochs=3)
    expected = schedule.values(15, 0.5, steps_per_epoch=5)
    assert_rates(recorded(model), expected[5:])


@pytest.mark.filterwarnings("ignore:Your input ran out of data")
def test_data_of_unknown_length_have_been_counted_when_more_epochs_follow():
    model = watched(optimizers.SGD(0.5), 70)
    schedule = keras_lr.FlatCosine(decay="50%", on_extend="continue")
    fit_unknown(model, [schedule], batches=5, epochs=4)
    fit_unknown(model, [schedule], batches=5, initial_epoch=4, epochs=6)
    assert_rates(real(model, 5, 6), schedule.extend(20, 30).values(30, 0.5))


def test_what_was_extended_goes_on_in_a_fit_at_its_epoch_or_behind_its_horizon(capsys):
    model = watched(optimizers.SGD(0.5), 40)
    schedule = keras_lr.LinearDecay(horizon="2 epochs")
    fit(model, [schedule], epochs=2)
    extended = schedule.extend("2 epochs", "3 epochs", warmup=3)
    fit(model, [extended])
    expected = extended.values(30, 0.5, steps_per_epoch=10)
    assert_rates(recorded(model)[:30], expected)
    assert "goes on at update 20 of its horizon of 30" in capsys.readouterr().out
    fit(model, [keras_lr.Rex().extend(20, 30)], initial_epoch=2, epochs=3)
    expected = keras_lr.Rex().extend(20, 30).values(30, 0.5)
    assert_rates(recorded(model)[30:40], expected[20:])


def test_the_warning_says_where_the_plan_changes_and_the_ways_out():
    model = watched(optimizers.SGD(0.5), 60)
    fit(model, [keras_lr.CosineDecay(), stop_after(model, 4)], epochs=5)
    with pytest.warns(UserWarning, match="is laid over") as seen:
        fit(model, [keras_lr.CosineDecay()], initial_epoch=4, epochs=6)
    said = [str(one.message) for one in seen if "laid over" in str(one.message)]
    assert said == [
        "CosineDecay() is laid over 60 updates, and was over 50 in the last fit of "
        "this model: at update 40, where this fit goes on, the learning rate jumps "
        "from 0.0496 to 0.117. To go over into the new plan, give it "
        "on_extend='continue', or extend it by .extend(40, 60, planned=50). To plan "
        "once for all, give it the length of the whole run in every fit, such as "
        "horizon='6 epochs'."
    ]


def test_where_nothing_jumps_nothing_is_said(capsys):
    model = watched(optimizers.SGD(0.5), 60)
    for word in ("warn", "continue"):
        schedule = keras_lr.WarmupStableDecay(on_extend=word)
        fit(model, [schedule, stop_after(model, 2)], epochs=4)
        fit(model, [schedule, stop_after(model, 3)], initial_epoch=2, epochs=8)
    assert capsys.readouterr().out == ""
    np.testing.assert_allclose(recorded(model)[50:60], 0.5)


class Rates(keras.callbacks.Callback):
    def __init__(self, at_end_of_first=None):
        super().__init__()
        self.seen = []
        self.do = at_end_of_first

    def on_train_batch_end(self, batch, logs=None):
        self.seen.append(float(self.model.optimizer.learning_rate))

    def on_epoch_end(self, epoch, logs=None):
        if self.do is not None:
            self.do(self.model)
            self.do = None


def test_a_warmup_since_the_fit_begins_anew_with_each_fit_and_each_compile():
    def compile_anew(model):
        model.compile(optimizers.SGD(0.5), "mse")

    model = watched(optimizers.SGD(0.5), 60)
    warmup = keras_lr.Warmup(4, since="fit", horizon="9 epochs")
    rise = warmup.values(10, 0.5, steps_per_epoch=10)
    fit(model, [warmup], epochs=2)
    fit(model, [warmup], initial_epoch=2, epochs=3)
    # On where its horizon stands.
    fit(model, [warmup])
    first = model.optimizer
    noted = Rates(compile_anew)
    fit(model, [warmup, noted], initial_epoch=4, epochs=7)
    full = np.full(10, 0.5)
    assert_rates(recorded(first)[:50], [*rise, *full, *rise, *rise, *rise])
    assert_rates(noted.seen, [*rise, *rise, *full])
