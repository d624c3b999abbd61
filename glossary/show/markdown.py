"""Terms as Markdown: formulas between dollars, relations and references as links.

Notebooks, mkdocs (with arithmatex) and MyST (with dollarmath) set the formulas.
Whatever a term says is shown as text: marks of Markdown and HTML in it are escaped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from glossary.model import Claim, Formula, Reference, Term
from glossary.show import math, text

TITLE = "Glossary of deep learning"
_CODE = re.compile(r"(`[^`\n]+`)")
_MARKS = re.compile(r"([\\`*_\[\]<>#|~$&])")


def document(terms: Iterable[Term]) -> str:
    """Terms as one Markdown document, in which relations are links.

    Args:
        terms: In the order in which they are written.

    Returns:
        The text of a Markdown file.
    """
    written = list(terms)
    here = {term.id for term in written}
    return "\n".join([f"# {TITLE}\n", *(one(term, here=here) for term in written)])


def one(term: Term, level: int = 2, here: Iterable[str] = ()) -> str:
    """A term as Markdown.

    Args:
        term: The term.
        level: Depth of its heading, from 1 to 6.
        here: Ids of the terms in the same document: relations link to these.

    Returns:
        A block of Markdown that ends with a line break.

    Example:
        >>> import glossary
        >>> from glossary.show import markdown
        >>> print(markdown.one(glossary.term("Adam")).splitlines()[0])
        ## Adam
    """
    known = set(here)
    lines = []
    if term.id in known:
        # Renderers disagree on the anchor of a heading; an id of our own is certain.
        lines += [f'<a id="{term.id}"></a>', ""]
    lines += [f"{'#' * level} {escaped(term.name)}", ""]
    lines += [f"*{escaped(text.subheading(term))}*", "", f"**{escaped(term.summary)}**"]
    lines += [f"\n{escaped(paragraph)}" for paragraph in term.definition.split("\n\n")]
    if term.formula:
        lines += _formula(term.formula)
    if term.example:
        lines += ["", f"**Worked example.** {escaped(term.example.text)}"]
    if term.mistake:
        lines += ["", f"**Common mistake.** {escaped(term.mistake)}"]
    sections = {
        "Relations": _relations(term, known),
        "Explained here as well": [escaped(line) for line in text.see_lines(term)],
        "Claims": [_claim(claim) for claim in term.claims],
        "In code": [f"`{name}`" for name in term.api],
        "References": [_reference(reference) for reference in term.references],
    }
    for title, items in sections.items():
        if items:
            lines += ["", f"{title}:", "", *(f"- {item}" for item in items)]
    return "\n".join(lines) + "\n"


def escaped(said: str) -> str:
    """Text with the characters escaped that Markdown or HTML would take for marks.

    What stands between backticks stays code.
    """
    pieces = _CODE.split(said)
    pieces[::2] = [_MARKS.sub(r"\\\1", piece) for piece in pieces[::2]]
    return "".join(pieces)


def formula(latex: str, display: bool) -> str:
    """LaTeX between dollars; what lies outside our subset stays text.

    A ``<`` is written as a command, since a renderer without formulas would take it for
    the begin of a tag.
    """
    if not math.is_drawable(latex):
        return escaped(latex)
    safe = " ".join(latex.split()).replace("<", r"\lt ").replace(">", r"\gt ")
    return f"$$\n{safe}\n$$" if display else f"${safe.strip()}$"


def _formula(drawn: Formula) -> list[str]:
    lines = ["", formula(drawn.latex, display=True), ""]
    for symbol in drawn.symbols:
        sign = formula(symbol.latex or symbol.name, display=False)
        if not symbol.latex and len(symbol.name) > 1:
            sign = f"`{symbol.name}`"
        name = f" (`{symbol.name}`)" if symbol.latex else ""
        lines.append(f"- {sign}{name}: {escaped(symbol.meaning)}")
    if drawn.note:
        lines += ["", escaped(drawn.note)]
    return lines


def _relations(term: Term, known: set[str]) -> list[str]:
    lines = []
    for kind, neighbours in text.related_by_kind(term).items():
        names = [_linked(neighbour, known) for neighbour in neighbours]
        lines.append(f"{kind.replace('_', ' ')}: {', '.join(names)}")
    return lines


def _linked(neighbour: Term | str, known: set[str]) -> str:
    if isinstance(neighbour, str):
        return escaped(neighbour)
    name = escaped(neighbour.name)
    return f"[{name}](#{neighbour.id})" if neighbour.id in known else name


def _claim(claim: Claim) -> str:
    return escaped(text.claim_line(claim))


def _reference(reference: Reference) -> str:
    where = f", {reference.section}" if reference.section else ""
    link = f"[{escaped(reference.id)}](<{text.address(reference)}>)"
    return f"{escaped(reference.cited)} {link}{escaped(where)}"
