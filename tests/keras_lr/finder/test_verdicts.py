"""What a search says where there is nothing to find, or too little to tell."""

from __future__ import annotations

import re
from dataclasses import replace

import keras
import numpy as np
import pytest
from scipy.stats import norm, t

import keras_lr
from keras_lr.finder.climb import Seen
from keras_lr.finder.verdict import Difference, Evidence, student, verdict_of

PARTS = 10


def seen(loss, spread=0.0, seed=0, parts=PARTS):
    if not np.isfinite(loss):
        return Seen(loss, np.full(parts, loss))
    noise = np.random.default_rng(seed).normal(size=parts)
    losses = loss + spread * (noise - noise.mean())
    return Seen(float(losses.mean()), losses)


PLAIN = Evidence(
    start=seen(2.3, 0.05),
    best=seen(0.4, 0.1, seed=1),
    is_off_scale=False,
    swapped=seen(4.0, 0.3, seed=2),
    rows=200,
    is_given=False,
    is_trained=False,
    is_doubtful=False,
    lowest_rate=1e-4,
)


def test_a_fall_that_chance_does_not_explain_is_trusted():
    assert verdict_of(PLAIN).name == "trust"
    assert verdict_of(replace(PLAIN, is_doubtful=True)).name == "trust"
    assert verdict_of(replace(PLAIN, swapped=None, is_doubtful=True)).name == "trust"


@pytest.mark.parametrize(
    ("changes", "name", "words"),
    [
        ({"best": seen(np.inf)}, "diverged early", "down to a rate of 0.0001: look at"),
        ({"best": seen(2.4)}, "flat", "below 2.3, where it began: .*shuffle"),
        (
            {"best": seen(2.4), "is_trained": True},
            "flat",
            "has learned what it can.*`validation_data` that it has not seen",
        ),
        (
            {"best": seen(2.25, 0.5, seed=3), "swapped": None},
            "noisy",
            "on the 200 rows held out: give more data, `validation_data`",
        ),
        ({"best": seen(2.2999, 0.05, 3), "swapped": None}, "flat", "chance explains"),
        (
            {"best": seen(2.29, 0.5, 3), "swapped": None, "is_given": True},
            "noisy",
            "the 200 rows of `validation_data`: give more of them",
        ),
        (
            {"swapped": seen(0.4, 0.1, seed=1), "is_doubtful": True},
            "flat",
            "learned nothing of the inputs",
        ),
        (
            {"swapped": seen(0.6, 3.0, seed=4), "is_doubtful": True},
            "noisy",
            "noise hides whether that owes anything to the inputs",
        ),
        ({"is_off_scale": True}, "noisy", "scale the inputs"),
        (
            {"start": seen(2.3, parts=2), "best": seen(0.1, parts=2), "rows": 2,
             "swapped": None},
            "flat",
            "on the 2 rows held out",
        ),
    ],
)  # fmt: skip
def test_each_verdict_comes_where_it_is_true_and_says_what_to_do(changes, name, words):
    finding = verdict_of(replace(PLAIN, **changes))
    assert finding.name == name

    assert re.search(words, finding.reason), finding.reason


def test_a_small_fall_counts_where_the_inputs_clearly_matter():
    small = seen(2.1, 0.27, seed=5)
    known = replace(PLAIN, best=small, swapped=None)
    assert verdict_of(known).name != "trust"
    assert verdict_of(replace(known, swapped=seen(4.0, 0.3, seed=2))).name == "trust"


def test_rows_that_were_trained_on_before_are_named():
    assert "trained before" not in verdict_of(PLAIN).reason
    assert "trained before" in verdict_of(replace(PLAIN, is_trained=True)).reason
    given = replace(PLAIN, is_trained=True, is_given=True)
    assert "trained before" not in verdict_of(given).reason


def test_chance_is_called_real_as_rarely_as_it_should_be():
    generator = np.random.default_rng(0)
    real = [
        Difference(generator.normal(size=PARTS) + 9, generator.normal(size=PARTS) + 9)
        .is_real(2.6)
        for _ in range(4000)
    ]  # fmt: skip
    # One-sided: 0.5 %, by either of two measures that mostly agree.
    assert np.mean(real) < 0.008


@pytest.mark.parametrize("degrees", [5, 9, 15, 100])
def test_the_quantile_is_that_of_students_t(degrees):
    for sure in (1.6, 2.6, 3.8):
        exact = t.isf(norm.sf(sure), degrees)
        assert student(sure, degrees) == pytest.approx(exact, rel=0.16)


# Real ones.


def digits():
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(y))
    return (x / 16).astype("float32")[order], y[order]


def random_labels():
    x, _ = digits()
    return x, np.random.default_rng(0).integers(0, 10, len(x))


def one_class():
    x, y = digits()
    return x, np.full_like(y, 3)


def twelve_rows():
    x, y = digits()
    return x[:12], y[:12]


def wrong_labels():
    x, y = digits()
    generator = np.random.default_rng(0)
    bad = generator.random(len(y)) < 0.4
    y[bad] = generator.integers(0, 10, bad.sum())
    return x[:400], y[:400]


def sorted_rows():
    x, y = digits()
    order = np.argsort(y, kind="stable")

    def batches():
        while True:
            for i in range(0, 1760, 32):
                yield x[order[i : i + 32]], y[order[i : i + 32]]

    return (batches(),)


@pytest.mark.backend
@pytest.mark.parametrize(
    ("data", "verdicts"),
    [
        (digits, ["trust"]),
        (wrong_labels, ["trust"]),
        (random_labels, ["flat"]),
        (one_class, ["flat"]),
        (twelve_rows, ["noisy", "flat"]),
        (sorted_rows, ["noisy", "flat"]),
    ],
    ids=lambda one: getattr(one, "__name__", None),
)
def test_real_data_get_the_verdict_that_is_true_of_them(data, verdicts):
    keras.utils.set_random_seed(1)
    layers = [keras.layers.Dense(64, "relu"), keras.layers.Dense(10)]
    model = keras.Sequential([keras.Input((64,)), *layers])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss)
    result = keras_lr.find_lr(model, *data(), budget=400, verbose=0)
    assert result.verdict in verdicts, result
    assert (result.suggestion is None) == (result.verdict != "trust")


@pytest.mark.backend
def test_ftrl_gets_a_rate_though_low_ones_destroy_its_weights():
    keras.utils.set_random_seed(1)
    layers = [keras.layers.Dense(64, "relu"), keras.layers.Dense(10)]
    model = keras.Sequential([keras.Input((64,)), *layers])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("ftrl", loss)
    result = keras_lr.find_lr(model, *digits(), verbose=0)
    assert result.verdict == "trust"
    assert 0.03 < result.suggestion < 1
