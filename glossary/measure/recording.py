"""Evidence and its picture into the folder of a package.

``python -m glossary.measure.recording FOLDER ...`` draws all pictures anew.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from glossary.measure import drawing, recorded, svg
from glossary.model import Claim, Evidence
from glossary.read import load


def record(folder: Path, evidences: Sequence[Evidence]) -> None:
    """Write evidence, one line a claim, and draw each picture once.

    Args:
        folder: The package's folder, in which ``terms`` lies.
        evidences: What was measured.
    """
    recorded.write(folder, evidences)
    for evidence in evidences:
        _draw(folder, evidence)


def picture(evidence: Evidence) -> str:
    """The picture of evidence as one ``svg`` element for a page."""
    prefix = evidence.claim.id.replace("/", "-")
    return svg.svg(drawing.parts(evidence), prefix, evidence.seen)


def redraw(folder: Path, claims: Iterable[Claim]) -> int:
    """Draw the picture of each recorded claim anew, from its evidence.

    Args:
        folder: The package's folder, in which ``terms`` lies.
        claims: Those of its terms.

    Returns:
        How many were drawn.
    """
    drawn = 0
    for claim in claims:
        evidence = recorded.recorded(claim, [folder])
        if evidence is not None:
            _draw(folder, evidence)
            drawn += 1
    return drawn


def _draw(folder: Path, evidence: Evidence) -> None:
    path = recorded.figure_path(folder, evidence.claim.id)
    path.parent.mkdir(parents=True, exist_ok=True)
    recorded.replace(path, picture(evidence))


if __name__ == "__main__":
    every = [claim for term in load.installed() for claim in term.claims]
    for name in sys.argv[1:]:
        print(f"{redraw(Path(name), every)} figures in {name}")
