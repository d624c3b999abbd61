from __future__ import annotations

from tests.keras_own.compare import Outcome, compare, summary

TESTS = """
import keras, numpy as np

class Look(keras.callbacks.Callback):
    def on_train_batch_begin(self, batch, logs=None):
        self.kind = type(self.model.optimizer)

    def on_train_end(self, logs=None):
        self.last_logs = logs

def fit():
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    look = Look()
    rows = np.ones((2, 1))
    return model.fit(rows, rows, verbose=0, callbacks=look).history, look

def test_losses():
    history, _ = fit()
    assert len(history["loss"]) == 1

def test_keys():
    history, look = fit()
    assert set(history) == {"loss"}
    assert set(look.last_logs) == {"loss"}

def test_what_no_schedule_can_pass():
    _, look = fit()
    assert look.kind is keras.optimizers.SGD

def test_what_nobody_passes():
    fit()
    raise AssertionError

def test_without_a_fit():
    pass
"""


def test_what_a_schedule_changes_is_told_from_its_extra_key(tmp_path):
    path = tmp_path / "own_test.py"
    path.write_text(TESTS)
    found = compare([path], tmp_path)
    name = "own_test.py::test_{}".format
    assert found.plain[name("losses")] == Outcome("passed", fits=1)
    assert found.plain[name("without_a_fit")] == Outcome("passed", fits=0)
    assert name("without_a_fit") not in found.scheduled
    assert found.scheduled[name("losses")] == Outcome("passed", fits=1)
    assert found.by_the_key == [name("keys")]
    assert found.otherwise == [name("what_no_schedule_can_pass")]
    told = summary(found)
    assert "selected, plainly          1 failed, 3 passed" in told
    assert "selected, with a schedule  3 failed, 1 passed" in told
