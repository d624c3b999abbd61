"""A few points of what ``make faults`` tries, and that a fault would be counted."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import keras
import pytest

from keras_lr.fit.snapshot import Snapshot
from tests.faults import hooks, interrupts
from tests.faults.counting import ERROR, FAULT, WHOLE, Amounts, Outcome, faults, table
from tests.faults.states import model_of

ROOT = Path(__file__).parents[2]
BACKEND = keras.backend.backend()


def test_the_table_counts_by_kind_and_backend():
    outcomes = [Outcome("kill", "here", verdict) for verdict in (WHOLE, WHOLE, FAULT)]
    told = table({"jax": outcomes, "torch": [Outcome("kill", "there", ERROR)]})
    assert told.splitlines()[2:] == [
        "| kill | jax | 3 | 2 | 0 | 1 |",
        "| kill | torch | 1 | 0 | 1 | 0 |",
    ]
    assert [Outcome(**vars(one)) for one in outcomes] == outcomes
    assert len(faults(outcomes)) == 1


@pytest.mark.backend
def test_a_training_killed_at_random_moments_ends_as_if_it_had_not_been():
    command = [sys.executable, "-m", "tests.faults", "--only", "kills"]
    options = ["--kills", "2", "--seed", "1", "--backends", BACKEND]
    done = subprocess.run(
        [*command, *options], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"| {BACKEND} | 2 |" in done.stdout


@pytest.mark.backend
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_nothing_is_lost_by_an_interrupt_at_a_random_moment():
    outcomes = list(interrupts.try_all(Amounts(0, 3, 0), random.Random(1)))
    assert len(outcomes) == 3
    # In the middle of a step on JAX plain Keras loses the weights, too: docs/faults.md.
    ours = [one for one in faults(outcomes) if "Array has been deleted" not in one]
    assert not ours


@pytest.mark.backend
@pytest.mark.skipif(BACKEND != "torch", reason="what is counted is alike")
def test_a_sweep_that_did_not_give_back_would_be_counted(monkeypatch):
    monkeypatch.setattr(Snapshot, "restore", lambda self: None)
    generator = random.Random(1)
    outcome = hooks._try(model_of(), "on_epoch_end", True, True, generator)
    assert outcome.verdict == FAULT
    assert "kernel" in outcome.said
