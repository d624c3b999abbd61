"""Groups 6 and 7: links to API objects, and plug-ins.

Only ``E602``, ``E603`` and ``W601`` import anything: packages that an installed term
names. Demos are looked up in their files, since what they need may be missing.
"""

from __future__ import annotations

import ast
import importlib
import re
from functools import cache
from importlib import util
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from glossary.model import Term
    from glossary.read.checks import Finding
    from glossary.read.validate import Catalog

_DOTTED = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+", re.ASCII)


def name_form(term: Term, catalog: Catalog) -> Iterator[Finding]:
    """API link is not a dotted name."""
    for number, name in enumerate(term.api):
        if not _DOTTED.fullmatch(name):
            yield f"api[{number}]", name


def object_missing(term: Term, catalog: Catalog) -> Iterator[Finding]:
    """API object does not exist in the package that is installed."""
    for number, name in enumerate(term.api):
        if _DOTTED.fullmatch(name) and _package(name) and not _exists(name):
            yield f"api[{number}]", name


def demo_missing(term: Term, catalog: Catalog) -> Iterator[Finding]:
    """Demo of the claim is not a function of a module that is installed."""
    for number, claim in enumerate(term.claims):
        module, _, name = claim.demo.partition(":")
        if name and not _defines(module, name):
            yield f"claims[{number}].demo", claim.demo


def package_missing(term: Term, catalog: Catalog) -> Iterator[Finding]:
    """Package of the API link cannot be imported, so the link was not checked."""
    for number, name in enumerate(term.api):
        if _DOTTED.fullmatch(name) and not _package(name):
            first = next(t for t in catalog.terms if _mentions(t, name))
            if first is term:  # once for each package is enough
                yield f"api[{number}]", name
                return


def plugin_missing(record: object) -> Iterator[Finding]:
    """Package of the plug-in cannot be found."""
    yield from ()  # found while loading, before there is a term


def plugin_empty(record: object) -> Iterator[Finding]:
    """Folder of the plug-in holds no file of terms."""
    yield from ()  # found while loading, before there is a term


@cache
def _package(name: str) -> object:
    """The top-level package of a dotted name, or None if it cannot be imported."""
    top = name.partition(".")[0]
    try:
        return importlib.import_module(top) if util.find_spec(top) else None
    except Exception:  # whatever a package does on import, the check goes on
        return None


def _defines(module: str, name: str) -> bool:
    try:
        spec = util.find_spec(module)
    except (ImportError, ValueError):
        return False
    if spec is None or not spec.origin or not spec.origin.endswith(".py"):
        return False
    body = ast.parse(Path(spec.origin).read_bytes()).body
    defined = {node.name for node in body if isinstance(node, ast.FunctionDef)}
    for node in body:
        if isinstance(node, ast.ImportFrom):
            defined |= {alias.asname or alias.name for alias in node.names}
    return name in defined


def _mentions(term: Term, name: str) -> bool:
    """Whether an API link of the term leads into the same package."""
    top = name.partition(".")[0]
    return any(other.partition(".")[0] == top for other in term.api)


def _exists(name: str) -> bool:
    parts = name.split(".")
    found = _package(name)
    for place, part in enumerate(parts[1:], 2):
        if not hasattr(found, part):
            try:
                importlib.import_module(".".join(parts[:place]))
            except ImportError:
                return False
        found = getattr(found, part, None)
    return found is not None
