"""Each mechanism, broken: its claims must not come out as they are documented.

A demo that comes out the same without what it measures would measure nothing.
Activation function, Adam, adapter layers, attention mechanism, autoencoder.
"""

from __future__ import annotations

import numpy as np
import pytest

import glossary
from glossary.demos import (
    adam,
    adam_ideas,
    adapter_layers,
    attention_explains,
    attention_mechanism,
    autoencoder,
)
from glossary.lab import nets

TERMS = (
    "activation-function",
    "adam",
    "adapter-layers",
    "attention-mechanism",
    "autoencoder",
)
CLAIMS = {claim.id: claim for term in TERMS for claim in glossary.term(term).claims}
CACHES = (
    adapter_layers._base,
    adapter_layers._keras_adapter,
    attention_explains._attended,
    attention_mechanism._side_by_side,
    autoencoder._trained,
)
attend = attention_mechanism.attend
features = adapter_layers._features
keras_adapter = adapter_layers._keras_adapter
regression_errors = adam_ideas._regression_errors


def linear(x):
    return x, np.ones_like(x)


def no_product(ws):
    return np.ones((len(ws[0]), ws[-1].shape[1]))


def plain_steps(g, b1=0.9, b2=0.999, correct=True, epsilon=0.0):
    return np.asarray(g)


def random_gradients(first, b1, b2, count):
    return np.random.default_rng(0).normal(size=(count, 1))


def one_learning_rate(b1, b2):
    return 1.0


def unscaled(g, v):
    return g


def always(name):
    """Another optimizer under every name."""
    return lambda seed, _, *rest, **options: regression_errors(
        seed, name, *rest, **options
    )


def plain_descent(ws, slots, grads, step, rate):
    for w, g in zip(ws, grads, strict=True):
        w -= rate * g


def idle(ws, slots, grads, step, rate):
    return None


def with_another_matrix(first, down, up, x):
    return features(first, down, up + 0.1, x)


def even(x):
    return np.full_like(x, 1 / x.shape[-1])


def with_places(q, k, v, mask=None):
    return attend(q, k + np.arange(len(k))[:, None], v, mask)


def without_mask(q, k, v, mask=None):
    return attend(q, k, v)


def linear_memory(q, k, v):
    return v + 1


def even_weights(attended):
    return even(attended.weights)


def evenly_attended(seed, relevant):
    votes = np.random.default_rng(seed).normal(size=(200, 8, 5))
    return attention_explains.Attended(np.full((200, 8), 1 / 8), votes)


def nothing_removed(x, y):
    return (np.eye(64),)


def random_directions(x, size):
    return np.random.default_rng(0).normal(size=(64, size))


BROKEN = [
    ("activation-function/linear-collapse", np.linalg, "multi_dot", no_product),
    ("activation-function/bounds", nets, "sigmoid", nets.tanh),
    ("activation-function/sigmoid-vanishes", nets, "sigmoid", linear),
    ("activation-function/relu-keeps", nets, "relu", nets.tanh),
    ("activation-function/relu-keeps", nets, "relu", nets.sigmoid),
    ("activation-function/tanh-vanishes", nets, "tanh", nets.sigmoid),
    ("activation-function/dead-stays", nets, "relu", nets.leaky_relu),
    ("activation-function/tanh-saturates", nets, "tanh", linear),
    ("adam/first-step", adam, "steps", plain_steps),
    ("adam/epsilon", adam, "steps", plain_steps),
    ("adam/scale-free", adam, "steps", plain_steps),
    ("adam/bound", adam, "steps", plain_steps),
    ("adam/bound-always", adam, "_growing", random_gradients),
    ("adam/bound-elsewhere", adam, "_paper_bound", one_learning_rate),
    ("adam/rmsprop", adam, "steps", plain_steps),
    ("adam/always-converges", adam, "_scaled", unscaled),
    ("adam/default-rate", adam, "adam", plain_descent),
    ("adam/adagrad", adam, "steps", plain_steps),
    ("adam/sparse", adam_ideas, "_regression_errors", always("SGD")),
    ("adam/moving", adam_ideas, "_regression_errors", always("AdaGrad")),
    ("adapter-layers/identity", adapter_layers, "_features", with_another_matrix),
    ("adapter-layers/forgets", adapter_layers, "adam", idle),
    ("adapter-layers/beats-head", adapter_layers, "SIZE", 0),
    ("adapter-layers/below-full", adapter_layers, "adam", idle),
    ("adapter-layers/removable", adapter_layers, "adam", idle),
    ("adapter-layers/computation", adapter_layers, "SIZE", 0),
    ("attention-mechanism/convex", attention_mechanism, "softmax", np.tanh),
    ("attention-mechanism/order", attention_mechanism, "attend", with_places),
    ("attention-mechanism/mask", attention_mechanism, "attend", without_mask),
    ("attention-mechanism/scaling", attention_mechanism, "softmax", even),
    ("attention-mechanism/explains", attention_explains, "other_weights", even_weights),
    (
        "attention-mechanism/leaving-out",
        attention_explains,
        "_attended",
        evenly_attended,
    ),
    ("attention-mechanism/finds", attention_mechanism, "adam", idle),
    ("attention-mechanism/square", attention_mechanism, "attend", linear_memory),
    ("autoencoder/linear", autoencoder, "_pca", lambda x, size: 0.01),
    ("autoencoder/compresses", autoencoder, "adam", idle),
    ("autoencoder/denoises", np.linalg, "lstsq", nothing_removed),
    ("autoencoder/nonlinear", autoencoder, "tanh", linear),
    ("autoencoder/serves", autoencoder, "_codes", lambda seed: random_codes(seed)),
    ("autoencoder/beats-pca", autoencoder, "_principal", random_directions),
]


def random_codes(seed):
    rng = np.random.default_rng(seed)
    x = autoencoder._centred()
    names = ("autoencoder", "random", "PCA")
    return {name: x @ rng.normal(size=(64, 8)) for name in names}


@pytest.fixture(autouse=True)
def nothing_remembered():
    """What a broken mechanism has trained must not be found by the next test."""
    for cached in CACHES:
        cached.cache_clear()
    yield
    for cached in CACHES:
        cached.cache_clear()


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(("claim", "place", "name", "broken"), BROKEN)
def test_a_claim_does_not_hold_without_its_mechanism(
    monkeypatch, claim, place, name, broken
):
    monkeypatch.setattr(place, name, broken)
    with np.errstate(all="ignore"):
        verdict = CLAIMS[claim].check().verdict
    assert verdict != CLAIMS[claim].expected


def test_every_claim_that_needs_no_backend_is_broken_once():
    broken = {claim for claim, *_ in BROKEN}
    assert broken == {name for name, claim in CLAIMS.items() if not claim.backend}


@pytest.mark.backend
def test_functions_of_keras_with_other_ranges_are_found(monkeypatch):
    import keras

    monkeypatch.setattr(keras.activations, "tanh", keras.activations.sigmoid)
    assert CLAIMS["activation-function/ranges"].check().verdict == "failed"


@pytest.mark.backend
def test_adapters_as_wide_as_the_model_are_not_few(monkeypatch):
    import keras

    dense = keras.layers.Dense
    monkeypatch.setattr(
        keras.layers,
        "Dense",
        lambda units, **options: dense(768 if units == 64 else units, **options),
    )
    assert CLAIMS["adapter-layers/few"].check().verdict == "failed"


@pytest.mark.backend
def test_a_layer_that_is_not_frozen_changes(monkeypatch):
    import keras

    def thawed():
        model = keras_adapter()
        model.get_layer("frozen").trainable = True
        model.compile(keras.optimizers.Adam(0.01), model.loss)
        model.optimizer.build(model.trainable_variables)
        return model

    monkeypatch.setattr(adapter_layers, "_keras_adapter", thawed)
    assert CLAIMS["adapter-layers/frozen"].check().verdict == "failed"


@pytest.mark.backend
def test_heads_that_are_one_do_no_better_than_one(monkeypatch):
    import keras

    layer = keras.layers.MultiHeadAttention
    monkeypatch.setattr(
        keras.layers,
        "MultiHeadAttention",
        lambda count, size, **options: layer(1, count * size, **options),
    )
    evidence = CLAIMS["attention-mechanism/heads"].check()
    assert evidence.verdict == "failed"
    assert evidence.measured > 0.5
