from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

import glossary
from glossary.find import labels
from glossary.records import from_record

TERMS = glossary.terms()
LABELS = [
    (text, term)
    for term in TERMS
    for kind, text in labels.labels(term)
    if kind != "see"  # such a name may lead to several terms
]


@pytest.mark.parametrize(("label", "term"), LABELS, ids=[text for text, _ in LABELS])
def test_every_label_names_its_term(label: str, term: glossary.Term) -> None:
    assert glossary.term(label) == term


@given(st.sampled_from(LABELS), st.sampled_from([str.upper, str.title, str.lower]))
def test_case_and_separators_do_not_matter(
    pair: tuple[str, glossary.Term], change: object
) -> None:
    label, term = pair
    found = glossary.term(change(label))  # type: ignore[operator]
    assert found == term
    # Not `term` itself: another test may have emptied the caches since it was read.
    assert found is glossary.term(term.id)
    assert glossary.term(label.replace(" ", "-")) == term
    assert glossary.term(label.replace("-", " ")) == term
    assert glossary.term(f"  {label} ") == term


@given(st.sampled_from(TERMS))
def test_plurals_name_the_term(term: glossary.Term) -> None:
    plural = term.name + ("es" if term.name.endswith(("s", "ch")) else "s")
    if not term.name.endswith("s"):
        assert glossary.term(plural) == term


@given(st.text())
def test_any_other_text_is_unknown_and_nothing_worse(text: str) -> None:
    found = glossary.search(text, limit=1)
    if text in glossary.Glossary.from_terms(TERMS):
        assert glossary.term(text) is found[0].term
    else:
        with pytest.raises(glossary.UnknownTerm) as caught:
            glossary.term(text)
        assert caught.value.name == text
        assert str(caught.value)


@pytest.mark.parametrize(
    ("name", "id"),
    [
        ("batch normalisation", "batch-normalization"),
        ("B.N.", "batch-normalization"),
        ("Back-Propagation", "backpropagation"),
        ("LRs", "learning-rate"),
        ("1Cycle", "one-cycle-policy"),
        ("OneCycle", "one-cycle-policy"),
        ("l2 regularisation", "l2-regularization"),
        ("Weight-Decays", "weight-decay"),
        ("the learning rate", "learning-rate"),
    ],
)
def test_folded_spellings_name_the_term(name: str, id: str) -> None:
    if name.startswith("the "):
        with pytest.raises(glossary.UnknownTerm, match="'learning rate'"):
            glossary.term(name)
    else:
        assert glossary.term(name).id == id


def test_a_misspelled_name_is_unknown_and_gets_a_suggestion() -> None:
    with pytest.raises(
        glossary.UnknownTerm,
        match=r"^No term named 'bachnorm'\. Did you mean 'batch normalization'\?$",
    ) as caught:
        glossary.term("bachnorm")
    assert caught.value.suggestions == ("batch normalization",)


def test_a_name_like_nothing_points_to_the_list() -> None:
    with pytest.raises(glossary.UnknownTerm, match="glossary list"):
        glossary.term("xyzzy")


def test_an_unknown_term_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        glossary.term("xyzzy")


def test_a_word_of_several_names_is_unknown_and_they_are_near_by_meaning() -> None:
    with pytest.raises(glossary.UnknownTerm, match="Near it by meaning: ") as caught:
        glossary.term("normalization rates")
    assert "batch normalization" in caught.value.near
    assert caught.value.suggestions == ()


@pytest.mark.parametrize("word", ["train" + "ing" * 100_000, "s" * 300_000, "é" * 9999])
def test_words_of_any_length_are_looked_up(word: str) -> None:
    # With time that grows with the square of the length this would take minutes.
    with pytest.raises(glossary.UnknownTerm) as caught:
        glossary.term(word)
    assert caught.value.name == word
    assert len(str(caught.value)) < 500
    assert glossary.Glossary().get(word) is None


def test_a_name_under_see_names_no_term_and_tells_where_it_is_explained(
    record: dict,
) -> None:
    mine = glossary.Glossary.from_terms([from_record(record)])
    with pytest.raises(glossary.UnknownTerm, match="explained in 'dropout'") as caught:
        mine.term("spatial dropouts")
    assert caught.value.see == ("dropout",)
    assert "spatial dropout" not in mine


def test_an_acronym_of_another_thing_is_not_taken_for_a_plural() -> None:
    with pytest.raises(glossary.UnknownTerm):
        glossary.term("GN")  # group normalization, not GNS


def test_a_name_must_be_a_string() -> None:
    with pytest.raises(TypeError, match=r"Received: 3\."):
        glossary.term(3)  # type: ignore[arg-type]


def test_two_terms_with_one_alias_make_it_ambiguous(record: dict, other: dict) -> None:
    other["aliases"] = record["aliases"]
    both = glossary.Glossary.from_terms([from_record(record), from_record(other)])
    with pytest.raises(glossary.AmbiguousTerm) as caught:
        both.term("drop out of units")
    assert [term.id for term in caught.value.candidates] == ["dropout", "weight-decay"]
    assert "drop out of units" not in both


def test_a_glossary_reads_like_a_mapping_of_names() -> None:
    core = glossary.Glossary(sources=["core"])
    assert core["bn"] is core.get("batch norm")
    assert core.get("warmup") is None
    assert "warmup" not in core
    assert 3 not in core
    assert len(list(core)) == len(core) >= 9
    assert repr(core) == f"<Glossary of {len(core)} terms>"


def test_filters_narrow_a_glossary_down() -> None:
    everything = glossary.Glossary()
    assert {t.source for t in everything} >= {"core", "keras_lr"}
    easy = glossary.Glossary(level="beginner", category="schedule", sources="keras_lr")
    assert {(t.level, t.category, t.source) for t in easy} == {
        ("beginner", "schedule", "keras_lr")
    }
    assert glossary.terms(level="beginner", category="schedule") == list(easy)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"level": "expert"}, "'advanced', 'beginner', 'intermediate'.*'expert'"),
        ({"category": "cooking"}, "`category` must be one of .*'cooking'"),
        ({"relation": "likes"}, "`relation` must be one of .*'likes'"),
    ],
)
def test_a_filter_that_names_nothing_is_refused(arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        glossary.terms(**arguments)


def test_an_unknown_source_is_refused() -> None:
    with pytest.raises(ValueError, match=r"`source` must be one of 'core'.*'pypi'"):
        glossary.Glossary(sources=["pypi"])


def test_terms_are_listed_in_a_fixed_order() -> None:
    ids = [term.id for term in glossary.Glossary(sources=["core"])]
    assert ids == sorted(ids)


def test_a_term_survives_pickling_with_its_neighbours() -> None:
    term = glossary.term("adam")
    again = pickle.loads(pickle.dumps(term))
    assert again == term
    assert again.related == term.related


def test_a_term_shows_its_id() -> None:
    assert repr(glossary.term("BN")) == "Term('batch-normalization')"
