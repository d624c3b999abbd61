"""The bounds that pyproject.toml states, and the corners that show them."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass

from tests.matrix.corners import CORNERS, NIGHTLY, Corner

ENGINES = ("tensorflow", "jax", "torch")
REQUIREMENT = re.compile(r"(?P<name>[a-z][a-z0-9-]*)(?P<bounds>[<>=0-9.,]+)")
BOUND = re.compile(r"(?P<rule>>=|<)(?P<version>[0-9.]+)")


@dataclass(frozen=True)
class Bound:
    """One bound, as in ``keras`` ``>=`` ``3.12``."""

    name: str
    rule: str
    version: str

    def __str__(self) -> str:
        """As it is written in pyproject.toml."""
        return f"{self.name}{self.rule}{self.version}"


def bounds(pyproject: str) -> list[Bound]:
    """Those of Python, of the requirements, and of the engines."""
    project = tomllib.loads(pyproject)["project"]
    extras = project["optional-dependencies"]
    requirements = [f"python{project['requires-python']}", *project["dependencies"]]
    for engine in ENGINES:
        requirements += extras[engine]
    return [bound for written in requirements for bound in _bounds_of(written)]


def bounds_of_extras(pyproject: str, names: Iterable[str]) -> list[Bound]:
    """Those of other extras."""
    extras = tomllib.loads(pyproject)["project"]["optional-dependencies"]
    written = {one for name in names for one in extras[name]}
    return [bound for one in sorted(written) for bound in _bounds_of(one)]


def shown_by(bound: Bound, corners: Iterable[Corner] = CORNERS) -> list[Corner]:
    """The corners that run at a lower bound, or right below an upper one."""
    return [
        corner
        for corner in corners
        for version in versions_of(corner, bound.name)
        if (_is_at if bound.rule == ">=" else _is_below)(version, bound.version)
    ]


def versions_of(corner: Corner, name: str) -> list[str]:
    """What a corner asks for of that name, without what a build adds."""
    asked = {
        "python": corner.python,
        "keras": corner.keras,
        "numpy": corner.numpy,
        corner.engine.backend: corner.engine.version.split("+")[0],
        **dict(one.split("==") for one in corner.extras),
    }
    return [asked[name]] if name in asked else []


def _is_at(version: str, bound: str) -> bool:
    """Whether 3.12.0 is what 3.12 begins with."""
    return _numbers(version) == _numbers(bound)


def _is_below(version: str, bound: str) -> bool:
    """Whether 3.15.1 is of the last minor version below 3.16."""
    if version == NIGHTLY:
        return False
    major, minor = _numbers(bound)[:2]
    return _numbers(version)[:2] == (major, minor - 1)


def _numbers(version: str) -> tuple[int, ...]:
    if not version[0].isdigit():
        return ()
    numbers = [int(number) for number in version.split(".")]
    return tuple(numbers + [0] * (3 - len(numbers)))


def _bounds_of(requirement: str) -> list[Bound]:
    written = REQUIREMENT.fullmatch(requirement)
    if written is None:
        raise ValueError(f"a requirement must have bounds. Received: {requirement!r}.")
    return [
        Bound(written["name"], one["rule"], one["version"])
        for one in BOUND.finditer(written["bounds"])
    ]
