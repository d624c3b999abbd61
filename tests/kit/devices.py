"""Modules that run on several devices of this machine, in a process of their own.

XLA must be told of the devices before Keras starts.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def assert_exact_on_several_devices(module: str) -> None:
    """Run a module, whose last word is that all was exact."""
    flags = {"XLA_FLAGS": "--xla_force_host_platform_device_count=4"}
    done = subprocess.run(
        [sys.executable, "-m", module],
        capture_output=True,
        check=False,
        text=True,
        env={**os.environ, **flags},
        cwd=ROOT,
    )
    assert done.stdout.endswith("exact\n"), done.stdout + done.stderr
