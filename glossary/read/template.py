"""A file for a new term, in which every field is explained.

The explanations are the descriptions of the schema, so what editors show and what
`glossary new` writes are the same words.
"""

from __future__ import annotations

import json
import re
import textwrap

from glossary import latex
from glossary.formula import FUNCTIONS
from glossary.model import RELATIONS, SEE_KINDS
from glossary.read.checks.names import TO_WRITE
from glossary.records import Schema, schema
from glossary.shown import shown

_WIDTH = 78
_HEAD = """\
# A term of a glossary. Write where it says TODO; take the # away from what you
# need, and delete the rest. `glossary check FILE` tells what is missing.
# For editors: `glossary schema > term.schema.json`, and this line at the top:
##:schema ./term.schema.json
"""
_TODO = f'"{TO_WRITE}"'
_SOME = f"[{_TODO}]"
# What stands behind each key; keys of other tables are left out.
_VALUES: dict[str, dict[str, str]] = {
    "": {
        "category": '"optimization"',
        "level": '"beginner"',
        "summary": f'"""\n{TO_WRITE}."""',
        "definition": f'"""\n{TO_WRITE}\n"""',
        "aliases": _SOME,
        "acronyms": _SOME,
        "misspellings": _SOME,
        "keywords": _SOME,
        "mistake": _TODO,
        "api": '["keras.layers.Dense"]',
    },
    "see": dict.fromkeys(SEE_KINDS, _SOME),
    "formula": {
        "latex": r"'y = \frac{a}{b}'",
        "expression": '"a / b"',
        "symbols": (
            f'[\n{{ name = "a", meaning = {_TODO} }},\n'
            f"{{ name = \"b\", latex = 'b', meaning = {_TODO} }},\n]"
        ),
        "note": _TODO,
    },
    "example": {"text": _TODO, "values": "{ a = 1, b = 4 }", "result": "0.25"},
    "relations": dict.fromkeys(RELATIONS, _SOME),
    "references": {
        "title": _TODO,
        "author": _TODO,
        "year": "2014",
        "arxiv": '"1412.6980"',
        "doi": '"10.1038/323533a0"',
        "isbn": '"978-0-262-03561-3"',
        "url": '"https://keras.io/"',
        "section": '"sec. 1"',
    },
    "claims": {
        "sentence": _TODO,
        "quantity": _TODO,
        "comparison": '"<"',
        "threshold": "0.5",
        "conditions": _TODO,
        "reference": '"arXiv:1412.6980"',
        "contested": "false",
        "backend": "false",
        "expected": '"held"',
        "demo": '"my_package.demos:my_function"',
    },
}
_ALSO = {
    "latex": f"Drawn are: {' '.join(latex.commands())} \\begin{{cases}} "
    "\\begin{aligned}.",
    "expression": f"Functions: {', '.join(sorted(FUNCTIONS))}.",
}


def slug(name: str) -> str:
    """The id of a term with this name.

    Raises:
        ValueError: If the name has no letter or digit.
    """
    words = re.findall(r"[a-z0-9]+", name.lower())
    if not words:
        raise ValueError(
            f"A name must have a letter or digit. Received: {shown(name)}."
        )
    return "-".join(words)


def template(name: str) -> str:
    """A TOML file for a new term.

    Args:
        name: Of the term, as it is written in running text.

    Returns:
        The text of the file. What must be written says TODO; what may be left out
        stands behind a ``#`` without a blank.

    Raises:
        ValueError: If the name has no letter or digit.
    """
    given = {"id": json.dumps(slug(name)), "name": json.dumps(name, ensure_ascii=False)}
    term = schema()["$defs"]["term"]
    parts = [_HEAD]
    parts += _keys(term, {**given, **_VALUES[""]})
    for table in list(_VALUES)[1:]:
        rule: Schema = term["properties"][table]
        is_list = rule.get("type") == "array"
        fields = schema()["$defs"][table.removesuffix("s") if is_list else table]
        header = f"[[{table}]]" if is_list else f"[{table}]"
        mark = "" if table == "references" else "#"
        parts.append(f"{_comment(rule['description'])}{mark}{header}\n")
        values = dict(_VALUES[table])
        if table == "claims":
            values = {"id": json.dumps(f"{slug(name)}/what-it-says"), **values}
        parts += _keys(fields, values, mark)
    return "\n".join(parts)


def _keys(rule: Schema, values: dict[str, str], mark: str = "") -> list[str]:
    """Each key with its explanation; what may be left out is marked with ``#``."""
    lines = []
    kept = {*rule.get("required", ()), *({"arxiv"} if "arxiv" in values else ())}
    for key, value in values.items():
        told = rule.get("properties", {}).get(key, {}).get("description", "")
        also = _ALSO.get(key, "")
        sign = mark or ("" if key in kept else "#")
        written = textwrap.indent(f"{key} = {value}\n", sign, lambda line: True)
        lines.append(f"{_comment(f'{told} {also}'.strip())}{written}")
    return lines


def _comment(words: str) -> str:
    if not words:
        return ""
    lines = textwrap.wrap(words, _WIDTH, break_long_words=False, break_on_hyphens=False)
    return "".join(f"# {line}\n" for line in lines)
