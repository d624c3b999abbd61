"""What readers trip over: a word without an entry, a rate of what, a name unexplained.

Mechanical rules alone; whether a sentence is true and reads well is for a reader.
"""

from __future__ import annotations

import re

import pytest

import glossary
from glossary.find import fold

#: Words that a beginner does not bring along. In a beginner's entry each needs an entry
#: of its own, or a name in `see`, which says that this entry explains it.
_WORDS = """
    adjoint, annealing, argmax, asymptotic, autoregressive, backward pass,
    bisection, bottleneck, condition number, convex, correlation, covariance,
    cross-validation, curvature, derivative, differentiable, dot product,
    eigenvalue, eigenvector, entropy, feature map, forward pass, Gaussian, geometric
    mean, Hessian, heuristic, Hoeffding, hyperplane, inductive bias, isotropic,
    Jacobian, kernel, Kullback, latent, likelihood, linear map, Lipschitz, logit,
    manifold, Markov, momentum, monotonic, norm, objective, orthogonal, parametric,
    perplexity, pooling, posterior, precision, pruning, quadratic, quantization,
    recall, residual, saddle, saturate, spectral radius, stochastic, stride,
    subgradient, surrogate, tensor, token, transpose, unbiased, variance,
    variational, zigzag
"""
TECHNICAL = [" ".join(words.split()) for words in _WORDS.split(",")]
#: Technical words that the sentence in which they stand explains.
IN_PASSING = {
    # Its claims name the size of weights as the papers do.
    "activation-function": {"variance"},
    "batch-size": {"variance"},
    "chain-rule": {"derivative"},
    "convergence": {"condition number", "curvature"},
    "dropout": {"geometric mean"},
    "learning-rate": {"curvature", "quadratic"},
    "momentum": {"condition number", "zigzag"},
    "sigmoid": {"saturate"},
    "stochastic-gradient-descent": {"unbiased"},
    "tanh": {"saturate"},
    "validation-set": {"cross-validation"},
}
#: Rates of something else than learning.
OTHER_RATES = re.compile(
    r"\b(error|convergence|decay) rates?\b|\brates? of convergence\b", re.IGNORECASE
)
#: After this, "rate" alone is clear.
WHOLE_RATE = re.compile(r"\b(learning|dropout)[- ]rates?\b", re.IGNORECASE)
RATE = re.compile(r"\brates?\b", re.IGNORECASE)

#: Names that people look up, whose thing the entry explains in other words.
IN_OTHER_WORDS = {
    "MAE",
    "MSE",
    "Kaiming initialization",
    "Polyak averaging",
    "ReduceLROnPlateau",
    "XOR problem",
    "Xavier initialization",
    "bf16",
    "critical batch size",
    "decision boundary",
    "dying ReLU",
    "effective batch size",
    "fp16",
    "held-out data",
    "holdout set",
    "reduce on plateau",
    "reparameterization trick",
    "reparametrization trick",
    "steps per epoch",
    "superconvergence",
}

TERMS = glossary.terms()
EVERY = pytest.mark.parametrize("term", TERMS, ids=lambda term: term.id)
NAMES = re.compile(
    "|".join(
        rf"\b{re.escape(name)}s?\b"
        for term in TERMS
        for name in (term.name, *term.aliases)
    ),
    re.IGNORECASE,
)
BEGINNERS = pytest.mark.parametrize(
    "term",
    [term for term in TERMS if term.level == "beginner"],
    ids=lambda term: term.id,
)


def _text(term: glossary.Term) -> str:
    """What the definition and its example say, without formulas and claims."""
    example = term.example.text if term.example else ""
    return " ".join([term.summary, term.definition, example, term.mistake])


def _claims(term: glossary.Term) -> str:
    return " ".join(claim.sentence for claim in term.claims)


def _page(term: glossary.Term) -> str:
    """All that a reader meets, with formula and claims."""
    parts = [_text(term)]
    if term.formula:
        parts += [term.formula.note, *(s.meaning for s in term.formula.symbols)]
    for claim in term.claims:
        parts += [claim.sentence, claim.quantity, claim.conditions]
    return " ".join(parts)


def _stems(text: str) -> list[str]:
    return [fold.stem(word) for word in fold.words(text)]


def _stands_in(name: str, text: str) -> bool:
    """Whether all words of a name stand in a text, in any order and form."""
    return set(_stems(name)) <= set(_stems(text))


def _is_said(words: str, text: str) -> bool:
    """Whether words stand in a text next to each other, also in the plural."""
    folded = [fold.singular(word) for word in fold.words(text)]
    wanted = [fold.singular(word) for word in fold.words(words)]
    count = len(wanted)
    return any(folded[i : i + count] == wanted for i in range(len(folded)))


def _has_entry(words: str) -> bool:
    try:
        glossary.term(words)
    except glossary.UnknownTerm:
        return False
    return True


def _without_names(text: str) -> str:
    """A text without the names of entries: "stochastic" alone is a technical word."""
    return NAMES.sub(" . ", text)


def _unexplained(term: glossary.Term, text: str) -> list[str]:
    """Technical words in a text that neither an entry nor this one explains."""
    explained = " ".join(see.name for see in term.see)
    text = _without_names(text)
    return [
        words
        for words in TECHNICAL
        if _is_said(words, text)
        and not _has_entry(words)
        and not _stands_in(words, explained)
        and words not in IN_PASSING.get(term.id, set())
    ]


def _rate_of_nothing(text: str) -> bool:
    """Whether "rate" alone comes before what it is the rate of was said."""
    text = OTHER_RATES.sub("", text)
    first = RATE.search(text)
    whole = WHOLE_RATE.search(text)
    return first is not None and (whole is None or first.start() < whole.start())


@EVERY
def test_a_definition_has_100_to_170_words(term: glossary.Term) -> None:
    assert 100 <= len(term.definition.split()) <= 170


@EVERY
def test_every_entry_has_an_example_and_a_common_mistake(term: glossary.Term) -> None:
    assert term.example
    assert term.mistake


@BEGINNERS
def test_a_beginner_meets_no_word_without_an_entry(term: glossary.Term) -> None:
    assert _unexplained(term, f"{_text(term)} {_claims(term)}") == []


@EVERY
def test_rate_follows_learning_rate(term: glossary.Term) -> None:
    assert not _rate_of_nothing(_text(term))
    # A claim is shown by itself as well.
    assert [c.id for c in term.claims if _rate_of_nothing(c.sentence)] == []


@EVERY
def test_names_that_lead_to_an_entry_stand_in_its_text(term: glossary.Term) -> None:
    text = _page(term)
    names = {see.name for see in term.see} - IN_OTHER_WORDS
    assert [name for name in sorted(names) if not _stands_in(name, text)] == []


def test_the_rules_find_what_they_are_for() -> None:
    gradient = glossary.term("gradient")
    assert _unexplained(gradient, "Two Hessians and an eigenvalue.") == [
        "eigenvalue",
        "Hessian",
    ]
    assert _unexplained(gradient, "Stochastic gradient descent.") == []
    assert _rate_of_nothing("A high rate diverges. The learning rate is too high.")
    assert not _rate_of_nothing("The learning rate is high. Such a rate diverges.")
    assert not _stands_in("causal mask", "A mask hides padding.")
