"""Terms in the formats of others, and back from JSON."""

from __future__ import annotations

import json
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import quote

from glossary.errors import InvalidTerms
from glossary.model import INVERSES
from glossary.read.checks.shape import schema
from glossary.read.records import from_record, to_record
from glossary.show import text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from glossary.model import Reference, Term

_TITLE = "Glossary of deep learning"
# SKOS and Dublin Core have words for some relations; the rest refine skos:related.
_SKOS = {
    "broader": "skos:broader",
    "narrower": "skos:narrower",
    "related": "skos:related",
    "part_of": "dcterms:isPartOf",
    "has_part": "dcterms:hasPart",
    "uses": "dcterms:requires",
    "used_by": "dcterms:isRequiredBy",
    "contrasts_with": "<#relation_contrasts_with>",
}
_PREFIXES = """\
@prefix dcterms: <http://purl.org/dc/terms/> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .

<#relation_contrasts_with> rdfs:subPropertyOf skos:related ;
    rdfs:label "contrasts with"@en .
"""


def to_json(terms: Iterable[Term]) -> str:
    """Terms as JSON, in the form that ``glossary/schema.json`` describes.

    Args:
        terms: In the order in which they are written.

    Returns:
        The text of a JSON file; `from_json` gives the same terms back.

    Example:
        >>> import glossary
        >>> from glossary.show import export
        >>> written = export.to_json(glossary.terms())
        >>> export.from_json(written) == glossary.terms()
        True
    """
    document = {
        "schema": schema()["$id"],
        "terms": [to_record(term) for term in terms],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def from_json(written: str) -> list[Term]:
    """Terms from JSON that `to_json` wrote.

    Args:
        written: The text of the file.

    Returns:
        The terms, in the order of the file.

    Raises:
        InvalidTerms: If the text is no JSON, or a term has the wrong shape.
    """
    from glossary.read.validate import Entry, check_entries, unreadable

    try:
        records = json.loads(written)["terms"]
        entries = [Entry("JSON", "", record) for record in records]
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidTerms([unreadable("E001", "JSON", repr(error))]) from None
    problems = [
        problem
        for problem in check_entries(entries).problems
        if problem.code.startswith("E0")
    ]
    if problems:
        raise InvalidTerms(problems)
    return [from_record(entry.record) for entry in entries]


def to_jsonld(terms: Iterable[Term]) -> str:
    """Terms as JSON-LD: a ``DefinedTermSet`` of schema.org.

    Args:
        terms: In the order in which they are written.

    Returns:
        The text of a JSON-LD file. Identifiers are relative to the place where
        it is published.
    """
    document = {
        "@context": "https://schema.org",
        "@type": "DefinedTermSet",
        "@id": "#glossary",
        "name": _TITLE,
        "inLanguage": "en",
        "hasDefinedTerm": [_defined_term(term) for term in terms],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _defined_term(term: Term) -> dict[str, object]:
    item: dict[str, object] = {
        "@type": "DefinedTerm",
        "@id": f"#{term.id}",
        "termCode": term.id,
        "name": term.name,
        "description": f"{term.summary} {term.definition}",
        "inDefinedTermSet": {"@id": "#glossary"},
    }
    if term.aliases or term.acronyms:
        item["alternateName"] = [*term.aliases, *term.acronyms]
    if term.references:
        item["subjectOf"] = [_article(reference) for reference in term.references]
    return item


def _article(reference: Reference) -> dict[str, object]:
    return {
        "@type": "ScholarlyArticle",
        "name": reference.title,
        "author": {"@type": "Person", "familyName": reference.author},
        "datePublished": str(reference.year),
        "sameAs": text.address(reference),
    }


def to_skos(terms: Iterable[Term]) -> str:
    """Terms as a SKOS concept scheme, in Turtle.

    Misspellings become hidden labels: found by search, never shown.

    Args:
        terms: In the order in which they are written.

    Returns:
        The text of a Turtle file. Identifiers are relative to the place where
        it is published.
    """
    terms = list(terms)
    ids = {term.id for term in terms}
    scheme = (
        f"<#glossary> a skos:ConceptScheme ;\n    skos:prefLabel {_say(_TITLE)} .\n"
    )
    concepts = [_concept(term, ids) for term in terms]
    return "\n".join([_PREFIXES, scheme, *concepts])


def _concept(term: Term, ids: set[str]) -> str:
    facts = [
        ("a", "skos:Concept"),
        ("skos:inScheme", "<#glossary>"),
        ("skos:notation", json.dumps(term.id)),
        ("skos:prefLabel", _say(term.name)),
    ]
    labels = [label for label in (*term.aliases, *term.acronyms) if label != term.name]
    facts += [("skos:altLabel", _say(label)) for label in dict.fromkeys(labels)]
    hidden = set(term.misspellings) - {term.name, *labels}
    facts += [("skos:hiddenLabel", _say(label)) for label in sorted(hidden)]
    facts += [
        ("skos:definition", _say(term.definition)),
        ("rdfs:comment", _say(term.summary)),
        *[(_SKOS[kind], f"<#{target}>") for kind, target in _relations(term, ids)],
        *[("dcterms:source", f"<{text.address(ref)}>") for ref in term.references],
    ]
    body = " ;\n    ".join(f"{verb} {object}" for verb, object in facts)
    return f"<#{quote(term.id)}> {body} .\n"


def _relations(term: Term, ids: set[str]) -> list[tuple[str, str]]:
    """Kinds and targets, from both sides where the term belongs to a glossary."""
    pairs = [(relation.kind, relation.target) for relation in term.relations]
    if term.home is not None:
        pairs = [(link.kind, link.target.id) for link in term.home.links(term)]
    return [(kind, id) for kind, id in pairs if id in ids and kind in INVERSES]


def _say(words: str) -> str:
    # JSON strings are Turtle strings, as long as surrogate pairs are not escaped.
    return f"{json.dumps(words, ensure_ascii=False)}@en"


def to_markdown(terms: Iterable[Term]) -> str:
    """Terms as one Markdown document.

    Args:
        terms: In the order in which they are written.

    Returns:
        The text of a Markdown file.
    """
    return "\n".join([f"# {_TITLE}\n", *(text.markdown(term) for term in terms)])


def to_anki(terms: Iterable[Term]) -> str:
    """Terms as notes that Anki imports: question, answer, tags.

    Args:
        terms: In the order in which they are written.

    Returns:
        Tab-separated text with Anki's header. Importing it again updates the
        same notes.
    """
    lines = [
        "#separator:tab",
        "#html:true",
        "#columns:Guid\tFront\tBack\tTags",
        "#guid column:1",
        "#tags column:4",
    ]
    for term in terms:
        back = f"<p>{escape(term.summary)}</p><p>{escape(term.definition)}</p>"
        if term.formula:
            back += rf"<p>\[{escape(term.formula.latex)}\]</p>"
        tags = f"{term.category} {term.level}"
        fields = (f"glossary:{term.id}", escape(term.name), back, tags)
        lines.append("\t".join(_one_line(field) for field in fields))
    return "\n".join(lines) + "\n"


def _one_line(field: str) -> str:
    """A field of a tab-separated file: no tab, no line break, no quote in front."""
    return " ".join(field.replace("\n\n", "<br><br>").split()).replace('"', "&quot;")


FORMATS: dict[str, Callable[[Iterable[Term]], str]] = {
    "anki": to_anki,
    "json": to_json,
    "jsonld": to_jsonld,
    "markdown": to_markdown,
    "skos": to_skos,
}
