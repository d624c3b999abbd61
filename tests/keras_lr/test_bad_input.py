from __future__ import annotations

import warnings

import keras
import pytest

import keras_lr
from keras_lr import phases
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


def test_phases_longer_than_the_run_are_refused():
    refuse([keras_lr.Warmup(11)], "fit into the run of 10 updates.*take 11 updates")
    refuse([keras_lr.WarmupCosine(warmup=10)], "run of 10 updates.*takes the rest")


def test_a_hyperparameter_the_optimizer_lacks_is_refused():
    decay = keras_lr.LinearDecay(hyperparameter="weight_decay")
    refuse([decay], r"weight_decay is scheduled.*without weight_decay")


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


def warned(callbacks, fits=1, **options):
    model = watched(optimizers.SGD(0.1), 20)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        for _ in range(fits):
            fit(model, callbacks, **options)
    return [
        str(w.message)
        for w in caught
        if "of 10 updates" in str(w.message) or "run's 10 updates" in str(w.message)
    ]


def test_a_schedule_shorter_than_the_run_warns_once():
    (message,) = warned([keras_lr.CosineDecay(decay=4)], fits=2)
    assert "ends after 4 of the run's 10 updates" in message


def test_a_peak_that_is_never_reached_warns_once():
    (message,) = warned([keras_lr.CyclicalLR(max_lr=0.1, half_cycle=50)], fits=2)
    assert "never reaches its peak in the run of 10 updates" in message


def test_what_fits_does_not_warn():
    fine = [
        keras_lr.Warmup(4),
        keras_lr.StepDecay(every=4),
        keras_lr.Schedule(phases.linear(4), phases.hold()),
    ]
    assert warned(fine) == []
    assert warned([keras_lr.OneCycle(horizon=40)]) == []
