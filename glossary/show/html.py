"""One term as HTML, for a page of its own and for notebooks. The extra ``page``.

The templates escape whatever a term says: what may be markup is made here and in
`glossary.show.math`, and nowhere else.
"""

from __future__ import annotations

import math
import re
import shlex
import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from glossary.model import Claim, Evidence, Link, Reference, Symbol, Term
from glossary.pictures import Bars, Lines
from glossary.show import text
from glossary.show.math import mathml
from glossary.show.mentions import Mentions, Piece

TEMPLATES = Path(__file__).parent / "templates"
_COMPARED = {"<": "below", "<=": "at most", ">": "above", ">=": "at least"}
_KERAS_API = "https://www.tensorflow.org/api_docs/python/tf/keras/"
_MOST_ROWS = 12  # of a table: more are a burden to who has to listen to them


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What surrounds a term where it is shown.

    Args:
        pages: Ids of the terms that have a page beside this one.
        mentions: Finds those terms in running text; or None, where nothing links.
        evidence: What was measured of a claim; None where nothing was.
        figure: The panels of a claim's picture as ``svg`` elements; none where there
            is no picture.
        runs: Whether there are buttons that run a claim.
    """

    pages: frozenset[str] = frozenset()
    mentions: Mentions | None = None
    evidence: Callable[[Claim], Evidence | None] = lambda claim: claim.recorded
    figure: Callable[[Claim], tuple[str, ...]] = lambda claim: ()
    runs: bool = False


_CODE = re.compile(r"`([^`\n]+)`")


@dataclass(frozen=True)
class Standing:
    """How a claim stands: a class for its looks, and words."""

    kind: str
    words: str


@dataclass(frozen=True)
class Table:
    """The numbers behind a picture: medians over the seeds.

    Args:
        title: What sets it apart from others beside it; or empty.
        heads: Of the columns.
        rows: As text; the first cell names the row.
        left_out: How many rows there would be in all, where not every one is shown.
    """

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    left_out: int = 0


@cache
def environment() -> Environment:
    """The templates, with everything they need."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "anchor": anchor,
        "prose": _prose,
        "number": number,
        "wanted": wanted,
        "symbol": _symbol,
        "address": _address,
    }
    made.globals |= {
        "api_address": api_address,
        "by_kind": _by_kind,
        "call": _call,
        "command": _command,
        "distance": distance,
        "heading": text.heading,
        "pieces": _pieces,
        "math": lambda latex: Markup(mathml(latex)),
        "source": _source,
        "standing": standing,
        "subheading": text.subheading,
        "svg": lambda drawn: Markup(drawn),
        "tables": tables,
    }
    return made


def _prose(text: str) -> Markup:
    """Running text, in which what stands between backticks is code."""
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(text))))


def fragment(term: Term) -> str:
    """A term as one ``article``, for a notebook.

    Args:
        term: The term.

    Returns:
        HTML in which everything that a term says is escaped.

    Example:
        >>> import glossary
        >>> "<math" in fragment(glossary.term("Adam"))
        True
    """
    written = environment().get_template("notebook.html")
    return written.render(term=term, setting=Setting())


def measured_article(
    claim: Claim, term: Term, evidence: Evidence, drawn: tuple[str, ...]
) -> str:
    """A claim as it has just been measured, in place of what its page shows.

    Args:
        claim: The claim.
        term: The term that claims it.
        evidence: What was measured.
        drawn: The panels of the picture; none where nothing draws it.
    """
    written = environment().get_template("measured.html")
    setting = Setting(
        pages=frozenset([term.id]),
        evidence=lambda _: evidence,
        figure=lambda _: drawn,
        runs=True,
    )
    return written.render(claim=claim, term=term, setting=setting)


def anchor(id: str) -> str:
    """The id of a term as it stands in links to its page."""
    return quote(id, safe="")


def standing(claim: Claim, evidence: Evidence | None) -> Standing:
    """How a claim stands beside what is documented."""
    if evidence is None:
        return Standing("unknown", "not measured yet")
    if not evidence.as_documented:
        words = f"{evidence.verdict}, though documented as {claim.expected}"
        return Standing("unexpected", words)
    if evidence.verdict == "held":
        return Standing("held", "held")
    return Standing("documented", f"{evidence.verdict}, as documented")


def number(value: float) -> str:
    """A number as a reader wants it: three digits, a true minus sign.

    Example:
        >>> number(0.12345), number(12345.6), number(0.0)
        ('0.123', '12,346', '0')
    """
    if math.isnan(value):
        return "no number"
    written = f"{value:,.0f}" if 1000 <= abs(value) < 1_000_000 else f"{value:.3g}"
    return written.replace("-", "\N{MINUS SIGN}").replace("inf", "infinite")


def wanted(claim: Claim) -> str:
    """What the number is compared with, in words."""
    if isinstance(claim.threshold, tuple):
        low, high = claim.threshold
        return f"between {number(low)} and {number(high)}"
    return f"{_COMPARED[claim.comparison]} {number(claim.threshold)}"


def distance(claim: Claim, margin: float) -> str:
    """By how much a number is on the right side of its threshold, or the wrong one."""
    word = "margin" if margin >= 0 else "missed by"
    share = abs(margin)
    if isinstance(claim.threshold, tuple):
        return f"{word} {number(100 * share)} % of the width"
    if claim.threshold == 0:
        return f"{word} {number(share)}"
    if share >= 10:
        return f"{word} {number(share)} times the threshold"
    return f"{word} {number(100 * share)} % of the threshold"


def tables(evidence: Evidence) -> list[Table]:
    """What a picture shows, in numbers: for each panel a table of medians."""
    return [
        _table([run.panels[place] for run in evidence.runs])
        for place in range(len(evidence.runs[0].panels))
    ]


def _table(pictures: list[Lines | Bars]) -> Table:
    first = pictures[0]
    count = len(next(iter(first.ys.values())))
    step = math.ceil(count / _MOST_ROWS)
    # The last row counts: it is where most curves are compared.
    kept = sorted({*range(0, count, step), count - 1})
    columns = [
        [_median([picture.ys[name][row] for picture in pictures]) for row in kept]
        for name in first.ys
    ]
    if isinstance(first, Bars):
        heads = (first.x_label or "of what", *first.ys)
        places = [first.labels[row] for row in kept]
    else:
        heads = (first.x_label, *first.ys)
        xs = [one.x for one in pictures if isinstance(one, Lines)]
        places = [_median([x[row] for x in xs]) for row in kept]
    title = ": ".join(filter(None, (first.title, first.y_label)))
    rows = tuple(zip(places, *columns, strict=True))
    return Table(title, heads, rows, count if step > 1 else 0)


def _median(values: list[float]) -> str:
    known = [value for value in values if not math.isnan(value)]
    return number(statistics.median(known)) if known else "\N{EN DASH}"


def _symbol(symbol: Symbol) -> Markup:
    if symbol.latex or len(symbol.name) == 1:
        return Markup(mathml(symbol.latex or symbol.name, "inline"))
    return Markup("<code>{}</code>").format(symbol.name)


def _pieces(
    paragraphs: list[str], term: Term, setting: Setting
) -> Iterator[list[Piece]]:
    """Paragraphs, in which the first mention of each other term is a link."""
    known = {term.id}
    for paragraph in paragraphs:
        if setting.mentions is None:
            yield [Piece(paragraph)]
            continue
        pieces = list(setting.mentions.pieces(paragraph, known))
        known |= {piece.term for piece in pieces}
        yield pieces


def _by_kind(term: Term) -> dict[str, list[Link]]:
    links: dict[str, list[Link]] = {}
    for link in term.home.links(term) if term.home else []:
        links.setdefault(link.kind.replace("_", " "), []).append(link)
    return links


def _call(term: Term) -> str:
    """The worked example as a line of Python; empty where nothing computes it."""
    if term.formula is None or term.example is None or not term.example.values:
        return ""
    values = ", ".join(f"{name}={v!r}" for name, v in term.example.values.items())
    result = term.example.result
    return f'glossary.term("{term.id}").formula({values})  # {result!r}'


def _command(term: Term, claim: Claim) -> str:
    return shlex.join(["glossary", "demo", term.id, "--claim", claim.id, "--full"])


def _address(reference: Reference) -> str:
    """Where a reference is published; empty where that is no page of the web."""
    address = text.address(reference)
    return address if address.startswith("https://") else ""


def _source(claim: Claim, term: Term) -> Reference | None:
    """The reference that a claim names."""
    for reference in term.references:
        if reference.id == claim.reference:
            return reference
    return None


def api_address(name: str) -> str:
    """Where a class or function of Keras is documented; empty for others."""
    if not name.startswith("keras."):
        return ""
    # A method is a heading on the page of its class.
    path = name.removeprefix("keras.").replace("Model.", "Model#").replace(".", "/")
    return _KERAS_API + quote(path, safe="/#")
