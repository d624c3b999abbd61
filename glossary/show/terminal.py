"""One term for the terminal, in colour. Needs rich; nothing else here does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from glossary.show import math, text

if TYPE_CHECKING:
    from rich.console import RenderableType

    from glossary.model import Term


def rich_term(term: Term) -> RenderableType:
    """A term as something that rich can print.

    Strings become `Text`, so what looks like rich markup in a term stays text.
    """
    from rich.console import Group
    from rich.padding import Padding
    from rich.text import Text

    parts: list[RenderableType] = [
        Text(text.heading(term), style="bold cyan"),
        Text(text.subheading(term), style="dim"),
        Text(),
        Text(term.summary, style="bold"),
    ]
    for paragraph in term.definition.split("\n\n"):
        parts += [Text(), Text(paragraph)]
    if term.formula:
        drawn = Text(math.text(term.formula.latex), style="green")
        parts += [Text(), Padding(drawn, (0, 0, 0, 4), expand=False)]
        parts += [
            Padding(Text(line, style="dim"), (0, 0, 0, 6), expand=False)
            for line in text.symbol_lines(term.formula)
        ]
    for section in text.sections(term):
        parts += [Text(), Text(section.title, style="bold")]
        parts += [
            Padding(Text(line), (0, 0, 0, 2), expand=False) for line in section.lines
        ]
    return Group(*parts)
