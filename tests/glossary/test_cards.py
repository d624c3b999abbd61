from __future__ import annotations

import csv
import io

import glossary
from glossary.show import cards
from tests.kit.terms import hostile_term


def notes(written: str) -> list[list[str]]:
    lines = [line for line in written.splitlines() if not line.startswith("#")]
    return list(csv.reader(io.StringIO("\n".join(lines)), delimiter="\t"))


def test_there_is_a_card_a_term_and_a_card_a_claim() -> None:
    terms = glossary.terms()
    claims = [claim for term in terms for claim in term.claims if claim.recorded]
    cards_of_all = notes(cards.anki([*terms, hostile_term()]))
    assert len(cards_of_all) == len(terms) + len(claims) + 1
    assert {len(note) for note in cards_of_all} == {4}
    assert len({note[0] for note in cards_of_all}) == len(cards_of_all)


def test_a_claim_asks_whether_it_held_and_answers_with_the_number() -> None:
    by_guid = {note[0]: note for note in notes(cards.anki(glossary.terms()))}
    _, front, back, tags = by_guid["glossary:adam/always-converges"]
    assert "held or failed?" in front
    assert "failed</b>" in back
    assert "failed" not in front.replace("held or failed?", "")
    assert tags == "optimization intermediate"


def test_the_answer_to_a_term_fits_on_a_card() -> None:
    for note in notes(cards.anki(glossary.terms())):
        words = note[2].partition(r"\[")[0].split()
        assert len(words) < 90, note[0]


def test_hostile_text_stays_text_in_one_line() -> None:
    written = cards.anki([hostile_term()])
    assert "<script>" not in written
    assert len(notes(written)) == 1


def test_the_header_tells_anki_how_to_read_it() -> None:
    head = cards.anki([]).splitlines()
    assert head[:2] == ["#separator:tab", "#html:true"]
