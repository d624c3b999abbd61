"""Each formula of a term of keras_lr against the class that the term links to."""

from __future__ import annotations

import numpy as np
import pytest

import glossary
import keras_lr

STEPS = np.arange(10)


def formula(term, **values):
    return np.array(glossary.term(term).formula(**values))


def test_the_formula_of_each_schedule_gives_the_values_of_its_class():
    pairs = [
        (
            formula("warmup", lr=0.5, t=STEPS, warmup_steps=4),
            keras_lr.Warmup(4, max_lr=0.5),
        ),
        (
            # At the floor at the last of n updates: T = n - 1, as its note says.
            formula("cosine annealing", min_lr=0.1, max_lr=0.5, steps=9, t=STEPS),
            keras_lr.CosineDecay(max_lr=0.5, min_lr=0.1),
        ),
        (
            formula(
                "cyclical learning rate", min_lr=0.1, max_lr=0.5, half_cycle=3, t=STEPS
            ),
            keras_lr.CyclicalLR(max_lr=0.5, min_lr=0.1, half_cycle=3),
        ),
        (
            formula("warm restarts", min_lr=0.1, max_lr=0.5, cycle=4, t=STEPS),
            keras_lr.CosineRestarts(
                max_lr=0.5, min_lr=0.1, first_cycle=4, t_mul=1.0, endpoint=False
            ),
        ),
        (
            formula(
                "warmup-stable-decay",
                lr=0.5,
                warmup_steps=2,
                decay_steps=4,
                steps=10,
                t=STEPS,
            ),
            keras_lr.WarmupStableDecay(max_lr=0.5, warmup=2, decay=4, shape="linear"),
        ),
        (
            formula(
                "one-cycle policy",
                start_lr=0.1,
                max_lr=0.5,
                end_lr=0.01,
                up_steps=2,
                steps=9,
                t=STEPS,
            ),
            keras_lr.OneCycle(max_lr=0.5, div_factor=5.0, min_lr=0.01, warmup=3),
        ),
    ]
    for values, schedule in pairs:
        np.testing.assert_allclose(values, schedule.values(10), atol=1e-12)


def test_the_notes_of_formulas_give_the_numbers_of_their_classes():
    cosine = keras_lr.CosineDecay(max_lr=1.0).values(5)
    assert cosine[2] == pytest.approx(0.5)
    other = formula("cosine annealing", min_lr=0, max_lr=1, steps=5, t=2)
    assert other == pytest.approx(0.65, abs=0.005)
    restarts = keras_lr.CosineRestarts(max_lr=1.0, first_cycle=4).values(8)
    assert restarts[1] == pytest.approx(0.75)
    other = formula("warm restarts", min_lr=0, max_lr=1, cycle=4, t=1)
    assert other == pytest.approx(0.854, abs=0.0005)
    decay = keras_lr.WarmupStableDecay(max_lr=1.0, warmup=2, decay=4).values(10)
    assert decay[6] == pytest.approx(0.5)


def test_the_range_test_sweeps_by_its_formula():
    finder = keras_lr.LRFinder(1e-4, 1.0, steps=41, verbose=0)
    values = formula(
        "LR range test", min_lr=1e-4, max_lr=1.0, steps=41, t=np.arange(41)
    )
    np.testing.assert_allclose(values, finder.values(), rtol=1e-12)


def test_the_linear_rule_is_that_of_scale_lr():
    value = formula("linear scaling rule", lr=0.1, from_batch=32, to_batch=256)
    assert value == pytest.approx(keras_lr.scale_lr(0.1, 32, 256))


def test_the_noise_scale_is_that_of_known_gradients():
    rng = np.random.default_rng(0)
    draws = rng.normal([0.3, 0.4], [2.0, 1.0], (200_000, 2))
    value = formula(
        "gradient noise scale", variance=draws.var(0), gradient=draws.mean(0)
    )
    assert value == pytest.approx(5 / 0.25, rel=0.05)


def test_early_stopping_stops_when_its_formula_says_so():
    keras = pytest.importorskip("keras")
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    callback = keras.callbacks.EarlyStopping(monitor="val_loss", patience=3)
    callback.set_model(model)
    model.compile("sgd", "mse")
    callback.on_train_begin()
    losses = [3.0, 2.0, 1.0, 1.5, 1.2, 1.1, 1.3]
    for epoch, loss in enumerate(losses):
        callback.on_epoch_end(epoch, {"val_loss": loss})
        says = glossary.term("early stopping").formula(
            epoch=epoch, best_epoch=int(np.argmin(losses[: epoch + 1])), patience=3
        )
        assert bool(model.stop_training) == says
        if says:
            return
    pytest.fail("It has not stopped.")


@pytest.mark.backend
def test_the_schedules_of_keras_are_the_formulas_as_their_notes_say():
    import keras

    schedules = keras.optimizers.schedules
    cosine = [float(schedules.CosineDecay(0.5, 9)(t)) for t in range(10)]
    values = formula("cosine annealing", min_lr=0, max_lr=0.5, steps=9, t=STEPS)
    np.testing.assert_allclose(values, cosine, atol=1e-6)
    restarts = schedules.CosineDecayRestarts(0.5, 4, t_mul=1.0)
    values = formula("warm restarts", min_lr=0, max_lr=0.5, cycle=4, t=STEPS)
    np.testing.assert_allclose(
        values, [float(restarts(t)) for t in range(10)], atol=1e-6
    )


def moved_by(optimizer, gradient, start=1.0):
    import keras

    weight = keras.Variable(start)
    optimizer.apply([keras.ops.convert_to_tensor(gradient)], [weight])
    return float(keras.ops.convert_to_numpy(weight))


@pytest.mark.backend
def test_accumulation_momentum_and_decay_are_those_of_keras():
    import keras

    optimizers = keras.optimizers
    weight = keras.Variable(1.0)
    accumulating = optimizers.SGD(0.1, gradient_accumulation_steps=3)
    for gradient in (1.0, 2.0, 6.0):
        accumulating.apply([keras.ops.convert_to_tensor(gradient)], [weight])
    mean = formula("gradient accumulation", g=[1.0, 2.0, 6.0])
    assert float(keras.ops.convert_to_numpy(weight)) == pytest.approx(1 - 0.1 * mean)

    w = 1.0
    v = 0.0
    weight = keras.Variable(1.0)
    heavy = optimizers.SGD(0.1, momentum=0.9)
    for gradient in (0.5, -0.25, 2.0):
        heavy.apply([keras.ops.convert_to_tensor(gradient)], [weight])
        after = float(formula("momentum", w=w, mu=0.9, v=v, lr=0.1, g=gradient))
        v = after - w
        w = after
        assert float(keras.ops.convert_to_numpy(weight)) == pytest.approx(w, rel=1e-5)

    decayed = moved_by(optimizers.SGD(0.1, weight_decay=0.5), 0.5)
    value = formula("weight decay", w=1.0, lr=0.1, g=0.5, decay=0.5)
    assert decayed == pytest.approx(float(value), rel=1e-6)


@pytest.mark.backend
def test_the_penalty_of_keras_is_twice_its_coefficient_as_the_note_says():
    import keras

    penalty = keras.regularizers.L2(0.01)
    above = float(keras.ops.convert_to_numpy(penalty(keras.ops.ones((1,)) * 1.5)))
    below = float(keras.ops.convert_to_numpy(penalty(keras.ops.ones((1,)) * 0.5)))
    assert above - below == pytest.approx(2 * 0.01 * 1.0, rel=1e-5)
