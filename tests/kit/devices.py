"""Modules that run on several devices of this machine, in a process of their own.

XLA must be told of the devices before Keras starts.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


#: What XLA says where devices wait for each other for good: on a machine with fewer
#: cores than devices its threads run out now and then, whatever the module does.
STUCK = "threads to join the rendezvous"
ATTEMPTS = 3


def assert_exact_on_several_devices(module: str, *arguments: str) -> None:
    """Run a module, whose last word is that all was exact."""
    for _ in range(ATTEMPTS):
        done = run_on_several_devices(module, *arguments)
        if STUCK not in done.stderr:
            break
    assert done.stdout.endswith("exact\n"), done.stdout + done.stderr


def run_on_several_devices(
    module: str, *arguments: str
) -> subprocess.CompletedProcess[str]:
    flags = {"XLA_FLAGS": "--xla_force_host_platform_device_count=4"}
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        capture_output=True,
        check=False,
        text=True,
        env={**os.environ, **flags},
        cwd=ROOT,
        # Devices that wait for each other in vain must not hang a test.
        timeout=900,
    )
