"""Terms with claims, and evidence for them, that the tests of the page share."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import glossary
from glossary.evidence import Evidence
from glossary.model import Claim, Reference, Relation, Symbol, Term

#: The command line for ``python -c``. What a shell starts in the background ignores
#: Ctrl-C, and so do its children; this one does not.
HEARS_CTRL_C = """
import signal, sys
from glossary.__main__ import main
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.exit(main())
"""

HOSTILE = (
    "</script></title></svg><script>window.hurt = 1</script>"
    "<img src=x onerror='window.hurt = 2'>\"' onclick=\"window.hurt = 3\" &amp; ${x}"
)


def claim(slug: str, **changes: Any) -> Claim:
    plain = Claim(
        id=f"batch-size/{slug}",
        sentence="The variance of the batch gradient falls as one over the batch size.",
        quantity="slope of log variance over log batch size",
        comparison="between",
        threshold=(-1.1, -0.9),
        conditions="two-layer net on digits, batches drawn at random",
        reference="arXiv:1812.06162",
        demo="package.module:function",
    )
    return replace(plain, **changes)


CLAIMS = (
    claim("held"),
    claim("popular", expected="failed", contested=True, comparison=">=", threshold=2.0),
    claim("unsure", expected="inconclusive"),
    claim("broken"),
    claim("unmeasured"),
)


def evidence(claim: Claim = CLAIMS[0], **changes: Any) -> Evidence:
    """What ten seeds measured of a claim."""
    plain = Evidence(
        claim=claim.id,
        sentence=claim.sentence,
        quantity=claim.quantity,
        comparison=claim.comparison,
        threshold=claim.threshold,
        expected=claim.expected,
        verdict="held",
        measured=-1.02,
        margin=0.4,
        by_seed=tuple(-1.02 + 0.001 * seed for seed in range(10)),
        seeds=tuple(range(10)),
        reason="",
        data={"x": [[1, 10, 100]] * 10, "a": [[1.0, 0.1, 0.01]] * 10,
              "b": [[2.0, 0.2, 0.02]] * 10},
        drawing={"kind": "lines", "x": "x", "y": ["a", "b"], "log": "xy",
                 "x_label": "batch size (examples)", "y_label": "variance"},
        seconds=3.21,
        versions={"python": "3.11.2", "numpy": "2.4.0"},
    )  # fmt: skip
    return replace(plain, **changes)


EVIDENCE = {
    found.claim: found
    for found in (
        evidence(CLAIMS[0]),
        evidence(CLAIMS[1], verdict="failed", measured=1.0, margin=-0.5),
        evidence(CLAIMS[2], verdict="inconclusive", reason="The control diverged."),
        evidence(CLAIMS[3], verdict="failed", measured=-0.5, margin=-2.0),
    )
}


def hostile_evidence() -> Evidence:
    """Evidence for the claim of the hostile term, just as bad."""
    return evidence(
        hostile_term().claims[0],
        verdict=HOSTILE,
        reason=HOSTILE,
        versions={HOSTILE: HOSTILE},
        drawing={**evidence().drawing, "x_label": HOSTILE, "y_label": HOSTILE},
    )


def terms() -> list[Term]:
    """The installed terms, of which one has the claims above, and no other any."""
    return [
        replace(term, claims=CLAIMS if term.id == "batch-size" else ())
        for term in glossary.terms()
    ]


def hostile_term() -> Term:
    """A plug-in that tries to break out, everywhere it can say something."""
    return Term(
        id='evil"><b>',
        name=HOSTILE,
        category=HOSTILE,
        level=HOSTILE,
        source=HOSTILE,
        summary=HOSTILE,
        definition=f"{HOSTILE}\n\n{HOSTILE}",
        aliases=(HOSTILE,),
        acronyms=(HOSTILE,),
        misspellings=(HOSTILE,),
        formula=glossary.Formula(
            latex=rf"\mathrm{{{HOSTILE}}}",
            expression="1",
            symbols=(Symbol(name=HOSTILE, meaning=HOSTILE, latex=HOSTILE),),
        ),
        relations=(Relation(kind=HOSTILE, target="javascript:window.hurt=4"),),
        references=(
            Reference(
                title=HOSTILE,
                author=HOSTILE,
                year=2000,
                doi='10.1/"><script>window.hurt = 5</script>',
                section=HOSTILE,
            ),
            Reference(title="T", author="A", year=2000, arxiv="javascript:hurt=6"),
        ),
        api=(HOSTILE, f"keras.{HOSTILE}", "javascript:window.hurt=7"),
        claims=(
            Claim(
                id="evil/claim\"'><script>window.hurt = 8</script>",
                sentence=HOSTILE,
                quantity=HOSTILE,
                comparison="<",
                threshold=1.0,
                conditions=HOSTILE,
                expected=HOSTILE,
                demo=HOSTILE,
            ),
        ),
    )
