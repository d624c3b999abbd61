"""Rates that others write while a schedule runs."""

from __future__ import annotations

import copy
import pickle

import keras
import numpy as np
import pytest
from keras import ops

import keras_lr
from keras_lr.fit.rate import IS_NUMPY_1
from tests.kit.probe import assert_rates, fit, recorded, watched

pytestmark = pytest.mark.backend

optimizers = keras.optimizers


class Do(keras.callbacks.Callback):
    """Does something with the optimizer at the end of one epoch."""

    def __init__(self, do, epoch=0, hook="on_epoch_end"):
        super().__init__()
        self.do = do
        self.epoch = epoch
        setattr(self, hook, self.act)

    def act(self, epoch, logs=None):
        if epoch == self.epoch:
            self.do(self.model.optimizer)


def own_rate(model):
    return float(np.asarray(ops.convert_to_numpy(model.optimizer.learning_rate)))


def test_a_number_set_in_a_warmup_is_what_the_warmup_multiplies():
    def set_it(optimizer):
        optimizer.learning_rate = 0.1

    model = watched(optimizers.SGD(1.0), 30)
    warmup = keras_lr.Warmup("2 epochs")
    fit(model, [warmup, Do(set_it)], epochs=3)
    factors = warmup.values(30, steps_per_epoch=10)
    assert_rates(recorded(model), factors * np.repeat([1.0, 0.1, 0.1], 10))
    assert own_rate(model) == np.float32(0.1)


@pytest.mark.parametrize("beside", ["own", "peak"])
@pytest.mark.parametrize("order", [1, -1], ids=["schedule-first", "table-first"])
def test_a_table_of_rates_is_what_the_schedule_multiplies(beside, order):
    table = keras.callbacks.LearningRateScheduler(lambda epoch: [1.0, 0.1, 0.2][epoch])
    peak = {} if beside == "own" else {"max_lr": 0.5}
    decay = keras_lr.LinearDecay(min_lr=0.0, **peak)
    model = watched(optimizers.SGD(1.0), 30)
    fit(model, [decay, table][::order], epochs=3)
    factors = keras_lr.LinearDecay().values(30)
    assert_rates(recorded(model), factors * np.repeat([1.0, 0.1, 0.2], 10))
    assert own_rate(model) == np.float32(0.2 if beside == "own" else 1.0)


def test_a_function_of_the_last_rate_is_handed_what_the_schedule_multiplies():
    handed = []

    def halve(epoch, lr):
        handed.append(lr)
        return lr * 0.5 if epoch else lr

    table = keras.callbacks.LearningRateScheduler(halve)
    model = watched(optimizers.SGD(1.0), 30)
    warmup = keras_lr.Warmup("2 epochs", max_lr=0.4)
    fit(model, [warmup, table], epochs=3)
    assert_rates(handed, [0.4, 0.4, 0.2])
    factors = keras_lr.Warmup("2 epochs").values(30, steps_per_epoch=10)
    assert_rates(recorded(model), factors * np.repeat([0.4, 0.2, 0.1], 10))
    assert own_rate(model) == 1.0


@pytest.mark.parametrize("beside", ["own", "peak"])
def test_a_plateau_cuts_what_is_in_force_by_its_ratio(beside):
    plateau = keras.callbacks.ReduceLROnPlateau("loss", 0.5, 1, min_delta=1e9)
    peak = {} if beside == "own" else {"max_lr": 0.3}
    warmup = keras_lr.Warmup(25, **peak)
    model = watched(optimizers.SGD(0.1), 30)
    fit(model, [plateau, warmup], epochs=3)
    top = 0.1 if beside == "own" else 0.3
    factors = keras_lr.Warmup(25).values(30)
    cuts = np.repeat([1, 1, 0.5], 10)
    assert_rates(recorded(model), top * factors * cuts)
    # The last epoch is cut as well.
    assert own_rate(model) == np.float32(0.1 * (0.25 if beside == "own" else 1.0))


def test_a_plateau_stops_where_its_floor_is_in_force():
    plateau = keras.callbacks.ReduceLROnPlateau(
        "loss", 0.1, 1, min_delta=1e9, min_lr=0.02
    )
    decay = keras_lr.PiecewiseConstant([10], [1.0, 0.5])
    model = watched(optimizers.SGD(0.1), 40)
    fit(model, [decay, plateau], epochs=4)
    # At the end of the second epoch 0.05 is in force: 0.005 is below the floor.
    rates = np.repeat([0.1, 0.05, 0.02, 0.02], 10)
    assert_rates(recorded(model), rates)


def times(factor):
    def scale(optimizer):
        optimizer.learning_rate = optimizer.learning_rate * factor

    return scale


def assigned(factor):
    def scale(optimizer):
        rate = optimizer.learning_rate
        rate.assign(rate * factor)

    return scale


def in_place(factor):
    def scale(optimizer):
        optimizer.learning_rate *= factor

    return scale


def divided(factor):
    def scale(optimizer):
        optimizer.learning_rate = optimizer.learning_rate / (1 / factor)

    return scale


def by_numpy(factor):
    def scale(optimizer):
        optimizer.learning_rate = np.maximum(
            optimizer.learning_rate * np.float64(factor), 1e-7
        )

    return scale


def at_least(factor):
    def scale(optimizer):
        optimizer.learning_rate = max(round(optimizer.learning_rate * factor, 7), 1e-7)

    return scale


def from_the_left_by_numpy(factor):
    def scale(optimizer):
        optimizer.learning_rate = np.float64(factor) * optimizer.learning_rate

    return scale


WAYS = [times, assigned, in_place, divided, by_numpy, at_least]
# NumPy 1 does not ask what it multiplies: then a ratio is lost, and the user told.
UNASKED = [from_the_left_by_numpy(0.5)] if IS_NUMPY_1 else []
WAYS += [] if IS_NUMPY_1 else [from_the_left_by_numpy]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("hook", ["on_epoch_begin", "on_epoch_end"])
def test_arithmetic_on_the_rate_scales_what_is_in_force(way, hook):
    decay = keras_lr.LinearDecay(max_lr=0.4)
    model = watched(optimizers.SGD(0.1), 30)
    fit(model, [decay, Do(way(0.5), 1, hook)], epochs=3)
    begin = 10 if hook == "on_epoch_begin" else 20
    cut = np.where(np.arange(30) < begin, 1.0, 0.5)
    assert_rates(recorded(model), decay.values(30) * cut)
    assert own_rate(model) == np.float32(0.1)


def test_a_rate_of_zero_in_force_is_scaled_as_any_other():
    factors = keras_lr.PiecewiseConstant([10, 20], [1.0, 0.0, 1.0])
    model = watched(optimizers.SGD(0.1), 30)
    fit(model, [factors, Do(times(0.5), 1)], epochs=3)
    assert_rates(recorded(model), np.repeat([0.1, 0.0, 0.05], 10))


def test_the_same_rate_set_twice_is_set_once():
    def twice(optimizer):
        half = optimizer.learning_rate * 0.5
        optimizer.learning_rate = half
        optimizer.learning_rate = half

    model = watched(optimizers.SGD(0.1), 20)
    fit(model, [keras_lr.Warmup(4), Do(twice)], epochs=2)
    assert_rates(recorded(model)[10:], 0.05)


def test_two_callbacks_that_halve_make_a_quarter():
    model = watched(optimizers.SGD(0.1), 20)
    halves = [Do(times(0.5)), Do(assigned(0.5))]
    fit(model, [keras_lr.Warmup(4), *halves], epochs=2)
    assert_rates(recorded(model)[10:], 0.025)


def scaled(rate, updates):
    """A model under loss scaling, whose wrapper hands the rate on."""
    wrapper = optimizers.LossScaleOptimizer(optimizers.SGD(rate), initial_scale=2.0)
    return watched(wrapper, updates)


def test_under_loss_scaling_keras_callbacks_are_known_as_well():
    plateau = keras.callbacks.ReduceLROnPlateau("loss", 0.5, 1, min_delta=1e9)
    warmup = keras_lr.Warmup(25)
    model = scaled(0.1, 30)
    fit(model, [warmup, plateau], epochs=3)
    cuts = np.repeat([1, 1, 0.5], 10)
    assert_rates(inner_rates(model), 0.1 * warmup.values(30) * cuts)
    handed = []
    table = keras.callbacks.LearningRateScheduler(
        lambda epoch, lr: handed.append(lr) or lr * 0.5
    )
    fit(scaled(0.1, 30), [keras_lr.Warmup(15), table], epochs=2)
    assert_rates(handed, [0.1, 0.05])


def test_under_loss_scaling_arithmetic_keeps_its_ratio_and_warns_without():
    warmup = keras_lr.Warmup("2 epochs")
    model = scaled(0.1, 30)
    fit(model, [warmup, Do(in_place(0.5))], epochs=2)
    own = np.repeat([0.1, 0.05], 10)
    factors = warmup.values(20, steps_per_epoch=10)
    assert_rates(inner_rates(model)[:20], own * factors)
    with pytest.warns(UserWarning, match=r"learning_rate \* 0\.5"):
        fit(scaled(0.1, 30), [warmup, Do(lossy)], epochs=2)


def inner_rates(model):
    return recorded(model.optimizer.inner_optimizer)


def lossy_by_maximum(optimizer):
    rate = ops.maximum(optimizer.learning_rate * 0.5, 1e-7)
    optimizer.learning_rate = rate


def test_what_a_script_without_a_name_sets_is_set():
    names = {}
    script = "def set_it(optimizer):\n    optimizer.learning_rate = 0.25"
    exec(script, names)
    model = watched(optimizers.SGD(1.0), 20)
    fit(model, [keras_lr.Warmup(4), Do(names["set_it"])], epochs=2)
    assert_rates(recorded(model)[10:], 0.25)


def lossy(optimizer):
    optimizer.learning_rate = float(optimizer.learning_rate) * 0.5


def lossy_by_assign(optimizer):
    rate = optimizer.learning_rate
    rate.assign(ops.convert_to_numpy(rate) * 0.5)


LOSSY = [lossy, lossy_by_assign, lossy_by_maximum, *UNASKED]


@pytest.mark.parametrize("way", LOSSY)
def test_a_number_that_was_read_and_has_lost_its_ratio_warns_once(way):
    if way is lossy_by_maximum and keras.backend.backend() == "torch":
        pytest.skip("torch makes a tensor of a float without asking it")
    model = watched(optimizers.SGD(1.0), 30)
    warmup = keras_lr.Warmup("2 epochs")
    with pytest.warns(UserWarning, match=r"Warmup.*learning_rate \* 0\.5") as seen:
        fit(model, [warmup, Do(way, 0), Do(way, 1)], epochs=3)
    assert sum("* 0.5" in str(one.message) for one in seen) == 1
    # 0.5 was in force, and 0.25 is the new peak.
    factors = warmup.values(30, steps_per_epoch=10)
    assert_rates(recorded(model)[:20], factors[:20] * np.repeat([1.0, 0.25], 10))


def read(optimizer):
    assert 0 < float(optimizer.learning_rate) <= 1


def write(optimizer):
    optimizer.learning_rate = 0.5


def write_by_assign(optimizer):
    optimizer.learning_rate.assign(0.5)


def write_if_high(optimizer):
    if optimizer.learning_rate > 0.01:
        optimizer.learning_rate = 0.01


@pytest.mark.parametrize("way", [read, write, write_by_assign, write_if_high])
def test_a_rate_that_is_only_set_or_only_read_warns_of_nothing(way):
    table = keras.callbacks.LearningRateScheduler(lambda epoch, lr: lr * 0.9)
    plateau = keras.callbacks.ReduceLROnPlateau("loss", 0.5, 1, min_delta=1e9)
    callbacks = [keras_lr.Warmup("2 epochs"), table, plateau, Do(read), Do(way)]
    # Any warning is an error in these tests.
    fit(watched(optimizers.SGD(1.0), 20), callbacks, epochs=2)


def test_what_is_set_through_a_reference_kept_from_before_counts():
    model = watched(optimizers.SGD(1.0), 20)
    kept = model.optimizer

    class Keeps(keras.callbacks.Callback):
        # No look at `self.model`, which on JAX writes all values back.
        def on_train_batch_begin(self, batch, logs=None):
            if batch == 4:
                kept.learning_rate = 0.25

    warmup = keras_lr.Warmup(8)
    fit(model, [warmup, Keeps()], epochs=2)
    own = np.where(np.arange(20) < 4, 1.0, 0.25)
    assert_rates(recorded(model), own * warmup.values(20))


def test_the_peak_that_was_set_is_of_its_fit_alone():
    def set_it(optimizer):
        optimizer.learning_rate = 0.2

    decay = keras_lr.LinearDecay(max_lr=0.4)
    model = watched(optimizers.SGD(0.1), 40)
    fit(model, [decay, Do(set_it)], epochs=2)
    fit(model, [decay], epochs=2)
    values = decay.values(20)
    assert_rates(recorded(model)[:20], values * np.repeat([1.0, 0.5], 10))
    assert_rates(recorded(model)[20:], values)


def test_the_compiled_rate_is_back_after_an_interrupt_too():
    def set_it(optimizer):
        optimizer.learning_rate = 0.2

    def stop(optimizer):
        raise KeyboardInterrupt

    model = watched(optimizers.SGD(0.1), 40)
    callbacks = [keras_lr.LinearDecay(max_lr=0.4), Do(set_it), Do(stop, 1)]
    with pytest.raises(KeyboardInterrupt):
        fit(model, callbacks, epochs=3)
    assert own_rate(model) == np.float32(0.1)


@pytest.mark.skipif(
    not hasattr(optimizers, "MultiOptimizer"), reason="this Keras has no MultiOptimizer"
)
def test_groups_of_a_multi_optimizer_are_set_one_by_one():
    fast, slow = optimizers.SGD(0.4), optimizers.SGD(0.1)
    both = optimizers.MultiOptimizer(optimizers.OptimizerMap(fast, {".*kernel": slow}))
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    model.compile(both, "mse")
    read = []

    def halve_slow(optimizer):
        slow.learning_rate = slow.learning_rate * 0.5

    class Look(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            read.append([float(one.learning_rate) for one in (fast, slow)])

    decay = keras_lr.StepDecay(max_lr=0.8, every=10, rate=0.5)
    x = np.ones((20, 4), "float32")
    model.fit(x, x[:, :1], 2, 2, 0, [decay, Do(halve_slow), Look()])
    assert_rates(read, [[0.8, 0.2], [0.4, 0.05]])
    # It was the peak of that fit.
    own = [float(ops.convert_to_numpy(one.learning_rate)) for one in (fast, slow)]
    assert_rates(own, [0.4, 0.1])


def test_the_rate_that_is_read_works_as_the_variable_of_keras():
    seen = []

    class Use(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            rate = self.model.optimizer.learning_rate
            expected = np.float32(logs["learning_rate"])
            for one in (
                float(rate),
                rate.numpy(),
                ops.convert_to_numpy(rate.value),
                ops.convert_to_numpy(ops.convert_to_tensor(rate)),
                ops.convert_to_numpy(rate),
                np.asarray(rate),
                np.array(rate, dtype="float32"),
                rate.numpy().item(),
                ops.convert_to_numpy(ops.multiply(rate, 2.0)) / 2,
                ops.convert_to_numpy(ops.convert_to_tensor(2.0) * rate) / 2,
            ):
                np.testing.assert_allclose(np.float32(one), expected, rtol=1e-6)
            assert round(rate, 5) == round(float(expected), 5)
            assert f"{rate:.4f}" == f"{float(expected):.4f}"
            assert rate.shape == ()
            assert rate.dtype == "float32"
            assert rate > 0
            assert isinstance(rate, float)
            for copied in (
                copy.copy(rate),
                copy.deepcopy(rate),
                pickle.loads(pickle.dumps(rate)),
            ):
                assert type(copied) is float
                assert copied == rate
            seen.append(rate)

    fit(watched(optimizers.SGD(0.1), 20), [keras_lr.Warmup(16), Use()], epochs=2)
    assert len(seen) == 2
