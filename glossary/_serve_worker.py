"""The process that runs one claim for `glossary serve`, and tells how it goes.

``python -m glossary._serve_worker ID SIZE`` writes lines of JSON, as
`glossary._serve_run` reads them.
"""

from __future__ import annotations

import contextlib
import json
import sys
from typing import TYPE_CHECKING

import glossary
from glossary import _page_html, page
from glossary.evidence import check

if TYPE_CHECKING:
    from typing import TextIO


def run(id: str, size: str, out: TextIO) -> None:
    """Measure a claim and draw it.

    Args:
        id: Of the claim.
        size: ``fast`` or ``full``.
        out: Where the lines go.
    """

    def tell(**told: object) -> None:
        print(json.dumps(told), file=out, flush=True)

    [(claim, term)] = [
        (claim, term)
        for term in glossary.terms()
        for claim in term.claims
        if claim.id == id
    ]
    try:
        found = check(claim, size, tell=lambda done, of: tell(done=done, of=of))
    except Exception as error:  # whatever a demo raises is told to who asked for it
        tell(error=f"{type(error).__name__}: {error}")
        return
    drawn = page.draw([claim], {claim.id: found}).get(claim.id, "")
    html = _page_html.article(claim, term, found, drawn, runs=True)
    tell(html=html, verdict=found.verdict)


if __name__ == "__main__":
    with contextlib.redirect_stdout(sys.stderr):  # a demo may print
        run(*sys.argv[1:], out=sys.__stdout__)  # type: ignore[misc, arg-type]
