"""The scheduled step is traced once in a model's life, and is the right one."""

from __future__ import annotations

import gc
import resource
import sys
import tracemalloc
from functools import partial
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import ops

import keras_lr
from tests.kit import sweeps
from tests.kit.probe import assert_rates, data, fit, recorded, watch, watched

pytestmark = pytest.mark.backend

BACKEND = keras.backend.backend()
traced_only = pytest.mark.skipif(BACKEND == "torch", reason="torch does not trace")
optimizers = keras.optimizers
EVERY = {
    "momentum": lambda: optimizers.SGD(0.1, momentum=0.9),
    "adam": lambda: optimizers.Adam(0.1),
    "adamw": lambda: optimizers.AdamW(0.1, weight_decay=0.01),
}
every_optimizer = pytest.mark.parametrize("name", EVERY)


def counting(optimizer, updates=99, units=2, layers=(), **compile):
    """A model whose optimizer records its rates, and the list of its traces.

    The list has True for each trace of a training step, False for one of an evaluation.
    """
    traces = []

    class Counts(keras.layers.Layer):
        def call(self, x, training=False):
            traces.append(bool(training))
            return x

    keras.utils.set_random_seed(0)
    first = [keras.Input((4,)), Counts(), keras.layers.Dense(3)]
    model = keras.Sequential([*first, *layers, keras.layers.Dense(units)])
    model.compile(optimizer, **{"loss": "mse", **compile})
    # Unbuilt, it would have Keras trace twice on TensorFlow.
    optimizer.build(model.trainable_variables)
    watch(optimizer, model.trainable_variables, updates)
    traces.clear()
    return model, traces


def reset(model, values):
    for variable, value in zip(variables(model), values, strict=True):
        variable.assign(value)


def variables(model):
    return [*model.variables, *model.optimizer.variables]


def state(model):
    return [np.array(ops.convert_to_numpy(v.value)) for v in variables(model)]


# What traces.


@traced_only
@pytest.mark.filterwarnings("ignore:.*is laid over:UserWarning")  # on purpose
@every_optimizer
def test_a_later_scheduled_fit_traces_nothing_whatever_its_schedule(name):
    model, traces = counting(EVERY[name]())
    fit(model, [keras_lr.LinearDecay()])
    first = len(traces)
    assert traces.count(True) == 1
    fits = [
        ([keras_lr.Warmup(3)], {"epochs": 2}),
        ([keras_lr.OneCycle(max_lr=0.01)], {"initial_epoch": 1, "epochs": 3}),
        ([keras_lr.Warmup(4), keras_lr.CosineDecay()], {}),
        ([keras_lr.CosineDecay(max_lr=0.2)], {"steps_per_epoch": 5, "epochs": 2}),
    ]
    if name == "adamw":
        decay = keras_lr.CosineDecay(hyperparameter="weight_decay")
        fits += [([decay], {}), ([keras_lr.OneCycle(), decay], {"batches": 6})]
    seen = [fit(model, *one, **options) and len(traces) for *one, options in fits]
    assert seen == [first] * len(fits)


@pytest.mark.filterwarnings("ignore:.*is laid over:UserWarning")  # on purpose
@every_optimizer
def test_the_rates_of_every_fit_are_its_own_though_the_step_is_one(name):
    model, _ = counting(EVERY[name](), 65)
    one, two = keras_lr.OneCycle(max_lr=0.01), keras_lr.Warmup(4)
    decay = keras_lr.CosineDecay(min_lr=0.02)
    fit(model, [keras_lr.LinearDecay()])
    fit(model, [one], initial_epoch=1, epochs=3)
    fit(model, [])
    fit(model, [two, decay], epochs=2, steps_per_epoch=5)
    fit(model, [two], batches=15)
    expected = [
        keras_lr.LinearDecay().values(10, 0.1),
        one.values(30)[10:],
        np.full(10, 0.1),
        two.values(10) * decay.values(10, 0.1),
        0.1 * two.values(15),
    ]
    assert_rates(recorded(model), np.concatenate(expected))


@pytest.mark.parametrize(
    ("name", "schedule"),
    [
        ("momentum", keras_lr.OneCycle(max_lr=0.1)),
        ("adam", keras_lr.OneCycle(max_lr=0.1, momentum=(0.2, 0.7))),
        ("adamw", keras_lr.CosineDecay(max_lr=0.5, hyperparameter="weight_decay")),
    ],
)
def test_a_hyperparameter_that_only_a_later_fit_schedules_is_in_its_step(
    name, schedule
):
    model, _ = counting(EVERY[name]())
    before = state(model)
    fit(model, [keras_lr.Warmup(3)])
    reset(model, before)
    fit(model, [schedule])
    fresh, _ = counting(EVERY[name]())
    fit(fresh, [schedule])
    for after, expected in zip(state(model), state(fresh), strict=True):
        np.testing.assert_allclose(after, expected, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(
    ("name", "schedule"),
    [
        ("momentum", keras_lr.OneCycle(max_lr=0.1)),
        ("adamw", keras_lr.CosineDecay(max_lr=0.5, hyperparameter="weight_decay")),
    ],
)
def test_a_hyperparameter_that_a_later_fit_leaves_alone_is_the_optimizers_own(
    name, schedule
):
    model, _ = counting(EVERY[name]())
    before = state(model)
    fit(model, [schedule])
    reset(model, before)
    fit(model, [keras_lr.Warmup(3)])
    fresh, _ = counting(EVERY[name]())
    fit(fresh, [keras_lr.Warmup(3)])
    for after, expected in zip(state(model), state(fresh), strict=True):
        np.testing.assert_allclose(after, expected, rtol=1e-5, atol=1e-7)


@traced_only
@every_optimizer
def test_plain_and_scheduled_fits_in_turn_trace_each_step_once(name):
    plain, alone = counting(EVERY[name]())
    for _ in range(3):
        fit(plain, [])
    model, traces = counting(EVERY[name]())
    turns = [[], [keras_lr.OneCycle(max_lr=0.01)], [], [keras_lr.Warmup(3)], []]
    seen = [fit(model, callbacks) and traces.count(True) for callbacks in turns]
    assert alone.count(True) == 1
    assert seen == [1, 2, 2, 2, 2]
    assert traces.count(False) == alone.count(False)


@traced_only
def test_a_plain_fit_after_a_first_scheduled_one_traces_its_step_once():
    model, traces = counting(optimizers.Adam(0.1))
    turns = [[keras_lr.OneCycle(max_lr=0.01)], [], [keras_lr.Warmup(3)], [], []]
    seen = [fit(model, callbacks) and traces.count(True) for callbacks in turns]
    assert seen == [1, 2, 2, 2, 2]


# The finder's share.


def normalised():
    return [keras.layers.BatchNormalization(), keras.layers.Dropout(0.2)]


every_model = pytest.mark.parametrize(
    "layers", [list, normalised], ids=["dense", "normalised"]
)


def searchable(layers):
    return counting(optimizers.Adam(0.01), 400, units=1, layers=layers())


def find(model):
    x, y = sweeps.data(50, 8)
    options = {"batch_size": 8, "budget": 240, "verbose": 0}
    return keras_lr.find_lr(model, x, y, **options)


def fit_rows(model, callbacks):
    x, y = sweeps.data(10, 8)
    model.fit(x, y, batch_size=8, callbacks=callbacks, shuffle=False, verbose=0)


@traced_only
@every_model
def test_a_second_search_traces_nothing(layers):
    model, traces = searchable(layers)
    assert find(model).probes
    first = list(traces)
    assert find(model).probes
    assert traces == first


@traced_only
@every_model
def test_a_scheduled_fit_after_a_search_traces_nothing(layers):
    model, traces = searchable(layers)
    find(model)
    first = traces.count(True)
    fit_rows(model, [keras_lr.OneCycle(max_lr=0.01)])
    assert traces.count(True) == first


class Rows(keras.utils.PyDataset):
    """Batches of eight, as a search makes them."""

    def __init__(self):
        super().__init__()
        self.x, self.y = sweeps.data(10, 8)

    def __len__(self):
        return 10

    def __getitem__(self, i):
        return self.x[8 * i : 8 * i + 8], self.y[8 * i : 8 * i + 8]


@traced_only
@every_model
@pytest.mark.parametrize("arrays", [True, False], ids=["arrays", "batches"])
def test_a_search_after_a_scheduled_fit_traces_no_training(layers, arrays):
    model, traces = searchable(layers)
    schedule = keras_lr.OneCycle(max_lr=0.01)
    if arrays:
        fit_rows(model, [schedule])
    else:
        model.fit(Rows(), callbacks=[schedule], verbose=0)
    first = traces.count(True)
    assert find(model).probes
    assert traces.count(True) == first


@traced_only
@every_model
def test_a_sweep_after_a_scheduled_fit_traces_nothing(layers):
    model, traces = searchable(layers)
    fit_rows(model, [keras_lr.OneCycle(max_lr=0.01)])
    first = list(traces)
    both = sweeps.data(40, 8)
    for _ in range(2):
        sweeps.sweep(model, sweeps.finder_of(40), data=both, batch_size=8)
    assert traces == first


def test_a_search_finds_the_same_whatever_was_fitted_before():
    model, _ = counting(optimizers.Adam(0.01), 400, units=1)
    before = state(model)
    fit_rows(model, [keras_lr.OneCycle(max_lr=0.01)])
    reset(model, before)
    fresh, _ = counting(optimizers.Adam(0.01), 400, units=1)
    found, expected = find(model), find(fresh)
    assert found.verdict == expected.verdict
    rates, others = ([one.lr for one in r.probes] for r in (found, expected))
    np.testing.assert_allclose(rates, others, rtol=1e-3)


def test_statistics_follow_at_their_own_pace_in_a_fit_after_a_search():
    model, _ = counting(optimizers.SGD(0.0001), 400, units=1, layers=normalised())
    find(model)
    fit_rows(model, [keras_lr.OneCycle()])
    fresh, _ = counting(optimizers.SGD(0.0001), 400, units=1, layers=normalised())
    fit_rows(fresh, [keras_lr.OneCycle()])
    pairs = zip(model.non_trainable_weights, fresh.non_trainable_weights, strict=True)
    for got, expected in pairs:
        if "moving" in got.path:
            both = [ops.convert_to_numpy(one.value) for one in (got, expected)]
            np.testing.assert_allclose(*both, rtol=1e-3)


def test_rates_are_exact_in_a_fit_after_a_search():
    model, _ = searchable(normalised)
    schedule = keras_lr.OneCycle(max_lr=0.01)
    find(model)
    fit_rows(model, [schedule])
    assert_rates(recorded(model)[:10], schedule.values(10))


# Runs longer than any table.


def test_rates_are_exact_in_a_run_of_thousands_of_updates():
    model, traces = counting(optimizers.SGD(0.001), 5110)
    fit(model, [keras_lr.Warmup(3)])
    first = traces.count(True)
    schedule = keras_lr.OneCycle(max_lr=0.01)
    fit(model, [schedule], batches=850, batch_size=1, epochs=3)
    assert_rates(recorded(model)[10:], schedule.values(5100))
    if BACKEND != "torch":
        assert traces.count(True) <= first + 1  # batches of another shape
        fit(model, [schedule], batch_size=1)
        assert traces.count(True) <= first + 1


@pytest.mark.skipif(BACKEND == "torch", reason="Keras refuses it on torch")
@pytest.mark.parametrize("steps", [7, 64])
def test_a_long_run_is_exact_under_steps_per_execution(steps):
    model, _ = counting(optimizers.SGD(0.001), 4500, steps_per_execution=steps)
    schedule = keras_lr.CosineRestarts(max_lr=0.01)
    fit(model, [schedule], batches=1500, epochs=3)
    assert_rates(recorded(model), schedule.values(4500))


LONG = {
    "linear": keras_lr.LinearDecay,
    "one-cycle": keras_lr.OneCycle,
    "restarts": keras_lr.CosineRestarts,
    "cyclical": partial(keras_lr.CyclicalLR, half_cycle=1000),
    "step": keras_lr.StepDecay,
}


def endless(name):
    options = {
        "linear": {"max_lr": 0.1},
        "one-cycle": {"max_lr": 0.1, "warmup": 5, "momentum": None},
        "restarts": {"max_lr": 0.1, "first_cycle": 4},
        "cyclical": {"min_lr": 0.01, "max_lr": 0.1, "half_cycle": 3},
        "step": {"max_lr": 0.1, "every": 3},
    }
    return LONG[name](**options[name], horizon=10**10)


@pytest.mark.filterwarnings("ignore:.*ends after")
@pytest.mark.parametrize("name", LONG)
def test_a_horizon_of_ten_thousand_million_updates_works(name):
    schedule = endless(name)
    model = watched(optimizers.SGD(0.1), 20)
    fit(model, [schedule], epochs=2)
    assert_rates(recorded(model), schedule.values(20))


def test_a_rise_over_ten_thousand_million_updates_is_exact():
    model = watched(optimizers.SGD(0.1), 20)
    warmup = keras_lr.Warmup(10**10, max_lr=0.1, horizon=10**10)
    fit(model, [warmup], epochs=2)
    assert_rates(recorded(model), 0.1 * np.arange(1, 21) / 1e10)


@pytest.mark.parametrize("name", [*LONG, "function"])
def test_values_take_little_more_memory_than_they_are(name):
    make = LONG.get(name, lambda: keras_lr.Function(lambda step: 1 / (1 + step)))
    schedule, steps = make(), 10**5 if name == "function" else 10**6
    schedule.values(10)
    tracemalloc.start()
    try:
        values = schedule.values(steps)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 3 * values.nbytes


# The right step after something else has changed.


def built(optimizer, model, updates=20):
    watch(optimizer, model.trainable_variables, updates)
    return optimizer


def compiled_anew(model):
    model.compile(model.optimizer, "mae")


def compiled_with_another(model):
    model.compile(built(optimizers.RMSprop(0.1), model), "mse")


def assigned(model):
    model.optimizer = built(optimizers.RMSprop(0.1), model)


def assigned_of_the_same_kind(model):
    model.optimizer = built(optimizers.SGD(0.1, momentum=0.9), model)


def eager(model):
    model.compile(model.optimizer, "mse", run_eagerly=True)


def several_at_once(model):
    model.compile(model.optimizer, "mse", steps_per_execution=4)


CHANGES = [
    compiled_anew,
    compiled_with_another,
    assigned,
    assigned_of_the_same_kind,
    eager,
]
if BACKEND != "torch":
    CHANGES.append(several_at_once)


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_scheduled_fit_after_a_change_has_the_right_step(change):
    model = watched(optimizers.SGD(0.1, momentum=0.9), 20)
    first, second = keras_lr.LinearDecay(), keras_lr.OneCycle(max_lr=0.01)
    optimizer = model.optimizer
    fit(model, [first])
    change(model)
    before = model.get_weights()
    fit(model, [second])
    fitted = optimizer is model.optimizer
    assert_rates(recorded(optimizer)[:10], first.values(10, 0.1))
    assert_rates(
        recorded(model)[10:] if fitted else recorded(model)[:10], second.values(10)
    )
    if not fitted:
        assert not recorded(optimizer)[10:].any()
    assert all((a != b).any() for a, b in zip(model.get_weights(), before, strict=True))


def test_a_change_back_to_the_first_optimizer_has_its_step_again():
    model = watched(optimizers.SGD(0.1), 30)
    schedule, one = keras_lr.OneCycle(max_lr=0.01), model.optimizer
    other = built(optimizers.SGD(0.2), model, 10)
    for optimizer in (one, other, one):
        model.optimizer = optimizer
        fit(model, [schedule])
    model.optimizer = one
    fit(model, [])
    expected = [*schedule.values(10), *schedule.values(10), *np.full(10, 0.1)]
    assert_rates(recorded(one), expected)
    assert_rates(recorded(other), schedule.values(10))


def test_a_frozen_weight_stays_and_the_others_have_their_rates():
    model = watched(optimizers.SGD(0.1), 10)
    schedule = keras_lr.OneCycle(max_lr=0.01)
    fit(model, [schedule])
    model.layers[0].trainable = False
    model.compile(built(optimizers.SGD(0.1), model, 10), "mse")
    before = model.get_weights()
    fit(model, [schedule])
    moved = [(a != b).any() for a, b in zip(model.get_weights(), before, strict=True)]
    assert moved == [False, False, True, True]
    assert_rates(recorded(model), schedule.values(10))


class Either(keras.Model):
    """Takes an array, or a dictionary with one."""

    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(2)

    def call(self, inputs):
        return self.dense(inputs["x"] if isinstance(inputs, dict) else inputs)


class Stream(keras.utils.PyDataset):
    def __init__(self):
        super().__init__()
        self.x, self.y = data(10)

    def __len__(self):
        return 10

    def __getitem__(self, i):
        return self.x[2 * i : 2 * i + 2], self.y[2 * i : 2 * i + 2]


def batches(count):
    stream = Stream()
    while count:
        count -= 1
        yield stream[count % 10]


def tf_data():
    tf = pytest.importorskip("tensorflow")
    x, y = data(10)
    return tf.data.Dataset.from_tensor_slices(({"x": x}, y)).batch(2)


def test_data_of_another_structure_get_their_step_and_exact_rates():
    keras.utils.set_random_seed(0)
    model = Either()
    model(np.zeros((2, 4), "float32"))
    model.compile(optimizers.SGD(0.1), "mse")
    watch(model.optimizer, model.trainable_variables, 60)
    schedule = keras_lr.OneCycle(max_lr=0.01)
    x, y = data(10)
    options = {"callbacks": [schedule], "verbose": 0, "shuffle": False}
    for given in ((x, y), ({"x": x}, y)):
        model.fit(*given, batch_size=2, **options)
    model.fit(tf_data(), **options)
    model.fit(Stream(), **options)
    model.fit(batches(10), steps_per_epoch=10, **options)
    model.fit(x.astype("float64"), y, batch_size=2, **options)
    assert_rates(recorded(model), np.tile(schedule.values(10), 6))


@traced_only
def test_each_shape_of_batch_is_traced_once_for_all_scheduled_fits():
    model, traces = counting(optimizers.SGD(0.1))
    plain, alone = counting(optimizers.SGD(0.1))
    for size in (2, 4, 2, 4):
        fit(plain, [], batch_size=size)
        fit(model, [keras_lr.Warmup(3)], batch_size=size)
    assert len(traces) == len(alone)


# Nothing piles up.


class Own(optimizers.Adam):
    """A class of its own, so that its subclasses can be counted."""


def resident():
    if sys.platform.startswith("linux"):
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * resource.getpagesize()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def subclasses():
    gc.collect()
    return len(Own.__subclasses__())


# Training steps of the user's own.


def test_a_train_step_in_a_subclass_runs_and_is_scheduled():
    calls = []

    class Custom(keras.Sequential):
        def train_step(self, *args):
            calls.append(1)
            return super().train_step(*args)

    keras.utils.set_random_seed(0)
    model = Custom([keras.Input((4,)), keras.layers.Dense(2)])
    model.compile(optimizers.Adam(0.1), "mse")
    watch(model.optimizer, model.trainable_variables, 30)
    schedules = [keras_lr.OneCycle(max_lr=0.01), keras_lr.Warmup(4)]
    for schedule in schedules:
        calls.clear() if BACKEND == "torch" else None
        fit(model, [schedule])
        assert calls
    fit(model, [])
    expected = [schedules[0].values(10), 0.1 * schedules[1].values(10)]
    assert_rates(recorded(model), np.concatenate([*expected, np.full(10, 0.1)]))


def test_a_train_step_set_on_the_instance_runs_is_scheduled_and_stays():
    model = watched(optimizers.Adam(0.1), 30)
    calls = []
    usual = model.train_step

    def own(*args):
        calls.append(1)
        return usual(*args)

    schedules = [keras_lr.OneCycle(max_lr=0.01), keras_lr.Warmup(4)]
    fit(model, [schedules[0]])
    model.train_step = own
    model.train_function = None
    fit(model, [schedules[1]])
    assert calls
    assert model.train_step is own
    fit(model, [])
    expected = [schedules[0].values(10), 0.1 * schedules[1].values(10)]
    assert_rates(recorded(model), np.concatenate([*expected, np.full(10, 0.1)]))


@pytest.mark.skipif(BACKEND != "jax", reason="a step in the way of JAX")
def test_a_stateless_train_step_is_scheduled():
    import jax

    class Custom(keras.Sequential):
        def loss_of(self, trainable, others, x, y):
            out, others = self.stateless_call(trainable, others, x, training=True)
            return ops.mean((y - out) ** 2), others

        def train_step(self, state, data):
            trainable, others, slots, metrics = state
            x, y = data
            gradient = jax.value_and_grad(self.loss_of, has_aux=True)
            (loss, others), gradients = gradient(trainable, others, x, y)
            trainable, slots = self.optimizer.stateless_apply(
                slots, gradients, trainable
            )
            return {"loss": loss}, (trainable, others, slots, metrics)

    keras.utils.set_random_seed(0)
    model = Custom([keras.Input((4,)), keras.layers.Dense(2)])
    model.compile(optimizers.Adam(0.1))
    watch(model.optimizer, model.trainable_variables, 30)
    schedules = [keras_lr.OneCycle(max_lr=0.01), keras_lr.Warmup(4)]
    logs = [fit(model, [schedule]).history for schedule in schedules]
    fit(model, [])
    expected = [schedules[0].values(10), 0.1 * schedules[1].values(10)]
    assert_rates(recorded(model), np.concatenate([*expected, np.full(10, 0.1)]))
    assert all({"loss", "learning_rate"} <= set(one) for one in logs)
