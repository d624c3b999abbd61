"""Fit the weights of the search, and say how well it answers.

    python -m benchmarks.search_weights [--misses]

Each question of `tests/data/glossary` is asked. Weights are those under which the right
terms, or "there is no answer", are likeliest (the formula is in
`glossary/find/search.py`). How good that is on questions it was not fitted to is told
by five folds, each answered with weights from the other four.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from sklearn.model_selection import KFold

import glossary
from glossary.find import search as engine
from glossary.find.labels import Labels

DATA = Path(__file__).resolve().parents[1] / "tests" / "data" / "glossary"
FOLDS = 5
#: A false answer is worse than none: so much more a question without an answer counts.
UNANSWERED = 6.0
#: Keeps weights small where few questions tell.
RIDGE = 2e-3


@dataclass(frozen=True)
class Asked:
    """A question with the ids that answer it; none where nothing does."""

    question: str
    answers: frozenset[str]


@dataclass(frozen=True)
class Figures:
    """Shares of questions.

    Args:
        first: With an answer, which comes first.
        three: With an answer, which is among the first three.
        sure: With an answer, which comes first with a score of 0.5 or more.
        silent: Without an answer, where no score reaches 0.5.
    """

    first: float
    three: float
    sure: float
    silent: float


def questions() -> list[Asked]:
    """Those with an answer, and those without."""
    with (DATA / "questions.csv").open(encoding="utf-8") as file:
        covered = [
            Asked(row["question"], frozenset(row["answer"].split("|")))
            for row in csv.DictReader(file)
        ]
    with (DATA / "uncovered.csv").open(encoding="utf-8") as file:
        rest = [Asked(row["question"], frozenset()) for row in csv.DictReader(file)]
    return covered + rest


@dataclass(frozen=True)
class Pairs:
    """A question beside each term that has any of its words.

    Args:
        features: Shape (terms, features).
        right: Which terms answer it, shape (terms,).
        counts: How much the question counts.
    """

    features: NDArray[np.float64]
    right: NDArray[np.bool_]
    counts: float


def pairs(search: engine.Search, asked: Sequence[Asked]) -> list[Pairs]:
    """The questions that can be learned from: some term has a word of each."""
    ids = [term.id for term in glossary.terms()]
    made = []
    for one in asked:
        read = search.read(one.question)
        numbers = {number for word in read.words for number in word.fields}
        candidates = sorted(numbers | read.held.keys())
        right = np.array([ids[number] in one.answers for number in candidates], bool)
        if not candidates or (one.answers and not right.any()):
            continue
        rows = [list(search.features(read, number).values()) for number in candidates]
        made.append(Pairs(np.array(rows), right, 1 if one.answers else UNANSWERED))
    return made


def fitted(search: engine.Search, asked: Sequence[Asked]) -> dict[str, float]:
    """The likeliest weights."""
    examples = pairs(search, asked)

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        total = 0.0
        slope = np.zeros_like(weights)
        for one in examples:
            worths = np.concatenate([[0.0], one.features @ weights])  # none comes first
            chances = np.exp(worths - worths.max())
            chances /= chances.sum()
            right = np.concatenate([[not one.right.any()], one.right])
            likely = chances[right].sum()
            total -= one.counts * np.log(likely + 1e-300)
            change = chances.copy()
            change[right] -= chances[right] / likely
            slope += one.counts * (change[1:] @ one.features)
        held = weights * (np.array(list(engine.WEIGHTS)) != "bias")
        ridge = RIDGE * len(examples)
        return total + ridge / 2 * held @ held, slope + ridge * held

    start = np.zeros(len(engine.WEIGHTS))
    bounds = [_bounds(name) for name in engine.WEIGHTS]
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x
    return {
        name: round(float(weight), 2)
        for name, weight in zip(engine.WEIGHTS, found, strict=True)
    }


def _bounds(name: str) -> tuple[float | None, float | None]:
    """No word that a term has may count against it, and no lack for it."""
    if name == "bias":
        return None, None
    return (None, 0.0) if name in ("short", "unknown", "slips") else (0.0, None)


def figures(asked: Sequence[Asked], misses: list[str] | None = None) -> Figures:
    """How the installed glossary answers, with the weights as they are."""
    first: list[bool] = []
    three: list[bool] = []
    sure: list[bool] = []
    silent: list[bool] = []
    for one in asked:
        matches = glossary.search(one.question, limit=3)
        ids = [match.term.id for match in matches]
        confident = bool(matches) and matches[0].score >= engine.THIS_IS_IT
        if one.answers:
            first.append(bool(ids) and ids[0] in one.answers)
            three.append(any(id in one.answers for id in ids))
            sure.append(first[-1] and confident)
        else:
            silent.append(not confident)
        right = first[-1] if one.answers else silent[-1]
        if misses is not None and not right:
            wanted = "|".join(sorted(one.answers)) or "nothing"
            score = f"{matches[0].score:.2f}" if matches else ""
            misses.append(f"{one.question!r}: {wanted}, got {ids} {score}")
    shares = [float(np.mean(answers)) for answers in (first, three, sure, silent)]
    return Figures(*shares)


def main() -> None:
    """Print the figures on questions not fitted to, and the weights from all."""
    asked = questions()
    search = engine.Search(glossary.terms(), Labels(glossary.terms()))
    shipped = dict(engine.WEIGHTS)
    misses: list[str] = []
    folds = []
    splits = KFold(FOLDS, shuffle=True, random_state=0).split(asked)
    for others, held_back in splits:
        engine.WEIGHTS.update(fitted(search, [asked[place] for place in others]))
        folds.append(figures([asked[place] for place in held_back], misses))
    print("not fitted to (five folds):")
    for name in ("first", "three", "sure", "silent"):
        share = np.mean([getattr(fold, name) for fold in folds])
        print(f"  {name:8} {share:.3f}")
    if "--misses" in sys.argv:
        print("\n".join(misses))
    print("weights from all questions:", fitted(search, asked))
    engine.WEIGHTS.update(shipped)
    print("with the weights as shipped:", figures(asked))


if __name__ == "__main__":
    main()
