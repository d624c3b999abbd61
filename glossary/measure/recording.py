"""Evidence and its picture into the folder of a package."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from glossary.measure import drawing, recorded, svg
from glossary.model import Evidence


def record(folder: Path, evidences: Sequence[Evidence]) -> None:
    """Write evidence, one line a claim, and draw each picture once.

    Args:
        folder: The package's folder, in which ``terms`` lies.
        evidences: What was measured.
    """
    recorded.write(folder, evidences)
    for evidence in evidences:
        path = recorded.figure_path(folder, evidence.claim.id)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(picture(evidence), "utf-8")


def picture(evidence: Evidence) -> str:
    """The picture of evidence as one ``svg`` element for a page."""
    figure = drawing.draw(evidence, words=False)
    return svg.svg(figure, evidence.claim.id.replace("/", "-"), evidence.seen)
