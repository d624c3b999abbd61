"""Fit the weights of the search, and say how well it answers.

    python benchmarks/search_weights.py

Each question of `tests/data/glossary` is asked; each term that has any of its words is an
example: right or wrong. A logistic regression over the features gives `WEIGHTS` of
`glossary/find/search.py`. How good that is on questions it was not fitted to is told by
five folds, each answered with weights from the other four.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold

import glossary
from glossary.find import search as engine
from glossary.find.labels import Labels

DATA = Path(__file__).resolve().parents[1] / "tests" / "data" / "glossary"
FOLDS = 5
#: How far the displays trust an answer.
THIS_IS_IT = 0.5


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


def fitted(search: engine.Search, asked: Sequence[Asked]) -> dict[str, float]:
    """Weights by a logistic regression over pairs of a question and a term."""
    ids = [term.id for term in glossary.terms()]
    names = [name for name in engine.WEIGHTS if name != "bias"]
    rows = []
    right = []
    for one in asked:
        read = search.read(one.question)
        numbers = {number for word in read.words for number in word.fields}
        for number in numbers | read.held.keys():
            features = search.features(read, number)
            rows.append([features[name] for name in names])
            right.append(ids[number] in one.answers)
    model = LogisticRegression(C=3.0, max_iter=5000).fit(np.array(rows), right)
    bias = float(model.intercept_[0])
    weights = {"bias": round(bias, 2)}
    for name, weight in zip(names, model.coef_[0], strict=True):
        weights[name] = round(float(weight), 2)
    return weights


def figures(asked: Sequence[Asked], misses: list[str] | None = None) -> Figures:
    """How the installed glossary answers, with the weights as they are."""
    first: list[bool] = []
    three: list[bool] = []
    sure: list[bool] = []
    silent: list[bool] = []
    for one in asked:
        matches = glossary.search(one.question, limit=3)
        ids = [match.term.id for match in matches]
        confident = bool(matches) and matches[0].score >= THIS_IS_IT
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
