"""An environment for a corner: made once, or what it cannot be made of."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.matrix.corners import NEWEST, NIGHTLY, TOOLS, Corner

ROOT = Path(__file__).parents[2]
KEPT = ROOT / ".matrix"
#: A wheel of TensorFlow may take its time.
MINUTES_TO_INSTALL = 20
#: What uv calls the settings of pip: it reads none of pip's own.
AS_UV_SAYS = {
    "PIP_INDEX_URL": "UV_DEFAULT_INDEX",
    "PIP_EXTRA_INDEX_URL": "UV_INDEX",
    "PIP_FIND_LINKS": "UV_FIND_LINKS",
}
NO_SUCH_VERSION = re.compile(r"there is no version of (?P<requirement>\S+)")


class NotToBeHad(Exception):
    """A corner whose Python or packages are not to be had on this machine."""


@dataclass(frozen=True)
class Environment:
    """A virtual environment with a corner's versions in it."""

    folder: Path

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / "bin" / "python"

    def versions(self) -> dict[str, str]:
        """Of Python and of all that is installed, by name."""
        code = "import platform; print(platform.python_version())"
        asked = subprocess.run(
            [self.python, "-c", code], capture_output=True, text=True, check=True
        )
        listed = _uv("pip", "list", "--format", "json", "--python", str(self.folder))
        packages = {one["name"]: one["version"] for one in json.loads(listed.stdout)}
        return {"python": asked.stdout.strip(), **packages}

    def disagreements(self) -> str:
        """Requirements that are not met, in one line; empty if all are."""
        checked = _uv("pip", "check", "--python", str(self.folder))
        return "" if checked.returncode == 0 else reason_of(checked.stderr)


def environment(corner: Corner) -> Environment:
    """The corner's environment, made if it is not there as it should be.

    Raises:
        NotToBeHad: If there is no such Python, or no such packages.
    """
    made = Environment(KEPT / corner.name)
    stamp = made.folder / "made-of.json"
    wanted = json.dumps([corner.python, requirements(corner)])
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return made
    shutil.rmtree(made.folder, ignore_errors=True)
    base = interpreter(corner.python)
    try:
        _ask("venv", "--quiet", "--python", base, str(made.folder))
    except NotToBeHad:
        reason = f"no Python {corner.python}, and uv could not fetch one"
        raise NotToBeHad(reason) from None
    _install(made, *requirements(corner))
    if corner.keras == NIGHTLY:
        # The nightly has a name of its own and the same files; what it needs is what
        # the release needs, which the engine may ask for as well.
        _ask("pip", "uninstall", "--quiet", "--python", str(made.folder), "keras")
        _install(made, "--no-deps", "--prerelease", "allow", "keras-nightly")
    _install(made, "--no-deps", "--editable", str(ROOT))
    stamp.write_text(wanted, encoding="utf-8")
    return made


def requirements(corner: Corner) -> list[str]:
    """What is asked for at once."""
    engine = corner.engine
    keras = "keras" if corner.keras == NIGHTLY else f"keras=={corner.keras}"
    numpy = "numpy" if corner.numpy == NEWEST else f"numpy=={corner.numpy}"
    exact = f"{engine.distribution}=={engine.version}"
    return [keras, numpy, exact, *corner.extras, *TOOLS]


def interpreter(version: str) -> str:
    """The newest Python of that version in pyenv, or else the version for uv to find.

    The shims that pyenv puts on PATH refuse to run versions that are not chosen, so
    that uv does not see them.
    """
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    there = pyenv.glob(f"versions/{version}.*/bin/python{version}")
    newest_last = sorted(there, key=lambda path: _numbers(path.parts[-3]))
    return str(newest_last[-1]) if newest_last else version


def settings(variables: Mapping[str, str]) -> dict[str, str]:
    """The environment for uv, with what pip has been told of indexes."""
    told = {
        theirs: variables[ours]
        for ours, theirs in AS_UV_SAYS.items()
        if ours in variables and theirs not in variables
    }
    return {**variables, **told}


def reason_of(log: str) -> str:
    """What uv says of a failure, in a line of readable length."""
    text = " ".join(log.split())
    missing = NO_SUCH_VERSION.search(text)
    if missing:
        return f"no {missing['requirement']} at the indexes that pip knows"
    return text[:160]


def _install(made: Environment, *wanted: str) -> None:
    _ask("pip", "install", "--quiet", "--python", str(made.folder), *wanted)


def _ask(*arguments: str) -> None:
    try:
        ran = _uv(*arguments)
    except subprocess.TimeoutExpired:
        reason = f"uv took more than {MINUTES_TO_INSTALL} minutes"
        raise NotToBeHad(reason) from None
    if ran.returncode != 0:
        raise NotToBeHad(reason_of(ran.stderr))


def _uv(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "uv", *arguments],
        env=settings(os.environ),
        capture_output=True,
        text=True,
        timeout=MINUTES_TO_INSTALL * 60,
    )


def _numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".") if part.isdigit()]
