"""Each mechanism, broken: its claims must not come out as they are documented.

A demo that comes out the same without what it measures would measure nothing.
"""

from itertools import pairwise

import numpy as np
import pytest

import glossary
from glossary.demos import (
    _kit,
    activation_function,
    adam,
    adapter_layers,
    attention_mechanism,
    autoencoder,
    backpropagation,
    batch_normalization,
    batch_size,
    learning_rate,
)
from keras_lr.demos import dense, mechanisms, training

CLAIMS = {one.id: one for term in glossary.terms() for one in term.claims}
gradients = _kit.gradients


def linear(x):
    return x, np.ones_like(x)


def without_slopes(ws, x, y, activation, derivative=True):
    return gradients(ws, x, y, activation, False)


def of_noise(ws, x, y, activation, derivative=True):
    """Gradients that have nothing to do with the loss."""
    loss, grads, signals = gradients(ws, x, y, activation)
    rng = np.random.default_rng(len(x))
    return loss, [rng.normal(size=g.shape) for g in grads], signals


def named(name, function):
    def other(x):
        return function(x)

    other.__name__ = name
    return other


def no_product(ws):
    return np.ones((len(ws[0]), ws[-1].shape[1]))


def even(x):
    return np.full_like(x, 1 / x.shape[-1])


def of_one_scale(rng, widths, gain):
    return _kit.weights(rng, widths, 1.0)


def plain_steps(g, b1=0.9, b2=0.999, correct=True):
    return np.asarray(g)


def plain_descent(ws, slots, grads, step, rate):
    for w, g in zip(ws, grads, strict=True):
        w -= rate * g


def idle(ws, slots, grads, step, rate):
    return None


def same(x):
    return x


class Flat:
    """A schedule that does nothing."""

    def __init__(self, *arguments, **options):
        self.rate = options.get("max_lr", 1.0)

    def values(self, updates):
        return np.full(updates, self.rate)

    def momentum_values(self, updates):
        return np.linspace(0.8, 0.9, updates)


def zeros(rng, widths):
    return [np.zeros((a, b)) for a, b in pairwise(widths)]


BROKEN = [
    ("backpropagation/exact", backpropagation, "gradients", without_slopes),
    ("backpropagation/descends", backpropagation, "gradients", of_noise),
    ("backpropagation/vanish-or-explode", backpropagation, "weights", of_one_scale),
    ("batch-normalization/unit", batch_normalization, "normal", same),
    ("batch-normalization/scale-free", batch_normalization, "normal", same),
    ("batch-normalization/gradient-shrinks", batch_normalization, "normal", same),
    ("batch-size/variance", batch_size, "gradients", of_noise),
    ("batch-size/up-to-noise-scale", batch_size, "_noise_scale", lambda seed: 1e-3),
    ("learning-rate/depends-on-optimizer", learning_rate, "adam", plain_descent),
    ("learning-rate/adaptive-less-sensitive", learning_rate, "_adam", lambda g, *_: g),
    ("learning-rate/u-shape", learning_rate, "train", lambda rng, rate, n: 1.0),
    ("one-cycle-policy/fewer-updates", training.keras_lr, "OneCycle", Flat),
    ("one-cycle-policy/momentum-swings", mechanisms.keras_lr, "OneCycle", Flat),
    ("warmup/deep-nets", training.keras_lr, "Warmup", Flat),
    ("warmup/costs-half", training.keras_lr, "Warmup", Flat),
    ("warm-restarts/jump", training.keras_lr, "CosineRestarts", Flat),
    ("learning-rate-schedule/decay-settles", training.keras_lr, "CosineDecay", Flat),
    ("warmup-stable-decay/decay-settles", training.keras_lr, "WarmupStableDecay", Flat),
    ("cosine-annealing/mean", mechanisms.keras_lr, "CosineDecay", Flat),
    ("cyclical-learning-rate/average", training.keras_lr, "CyclicalLR", Flat),
    ("warmup/deep-nets", dense, "weights", zeros),
]


def verdict(claim_id):
    adapter_layers._base.cache_clear()
    autoencoder._trained.cache_clear()
    with np.errstate(all="ignore"):
        return CLAIMS[claim_id].check().verdict


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(("claim", "place", "name", "broken"), BROKEN)
def test_a_claim_does_not_hold_without_its_mechanism(
    monkeypatch, claim, place, name, broken
):
    monkeypatch.setattr(place, name, broken)
    found = verdict(claim)
    monkeypatch.undo()
    adapter_layers._base.cache_clear()
    autoencoder._trained.cache_clear()
    assert found != CLAIMS[claim].expected


@pytest.mark.backend
def test_heads_that_are_one_do_no_better_than_one(monkeypatch):
    import keras

    layer = keras.layers.MultiHeadAttention
    attention_mechanism._side_by_side.cache_clear()
    monkeypatch.setattr(
        keras.layers,
        "MultiHeadAttention",
        lambda count, size, **options: layer(1, count * size, **options),
    )
    found = CLAIMS["attention-mechanism/heads"].check()
    attention_mechanism._side_by_side.cache_clear()
    assert found.verdict == "failed"
    assert found.measured > 0.5


def a_straight_line(max_lr=1.0, power=2.0):
    return training.keras_lr.LinearDecay(max_lr=max_lr)


WARMUP, RESTARTS = training.keras_lr.Warmup, training.keras_lr.CosineRestarts
CYCLES = training.keras_lr.CyclicalLR
USELESS = [
    ("cosine-annealing/mean", "PolynomialDecay", a_straight_line),
    ("warmup/costs-half", "Warmup", lambda length, **options: WARMUP(length)),
    (
        "cyclical-learning-rate/average",
        "CyclicalLR",
        lambda half_cycle, **options: CYCLES(half_cycle=100, **options),
    ),
    (
        "warm-restarts/jump",
        "CyclicalLR",
        lambda **options: RESTARTS(first_cycle=250),
    ),
]


@pytest.mark.parametrize(("claim", "name", "control"), USELESS)
def test_a_control_that_comes_out_the_same_decides_nothing(
    monkeypatch, claim, name, control
):
    monkeypatch.setattr(training.keras_lr, name, control)
    found = CLAIMS[claim].check()
    assert found.verdict == "inconclusive"
    assert found.reason
