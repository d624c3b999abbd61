"""Evidence in files: one line of JSON a claim, one file a term.

They lie beside the folder of terms: ``evidence/adam.jsonl`` belongs to
``terms/adam.toml``, and ``figures/adam/bound.svg`` is the picture of a claim. A line is
evidence of a claim only while the claim's content is the one that was measured.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from glossary.model import Claim, Evidence, plain
from glossary.pictures import Bars, Control, Lines, Measurement

_DIGITS = 5  # of the numbers in pictures: more than an eye can see
_LARGEST = 10**300  # an int beyond is no float


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
            for line in _lines(path):
                if name not in line:  # a line may have 10 kB: read only the claim's own
                    continue
                record = json.loads(line)
                if record["claim"] == claim.id and record["content"] == claim.content:
                    return decode(record, claim)
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
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
        before = {_claim_of(line): line for line in _lines(path)}
        kept = {name: line for name, line in before.items() if name} | lines
        replace(path, "\n".join(kept[name] for name in sorted(kept)) + "\n")


def replace(path: Path, text: str) -> None:
    """Write a file in one go: where the disk is full, the former one stays."""
    part = path.with_name(f"{path.name}.part")
    try:
        part.write_text(text, "utf-8")
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def _lines(path: Path) -> list[str]:
    """The lines of a file; none where there is none."""
    if not path.is_file():
        return []
    # Not `splitlines`, which splits at marks that JSON may have in a text as well.
    return [line for line in path.read_text("utf-8").split("\n") if line]


def _claim_of(line: str) -> str:
    """The id of the claim that a line is about; empty where it is torn."""
    try:
        return str(json.loads(line)["claim"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""


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
    """What `encode` wrote, of the claim that it is about.

    Raises:
        ValueError: If it is not that, as where somebody has changed the file.
    """
    _check(record)
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


def _check(record: dict[str, Any]) -> None:
    """Raise ValueError unless a line has what `encode` writes."""
    seeds = record.get("seeds")
    count = len(seeds) if isinstance(seeds, list) else 0
    unmet = record.get("unmet")
    rules = {
        "seeds": count > 0 and _all(seeds, _is_int),
        "by_seed": _all(record.get("by_seed"), _is_number, count),
        "unmet": unmet == [] or _all(unmet, _is_text, count),
        "seen": _is_text(record.get("seen")),
        "panels": _all(record.get("panels"), lambda panel: _is_panel(panel, count)),
        "seconds": _is_finite(record.get("seconds")),
        "versions": _all_named(record.get("versions"), _is_text),
    }
    wrong = [name for name, is_kept in rules.items() if not is_kept]
    if wrong:
        raise ValueError(
            "A line of evidence must have what `--record` writes. Received: another "
            f"{' and '.join(wrong)}. Measure the claim again."
        )


def _is_panel(panel: Any, count: int) -> bool:
    """Whether it is a picture, with a row of numbers for each of so many seeds."""
    if not isinstance(panel, dict):
        return False
    words = [panel.get(name) for name in ("title", "y_label", "x_label", "log")]
    x = panel.get("x")
    has_places = _all(panel.get("labels"), _is_text) or (
        "labels" not in panel and (_all(x, _is_row, 1) or _all(x, _is_row, count))
    )
    return (
        has_places
        and _all(words, _is_text)
        and _all_named(panel.get("ys"), lambda rows: _all(rows, _is_row, count))
        and _all_named(panel.get("marks"), _is_number)
    )


def _all(values: Any, is_kind: Callable[[Any], bool], count: int | None = None) -> bool:
    """Whether it is a list of one kind, with so many items if that is said."""
    is_list = isinstance(values, list) and count in (None, len(values))
    return is_list and all(map(is_kind, values))


def _all_named(values: Any, is_kind: Callable[[Any], bool]) -> bool:
    return isinstance(values, dict) and all(map(is_kind, values.values()))


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_row(values: Any) -> bool:
    return _all(values, _is_number)


def _is_number(value: Any) -> bool:
    """Whether it is a number, or the text of one that is not finite."""
    return value in ("nan", "inf", "-inf") or _is_finite(value)


def _is_finite(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return _is_int(value) and abs(value) < _LARGEST


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
