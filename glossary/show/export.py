"""Terms in the formats of others."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable

from glossary.model import Term
from glossary.records import schema, to_record
from glossary.show import cards, linked, markdown


def to_json(terms: Iterable[Term]) -> str:
    """Terms as JSON, in the form that ``glossary/schema.json`` describes.

    Args:
        terms: In the order in which they are written.

    Returns:
        The text of a JSON file; `glossary.read.load.from_json` gives the same terms.

    Example:
        >>> import glossary
        >>> from glossary.read import load
        >>> from glossary.show import export
        >>> written = export.to_json(glossary.terms())
        >>> load.from_json(written) == glossary.terms()
        True
    """
    document = {
        "schema": schema()["$id"],
        "terms": [to_record(term) for term in terms],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


FORMATS: dict[str, Callable[[Iterable[Term]], str]] = {
    "anki": cards.anki,
    "json": to_json,
    "jsonld": linked.jsonld,
    "markdown": markdown.document,
    "skos": linked.skos,
}
