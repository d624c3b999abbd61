"""Group 2: relations between terms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from glossary.model import INVERSES, RELATIONS, Relation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from glossary.model import Term
    from glossary.read.checks import Finding
    from glossary.read.validate import Catalog


def target_missing(term: Term, catalog: Catalog) -> Iterator[Finding]:
    """Target of the relation does not exist."""
    for path, relation in _relations(term):
        if relation.target not in catalog.targets:
            yield path, relation.target


def target_itself(term: Term, catalog: Catalog) -> Iterator[Finding]:
    """Relation leads back to the term itself."""
    for path, relation in _relations(term):
        if relation.target == term.id:
            yield path, relation.target


def kind_unknown(term: Term, catalog: Catalog) -> Iterator[Finding]:
    """Relation is none of broader, narrower, part_of, uses, contrasts_with, related."""
    for path, relation in _relations(term):
        if relation.kind not in RELATIONS:
            yield path, relation.kind


def broader_cycle(term: Term, catalog: Catalog) -> Iterator[Finding]:
    """Term is broader than itself, by way of others."""
    for path, relation in _relations(term):
        if relation.kind == "broader" and relation.target != term.id:
            above = catalog.by_id.get(relation.target)
            if above is not None and term.id in _broader_ids(above, catalog):
                yield path, relation.target


def related_and_broader(term: Term, catalog: Catalog) -> Iterator[Finding]:
    """Related term is also broader or narrower, which SKOS rules out."""
    above = _broader_ids(term, catalog)
    for path, relation in _relations(term):
        if relation.kind == "related":
            other = catalog.by_id.get(relation.target)
            below = other is not None and term.id in _broader_ids(other, catalog)
            if relation.target in above or below:
                yield path, relation.target


def stated_twice(term: Term, catalog: Catalog) -> Iterator[Finding]:
    """Relation is already stated, here or on the other side."""
    seen: set[Relation] = set()
    for path, relation in _relations(term):
        other = catalog.by_id.get(relation.target)
        inverse = INVERSES.get(relation.kind, "")
        back = Relation(kind=inverse, target=term.id)
        # Of two sides that state the same, the later id is told.
        again = other is not None and other.id < term.id and back in other.relations
        if relation in seen or again:
            yield path, relation.target
        seen.add(relation)


def _relations(term: Term) -> Iterator[tuple[str, Relation]]:
    count: dict[str, int] = {}
    for relation in term.relations:
        number = count.setdefault(relation.kind, 0)
        count[relation.kind] += 1
        yield f"relations.{relation.kind}[{number}]", relation


def _broader_ids(term: Term, catalog: Catalog) -> set[str]:
    """Ids of all terms above this one, by what it and they state."""
    found: set[str] = set()
    waiting = [term]
    while waiting:
        for relation in waiting.pop().relations:
            if relation.kind == "broader" and relation.target not in found:
                found.add(relation.target)
                above = catalog.by_id.get(relation.target)
                waiting += [above] if above else []
    return found
