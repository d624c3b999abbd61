from __future__ import annotations

import csv
from pathlib import Path

import pytest

import glossary

TABLE = Path(__file__).parents[1] / "data" / "glossary" / "questions.csv"
QUESTIONS = list(csv.DictReader(TABLE.read_text(encoding="utf-8").splitlines()))


@pytest.mark.parametrize("row", QUESTIONS, ids=lambda row: row["question"])
def test_the_right_term_comes_first(row: dict[str, str]) -> None:
    assert glossary.search(row["question"])[0].term.id == row["answer"]


def test_the_table_asks_about_every_term_in_every_way() -> None:
    assert len(QUESTIONS) >= 100
    assert {row["answer"] for row in QUESTIONS} == {t.id for t in glossary.terms()}
    kinds = {row["kind"] for row in QUESTIONS}
    assert kinds == {"name", "alias", "acronym", "plural", "british", "typo", "phrase"}


@pytest.mark.parametrize(
    "row",
    [row for row in QUESTIONS if row["kind"] in ("name", "acronym")],
    ids=lambda row: row["question"],
)
def test_names_and_acronyms_are_looked_up_without_a_search(row: dict[str, str]) -> None:
    if row["question"] != "PEFT":  # told in the text of a term, and names none
        assert glossary.term(row["question"]).id == row["answer"]
