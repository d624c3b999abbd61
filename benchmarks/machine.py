"""What a run was made with: versions and the machine, without anybody's names."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = (
    *("keras", "tensorflow", "jax", "torch", "numpy", "scikit-learn"),
    *("optax", "optuna", "wn", "keras-lr"),
)
#: The same package under another name.
OTHER_NAMES = {"tensorflow": ("tensorflow-cpu", "tensorflow-macos")}
#: Commands that come with the driver of a GPU.
DRIVERS = ("nvidia-smi", "rocm-smi")


@dataclass(frozen=True)
class Machine:
    """What a run was made with.

    Attributes:
        processor: Its model.
        cores: That this process may use.
        system: Such as ``"Linux, Python 3.11.7"``.
        versions: By package; those that are not installed are left out.
        threads: What the environment says of them.
    """

    processor: str
    cores: int
    system: str
    versions: Mapping[str, str]
    threads: str


def this_machine() -> Machine:
    """The one that this runs on."""
    return Machine(
        processor=processor(),
        cores=cores(),
        system=f"{platform.system()}, Python {platform.python_version()}",
        versions={
            package: number for package in PACKAGES if (number := version_of(package))
        },
        threads=os.environ.get("OMP_NUM_THREADS", "not set"),
    )


def version_of(package: str) -> str:
    """Of an installed package; empty where it is not."""
    for name in (package, *OTHER_NAMES.get(package, ())):
        try:
            return version(name)
        except PackageNotFoundError:
            continue
    return ""


def processor() -> str:
    """Model of the processor, as far as the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    models = [line.split(": ")[1] for line in lines if line.startswith("model name")]
    return models[0] if models else platform.machine()


def cores() -> int:
    """How many processors may be used."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def load() -> str:
    """How many processes wanted the processor in the last minute."""
    try:
        return f"{os.getloadavg()[0]:.1f}"
    except OSError:
        return "unknown"


def gpu_driver() -> bool:
    """Whether a GPU may be at hand; what a backend can use, it says itself."""
    return any(shutil.which(command) for command in DRIVERS)
