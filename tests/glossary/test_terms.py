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
        "too low.*(converges slowly|training slow)",
        "poor local minimum",
        "schedules",
        "warmup",
        "cyclical",
        "adam and other adaptive methods",
        "(separately for each|step of each) parameter",
        "lowers the sensitivity.*does not remove|still has to be chosen",
        "range test.*finder.*starting value",
        "larger batches (generally tolerate|often allow a) higher",
    ),
    "activation-function": (
        "output of a neuron|neuron.s (inputs into its )?output",
        "non-linear",
        "relu",
        "sigmoid",
        "tanh",
        "differ in how gradients (flow|pass)",
    ),
    "adam": (
        "adaptive moment estimation",
        "adagrad",
        "rmsprop",
        "each (parameter a (learning )?rate|weight steps) of its own",
        "first and second moments|first moment.*second moment",
    ),
    "adapter-layers": (
        "small trainable modules",
        "pre-trained model",
        "parameter-efficient fine-tuning",
        "original weights stay frozen",
    ),
    "attention-mechanism": (
        "relevant.*for each output",
        "transformer",
        "language models",
    ),
    "autoencoder": (
        "compact (representation|code)",
        "reconstruct",
        "dimensionality reduction|number of dimensions",
        "denoising",
        "latent",
    ),
    "backpropagation": (
        "gradient of the loss with respect to every weight",
        "passing error signals backward",
        "update the weights",
    ),
    "batch-normalization": (
        "over (each|the) mini-batch",
        "(stabilizes|steadies).*speeds up training|speeds up training.*stead",
        "higher learning rates",
        "(originally|first) explained by.*internal covariate shift",
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
    assert term.claims or term.formula
    assert 60 < len(term.summary) < 240
    assert len(term.definition.split()) > 60


def test_the_core_relates_to_core_terms_only() -> None:
    core = {term.id for term in load.core()}
    for term in load.core():
        assert {relation.target for relation in term.relations} <= core


def test_one_file_holds_one_term_and_has_its_name() -> None:
    folder = Path(glossary.__file__).parent / "terms"
    assert {path.stem for path in folder.iterdir()} == {t.id for t in load.core()}
