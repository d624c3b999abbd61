"""Schedules for one optimizer of several."""

from __future__ import annotations

import keras
import numpy as np
import pytest

import keras_lr
from tests.kit.gan import BACKEND, GAN, images
from tests.kit.probe import assert_rates, fit, recorded, watch

pytestmark = pytest.mark.backend

optimizers = keras.optimizers


def gan(d_rate=0.1, g_rate=0.2, **options):
    model = GAN(**options)
    model.compile(optimizers.SGD(d_rate), optimizers.SGD(g_rate))
    return model


def fit_gan(model, callbacks, batches=10, epochs=1, **options):
    x = images(batches)
    return model.fit(
        x,
        batch_size=2,
        epochs=epochs,
        shuffle=False,
        verbose=0,
        callbacks=callbacks,
        **options,
    ).history


def test_each_optimizer_of_a_gan_follows_the_schedule_that_names_it():
    model = gan()
    down = keras_lr.LinearDecay(max_lr=0.05, optimizer="d_optimizer")
    up = keras_lr.Warmup(15, optimizer="g_optimizer")
    history = fit_gan(model, [down, up], epochs=2)
    assert_rates(recorded(model.d_optimizer)[:20], down.values(20))
    assert_rates(recorded(model.g_optimizer)[:20], up.values(20, 0.2))
    assert_rates(history["learning_rate_d_optimizer"], down.values(20)[9::10])
    assert_rates(history["learning_rate_g_optimizer"], up.values(20, 0.2)[9::10])
    assert "learning_rate" not in history
    for optimizer, rate in ((model.d_optimizer, 0.1), (model.g_optimizer, 0.2)):
        assert optimizer.get_config()["learning_rate"] == np.float32(rate)
        assert isinstance(optimizer, optimizers.SGD)


def test_a_mapping_of_peaks_schedules_the_optimizers_that_it_names():
    model = gan()
    both = keras_lr.WarmupCosine({"d_optimizer": 0.05, "g_optimizer": 0.4}, warmup=3)
    fit_gan(model, [both])
    values = keras_lr.WarmupCosine(1.0, warmup=3).values(10)
    assert_rates(recorded(model.d_optimizer)[:10], 0.05 * values)
    assert_rates(recorded(model.g_optimizer)[:10], 0.4 * values)
    one = keras_lr.WarmupCosine({"g_optimizer": 0.4}, warmup=3)
    history = fit_gan(model, [one])
    assert_rates(recorded(model.d_optimizer)[10:20], 0.1)
    assert_rates(recorded(model.g_optimizer)[10:20], 0.4 * values)
    assert set(history) == {"d_loss", "g_loss", "learning_rate_g_optimizer"}


def test_schedules_of_one_optimizer_multiply_and_those_of_others_do_not():
    model = gan()
    schedules = [
        keras_lr.Warmup(4, optimizer="d_optimizer"),
        keras_lr.LinearDecay(optimizer="d_optimizer"),
        keras_lr.LinearDecay(max_lr=0.3, optimizer="g_optimizer"),
    ]
    fit_gan(model, schedules)
    warmup, down, other = (one.values(10, 0.1) for one in schedules)
    assert_rates(recorded(model.d_optimizer)[:10], warmup * down / 0.1)
    assert_rates(recorded(model.g_optimizer)[:10], other)


def test_momentum_of_one_optimizer_swings_with_its_rate():
    model = GAN()
    model.compile(optimizers.Adam(0.01), optimizers.Adam(0.02))
    schedule = keras_lr.OneCycle(max_lr=0.05, optimizer="d_optimizer")
    history = fit_gan(model, [schedule])
    assert_rates(history["momentum_d_optimizer"], 0.95)
    assert_rates(recorded(model.d_optimizer)[:10], schedule.values(10))
    assert_rates(recorded(model.g_optimizer)[:10], 0.02)
    assert model.d_optimizer.beta_1 == 0.9


def test_an_optimizer_that_updates_more_often_has_a_rate_for_each_update():
    model = gan(d_steps=3)
    d = keras_lr.ExponentialDecay(rate=0.5, every=9, optimizer="d_optimizer")
    g = keras_lr.ExponentialDecay(rate=0.5, every=9, optimizer="g_optimizer")
    history = fit_gan(model, [d, g], batches=30)
    assert_rates(recorded(model.d_optimizer)[:90], d.values(90, 0.1))
    assert_rates(recorded(model.g_optimizer)[:30], g.values(30, 0.2))
    assert_rates(history["learning_rate_d_optimizer"], d.values(90, 0.1)[-1])
    assert_rates(history["learning_rate_g_optimizer"], g.values(30, 0.2)[-1])


def test_a_schedule_lasts_as_long_as_its_fit_however_often_it_updates():
    model = gan(d_steps=3)
    down = keras_lr.LinearDecay(max_lr=0.3, optimizer="d_optimizer")
    fit_gan(model, [down], batches=8, epochs=2)
    # The first step of all shows how many updates it makes.
    assert_rates(recorded(model.d_optimizer)[3:48], down.values(48)[3:])
    fit_gan(model, [down], batches=8, epochs=2)
    assert_rates(recorded(model.d_optimizer)[48:96], down.values(48))


def test_each_optimizer_goes_on_at_its_own_place_of_a_horizon(capsys):
    model = gan(d_steps=2)
    d, g = (
        keras_lr.LinearDecay(max_lr=0.4, optimizer=name, horizon="3 epochs")
        for name in ("d_optimizer", "g_optimizer")
    )
    for _ in range(2):
        fit_gan(model, [d, g], batches=5)
    d_values = d.values(30, steps_per_epoch=10)
    assert_rates(recorded(model.d_optimizer)[2:20], d_values[2:20])
    g_values = g.values(15, steps_per_epoch=5)
    assert_rates(recorded(model.g_optimizer)[:10], g_values[:10])
    assert capsys.readouterr().out.count("goes on") == 2


def test_a_resume_of_a_plan_whose_pace_was_found_out_warns_of_nothing():
    model = gan(d_steps=2)
    down = keras_lr.LinearDecay(optimizer="d_optimizer")
    stop = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: setattr(model, "stop_training", True)
    )
    fit_gan(model, [down, stop], batches=5, epochs=3)
    fit_gan(model, [down], batches=5, epochs=3, initial_epoch=1)
    assert_rates(recorded(model.d_optimizer)[2:30], down.values(30, 0.1)[2:])


def test_logs_tell_the_rates_of_an_optimizer_beside_one_that_is_idle():
    model = gan()
    down = keras_lr.LinearDecay(max_lr=0.05, optimizer="d_optimizer", horizon=20)
    seen = []

    class Reads(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append(float(self.model.d_optimizer.learning_rate))

    model.optimizer.build(model.trainable_variables)
    with pytest.warns(UserWarning, match=r"Warmup.*no effect"):
        history = fit_gan(model, [keras_lr.Warmup(5), down, Reads()])
    assert_rates(history["learning_rate_d_optimizer"], down.values(20)[9])
    assert "learning_rate" not in history
    assert_rates(seen, down.values(20)[:10])
    fit_gan(model, [down])
    assert_rates(recorded(model.d_optimizer)[:20], down.values(20))


def test_a_second_fit_and_a_table_of_rates_reach_a_named_optimizer():
    class Halves(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            rate = self.model.d_optimizer.learning_rate
            self.model.d_optimizer.learning_rate = rate * 0.5

    model = gan()
    down = keras_lr.LinearDecay(max_lr=0.4, optimizer="d_optimizer")
    fit_gan(model, [down, Halves()], epochs=2)
    fit_gan(model, [down])
    cut = np.repeat([1.0, 0.5], 10)
    assert_rates(recorded(model.d_optimizer)[:20], down.values(20) * cut)
    assert_rates(recorded(model.d_optimizer)[20:30], down.values(10))


def test_a_name_that_is_not_there_is_refused_before_any_update():
    model = gan()
    with pytest.raises(ValueError, match=r"optimizer='dd'.*'d_optimizer', 'g_opt"):
        fit_gan(model, [keras_lr.LinearDecay(optimizer="dd")])
    assert not recorded(model.d_optimizer).any()


def test_bad_names_and_peaks_are_refused_where_they_are_written():
    with pytest.raises(TypeError, match="optimizer=3"):
        keras_lr.LinearDecay(optimizer=3)
    with pytest.raises(ValueError, match="as a mapping"):
        keras_lr.LinearDecay(max_lr={"d": 0.1}, optimizer="d")
    with pytest.raises(ValueError, match="as a mapping"):
        keras_lr.LinearDecay(max_lr={})
    with pytest.raises(ValueError, match=r"max_lr\['d'\]"):
        keras_lr.LinearDecay(max_lr={"d": -0.1})
    with pytest.raises(TypeError, match="names of optimizers"):
        keras_lr.LinearDecay(max_lr={3: 0.1})
    with pytest.raises(ValueError, match="one peak"):
        keras_lr.LinearDecay(max_lr={"d": 0.1}).values(10)
    one = keras_lr.LinearDecay(max_lr=0.1, optimizer="d_optimizer")
    other = keras_lr.LinearDecay(max_lr={"d_optimizer": 0.2})
    with pytest.raises(ValueError, match="Only one schedule"):
        fit_gan(gan(), [one, other])


def test_a_schedule_for_one_optimizer_survives_its_config():
    for schedule in (
        keras_lr.OneCycle(optimizer="d_optimizer"),
        keras_lr.OneCycle(max_lr={"d_optimizer": 0.1, "g_optimizer": 0.2}),
        keras_lr.Schedule(keras_lr.phases.linear(2), optimizer="d_optimizer"),
    ):
        again = type(schedule).from_config(schedule.get_config())
        assert repr(again) == repr(schedule)
        assert "d_optimizer" in repr(again)


@pytest.mark.skipif(
    BACKEND != "jax", reason="others hold an optimizer's state in place"
)
def test_an_optimizer_whose_state_is_not_carried_is_refused_on_jax():
    model = gan(carries=False)
    with pytest.raises(ValueError, match="the model carries in the state of its step"):
        fit_gan(model, [keras_lr.LinearDecay(optimizer="d_optimizer")])
    assert isinstance(model.d_optimizer, optimizers.SGD)
    assert model.d_optimizer.get_config()["learning_rate"] == np.float32(0.1)


@pytest.mark.skipif(
    not hasattr(optimizers, "MultiOptimizer"), reason="this Keras has no MultiOptimizer"
)
def test_one_of_a_multi_optimizer_is_named_by_its_name():
    fast = optimizers.SGD(0.4, name="fast")
    slow = optimizers.SGD(0.1, name="slow")
    both = optimizers.MultiOptimizer(optimizers.OptimizerMap(fast, {".*kernel": slow}))
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    model.compile(both, "mse")
    kernel, bias = model.trainable_variables
    both.build([kernel, bias])
    watch(fast, [bias], 40)
    watch(slow, [kernel], 40)
    one = keras_lr.LinearDecay(max_lr=0.2, optimizer="slow")
    history = fit(model, [one]).history
    assert_rates(recorded(slow)[:10], one.values(10))
    assert_rates(recorded(fast)[:10], 0.4)
    assert set(history) == {"loss", "learning_rate_slow"}
    # Beside a schedule of all of them, they multiply.
    warmup = keras_lr.Warmup(5)
    fit(model, [one, warmup])
    assert_rates(recorded(slow)[10:20], one.values(10) * warmup.values(10))
    assert_rates(recorded(fast)[10:20], 0.4 * warmup.values(10))
    mapping = keras_lr.LinearDecay(max_lr={"slow": 0.3, "fast": 0.2})
    fit(model, [mapping])
    values = keras_lr.LinearDecay().values(10)
    assert_rates(recorded(slow)[20:30], 0.3 * values)
    assert_rates(recorded(fast)[20:30], 0.2 * values)


@pytest.mark.skipif(
    not hasattr(optimizers, "MultiOptimizer"), reason="this Keras has no MultiOptimizer"
)
def test_those_that_a_function_chooses_are_scheduled_from_the_first_fit_on():
    fast = optimizers.SGD(0.4, name="fast")
    slow = optimizers.SGD(0.1, name="slow")

    def choose(variable):
        return slow if variable.name == "kernel" else fast

    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    model.compile(optimizers.MultiOptimizer(choose), "mse")
    halves = keras_lr.Function(lambda step: 0.5)
    history = fit(model, [halves]).history
    assert history["learning_rate_slow"] == pytest.approx([0.05])
    assert history["learning_rate_fast"] == pytest.approx([0.2])
    unbuilt = keras.Sequential([keras.layers.Dense(2)])
    unbuilt.compile(optimizers.MultiOptimizer(choose), "mse")
    with pytest.raises(ValueError, match="once the model has weights"):
        keras_lr.lint(keras_lr.Warmup(3), epochs=1, steps_per_epoch=9, model=unbuilt)


@pytest.mark.parametrize("wrap", [False, True], ids=["plain", "loss-scaled"])
def test_an_optimizer_that_is_the_compiled_one_too_can_be_named(wrap):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    inner = optimizers.SGD(0.1)
    model.compile(optimizers.LossScaleOptimizer(inner) if wrap else inner, "mse")
    model.mine = model.optimizer
    model.optimizer.build(model.trainable_variables)
    watch(inner, model.trainable_variables, 10)
    down = keras_lr.LinearDecay(optimizer="mine")
    history = fit(model, [down]).history
    assert_rates(recorded(inner), down.values(10, 0.1))
    assert "learning_rate_mine" in history
