from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

import glossary
from glossary import Glossary, Relation
from glossary.model import INVERSES
from glossary.records import from_record


def test_a_relation_is_seen_from_both_sides() -> None:
    rate = glossary.term("learning rate")
    adam = glossary.term("adam")
    assert rate in adam.related_by("uses")
    assert adam in rate.related_by("used_by")


def test_every_kind_has_an_inverse_that_leads_back() -> None:
    assert all(INVERSES[INVERSES[kind]] == kind for kind in INVERSES)


def test_related_lists_each_neighbour_once() -> None:
    related = glossary.term("batch size").related
    assert len(related) == len(set(related))
    assert glossary.term("learning rate") in related
    assert glossary.term("gradient accumulation") in related


def test_an_unknown_kind_of_relation_is_refused() -> None:
    with pytest.raises(ValueError, match=r"`kind` must be one of broader.*'likes'"):
        glossary.term("adam").related_by("likes")


def test_a_term_outside_a_glossary_has_no_neighbours() -> None:
    alone = replace(glossary.term("adam"), home=None)
    assert alone.related == ()
    assert str(alone) == f"Adam\n\n{alone.summary}"


def test_a_target_that_is_not_there_is_passed_over() -> None:
    nowhere = (Relation(kind="uses", target="nowhere"),)
    term = replace(glossary.term("adam"), relations=nowhere, home=None)
    assert Glossary.from_terms([term]).term("adam").related == ()


def test_every_installed_term_is_connected_to_every_other() -> None:
    start = glossary.terms()[0]
    for end in glossary.terms():
        steps = glossary.path(start.id, end.id)
        assert len(steps) < 9


def test_a_path_is_a_shortest_chain_of_links() -> None:
    steps = glossary.path("one cycle", "batch size")
    assert steps[0].source is glossary.term("one cycle")
    assert steps[-1].target is glossary.term("batch size")
    for before, after in pairwise(steps):
        assert before.target is after.source
    # Independent: breadth-first over the neighbours, counted in rings.
    ring, rings = {steps[0].source}, 0
    while steps[-1].target not in ring:
        ring |= {neighbour for term in ring for neighbour in term.related}
        rings += 1
    assert len(steps) == rings


def test_the_path_from_a_term_to_itself_has_no_steps() -> None:
    assert glossary.path("BN", "batch norm") == []


def test_terms_without_a_connection_have_no_path(record: dict, other: dict) -> None:
    del record["relations"]
    both = Glossary.from_terms([from_record(record), from_record(other)])
    with pytest.raises(glossary.NoPath, match="'dropout' to 'weight decay'"):
        both.path("dropout", "weight decay")


def test_terms_can_be_filtered_by_relation() -> None:
    below = glossary.terms(relation="broader", to="learning-rate schedule")
    assert {term.id for term in below} >= {"cosine-annealing", "warmup-stable-decay"}
    assert glossary.term("learning rate") in glossary.terms(to="LR range test")
    # Invariant: the filter finds what each term says by itself.
    for kind in INVERSES:
        for target in glossary.terms()[:9]:
            found = glossary.terms(relation=kind, to=target.id)
            said = [t for t in glossary.terms() if target in t.related_by(kind)]
            assert found == said
