"""Each mechanism, broken: its claim must not come out as it is documented."""

import numpy as np
import pytest

import glossary
from glossary.demos import (
    accuracy,
    adamw,
    adaptive_learning_rate,
    adaptive_steps,
    dropout,
    hyperparameter,
    nesterov_momentum,
    overfitting,
    penalties,
    transfer,
    validation_set,
)
from glossary.lab import fitting, steps

CLAIMS = {claim.id: claim for term in glossary.terms() for claim in term.claims}


def plain_steps(g, keep=0.9):
    return np.asarray(g)


def plain_rate(square, g):
    return np.ones_like(g)


def decaying_rate(square, g):
    """A rate that falls with the number of the update, so that anything settles."""
    square += 1.0
    return 1 / square


def stopping_rate(square, g):
    """Steps of a fixed length that fall too fast to arrive anywhere."""
    square += 1.0
    return 1 / (np.abs(g) * square**2 + 1e-12)


def plain_descent(ws, slots, grads, step, rate, decay=0.0):
    for w, g in zip(ws, grads, strict=True):
        w -= rate * g


def coupled(ws, slots, grads, step, rate, decay=0.0):
    """Decay that passes through Adam's averages, as that of a penalty does."""
    penalized = [g + decay * w for w, g in zip(ws, grads, strict=True)]
    steps.adam(ws, slots, penalized, step, rate)


def never_without(ws, slots, grads, step, rate, decay=None):
    """AdamW that decays even where it is told not to."""
    steps.adam(ws, slots, grads, step, rate, 0.0 if decay is None else decay + 0.1)


def classical(ws, speeds, grads, rate, mass=0.9, nesterov=False):
    steps.momentum(ws, speeds, grads, rate, mass)


def no_momentum(ws, speeds, grads, rate, mass=0.9, nesterov=False):
    steps.sgd(ws, grads, rate)


def damped(ws, speeds, grads, rate, mass=0.9, nesterov=False):
    steps.momentum(ws, speeds, grads, rate, 0.5 * mass, nesterov)


def never_ahead(gradient, start, rate, mass, updates):
    way = nesterov_momentum._way(gradient, start, rate, mass, False, updates)
    return way, way


def slow_classical(ws, speeds, grads, rate, mass=0.9, nesterov=False):
    steps.momentum(ws, speeds, grads, rate if nesterov else 0.1 * rate, mass, nesterov)


def on_a_grid(count, rng):
    return hyperparameter.grid(int(count**0.5), rng)


def idle(ws, slots, grads, step, rate, decay=0.0):
    return None


def untrained(seed, data, widths, updates, rate=0.003, ws=None, every=0):
    return fitting.fit(seed, data, widths, 0, rate, ws, every)


def with_true_labels(seed, count, wrong=0.0):
    return fitting.few_digits(seed, count)


def any_model(scores):
    return 0


def same_for_all(x, y, penalty):
    return penalties_ridge(x, y, 1e3)


def unpenalized(x, y, penalty):
    return penalties_ridge(x, y, 1e-6)


def rounded(x, y, penalty):
    return penalties_ridge(x, y, penalty).round(1)


penalties_ridge = penalties.ridge


def overfitted(x, y, penalty):
    """Weights that a weak penalty leaves to chance, however many rows there are."""
    chance = np.random.default_rng(0).normal(size=x.shape[1])
    return penalties_ridge(x, y, penalty) + 0.3 * chance / (1 + penalty)


def without_penalty(x, y, w, penalty):
    return x.T @ (x @ w - y)


def penalized_fit(inputs, goal):
    return (penalties_ridge(inputs, goal, 1.0),)


def wild_fit(inputs, goal):
    """A solution far from the smallest one, the farther the wider the model is."""
    w = lstsq(inputs, goal)[0]
    chance = np.random.default_rng(0).normal(0, 30, w.shape)
    return (w + chance - np.linalg.pinv(inputs) @ (inputs @ chance),)


lstsq = np.linalg.lstsq


def in_pairs(rng, right, count):
    """Test sets in which every example stands twice: half as many are independent."""
    rows = rng.integers(0, len(right), (2000, count // 2))
    return right[rows].mean(axis=1)


def never_more_than_20(rng, count):
    return rng.integers(0, 1797, 20)


def few_with_wrong_labels(seed, count, wrong=0.0):
    return fitting.few_digits(seed, 60, wrong=0.8)


def linear(x):
    return x, np.ones_like(x)


def unscaled(rng, x, rate):
    return x * (rng.random(x.shape) >= rate)


def nothing_dropped(rng, x, rate):
    return x


def fresh_base(seed, shuffled=False):
    return transfer._fresh(seed)


def half(answers, labels):
    """Every class counts the same: the accuracy in each class, averaged."""
    kinds = np.unique(labels)
    return float(np.mean([(answers[labels == kind] == kind).mean() for kind in kinds]))


BROKEN = [
    (
        "rmsprop/follows-scale",
        adaptive_steps,
        "rmsprop_steps",
        adaptive_steps.adagrad_steps,
    ),
    (
        "rmsprop/first-step",
        adaptive_steps,
        "rmsprop_steps",
        adaptive_steps.adagrad_steps,
    ),
    ("rmsprop/settles", adaptive_steps, "rmsprop_rate", plain_rate),
    (
        "adagrad/falls-as-root",
        adaptive_steps,
        "adagrad_steps",
        adaptive_steps.rmsprop_steps,
    ),
    ("adagrad/rare-features", adaptive_steps, "adagrad_steps", plain_steps),
    (
        "adagrad/follows-slowly",
        adaptive_steps,
        "adagrad_rate",
        adaptive_steps.rmsprop_rate,
    ),
    ("adagrad/stops-short", adaptive_steps, "adagrad_rate", stopping_rate),
    (
        "adaptive-learning-rate/equal-steps",
        adaptive_learning_rate,
        "rmsprop_steps",
        plain_steps,
    ),
    (
        "adaptive-learning-rate/uneven-inputs",
        adaptive_learning_rate,
        "adam",
        plain_descent,
    ),
    ("adaptive-learning-rate/no-scaling", adaptive_learning_rate, "adam", idle),
    ("adaptive-learning-rate/generalizes-worse", adaptive_learning_rate, "adam", idle),
    ("adamw/even-decay", adamw, "adam", coupled),
    ("adamw/is-adam-without-decay", adamw, "adam", never_without),
    ("nesterov-momentum/two-forms", nesterov_momentum, "momentum", classical),
    ("nesterov-momentum/lower-coefficient", nesterov_momentum, "_ahead", never_ahead),
    ("nesterov-momentum/damps", nesterov_momentum, "momentum", classical),
    ("nesterov-momentum/always-faster", nesterov_momentum, "momentum", slow_classical),
    ("nesterov-momentum/changing-curvature", nesterov_momentum, "momentum", damped),
    ("hyperparameter/random-search", hyperparameter, "scattered", on_a_grid),
    ("hyperparameter/one-at-a-time", hyperparameter, "momentum", no_momentum),
    ("hyperparameter/by-training-error", hyperparameter, "ridge", same_for_all),
    ("validation-set/optimistic", validation_set, "best", any_model),
    ("validation-set/test-is-honest", validation_set, "best", any_model),
    (
        "validation-set/leak",
        validation_set.np,
        "argsort",
        lambda values: np.arange(len(values)),
    ),
    ("accuracy/rare-class", accuracy, "share_right", half),
    ("accuracy/standard-error", accuracy, "on_test_sets", in_pairs),
    ("accuracy/flat", fitting, "adam", idle),
    ("overfitting/turns-up", overfitting, "few_digits", with_true_labels),
    ("overfitting/random-labels", fitting, "adam", idle),
    ("overfitting/peak", overfitting.np.linalg, "lstsq", penalized_fit),
    ("overfitting/larger-is-worse", overfitting.np.linalg, "lstsq", wild_fit),
    ("generalization/root-of-n", overfitting, "drawn", never_more_than_20),
    ("generalization/more-examples", overfitting, "fit", untrained),
    ("generalization/training-tells", overfitting, "few_digits", with_true_labels),
    (
        "generalization/moved",
        overfitting.np,
        "roll",
        lambda images, move, axis: images.copy(),
    ),
    ("regularization/u-shape", penalties, "ridge", unpenalized),
    ("regularization/raises-training-error", penalties, "ridge", same_for_all),
    ("regularization/three-kinds", penalties, "adam", idle),
    ("regularization/always-helps", penalties, "ridge", overfitted),
    ("l2-regularization/closed-form", penalties, "slope", without_penalty),
    ("l2-regularization/weak-directions", penalties, "ridge", unpenalized),
    ("l2-regularization/twins", penalties, "slope", without_penalty),
    ("l2-regularization/sets-to-zero", penalties, "ridge", rounded),
    ("dropout/keeps-mean", dropout, "dropped", unscaled),
    ("dropout/linear-ensemble", dropout, "scaled_to_one", np.exp),
    ("dropout/deep-ensemble", dropout, "relu", linear),
    ("dropout/large-net", dropout, "dropped", nothing_dropped),
    ("dropout/always-helps", dropout, "few_digits", few_with_wrong_labels),
    ("fine-tuning/fewer-updates", transfer, "_base", fresh_base),
    ("fine-tuning/forgets", transfer, "sgd", lambda ws, grads, rate: None),
    ("fine-tuning/last-layer", transfer, "adam", idle),
    ("pre-trained-model/few-examples", transfer, "_base", fresh_base),
    ("pre-trained-model/many-examples", transfer, "_base", fresh_base),
    ("pre-trained-model/features", transfer, "_base", fresh_base),
    ("pre-trained-model/always-helps", transfer, "_base", fresh_base),
]
MODULES = (
    adaptive_learning_rate,
    adaptive_steps,
    overfitting,
    penalties,
    transfer,
    validation_set,
)


def forget():
    """Empty what the demos keep between claims, so that nothing is left of a break."""
    for module in MODULES:
        for value in vars(module).values():
            if getattr(value, "__module__", "") == module.__name__:
                getattr(value, "cache_clear", lambda: None)()


@pytest.fixture(autouse=True)
def _fresh():
    forget()
    yield
    forget()


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(("claim", "place", "name", "broken"), BROKEN)
def test_a_claim_does_not_come_out_without_its_mechanism(
    monkeypatch, claim, place, name, broken
):
    monkeypatch.setattr(place, name, broken)
    with np.errstate(all="ignore"):
        verdict = CLAIMS[claim].check().verdict
    assert verdict != CLAIMS[claim].expected


@pytest.mark.backend
def test_a_decay_that_does_nothing_decides_nothing(monkeypatch):
    import keras

    adam = keras.optimizers.Adam
    monkeypatch.setattr(keras.optimizers, "Adam", lambda rate, **options: adam(rate))
    assert CLAIMS["adamw/keras-adam"].check().verdict == "inconclusive"


@pytest.mark.backend
def test_a_layer_that_always_drops_changes_its_inputs(monkeypatch):
    import keras

    layer = keras.layers.Dropout

    def always(rate, **options):
        made = layer(rate, **options)
        return lambda x, training: made(x, training=True)

    monkeypatch.setattr(keras.layers, "Dropout", always)
    assert CLAIMS["dropout/not-in-use"].check().verdict == "failed"
