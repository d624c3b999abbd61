"""Draws the map of the house in CONTRIBUTING.md, from the code and its contracts.

``python docs/house.py`` writes it anew; a test fails where the file has another one.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "CONTRIBUTING.md"
BEGIN = "<!-- The map: written by docs/house.py. -->\n\n```\n"
END = "```\n\n<!-- The end of the map. -->"
#: The contract that says which floor stands on which, and what its package is called.
FLOORS = {
    "keras_lr": "Each floor stands on those below it",
    "glossary": "Each room of the glossary stands on those below it, all of them on "
    "the data",
}
#: Rooms of many rooms alike, one for a library or a term: not named one by one.
ALIKE = {"demos", "interop", "checks"}
WIDTH = 26


def purpose(module: Path) -> str:
    """The first sentence of a module's docstring, of a folder's if it is one."""
    path = module / "__init__.py" if module.is_dir() else module
    docstring = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
    first = " ".join(docstring.split("\n\n")[0].split())
    return re.sub(r":\w+:|``", "", first)


def modules_in(folder: Path) -> list[Path]:
    """The modules and folders of Python in a folder, by name."""
    found = [path for path in folder.glob("*.py") if path.name != "__init__.py"]
    found += [path.parent for path in folder.glob("*/__init__.py")]
    return sorted(found, key=lambda path: path.stem)


def floors(package: str) -> list[str]:
    """The names of a package's floors, from the top one down."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    (layers,) = [
        contract["layers"]
        for contract in contracts
        if contract["name"] == FLOORS[package]
    ]
    names = [name for layer in layers for name in layer.split(" | ")]
    return [name.removeprefix(f"{package}.") for name in names]


def line(module: Path, depth: int) -> str:
    """A module, and what it is for."""
    name = module.name + ("/" if module.is_dir() else "")
    indented = "  " * depth + name
    return f"{indented:{WIDTH}} {purpose(module)}"


def lines(modules: Sequence[Path], depth: int) -> Iterator[str]:
    """Modules, each folder with what is in it."""
    for module in modules:
        yield line(module, depth)
        if module.is_dir() and module.name not in ALIKE:
            yield from lines(modules_in(module), depth + 1)


def drawn() -> str:
    """The map."""
    rows = []
    for package in FLOORS:
        folder = ROOT / package
        by_name = {path.stem: path for path in modules_in(folder)}
        names = [name for name in floors(package) if name in by_name]
        on_floors = [by_name[name] for name in names]
        beside = [path for name, path in by_name.items() if name not in names]
        rows += [line(folder, 0), "", "floors, each standing on those below:"]
        rows += lines(on_floors, 1)
        if beside:
            rows += ["", "beside them:"]
            rows += lines(beside, 1)
        rows.append("")
    return "\n".join(rows).rstrip() + "\n"


def with_map(page: str) -> str:
    """A page with the map as it is now between its marks."""
    head, rest = page.split(BEGIN)
    _, tail = rest.split(END)
    return head + BEGIN + drawn() + END + tail


if __name__ == "__main__":
    PAGE.write_text(with_map(PAGE.read_text("utf-8")), "utf-8")
