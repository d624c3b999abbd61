"""An archive in an environment of its own, and commands that are run in it."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.packaging.archives import ROOT

#: Long enough for a registry in a bad mood.
SECONDS_AT_MOST = 600


@dataclass(frozen=True)
class Installation:
    """A virtual environment in which nothing but an archive was asked for."""

    folder: Path

    def run(self, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A command of the environment, away from the working tree.

        Nothing of the caller's leads to its own packages, nor to a backend.
        """
        variables = dict(os.environ)
        for name in ("PYTHONPATH", "KERAS_BACKEND", "VIRTUAL_ENV"):
            variables.pop(name, None)
        return subprocess.run(
            [self.folder / "bin" / command, *arguments],
            cwd=self.folder,
            env={**variables, "KERAS_HOME": str(self.folder / "keras")},
            capture_output=True,
            text=True,
            timeout=SECONDS_AT_MOST,
        )

    def answer(self, command: str, *arguments: str) -> str:
        """The same, of a command that must succeed."""
        ran = self.run(command, *arguments)
        if ran.returncode != 0:
            shown = f"{command} {' '.join(arguments)} ended with {ran.returncode}"
            raise RuntimeError(f"{shown}:\n{ran.stdout[-2000:]}\n{ran.stderr[-2000:]}")
        return ran.stdout

    def python(self, code: str) -> str:
        """What a program prints."""
        return self.answer("python", "-c", code).strip()

    def install(self, *wanted: str) -> None:
        """Add to it, of the versions that CI runs."""
        quietly = ("--quiet", "--no-compile", "--disable-pip-version-check")
        constraints = ("-c", str(ROOT / "constraints.txt"))
        self.answer("python", "-m", "pip", "install", *quietly, *constraints, *wanted)

    def packages(self) -> set[str]:
        """The names on the first floor of its site-packages."""
        (site,) = self.folder.glob("lib/python*/site-packages")
        return {path.name for path in site.iterdir()}


def installation(folder: Path, archive: Path) -> Installation:
    """A new environment with the archive, and what it requires, in it."""
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    made = Installation(folder)
    made.install(str(archive))
    return made
