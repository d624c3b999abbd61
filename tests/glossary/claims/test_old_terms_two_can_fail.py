"""Each mechanism, broken: its claims must not come out as they are documented.

A demo that comes out the same without what it measures would measure nothing.
Backpropagation, batch normalization, batch size, learning rate.
"""

from __future__ import annotations

import numpy as np
import pytest

import glossary
from glossary.demos import (
    backpropagation,
    batch_normalization,
    batch_normalization_training,
    batch_size,
    learning_rate,
)
from glossary.lab import nets, steps

TERMS = ("backpropagation", "batch-normalization", "batch-size", "learning-rate")
CLAIMS = {claim.id: claim for term in TERMS for claim in glossary.term(term).claims}
eigenvalues = np.linalg.eigvalsh
normalized = batch_normalization_training._gradients


def without_slopes(ws, x, y, activation, derivative=True):
    return nets.gradients(ws, x, y, activation, False)


def of_noise(ws, x, y, activation, derivative=True):
    """Gradients that have nothing to do with the loss."""
    loss, grads, signals = nets.gradients(ws, x, y, activation)
    rng = np.random.default_rng(len(x))
    return loss, [rng.normal(size=g.shape) for g in grads], signals


def twice(ws, x, y, activation):
    nets.gradients(ws, x, y, activation)
    return nets.gradients(ws, x, y, activation)


def that_updates(ws, x, y, activation):
    ws[0][0, 0] += 1
    return nets.gradients(ws, x, y, activation)


def one_by_one(ws, x, y, activation):
    for row in range(len(x)):
        nets.gradients(ws, x[row : row + 1], y[row : row + 1], activation)


def of_a_few(ws, x, y, activation):
    return nets.gradients(ws, x[:10], y[:10], activation)


def of_gain(gain):
    return lambda rng, widths, _: nets.weights(rng, widths, gain)


def same(x):
    return x


def never_normalized(ws, x, y, norm):
    return normalized(ws, x, y, False)


def steady_if_normalized(ws, x, y, norm):
    if norm:
        return 0.1, [np.ones_like(w) for w in ws]
    return normalized(ws, x, y, False)


def of_no_company(batch, rng=np.random.default_rng(0)):  # noqa: B008
    """An output that has nothing to do with the batch."""
    return np.full_like(batch[0], rng.normal())


def at_one_rate(ws, grads, rate):
    steps.sgd(ws, grads, 0.2)


def plain_descent(ws, slots, grads, step, rate):
    steps.sgd(ws, grads, rate)


def nothing(g, *moments):
    return np.zeros_like(g)


def same_edge(rng, rate, updates, size):
    return 1.0 if rate < 0.5 else 3.0


BACKPROPAGATION = [
    ("exact", backpropagation, "gradients", without_slopes),
    ("cost", backpropagation, "gradients", twice),
    ("descends", backpropagation, "gradients", of_noise),
    ("vanish-or-explode", backpropagation, "weights", of_gain(1.0)),
    ("always-vanishes", backpropagation, "weights", of_gain(0.5)),
    ("changes-nothing", backpropagation, "gradients", that_updates),
]
NORMALIZATION = [
    ("unit", batch_normalization, "normal", same),
    ("scale-free", batch_normalization, "normal", same),
    ("gradient-shrinks", batch_normalization, "normal", same),
    ("bias-redundant", batch_normalization, "normal", same),
    ("tiny-batches", batch_normalization, "_first_of", of_no_company),
    (
        "covariate-shift-shallow",
        batch_normalization_training,
        "_gradients",
        never_normalized,
    ),
    (
        "covariate-shift-deep",
        batch_normalization_training,
        "_gradients",
        steady_if_normalized,
    ),
    ("smoother", batch_normalization_training, "_gradients", never_normalized),
    ("faster", batch_normalization_training, "_gradients", never_normalized),
    ("higher-rates", batch_normalization_training, "_gradients", never_normalized),
    (
        "poor-in-tiny-batches",
        batch_normalization_training,
        "_gradients",
        never_normalized,
    ),
]
SIZE = [
    ("variance", batch_size, "gradients", of_noise),
    ("memory", batch_size, "gradients", of_a_few),
    ("higher-rates", batch_size, "train", same_edge),
    ("up-to-noise-scale", batch_size, "train", same_edge),
    ("beyond-noise-scale", batch_size, "_updates", lambda batch, *_: 1e4 / batch),
    ("more-steps", batch_size, "_trained", lambda *_: (1.0, 0.1)),
    ("generalizes-worse", batch_size, "_trained", lambda seed, b, *_: (0.1, b / 1e4)),
    ("noise-escapes", np, "sqrt", lambda x: np.inf),
    ("parallel-hardware", batch_size, "gradients", one_by_one),
]
RATE = [
    ("edge", np.linalg, "eigvalsh", lambda matrix: 1.1 * eigenvalues(matrix)),
    ("u-shape", learning_rate, "train", lambda rng, rate, n: 1.0),
    ("too-low-is-slow", learning_rate, "train", lambda rng, rate, n: 1 / n),
    ("depends-on-data", learning_rate, "_plain", nothing),
    ("adaptive-less-sensitive", learning_rate, "_adam", lambda g, *_: g),
    ("adaptive-still-matters", learning_rate, "_adam", nothing),
    ("stuck", np, "exp", np.zeros_like),
    ("schedule-lowers", learning_rate, "sgd", at_one_rate),
    ("depends-on-optimizer", learning_rate, "adam", plain_descent),
]
BROKEN = [
    (f"{term}/{slug}", place, name, broken)
    for term, rows in zip(
        TERMS, (BACKPROPAGATION, NORMALIZATION, SIZE, RATE), strict=True
    )
    for slug, place, name, broken in rows
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


def test_every_claim_that_needs_no_backend_is_broken_once():
    broken = {claim for claim, *_ in BROKEN}
    assert broken == {name for name, claim in CLAIMS.items() if not claim.backend}


@pytest.mark.backend
def test_a_gradient_without_slopes_is_not_that_of_keras(monkeypatch):
    monkeypatch.setattr(backpropagation, "gradients", without_slopes)
    assert CLAIMS["backpropagation/reverse-mode"].check().verdict == "failed"


@pytest.mark.backend
@pytest.mark.parametrize(
    "claim", ["batch-normalization/inference", "batch-normalization/frozen"]
)
def test_a_layer_that_always_takes_the_statistics_of_its_batch_depends_on_it(
    monkeypatch, claim
):
    import keras

    layer = keras.layers.BatchNormalization

    class OfTheBatch(layer):
        def call(self, inputs, training=None, mask=None):
            trainable = self.trainable
            self.trainable = True
            out = super().call(inputs, training=True)
            self.trainable = trainable
            return out

    monkeypatch.setattr(keras.layers, "BatchNormalization", OfTheBatch)
    assert CLAIMS[claim].check().verdict == "failed"
