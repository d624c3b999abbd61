"""The forms in which a term can be shown, by name."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from glossary.model import Term
from glossary.show import markdown, terminal, text


def shown(term: Term, form: str) -> Any:
    """A term in one form; None where what the form needs is not installed.

    Args:
        term: The term.
        form: ``plain``, ``markdown``, ``html`` or ``rich``.
    """
    if form == "plain":
        return text.plain(term)
    if form == "markdown":
        return markdown.one(term)
    if form == "rich":
        return terminal.rich_term(term)
    if form != "html" or find_spec("jinja2") is None:
        return None
    from glossary.show import html  # jinja2 is an extra, and a lookup does without it

    return html.fragment(term)
