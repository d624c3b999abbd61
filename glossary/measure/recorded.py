"""Evidence in files: one line of JSON a claim, one file a term.

They lie beside the folder of terms: ``evidence/adam.jsonl`` belongs to
``terms/adam.toml``, and ``figures/adam/bound.svg`` is the picture of a claim. A line is
evidence of a claim only while the claim's content is the one that was measured.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from glossary.model import Claim, Evidence, plain
from glossary.pictures import Bars, Control, Lines, Measurement

_DIGITS = 5  # of the numbers in pictures: more than an eye can see


def evidence_path(folder: Path, term: str) -> Path:
    """Where the evidence of a term lies, beside its folder of terms."""
    return folder / "evidence" / f"{term}.jsonl"


def figure_path(folder: Path, claim: str) -> Path:
    """Where the picture of a claim lies, beside its folder of terms."""
    return folder / "figures" / f"{claim}.svg"


def recorded(claim: Claim, folders: Iterable[Path]) -> Evidence | None:
    """The evidence of this very claim in the first folder that has it, or None."""
    term = claim.id.partition("/")[0]
    name = json.dumps(claim.id, ensure_ascii=False)
    for folder in folders:
        try:
            path = evidence_path(folder, term)
            lines = path.read_text("utf-8").splitlines() if path.is_file() else []
            for line in lines:
                if name not in line:  # a line may have 10 kB: read only the claim's own
                    continue
                record = json.loads(line)
                if record["claim"] == claim.id and record["content"] == claim.content:
                    return decode(record, claim)
        except (OSError, ValueError, KeyError, TypeError):
            continue  # a torn file of one package hides no evidence of another's
    return None


def recorded_figure(claim: str, folders: Iterable[Path]) -> str | None:
    """The picture of a claim as SVG, as it was drawn when evidence was recorded."""
    for folder in folders:
        path = figure_path(folder, claim)
        if path.is_file():
            return path.read_text("utf-8")
    return None


def write(folder: Path, evidences: Sequence[Evidence]) -> None:
    """Put evidence into its files; lines of other claims of the same terms stay.

    Args:
        folder: The package's folder, in which ``terms`` lies.
        evidences: In the order in which lines are to stand.
    """
    by_term: dict[str, dict[str, str]] = {}
    for evidence in evidences:
        term = evidence.claim.id.partition("/")[0]
        lines = by_term.setdefault(term, {})
        lines[evidence.claim.id] = encode(evidence)
    for term, lines in by_term.items():
        path = evidence_path(folder, term)
        path.parent.mkdir(parents=True, exist_ok=True)
        old = path.read_text("utf-8").splitlines() if path.is_file() else []
        before = {json.loads(line)["claim"]: line for line in old}
        kept = {**before, **lines}
        replace(path, "\n".join(kept[name] for name in sorted(kept)) + "\n")


def replace(path: Path, text: str) -> None:
    """Write a file in one go: where the disk is full, the former one stays."""
    part = path.with_name(f"{path.name}.part")
    try:
        part.write_text(text, "utf-8")
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def encode(evidence: Evidence) -> str:
    """One line: what all seeds share is written once."""
    first = evidence.runs[0]
    record = {
        "claim": evidence.claim.id,
        "content": evidence.claim.content,
        "verdict": evidence.verdict,  # for the eyes of a reviewer
        "measured": plain(evidence.measured),
        "by_seed": plain(evidence.by_seed),
        "seeds": list(evidence.seeds),
        "unmet": [run.reason for run in evidence.runs] if evidence.reason else [],
        "seen": first.seen,
        "panels": [
            _panel([run.panels[number] for run in evidence.runs])
            for number in range(len(first.panels))
        ],
        "seconds": evidence.seconds,
        "versions": dict(evidence.versions),
    }
    return json.dumps(record, ensure_ascii=False, separators=(",", ":"))


def decode(record: dict[str, Any], claim: Claim) -> Evidence:
    """What `encode` wrote, of the claim that it is about."""
    runs = []
    unmet = record["unmet"] or [""] * len(record["seeds"])
    for place, measured in enumerate(record["by_seed"]):
        controls = (Control(False, unmet[place]),) if unmet[place] else ()
        panels = tuple(_picture(panel, place) for panel in record["panels"])
        runs.append(
            Measurement(
                measured=float(measured),
                panels=panels,
                seen=record["seen"],
                controls=controls,
            )
        )
    return Evidence(
        claim=claim,
        runs=tuple(runs),
        seeds=tuple(record["seeds"]),
        seconds=record["seconds"],
        versions=record["versions"],
    )


def _panel(pictures: Sequence[Lines | Bars]) -> dict[str, Any]:
    first = pictures[0]
    shared: dict[str, Any] = {
        "title": first.title,
        "y_label": first.y_label,
        "x_label": first.x_label,
        "log": first.log,
        "marks": {name: _short(level) for name, level in first.marks.items()},
        "ys": {
            name: [[_short(value) for value in one.ys[name]] for one in pictures]
            for name in first.ys
        },
    }
    if isinstance(first, Bars):
        return {"labels": list(first.labels), **shared}
    xs = [[_short(v) for v in one.x] for one in pictures if isinstance(one, Lines)]
    same = all(x == xs[0] for x in xs)
    return {"x": xs[:1] if same else xs, **shared}


def _picture(panel: dict[str, Any], place: int) -> Lines | Bars:
    shared: dict[str, Any] = {
        "ys": {name: rows[place] for name, rows in panel["ys"].items()},
        "y_label": panel["y_label"],
        "x_label": panel["x_label"],
        "title": panel["title"],
        "log": panel["log"],
        "marks": panel["marks"],
    }
    if "labels" in panel:
        return Bars(labels=panel["labels"], **shared)
    xs = panel["x"]
    return Lines(x=xs[place] if len(xs) > 1 else xs[0], **shared)


def _short(value: float) -> float | str:
    """Rounded for the file; NaN, which JSON has no number for, as text."""
    if value != value:
        return "nan"
    return float(f"{value:.{_DIGITS}g}")
