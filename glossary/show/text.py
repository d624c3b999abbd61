"""One term as plain text, Markdown and HTML.

Whatever a term says is shown as text: HTML and Markdown marks in it are escaped.
"""

from __future__ import annotations

import re
import shutil
import textwrap
from html import escape
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from glossary.show import math as _math

if TYPE_CHECKING:
    from glossary.model import Claim, Formula, Link, Reference, Symbol, Term

_WIDEST = 88
_NARROWEST = 20


def width() -> int:
    """Columns to write in: those of the terminal, 88 at most."""
    return max(
        _NARROWEST, min(_WIDEST, shutil.get_terminal_size((_WIDEST, 24)).columns)
    )


def plain(term: Term, columns: int | None = None) -> str:
    """A term as plain text.

    Args:
        term: The term.
        columns: Width to wrap at; that of the terminal if not given.

    Returns:
        Lines of text without a line break at the end.

    Example:
        >>> import glossary
        >>> from glossary.show import text
        >>> print(text.plain(glossary.term("BN"), 60).splitlines()[0])
        batch normalization (BN)
    """
    columns = columns or width()
    blocks = [_wrap(heading(term), columns), _wrap(subheading(term), columns)]
    blocks += ["", _wrap(term.summary, columns)]
    for paragraph in term.definition.split("\n\n"):
        blocks += ["", _wrap(paragraph, columns)]
    if term.formula:
        blocks.append("")
        for line in _math.text(term.formula.latex).splitlines():
            blocks.append(_wrap(line, columns, "    "))
        blocks += [
            _wrap(line, columns, "      ") for line in symbol_lines(term.formula)
        ]
    for section in sections(term):
        blocks += ["", f"{section.title}:"]
        blocks += [_wrap(f"- {line}", columns, "  ") for line in section.lines]
    return "\n".join(blocks)


def markdown(term: Term, level: int = 2) -> str:
    """A term as Markdown.

    Args:
        term: The term.
        level: Depth of its heading, from 1 to 6.

    Returns:
        A block of Markdown that ends with a line break.

    Example:
        >>> import glossary
        >>> from glossary.show import text
        >>> print(text.markdown(glossary.term("Adam")).splitlines()[0])
        ## Adam
    """
    lines = [f"{'#' * level} {_mark(term.name)}", "", f"*{_mark(subheading(term))}*"]
    lines += ["", f"**{_mark(term.summary)}**"]
    lines += [f"\n{_mark(part)}" for part in term.definition.split("\n\n")]
    if term.formula:
        drawn = _math.text(term.formula.latex).replace("`", "'")  # stay in the fence
        lines += ["", "```text", drawn, "```", ""]
        lines += [f"- {_mark(line)}" for line in symbol_lines(term.formula)]
    if term.references:
        lines += ["", "References:", ""]
        lines += [
            f"- {_mark(cited)} [{_mark(ref.id)}](<{link}>){_mark(where)}"
            for ref in term.references
            for cited, link, where in [_cited(ref)]
        ]
    for section in sections(term):
        if section.title != "References":
            lines += ["", f"{section.title}:", ""]
            lines += [f"- {_mark(line)}" for line in section.lines]
    return "\n".join(lines) + "\n"


def html(term: Term) -> str:
    """A term as an HTML article, with its formula in MathML.

    Args:
        term: The term.

    Returns:
        One ``article`` element, in which everything a term says is escaped.

    Example:
        >>> import glossary
        >>> from glossary.show import text
        >>> "<math" in text.html(glossary.term("Adam"))
        True
    """
    parts = [f"<h3>{escape(heading(term))}</h3>"]
    parts.append(f"<p><small>{escape(subheading(term))}</small></p>")
    parts.append(f"<p><strong>{escape(term.summary)}</strong></p>")
    parts += [f"<p>{escape(part)}</p>" for part in term.definition.split("\n\n")]
    if term.formula:
        parts.append(_formula_html(term.formula))
    for section in sections(term):
        if section.title == "References":
            items = [_reference_html(reference) for reference in term.references]
        else:
            items = [escape(line) for line in section.lines]
        listed = "".join(f"<li>{item}</li>" for item in items)
        parts.append(f"<h4>{section.title}</h4><ul>{listed}</ul>")
    return f'<article class="glossary-term">{"".join(parts)}</article>'


class Section(NamedTuple):
    """A list under a title, such as the relations of a term."""

    title: str
    lines: list[str]


def heading(term: Term) -> str:
    """Name and acronyms."""
    return f"{term.name} ({', '.join(term.acronyms)})" if term.acronyms else term.name


def subheading(term: Term) -> str:
    """Category, level, where it comes from, and other names."""
    parts = [term.category, term.level]
    if term.source not in ("", "core"):
        parts.append(f"from {term.source}")
    if term.aliases:
        parts.append(f"also called {', '.join(term.aliases)}")
    return "; ".join(parts)


def sections(term: Term) -> list[Section]:
    """What follows the definition; only what there is."""
    home = term.home
    links = home.links(term) if home is not None else []
    found = [
        Section("Relations", _relation_lines(term, links)),
        Section("Claims", [_claim_line(claim) for claim in term.claims]),
        Section("In code", list(term.api)),
        Section("References", [str(reference) for reference in term.references]),
    ]
    return [section for section in found if section.lines]


def _claim_line(claim: Claim) -> str:
    """The sentence, and what was measured."""
    found = claim.recorded
    if found is None:
        return claim.sentence
    documented = "" if found.verdict == "held" else ", as documented"
    number = f"{found.measured:.3g}, claimed {found.condition}"
    return f"{claim.sentence} ({found.verdict}{documented}: {number})"


def address(reference: Reference) -> str:
    """Where a reference is published."""
    if reference.arxiv:
        return f"https://arxiv.org/abs/{quote(reference.arxiv)}"
    return f"https://doi.org/{quote(reference.doi)}"


def _relation_lines(term: Term, links: list[Link]) -> list[str]:
    by_kind: dict[str, list[str]] = {}
    for link in links:
        by_kind.setdefault(link.kind, []).append(link.target.name)
    if not links:  # a term on its own knows ids only
        for relation in term.relations:
            by_kind.setdefault(relation.kind, []).append(relation.target)
    return [
        f"{kind.replace('_', ' ')}: {', '.join(names)}"
        for kind, names in by_kind.items()
    ]


def symbol_lines(formula: Formula) -> list[str]:
    """What each symbol of a formula stands for."""
    lines = []
    for symbol in formula.symbols:
        drawn = _math.text(symbol.latex) if symbol.latex else symbol.name
        name = "" if drawn == symbol.name else f" (`{symbol.name}`)"
        lines.append(f"{drawn}{name}: {symbol.meaning}")
    return lines


def _formula_html(formula: Formula) -> str:
    rows = "".join(
        f"<tr><td>{_symbol_html(symbol)}</td>"
        f"<td><code>{escape(symbol.name)}</code></td>"
        f"<td>{escape(symbol.meaning)}</td></tr>"
        for symbol in formula.symbols
    )
    return f"{_math.mathml(formula.latex)}<table>{rows}</table>"


def _symbol_html(symbol: Symbol) -> str:
    if symbol.latex or len(symbol.name) == 1:
        return _math.mathml(symbol.latex or symbol.name, display="inline")
    return ""


def _reference_html(reference: Reference) -> str:
    cited, link, where = _cited(reference)
    anchor = f'<a href="{escape(link)}">{escape(reference.id)}</a>'
    return f"{escape(cited)} {anchor}{escape(where)}"


def _cited(reference: Reference) -> tuple[str, str, str]:
    """What stands before the id of a reference, its address, what stands after."""
    where = f", {reference.section}" if reference.section else ""
    return reference.cited, address(reference), where


def _mark(text: str) -> str:
    """Text with the characters escaped that Markdown or HTML would take for marks."""
    return re.sub(r"([\\`*_\[\]<>#|~$&])", r"\\\1", text)


def _wrap(text: str, columns: int, indent: str = "") -> str:
    first = "" if text.startswith("- ") else indent
    return textwrap.fill(
        text,
        columns,
        initial_indent=first,
        subsequent_indent=indent,
        break_on_hyphens=False,
    )
