"""Records that keep every rule, and plug-ins that are installed for one test."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest

import glossary
from glossary import store
from glossary.read import load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

RECORD = {
    "id": "dropout",
    "name": "dropout",
    "category": "regularization",
    "level": "beginner",
    "summary": "Dropout switches off random units during training.",
    "definition": "Each unit is kept with a fixed probability.",
    "aliases": ["drop out of units"],
    "acronyms": ["DO"],
    "misspellings": ["droput"],
    "formula": {
        "latex": r"y = \frac{m x}{p}",
        "expression": "mask * x / keep",
        "symbols": [
            {"name": "mask", "latex": "m", "meaning": "1 if the unit is kept, else 0"},
            {"name": "x", "meaning": "output of the unit"},
            {"name": "keep", "latex": "p", "meaning": "probability of keeping a unit"},
        ],
    },
    "example": {
        "text": "Kept with probability 0.5, an output of 3 becomes 6.",
        "values": {"mask": 1, "x": 3, "keep": 0.5},
        "result": 6,
    },
    "see": {"narrower": ["spatial dropout"]},
    "relations": {"related": ["weight-decay"]},
    "references": [
        {
            "title": "Improving neural networks",
            "author": "Hinton",
            "year": 2012,
            "arxiv": "1207.0580",
        }
    ],
    "api": ["json.dumps"],
    "claims": [
        {
            "id": "dropout/keeps-the-mean",
            "sentence": "Dropout keeps the mean of an output.",
            "quantity": "relative difference of the means",
            "comparison": "between",
            "threshold": [-0.05, 0.05],
            "reference": "arXiv:1207.0580",
            "contested": True,
            "expected": "inconclusive",
            "demo": "json.tool:main",
        }
    ],
}
OTHER = {
    "id": "weight-decay",
    "name": "weight decay",
    "category": "regularization",
    "level": "beginner",
    "summary": "Weight decay shrinks all weights.",
    "definition": "At each update, by a small fraction.",
    "aliases": ["shrinkage"],
    "references": [{"title": "T", "author": "A", "year": 1992, "doi": "10.1000/x"}],
}


@pytest.fixture
def record() -> dict[str, Any]:
    return copy.deepcopy(RECORD)


@pytest.fixture
def other() -> dict[str, Any]:
    return copy.deepcopy(OTHER)


@pytest.fixture
def fresh(record: dict[str, Any]) -> dict[str, Any]:
    """A record that collides with nothing that is installed."""
    names = {"id": "fresh", "name": "fresh term", "aliases": ["newly made word"]}
    for key in ("acronyms", "misspellings", "claims", "see"):
        del record[key]
    return record | names


@pytest.fixture
def fresh_caches() -> Iterator[None]:
    def clear() -> None:
        for cached in (load.installed, store._installed):
            cached.cache_clear()
        glossary._installed.cache_clear()

    clear()
    yield
    clear()


@pytest.fixture
def install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fresh_caches: None
) -> Callable[..., Path]:
    """Puts a distribution with an entry point on the path, as pip would."""

    def install(name: str, value: str, *records: dict[str, Any]) -> Path:
        info = tmp_path / f"{name}-2.5.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {name}\nVersion: 2.5\n"
        )
        (info / "entry_points.txt").write_text(f"[glossary.terms]\n{name} = {value}\n")
        folder = tmp_path.joinpath(*value.split("."))
        folder.mkdir(parents=True)
        package = tmp_path / value.split(".")[0]
        (package / "__init__.py").write_text("raise SystemExit('imported')\n")
        for number, record in enumerate(records):
            (folder / f"{number}.json").write_text(json.dumps(record))
        monkeypatch.syspath_prepend(str(tmp_path))
        return folder

    return install
