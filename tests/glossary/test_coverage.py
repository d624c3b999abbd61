"""Every sentence of the nine core definitions, and the claims that measure it."""

import re

import pytest

import glossary

CLAIMS = {one.id for term in glossary.terms() for one in term.claims}

# What no experiment can judge: meanings of words, use, and history.
DEFINES = "defines a word, or the formula says it"
USE = "tells of use"
HISTORY = "tells of history"

# For each term, its sentences in order: claims (its own without the name), or why not.
SENTENCES = {
    "activation-function": [
        DEFINES,
        "linear-collapse",
        "ranges",
        "sigmoid-vanishes relu-keeps",
        "bounds sigmoid-vanishes tanh-saturates tanh-vanishes relu-keeps dead-stays",
    ],
    "adam": [
        DEFINES,
        DEFINES,
        "adagrad rmsprop sparse moving",
        "first-step",
        "scale-free first-step bound",
        "default-rate",
        "learning-rate/adaptive-still-matters",
        "always-converges weight-decay/l2-for-adam",
    ],
    "adapter-layers": [
        DEFINES,
        "identity",
        "frozen",
        "few forgets removable",
        "computation below-full beats-head",
    ],
    "attention-mechanism": [
        "convex",
        "finds",
        HISTORY,
        HISTORY,
        "heads",
        "scaling",
        "order square",
        "explains",
    ],
    "autoencoder": [
        DEFINES,
        "compresses",
        "compresses denoises serves",
        "linear nonlinear",
        "denoises",
    ],
    "backpropagation": [
        DEFINES,
        "exact",
        "exact cost",
        "changes-nothing descends",
        "reverse-mode",
        "vanish-or-explode activation-function/sigmoid-vanishes",
    ],
    "batch-normalization": [
        "unit",
        "inference",
        "faster higher-rates scale-free gradient-shrinks",
        "covariate-shift",
        "covariate-shift smoother",
        "poor-in-tiny-batches tiny-batches",
    ],
    "batch-size": [
        DEFINES,
        "variance parallel-hardware",
        "memory",
        "more-steps noise-escapes generalizes-worse",
        "higher-rates up-to-noise-scale beyond-noise-scale",
        "generalizes-worse",
    ],
    "learning-rate": [
        DEFINES,
        USE,
        "edge u-shape",
        "too-low-is-slow stuck",
        "depends-on-data depends-on-optimizer batch-normalization/higher-rates "
        "batch-size/higher-rates batch-size/up-to-noise-scale",
        DEFINES,
        "schedule-lowers warmup/deep-nets cyclical-learning-rate/no-tuning",
        "adaptive-less-sensitive adaptive-still-matters",
        "lr-range-test/edge lr-range-test/trains",
    ],
}


def test_the_nine_terms_of_the_core_are_covered():
    assert set(SENTENCES) == {t.id for t in glossary.terms() if t.source == "core"}


@pytest.mark.parametrize("name", SENTENCES)
def test_every_sentence_of_a_definition_has_claims_or_a_reason(name):
    sentences = re.split(r"(?<=\.)\s+", glossary.term(name).definition)
    told = SENTENCES[name]
    assert len(told) == len(sentences), "the definition has changed: cover it anew"
    named = {
        one if "/" in one else f"{name}/{one}"
        for claims in told
        if claims not in (DEFINES, USE, HISTORY)
        for one in claims.split()
    }
    assert named <= CLAIMS
    own = {one.id for one in glossary.term(name).claims}
    assert own <= named, "a claim that no sentence of the definition makes"
