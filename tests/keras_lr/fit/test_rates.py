from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import ops

import keras_lr
from keras_lr import phases
from tests.kit.probe import assert_rates, data, fit, recorded, watch, watched

pytestmark = pytest.mark.backend

TORCH = keras.backend.backend() == "torch"
optimizers = keras.optimizers
EVERY = {
    "sgd": lambda: optimizers.SGD(0.1),
    "momentum": lambda: optimizers.SGD(0.1, momentum=0.9),
    "nesterov": lambda: optimizers.SGD(0.1, momentum=0.9, nesterov=True),
    "rmsprop": lambda: optimizers.RMSprop(0.1),
    "rmsprop-momentum": lambda: optimizers.RMSprop(0.1, momentum=0.9),
    "adam": lambda: optimizers.Adam(0.1),
    "amsgrad": lambda: optimizers.Adam(0.1, amsgrad=True),
    "adamw": lambda: optimizers.AdamW(0.1),
    "adadelta": lambda: optimizers.Adadelta(0.1),
    "adagrad": lambda: optimizers.Adagrad(0.1),
    "adamax": lambda: optimizers.Adamax(0.1),
    "adafactor": lambda: optimizers.Adafactor(0.1),
    "nadam": lambda: optimizers.Nadam(0.1),
    "ftrl": lambda: optimizers.Ftrl(0.1),
    "lion": lambda: optimizers.Lion(0.1),
    "lamb": lambda: optimizers.Lamb(0.1),
    "muon": lambda: optimizers.Muon(0.1),
    "schedule-free": lambda: optimizers.ScheduleFreeAdamW(0.1),
}


@pytest.mark.parametrize("name", EVERY)
def test_every_optimizer_updates_at_the_scheduled_rate(name):
    if name == "schedule-free" and not hasattr(optimizers, "ScheduleFreeAdamW"):
        pytest.skip("this Keras has no ScheduleFreeAdamW")
    is_first = keras.__version__.startswith("3.12.")
    if name == "muon" and is_first and keras.backend.backend() == "tensorflow":
        pytest.skip("Muon of Keras 3.12 fails on TensorFlow without a schedule, too")
    schedule = keras_lr.OneCycle(max_lr=0.01)
    model = watched(EVERY[name](), 20)
    fit(model, [schedule], epochs=2)
    assert_rates(recorded(model), schedule.values(20))
    assert np.isfinite(model.get_weights()[-1]).all()


@pytest.mark.parametrize("name", ["sgd", "adamw"])
def test_a_weight_moves_by_exactly_the_scheduled_rate(name):
    # One weight an update: batch i has input e_i, so only weight i has a gradient.
    steps = 12
    model = keras.Sequential(
        [
            keras.Input((steps,)),
            keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros"),
        ]
    )
    model.compile(optimizers.SGD(0.1), loss=lambda y, out: ops.sum(out))
    schedule = keras_lr.WarmupCosine(max_lr=0.5, warmup=4)
    rows, options = np.eye(steps), {"batch_size": 1, "shuffle": False, "verbose": 0}
    model.fit(rows, np.zeros((steps, 1)), callbacks=[schedule], **options)
    assert_rates(-model.get_weights()[0][:, 0][:-1], schedule.values(steps)[:-1])
    assert model.get_weights()[0][-1, 0] == 0


@pytest.mark.skipif(TORCH, reason="Keras refuses steps_per_execution on torch")
@pytest.mark.parametrize("steps", [4, 3])
def test_rates_are_exact_under_steps_per_execution(steps):
    schedule = keras_lr.OneCycle(max_lr=0.01)
    model = watched(optimizers.Adam(), 20, steps_per_execution=steps)
    fit(model, [schedule], epochs=2)
    assert_rates(recorded(model), schedule.values(20))


@pytest.mark.parametrize("batches", [10, 7])
def test_gradient_accumulation_counts_updates_not_batches(batches):
    schedule = keras_lr.OneCycle(max_lr=0.01)
    updates = 2 * batches // 2
    model = watched(optimizers.Adam(gradient_accumulation_steps=2), updates)
    fit(model, [schedule], batches=batches, epochs=2)
    assert_rates(recorded(model), schedule.values(updates))


def test_logs_tell_the_last_update_that_is_complete_under_accumulation():
    schedule = keras_lr.LinearDecay(max_lr=0.1)
    model = watched(optimizers.SGD(0.5, gradient_accumulation_steps=3), 20)
    history = fit(model, [schedule], epochs=3).history
    # 10 batches are 3 updates and a third of one.
    assert_rates(history["learning_rate"], schedule.values(10)[[2, 5, 9]])
    model = watched(optimizers.SGD(0.5, gradient_accumulation_steps=15), 20)
    rows = []
    keep = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: rows.append(logs.get("learning_rate"))
    )
    fit(model, [keras_lr.Warmup(2), keep], epochs=3)
    assert rows == [None, pytest.approx(0.25), pytest.approx(0.5)]


def test_epochs_are_counted_in_updates_under_gradient_accumulation():
    schedule = keras_lr.Warmup("1.5 epochs")
    model = watched(optimizers.SGD(0.1, gradient_accumulation_steps=2), 10)
    fit(model, [schedule], epochs=2)
    assert_rates(recorded(model), 0.1 * keras_lr.Warmup(8).values(10))


def test_a_skipped_update_holds_the_schedule_still():
    schedule = keras_lr.LinearDecay(max_lr=0.01)
    inner = optimizers.SGD(0.1)
    model = watched(optimizers.LossScaleOptimizer(inner, initial_scale=2.0), 10)
    x, y = data(10)
    x[6] = np.inf
    model.fit(x, y, 2, 1, 0, [schedule], shuffle=False)
    assert_rates(recorded(model), [*schedule.values(10)[:9], 0.0])


def test_groups_of_a_multi_optimizer_keep_their_ratios():
    if not hasattr(optimizers, "MultiOptimizer"):
        pytest.skip("this Keras has no MultiOptimizer")
    fast, slow = optimizers.SGD(0.4), optimizers.SGD(0.1)
    both = optimizers.MultiOptimizer(optimizers.OptimizerMap(fast, {".*kernel": slow}))
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    model.compile(both, "mse")
    kernel, bias = model.trainable_variables
    both.build([kernel, bias])
    watch(fast, [bias], 10)
    watch(slow, [kernel], 10)
    schedule = keras_lr.WarmupCosine(max_lr=0.2, warmup=3)
    history = fit(model, [schedule])
    assert_rates(recorded(fast), schedule.values(10))
    assert_rates(recorded(slow), schedule.values(10) / 4)
    assert {f"learning_rate_{o.name}" for o in (fast, slow)} < set(history.history)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch.compile's own
@pytest.mark.parametrize(
    "options",
    [
        {"jit_compile": True},
        {"jit_compile": False},
        {"run_eagerly": True},
    ],
    ids=["jit", "no-jit", "eager"],
)
def test_rates_do_not_depend_on_how_the_step_is_compiled(options):
    schedule = keras_lr.OneCycle(max_lr=0.01)
    model = watched(optimizers.Adam(), 20, **options)
    fit(model, [schedule], epochs=2)
    assert_rates(recorded(model), schedule.values(20))


def test_an_average_of_the_weights_does_not_disturb_the_rate():
    schedule = keras_lr.OneCycle(max_lr=0.01)
    model = watched(optimizers.Adam(use_ema=True, ema_overwrite_frequency=4), 10)
    fit(model, [schedule])
    assert_rates(recorded(model), schedule.values(10))


@pytest.fixture
def _half():
    yield
    keras.config.set_dtype_policy("float32")
    keras.config.set_floatx("float32")


@pytest.mark.usefixtures("_half")
def test_rates_are_exact_in_mixed_precision():
    keras.config.set_dtype_policy("mixed_float16")
    schedule = keras_lr.OneCycle(max_lr=0.01)
    model = watched(optimizers.Adam(), 10)
    fit(model, [schedule])
    assert model.optimizer.inner_optimizer is not model.optimizer
    done = np.count_nonzero(recorded(model))
    assert done >= 8
    assert_rates(recorded(model)[:done], schedule.values(10)[:done])


@pytest.mark.usefixtures("_half")
def test_rates_are_exact_with_float16_as_floatx():
    keras.config.set_floatx("float16")
    schedule = keras_lr.OneCycle(max_lr=0.01)
    model = watched(optimizers.SGD(0.1), 10)
    fit(model, [schedule])
    assert_rates(recorded(model), schedule.values(10))


def test_a_schedule_multiplies_the_one_given_at_compile_time():
    compiled = optimizers.schedules.CosineDecay(0.1, 100)
    model = watched(optimizers.SGD(compiled), 10)
    fit(model, [keras_lr.Warmup(4)])
    own = np.array([float(compiled(step)) for step in range(10)])
    assert_rates(recorded(model), own * keras_lr.Warmup(4).values(10))


def test_schedules_of_one_fit_multiply():
    model = watched(optimizers.SGD(0.5), 10)
    both = [keras_lr.Warmup(4), keras_lr.CosineDecay(min_lr=0.01)]
    fit(model, both)
    product = both[0].values(10) * both[1].values(10, base_lr=0.5)
    assert_rates(recorded(model), product)


def test_a_relative_floor_beside_an_absolute_peak_is_that_rate():
    model = watched(optimizers.SGD(0.5), 10)
    both = [keras_lr.Warmup(4, max_lr=0.1), keras_lr.CosineDecay(min_lr=0.01)]
    fit(model, both)
    assert_rates(recorded(model)[-1:], [0.01])
    assert recorded(model).max() <= 0.1


@pytest.mark.parametrize("start", [2**24 - 3, 2**30])
def test_rates_are_exact_for_counters_beyond_float32(start):
    schedule = keras_lr.WarmupCosine(max_lr=0.01, warmup=3)
    optimizer = optimizers.SGD(0.1)
    optimizer._iterations.assign(start)
    model = watched(optimizer, 10)
    fit(model, [schedule])
    assert_rates(recorded(model), schedule.values(10))


def test_rates_are_exact_beyond_update_two_to_the_24():
    # The place in the run is what is large here: epoch 2 * 10**6 of ten updates.
    epoch = 2_000_000
    schedule = keras_lr.ExponentialDecay(
        max_lr=0.01, rate=0.5, every=10_000_000, horizon=20_000_010
    )
    model = watched(optimizers.SGD(0.1), 10)
    fit(model, [schedule], initial_epoch=epoch, epochs=epoch + 1)
    updates = epoch * 10 + np.arange(10)
    assert_rates(recorded(model), 0.01 * 0.5 ** (updates / 1e7))


def test_tables_that_end_before_the_run_are_laid_anew(monkeypatch):
    monkeypatch.setattr("keras_lr.fit.step.ROWS", 8)
    schedule = keras_lr.OneCycle(max_lr=0.01)
    model = watched(optimizers.Adam(), 30)
    fit(model, [schedule, keras_lr.Warmup(7)], epochs=3)
    assert_rates(recorded(model), schedule.values(30) * keras_lr.Warmup(7).values(30))


def test_own_phases_and_functions_run_as_they_are_drawn():
    own = keras_lr.Schedule(phases.linear(3), phases.hold(), phases.rex(4, to=0.1))
    step = keras_lr.Function(lambda t: 1.0 if t < 5 else 0.5)
    model = watched(optimizers.SGD(0.5), 10)
    fit(model, [own, step])
    assert_rates(recorded(model), 0.5 * own.values(10) * step.values(10))
