from __future__ import annotations

import csv
import io
import json
import string
from typing import Any

import jsonschema
import pytest
import rdflib
from hypothesis import given
from hypothesis import strategies as st
from rdflib.namespace import DCTERMS, RDF, SKOS

import glossary
from glossary import (
    Claim,
    Formula,
    InvalidTerms,
    Reference,
    Relation,
    Symbol,
    Term,
    export,
)
from glossary.records import from_record
from glossary.read.checks.shape import schema
from glossary.model import RELATIONS

TEXT = st.text(
    st.characters(codec="utf-8", categories=["L", "P", "S", "N"]), min_size=1
)
SLUG = st.text(string.ascii_lowercase, min_size=1, max_size=8)
HOSTILE = 'x"><script>alert(1)</script>\t|`*\\ " . <#y> a <z> . \n\n'


def optional(text: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.just("") | text


def several(items: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(items, max_size=3).map(tuple)


NUMBER = st.integers(-9, 9) | st.floats(allow_nan=False, allow_infinity=False)
SYMBOLS = st.builds(Symbol, name=TEXT, meaning=TEXT, latex=optional(TEXT))
FORMULAS = st.builds(Formula, latex=TEXT, expression=TEXT, symbols=several(SYMBOLS))
REFERENCES = st.builds(
    Reference,
    title=TEXT,
    author=TEXT,
    year=st.integers(1600, 2100),
    arxiv=optional(st.just("1412.6980")),
    doi=st.just("10.1000/x"),
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
    misspellings=several(TEXT),
    formula=st.none() | FORMULAS,
    relations=LINKED,
    references=several(REFERENCES),
    api=several(TEXT),
    claims=several(CLAIMS),
    source=optional(SLUG),
    _home=st.none(),
)


@given(st.lists(TERMS, max_size=3, unique_by=lambda term: term.id))
def test_json_and_back_is_the_identity_and_keeps_the_schema(terms: list[Term]) -> None:
    written = export.to_json(terms)
    assert export.from_json(written) == terms
    assert export.to_json(export.from_json(written)) == written
    jsonschema.validate(json.loads(written), schema())


def test_the_installed_terms_make_the_round_trip() -> None:
    written = export.to_json(glossary.terms())
    again = export.from_json(written)
    assert again == glossary.terms()
    assert export.to_json(again) == written


def test_relations_keep_their_kind_and_order(record: dict[str, Any]) -> None:
    record["relations"] = {"uses": ["b", "a"], "related": ["c"]}
    [again] = export.from_json(export.to_json([from_record(record)]))
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
        export.from_json(text)


def test_jsonld_is_a_defined_term_set_of_schema_org() -> None:
    document = json.loads(export.to_jsonld(glossary.terms()))
    assert (document["@context"], document["@type"]) == (
        "https://schema.org",
        "DefinedTermSet",
    )
    items = {item["termCode"]: item for item in document["hasDefinedTerm"]}
    assert len(items) == len(glossary.terms())
    adam = items["adam"]
    assert adam["@type"] == "DefinedTerm"
    assert adam["inDefinedTermSet"] == {"@id": document["@id"]}
    assert "adaptive moment estimation" in adam["alternateName"]
    assert "https://arxiv.org/abs/1412.6980" in {
        article["sameAs"] for article in adam["subjectOf"]
    }


# The JSON-LD reader of rdflib calls a method that rdflib has deprecated.
@pytest.mark.filterwarnings("ignore::DeprecationWarning:rdflib")
def test_jsonld_parses_as_linked_data_offline() -> None:
    document = json.loads(export.to_jsonld(glossary.terms()))
    document["@context"] = {"@vocab": "https://schema.org/"}
    graph = rdflib.Dataset(default_union=True)
    graph.parse(
        data=json.dumps(document), format="json-ld", publicID="https://example.org/g"
    )
    schema_org = rdflib.Namespace("https://schema.org/")
    found = set(graph.subjects(RDF.type, schema_org.DefinedTerm))
    assert rdflib.URIRef("https://example.org/g#adam") in found
    assert len(found) == len(glossary.terms())


@pytest.fixture(scope="module")
def skos() -> rdflib.Graph:
    written = export.to_skos(glossary.terms())
    return rdflib.Graph().parse(data=written, format="turtle", publicID="urn:g")


def node(id: str) -> rdflib.URIRef:
    return rdflib.URIRef(f"urn:g#{id}")


def test_skos_holds_every_term_with_its_labels(skos: rdflib.Graph) -> None:
    assert len(set(skos.subjects(RDF.type, SKOS.Concept))) == len(glossary.terms())
    for term in glossary.terms():
        labels = {str(label) for label in skos.objects(node(term.id), SKOS.altLabel)}
        hidden = {str(label) for label in skos.objects(node(term.id), SKOS.hiddenLabel)}
        assert str(skos.value(node(term.id), SKOS.prefLabel)) == term.name
        assert labels == {*term.aliases, *term.acronyms}
        assert hidden == set(term.misspellings)


def test_skos_keeps_its_own_integrity_rules(skos: rdflib.Graph) -> None:
    for concept in skos.subjects(RDF.type, SKOS.Concept):
        preferred = set(skos.objects(concept, SKOS.prefLabel))
        others = set(skos.objects(concept, SKOS.altLabel))
        hidden = set(skos.objects(concept, SKOS.hiddenLabel))
        assert len(preferred) == 1
        assert not preferred & others
        assert not (preferred | others) & hidden
        above = set(skos.transitive_objects(concept, SKOS.broader)) - {concept}
        assert not above & set(skos.objects(concept, SKOS.related))


def test_skos_relations_hold_from_both_sides(skos: rdflib.Graph) -> None:
    cycle, policy = node("cyclical-learning-rate"), node("one-cycle-policy")
    assert (policy, SKOS.broader, cycle) in skos
    assert (cycle, SKOS.narrower, policy) in skos
    warmup, schedule = node("warmup"), node("learning-rate-schedule")
    assert (warmup, DCTERMS.isPartOf, schedule) in skos
    assert (schedule, DCTERMS.hasPart, warmup) in skos
    contrast = node("relation_contrasts_with")
    assert (node("warm-restarts"), contrast, policy) in skos


def hostile_term() -> Term:
    return Term(
        id="evil",
        name=HOSTILE,
        category="c",
        level="beginner",
        summary=HOSTILE,
        definition=HOSTILE,
        aliases=(HOSTILE + "2",),
        misspellings=(HOSTILE + "3",),
        formula=Formula(latex=HOSTILE, expression="1"),
        references=(
            Reference(title=HOSTILE, author=HOSTILE, year=2000, doi='10.1/<">\\x'),
        ),
    )


def test_turtle_survives_hostile_text() -> None:
    graph = rdflib.Graph().parse(
        data=export.to_skos([hostile_term()]), format="turtle", publicID="urn:g"
    )
    assert str(graph.value(node("evil"), SKOS.prefLabel)) == HOSTILE
    assert len(set(graph.subjects(RDF.type, SKOS.Concept))) == 1


def test_markdown_has_a_heading_a_term_and_shows_marks_as_text() -> None:
    lines = export.to_markdown(glossary.terms()).splitlines()
    headings = [line for line in lines if line.startswith("## ")]
    assert headings == [f"## {term.name}" for term in glossary.terms()]
    renderer = pytest.importorskip("markdown_it").MarkdownIt("commonmark")
    shown = renderer.render(export.to_markdown([hostile_term()]))
    assert "<script>" not in shown
    assert "&lt;script&gt;" in shown


def test_anki_reads_one_note_a_term() -> None:
    written = export.to_anki([*glossary.terms(), hostile_term()])
    head = [line for line in written.splitlines() if line.startswith("#")]
    assert head[:2] == ["#separator:tab", "#html:true"]
    body = io.StringIO("\n".join(written.splitlines()[len(head) :]))
    notes = list(csv.reader(body, delimiter="\t"))
    assert len(notes) == len(glossary.terms()) + 1
    assert {len(note) for note in notes} == {4}
    assert len({note[0] for note in notes}) == len(notes)
    front, back, tags = next(n for n in notes if n[0] == "glossary:adam")[1:]
    assert (front, tags) == ("Adam", "optimization intermediate")
    assert r"\[\begin{aligned}" in back
    assert "<script>" not in written
