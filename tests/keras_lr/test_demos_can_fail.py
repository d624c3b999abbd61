"""Each mechanism, broken: the claims of keras_lr must not come out as documented."""

from __future__ import annotations

from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest

import glossary
import keras_lr
from glossary.lab import steps
from keras_lr.demos import (
    early_stopping,
    gradient_accumulation,
    gradient_noise_scale,
    linear_scaling,
    loss_scaling,
    momentum,
    residual_net,
    settling,
    small_nets,
    weight_decay,
)

CLAIMS = {
    claim.id: claim
    for term in glossary.terms()
    if term.source == "keras_lr"
    for claim in term.claims
}
COURSE = early_stopping._course
DRAWS = linear_scaling._gradients_at
ERRORS = linear_scaling._errors
RESTARTS = keras_lr.CosineRestarts
UPDATES = momentum._updates
WARMUP = keras_lr.Warmup
CYCLES = keras_lr.CyclicalLR


class Flat:
    """A schedule that does nothing."""

    rate = 1.0

    def __init__(self, *arguments, **options):
        self.rate = options.get("max_lr", self.rate)

    def values(self, updates):
        return np.full(updates, self.rate)

    def momentum_values(self, updates):
        return np.linspace(0.8, 0.9, updates)


class Idle(Flat):
    """A schedule under which nothing is learned."""

    def values(self, updates):
        return np.zeros(updates)


def a_straight_line(max_lr=1.0, power=2.0):
    return keras_lr.LinearDecay(max_lr=max_lr)


def steps_by_count(max_lr=1.0):
    return keras_lr.StepDecay(max_lr=max_lr, every=30, rate=0.5)


def zeros(rng, widths):
    return [np.zeros((a, b)) for a, b in pairwise(widths)]


def without_momentum(curvature, start, rate, mass):
    return UPDATES(curvature, start, 2 / (1 + curvature[-1]), 0.0)


def no_mass(ws, speeds, grads, rate, mass):
    steps.momentum(ws, speeds, grads, rate, 0.0)


def always_half(curvature, start, rate, mass):
    return 5 if mass else 10


def decayed_descent(ws, slots, grads, step, rate, decay=0.0):
    for w, g in zip(ws, grads, strict=True):
        w *= 1 - rate * decay
        w -= rate * g


def of_three_digits(values):
    return np.round(values, 3)


SCHEDULES = [
    ("cosine-annealing/mean", "CosineDecay", Flat),
    ("cosine-annealing/steepest", "CosineDecay", a_straight_line),
    ("cyclical-learning-rate/average", "CyclicalLR", Flat),
    ("cyclical-learning-rate/no-tuning", "CyclicalLR", Idle),
    ("learning-rate-schedule/decay-settles", "CosineDecay", Flat),
    ("learning-rate-schedule/stretches", "CosineDecay", steps_by_count),
    ("one-cycle-policy/fewer-updates", "OneCycle", Flat),
    ("one-cycle-policy/momentum-swings", "OneCycle", Flat),
    ("warm-restarts/ends-lower", "CosineDecay", Flat),
    ("warm-restarts/jump", "CosineRestarts", Flat),
    ("warm-restarts/loss-rises", "CosineRestarts", Flat),
    ("warmup/costs-half", "Warmup", Flat),
    ("warmup/deep-nets", "Warmup", Flat),
    ("warmup/easy-tasks", "Warmup", Idle),
    ("warmup-stable-decay/decay-settles", "WarmupStableDecay", Flat),
    ("warmup-stable-decay/like-cosine", "WarmupStableDecay", Flat),
]
MECHANISMS = [
    (
        "early-stopping/lowest",
        early_stopping,
        "_course",
        lambda seed, noise=0.0: COURSE(seed, 0.0),
    ),
    (
        "early-stopping/shorter-weights",
        early_stopping,
        "_course",
        lambda seed: COURSE(seed, 0.0),
    ),
    ("gradient-accumulation/equal", np, "mean", np.sum),
    (
        "gradient-accumulation/with-norm",
        gradient_accumulation,
        "_over_the_batch",
        gradient_accumulation._over_each_example,
    ),
    ("gradient-noise-scale/two-batches", np, "sqrt", lambda x: 1.0),
    (
        "gradient-noise-scale/grows",
        gradient_noise_scale,
        "_noise_scale",
        lambda ws: 5.0,
    ),
    ("learning-rate-schedule/base-matters", small_nets, "_course", lambda *_: [1.0]),
    (
        "linear-scaling-rule/holds",
        linear_scaling,
        "_errors",
        lambda seed, factors, scaled=True: ERRORS(seed, factors, False),
    ),
    (
        "linear-scaling-rule/any-size",
        linear_scaling,
        "_errors",
        lambda seed, factors: [1.0] * len(factors),
    ),
    (
        "linear-scaling-rule/noise-scale",
        linear_scaling,
        "_gradients_at",
        lambda seed, batch, draws: DRAWS(seed, 1, draws),
    ),
    ("loss-scaling/underflow", loss_scaling, "_in_half", lambda values: values),
    ("loss-scaling/exact", loss_scaling, "_in_half", of_three_digits),
    ("loss-scaling/larger-is-better", loss_scaling, "_in_half", lambda values: values),
    (
        "loss-scaling/bfloat16",
        loss_scaling,
        "_gradients",
        lambda seed: np.full(10, 1e-44),
    ),
    ("momentum/condition", momentum, "_updates", without_momentum),
    ("momentum/effective-step", momentum, "momentum", no_mass),
    ("momentum/always-faster", momentum, "_updates", always_half),
    ("warmup/deep-nets", residual_net, "weights", zeros),
    (
        "weight-decay/l2-for-sgd",
        weight_decay,
        "_penalized",
        lambda w, g: w - 0.1 * g,
    ),
    ("weight-decay/l2-for-adam", weight_decay, "adam", decayed_descent),
]
BROKEN = [
    *[(claim, keras_lr, name, broken) for claim, name, broken in SCHEDULES],
    *MECHANISMS,
]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(("claim", "place", "name", "broken"), BROKEN)
def test_a_claim_does_not_hold_without_its_mechanism(
    monkeypatch, claim, place, name, broken
):
    monkeypatch.setattr(place, name, broken)
    with np.errstate(all="ignore"):
        verdict = CLAIMS[claim].check().verdict
    monkeypatch.undo()
    assert verdict != CLAIMS[claim].expected


USELESS = [
    ("cosine-annealing/mean", "PolynomialDecay", a_straight_line),
    ("warmup/costs-half", "Warmup", lambda length, **options: WARMUP(length)),
    (
        "cyclical-learning-rate/average",
        "CyclicalLR",
        lambda half_cycle, **options: CYCLES(half_cycle=100, **options),
    ),
    ("warm-restarts/jump", "CyclicalLR", lambda **options: RESTARTS(first_cycle=250)),
]


@pytest.mark.parametrize(("claim", "name", "control"), USELESS)
def test_a_control_that_comes_out_the_same_decides_nothing(
    monkeypatch, claim, name, control
):
    monkeypatch.setattr(keras_lr, name, control)
    evidence = CLAIMS[claim].check()
    assert evidence.verdict == "inconclusive"
    assert evidence.reason


def test_every_claim_that_trains_nothing_with_keras_is_broken_once():
    broken = {claim for claim, *_ in BROKEN}
    assert broken == {name for name, claim in CLAIMS.items() if not claim.backend}


@pytest.mark.backend
def test_a_range_test_that_suggests_far_too_little_trains_little(monkeypatch):
    from keras_lr.demos import range_test

    result = SimpleNamespace(suggestion=1e-6, verdict="ok")
    monkeypatch.setattr(range_test, "_sweep", lambda seed: result)
    assert CLAIMS["lr-range-test/trains"].check().verdict == "failed"


@pytest.mark.backend
def test_the_edge_is_not_where_a_hundredth_of_the_curvature_would_put_it(monkeypatch):
    values = np.linalg.eigvalsh
    monkeypatch.setattr(np.linalg, "eigvalsh", lambda matrix: values(matrix) / 100)
    assert CLAIMS["lr-range-test/edge"].check().verdict != "held"


@pytest.mark.backend
def test_early_stopping_that_restores_by_itself_keeps_the_best_weights(monkeypatch):
    import keras

    callback = keras.callbacks.EarlyStopping
    monkeypatch.setattr(
        keras.callbacks,
        "EarlyStopping",
        lambda **options: callback(**{**options, "restore_best_weights": True}),
    )
    assert CLAIMS["early-stopping/keeps-best"].check().verdict == "held"


def test_a_demo_of_a_schedule_takes_its_losses_from_the_rates_that_are_given():
    kept = settling._losses(0, np.full(40, 0.3))
    other = settling._losses(0, np.full(40, 0.1))
    assert kept[0] == other[0]
    assert kept[-1] != other[-1]
