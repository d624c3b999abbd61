"""The scripts of examples/distributed, each started by one command as a user does."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import keras
import pytest

pytestmark = pytest.mark.backend

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "examples/distributed"
#: Seconds after which one has hung: a quiet machine needs ten.
TIMEOUT = 500

BACKENDS = {
    "jax_data_parallel": "jax",
    "jax_model_parallel": "jax",
    "jax_processes": "jax",
    "tensorflow_mirrored": "tensorflow",
    "torch_all_reduce": "torch",
    "torch_ddp": "torch",
}
#: Run by make test; make distributed runs all.
FAST = {"tensorflow_mirrored", "torch_ddp"}
HERE = [name for name, of in BACKENDS.items() if of == keras.backend.backend()]
SCRIPTS = [
    pytest.param(name, marks=[] if name in FAST else pytest.mark.slow) for name in HERE
]


def lines_of(name: str) -> dict[str, str]:
    """What a script prints, by the words that its lines begin with."""
    given = {name: value for name, value in os.environ.items() if name != "XLA_FLAGS"}
    paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
    done = subprocess.run(
        [sys.executable, str(FOLDER / f"{name}.py")],
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        env={**given, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    pairs = [re.split(r" {2,}", line, maxsplit=1) for line in done.stdout.splitlines()]
    return {pair[0]: pair[1] for pair in pairs if len(pair) == 2}


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_finds_one_rate_everywhere_and_learns_the_digits(name):
    shown = lines_of(name)
    assert float(shown["accuracy"].rstrip("%")) > 90
    if "weights" not in shown:
        first, second = shown["rate found"].split(", ")
        assert first == second
        assert shown["rates, weights"] == "the same in all"
        return
    alone, together = map(float, re.findall(r"\d\.\d+", shown["rates found"]))
    assert together == pytest.approx(alone, rel=0.3)
    assert shown["rates of fit"] == "the same"
    assert float(shown["weights"].split()[2]) < 1e-4


def test_every_script_is_run():
    assert {path.stem for path in FOLDER.glob("*.py")} == set(BACKENDS)
