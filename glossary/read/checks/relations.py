"""Group 2: relations between terms, and names that lead to a term."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from glossary.find.labels import OWN_NAMES, label_keys
from glossary.model import INVERSES, RELATIONS, SEE_KINDS, Relation, See, Term
from glossary.read.catalog import Catalog
from glossary.read.finding import Finding, did_you_mean


def target_missing(term: Term, catalog: Catalog) -> Iterator[Finding]:
    """Target of the relation does not exist."""
    for path, relation in _relations(term):
        if relation.target not in catalog.targets:
            yield Finding(path, relation.target, catalog.meant(relation.target))


def target_itself(term: Term, catalog: Catalog) -> Iterator[Finding]:
    """Relation leads back to the term itself."""
    for path, relation in _relations(term):
        if relation.target == term.id:
            yield Finding(path, relation.target)


def kind_unknown(term: Term, catalog: Catalog) -> Iterator[Finding]:
    """Relation is none of broader, narrower, part_of, uses, contrasts_with, related."""
    return _unknown_kinds("relations", term.relations, RELATIONS)


def broader_cycle(term: Term, catalog: Catalog) -> Iterator[Finding]:
    """Term is broader than itself, by way of others."""
    for path, relation in _relations(term):
        if relation.kind == "broader" and relation.target != term.id:
            above = catalog.by_id.get(relation.target)
            if above is not None and term.id in _broader_ids(above, catalog):
                yield Finding(path, relation.target)


def related_and_broader(term: Term, catalog: Catalog) -> Iterator[Finding]:
    """Related term is also broader or narrower, which SKOS rules out."""
    above = _broader_ids(term, catalog)
    for path, relation in _relations(term):
        if relation.kind == "related":
            other = catalog.by_id.get(relation.target)
            below = other is not None and term.id in _broader_ids(other, catalog)
            if relation.target in above or below:
                yield Finding(path, relation.target)


def see_kind_unknown(term: Term, catalog: Catalog) -> Iterator[Finding]:
    """What a name under `see` means is none of narrower, broader, related."""
    return _unknown_kinds("see", term.see, SEE_KINDS)


def see_a_term(term: Term, catalog: Catalog) -> Iterator[Finding]:
    """Name under `see` is the name, alias, acronym or id of a term."""
    for path, see in _see(term):
        owners = {
            catalog.terms[label.number]
            for key in label_keys("alias", see.name)
            for label in catalog.labels.get(key, ())
            if label.kind in OWN_NAMES
        }
        if owners:
            ids = " or ".join(sorted(repr(owner.id) for owner in owners))
            other = any(owner is not term for owner in owners)
            way = "a relation leads there" if other else "it is told once already"
            yield Finding(path, see.name, f"It names {ids}; {way}.")


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
            hint = f"{relation.target!r} says {inverse} {term.id!r}." if again else ""
            yield Finding(path, relation.target, hint)
        seen.add(relation)


def _relations(term: Term) -> Iterator[tuple[str, Relation]]:
    paths = _paths("relations", term.relations)
    return zip(paths, term.relations, strict=True)


def _see(term: Term) -> Iterator[tuple[str, See]]:
    return zip(_paths("see", term.see), term.see, strict=True)


def _paths(table: str, links: Sequence[Relation | See]) -> Iterator[str]:
    """Where each link stands in the table of its record."""
    count: Counter[str] = Counter()
    for link in links:
        yield f"{table}.{link.kind}[{count[link.kind]}]"
        count[link.kind] += 1


def _unknown_kinds(
    table: str, links: Sequence[Relation | See], kinds: Sequence[str]
) -> Iterator[Finding]:
    for kind in dict.fromkeys(link.kind for link in links):
        if kind not in kinds:
            yield Finding(f"{table}.{kind}[0]", kind, did_you_mean(kind, kinds))


def _broader_ids(term: Term, catalog: Catalog) -> set[str]:
    """Ids of all terms above this one, by what it and they state."""
    ids: set[str] = set()
    waiting = [term]
    while waiting:
        for relation in waiting.pop().relations:
            if relation.kind == "broader" and relation.target not in ids:
                ids.add(relation.target)
                above = catalog.by_id.get(relation.target)
                waiting += [above] if above else []
    return ids
