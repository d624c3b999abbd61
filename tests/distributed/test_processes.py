"""Two processes that train one model, each with rows of its own."""

from __future__ import annotations

import signal

import keras
import numpy as np
import pytest

import keras_lr
from tests.kit import together
from tests.kit.probe import assert_rates, watch
from tests.kit.processes import Outcome, run_together

pytestmark = pytest.mark.backend

BACKEND = keras.backend.backend()
KINDS = {"torch": ["ddp", "all_reduce"], "jax": ["jax"], "tensorflow": []}[BACKEND]
every_kind = pytest.mark.parametrize("kind", KINDS)
only_torch = pytest.mark.skipif(BACKEND != "torch", reason="of torch.distributed")

#: Checks of tests.kit.together. Two processes do many of them, since it takes long
#: until they have begun.
FEW = ["rates", "sweep", "search", "plateau", "refusals", "die_in_search"]
ALL = ["resume", "search_some_constant", "branches", "resume_apart", "noise", *FEW]
CHECKS = {
    "ddp": ALL,
    # A noise scale is measured of no train_step of the user's.
    "all_reduce": [check for check in ALL if check != "noise"],
    # JAX itself refuses weights that differ between processes.
    "jax": [check for check in ALL if check != "resume_apart"],
}


def outcomes(kind, *checks, tmp_path, monkeypatch, **options) -> list[Outcome]:
    monkeypatch.setenv("BRANCHES", str(tmp_path))
    return run_together("tests.kit.together", kind, *checks, timeout=500, **options)


def assert_right(kind, checks, tmp_path, monkeypatch):
    paths = {"tmp_path": tmp_path, "monkeypatch": monkeypatch}
    first, second = outcomes(kind, *checks, **paths)
    assert second.code == -signal.SIGKILL, first.output + second.output
    assert first.code == 0, first.output
    assert list(second.found) == checks[:-1], second.output
    mine = first.found
    other = second.found
    for check in set(second.found) - {"plateau", "refusals"}:
        assert mine[check] == other[check], check
    assert_like_one_device(mine["rates"])
    assert mine["search"]["verdict"] == "trust"
    assert_alike_against_their_own_losses(mine["plateau"], other["plateau"])
    assert_refused(mine["refusals"], other["refusals"])
    assert "look at its output first" in mine["die_in_search"]
    assert "init_process_group" in mine["die_in_search"] or kind == "jax"
    if "resume" in checks:
        assert mine["resume"]["whole"] == mine["resume"]["resumed"]
        assert [path.name for path in tmp_path.iterdir()] == ["branch-5.keras"]
    if "resume_apart" in checks:
        assert "Received: 2, 1, in the order" in mine["resume_apart"]
    if kind == "jax" and "branches" in checks:
        # That file is whole; of torch's modules Keras knows no class.
        keras.saving.load_model(tmp_path / "branch-5.keras", compile=False)
    if "noise" in checks:
        assert_noise(mine["noise"])


def assert_like_one_device(found):
    """As one device that is given the rows of both, in batches twice as large."""
    schedule = keras_lr.OneCycle(max_lr=0.1)
    assert_rates(found["rates"], schedule.values(20))
    x, y = (
        part.reshape(2, 10, 4, -1).swapaxes(0, 1).reshape(80, -1)
        for part in together.rows_of_all(10)
    )
    model = together.model_of("alone", keras.optimizers.Adam(0.1))
    watch(model.optimizer, model.trainable_variables, 20)
    options = {"batch_size": 8, "shuffle": False, "verbose": 0}
    model.fit(x, y, epochs=2, callbacks=[schedule], **options)
    weights = together.weights_of(model)
    np.testing.assert_allclose(found["weights"], weights, rtol=1e-4)


def assert_alike_against_their_own_losses(mine, other):
    for per in ("epoch", "update"):
        assert mine[per] == other[per], per
        assert len(set(mine[per])) > 1, per
    # The control: on torch each sees others. On JAX a loss is that of all rows.
    are_own = mine["own losses"] != other["own losses"]
    assert are_own == (BACKEND == "torch")


def assert_refused(mine, other):
    assert mine["rows"] == other["rows"]
    assert mine["rows"].startswith("ValueError: All processes must have as many batch")
    assert "Received: 20, 18" in mine["rows"]
    assert mine["rows of sweep"] == other["rows of sweep"]
    assert "Received: 40, 36" in mine["rows of sweep"]
    assert "an error in process 1" in mine["not finite"]
    assert "in row 7 of the data" in other["not finite"]
    assert mine["not finite in sweep"] == other["not finite in sweep"]
    assert "The data must be finite" in mine["not finite in sweep"]


def assert_noise(found):
    assert found["batch_size"] == 64
    # On torch a process measures its own rows; the mean over processes is left.
    wanted = "covariance within" if BACKEND == "torch" else "covariance of all"
    np.testing.assert_allclose(found["covariance"], found[wanted], rtol=0.2)


@only_torch
def test_two_processes_of_ddp_train_search_and_fail_alike(tmp_path, monkeypatch):
    assert_right("ddp", CHECKS["ddp"], tmp_path, monkeypatch)


@pytest.mark.skipif(BACKEND != "jax", reason="of jax.distributed")
def test_two_processes_of_jax_train_search_and_fail_alike(tmp_path, monkeypatch):
    assert_right("jax", FEW, tmp_path, monkeypatch)


@pytest.mark.slow
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "ddp"])
def test_whatever_several_processes_do_is_alike(kind, tmp_path, monkeypatch):
    assert_right(kind, CHECKS[kind], tmp_path, monkeypatch)


@pytest.mark.slow
@every_kind
def test_a_process_that_dies_in_a_fit_ends_the_other_one(kind, tmp_path, monkeypatch):
    paths = {"tmp_path": tmp_path, "monkeypatch": monkeypatch}
    first, second = outcomes(kind, "die_in_fit", **paths)
    assert second.code == -signal.SIGKILL
    assert "look at its output first" in first.found["die_in_fit"], first.output


@pytest.mark.slow
@only_torch
def test_a_process_that_takes_no_part_ends_the_other_one(tmp_path, monkeypatch):
    paths = {"tmp_path": tmp_path, "monkeypatch": monkeypatch}
    first, _ = outcomes("all_reduce", "absent_from_search", **paths)
    message = first.found["absent_from_search"]
    assert message.startswith("RuntimeError: All 2 processes must go through"), message
    assert "timeout" in message
