from __future__ import annotations

import json
import string
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

import glossary
from glossary import (
    Claim,
    Example,
    Formula,
    InvalidTerms,
    Reference,
    Relation,
    See,
    Symbol,
    Term,
)
from glossary.model import RELATIONS, SEE_KINDS
from glossary.read import load
from glossary.records import from_record, schema
from glossary.show import export

TEXT = st.text(
    st.characters(codec="utf-8", categories=["L", "P", "S", "N"]), min_size=1
)
SLUG = st.text(string.ascii_lowercase, min_size=1, max_size=8)


def optional(text: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.just("") | text


def several(items: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(items, max_size=3).map(tuple)


NUMBER = st.integers(-9, 9) | st.floats(allow_nan=False, allow_infinity=False)
SYMBOLS = st.builds(Symbol, name=TEXT, meaning=TEXT, latex=optional(TEXT))
FORMULAS = st.builds(
    Formula, latex=TEXT, expression=TEXT, symbols=several(SYMBOLS), note=optional(TEXT)
)
REFERENCES = st.builds(
    Reference,
    title=TEXT,
    author=TEXT,
    year=st.integers(1600, 2100),
    arxiv=optional(st.just("1412.6980")),
    doi=st.just("10.1000/x"),
    isbn=optional(st.just("9780262035613")),
    url=optional(st.just("https://example.org/a")),
    section=optional(TEXT),
)
CLAIMS = st.builds(
    Claim,
    id=st.tuples(SLUG, SLUG).map("/".join),
    sentence=TEXT,
    quantity=TEXT,
    comparison=st.sampled_from(["<", ">="]),
    threshold=NUMBER | st.tuples(NUMBER, NUMBER),
    conditions=optional(TEXT),
    reference=optional(TEXT),
    contested=st.booleans(),
    expected=st.sampled_from(["held", "failed", "inconclusive"]),
    demo=st.just(""),
)
LINKED = st.dictionaries(
    st.sampled_from(RELATIONS), st.lists(SLUG, min_size=1, max_size=3), max_size=3
).map(
    lambda kinds: tuple(
        Relation(kind=kind, target=target)
        for kind in RELATIONS
        for target in kinds.get(kind, ())
    )
)
SEEN = st.dictionaries(
    st.sampled_from(SEE_KINDS), st.lists(TEXT, min_size=1, max_size=2), max_size=3
).map(
    lambda kinds: tuple(
        See(kind=kind, name=name) for kind in SEE_KINDS for name in kinds.get(kind, ())
    )
)
TERMS = st.builds(
    Term,
    id=SLUG,
    name=TEXT,
    category=SLUG,
    level=st.sampled_from(["beginner", "intermediate", "advanced"]),
    summary=TEXT,
    definition=TEXT,
    aliases=several(TEXT),
    acronyms=several(TEXT),
    see=SEEN,
    misspellings=several(TEXT),
    keywords=several(TEXT),
    formula=st.none() | FORMULAS,
    example=st.none() | st.builds(Example, text=TEXT),
    mistake=optional(TEXT),
    relations=LINKED,
    references=several(REFERENCES),
    api=several(TEXT),
    claims=several(CLAIMS),
    source=optional(SLUG),
)


@given(st.lists(TERMS, max_size=3, unique_by=lambda term: term.id))
def test_json_and_back_is_the_identity_and_keeps_the_schema(terms: list[Term]) -> None:
    written = export.to_json(terms)
    assert load.from_json(written) == terms
    assert export.to_json(load.from_json(written)) == written
    jsonschema.validate(json.loads(written), schema())


def test_the_installed_terms_make_the_round_trip() -> None:
    written = export.to_json(glossary.terms())
    again = load.from_json(written)
    assert again == glossary.terms()
    assert export.to_json(again) == written


def test_relations_keep_their_kind_and_order(record: dict[str, Any]) -> None:
    record["relations"] = {"uses": ["b", "a"], "related": ["c"]}
    [again] = load.from_json(export.to_json([from_record(record)]))
    assert again.relations == (
        Relation(kind="uses", target="b"),
        Relation(kind="uses", target="a"),
        Relation(kind="related", target="c"),
    )


def test_the_schema_is_itself_valid_and_strict(record: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator.check_schema(schema())
    document = {"schema": schema()["$id"], "terms": [record]}
    jsonschema.validate(document, schema())
    for key, value in (("colour", "red"), ("level", "expert"), ("aliases", [])):
        broken = {**document, "terms": [{**record, key: value}]}
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(broken, schema())


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"terms": [{"id": "x"}]}', "null"])
def test_what_is_no_glossary_is_refused(text: str) -> None:
    with pytest.raises(InvalidTerms, match="E00"):
        load.from_json(text)
