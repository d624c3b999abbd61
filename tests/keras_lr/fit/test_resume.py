from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

import keras_lr
from tests.kit.probe import assert_rates, fit, recorded, watched
from tests.kit.train_and_die import train

pytestmark = pytest.mark.backend

ROOT = Path(__file__).parents[3]


def run(tmp_path, epochs, kill_at):
    script = [sys.executable, "-m", "tests.kit.train_and_die"]
    arguments = [tmp_path / "backups", tmp_path / "out.npz", epochs, kill_at]
    return subprocess.run(
        [*script, *map(str, arguments)], capture_output=True, check=False, cwd=ROOT
    )


# Kills at random moments, in all orders of callbacks, are in tests/faults.


def test_what_plateaus_wait_for_survives_a_kill(tmp_path):
    epochs = 5
    expected, weights = train(str(tmp_path / "none"), epochs, -1)
    assert len(set(expected)) > 2
    for point in (23, 41):
        killed = run(tmp_path, epochs, point)
        assert killed.returncode == -signal.SIGKILL
    done = run(tmp_path, epochs, -1)
    assert done.returncode == 0, done.stderr.decode()
    with np.load(tmp_path / "out.npz") as file:
        found = dict(file)
    assert_rates(found["arr_0"], expected)
    for i, weight in enumerate(weights, 1):
        np.testing.assert_array_equal(found[f"arr_{i}"], weight)


class Stop(keras.callbacks.Callback):
    def __init__(self, epoch):
        super().__init__()
        self.at = epoch

    def on_train_batch_begin(self, batch, logs=None):
        if batch == 4 and self.epoch == self.at:
            raise RuntimeError("power cut")

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch


@pytest.mark.parametrize("order", [1, -1], ids=["schedule-first", "backup-first"])
def test_backup_and_restore_works_in_either_order(tmp_path, order):
    schedule = keras_lr.WarmupCosine(max_lr=0.01, warmup="0.5 epochs")
    model = watched(keras.optimizers.Adam(0.1), 30)
    both = [schedule, keras.callbacks.BackupAndRestore(tmp_path / "backup")][::order]
    with pytest.raises(RuntimeError, match="power cut"):
        fit(model, [*both, Stop(1)], epochs=3)
    again = watched(keras.optimizers.Adam(0.1), 30)
    fit(again, both, epochs=3)
    assert_rates(recorded(again), schedule.values(30, steps_per_epoch=10))


def test_a_finished_run_that_is_resumed_has_nothing_to_do(tmp_path):
    schedule = keras_lr.WarmupCosine(max_lr=0.01, warmup=4)
    backup = keras.callbacks.BackupAndRestore(tmp_path, delete_checkpoint=False)
    for callbacks in ([schedule, backup], [backup, schedule]):
        model = watched(keras.optimizers.Adam(0.1), 20)
        fit(model, callbacks, epochs=2)
        assert_rates(recorded(model), schedule.values(20))
        assert float(model.optimizer.get_config()["learning_rate"]) == np.float32(0.1)
    fit(watched(keras.optimizers.Adam(0.1), 20), [schedule], epochs=0)


def test_a_rate_cut_by_a_plateau_survives_a_resume(tmp_path):
    def callbacks():
        return [
            keras_lr.OneCycle(max_lr=0.01),
            keras.callbacks.ReduceLROnPlateau("loss", 0.5, 1, min_delta=1e9),
            keras.callbacks.BackupAndRestore(tmp_path / "backup"),
        ]

    model = watched(keras.optimizers.Adam(0.1), 30)
    with pytest.raises(RuntimeError, match="power cut"):
        fit(model, [*callbacks(), Stop(2)], epochs=3)
    again = watched(keras.optimizers.Adam(0.1), 30)
    fit(again, callbacks(), epochs=3)
    values = keras_lr.OneCycle(max_lr=0.01).values(30)
    assert_rates(recorded(again)[:20], values[:20])
    assert_rates(recorded(again)[20:], values[20:] / 2)


def test_a_file_saved_in_mid_run_trains_where_this_package_is_missing(tmp_path):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    model.compile(keras.optimizers.Adam(0.25, weight_decay=0.1), "mse")
    saver = keras.callbacks.ModelCheckpoint(tmp_path / "{epoch}.keras", save_freq=4)
    fit(model, [keras_lr.OneCycle(max_lr=0.01), saver])
    code = (
        "import sys; sys.modules['keras_lr'] = None\n"
        "import keras, numpy as np\n"
        "model = keras.saving.load_model('1.keras')\n"
        "assert type(model.optimizer).__name__ == 'Adam'\n"
        "assert float(model.optimizer.learning_rate.numpy()) == 0.25\n"
        "assert model.optimizer.beta_1 == 0.9\n"
        "assert int(model.optimizer.iterations.numpy()) == 8\n"
        "model.fit(np.ones((4, 4)), np.ones((4, 2)), verbose=0)\n"
        "assert int(model.optimizer.iterations.numpy()) == 9\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=False, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr.decode()
