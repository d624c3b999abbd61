from __future__ import annotations

import importlib.util
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]


def house():
    spec = importlib.util.spec_from_file_location("house", ROOT / "docs" / "house.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_map_is_that_of_the_code_and_its_contracts():
    page = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    assert house().with_map(page) == page, "run: python docs/house.py"


def test_the_map_names_all_floors_from_the_top_down():
    shown = house().drawn()
    places = [shown.index(f"\n  {name}/") for name in ("finder", "fit", "plan")]
    assert places == sorted(places)
    assert "keras_names.py" in shown


def test_each_target_that_the_pages_name_is_there_and_explained():
    pages = [
        ROOT / "CONTRIBUTING.md",
        ROOT / "README.md",
        *(ROOT / "docs").rglob("*.md"),
    ]
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for page in pages:
        for target in re.findall(r"`make ([a-z-]+)", page.read_text("utf-8")):
            of_backend = target.startswith("test-")
            explained = re.search(rf"^#   make {target}\b", makefile, re.MULTILINE)
            assert explained or of_backend, (page.name, target)
