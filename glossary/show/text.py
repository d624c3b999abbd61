"""One term as plain text, and the pieces that other forms share with it."""

from __future__ import annotations

import shutil
import sys
import textwrap
from typing import NamedTuple
from urllib.parse import quote

from glossary.model import Claim, Formula, Link, Reference, Term
from glossary.show import math, words

_WIDEST = 88
_NARROWEST = 20


class Section(NamedTuple):
    """A heading and the lines below it."""

    title: str
    lines: list[str]


def width() -> int:
    """Columns to write in: those of the terminal, 88 at most."""
    columns = shutil.get_terminal_size((_WIDEST, 24)).columns
    return max(_NARROWEST, min(_WIDEST, columns))


def plain(term: Term, columns: int | None = None, encoding: str | None = None) -> str:
    """A term as plain text.

    Args:
        term: The term.
        columns: Width to wrap at; that of the terminal if not given.
        encoding: Of the place where it will stand; that of the standard output if not
            given. Signs that it lacks become words of ASCII.

    Returns:
        Lines of text without a line break at the end.

    Example:
        >>> import glossary
        >>> from glossary.show import text
        >>> print(text.plain(glossary.term("BN"), 60).splitlines()[0])
        batch normalization (BN)
    """
    columns = columns or width()
    encoding = encoding or getattr(sys.stdout, "encoding", None)
    blocks = [wrap(heading(term), columns), wrap(subheading(term), columns)]
    blocks += ["", wrap(term.summary, columns)]
    for paragraph in term.definition.split("\n\n"):
        blocks += ["", wrap(paragraph, columns)]
    if term.formula:
        blocks.append("")
        # Fitted before it is wrapped: words are longer than signs.
        for line in words.fitting(math.text(term.formula.latex), encoding).splitlines():
            blocks.append(wrap(line, columns, "    "))
        for line in symbol_lines(term.formula):
            blocks.append(wrap(words.fitting(line, encoding), columns, "      "))
        if term.formula.note:
            blocks += ["", wrap(term.formula.note, columns)]
    for section in sections(term):
        blocks += ["", f"{section.title}:"]
        blocks += [wrap(f"- {line}", columns, "  ") for line in section.lines]
    return words.fitting("\n".join(blocks), encoding)


def heading(term: Term) -> str:
    """The name, with acronyms."""
    if not term.acronyms:
        return term.name
    return f"{term.name} ({', '.join(term.acronyms)})"


def subheading(term: Term) -> str:
    """Category, level, and other names."""
    parts = [term.category, term.level]
    if term.aliases:
        parts.append(f"also called {', '.join(term.aliases)}")
    return "; ".join(parts)


def sections(term: Term) -> list[Section]:
    """What follows the definition; only what there is."""
    example = [term.example.text] if term.example else []
    mistake = [term.mistake] if term.mistake else []
    found = [
        Section("Worked example", example),
        Section("Common mistake", mistake),
        Section("Relations", relation_lines(term)),
        Section("Explained here as well", see_lines(term)),
        Section("Claims", [claim_line(claim) for claim in term.claims]),
        Section("In code", list(term.api)),
        Section("References", [str(reference) for reference in term.references]),
    ]
    return [section for section in found if section.lines]


def claim_line(claim: Claim) -> str:
    """The sentence, its conditions, what was measured, and who has shown it."""
    said = claim.sentence
    if claim.conditions:
        said += f" [{claim.conditions}]"
    evidence = claim.recorded
    if evidence is None:
        return said
    contested = ", contested" if claim.contested else ""
    documented = "" if evidence.verdict == "held" else ", as documented"
    number = f"{evidence.measured:.3g}, claimed {claim.condition}"
    source = claim.reference or "measured here"
    return f"{said} ({evidence.verdict}{contested}{documented}: {number}; {source})"


def address(reference: Reference) -> str:
    """Where a reference is published."""
    if reference.arxiv:
        return f"https://arxiv.org/abs/{quote(reference.arxiv)}"
    if reference.doi:
        return f"https://doi.org/{quote(reference.doi)}"
    if reference.isbn:
        return f"https://openlibrary.org/isbn/{quote(reference.isbn.replace('-', ''))}"
    return quote(reference.url, safe=":/?#[]@!$&'()*+,;=%")


def related_by_kind(term: Term) -> dict[str, list[Term | str]]:
    """Neighbours by kind of relation; ids where no glossary knows the terms."""
    by_kind: dict[str, list[Term | str]] = {}
    links: list[Link] = term.home.links(term) if term.home is not None else []
    for link in links:
        by_kind.setdefault(link.kind, []).append(link.target)
    if not links:  # a term on its own knows ids only
        for relation in term.relations:
            by_kind.setdefault(relation.kind, []).append(relation.target)
    return by_kind


def relation_lines(term: Term) -> list[str]:
    """One line for each kind of relation."""
    return [
        f"{kind.replace('_', ' ')}: {', '.join(map(_name, neighbours))}"
        for kind, neighbours in related_by_kind(term).items()
    ]


def _name(neighbour: Term | str) -> str:
    return neighbour if isinstance(neighbour, str) else neighbour.name


def see_lines(term: Term) -> list[str]:
    """Names that lead to the term and mean something narrower, broader or related."""
    by_kind: dict[str, list[str]] = {}
    for see in term.see:
        by_kind.setdefault(see.kind, []).append(see.name)
    return [f"{kind}: {', '.join(names)}" for kind, names in by_kind.items()]


def symbol_lines(formula: Formula) -> list[str]:
    """What each symbol of a formula stands for."""
    lines = []
    for symbol in formula.symbols:
        drawn = math.text(symbol.latex) if symbol.latex else symbol.name
        name = "" if drawn == symbol.name else f" ({symbol.name})"
        lines.append(f"{drawn}{name}: {symbol.meaning}")
    return lines


def wrap(text: str, columns: int, indent: str = "") -> str:
    """A text in lines; a list item's further lines are indented."""
    first = "" if text.startswith("- ") else indent
    return textwrap.fill(
        text,
        columns,
        initial_indent=first,
        subsequent_indent=indent,
        break_on_hyphens=False,
    )
