from __future__ import annotations

import re
from pathlib import Path

import pytest

import glossary
from glossary.read import load

# What each definition has to say: facts, as patterns, not wording.
FACTS = {
    "learning-rate": (
        "hyperparameter",
        "scales the step of each weight update",
        "gradient descent",
        "too high.*overshoots",
        "diverges",
        "too low.*converges slowly",
        "poor local minimum",
        "schedules",
        "warmup",
        "cyclical",
        "adam and other adaptive methods",
        "separately for each parameter",
        "lowers the sensitivity.*does not remove",
        "range test.*finder.*starting value",
        "larger batches generally tolerate higher rates",
    ),
    "activation-function": (
        "output of a neuron",
        "non-linear",
        "relu",
        "sigmoid",
        "tanh",
        "differ in how gradients flow",
    ),
    "adam": (
        "adaptive moment estimation",
        "adagrad",
        "rmsprop",
        "each parameter a rate of its own",
        "first and second moments",
    ),
    "adapter-layers": (
        "small trainable modules",
        "pre-trained model",
        "parameter-efficient fine-tuning",
        "original weights stay frozen",
    ),
    "attention-mechanism": (
        "weight the relevant parts of its input for each output",
        "foundation of the transformer",
        "modern language models",
    ),
    "autoencoder": (
        "compresses.*compact representation",
        "reconstructs",
        "dimensionality reduction",
        "denoising",
        "latent representations",
    ),
    "backpropagation": (
        "gradient of the loss with respect to every weight",
        "passing error signals backward",
        "update the weights",
    ),
    "batch-normalization": (
        "normalizes the inputs of a layer over each mini-batch",
        "stabilizes and speeds up training",
        "higher learning rates",
        "originally explained by.*internal covariate shift",
        "contested",
    ),
    "batch-size": (
        "number of training examples",
        "one gradient step",
        "larger batches give steadier gradients",
        "more memory",
        "smaller batches.*noise that can help",
    ),
}
ADDED = (
    "learning-rate-schedule warmup cyclical-learning-rate one-cycle-policy "
    "cosine-annealing warm-restarts warmup-stable-decay lr-range-test momentum "
    "weight-decay gradient-accumulation gradient-noise-scale linear-scaling-rule "
    "loss-scaling early-stopping"
)


@pytest.mark.parametrize(
    ("id", "fact"), [(id, fact) for id, facts in FACTS.items() for fact in facts]
)
def test_the_definition_says_what_it_must(id: str, fact: str) -> None:
    term = glossary.term(id)
    said = f"{term.summary} {term.definition}".lower()
    assert re.search(fact, said, re.DOTALL), said


def test_the_nine_terms_of_the_beginning_are_in_the_core() -> None:
    assert set(FACTS) <= {term.id for term in load.core()}


def test_keras_lr_adds_its_own_terms() -> None:
    added = {term.id for term in glossary.terms() if term.source == "keras_lr"}
    assert added >= set(ADDED.split())


@pytest.mark.parametrize("term", glossary.terms(), ids=lambda term: term.id)
def test_every_term_is_complete(term: glossary.Term) -> None:
    assert term.references
    assert term.related
    assert 60 < len(term.summary) < 240
    assert len(term.definition.split()) > 60


def test_the_core_relates_to_core_terms_only() -> None:
    core = {term.id for term in load.core()}
    for term in load.core():
        assert {relation.target for relation in term.relations} <= core


def test_one_file_holds_one_term_and_has_its_name() -> None:
    folder = Path(glossary.__file__).parent / "terms"
    assert {path.stem for path in folder.iterdir()} == {t.id for t in load.core()}
