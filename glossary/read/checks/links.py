"""Group 6: links to API objects, and to the demos of claims.

Only `object_missing` and `package_missing` import anything: the packages that an
installed term names. Demos are looked up in their files, since what they need may be
missing.
"""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import util
from pathlib import Path

from glossary.extras import EXTRAS
from glossary.model import Term
from glossary.read.catalog import Catalog
from glossary.read.finding import Finding

_DOTTED = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+", re.ASCII)


def name_form(term: Term, catalog: Catalog) -> Iterator[Finding]:
    """API link is not a dotted name."""
    for number, name in enumerate(term.api):
        if not _DOTTED.fullmatch(name):
            yield Finding(f"api[{number}]", name)


def object_missing(term: Term, catalog: Catalog) -> Iterator[Finding]:
    """API object does not exist in the package that is installed."""
    for path, name in _links(term):
        if _package(name) and not _exists(name):
            yield Finding(path, name)


def package_missing(term: Term, catalog: Catalog) -> Iterator[Finding]:
    """Package of the API link cannot be imported, so the link was not checked."""
    for path, name in _links(term):
        if not _package(name) and not _wanted(name):
            first = next(t for t in catalog.terms if _mentions(t, name))
            if first is term:  # once for each package is enough
                yield Finding(path, name)
                return


def demo_missing(term: Term, catalog: Catalog) -> Iterator[Finding]:
    """Demo of the claim is not a function of a module that is installed."""
    for number, claim in enumerate(term.claims):
        module, _, name = claim.demo.partition(":")
        if name and not _defines(module, name):
            yield Finding(f"claims[{number}].demo", claim.demo)


def unchecked(terms: Iterable[Term]) -> dict[str, str]:
    """Packages whose links cannot be checked for want of an extra, and which it is.

    Args:
        terms: Installed terms; the packages that they link to are imported.
    """
    names = {name.partition(".")[0]: name for t in terms for _, name in _links(t)}
    return {
        package: EXTRAS[_wanted(name)]
        for package, name in sorted(names.items())
        if not _package(name) and _wanted(name)
    }


def _links(term: Term) -> Iterator[tuple[str, str]]:
    """The links that have the form of one, with their places."""
    for number, name in enumerate(term.api):
        if _DOTTED.fullmatch(name):
            yield f"api[{number}]", name


@cache
def _imported(top: str) -> tuple[object, str]:
    """A package, or None; and the package that it needs and that an extra brings."""
    try:
        return importlib.import_module(top), ""
    except ModuleNotFoundError as error:
        wanted = (error.name or "").partition(".")[0]
        return None, wanted if wanted in EXTRAS else ""
    except Exception:  # whatever a package does on import, the check goes on
        return None, ""


def _package(name: str) -> object:
    return _imported(name.partition(".")[0])[0]


def _wanted(name: str) -> str:
    return _imported(name.partition(".")[0])[1]


def _defines(module: str, name: str) -> bool:
    """Whether a module has a function, told by its file: nothing is imported."""
    path = _file(module)
    if path is None:
        return False
    body = ast.parse(path.read_bytes()).body
    defined = {node.name for node in body if isinstance(node, ast.FunctionDef)}
    for node in body:
        if isinstance(node, ast.ImportFrom):
            defined |= {alias.asname or alias.name for alias in node.names}
    return name in defined


def _file(module: str) -> Path | None:
    """The file of a module; `find_spec` would import the packages around it."""
    top, *inside = module.split(".")
    try:
        spec = util.find_spec(top)
    except (ImportError, ValueError):
        return None
    if spec is None:
        return None
    if not inside:
        origin = spec.origin or ""
        return Path(origin) if origin.endswith(".py") else None
    for root in spec.submodule_search_locations or ():
        path = Path(root, *inside)
        for file in (path.with_suffix(".py"), path / "__init__.py"):
            if file.is_file():
                return file
    return None


def _mentions(term: Term, name: str) -> bool:
    """Whether an API link of the term leads into the same package."""
    top = name.partition(".")[0]
    return any(other.partition(".")[0] == top for other in term.api)


def _exists(name: str) -> bool:
    parts = name.split(".")
    item = _package(name)
    for place, part in enumerate(parts[1:], 2):
        if not hasattr(item, part):
            try:
                importlib.import_module(".".join(parts[:place]))
            except ImportError:
                return False
        item = getattr(item, part, None)
    return item is not None
