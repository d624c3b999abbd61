from __future__ import annotations

import json
import shutil
import warnings
from pathlib import Path

import keras
import numpy as np
import pytest

import keras_lr
from tests.kit.probe import assert_rates, data, fit, recorded, watched

pytestmark = pytest.mark.backend

#: What is looked at is files and numbers, alike on all backends: most of it is tried on
#: the one that compiles nothing.
once = pytest.mark.skipif(
    keras.backend.backend() != "torch", reason="files are alike on all backends"
)

EPOCHS = 4
STEPS = 5
WEIGHTS = "latest.weights.h5"
METADATA = "training_metadata.json"
LEDGER = "keras_lr-updates.json"


class Copies(keras.callbacks.Callback):
    """Copies the folder of the backup at the end of each epoch, and cuts the power."""

    def __init__(self, folder, until):
        super().__init__()
        self.folder = folder
        self.until = until

    def on_epoch_begin(self, epoch, logs=None):
        if (self.folder / "now").exists():
            shutil.copytree(self.folder / "now", self.folder / str(epoch))
        if epoch == self.until:
            raise RuntimeError("power cut")


def schedule():
    return keras_lr.OneCycle(max_lr=0.01)


def model_of(optimizer=None):
    return watched(optimizer or keras.optimizers.Adam(0.1), EPOCHS * STEPS * 3)


def backup_in(folder, **options):
    return keras.callbacks.BackupAndRestore(folder, **options)


def train(model, *callbacks, **options):
    options = {"epochs": EPOCHS, **options}
    return fit(model, list(callbacks), batches=STEPS, **options)


def cut(folder, model=None, until=3, order=1, backup=None, extra=(), **options):
    """A run that is cut at the begin of an epoch; the folder at each epoch's end."""
    saves = backup_in(folder / "now", **(backup or {}))
    callbacks = [schedule(), saves][::order]
    with pytest.raises(RuntimeError, match="power cut"):
        train(model or model_of(), *callbacks, *extra, Copies(folder, until), **options)
    return folder / str(until)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A run's backup at the end of each of three epochs, and what it comes to."""
    folder = tmp_path_factory.mktemp("run")
    cut(folder)
    whole = model_of()
    train(whole, schedule())
    return folder, whole


@pytest.fixture
def folder(runs, tmp_path):
    """The backup after three epochs, to be spoilt."""
    shutil.copytree(runs[0] / "3", tmp_path / "3")
    return tmp_path / "3"


@pytest.fixture
def assert_as_uninterrupted(runs):
    def compare(model):
        assert_rates(recorded(model), recorded(runs[1]))
        for one, two in zip(model.get_weights(), runs[1].get_weights(), strict=True):
            np.testing.assert_array_equal(one, two)

    return compare


def resume(folder, model=None, order=1, **options):
    """Goes on; rates and weights, and what was said."""
    model = model or model_of()
    saves = backup_in(folder, **options.pop("backup", {}))
    callbacks = [schedule(), saves]
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        train(model, *callbacks[::order], **options)
    told = [str(one.message) for one in said if one.category is UserWarning]
    return model, told


@pytest.mark.parametrize("order", [1, -1], ids=["schedule-first", "backup-first"])
def test_weights_of_an_epoch_beside_the_number_of_the_last_go_on_where_they_are(
    runs, folder, assert_as_uninterrupted, order
):
    shutil.copy(runs[0] / "2" / METADATA, folder)
    model, (told,) = resume(folder, order=order)
    assert "weights of epoch 3" in told
    assert "tells epoch 2" in told
    assert_as_uninterrupted(model)


@once
@pytest.mark.parametrize("text", ["", None], ids=["empty", "missing"])
def test_weights_without_a_whole_file_of_their_epoch_tell_it_themselves(
    folder, assert_as_uninterrupted, text
):
    (folder / METADATA).unlink()
    if text is not None:
        (folder / METADATA).write_text(text)
    model, (told,) = resume(folder)
    assert "goes on at epoch 3" in told
    assert_as_uninterrupted(model)


@once
def test_the_last_epoch_of_a_run_is_not_trained_twice_either(folder):
    saves = backup_in(folder, delete_checkpoint=False)
    model = model_of()
    train(model, schedule(), saves)
    (folder / METADATA).write_text('{"epoch": 3, "batch": 0}')
    again, (told,) = resume(folder)
    assert "goes on at epoch 4" in told
    for one, two in zip(again.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)


@once
def test_nothing_but_whole_files_tells_an_epoch_where_nobody_wrote_it_down(folder):
    (folder / LEDGER).unlink()
    for text in ("", "{}", '{"epoch": '):
        (folder / METADATA).write_text(text)
        with pytest.raises(
            ValueError, match=r"have counted 15 batches.*Remove the fol"
        ):
            resume(folder)
    (folder / METADATA).unlink()
    with pytest.raises(ValueError, match="without a file that tells the epoch"):
        resume(folder)


@once
def test_an_epoch_too_many_is_noticed_where_nobody_wrote_it_down(runs, folder):
    (folder / LEDGER).unlink()
    shutil.copy(runs[0] / "2" / METADATA, folder)
    _, (told,) = resume(folder)
    assert "have counted 15 batches, 1 more epochs than the 2" in told


@once
def test_weights_of_much_later_are_noticed_by_what_was_counted(runs, tmp_path):
    folder = shutil.copytree(runs[0] / "1", tmp_path / "1")
    shutil.copy(runs[0] / "3" / WEIGHTS, folder)
    _, (told,) = resume(folder)
    assert "have counted 15 batches, 2 more epochs than the 1" in told


def test_weights_that_are_half_written_say_what_to_do(folder):
    whole = (folder / WEIGHTS).read_bytes()
    for part in (0.1, 0.5, 0.95):
        (folder / WEIGHTS).write_bytes(whole[: int(part * len(whole))])
        with pytest.raises(
            ValueError, match=r"half written.*Remove the folder.*double"
        ):
            resume(folder)


@once
def test_an_epoch_without_weights_is_refused(folder):
    (folder / WEIGHTS).unlink()
    with pytest.raises(ValueError, match=r"without latest\.weights\.h5.*untrained"):
        resume(folder)


def keep_second_copy(runs, folder):
    for name in (WEIGHTS, METADATA):
        shutil.copy(runs[0] / "2" / name, folder / f"{name}.bkp")


@once
def test_a_second_copy_makes_up_for_weights_that_are_half_written(
    runs, folder, assert_as_uninterrupted
):
    whole = (folder / WEIGHTS).read_bytes()
    keep_second_copy(runs, folder)
    (folder / WEIGHTS).write_bytes(whole[: len(whole) // 2])
    model, told = resume(folder, backup={"double_checkpoint": True})
    assert told == []
    assert_as_uninterrupted(model)


@once
def test_a_second_copy_makes_up_for_weights_that_are_gone(
    runs, folder, assert_as_uninterrupted
):
    keep_second_copy(runs, folder)
    (folder / WEIGHTS).unlink()
    model, told = resume(folder, backup={"double_checkpoint": True})
    assert told == []
    assert_as_uninterrupted(model)


@once
def test_the_second_copy_serves_whatever_a_torn_file_raises(
    runs, folder, assert_as_uninterrupted
):
    # HDF5 raises a KeyError where a kill has left out what leads to an array.
    class Loads(keras.callbacks.BackupAndRestore):
        def _load_model(self):
            try:
                super()._load_model()
            except OSError as error:
                raise KeyError("object") from error

    whole = (folder / WEIGHTS).read_bytes()
    keep_second_copy(runs, folder)
    (folder / WEIGHTS).write_bytes(whole[: len(whole) // 2])
    model = model_of()
    train(model, schedule(), Loads(folder, double_checkpoint=True))
    assert_as_uninterrupted(model)


@once
def test_files_of_another_model_are_the_error_of_keras(folder):
    other = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    other.compile("adam", "mse")
    with pytest.raises(ValueError, match="could not be loaded") as caught:
        resume(folder, other)
    assert "half written" not in str(caught.value)


@once
def test_a_backup_in_the_middle_of_an_epoch_says_what_is_trained_twice(tmp_path):
    folder = cut(tmp_path, backup={"save_freq": 4})
    said = json.loads((folder / METADATA).read_text())
    assert said == {"epoch": 2, "batch": 1}
    _, (told,) = resume(folder, backup={"save_freq": 4})
    assert "in the middle of an epoch, after 2 batches" in told
    assert "save_freq='epoch'" in told
    # Keras' own number begins at 0 in each process, until an epoch of it has ended.
    folder = tmp_path / "2"
    (folder / METADATA).write_text('{"epoch": 0, "batch": 3}')
    _, (place, again) = resume(folder, backup={"save_freq": 4})
    assert "goes on at epoch 1" in place
    assert "after 4 batches" in again


@once
def test_a_backup_at_the_last_batch_of_an_epoch_goes_on_with_the_next(tmp_path):
    folder = cut(tmp_path, backup={"save_freq": 5})
    _, (told,) = resume(folder, backup={"save_freq": 5})
    assert "weights of epoch 3" in told


# False alarms.


def trained(epochs, optimizer=None):
    model = model_of(optimizer)
    train(model, epochs=epochs)
    return model


class Skipping(keras.losses.Loss):
    """Gradients that are not finite, so that loss scaling leaves the update out."""

    def call(self, y, out):
        return keras.ops.mean(out * np.inf)


@once
@pytest.mark.parametrize("again", [0, 1], ids=["anew", "trained-again"])
def test_a_model_that_was_trained_before_gives_no_alarm(tmp_path, again):
    # By an epoch, so that its count alone looks like a backup that is one ahead.
    order = -1 if again else 1
    folder = cut(tmp_path, trained(1), order=order)
    model = trained(1) if again else model_of()
    assert resume(folder, model, order)[1] == []


@once
def test_gradient_accumulation_gives_no_alarm(tmp_path):
    def model():
        return model_of(keras.optimizers.SGD(0.01, gradient_accumulation_steps=3))

    assert resume(cut(tmp_path, model()), model())[1] == []


@once
def test_updates_that_are_skipped_give_no_alarm(tmp_path):
    def model():
        optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.01))
        made = model_of(optimizer)
        made.compile(optimizer, Skipping())
        return made

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        folder = cut(tmp_path, model())
    told = resume(folder, model())[1]
    assert all("has no effect" in one for one in told)


@once
def test_an_initial_epoch_gives_no_alarm(tmp_path):
    assert resume(cut(tmp_path, initial_epoch=1), initial_epoch=1)[1] == []


@pytest.mark.filterwarnings("ignore:Your input ran out of data")
def test_data_of_unknown_length_give_no_alarm(tmp_path):
    tf = pytest.importorskip("tensorflow")
    x, y = data(STEPS)
    rows = tf.data.Dataset.from_tensor_slices((x, y)).filter(lambda x, y: True)

    def run(folder, *others):
        rates = keras_lr.LinearDecay(max_lr=0.01, horizon=EPOCHS * STEPS)
        callbacks = [rates, backup_in(folder), *others]
        options = {"epochs": EPOCHS, "shuffle": False, "verbose": 0}
        model_of().fit(rows.batch(2), callbacks=callbacks, **options)

    with pytest.raises(RuntimeError, match="power cut"):
        run(tmp_path / "now", Copies(tmp_path, 3))
    run(tmp_path / "3")


@once
def test_an_empty_folder_and_one_of_ours_alone_begin_anew(
    folder, assert_as_uninterrupted
):
    for name in (WEIGHTS, METADATA):
        (folder / name).unlink()
    model, told = resume(folder)
    assert told == []
    assert_as_uninterrupted(model)
    folder.mkdir()
    assert resume(folder)[1] == []


@once
def test_a_keras_that_names_its_files_otherwise_gives_no_alarm(
    tmp_path, assert_as_uninterrupted
):
    class Newer(keras.callbacks.BackupAndRestore):
        """Keeps its files elsewhere, in another form."""

        def __init__(self, folder):
            super().__init__(folder)
            self.weights = f"{folder}/state.weights.h5"
            self.told = Path(folder, "state.txt")
            del self._weights_path, self._training_metadata_path

        def on_train_begin(self, logs=None):
            if self.told.exists():
                self.model._initial_epoch = int(self.told.read_text())
                self.model.load_weights(self.weights)

        def _save_model(self):
            self.model.save_weights(self.weights)
            self.told.write_text(str(self._current_epoch))

    ends = Copies(tmp_path, 3)
    with pytest.raises(RuntimeError, match="power cut"):
        train(model_of(), schedule(), Newer(tmp_path / "now"), ends)
    model = model_of()
    shutil.copytree(tmp_path / "3", tmp_path / "mixed")
    train(model, schedule(), Newer(tmp_path / "3"))
    assert_as_uninterrupted(model)
    # Nor is it in the way of what is noticed by what was counted.
    shutil.copy(tmp_path / "2" / "state.txt", tmp_path / "mixed")
    model = model_of()
    with pytest.warns(UserWarning, match="weights of epoch 3"):
        train(model, schedule(), Newer(tmp_path / "mixed"))
    assert_as_uninterrupted(model)


@once
def test_a_callback_that_trains_at_the_end_of_an_epoch_gives_no_alarm(tmp_path):
    class Trains(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.train_on_batch(np.ones((2, 4)), np.ones((2, 2)))

    with pytest.raises(RuntimeError, match="power cut"):
        train(
            model_of(),
            schedule(),
            Trains(),
            backup_in(tmp_path / "now"),
            Copies(tmp_path, 2),
        )
    assert resume(tmp_path / "2")[1] == []


# What a Plateau keeps beside it.


def plateau(**options):
    return keras_lr.Plateau("loss", 0.5, 1, min_delta=9.0, restore_best=True, **options)


@once
@pytest.mark.parametrize("file", ["keras_lr-plateau-0.json", "best"])
def test_files_of_a_plateau_that_are_not_whole_say_what_to_do(tmp_path, file):
    def run(folder, *others):
        saves = backup_in(folder)
        train(model_of(), plateau(), saves, *others)

    with pytest.raises(RuntimeError, match="power cut"):
        run(tmp_path / "now", Copies(tmp_path, 2))
    folder = tmp_path / "2"
    (best,) = folder.glob("*.npz")
    path = best if file == "best" else folder / file
    whole = path.read_bytes()
    for content in (b"", whole[: len(whole) // 2]):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"beside a backup must be whole.*remove"):
            run(folder)
    path.unlink()
    if file == "best":
        with pytest.raises(ValueError, match="missing or cannot be read"):
            run(folder)
    else:
        with pytest.warns(UserWarning, match="knows nothing of the epochs before 2"):
            run(folder)
