from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import ops

import keras_lr
from keras_lr import phases

pytestmark = pytest.mark.backend

optimizers = keras.optimizers
STEPS = 12


def trained(optimizer, callbacks, steps=STEPS, gradients=None):
    """The weight of a one-weight model whose gradients are given."""
    model = keras.Sequential(
        [
            keras.Input((1,)),
            keras.layers.Dense(1, use_bias=False, kernel_initializer="ones"),
        ]
    )
    model.compile(optimizer, lambda y, out: ops.sum(out))
    rows = np.ones((steps, 1)) if gradients is None else gradients[:, None]
    options = {"batch_size": 1, "shuffle": False, "verbose": 0}
    model.fit(rows, np.zeros((steps, 1)), callbacks=callbacks, **options)
    return float(model.get_weights()[0][0, 0])


def gradients():
    return np.random.default_rng(0).normal(size=STEPS).astype("float32")


def sgd(rates, momenta, nesterov=False):
    weight, velocity = 1.0, 0.0
    for rate, momentum, gradient in zip(rates, momenta, gradients(), strict=True):
        velocity = momentum * velocity - rate * gradient
        step = momentum * velocity - rate * gradient if nesterov else velocity
        weight += step
    return weight


def adam(rates, betas, decays=(0.0,) * STEPS):
    weight, m, v = 1.0, 0.0, 0.0
    rows = zip(rates, betas, decays, gradients(), strict=True)
    for step, (rate, beta, decay, gradient) in enumerate(rows, 1):
        weight -= weight * decay * rate
        m = beta * m + (1 - beta) * gradient
        v = 0.999 * v + 0.001 * gradient**2
        alpha = rate * np.sqrt(1 - 0.999**step) / (1 - beta**step)
        weight -= alpha * m / (np.sqrt(v) + 1e-7)
    return weight


def lion(rates, betas):
    weight, m = 1.0, 0.0
    for rate, beta, gradient in zip(rates, betas, gradients(), strict=True):
        weight -= rate * np.sign(beta * m + (1 - beta) * gradient)
        m = 0.99 * m + 0.01 * gradient
    return weight


@pytest.mark.parametrize("nesterov", [False, True], ids=["heavy-ball", "nesterov"])
def test_sgd_momentum_swings_in_the_compiled_step(nesterov):
    schedule = keras_lr.OneCycle(max_lr=0.1)
    optimizer = optimizers.SGD(0.1, momentum=0.5, nesterov=nesterov)
    weight = trained(optimizer, [schedule], gradients=gradients())
    rates, momenta = schedule.values(STEPS), schedule.momentum_values(STEPS)
    assert weight == pytest.approx(sgd(rates, momenta, nesterov), rel=1e-5)
    assert weight != pytest.approx(sgd(rates, np.full(STEPS, 0.5), nesterov), rel=1e-3)


def test_adam_beta_1_swings_in_the_compiled_step():
    schedule = keras_lr.OneCycle(max_lr=0.1)
    weight = trained(optimizers.Adam(0.1), [schedule], gradients=gradients())
    rates, betas = schedule.values(STEPS), schedule.momentum_values(STEPS)
    assert weight == pytest.approx(adam(rates, betas), rel=1e-5)
    assert weight != pytest.approx(adam(rates, np.full(STEPS, 0.9)), rel=1e-3)


def test_lion_beta_1_swings_in_the_compiled_step():
    schedule = keras_lr.CyclicalLR(max_lr=0.1, half_cycle=3, momentum=(0.1, 0.9))
    weight = trained(optimizers.Lion(0.1), [schedule], gradients=gradients())
    rates, betas = schedule.values(STEPS), schedule.momentum_values(STEPS)
    assert weight == pytest.approx(lion(rates, betas), rel=1e-5)


@pytest.mark.parametrize(
    "make",
    [
        lambda: optimizers.RMSprop(0.1, momentum=0.9),
        lambda: optimizers.AdamW(0.1),
        lambda: optimizers.Nadam(0.1),
        lambda: optimizers.Adamax(0.1),
        lambda: optimizers.Lamb(0.1),
        lambda: optimizers.Muon(0.1),
    ],
    ids=["rmsprop", "adamw", "nadam", "adamax", "lamb", "muon"],
)
def test_a_constant_schedule_of_the_momentum_equals_the_optimizers_own(make):
    name = "momentum" if hasattr(make(), "momentum") else "beta_1"
    own = trained(make(), [], gradients=gradients())
    changed = make()
    setattr(changed, name, 0.7)
    other = trained(changed, [], gradients=gradients())
    flat = keras_lr.Schedule(
        phases.hold(value=0.7), max_lr=1.0, hyperparameter="momentum"
    )
    scheduled = trained(make(), [flat], gradients=gradients())
    assert scheduled == pytest.approx(other, rel=1e-5)
    if not isinstance(changed, optimizers.Muon):  # it leaves 1-wide weights to Adam
        assert scheduled != pytest.approx(own, rel=1e-6)


def test_weight_decay_changes_in_the_compiled_step():
    decay = keras_lr.LinearDecay(hyperparameter="weight_decay")
    weight = trained(optimizers.SGD(0.1, weight_decay=0.5), [decay])
    expected = 1.0
    for factor in decay.values(STEPS):
        expected -= expected * 0.5 * factor * 0.1
        expected -= 0.1
    assert weight == pytest.approx(expected, rel=1e-5)


def test_adamw_decays_by_the_scheduled_rate_and_decay():
    both = [
        keras_lr.CosineDecay(max_lr=0.1),
        keras_lr.LinearDecay(max_lr=0.5, hyperparameter="weight_decay"),
    ]
    weight = trained(
        optimizers.AdamW(0.1, weight_decay=0.1), both, gradients=gradients()
    )
    rates, decays = both[0].values(STEPS), both[1].values(STEPS)
    assert weight == pytest.approx(adam(rates, [0.9] * STEPS, decays), rel=1e-5)


def test_momentum_reads_as_a_number_and_is_given_back():
    optimizer = optimizers.SGD(0.1, momentum=0.5)
    seen = []
    read = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: seen.append(float(optimizer.momentum))
    )
    trained(optimizer, [keras_lr.OneCycle(max_lr=0.1), read])
    assert seen == [pytest.approx(0.95)]
    assert optimizer.momentum == 0.5


def test_an_optimizer_without_momentum_is_left_alone_unless_asked():
    trained(optimizers.Adagrad(0.1), [keras_lr.OneCycle(max_lr=0.1)])
    demanding = keras_lr.OneCycle(max_lr=0.1, momentum=(0.8, 0.9))
    with pytest.raises(ValueError, match=r"momentum is scheduled.*Adagrad"):
        trained(optimizers.Adagrad(0.1), [demanding])
