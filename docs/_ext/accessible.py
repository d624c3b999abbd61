"""What the theme's pages lack for who hears them, mended while they are written."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

#: A heading in the list of pages must say of what level it is.
_HEADING = ' role="heading"'
#: A cell above a column of names that has no name itself heads nothing.
_EMPTY_HEAD = '<th class="head"><p></p></th>'

#: Arguments below each other are a list of definitions of nothing, inside of a term.
_ARGUMENTS = re.compile(r"<dl>\n((?:<dd>.*?</dd>\n?)+)</dl>", re.DOTALL)


def _as_lines(arguments: re.Match[str]) -> str:
    lines = arguments.group(1).replace("<dd>", '<span class="sig-line">')
    return lines.replace("</dd>", "</span>")


def mended(body: str) -> str:
    r"""The text of a page, with what is mended in tables and signatures.

    Example:
        >>> mended("<dl>\n<dd><em>lr</em>, </dd>\n</dl>")
        '<span class="sig-line"><em>lr</em>, </span>\n'
    """
    return _ARGUMENTS.sub(_as_lines, body.replace(_EMPTY_HEAD, "<td></td>"))


def _mend(
    app: Sphinx, page: str, template: str, context: dict[str, Any], document: Any
) -> None:
    """Mend the list of pages, and the tables."""
    pages = context.get("furo_navigation_tree", "")
    context["furo_navigation_tree"] = pages.replace(
        _HEADING, f'{_HEADING} aria-level="2"'
    )
    if "body" in context:
        context["body"] = mended(context["body"])


def setup(app: Sphinx) -> dict[str, Any]:
    """Look at each page behind the theme, which has made its list by then."""
    app.connect("html-page-context", _mend, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
