"""Terms in the formats of others, and back from JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable

from glossary.errors import InvalidTerms
from glossary.model import Term
from glossary.read.checks.shape import schema
from glossary.read.records import from_record, to_record
from glossary.show import cards, linked, markdown


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


FORMATS: dict[str, Callable[[Iterable[Term]], str]] = {
    "anki": cards.anki,
    "json": to_json,
    "jsonld": linked.jsonld,
    "markdown": markdown.document,
    "skos": linked.skos,
}
