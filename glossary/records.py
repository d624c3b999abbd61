"""Terms as plain dictionaries: the one form that TOML, JSON and the checks share."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any

from glossary.model import (
    RELATIONS,
    SEE_KINDS,
    Claim,
    Example,
    Formula,
    Reference,
    Relation,
    See,
    Symbol,
    Term,
)

Record = dict[str, Any]
Schema = dict[str, Any]


@cache
def schema() -> Schema:
    """The published JSON Schema of a whole glossary, as ``export json`` writes it."""
    path = Path(__file__).with_name("schema.json")
    loaded: Schema = json.loads(path.read_text("utf-8"))
    return loaded


def term_schema() -> Schema:
    """The JSON Schema of a file with one term, for editors.

    Example:
        >>> from glossary.records import term_schema
        >>> term_schema()["$ref"]
        '#/$defs/term'
    """
    return {
        "$schema": schema()["$schema"],
        "$id": "urn:x-glossary:term:1",
        "title": "Term of a glossary",
        "description": "One term, as a file of a glossary or of a plug-in holds it.",
        "$ref": "#/$defs/term",
        "$defs": schema()["$defs"],
    }


def from_record(record: Record, source: str = "") -> Term:
    """Build a term from a record of the right shape."""
    plain = dict(record)
    plain["source"] = source or plain.get("source", "")
    for name in ("aliases", "acronyms", "misspellings", "keywords", "api"):
        plain[name] = tuple(plain.get(name, ()))
    plain["relations"] = tuple(
        Relation(kind=kind, target=target)
        for kind, target in _in_order(plain.get("relations", {}), RELATIONS)
    )
    plain["see"] = tuple(
        See(kind=kind, name=name)
        for kind, name in _in_order(plain.get("see", {}), SEE_KINDS)
    )
    plain["references"] = tuple(Reference(**r) for r in plain.get("references", ()))
    plain["claims"] = tuple(_claim(claim) for claim in plain.get("claims", ()))
    if "formula" in plain:
        plain["formula"] = _formula(plain["formula"])
    if "example" in plain:
        plain["example"] = Example(**plain["example"])
    return Term(**plain)


def _in_order(
    table: dict[str, list[str]], kinds: Iterable[str]
) -> Iterator[tuple[str, str]]:
    """Kind and item of a table of lists, in the order in which it is written."""
    for kind in dict.fromkeys((*kinds, *table)):
        for item in table.get(kind, ()):
            yield kind, item


def _formula(record: Record) -> Formula:
    symbols = tuple(Symbol(**symbol) for symbol in record.get("symbols", ()))
    return Formula(**{**record, "symbols": symbols})


def _claim(record: Record) -> Claim:
    threshold = record["threshold"]
    if isinstance(threshold, list):
        threshold = tuple(threshold)
    return Claim(**{**record, "threshold": threshold})


def to_record(term: Term) -> Record:
    """The record of a term, in a fixed order, without what is empty."""
    record = _filled(term)
    if term.relations:
        kinds = dict.fromkeys((*RELATIONS, *(r.kind for r in term.relations)))
        record["relations"] = {
            kind: targets
            for kind in kinds
            if (targets := [r.target for r in term.relations if r.kind == kind])
        }
    if term.see:
        record["see"] = {
            kind: names
            for kind in SEE_KINDS
            if (names := [see.name for see in term.see if see.kind == kind])
        }
    return record


def _filled(item: object) -> Record:
    """Fields of a data class that hold something other than their default."""
    record: Record = {}
    for field in fields(item):  # type: ignore[arg-type]
        value = getattr(item, field.name)
        if field.name == "home" or value == field.default or value == {}:
            continue
        record[field.name] = _plain(value)
    return record


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, (str, int, float, list, dict)):
        return value
    return _filled(value)


def reflow(text: str) -> str:
    """Text whose line breaks within a paragraph are blanks."""
    paragraphs = re.split(r"\n\s*\n", text.strip())
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)
