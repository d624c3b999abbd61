"""The parts of the page: one term, one claim. Whatever a term says is escaped."""

from __future__ import annotations

import math
import shlex
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import quote

from glossary import _math, text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from glossary.evidence import Evidence
    from glossary.model import Claim, Formula, Reference, Symbol, Term

_COMPARED = {"<": "below", "<=": "at most", ">": "above", ">=": "at least"}
_KERAS_API = "https://www.tensorflow.org/api_docs/python/tf/keras/"


def place(id: str) -> str:
    """Where a term or claim is on the page: its ``id``, and the end of links to it."""
    return escape(quote(id, safe="/"))


def section(
    term: Term,
    show: Callable[[Claim, Term], str],
    known: frozenset[str],
) -> str:
    """The section of one term.

    Args:
        term: The term.
        show: Gives the article of a claim.
        known: Ids of the terms on the page; relations to others are no links.

    Returns:
        One ``section`` element.
    """
    here = place(term.id)
    parts = [
        f'<h2 id="_title-{here}">'
        f'<a href="#{here}">{escape(text.heading(term))}</a></h2>',
        f'<p class="about">{escape(text.subheading(term))}</p>',
        f'<p class="summary">{escape(term.summary)}</p>',
        *(f"<p>{escape(part)}</p>" for part in term.definition.split("\n\n")),
    ]
    if term.formula:
        parts.append(_formula(term.formula, term.name))
    if term.claims:
        parts.append("<h3>Claims, measured</h3>")
        parts += [show(claim, term) for claim in term.claims]
    parts += _relations(term, known)
    parts += _listed("In code", [_api(name) for name in term.api])
    parts += _listed("References", [_reference(r) for r in term.references])
    parts.append('<p class="up"><a href="#_filter">Up to the list</a></p>')
    body = "\n".join(parts)
    return (
        f'<section class="term" id="{here}" aria-labelledby="_title-{here}">\n'
        f"{body}\n</section>"
    )


def article(
    claim: Claim,
    term: Term,
    evidence: Evidence | None,
    drawn: str,
    *,
    runs: bool = False,
) -> str:
    """The article of one claim.

    Args:
        claim: The claim.
        term: The term that claims it.
        evidence: What was measured; or None.
        drawn: The figure as an ``svg`` element; or empty.
        runs: Whether there are buttons that run it.

    Returns:
        One ``article`` element.
    """
    kind, words = standing(claim, evidence)
    contested = (
        ' <span class="badge contested">contested</span>' if claim.contested else ""
    )
    facts = "".join(
        f"<dt>{name}</dt><dd>{value}</dd>"
        for name, value in _facts(claim, term, evidence)
    )
    parts = [
        f"<h4>{escape(claim.sentence)}</h4>",
        f'<p class="verdict"><span class="badge">{words}</span>{contested}</p>',
        f'<dl class="facts">{facts}</dl>',
    ]
    if drawn:
        parts.append(
            '<div class="figure" role="region" tabindex="0" '
            f'aria-label="{escape("Figure: " + claim.sentence)}">{drawn}</div>'
        )
    if claim.demo:
        parts.append(_how(claim, term, evidence))
    if claim.demo and runs:
        parts.append(_runner(claim))
    body = "\n".join(parts)
    return f'<article class="claim {kind}" id="{place(claim.id)}">\n{body}\n</article>'


def standing(claim: Claim, evidence: Evidence | None) -> tuple[str, str]:
    """How a claim stands: a class for its looks, and words.

    Args:
        claim: The claim.
        evidence: What was measured; or None.

    Returns:
        One of ``held``, ``documented``, ``unexpected``, ``unknown``; and the words.
    """
    if evidence is None:
        return "unknown", "not measured yet"
    if evidence.verdict == claim.expected:
        if evidence.verdict == "held":
            return "held", "held"
        return "documented", f"{escape(evidence.verdict)}, as documented"
    words = f"{escape(evidence.verdict)}, though documented as {escape(claim.expected)}"
    return "unexpected", words


def number(value: float) -> str:
    """A number as a reader wants it: three digits, a true minus sign."""
    if math.isnan(value):
        return "no number"
    if 1000 <= abs(value) < 1_000_000:
        return f"{value:,.0f}".replace("-", "\N{MINUS SIGN}")
    return f"{value:.3g}".replace("-", "\N{MINUS SIGN}").replace("inf", "infinite")


def wanted(claim: Claim) -> str:
    """What the number is compared with, in words."""
    if isinstance(claim.threshold, tuple):
        low, high = claim.threshold
        return f"between {number(low)} and {number(high)}"
    return f"{_COMPARED[claim.comparison]} {number(claim.threshold)}"


def distance(claim: Claim, margin: float) -> str:
    """By how much a number is on the right side of its threshold, or the wrong one.

    Args:
        claim: The claim.
        margin: As a share of the threshold, or of the width between two.

    Returns:
        Such as ``margin 48 % of the width``.
    """
    word = "margin" if margin >= 0 else "missed by"
    share = abs(margin)
    if isinstance(claim.threshold, tuple):
        return f"{word} {number(100 * share)} % of the width"
    if claim.threshold == 0:
        return f"{word} {number(share)}"
    if share >= 10:
        return f"{word} {number(share)} times the threshold"
    return f"{word} {number(100 * share)} % of the threshold"


def _facts(
    claim: Claim, term: Term, evidence: Evidence | None
) -> Iterable[tuple[str, str]]:
    """Names and values, as HTML."""
    margin = ""
    if evidence is None:
        yield "Quantity", escape(claim.quantity)
    else:
        measured = number(evidence.measured)
        yield "Measured", f"<strong>{measured}</strong>, {escape(claim.quantity)}"
        if evidence.verdict != "inconclusive":
            margin = f"; {distance(claim, evidence.margin)}"
    yield "Claimed", escape(wanted(claim)) + margin
    if evidence is not None and evidence.reason:
        yield "Because", escape(evidence.reason)
    if claim.conditions:
        yield "Conditions", escape(claim.conditions)
    for reference in term.references:
        if reference.id == claim.reference:
            yield "Source", _reference(reference)


def _how(claim: Claim, term: Term, evidence: Evidence | None) -> str:
    """The command that runs it, and how it was run."""
    command = shlex.join(["glossary", "demo", term.id, "--claim", claim.id, "--full"])
    made = ""
    if evidence is not None:
        count = len(evidence.seeds)
        seeds = "1 seed" if count == 1 else f"{count} seeds"
        versions = ", ".join(f"{k} {v}" for k, v in evidence.versions.items())
        shown = escape(
            f"{seeds}, {number(evidence.seconds)} s of processor time; {versions}"
        )
        made = f"<p>The result above: {shown}.</p>"
    return (
        "<details><summary>Run it yourself</summary>"
        f'<pre tabindex="0"><code>{escape(command)}</code></pre>{made}</details>'
    )


def _runner(claim: Claim) -> str:
    buttons = "".join(
        f'<button type="button" data-claim="{place(claim.id)}" data-size="{size}">'
        f"{words}</button>"
        for size, words in (("fast", "Run one seed"), ("full", "Run ten seeds"))
    )
    return (
        f'<div class="runner">{buttons}'
        '<progress aria-label="Progress" hidden></progress><p role="status"></p></div>'
    )


def _formula(formula: Formula, name: str) -> str:
    rows = "".join(
        f"<dt>{_symbol(symbol)}</dt><dd>{escape(symbol.meaning)}</dd>"
        for symbol in formula.symbols
    )
    label = escape(f"Formula of {name}")
    return (
        f'<div class="formula" role="region" tabindex="0" aria-label="{label}">'
        f'{_math.mathml(formula.latex)}<dl class="symbols">{rows}</dl></div>'
    )


def _symbol(symbol: Symbol) -> str:
    if symbol.latex or len(symbol.name) == 1:
        return _math.mathml(symbol.latex or symbol.name, display="inline")
    return f"<code>{escape(symbol.name)}</code>"


def _relations(term: Term, known: frozenset[str]) -> list[str]:
    links = term._home.links(term) if term._home is not None else []
    by_kind: dict[str, list[str]] = {}
    for link in links:
        name = escape(link.target.name)
        if link.target.id in known:
            name = f'<a href="#{place(link.target.id)}">{name}</a>'
        by_kind.setdefault(link.kind, []).append(name)
    if not by_kind:
        return []
    rows = "".join(
        f"<dt>{escape(kind.replace('_', ' '))}</dt><dd>{', '.join(names)}</dd>"
        for kind, names in by_kind.items()
    )
    return ["<h3>Relations</h3>", f'<dl class="relations">{rows}</dl>']


def _listed(title: str, items: list[str]) -> list[str]:
    if not items:
        return []
    listed = "".join(f"<li>{item}</li>" for item in items)
    return [f"<h3>{title}</h3>", f"<ul>{listed}</ul>"]


def _api(name: str) -> str:
    shown = f"<code>{escape(name)}</code>"
    if not name.startswith("keras."):
        return shown
    # A method is a heading on the page of its class.
    path = name.removeprefix("keras.").replace("Model.", "Model#").replace(".", "/")
    return _away(_KERAS_API + quote(path, safe="/#"), shown)


def _reference(reference: Reference) -> str:
    where = f", {reference.section}" if reference.section else ""
    link = _away(text.address(reference), escape(reference.id))
    return f"{escape(reference.cited)} {link}{escape(where)}"


def _away(address: str, shown: str) -> str:
    """A link that leaves the page. Nothing follows it but a reader."""
    return f'<a href="{escape(address)}" rel="noreferrer">{shown}</a>'
