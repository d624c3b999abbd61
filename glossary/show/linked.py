"""Terms as linked data: SKOS in Turtle, and schema.org's DefinedTermSet in JSON-LD.

Both name the same things by the same addresses: a base, and the id of a term behind it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from urllib.parse import quote

from glossary.model import INVERSES, Claim, Reference, Term
from glossary.show import text
from glossary.show.markdown import TITLE

#: Names that stay the same in every copy; who publishes a copy gives its address.
BASE = "urn:x-glossary:terms"
LICENCE = "https://www.apache.org/licenses/LICENSE-2.0"
_CREATOR = "The keras-lr authors"
# SKOS and Dublin Core have words for some relations; the rest refine skos:related.
_VERBS = {
    "broader": "skos:broader",
    "narrower": "skos:narrower",
    "related": "skos:related",
    "part_of": "dcterms:isPartOf",
    "has_part": "dcterms:hasPart",
    "uses": "dcterms:requires",
    "used_by": "dcterms:isRequiredBy",
    "contrasts_with": "skos:related",
}
_NAMESPACES = {
    "dcterms": "http://purl.org/dc/terms/",
    "owl": "http://www.w3.org/2002/07/owl#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
}


def skos(terms: Iterable[Term], base: str = BASE) -> str:
    """Terms as a SKOS concept scheme, in Turtle.

    Other names are alternative labels; names that only lead to a term are concepts of
    their own, narrower, broader or related. Misspellings are hidden labels: found by
    search, never shown. Claims are notes.

    Args:
        terms: In the order in which they are written.
        base: Address of the scheme, to which ``#id`` of a term is added.

    Returns:
        The text of a Turtle file.
    """
    written = list(terms)
    ids = {term.id for term in written}
    prefixes = [f"@prefix {name}: <{uri}> ." for name, uri in _NAMESPACES.items()]
    tops = [term.id for term in written if not _has_broader(term, ids)]
    facts = [
        ("a", "skos:ConceptScheme"),
        ("skos:prefLabel", _say(TITLE)),
        ("dcterms:title", _say(TITLE)),
        ("dcterms:creator", json.dumps(_CREATOR)),
        ("dcterms:license", f"<{LICENCE}>"),
        ("owl:versionInfo", json.dumps(_version())),
        *(("skos:hasTopConcept", _concept_of(top)) for top in tops),
    ]
    blocks = [_statement("<#glossary>", facts)]
    for term in written:
        blocks.append(_concept(term, ids, term.id in tops))
        blocks += _see_concepts(term)
    return "\n".join([f"@base <{base}> .", *prefixes, "", *blocks])


def _concept(term: Term, ids: set[str], is_top: bool) -> str:
    own = [label for label in (*term.aliases, *term.acronyms) if label != term.name]
    hidden = sorted(set(term.misspellings) - {term.name, *own})
    facts = [
        ("a", "skos:Concept"),
        ("skos:inScheme", "<#glossary>"),
        *([("skos:topConceptOf", "<#glossary>")] if is_top else []),
        ("skos:notation", json.dumps(term.id)),
        ("skos:prefLabel", _say(term.name)),
        *(("skos:altLabel", _say(label)) for label in dict.fromkeys(own)),
        *(("skos:hiddenLabel", _say(label)) for label in hidden),
        ("skos:definition", _say(term.definition)),
        ("rdfs:comment", _say(term.summary)),
        *([("skos:example", _say(term.example.text))] if term.example else []),
        *(("skos:note", _say(text.claim_line(claim))) for claim in term.claims),
        *((_VERBS[kind], _concept_of(id)) for kind, id in _relations(term, ids)),
        *((_VERBS[see.kind], _see_of(see.name)) for see in term.see),
        *(("dcterms:source", f"<{text.address(ref)}>") for ref in term.references),
    ]
    return _statement(_concept_of(term.id), facts)


def _see_concepts(term: Term) -> list[str]:
    """Names that lead to a term, each a concept that leads back."""
    return [
        _statement(
            _see_of(see.name),
            [
                ("a", "skos:Concept"),
                ("skos:inScheme", "<#glossary>"),
                ("skos:prefLabel", _say(see.name)),
                (_VERBS[INVERSES[see.kind]], _concept_of(term.id)),
            ],
        )
        for see in term.see
    ]


def _has_broader(term: Term, ids: set[str]) -> bool:
    return any(kind == "broader" for kind, _ in _relations(term, ids))


def _relations(term: Term, ids: set[str]) -> list[tuple[str, str]]:
    """Kinds and targets, from both sides where the term belongs to a glossary."""
    pairs = [(relation.kind, relation.target) for relation in term.relations]
    if term.home is not None:
        pairs = [(link.kind, link.target.id) for link in term.home.links(term)]
    return [(kind, id) for kind, id in pairs if id in ids and kind in INVERSES]


def _statement(subject: str, facts: Iterable[tuple[str, str]]) -> str:
    lines = " ;\n    ".join(f"{verb} {thing}" for verb, thing in facts)
    return f"{subject} {lines} .\n"


def _concept_of(id: str) -> str:
    return f"<#{quote(id)}>"


def _see_of(name: str) -> str:
    return f"<#see-{quote(name.replace(' ', '-'), safe='')}>"


def _say(words: str) -> str:
    # JSON strings are Turtle strings, as long as surrogate pairs are not escaped.
    return f"{json.dumps(words, ensure_ascii=False)}@en"


def _version() -> str:
    try:
        return version("keras-lr")
    except PackageNotFoundError:  # run from a folder, without being installed
        return "unreleased"


def jsonld(terms: Iterable[Term], base: str = BASE) -> str:
    """Terms as JSON-LD: a ``DefinedTermSet`` of schema.org, with relations of SKOS.

    Args:
        terms: In the order in which they are written.
        base: Address of the set, to which ``#id`` of a term is added.

    Returns:
        The text of a JSON-LD file.
    """
    written = list(terms)
    ids = {term.id for term in written}
    names = {name: _NAMESPACES[name] for name in ("dcterms", "skos")}
    document = {
        "@context": ["https://schema.org", names],
        "@type": "DefinedTermSet",
        "@id": f"{base}#glossary",
        "name": TITLE,
        "inLanguage": "en",
        "license": LICENCE,
        "creator": {"@type": "Organization", "name": _CREATOR},
        "version": _version(),
        "hasDefinedTerm": [_defined_term(term, ids, base) for term in written],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _defined_term(term: Term, ids: set[str], base: str) -> dict[str, object]:
    item: dict[str, object] = {
        "@type": "DefinedTerm",
        "@id": f"{base}#{term.id}",
        "termCode": term.id,
        "name": term.name,
        "description": f"{term.summary} {term.definition}",
        "inDefinedTermSet": {"@id": f"{base}#glossary"},
    }
    if term.aliases or term.acronyms:
        item["alternateName"] = [*term.aliases, *term.acronyms]
    by_verb: dict[str, list[dict[str, str]]] = {}
    for kind, id in _relations(term, ids):
        by_verb.setdefault(_VERBS[kind], []).append({"@id": f"{base}#{id}"})
    item.update(by_verb)
    subjects = [
        *(_article(reference) for reference in term.references),
        *(_claim(claim, base) for claim in term.claims),
    ]
    if subjects:
        item["subjectOf"] = subjects
    return item


def _article(reference: Reference) -> dict[str, object]:
    return {
        "@type": "Book" if reference.isbn else "CreativeWork",
        "name": reference.title,
        "author": {"@type": "Person", "familyName": reference.author},
        "datePublished": str(reference.year),
        "sameAs": text.address(reference),
    }


def _claim(claim: Claim, base: str) -> dict[str, object]:
    item: dict[str, object] = {
        "@type": "Claim",
        "@id": f"{base}#{claim.id}",
        "text": claim.sentence,
    }
    evidence = claim.recorded
    if evidence is not None:
        item["abstract"] = f"{evidence.verdict}: {text.claim_line(claim)}"
    return item
