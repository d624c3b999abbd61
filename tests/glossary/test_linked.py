from __future__ import annotations

import json

import pytest
import rdflib
from rdflib.namespace import DCTERMS, RDF, SKOS

import glossary
from glossary import Glossary
from glossary.show import linked
from tests.kit.terms import HOSTILE, hostile_term, made

TERMS = glossary.terms()
SCHEMA_ORG = rdflib.Namespace("https://schema.org/")


def graph_of(written: str) -> rdflib.Graph:
    return rdflib.Graph().parse(data=written, format="turtle")


def node(id: str, base: str = linked.BASE) -> rdflib.URIRef:
    return rdflib.URIRef(f"{base}#{id}")


@pytest.fixture(scope="module")
def skos() -> rdflib.Graph:
    return graph_of(linked.skos(TERMS))


def test_skos_holds_every_term_with_its_labels(skos: rdflib.Graph) -> None:
    for term in TERMS:
        labels = {str(label) for label in skos.objects(node(term.id), SKOS.altLabel)}
        hidden = {str(label) for label in skos.objects(node(term.id), SKOS.hiddenLabel)}
        assert str(skos.value(node(term.id), SKOS.prefLabel)) == term.name
        assert labels == {*term.aliases, *term.acronyms} - {term.name}
        assert hidden == set(term.misspellings)


def test_a_name_that_only_leads_to_a_term_is_no_other_name_for_it() -> None:
    see = glossary.See(name="patience", kind="related")
    narrower = glossary.See(name="early pruning", kind="narrower")
    term = made("early-stopping", see=(see, narrower))
    graph = graph_of(linked.skos([term]))
    assert not list(graph.objects(node("early-stopping"), SKOS.altLabel))
    assert (node("early-stopping"), SKOS.related, node("see-patience")) in graph
    assert (node("early-stopping"), SKOS.narrower, node("see-early-pruning")) in graph
    assert (node("see-early-pruning"), SKOS.broader, node("early-stopping")) in graph


def test_the_scheme_has_top_concepts_licence_creator_and_version(
    skos: rdflib.Graph,
) -> None:
    scheme = node("glossary")
    tops = set(skos.objects(scheme, SKOS.hasTopConcept))
    assert tops == {node(t.id) for t in TERMS if not t.related_by("broader")}
    assert skos.value(scheme, DCTERMS.license) == rdflib.URIRef(linked.LICENCE)
    assert skos.value(scheme, DCTERMS.creator)
    assert skos.value(scheme, rdflib.OWL.versionInfo)


def test_names_are_absolute_and_the_same_in_each_copy(skos: rdflib.Graph) -> None:
    concepts = set(skos.subjects(RDF.type, SKOS.Concept))
    assert all(str(concept).startswith(linked.BASE) for concept in concepts)
    elsewhere = graph_of(linked.skos(TERMS, "https://example.org/g"))
    assert node("adam", "https://example.org/g") in set(elsewhere.subjects())


def test_skos_keeps_its_own_integrity_rules(skos: rdflib.Graph) -> None:
    concepts = set(skos.subjects(RDF.type, SKOS.Concept))
    for concept in concepts:
        preferred = set(skos.objects(concept, SKOS.prefLabel))
        others = set(skos.objects(concept, SKOS.altLabel))
        hidden = set(skos.objects(concept, SKOS.hiddenLabel))
        assert len(preferred) == 1
        assert not preferred & others
        assert not (preferred | others) & hidden
        above = set(skos.transitive_objects(concept, SKOS.broader)) - {concept}
        assert not above & set(skos.objects(concept, SKOS.related))
    for verb in (SKOS.broader, SKOS.narrower, SKOS.related):
        assert set(skos.objects(None, verb)) <= concepts


def test_relations_hold_from_both_sides(skos: rdflib.Graph) -> None:
    function = node("activation-function")
    assert (node("relu"), SKOS.broader, function) in skos
    assert (function, SKOS.narrower, node("relu")) in skos


def test_turtle_survives_hostile_text() -> None:
    graph = graph_of(linked.skos([hostile_term()]))
    assert str(graph.value(node("evil"), SKOS.prefLabel)) == HOSTILE
    assert len(set(graph.subjects(RDF.type, SKOS.Concept))) == 2  # and its see-name


def test_jsonld_is_a_defined_term_set_with_relations_and_claims() -> None:
    document = json.loads(linked.jsonld(TERMS))
    assert document["@type"] == "DefinedTermSet"
    items = {item["termCode"]: item for item in document["hasDefinedTerm"]}
    assert len(items) == len(TERMS)
    adam = items["adam"]
    assert "adaptive moment estimation" in adam["alternateName"]
    assert {"@id": f"{linked.BASE}#learning-rate"} in adam["dcterms:requires"]
    kinds = {subject["@type"] for subject in adam["subjectOf"]}
    assert {"CreativeWork", "Claim"} <= kinds


# The JSON-LD reader of rdflib calls a method that rdflib has deprecated.
@pytest.mark.filterwarnings("ignore::DeprecationWarning:rdflib")
def test_jsonld_and_skos_name_the_same_things(skos: rdflib.Graph) -> None:
    document = json.loads(linked.jsonld(TERMS))
    _, ours = document["@context"]
    # What schema.org's own context would do, which no test may fetch.
    document["@context"] = {"@vocab": "https://schema.org/", **ours}
    graph = rdflib.Dataset(default_union=True)
    graph.parse(data=json.dumps(document), format="json-ld")
    found = set(graph.subjects(RDF.type, SCHEMA_ORG.DefinedTerm))
    assert found == {node(term.id) for term in TERMS}
    for verb in (SKOS.broader, SKOS.related, DCTERMS.requires):
        of_terms = {(s, o) for s, o in skos.subject_objects(verb) if s in found}
        assert {pair for pair in of_terms if pair[1] in found} == set(
            graph.subject_objects(verb)
        )


def test_a_filtered_glossary_links_to_nothing_that_it_lacks() -> None:
    some = list(Glossary(category="schedule"))
    graph = graph_of(linked.skos(some))
    concepts = set(graph.subjects(RDF.type, SKOS.Concept))
    for verb in (SKOS.broader, SKOS.related, DCTERMS.requires):
        assert set(graph.objects(None, verb)) <= concepts
