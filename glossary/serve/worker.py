"""The process that runs one claim for `glossary.serve.app`.

``python -m glossary.serve.worker ID SIZE`` writes lines of JSON: ``done`` and ``of``
after each seed; at the end ``html``, the claim as it has just been measured, or
``error``.
"""

from __future__ import annotations

import contextlib
import json
import sys
from importlib.util import find_spec
from typing import TextIO

import glossary
from glossary.measure import running, svg
from glossary.model import Evidence
from glossary.show import html


def run(id: str, size: str, out: TextIO) -> None:
    """Measure a claim and draw it.

    Args:
        id: Of the claim.
        size: ``fast`` or ``full``.
        out: Where the lines go.
    """

    def tell(**told: object) -> None:
        print(json.dumps(told), file=out, flush=True)

    term = glossary.term(id.partition("/")[0])
    claim = next(claim for claim in term.claims if claim.id == id)
    try:
        evidence = running.check(
            claim, size, tell=lambda done, of: tell(done=done, of=of)
        )
        drawn = _drawn(evidence)
    except Exception as error:  # whatever a demo raises is told to who asked for it
        tell(error=f"{type(error).__name__}: {error}")
        return
    shown = html.measured_article(claim, term, evidence, drawn)
    tell(html=shown, verdict=evidence.verdict)


def _drawn(evidence: Evidence) -> tuple[str, ...]:
    if find_spec("matplotlib") is None:
        return ()  # the page then shows the sentence and the numbers
    from glossary.measure import recording  # matplotlib is an extra

    return svg.parts(recording.picture(evidence))


if __name__ == "__main__":
    with contextlib.redirect_stdout(sys.stderr):  # a demo may print
        run(*sys.argv[1:], out=sys.__stdout__)  # type: ignore[misc, arg-type]
