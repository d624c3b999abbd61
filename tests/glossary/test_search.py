from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

import glossary
from glossary import Glossary, Term

WORD = st.text(string.ascii_lowercase, min_size=1, max_size=9)


def made(id: str, **fields: object) -> Term:
    plain: dict[str, object] = {
        "name": id,
        "category": "c",
        "level": "beginner",
        "summary": "S.",
        "definition": "D.",
    }
    return Term(id=id, **{**plain, **fields})  # type: ignore[arg-type]


@pytest.fixture
def four() -> Glossary:
    return Glossary.from_terms(
        [
            made("in-text", definition="It mentions the quokka late."),
            made("in-sentence", summary="A quokka in one sentence."),
            made("in-alias", aliases=("happy quokka",)),
            made("in-name", name="quokka effect"),
            made("elsewhere", definition="Nothing of the kind."),
        ]
    )


def ids(glossary: Glossary, question: str) -> list[str]:
    return [match.term.id for match in glossary.search(question)]


def test_a_name_outranks_alias_sentence_and_full_text(four: Glossary) -> None:
    assert ids(four, "quokka") == ["in-name", "in-alias", "in-sentence", "in-text"]


def test_each_match_says_where_the_word_stands(four: Glossary) -> None:
    reasons = [match.reason for match in four.search("quokkas")]
    assert reasons == [
        "'quokkas' in the name",
        "'quokkas' in the alias",
        "'quokkas' in the one-sentence definition",
        "'quokkas' in the full text",
    ]


@pytest.mark.parametrize(
    ("question", "score", "reason"),
    [
        ("learning rate", 1.0, "name 'learning rate'"),
        ("learning-rates", 1.0, "name 'learning rate'"),
        ("step size", 0.97, "alias 'step size'"),
        ("bn", 0.96, "acronym 'BN'"),
        ("adma", 0.95, "misspelling 'adma'"),
        ("what is the learning rate", 1.0, "name 'learning rate'"),
    ],
)
def test_a_whole_label_scores_by_its_kind(
    question: str, score: float, reason: str
) -> None:
    match = glossary.search(question)[0]
    assert (match.score, match.reason) == (score, reason)


def test_a_slip_in_a_label_is_told_and_scores_below_every_label() -> None:
    match = glossary.search("bachnorm")[0]
    assert match.reason == "alias 'batch norm', but for a slip"
    assert 0.8 < match.score < 0.95


def test_a_listed_misspelling_is_never_offered_for_another_slip() -> None:
    assert "misspelling" not in glossary.search("bacthnrom size")[0].reason


def test_a_label_inside_a_question_is_told() -> None:
    match = glossary.search("why does batch norm depend on a batch")[0]
    assert match.term.id == "batch-normalization"
    assert match.reason == "the question holds the alias 'batch norm'"


def test_a_rare_word_counts_more_than_a_common_one() -> None:
    common = [made(f"common-{n}", summary="Weights all over.") for n in range(9)]
    rare = made("rare", definition="The eigenvalue.")
    many = Glossary.from_terms([*common, rare])
    assert ids(many, "weights eigenvalue")[0] == "rare"


def test_an_ambiguous_word_finds_all_it_may_mean() -> None:
    found = [match.term.id for match in glossary.search("batch")]
    assert set(found[:2]) == {"batch-normalization", "batch-size"}


def test_what_is_nowhere_finds_nothing(four: Glossary) -> None:
    assert four.search("zzzzzz") == []
    assert four.search("") == []
    assert four.search("?!") == []
    assert Glossary.from_terms([]).search("anything") == []


def test_no_more_than_the_limit_is_returned() -> None:
    assert len(glossary.search("learning rate", limit=3)) == 3


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_below_one_is_refused(limit: int) -> None:
    with pytest.raises(ValueError, match=f"Received: limit={limit}"):
        glossary.search("adam", limit=limit)


@given(st.text())
def test_any_question_gets_ranked_answers(question: str) -> None:
    matches = glossary.search(question)
    scores = [match.score for match in matches]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)
    assert all(match.reason for match in matches)
    assert len({match.term.id for match in matches}) == len(matches)


@given(st.lists(WORD, min_size=1, max_size=60))
def test_long_questions_are_answered_too(words: list[str]) -> None:
    assert len(glossary.search(" ".join(words))) <= 10


@pytest.mark.parametrize("term", glossary.terms(), ids=lambda term: term.id)
def test_a_single_slip_anywhere_in_a_name_still_finds_the_term(term: Term) -> None:
    name = term.name
    if len(name) < 6:
        pytest.skip("a slip in so short a name may make another word")
    for place in range(1, len(name) - 1):
        swapped = name[:place] + name[place + 1] + name[place] + name[place + 2 :]
        dropped = name[:place] + name[place + 1 :]
        doubled = name[:place] + name[place] + name[place:]
        for slip in (swapped, dropped, doubled):
            assert glossary.search(slip)[0].term == term, slip


def test_many_terms_with_the_same_words_are_ranked_by_what_differs() -> None:
    many = [
        made(f"t{n}", name=f"sparse layer {n}", summary="A sparse layer of a network.")
        for n in range(5000)
    ]
    big = Glossary.from_terms([*many, made("odd", name="noisy sparse gate")])
    assert ids(big, "sparse layer 4711")[0] == "t4711"
    assert ids(big, "sparse gate")[0] == "odd"
    assert len(big.search("layer")) == 10
