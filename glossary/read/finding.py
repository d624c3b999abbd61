"""What a check yields, and the checks that most of them are made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from difflib import get_close_matches
from typing import Any, NamedTuple

from glossary.model import Term


class Finding(NamedTuple):
    """What breaks a rule.

    Args:
        path: Where in the record, such as ``"references[0].arxiv"``.
        value: What stands there.
        hint: What was probably meant, as a sentence; or empty.
        word: The piece of the value that breaks the rule, where it is one; or empty.
    """

    path: str
    value: object
    hint: str = ""
    word: str = ""


def in_each(
    name: str, items: Iterable[Any], field: str, breaks: Callable[[Any], bool]
) -> Iterator[Finding]:
    """The field of each item that breaks a rule.

    Args:
        name: Of the list in the record, such as ``"claims"``.
        items: What the list holds.
        field: Of the items.
        breaks: Whether an item breaks the rule.
    """
    for number, item in enumerate(items):
        if breaks(item):
            yield Finding(f"{name}[{number}].{field}", getattr(item, field))


def did_you_mean(written: str, choices: Iterable[str]) -> str:
    """The choice that is spelled nearly so, as a question; or empty.

    Example:
        >>> did_you_mean("sumary", ["name", "summary"])
        "Did you mean 'summary'?"
    """
    close = get_close_matches(written, list(choices), 1)
    return f"Did you mean {close[0]!r}?" if close else ""


def texts(term: Term) -> Iterator[tuple[str, str]]:
    """Whatever a term says in words, with its place in the record."""
    yield "name", term.name
    yield "summary", term.summary
    yield "definition", term.definition
    yield "mistake", term.mistake
    if term.example:
        yield "example.text", term.example.text
    if term.formula:
        yield "formula.note", term.formula.note
        for number, symbol in enumerate(term.formula.symbols):
            yield f"formula.symbols[{number}].meaning", symbol.meaning
    for number, reference in enumerate(term.references):
        yield f"references[{number}].title", reference.title
        yield f"references[{number}].author", reference.author
    for number, claim in enumerate(term.claims):
        for field in ("sentence", "quantity", "conditions"):
            yield f"claims[{number}].{field}", getattr(claim, field)
