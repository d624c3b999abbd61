"""The faults of Keras that this package works around are there as documented."""

from __future__ import annotations

import runpy
import sys
import warnings
from pathlib import Path

import keras
import pytest

pytestmark = pytest.mark.backend

FOLDER = Path(__file__).parents[1] / "docs" / "upstream"
EVERY = ("tensorflow", "jax", "torch")
#: On which backends a fault is tried here; some are on more.
FAULTS = {
    "average_after_failure": ("jax",),
    "failed_fit": EVERY,
    "interrupted_first_step": ("jax",),
    "swapped_schedule": ("tensorflow", "jax"),
    "torn_backup": ("jax",),
    "truncated_normal": ("torch",),
    "unknown_length": ("tensorflow",),
}
HERE = [
    name for name, backends in FAULTS.items() if keras.backend.backend() in backends
]


def what_could_go(page):
    """What a page says that can be deleted once the fault is mended."""
    return page.partition("## What could go here\n")[2].partition("\n## ")[0].strip()


def test_every_fault_has_a_reproduction_a_page_and_a_line():
    scripts = {path.stem for path in FOLDER.glob("*.py")}
    pages = {path.stem for path in FOLDER.glob("*.md")} - {"index"}
    assert scripts == pages == set(FAULTS)
    index = (FOLDER / "index.md").read_text("utf-8")
    for name in FAULTS:
        assert f"({name}.md)" in index
        page = (FOLDER / f"{name}.md").read_text("utf-8")
        assert what_could_go(page)
        assert "```diff" in page


@pytest.mark.parametrize("name", HERE)
def test_a_fault_that_is_worked_around_is_still_there(name, monkeypatch, capsys):
    script = FOLDER / f"{name}.py"
    monkeypatch.setattr(sys, "argv", [str(script)])
    # What Keras warns of on the way is not what this is about.
    warnings.simplefilter("ignore")
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(script), run_name="__main__")
    said = capsys.readouterr().out
    page = (FOLDER / f"{name}.md").read_text("utf-8")
    assert ended.value.code == 0, (
        f"Keras {keras.__version__} has mended {name} on {keras.backend.backend()}: "
        f"{said}\nWhat could go here:\n{what_could_go(page)}"
    )
    assert "The fault is there." in said
