"""Terms with claims, and evidence for them, that the tests of the pages share."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import glossary
from glossary import Glossary
from glossary.measure import recording
from glossary.model import (
    Claim,
    Evidence,
    Example,
    Reference,
    Relation,
    See,
    Symbol,
    Term,
)
from glossary.pictures import Bars, Control, Lines, Measurement

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
    "{{ 7 * 7 }}"
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
    claim("unsure", expected="inconclusive", reference=""),
    claim("broken"),
    claim("unmeasured"),
)


def evidence(
    claim: Claim = CLAIMS[0],
    measured: float = -1.02,
    reason: str = "",
    panels: tuple[Lines | Bars, ...] = (),
    seen: str = "Both variances fall by ten where the batch grows by ten.",
    seeds: int = 10,
) -> Evidence:
    """What some seeds measured of a claim."""
    curves = Lines(
        x=[1, 10, 100],
        ys={"a": [1.0, 0.1, 0.01], "b": [2.0, 0.2, 0.02]},
        x_label="batch size (examples)",
        y_label="variance",
        log="xy",
    )
    controls = (Control(met=False, otherwise=reason),) if reason else ()
    runs = tuple(
        Measurement(
            measured=measured + 0.001 * seed,
            panels=panels or (curves,),
            seen=seen,
            controls=controls,
        )
        for seed in range(seeds)
    )
    return Evidence(
        claim=claim,
        runs=runs,
        seeds=tuple(range(seeds)),
        seconds=3.21,
        versions={"python": "3.11.2", "numpy": "2.4.0"},
    )


EVIDENCE = (
    evidence(CLAIMS[0]),
    evidence(CLAIMS[1], measured=1.0),
    evidence(CLAIMS[2], reason="The control diverged."),
    evidence(CLAIMS[3], measured=-0.5),
)


def terms(*more: Term) -> list[Term]:
    """The installed terms, of which one has the claims above, and no other any."""
    plain = [
        replace(
            term,
            claims=tuple(replace(claim, home=None) for claim in CLAIMS)
            if term.id == "batch-size"
            else (),
            home=None,
        )
        for term in glossary.terms()
    ]
    return list(Glossary.from_terms([*plain, *more]))


def record(folder: Path, *more: Evidence) -> Path:
    """A package in which the evidence is recorded, and drawn."""
    recording.record(folder, [*EVIDENCE, *more])
    return folder


def hostile_evidence() -> Evidence:
    """Evidence for the claim of the hostile term, just as bad."""
    curve = Lines(
        x=[1, 2], ys={HOSTILE: [1.0, 2.0]}, x_label=HOSTILE, y_label=HOSTILE,
        title=HOSTILE, marks={HOSTILE: 1.5},
    )  # fmt: skip
    found = evidence(
        hostile_term().claims[0], reason=HOSTILE, panels=(curve,), seen=HOSTILE
    )
    return replace(found, versions={HOSTILE: HOSTILE})


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
        see=(See(name=HOSTILE, kind="narrower"),),
        formula=glossary.Formula(
            latex=rf"\mathrm{{{HOSTILE}}}",
            expression="1",
            symbols=(Symbol(name=HOSTILE, meaning=HOSTILE, latex=HOSTILE),),
            note=HOSTILE,
        ),
        example=Example(text=HOSTILE, values={HOSTILE: [1.0]}, result=1.0),
        mistake=HOSTILE,
        relations=(Relation(kind="uses", target="adam"),),
        references=(
            Reference(
                title=HOSTILE,
                author=HOSTILE,
                year=2000,
                doi='10.1/"><script>window.hurt = 5</script>',
                section=HOSTILE,
            ),
            Reference(title="T", author="A", year=2000, arxiv="javascript:hurt=6"),
            Reference(title="U", author="A", year=2000, url="javascript:hurt=7"),
        ),
        api=(HOSTILE, f"keras.{HOSTILE}", "javascript:window.hurt=8"),
        claims=(
            Claim(
                id="evil/claim",
                sentence=HOSTILE,
                quantity=HOSTILE,
                comparison="<",
                threshold=1.0,
                conditions=HOSTILE,
                demo=HOSTILE,
            ),
        ),
    )
