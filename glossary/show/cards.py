"""Terms and claims as cards to learn, for Anki."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

from glossary.model import Claim, Term
from glossary.show import math


def anki(terms: Iterable[Term]) -> str:
    """Terms and claims as notes that Anki imports: question, answer, tags.

    A card of a term asks for its definition, a card of a claim whether it held.

    Args:
        terms: In the order in which they are written.

    Returns:
        Tab-separated text with Anki's header. Importing it again updates the same
        notes.
    """
    lines = [
        "#separator:tab",
        "#html:true",
        "#columns:Guid\tFront\tBack\tTags",
        "#guid column:1",
        "#tags column:4",
    ]
    for term in terms:
        tags = f"{term.category} {term.level}"
        for guid, front, back in _cards(term):
            fields = (guid, front, back, tags)
            lines.append("\t".join(map(_one_line, fields)))
    return "\n".join(lines) + "\n"


def _cards(term: Term) -> Iterator[tuple[str, str, str]]:
    yield f"glossary:{term.id}", escape(term.name), _answer(term)
    for claim in term.claims:
        evidence = claim.recorded
        if evidence is not None:
            measured = f"{evidence.measured:.3g}, claimed {claim.condition}"
            contested = " (contested)" if claim.contested else ""
            back = (
                f"<p><b>{evidence.verdict}</b>{contested}</p>"
                f"<p>{escape(claim.quantity)}: {escape(measured)}</p>"
                f"<p>{escape(evidence.seen)}</p>"
            )
            yield f"glossary:{claim.id}", _question(term, claim), back


def _answer(term: Term) -> str:
    """Short enough for a card: one sentence, the formula, and one number."""
    back = f"<p>{escape(term.summary)}</p>"
    if term.formula and math.is_drawable(term.formula.latex):
        back += rf"<p>\[{escape(term.formula.latex)}\]</p>"
    if term.example:
        back += f"<p>{escape(term.example.text)}</p>"
    return back


def _question(term: Term, claim: Claim) -> str:
    conditions = f" [{claim.conditions}]" if claim.conditions else ""
    said = escape(f"{claim.sentence}{conditions}")
    return f"<p>{escape(term.name)}: held or failed?</p><p>{said}</p>"


def _one_line(field: str) -> str:
    """A field of a tab-separated file: no tab, no line break, no quote in front."""
    return " ".join(field.split()).replace('"', "&quot;")
