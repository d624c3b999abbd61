from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import keras
import pytest

pytestmark = pytest.mark.backend


@pytest.mark.skipif(
    keras.backend.backend() == "torch", reason="Keras has no data parallelism on torch"
)
def test_rates_are_exact_on_several_devices():
    flags = {"XLA_FLAGS": "--xla_force_host_platform_device_count=4"}
    done = subprocess.run(
        [sys.executable, str(Path(__file__).parent / "several_devices.py")],
        capture_output=True,
        check=False,
        text=True,
        env={**os.environ, **flags},
    )
    assert done.stdout.endswith("exact\n"), done.stderr
