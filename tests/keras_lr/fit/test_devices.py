from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import keras
import pytest

pytestmark = pytest.mark.backend

ROOT = Path(__file__).parents[3]


@pytest.mark.skipif(
    keras.backend.backend() == "torch", reason="Keras has no data parallelism on torch"
)
def test_rates_are_exact_on_several_devices():
    flags = {"XLA_FLAGS": "--xla_force_host_platform_device_count=4"}
    done = subprocess.run(
        [sys.executable, "-m", "tests.kit.several_devices"],
        capture_output=True,
        check=False,
        text=True,
        env={**os.environ, **flags},
        cwd=ROOT,
    )
    assert done.stdout.endswith("exact\n"), done.stderr
