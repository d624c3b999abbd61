"""The glossary as one HTML file that needs nothing else: no network, no server.

`page` makes the text of the file, `write` puts it into a folder. Terms are data by
others, so that everything they say is escaped, and the page forbids itself
whatever it does not need (its content security policy).
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections import Counter
from html import escape
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from glossary import _fold, _page_html, export

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from os import PathLike

    from glossary.evidence import Evidence
    from glossary.model import Claim, Term

_NAME = "index.html"


def write(
    directory: str | PathLike[str],
    terms: Iterable[Term],
    evidence: Mapping[str, Evidence],
    tell: Callable[[int, int], None] | None = None,
) -> Path:
    """Write the page of some terms.

    Args:
        directory: Where ``index.html`` goes; made if it is not there.
        terms: What the page shows.
        evidence: What was measured, by the id of the claim.
        tell: Called with the number of figures that are drawn, and of all.

    Returns:
        The path of the file.

    Example:
        >>> import tempfile
        >>> import glossary
        >>> from glossary import page
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     page.write(folder, glossary.terms(), {}).name
        'index.html'
    """
    folder = Path(directory)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / _NAME
    path.write_text(page(terms, evidence, tell=tell), encoding="utf-8")
    return path


def page(
    terms: Iterable[Term],
    evidence: Mapping[str, Evidence],
    *,
    tell: Callable[[int, int], None] | None = None,
    token: str = "",
) -> str:
    """The text of the page.

    Args:
        terms: What the page shows.
        evidence: What was measured, by the id of the claim.
        tell: Called with the number of figures that are drawn, and of all.
        token: What the page shows to its server before claims are run; empty
            for a page without one.

    Returns:
        One HTML document.
    """
    terms = sorted(terms, key=lambda term: (_fold.key(term.name), term.id))
    claims = [(claim, term) for term in terms for claim in term.claims]
    drawn = draw([claim for claim, _ in claims], evidence, tell)

    def show(claim: Claim, term: Term) -> str:
        found = evidence.get(claim.id)
        figure = drawn.get(claim.id, "")
        return _page_html.article(claim, term, found, figure, runs=bool(token))

    known = frozenset(term.id for term in terms)
    style, script = _file("page.css"), _file("page.js")
    listed = [claim for claim, _ in claims]
    labels = [_search_words(term) for term in terms]
    return Template(_file("page.html")).substitute(
        policy=policy(style, script, serves=bool(token)),
        style=style,
        script=script,
        linked=_embedded(json.loads(export.to_jsonld(terms))),
        data=_embedded({"fold": folding(), "terms": labels, "token": token}),
        tally=_tally(len(terms), listed, evidence),
        notice=_notice(listed, evidence, drawn),
        listed="\n".join(_entry(term) for term in terms),
        terms="\n".join(_page_html.section(term, show, known) for term in terms),
    )


def recorded(terms: Iterable[Term]) -> dict[str, Evidence]:
    """The evidence that comes with the terms, by the id of the claim.

    Args:
        terms: What the page shows.

    Returns:
        Evidence for the claims as they are now.
    """
    claims = [claim for term in terms for claim in term.claims]
    found = {claim.id: claim.recorded for claim in claims}
    return _of_these(claims, found)


def read(path: str | PathLike[str], terms: Iterable[Term]) -> dict[str, Evidence]:
    """The evidence in a file, by the id of the claim.

    Args:
        path: What ``glossary check --demos --evidence`` wrote.
        terms: What the page shows.

    Returns:
        Evidence for the claims as they are now: what was measured of a claim that
        has changed since is left out.

    Raises:
        ValueError: If the file holds something else.
    """
    from glossary.evidence import Evidence

    try:
        records = json.loads(Path(path).read_text(encoding="utf-8"))
        found = {one.claim: one for one in map(Evidence.from_dict, records)}
    except (ValueError, TypeError, KeyError, AttributeError):
        raise ValueError(
            "`--evidence` must be a file that `glossary check --demos --evidence FILE` "
            f"wrote. Received: {path}. Write it anew."
        ) from None
    return _of_these([claim for term in terms for claim in term.claims], found)


def _of_these(
    claims: Iterable[Claim], found: Mapping[str, Evidence | None]
) -> dict[str, Evidence]:
    """What was found of claims that still say what was measured."""
    said = ("sentence", "quantity", "comparison", "threshold")
    return {
        claim.id: evidence
        for claim in claims
        if (evidence := found.get(claim.id)) is not None
        and all(getattr(evidence, name) == getattr(claim, name) for name in said)
    }


def draw(
    claims: Iterable[Claim],
    evidence: Mapping[str, Evidence],
    tell: Callable[[int, int], None] | None = None,
) -> dict[str, str]:
    """The figures of the claims that were measured.

    Args:
        claims: In the order of the page.
        evidence: What was measured, by the id of the claim.
        tell: Called with the number of figures that are drawn, and of all.

    Returns:
        ``svg`` elements by the id of the claim; none without matplotlib.
    """
    measured = [claim for claim in claims if claim.id in evidence]
    if not measured or find_spec("matplotlib") is None:
        return {}
    from glossary._page_svg import svg

    drawn = {}
    for count, claim in enumerate(measured, start=1):
        found = evidence[claim.id]
        label = (
            f"{claim.quantity}: {_page_html.number(found.measured)}, "
            f"claimed {_page_html.wanted(claim)}"
        )
        prefix = f"_{_page_html.place(claim.id)}-"
        figure = found.figure()
        figure.suptitle(None)  # the page has said it
        drawn[claim.id] = svg(figure, prefix, label)
        if tell:
            tell(count, len(measured))
    return drawn


def policy(style: str, script: str, *, serves: bool) -> str:
    """The content security policy: this style, this script, nothing from elsewhere.

    Args:
        style: The text of the style sheet.
        script: The text of the script.
        serves: Whether the page may ask its own server to run claims.

    Returns:
        The policy, for a ``meta`` element or a header.
    """
    rules = [
        "default-src 'none'",
        f"script-src '{_digest(script)}'",
        f"style-src '{_digest(style)}'",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
    ]
    return "; ".join(rules + ["connect-src 'self'"] * serves)


def folding() -> dict[str, object]:
    """The tables of the library's folding, in the grammar of JavaScript."""

    def pattern(written: str) -> str:
        return written.replace(r"\w", r"[\p{L}\p{N}_]")

    british = [
        (pattern(regex.pattern), american.replace("\\", "$"))
        for regex, american in _fold._BRITISH
    ]
    return {"british": british, "irregular": list(_fold._IRREGULAR.items())}


def _search_words(term: Term) -> dict[str, object]:
    """What the filter compares with: keys of names, and folded words."""
    names = (term.id, term.name, *term.aliases, *term.misspellings)
    keys = [*map(_fold.key, names), *map(_fold.plain_key, term.acronyms)]
    told = " ".join((*names, *term.acronyms, term.category, term.summary))
    words = [_fold.singular(word) for word in _fold.words(told)]
    return {
        "id": _page_html.place(term.id),
        "keys": list(dict.fromkeys(keys)),
        "words": list(dict.fromkeys(words)),
    }


def _entry(term: Term) -> str:
    here = _page_html.place(term.id)
    return f'<li id="_list-{here}"><a href="#{here}">{escape(term.name)}</a></li>'


def _tally(
    terms: int, claims: Sequence[Claim], evidence: Mapping[str, Evidence]
) -> str:
    """How many terms and claims there are, and how the claims stand."""
    counts = Counter(
        _page_html.standing(claim, evidence.get(claim.id))[1] for claim in claims
    )
    told = [f"{terms} terms", f"{len(claims)} claims"]
    return "; ".join(told + [f"{n} {words}" for words, n in counts.most_common()])


def _notice(
    claims: Sequence[Claim], evidence: Mapping[str, Evidence], drawn: Mapping[str, str]
) -> str:
    """What to do about missing evidence and figures."""
    told = []
    if claims and not any(claim.id in evidence for claim in claims):
        told.append(
            "None of the claims is measured here. To have numbers, run "
            "<code>glossary check --demos</code> first, and give its file with "
            "<code>--evidence</code>."
        )
    elif claims and not drawn:
        told.append(
            "There are no figures, since matplotlib was not installed where this "
            "page was made. <code>pip install 'keras-lr[plot]'</code> brings it."
        )
    return "".join(f'<p class="notice">{line}</p>' for line in told)


def _embedded(data: object) -> str:
    """JSON that cannot end the ``script`` element it stands in."""
    written = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return written.replace("<", "\\u003c")


def _digest(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"


def _file(name: str) -> str:
    return (files("glossary") / name).read_text(encoding="utf-8")
