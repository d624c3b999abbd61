"""Questions that people ask, with the terms that answer them, and without any.

They were written before anyone looked at what the engine says. The engine's weights are
fitted to them (`benchmarks/search_weights.py` tells how well it does on others), so
what stands here is that it does not get worse.
"""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

import glossary
from glossary.find.search import THIS_IS_IT

DATA = Path(__file__).parents[1] / "data" / "glossary"


def rows(name: str) -> list[dict[str, str]]:
    return list(csv.DictReader((DATA / name).read_text(encoding="utf-8").splitlines()))


COVERED = rows("questions.csv")
UNCOVERED = rows("uncovered.csv")


def test_the_right_term_comes_first_for_nearly_all() -> None:
    missed = []
    for row in COVERED:
        matches = glossary.search(row["question"], limit=1)
        if not matches or matches[0].term.id not in row["answer"].split("|"):
            missed.append(row["question"])
    assert len(missed) <= 0.05 * len(COVERED), missed


def test_the_right_term_is_among_the_first_three() -> None:
    missed = []
    for row in COVERED:
        ids = {match.term.id for match in glossary.search(row["question"], limit=3)}
        if not ids & set(row["answer"].split("|")):
            missed.append(row["question"])
    assert len(missed) <= 0.03 * len(COVERED), missed


def test_what_is_not_covered_has_no_confident_answer() -> None:
    claimed = []
    for row in UNCOVERED:
        matches = glossary.search(row["question"], limit=1)
        if matches and matches[0].score >= THIS_IS_IT:
            claimed.append((row["question"], matches[0].term.id))
    assert len(claimed) <= 0.05 * len(UNCOVERED), claimed


def test_labels_as_a_whole_are_always_found() -> None:
    kinds = ("name", "acronym", "plural", "british")
    for row in COVERED:
        if row["kind"] in kinds:
            matches = glossary.search(row["question"], limit=1)
            assert matches[0].term.id in row["answer"].split("|"), row


def test_the_tables_ask_about_every_term_in_every_way() -> None:
    answers = {answer for row in COVERED for answer in row["answer"].split("|")}
    assert answers == {term.id for term in glossary.terms()}
    assert len(UNCOVERED) >= 150
    questions = [row["question"] for row in (*COVERED, *UNCOVERED)]
    assert len(set(questions)) == len(questions)


@pytest.mark.parametrize(
    "question",
    ["learning to rank", "L1 regularization", "random forest", "k-means clustering"],
)
def test_what_users_reported_as_false_confidence_is_none(question: str) -> None:
    matches = glossary.search(question, limit=1)
    assert not matches or matches[0].score < THIS_IS_IT


@pytest.mark.parametrize("name", ["random forest", "L1 regularization", "skip list"])
def test_did_you_mean_is_for_spellings_alone(name: str) -> None:
    with pytest.raises(glossary.UnknownTerm) as caught:
        glossary.term(name)
    assert caught.value.suggestions == ()


def test_no_reason_shows_a_misspelling() -> None:
    listed = {slip for term in glossary.terms() for slip in term.misspellings}
    for row in COVERED:
        for match in glossary.search(row["question"], limit=3):
            shown = {piece for piece in match.reason.split("'") if piece in listed}
            written = row["question"].casefold()
            assert all(slip.casefold() in written for slip in shown), match.reason
