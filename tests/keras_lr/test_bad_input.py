from __future__ import annotations

import keras
import numpy as np
import pytest

import keras_lr
from tests.kit.names import name_of
from tests.kit.probe import counted, fit, recorded, watched

pytestmark = pytest.mark.backend

optimizers = keras.optimizers


def refuse(callbacks, message, optimizer=None, error=ValueError, **options):
    """A fit that must fail before its first update, and leave nothing behind."""
    model = watched(optimizer or optimizers.SGD(0.1), 20)
    before = type(model.optimizer)
    with pytest.raises(error, match=message):
        fit(model, callbacks, **options)
    assert not recorded(model).any()
    assert type(model.optimizer) is before
    fit(model, [])
    inner = getattr(model.optimizer, "inner_optimizer", model.optimizer)
    assert counted(inner) == 10


def test_a_model_that_is_not_compiled_is_refused():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    schedule = keras_lr.LinearDecay()
    with pytest.raises(RuntimeError, match=r"must be compiled.*model\.compile"):
        schedule.set_model(model)


def test_an_optimizer_that_is_not_of_keras_3_is_refused():
    class Legacy:
        learning_rate = 0.1

    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    model.compile("sgd", "mse")
    model.optimizer = Legacy()
    with pytest.raises(TypeError, match=r"must be a Keras 3 optimizer.*Legacy"):
        keras_lr.LinearDecay().set_model(model)


def test_two_absolute_rates_are_refused():
    both = [keras_lr.OneCycle(max_lr=0.1), keras_lr.LinearDecay(max_lr=0.2)]
    refuse(both, r"Only one.*absolute learning_rate.*OneCycle\(max_lr=0\.1\).*=0\.2")


def test_two_absolute_momenta_are_refused():
    both = [keras_lr.OneCycle(), keras_lr.CyclicalLR(half_cycle=2)]
    refuse(both, "absolute momentum", optimizers.SGD(0.1, momentum=0.9))


def test_a_floor_above_the_optimizers_rate_is_refused():
    refuse([keras_lr.CosineDecay(min_lr=0.2)], r"must not exceed.*0\.1.*min_lr=0\.2")


def test_an_absolute_rate_beside_a_compiled_schedule_is_refused():
    compiled = optimizers.SGD(optimizers.schedules.CosineDecay(0.1, 10))
    refuse([keras_lr.OneCycle(max_lr=0.1)], "whose learning_rate is a sch", compiled)


def test_a_rate_of_zero_is_refused():
    refuse([keras_lr.OneCycle(max_lr=0.1)], "above 0.*=0", optimizers.SGD(0.0))


def test_a_hyperparameter_the_optimizer_lacks_is_refused():
    decay = keras_lr.LinearDecay(hyperparameter="weight_decay")
    refuse([decay], r"weight_decay is scheduled.*without weight_decay")


def test_an_extension_that_leaves_nothing_in_this_run_is_refused():
    extended = keras_lr.LinearDecay().extend(15, "1 epochs")
    refuse(
        [extended], r"^LinearDecay\(\)\.extend\(15, '1 e.*longer than `done`.*done=15"
    )
    slow = keras_lr.LinearDecay().extend(5, "1 epochs", warmup=6)
    refuse([slow], r"`warmup` must not be longer than what is left.* 5 updates.*=6")


@pytest.mark.parametrize("bad", [-1.0, float("nan")])
def test_a_function_that_gives_no_rate_is_refused(bad):
    step = keras_lr.Function(lambda step: bad if step == 3 else 1.0)
    refuse([step], "finite and not negative at every update.*at update 3")


def test_a_momentum_of_one_is_refused():
    schedule = keras_lr.Function(
        lambda step: 1.0, max_lr=1.0, hyperparameter="momentum"
    )
    refuse([schedule], "below 1 at every", optimizers.SGD(0.1, momentum=0.9))


def test_an_error_in_the_users_function_leaves_nothing_behind():
    refuse([keras_lr.Function(lambda step: 1 / 0)], "division", error=ZeroDivisionError)


@pytest.mark.parametrize(
    ("schedule", "updates", "message"),
    [
        (keras_lr.CosineDecay(decay=4), 10, "ends after 4 of the run's 10 updates"),
        (
            keras_lr.Warmup(11),
            10,
            r"Warmup\(warmup=11\) is cut short: `warmup` \(",
        ),
        (keras_lr.CosineDecay(), 1, r"CosineDecay\(\) has a rate of 0 at every update"),
    ],
    ids=name_of,
)
def test_a_fit_says_once_what_is_odd_about_a_schedule(schedule, updates, message):
    model = watched(optimizers.SGD(0.1), 20)
    with pytest.warns(UserWarning, match=message):
        fit(model, [schedule], batches=updates)
    fit(model, [schedule], batches=updates)


def batches_of_unknown_number():
    yield from ((x, x[:, :2]) for x in np.ones((10, 2, 4), "float32"))


def test_a_message_about_a_fit_names_the_schedule_and_what_its_user_wrote():
    model = watched(optimizers.SGD(0.1), 20)
    expected = {
        keras_lr.OneCycle(max_lr=0.1): r"^OneCycle\(max_lr=0\.1\): `warmup` is a "
        r"fraction of the run, whose .* `steps_per_epoch=` to fit.*: warmup=0\.3\.$",
        keras_lr.LinearDecay(
            horizon="1 epochs"
        ): r"^LinearDecay\(horizon='1 epochs'\): "
        "`horizon` is in epochs.*Received: horizon='1 epochs'",
    }
    for schedule, message in expected.items():
        with pytest.raises(ValueError, match=message):
            model.fit(
                batches_of_unknown_number(),
                shuffle=False,
                verbose=0,
                callbacks=[schedule],
            )
