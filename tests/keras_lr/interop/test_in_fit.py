"""Schedules of other libraries in a fit: each update at the original's rate."""

import keras
import numpy as np
import pytest

import keras_lr
from keras_lr.interop import from_fastai, from_keras, from_optax, from_timm
from keras_lr.interop.imported import Imported
from tests.keras_lr.fit.test_pieces import fit_unknown, real
from tests.kit.probe import data, recorded, watched

pytestmark = pytest.mark.backend

Schedules = keras.optimizers.schedules

RAMP = {"init_value": 0.1, "end_value": 0.5, "transition_steps": 4}


def fitted(schedules, updates, own=0.3, **fit):
    model = watched(keras.optimizers.SGD(own, momentum=0.5), updates)
    history = model.fit(verbose=0, callbacks=schedules, **fit)
    assert float(model.optimizer.learning_rate) == pytest.approx(own)
    return recorded(model.optimizer), history.history


def test_a_fit_updates_at_the_rates_of_the_original():
    x, y = data(8)
    cosine = from_keras("CosineDecay", initial_learning_rate=0.5, decay_steps=16)
    rates, history = fitted([cosine], 16, x=x, y=y, batch_size=2, epochs=2)
    np.testing.assert_allclose(rates, cosine.values(16), rtol=1e-6, atol=1e-8)
    assert history["learning_rate"] == pytest.approx(cosine.values(16)[[7, 15]])


def test_it_multiplies_with_a_warmup_and_goes_on_in_the_next_fit():
    x, y = data(8)
    pair = [
        keras_lr.Warmup(4, horizon=16),
        from_optax("linear_schedule", horizon=16, **RAMP),
    ]
    model = watched(keras.optimizers.SGD(0.3), 16)
    for _ in range(2):
        model.fit(x, y, batch_size=2, verbose=0, callbacks=pair)
    expected = keras_lr.combine(*pair).values(16)
    np.testing.assert_allclose(recorded(model.optimizer), expected, rtol=1e-6)


def test_a_step_that_is_an_epoch_waits_for_the_epochs_of_a_fit():
    ramp = Imported("optax", "linear_schedule", RAMP, per="epoch")
    np.testing.assert_allclose(ramp.values(5), [0.1, 0.2, 0.3, 0.4, 0.5])
    x, y = data(6)
    rates, _ = fitted([ramp], 18, x=x, y=y, batch_size=2, epochs=3)
    np.testing.assert_allclose(rates, np.repeat([0.1, 0.2, 0.3], 6), rtol=1e-6)


def test_a_loop_of_ones_own_must_tell_how_long_its_epochs_are():
    ramp = Imported("optax", "linear_schedule", RAMP, per="epoch")
    with pytest.raises(ValueError, match=r"changes by epochs.*steps_per_epoch=None"):
        ramp.as_keras_schedule(6)
    rate = ramp.as_keras_schedule(6, steps_per_epoch=3)
    assert float(rate(2)) == pytest.approx(0.1)
    assert float(rate(3)) == pytest.approx(0.2)


@pytest.mark.filterwarnings("ignore:Your input ran out of data")
def test_nor_does_it_need_to_know_how_long_they_are():
    ramp = Imported("optax", "linear_schedule", RAMP, per="epoch")
    model = watched(keras.optimizers.SGD(0.5), 60)
    fit_unknown(model, [ramp], batches=5, epochs=3)
    expected = np.repeat([0.1, 0.2, 0.3], 5)
    np.testing.assert_allclose(real(model, 5, 3), expected, rtol=1e-6)


def test_a_negative_rate_is_shown_and_refused_before_any_training():
    falling = from_optax(
        "linear_schedule", init_value=0.1, end_value=-0.1, transition_steps=4
    )
    np.testing.assert_allclose(falling.values(5)[-1], -0.1)
    model = watched(keras.optimizers.SGD(0.3), 8)
    before = [weight.copy() for weight in model.get_weights()]
    x, y = data(8)
    with pytest.raises(ValueError, match=r"from_optax\(.*not negative .*at update 3"):
        model.fit(x, y, batch_size=2, verbose=0, callbacks=[falling])
    for weight, old in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, old)


def test_momentum_comes_along():
    x, y = data(8)
    cycle = from_fastai("fit_one_cycle", n_epoch=2, lr_max=0.5)
    rates, history = fitted([cycle], 16, x=x, y=y, batch_size=2, epochs=2)
    np.testing.assert_allclose(rates, cycle.values(16), rtol=1e-6)
    assert history["momentum"] == pytest.approx(cycle.momentum_values(16)[[7, 15]])


def test_timms_plateau_waits_for_its_warmup_and_cuts_where_timm_does():
    plateau = from_timm(
        "PlateauLRScheduler",
        decay_rate=0.5,
        patience_t=1,
        cooldown_t=1,
        warmup_t=2,
        lr_min=0.06,
        monitor="loss",
    )
    x, y = data(2)
    model = keras.Sequential([keras.Input(x.shape[1:]), keras.layers.Dense(1)])
    # A metric that never gets better.
    model.compile(keras.optimizers.SGD(0.2), lambda y, p: 0.0 * keras.ops.mean(p))
    fit = {"batch_size": 2, "epochs": 11, "verbose": 0, "callbacks": [plateau]}
    history = model.fit(x, y, **fit).history
    # The first epoch behind the warmup is the best; two more, and there is a cut.
    expected = [0.1, 0.2, *[0.2] * 3, *[0.1] * 3, *[0.06] * 3]
    assert history["learning_rate"] == pytest.approx(expected)


class Sawtooth(Schedules.LearningRateSchedule):
    """A schedule of one's own, which takes one step at a time."""

    def __call__(self, step):
        return 0.1 * (1 + int(step) % 3)

    def get_config(self):
        return {}


KERAS = [
    Schedules.CosineDecay(0.1, 10, alpha=0.1),
    Schedules.CosineDecay(0.0, 10, warmup_target=0.2, warmup_steps=4),
    Schedules.CosineDecayRestarts(0.1, 3, t_mul=1.5, m_mul=0.7, alpha=0.1),
    Schedules.ExponentialDecay(0.1, 4, 0.5),
    Schedules.InverseTimeDecay(0.1, 4, 0.5, staircase=True),
    Schedules.PiecewiseConstantDecay([3, 7], [0.1, 0.05, 0.01]),
    Schedules.PolynomialDecay(0.1, 6, 0.01, power=2.0, cycle=True),
    Sawtooth(),
]


@pytest.mark.parametrize("original", KERAS, ids=lambda one: type(one).__name__)
def test_an_object_of_keras_is_taken_over(original):
    expected = [float(original(step)) for step in range(20)]
    ours = from_keras(original)
    # Keras computes in float32.
    np.testing.assert_allclose(ours.values(20), expected, rtol=2e-6, atol=1e-8)
    kept = keras.saving.serialize_keras_object(ours)
    with keras.saving.custom_object_scope({"Sawtooth": Sawtooth}):
        again = keras.saving.deserialize_keras_object(kept)
    np.testing.assert_array_equal(again.values(20), ours.values(20))


def test_an_object_has_its_arguments_already():
    with pytest.raises(TypeError, match=r"object it has its arguments already"):
        from_keras(KERAS[0], decay_steps=3)
