"""Group 0: whether a record has the shape that the published schema tells.

The schema itself is read and applied, as far as its structure goes, so what is
published and what is enforced cannot drift apart.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from glossary.read.finding import Finding, did_you_mean
from glossary.records import Record, Schema, schema

MESSAGES = {
    "E001": "File cannot be read as TOML or JSON.",
    "E002": "Key is not part of a term.",
    "E003": "Key is required and missing.",
    "E004": "Value has the wrong type.",
    "E005": "Value is empty; leave the key out.",
    "E006": "Text holds a control character or an unexpected line break.",
}
_PYTHON: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "array": list,
    "object": dict,
}
_NOTHING: dict[str, object] = {
    "string": "",
    "integer": 0,
    "number": 0.0,
    "boolean": False,
    "array": [],
}
# Only these may run over several lines; elsewhere a break would spoil a list.
_MULTILINE = ("definition", "latex", "expression")
# Control characters and those that turn the direction of writing.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_UNSOUND = object()


class Breach(NamedTuple):
    """One breach of the shape: the code, and what was found."""

    code: str
    finding: Finding


def sound_part(record: object) -> tuple[Record, list[Breach]]:
    """A record without what breaks its shape, so that the rest can be checked further.

    Args:
        record: Anything that a file may hold.

    Returns:
        A record of the right shape, in which what is required and missing or wrong is
        empty; and what is wrong. Findings of later checks about a wrong place, or about
        what holds one, say nothing.
    """
    reading = _Reading()
    rule = schema()["$defs"]["term"]
    part = reading.sound(record, rule, "")
    return (_empty(rule) if part is _UNSOUND else part), reading.breaches


class _Reading:
    """One walk through a record beside the schema."""

    def __init__(self) -> None:
        self.breaches: list[Breach] = []

    def sound(self, value: object, rule: Schema, path: str) -> Any:
        """The value without what is wrong in it, or `_UNSOUND`."""
        rule = _resolved(rule)
        if not _is_a(value, rule["type"]):
            return self._note("E004", path, value)
        if path and isinstance(value, str | list | dict) and not value:
            return self._note("E005", path, value)
        if isinstance(value, str):
            lines = path.rpartition(".")[2] in _MULTILINE
            if _CONTROL.search(value.replace("\n", "") if lines else value):
                self._note("E006", path, value)
        if isinstance(value, list):
            return self._sound_items(value, rule.get("items", rule), path)
        if isinstance(value, dict):
            return self._sound_object(value, rule, path)
        return value

    def _sound_items(self, items: list[object], rule: Schema, path: str) -> list[Any]:
        parts = [
            self.sound(item, rule, f"{path}[{number}]")
            for number, item in enumerate(items)
        ]
        # Something stays in each place, so that the others keep their numbers.
        return [_empty(rule) if part is _UNSOUND else part for part in parts]

    def _sound_object(
        self, record: dict[str, object], rule: Schema, path: str
    ) -> dict[str, Any]:
        prefix = f"{path}." if path else ""
        rules: dict[str, Schema] = rule.get("properties", {})
        any_other: Schema | None = rule.get("additionalProperties") or None
        part: dict[str, Any] = {}
        for key, value in record.items():
            item_rule = rules.get(key, any_other)
            if item_rule is None:
                hint = did_you_mean(key, rules) or f"Keys here: {', '.join(rules)}."
                self._note("E002", f"{prefix}{key}", value, hint)
            else:
                part[key] = self.sound(value, item_rule, f"{prefix}{key}")
        part = {key: value for key, value in part.items() if value is not _UNSOUND}
        for key in rule.get("required", ()):
            if key not in record:
                self._note("E003", f"{prefix}{key}", None)
            part.setdefault(key, _empty(rules[key]))
        return part

    def _note(self, code: str, path: str, value: object, hint: str = "") -> object:
        self.breaches.append(Breach(code, Finding(path, value, hint)))
        return _UNSOUND


def _resolved(rule: Schema) -> Schema:
    if "$ref" not in rule:
        return rule
    resolved: Schema = schema()["$defs"][rule["$ref"].rpartition("/")[2]]
    return resolved


def _empty(rule: Schema) -> Any:
    """The emptiest value of the right type."""
    rule = _resolved(rule)
    if rule["type"] == "object":
        required = rule.get("required", ())
        return {key: _empty(rule["properties"][key]) for key in required}
    names = rule["type"]
    return _NOTHING[names if isinstance(names, str) else names[0]]


def _is_a(value: object, names: str | list[str]) -> bool:
    listed = [names] if isinstance(names, str) else names
    if isinstance(value, bool):  # which Python calls an int, and JSON does not
        return "boolean" in listed
    return any(isinstance(value, _PYTHON[name]) for name in listed)
