"""A scheduled fit takes nothing from others and leaves nothing, however it ends."""

from __future__ import annotations

import copy
import gc
import pickle
import random
import threading
import time

import keras
import numpy as np
import pytest
from keras import ops

import keras_lr
from tests.kit.probe import assert_rates, data, fit, recorded, watch, watched

pytestmark = pytest.mark.backend

BACKEND = keras.backend.backend()
optimizers = keras.optimizers
OWN = 0.1
# On torch these are subclasses of what Keras exports.
SGD, Adam = type(optimizers.SGD()), type(optimizers.Adam())


def on(hook, what, at=None):
    """A callback that does something at a hook, or only at its batch or epoch `at`."""
    callback = keras.callbacks.Callback()

    def hooked(*args, **logs):
        if at is None or args[0] == at:
            what(callback.model)

    setattr(callback, hook, hooked)
    return callback


def interrupt(model):
    raise KeyboardInterrupt("by the user")


def fail(model):
    raise RuntimeError("by the user")


PROBLEMS = [interrupt, fail]
every_problem = pytest.mark.parametrize("problem", PROBLEMS, ids=["ctrl-c", "error"])
BY_THE_USER = (KeyboardInterrupt, RuntimeError)


def peak():
    """A schedule whose rates are all far from the optimizer's own."""
    return keras_lr.OneCycle(max_lr=0.01)


def unit(optimizer=None):
    """A model of one weight, which every update moves by exactly the rate.

    So it is with SGD, and with Adam, whose gradients are all one.
    """
    dense = keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")
    return of_layer(dense, optimizer or optimizers.SGD(OWN))


@keras.saving.register_keras_serializable("tests")
def total(y, out):
    return ops.sum(out)


def of_layer(dense, optimizer):
    model = keras.Sequential([keras.Input((1,)), dense])
    model.compile(optimizer, loss=total)
    if not optimizer.built:
        optimizer.build(model.trainable_variables)
    return model


def await_threads(is_done):
    """On JAX Keras calls callbacks in threads, which may end after a failed fit."""
    for _ in range(500):
        if is_done():
            break
        time.sleep(0.01)


def fit_unit(model, callbacks=(), steps=10, **options):
    options = {"batch_size": 1, "shuffle": False, "verbose": 0, **options}
    rows = np.ones((steps, 1), "float32")
    return model.fit(rows, rows, callbacks=list(callbacks), **options)


def weight(model):
    return float(model.get_weights()[0][0, 0])


def moved(model, what):
    """How far the weight moves."""
    before = weight(model)
    what()
    return before - weight(model)


def plain_move(model):
    return moved(model, lambda: fit_unit(model, steps=1))


def rate_of(optimizer):
    return float(ops.convert_to_numpy(optimizer.learning_rate))


def is_own(rate):
    return rate == pytest.approx(OWN, rel=1e-4)


def is_nearly_own(rate):
    """The same for Adam after updates of which each had another beta_1."""
    return rate == pytest.approx(OWN, rel=0.3)


def survived(model, problem, schedule):
    """A fit that a callback ends; its exception is gone when this returns."""
    try:
        fit_unit(model, [schedule, on("on_train_batch_end", problem, at=3)])
    except BY_THE_USER:
        return
    raise AssertionError("the fit should have been interrupted")


# Interrupted in the middle of a step.


def tripping():
    """A model whose training step raises what is in the list, and the list."""
    armed = []

    class Trips(keras.layers.Layer):
        def call(self, x, training=False):
            if training and armed:
                armed.pop()(None)
            return x

    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((4,)), Trips(), keras.layers.Dense(2)])
    model.compile(optimizers.Adam(OWN), "mse", metrics=["mae"])
    watch(model.optimizer, model.trainable_variables, 40)
    # Metrics that a first step makes do not survive its failure on TensorFlow.
    model.evaluate(*data(1), verbose=0)
    return model, armed


def everything(model):
    optimizer = model.optimizer
    every = [*model.variables, *optimizer.variables, *model.metrics_variables]
    return [np.array(ops.convert_to_numpy(v.value)) for v in every]


def trip(model, armed, problem, **options):
    """Interrupt the first step of a fit; all values that there were before it."""
    before = []
    note = on("on_train_batch_begin", lambda model: before.append(everything(model)))
    armed.append(problem)
    with pytest.raises(BY_THE_USER, match="by the user"):
        fit(model, [peak(), note], **options)
    assert not armed
    return before[-1]


@every_problem
@pytest.mark.parametrize("first", [[], [keras_lr.Warmup(3)]], ids=["plain", "warmup"])
def test_a_problem_in_the_first_step_of_a_later_fit_keeps_all_values(problem, first):
    model, armed = tripping()
    fit(model, first)
    # Batches of another shape: the step is traced again.
    before = trip(model, armed, problem, batch_size=4)
    for after, value in zip(everything(model), before, strict=True):
        np.testing.assert_array_equal(after, value)
    fit(model, [peak()], batch_size=4)
    fit(model, [])
    expected = [*peak().values(5), *np.full(10, OWN)]
    assert_rates(recorded(model)[10:25], expected)


@every_problem
def test_a_problem_in_the_first_step_of_all_keeps_all_values(problem):
    model, armed = tripping()
    before = trip(model, armed, problem)
    for after, value in zip(everything(model), before, strict=True):
        np.testing.assert_array_equal(after, value)
    assert type(model.optimizer) is Adam
    fit(model, [peak()])
    fit(model, [])
    assert_rates(recorded(model)[:20], [*peak().values(10), *np.full(10, OWN)])


# Interrupted between steps.


@every_problem
@pytest.mark.parametrize("held", [True, False], ids=["held", "dropped"])
def test_after_a_handled_interrupt_the_optimizer_is_itself_at_once(problem, held):
    model, schedule = unit(optimizers.Adam(OWN)), peak()
    config = model.optimizer.get_config()
    survived(model, problem, schedule if held else peak())
    assert type(model.optimizer) is Adam
    assert rate_of(model.optimizer) == np.float32(OWN)
    assert model.optimizer.get_config() == config
    step = moved(model, lambda: model.train_on_batch(np.ones((1, 1)), [[1.0]]))
    assert is_nearly_own(step)
    assert is_nearly_own(plain_move(model))


def two_models():
    """Two models of the same layer, with one optimizer."""
    dense = keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")
    optimizer = optimizers.SGD(OWN)
    return of_layer(dense, optimizer), of_layer(dense, optimizer)


@every_problem
def test_another_model_with_the_optimizer_of_an_interrupted_fit_has_its_own_rate(
    problem,
):
    a, b = two_models()
    survived(a, problem, peak())
    assert is_own(plain_move(b))
    assert type(b.optimizer) is SGD
    assert is_own(plain_move(a))


def test_another_model_has_the_own_rate_while_the_traceback_is_alive():
    a, b = two_models()
    with pytest.raises(KeyboardInterrupt) as caught:
        fit_unit(a, [peak(), on("on_train_batch_end", interrupt, at=3)])
    assert is_own(plain_move(b))
    assert type(b.optimizer) is SGD
    assert rate_of(b.optimizer) == np.float32(OWN)
    assert caught.tb is not None
    assert is_own(plain_move(a))


def test_another_model_has_the_own_rate_inside_the_handler():
    a, b = two_models()
    try:
        fit_unit(a, [peak(), on("on_train_batch_end", interrupt, at=3)])
    except KeyboardInterrupt:
        assert is_own(plain_move(b))
        assert type(b.optimizer) is SGD


def test_another_model_has_the_own_rate_when_the_first_is_gone():
    a, b = two_models()
    survived(a, interrupt, peak())
    del a
    gc.collect()
    assert is_own(plain_move(b))
    assert type(b.optimizer) is SGD


def test_another_model_runs_its_schedule_after_an_interrupted_one():
    a, b = two_models()
    survived(a, interrupt, peak())
    schedule = keras_lr.LinearDecay()
    distance = moved(b, lambda: fit_unit(b, [schedule]))
    assert distance == pytest.approx(schedule.values(10, OWN).sum(), rel=1e-5)
    assert type(b.optimizer) is SGD


def test_two_models_with_one_optimizer_take_turns():
    a, b = two_models()
    one, two = keras_lr.LinearDecay(), peak()
    for _ in range(2):
        for model, callbacks, rates in (
            (a, [one], one.values(10, OWN)),
            (b, [], np.full(10, OWN)),
            (b, [two], two.values(10)),
            (a, [], np.full(10, OWN)),
        ):
            distance = moved(model, lambda m=model, c=callbacks: fit_unit(m, c))
            assert distance == pytest.approx(rates.sum(), rel=1e-4)


def hooks_that_raise(seed):
    chance = random.Random(seed)
    hook = chance.choice(
        [
            "on_train_begin",
            "on_epoch_begin",
            "on_train_batch_begin",
            "on_train_batch_end",
            "on_test_begin",
            "on_test_batch_end",
            "on_test_end",
            "on_epoch_end",
            "on_train_end",
        ]
    )
    at = chance.randrange(2) if "epoch" in hook else None
    if "train_batch" in hook:
        at = chance.randrange(5)
    callbacks = [peak(), on(hook, chance.choice(PROBLEMS), at)]
    chance.shuffle(callbacks)
    return callbacks


def test_fifty_fits_that_fail_anywhere_leave_weights_and_optimizer_alone():
    model = unit(optimizers.Adam(OWN))
    rows = np.ones((2, 1), "float32")
    fit_unit(model, [peak()])
    for seed in range(50):
        callbacks = hooks_that_raise(seed)
        options = {"steps": 5, "epochs": 2, "validation_data": (rows, rows)}
        try:
            fit_unit(model, callbacks, **options)
        except BY_THE_USER as problem:
            assert "by the user" in str(problem)  # noqa: PT017
        else:
            raise AssertionError(f"the fit with seed {seed} should have failed")
        assert np.isfinite(weight(model)), seed
        await_threads(lambda: type(model.optimizer) is Adam)
        assert type(model.optimizer) is Adam, seed
        assert is_nearly_own(plain_move(model)), seed


# Other trainings and evaluations in the middle of a fit.


@pytest.mark.parametrize("hook", ["on_train_batch_begin", "on_train_batch_end"])
@pytest.mark.parametrize("schedule_first", [True, False], ids=["first", "last"])
def test_a_foreign_batch_has_the_own_rate_and_all_others_scheduled_ones(
    hook, schedule_first
):
    schedule = keras_lr.LinearDecay(max_lr=0.01)
    model = watched(optimizers.SGD(OWN), 11)
    foreign = on(hook, lambda model: model.train_on_batch(*data(1)), at=4)
    callbacks = [schedule, foreign] if schedule_first else [foreign, schedule]
    fit(model, callbacks)
    place = 4 if hook == "on_train_batch_begin" else 5
    rates = recorded(model)
    assert_rates(rates[place], OWN)
    others = np.delete(rates, place)
    assert_rates(others[:place], schedule.values(10)[:place])
    assert (others < 0.0101).all()
    assert (np.diff(others) <= 0).all()
    assert int(ops.convert_to_numpy(model.optimizer.iterations)) == 11
    assert type(model.optimizer) is SGD


def test_a_foreign_batch_at_every_batch_leaves_every_update_its_schedule():
    schedule = keras_lr.LinearDecay(max_lr=0.01)
    model = watched(optimizers.SGD(OWN), 20)
    foreign = on("on_train_batch_begin", lambda model: model.train_on_batch(*data(1)))
    fit(model, [foreign, schedule])
    assert_rates(recorded(model)[::2], np.full(10, OWN))
    assert (recorded(model)[1::2] < 0.0101).all()


@pytest.mark.parametrize(
    "nested", [[], [keras_lr.Warmup(3)]], ids=["plain", "scheduled"]
)
@pytest.mark.parametrize("hook", ["on_train_batch_end", "on_epoch_end"])
def test_a_fit_of_the_same_model_inside_its_scheduled_fit_is_refused(hook, nested):
    model = unit()
    inner = on(hook, lambda model: fit_unit(model, nested), at=0)
    with pytest.raises(ValueError, match="fit"):
        fit_unit(model, [peak(), inner], epochs=2)
    assert type(model.optimizer) is SGD
    assert rate_of(model.optimizer) == np.float32(OWN)
    assert is_own(plain_move(model))
    schedule = keras_lr.LinearDecay()
    distance = moved(model, lambda: fit_unit(model, [schedule]))
    assert distance == pytest.approx(schedule.values(10, OWN).sum(), rel=1e-5)


@pytest.mark.parametrize("hook", ["on_train_batch_begin", "on_train_batch_end"])
@pytest.mark.parametrize("scheduled", [True, False], ids=["scheduled", "plain"])
def test_a_fit_of_another_model_inside_a_scheduled_fit_changes_neither(hook, scheduled):
    outer, inner = watched(optimizers.SGD(OWN), 20), watched(optimizers.SGD(0.5), 20)
    one, two = peak(), keras_lr.LinearDecay()
    nested = on(hook, lambda _: fit(inner, [two] if scheduled else []), at=3)
    fit(outer, [one, nested], epochs=2)
    assert_rates(recorded(outer), one.values(20))
    rates = two.values(10, 0.5) if scheduled else np.full(10, 0.5)
    assert_rates(recorded(inner), np.tile(rates, 2))
    for model, own in ((outer, OWN), (inner, 0.5)):
        assert type(model.optimizer) is SGD
        assert rate_of(model.optimizer) == np.float32(own)


def test_a_failed_fit_of_another_model_inside_a_fit_leaves_the_outer_one_alone():
    outer, inner = watched(optimizers.SGD(OWN), 10), unit()
    schedule = peak()
    nested = on(
        "on_train_batch_end",
        lambda _: survived(inner, fail, keras_lr.LinearDecay()),
        at=3,
    )
    fit(outer, [schedule, nested])
    assert_rates(recorded(outer), schedule.values(10))
    assert type(inner.optimizer) is SGD
    assert is_own(plain_move(inner))


@pytest.mark.parametrize(
    "look",
    [
        lambda model: model.evaluate(*data(3), batch_size=2, verbose=0),
        lambda model: model.predict(data(3)[0], batch_size=2, verbose=0),
        lambda model: model.test_on_batch(*data(1)),
        lambda model: model.predict_on_batch(data(1)[0]),
    ],
    ids=["evaluate", "predict", "test_on_batch", "predict_on_batch"],
)
@pytest.mark.parametrize("hook", ["on_train_batch_begin", "on_train_batch_end"])
def test_a_look_at_the_model_in_the_middle_of_an_epoch_changes_nothing(hook, look):
    schedule = peak()
    model, quiet = watched(optimizers.Adam(OWN), 20), watched(optimizers.Adam(OWN), 20)
    history = fit(model, [schedule, on(hook, look, at=4)], epochs=2).history
    fit(quiet, [peak()], epochs=2)
    assert_rates(recorded(model), schedule.values(20))
    assert_rates(history["learning_rate"], schedule.values(20)[9::10])
    for weights, expected in zip(model.get_weights(), quiet.get_weights(), strict=True):
        np.testing.assert_allclose(weights, expected, rtol=1e-6)


# One schedule in several fits.


@pytest.mark.parametrize("max_lr", [None, 0.01])
def test_a_schedule_twice_in_one_list_is_refused_before_any_update(max_lr):
    model, schedule = unit(), keras_lr.LinearDecay(max_lr)
    with pytest.raises(ValueError, match=r"schedule|LinearDecay"):
        fit_unit(model, [schedule, schedule])
    assert weight(model) == 0
    assert type(model.optimizer) is SGD
    assert is_own(plain_move(model))
    distance = moved(model, lambda: fit_unit(model, [schedule]))
    assert distance == pytest.approx(schedule.values(10, OWN).sum(), rel=1e-4)


def test_a_schedule_in_a_fit_inside_its_own_fit_is_refused():
    outer, inner, schedule = unit(), unit(), peak()
    nested = on("on_train_batch_end", lambda _: fit_unit(inner, [schedule]), at=3)
    with pytest.raises(ValueError, match=r"schedule|OneCycle"):
        fit_unit(outer, [schedule, nested])
    assert weight(inner) == 0
    for model in (outer, inner):
        assert type(model.optimizer) is SGD
        assert rate_of(model.optimizer) == np.float32(OWN)
        assert is_own(plain_move(model))


def test_a_refused_fit_inside_a_fit_does_not_disturb_the_outer_one():
    outer, inner, schedule = watched(optimizers.SGD(OWN), 10), unit(), peak()

    def refused(_):
        with pytest.raises(ValueError, match=r"schedule|OneCycle"):
            fit_unit(inner, [schedule])

    fit(outer, [schedule, on("on_train_batch_end", refused, at=3)])
    assert_rates(recorded(outer), schedule.values(10))
    assert type(outer.optimizer) is type(inner.optimizer) is SGD


def test_a_schedule_in_two_threads_at_once_is_refused_in_the_second():
    first, second = watched(optimizers.SGD(OWN), 10), unit()
    begun, go_on = threading.Event(), threading.Event()
    schedule, problems = peak(), []

    def wait(_):
        begun.set()
        if not go_on.wait(60):
            raise TimeoutError

    def train():
        try:
            fit(first, [schedule, on("on_train_batch_end", wait, at=3)])
        except BaseException as problem:
            problems.append(problem)
            begun.set()

    thread = threading.Thread(target=train)
    thread.start()
    try:
        assert begun.wait(60)
        with pytest.raises(ValueError, match=r"schedule|OneCycle"):
            fit_unit(second, [schedule])
    finally:
        go_on.set()
        thread.join(60)
    assert problems == []
    assert_rates(recorded(first), schedule.values(10))
    assert type(first.optimizer) is type(second.optimizer) is SGD
    assert is_own(plain_move(second))


def test_two_schedules_in_two_threads_at_once_are_both_exact():
    models = [watched(optimizers.SGD(OWN), 10) for _ in range(2)]
    schedules, problems = [peak(), keras_lr.LinearDecay()], []
    together = threading.Barrier(2)

    def train(model, schedule):
        meet = on("on_train_batch_end", lambda _: together.wait(60))
        try:
            fit(model, [schedule, meet])
        except BaseException as problem:
            problems.append(problem)
            together.abort()

    threads = [
        threading.Thread(target=train, args=both)
        for both in zip(models, schedules, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert problems == []
    for model, schedule in zip(models, schedules, strict=True):
        assert_rates(recorded(model), schedule.values(10, OWN))
        assert type(model.optimizer) is SGD


def test_a_schedule_of_one_model_after_another_is_exact_in_both():
    models, schedule = [watched(optimizers.SGD(OWN), 20) for _ in range(2)], peak()
    for model in (*models, *models):
        fit(model, [schedule])
    for model in models:
        assert_rates(recorded(model), np.tile(schedule.values(10), 2))


def test_a_schedule_of_an_interrupted_fit_serves_another_model():
    a, b, schedule = unit(), watched(optimizers.SGD(OWN), 10), peak()
    with pytest.raises(KeyboardInterrupt):
        fit_unit(a, [schedule, on("on_train_batch_end", interrupt, at=3)])
    fit(b, [schedule])
    assert_rates(recorded(b), schedule.values(10))
    assert is_own(plain_move(a))


# What others make of the optimizer while it is scheduled.


def cloned(model):
    optimizer = model.optimizer
    clone = keras.models.clone_model(model)
    clone.compile(optimizer.from_config(optimizer.get_config()), "mse")
    return clone.optimizer


def deserialized(model):
    config = keras.optimizers.serialize(model.optimizer)
    return keras.optimizers.deserialize(config)


COPIES = {
    "from_config": lambda model: model.optimizer.from_config(
        model.optimizer.get_config()
    ),
    "type": lambda model: type(model.optimizer)(0.05),
    "class": lambda model: model.optimizer.__class__(0.05),
    "copy": lambda model: copy.copy(model.optimizer),
    "deepcopy": lambda model: copy.deepcopy(model.optimizer),
    "pickle": lambda model: pickle.loads(pickle.dumps(model.optimizer)),
    "serialize": deserialized,
    "clone_model": cloned,
}


KINDS = {"sgd": optimizers.SGD, "adam": optimizers.Adam}


def made_in_a_fit(make, kind, callbacks):
    """What is made of an optimizer in the middle of a fit, and its rate just then."""
    found = []

    def note(model):
        made = make(model)
        found[:] = made, rate_of(made)

    model = unit(KINDS[kind](OWN))
    fit_unit(model, [*callbacks, on("on_train_batch_end", note, at=4)])
    return found


def config_of(optimizer):
    return {**optimizer.get_config(), "name": "any"}


def trained_alone(optimizer):
    """How far three updates at the optimizer's rate go; None if Keras has none."""
    model = unit(optimizers.SGD(OWN))
    try:
        model.compile(optimizer, loss=total)
        return moved(model, lambda: fit_unit(model, steps=3))
    except Exception:
        return None


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", COPIES)
def test_what_is_made_of_the_optimizer_in_a_fit_is_as_without_a_schedule(name, kind):
    try:
        plain, rate = made_in_a_fit(COPIES[name], kind, [])
    except Exception as problem:
        pytest.skip(f"plain Keras cannot: {type(problem).__name__}")
    made, rate_then = made_in_a_fit(COPIES[name], kind, [peak()])
    assert type(made) is type(plain) is type(KINDS[kind]())
    assert rate_then == rate
    assert rate_of(made) == rate
    assert config_of(made) == config_of(plain)
    expected = trained_alone(plain)
    if expected is not None:
        assert trained_alone(made) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("name", ["from_config", "type", "serialize"])
def test_what_is_made_of_the_optimizer_in_a_fit_can_be_scheduled_itself(name):
    made, rate = made_in_a_fit(COPIES[name], "adam", [peak()])
    model, schedule = unit(made), keras_lr.LinearDecay()
    distance = moved(model, lambda: fit_unit(model, [schedule]))
    assert distance == pytest.approx(schedule.values(10, rate).sum(), rel=1e-4)
    assert type(made) is Adam


def test_a_model_saved_in_a_scheduled_fit_has_the_own_rate(tmp_path):
    path = tmp_path / "model.keras"
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(optimizers.Adam(OWN), "mse")
    fit_unit(model, [peak(), on("on_train_batch_end", lambda m: m.save(path), at=4)])
    loaded = keras.models.load_model(path)
    assert type(loaded.optimizer) is Adam
    assert rate_of(loaded.optimizer) == np.float32(OWN)


def own_step(model, variables=None):
    """A training step of the user's own; it gives how far it moves the first weight."""
    optimizer = model.optimizer
    variables = variables or model.trainable_variables
    gradients = [ops.ones(v.shape) for v in variables]
    if BACKEND == "jax":
        import jax

        compiled = jax.jit(optimizer.stateless_apply)

        def step():
            # Their values of the moment: only the callback's model has them.
            slots = [v.value for v in optimizer.variables]
            before = [v.value for v in variables]
            after, _ = compiled(slots, gradients, before)
            return float(np.ravel(before[0] - after[0])[0])

        return step

    def apply():
        optimizer.apply(gradients, variables)

    if BACKEND == "tensorflow":
        import tensorflow as tf

        apply = tf.function(apply)

    def step():
        before = ops.convert_to_numpy(variables[0].value).copy()
        apply()
        return float(np.ravel(before - ops.convert_to_numpy(variables[0].value))[0])

    return step


@pytest.mark.parametrize("hook", ["on_train_batch_begin", "on_train_batch_end"])
def test_a_step_of_the_users_own_made_in_a_fit_is_at_the_own_rate(hook):
    model, steps, moves = unit(), [], []

    def train(model):
        if not steps:
            steps.append(own_step(model))
        moves.append(steps[0]())

    fit_unit(model, [peak(), on(hook, train, at=4)], epochs=3)
    train(model)
    fit_unit(model, [])
    train(model)
    assert len(moves) == 5
    np.testing.assert_allclose(moves, OWN, rtol=1e-4)


@pytest.mark.skipif(BACKEND == "jax", reason="Keras refuses it on JAX")
def test_a_step_on_a_weight_of_the_users_own_is_at_the_own_rate():
    optimizer, extra = optimizers.SGD(OWN), keras.Variable([0.0], name="extra")
    dense = keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")
    dense.build((None, 1))
    optimizer.build([*dense.trainable_variables, extra])
    model, moves, steps = of_layer(dense, optimizer), [], []

    def train(model):
        if not steps:
            steps.append(own_step(model, [extra]))
        moves.append(steps[0]())

    fit_unit(model, [peak(), on("on_train_batch_end", train, at=4)], epochs=2)
    train(model)
    np.testing.assert_allclose(moves, OWN, rtol=1e-4)


def test_a_step_of_the_users_own_made_before_a_fit_is_at_the_own_rate_in_it():
    model, moves = unit(), []
    step = own_step(model)
    moves.append(step())
    train = on("on_train_batch_end", lambda model: moves.append(step()), at=4)
    fit_unit(model, [peak(), train], epochs=2)
    moves.append(step())
    np.testing.assert_allclose(moves, OWN, rtol=1e-4)


def test_the_updates_after_a_step_of_the_users_own_are_scheduled():
    schedule = keras_lr.LinearDecay(max_lr=0.01)
    model = watched(optimizers.SGD(OWN), 12)
    train = on("on_train_batch_end", lambda model: own_step(model)(), at=4)
    fit(model, [schedule, train])
    rates = recorded(model)
    assert_rates(rates[:5], schedule.values(10)[:5])
    foreign = BACKEND != "jax"  # On JAX it changes no variable.
    if foreign:
        assert_rates(rates[5], OWN)
    assert (rates[5 + foreign :] < 0.0101).all()


# Assignments.


@pytest.mark.parametrize(
    ("make", "name", "value"),
    [
        (lambda: optimizers.SGD(OWN, momentum=0.9), "momentum", 0.5),
        (lambda: optimizers.Adam(OWN), "beta_1", 0.5),
        (lambda: optimizers.AdamW(OWN), "weight_decay", 0.01),
        (lambda: optimizers.SGD(OWN, weight_decay=0.1), "weight_decay", 0.01),
    ],
    ids=["momentum", "beta_1", "adamw", "weight-decay"],
)
def test_what_no_schedule_holds_can_be_assigned_in_a_fit_and_stays(make, name, value):
    model = watched(make(), 20)
    assign = on(
        "on_train_batch_end", lambda model: setattr(model.optimizer, name, value), at=4
    )
    seen = []
    look = on("on_epoch_end", lambda model: seen.append(getattr(model.optimizer, name)))
    schedule = keras_lr.LinearDecay(max_lr=0.01)
    fit(model, [schedule, assign, look])
    assert [float(one) for one in seen] == [value]
    assert getattr(model.optimizer, name) == value
    fit(model, [schedule])
    assert getattr(model.optimizer, name) == value
    assert_rates(recorded(model), np.tile(schedule.values(10), 2))


# Made anew in the middle of a fit.


def test_a_step_made_anew_in_a_fit_keeps_the_schedule():
    model = watched(optimizers.SGD(OWN), 30)
    schedule = peak()
    anew = on("on_epoch_end", lambda model: model.make_train_function(force=True), at=0)
    fit(model, [schedule, anew], epochs=3)
    assert_rates(recorded(model), schedule.values(30))
    assert type(model.optimizer) is SGD
