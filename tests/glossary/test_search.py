from __future__ import annotations

import string
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

import glossary
from glossary import Glossary, See, Term
from tests.kit.terms import made

WORD = st.text(string.ascii_lowercase, min_size=1, max_size=9)


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
        ("adma", 0.95, "misspelling of 'Adam'"),
        ("what is the learning rate", 1.0, "name 'learning rate'"),
    ],
)
def test_a_whole_label_scores_by_its_kind(
    question: str, score: float, reason: str
) -> None:
    match = glossary.search(question)[0]
    assert (match.score, match.reason) == (score, reason)


def test_a_slip_in_a_label_scores_below_every_label_and_above_one_half() -> None:
    match = glossary.search("bachnorm")[0]
    assert match.term.id == "batch-normalization"
    assert 0.5 < match.score < 0.95


@pytest.mark.parametrize(
    ("typed", "id"), [("overfi", "overfitting"), ("autoenc", "autoencoder")]
)
def test_a_word_that_is_still_being_typed_is_read_as_the_whole_one(
    typed: str, id: str
) -> None:
    match = glossary.search(typed)[0]
    assert (match.term.id, match.score > 0.5) == (id, True)


def test_a_related_name_leads_to_the_term_and_says_that_it_is_one() -> None:
    term = made("early-stopping", see=(See(name="patience", kind="related"),))
    match = Glossary.from_terms([term, made("other")]).search("patience")[0]
    assert match.term.id == "early-stopping"
    assert match.reason == "related name 'patience'"
    assert match.score < 0.5  # explained there, and no name of it


def test_a_label_inside_a_question_is_told() -> None:
    match = glossary.search("why does batch norm depend on its batch")[0]
    assert match.term.id == "batch-normalization"
    assert "the question holds the alias 'batch norm'" in match.reason


def test_a_longer_label_takes_the_words_of_a_shorter_one() -> None:
    short = made("rate", name="rate")
    long = made("rate-schedule", name="rate schedule")
    two = Glossary.from_terms([short, long])
    assert ids(two, "which rate schedule is best")[0] == "rate-schedule"


def test_a_rare_word_counts_more_than_a_common_one() -> None:
    common = [made(f"common-{n}", summary="Weights all over.") for n in range(9)]
    rare = made("rare", definition="The eigenvalue.")
    many = Glossary.from_terms([*common, rare])
    assert ids(many, "weights eigenvalue")[0] == "rare"


def test_a_strange_word_beside_a_label_makes_it_another_name() -> None:
    terms = Glossary.from_terms([made("gradient"), made("boat")])
    alone = terms.search("explain the gradient please")[0].score
    beside = terms.search("gradient boosting")[0].score
    assert beside < 0.5 < alone


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


@given(st.text() | st.lists(WORD, max_size=60).map(" ".join))
def test_any_question_gets_ranked_answers(question: str) -> None:
    matches = glossary.search(question)
    scores = [match.score for match in matches]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)
    assert all(match.reason for match in matches)
    assert len({match.term.id for match in matches}) == len(matches) <= 10


@pytest.mark.parametrize("term", glossary.terms(), ids=lambda term: term.id)
def test_a_single_slip_in_a_name_still_finds_the_term(term: Term) -> None:
    name = term.name
    if len(name) < 8:
        pytest.skip("a slip in so short a name may make another word")
    for place in range(1, len(name) - 1, 3):
        swapped = name[:place] + name[place + 1] + name[place] + name[place + 2 :]
        dropped = name[:place] + name[place + 1 :]
        doubled = name[:place] + name[place] + name[place:]
        for slip in (swapped, dropped, doubled):
            found = [match.term for match in glossary.search(slip, limit=3)]
            assert term in found, slip


def test_ten_thousand_terms_are_searched_among_as_well() -> None:
    many = [
        made(f"t{n}", name=f"sparse layer {n}", summary="A sparse layer of a network.")
        for n in range(10_000)
    ]
    big = Glossary.from_terms([*many, made("odd", name="noisy sparse gate")])
    assert ids(big, "sparse layer 4711")[0] == "t4711"
    assert ids(big, "sparse gate")[0] == "odd"
    assert len(big.search("layer")) == 10


def test_a_question_of_any_length_is_answered_in_linear_time() -> None:
    def seconds(count: int) -> float:
        begun = process_time()
        glossary.search("gradientt " * count)
        return process_time() - begun

    seconds(10)  # builds the index
    # A wide margin: a quadratic way would be ten thousand times as long.
    assert seconds(100_000) < 300 * max(seconds(1_000), 1e-3)
