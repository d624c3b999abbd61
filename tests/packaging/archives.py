"""Wheel and sdist: built, and compared with the files that they are built of."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("keras_lr", "glossary")
LARGEST_WHEEL = 5_000_000
#: One of each kind of file without which an installation is not whole.
NEEDED = (
    "keras_lr/py.typed",
    "glossary/py.typed",
    "glossary/schema.json",
    "glossary/find/search.js",
    "glossary/show/templates/*.html*",
    "glossary/terms/*.toml",
    "glossary/evidence/*.jsonl",
    "glossary/figures/*/*.svg*",
    "keras_lr/terms/*.toml",
    "keras_lr/evidence/*.jsonl",
    "keras_lr/figures/*/*.svg*",
)
#: What an sdist has beside the packages: enough to run the tests from it.
BESIDE = ("tests", "docs", "examples", "benchmarks", "Makefile", "constraints.txt")


@dataclass(frozen=True)
class Archives:
    """A wheel and an sdist of the same files."""

    wheel: Path
    sdist: Path


def build(folder: Path) -> Archives:
    """Build both from this working tree, with the hatchling that is installed."""
    _build("--wheel", "--sdist", "--outdir", str(folder), str(ROOT))
    return Archives(_only(folder, "*.whl"), _only(folder, "*.tar.gz"))


def wheel_of(sdist: Path, folder: Path) -> Path:
    """The wheel that an sdist builds, unpacked into a folder."""
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    unpacked = folder / sdist.name.removesuffix(".tar.gz")
    built = folder / "built"
    _build("--wheel", "--outdir", str(built), str(unpacked))
    return _only(built, "*.whl")


def files_of_packages() -> set[str]:
    """The files of both packages, as they lie in the working tree."""
    return {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and path.parent.name != "__pycache__"
    }


def files_of_wheel(wheel: Path) -> dict[str, bytes]:
    """Names and contents."""
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def folders_of_sdist(sdist: Path) -> set[str]:
    """What lies on its first floor."""
    with tarfile.open(sdist) as archive:
        parts = [Path(name).parts for name in archive.getnames()]
    return {names[1] for names in parts if len(names) > 1}


def _build(*arguments: str) -> None:
    command = [sys.executable, "-m", "build", "--no-isolation", *arguments]
    ran = subprocess.run(command, capture_output=True, text=True)
    if ran.returncode != 0:
        raise RuntimeError(f"build failed:\n{ran.stdout[-2000:]}\n{ran.stderr[-2000:]}")


def _only(folder: Path, pattern: str) -> Path:
    (path,) = folder.glob(pattern)
    return path
