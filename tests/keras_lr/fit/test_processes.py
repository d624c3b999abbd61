from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pytest

import keras_lr
from keras_lr.fit import processes
from tests.kit.sweeps import data, model_of

pytestmark = pytest.mark.backend

BACKEND = keras.backend.backend()
#: What tells that there are other processes, on each backend.
CLUSTER = {"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker"}}
STARTED = {
    "torch": ("WORLD_SIZE", "2"),
    "tensorflow": ("TF_CONFIG", json.dumps(CLUSTER)),
}


@pytest.fixture
def unconnected(monkeypatch):
    if BACKEND == "jax":
        import jax

        monkeypatch.setattr(jax, "process_count", lambda: 2)
    else:
        monkeypatch.setenv(*STARTED[BACKEND])


@pytest.fixture
def two(monkeypatch):
    """Two processes, the second of which has what a test says."""
    others = []

    def gathered(values):
        return np.stack([values, np.asarray(others.pop(0), float)])

    monkeypatch.setattr(processes, "count", lambda: 2)
    monkeypatch.setattr(processes, "gathered", gathered)
    return others


@pytest.mark.usefixtures("unconnected")
def test_processes_that_are_not_connected_are_told():
    x, y = data()
    model = model_of()
    with pytest.raises(RuntimeError, match="2 processes that are not connected"):
        keras_lr.find_lr(model, x, y, verbose=0)
    finder = keras_lr.LRFinder(steps=20, verbose=0)
    with pytest.raises(RuntimeError, match="2 processes that are not connected"):
        model.fit(x, y, batch_size=4, callbacks=[finder], verbose=0)
    # Schedules need no word from others.
    model.fit(x, y, callbacks=[keras_lr.Warmup(2)], verbose=0)


def test_a_runner_is_for_one_process(monkeypatch):
    monkeypatch.setattr(processes, "count", lambda: 2)
    with (
        ThreadPoolExecutor(1) as runner,
        pytest.raises(ValueError, match="`runner` is for a search of one process"),
    ):
        keras_lr.find_lr(model_of(), *data(), runner=runner, verbose=0)


@pytest.mark.parametrize("value", ["", "two", "1", '{"cluster": {"worker": ["a:1"]}}'])
def test_one_process_alone_is_not_refused(value, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", value)
    monkeypatch.setenv("TF_CONFIG", value)
    processes.check_connected()


def test_alone_a_mean_is_the_value_itself():
    values = np.array([1.0, 2.0])
    assert processes.mean(values, np.array([3.0, 4.0])) is values
    assert processes.is_first()


def test_a_mean_counts_rows(two):
    two.append([[8.0, 3.0], [1.0, 5.0]])
    mean = processes.mean(np.array([4.0, 1.0]), np.array([3.0, 5.0]))
    assert mean.tolist() == [5.0, 2.0]


def test_a_loss_that_is_lost_in_one_process_is_lost(two):
    two += [[[np.inf], [1.0]], [[np.nan], [1.0]]]
    assert processes.mean(np.array([1.0])) == [np.inf]
    assert np.isnan(processes.mean(np.array([1.0])))


def test_numbers_that_differ_are_refused_in_words(two):
    two += [[7.0], [6.0], [-1.0]]
    processes.check_alike("batches", 7)
    with pytest.raises(ValueError, match="Received: 7, 6, in the order"):
        processes.check_alike("batches", 7)
    with pytest.raises(ValueError, match="Received: 7, unknown"):
        processes.check_alike("batches", 7)


def test_an_error_of_another_process_is_one_here(two):
    two += [[0.0], [1.0], [0.0]]
    with processes.all_or_none():
        pass
    with (
        pytest.raises(RuntimeError, match="an error in process 1"),
        processes.all_or_none(),
    ):
        pass
    with pytest.raises(KeyError), processes.all_or_none():
        raise KeyError


@pytest.mark.skipif(BACKEND == "tensorflow", reason="Keras has one process there")
def test_an_error_of_a_connection_is_explained_once(monkeypatch):
    error = RuntimeError("[gloo/transport/tcp/pair.cc:537] Connection closed by peer")
    processes.explain(error)
    assert not hasattr(error, "__notes__")
    monkeypatch.setattr(processes, "count", lambda: 2)
    for _ in range(2):
        processes.explain(error)
    (note,) = error.__notes__
    assert "look at its output first" in note
    other = RuntimeError("shapes do not match")
    processes.explain(other)
    assert not hasattr(other, "__notes__")
