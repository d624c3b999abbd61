"""Group 0: whether a record has the shape that the published schema tells.

The schema itself is read and applied, as far as its structure goes, so what is
published and what is enforced cannot drift apart.
"""

from __future__ import annotations

import json
import unicodedata
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from glossary.read.checks import Finding

Schema = dict[str, Any]
_PYTHON: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "array": list,
    "object": dict,
}
# Only these may run over several lines; elsewhere a break would spoil a list.
_MULTILINE = ("definition", "latex", "expression")
_BIDI_CONTROLS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@cache
def schema() -> Schema:
    """The published JSON Schema of a whole glossary."""
    path = Path(__file__).parent.parent / "schema.json"
    loaded: Schema = json.loads(path.read_text(encoding="utf-8"))
    return loaded


def unreadable_file(record: object) -> Iterator[Finding]:
    """File cannot be read as TOML or JSON."""
    yield from ()  # found while reading, before there is a record


def unknown_key(record: object) -> Iterator[Finding]:
    """Key is not part of a term."""
    yield from _walk(record, "unknown")


def missing_key(record: object) -> Iterator[Finding]:
    """Key is required and missing."""
    yield from _walk(record, "missing")


def wrong_type(record: object) -> Iterator[Finding]:
    """Value has the wrong type."""
    yield from _walk(record, "type")


def empty_value(record: object) -> Iterator[Finding]:
    """Value is empty; leave the key out."""
    yield from _walk(record, "empty")


def control_character(record: object) -> Iterator[Finding]:
    """Text holds a control character or an unexpected line break."""
    for path, text in _strings(record, ""):
        key = path.rpartition(".")[2]
        if any(_is_control(c) and not (c == "\n" and key in _MULTILINE) for c in text):
            yield path, text


def is_sound(record: object) -> bool:
    """Whether a record breaks none of the rules above, told in one walk."""
    found = _breaches(record, schema()["$defs"]["term"], "")
    return not any(found) and not any(control_character(record))


def _walk(record: object, what: str) -> Iterator[Finding]:
    term = schema()["$defs"]["term"]
    return (found[1:] for found in _breaches(record, term, "") if found[0] == what)


def _breaches(
    value: object, rule: Schema | bool, path: str
) -> Iterator[tuple[str, str, object]]:
    if isinstance(rule, bool) or not rule:
        return  # anything goes, such as the values of an example
    if "$ref" in rule:
        rule = schema()["$defs"][rule["$ref"].rpartition("/")[2]]
    if not _is_a(value, rule.get("type", "object")):
        yield "type", path, value
    elif not value and path and isinstance(value, (str, list, dict)):
        yield "empty", path, value
    elif isinstance(value, dict):
        yield from _breaches_of_object(value, rule, path)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _breaches(item, rule.get("items", {}), f"{path}[{number}]")


def _breaches_of_object(
    value: dict[str, object], rule: Schema, path: str
) -> Iterator[tuple[str, str, object]]:
    prefix = f"{path}." if path else ""
    properties = rule.get("properties", {})
    for key in rule.get("required", ()):
        if key not in value:
            yield "missing", f"{prefix}{key}", None
    for key, item in value.items():
        if key in properties:
            yield from _breaches(item, properties[key], f"{prefix}{key}")
        elif "additionalProperties" in rule and not rule["additionalProperties"]:
            yield "unknown", f"{prefix}{key}", item
        elif "additionalProperties" in rule:
            yield from _breaches(item, rule["additionalProperties"], f"{prefix}{key}")


def _is_a(value: object, names: str | list[str]) -> bool:
    listed = [names] if isinstance(names, str) else names
    if isinstance(value, bool):  # which Python calls an int, and JSON does not
        return "boolean" in listed
    return any(isinstance(value, _PYTHON[name]) for name in listed)


def _strings(value: object, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _strings(item, f"{path}[{number}]")
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _strings(item, f"{path}.{key}" if path else key)


def _is_control(character: str) -> bool:
    return unicodedata.category(character) == "Cc" or character in _BIDI_CONTROLS
