"""What others read of the rate while a schedule runs: the one that was used.

Written against what is promised, not against how it is done: at the end of a batch or
epoch everyone reads the rate of the last update, before the schedule or after it in the
list of callbacks; from the begin of the fit, and at the begin of a batch for callbacks
after the schedule, the rate of the coming one.
"""

from __future__ import annotations

import csv
import io

import keras
import numpy as np
import pytest
from keras import ops
from keras.callbacks import CSVLogger, LearningRateScheduler, ReduceLROnPlateau

import keras_lr
from tests.kit.probe import assert_rates, data, fit, recorded, watched

pytestmark = pytest.mark.backend

TORCH = keras.backend.backend() == "torch"
OWN_RATE = 0.5
PEAK = 0.1
BATCHES = 4
EPOCHS = 2
UPDATES = BATCHES * EPOCHS
#: They fall from update to update, so that none can be taken for its neighbour's.
RATES = keras_lr.CosineDecay(max_lr=PEAK, min_lr=0.01).values(UPDATES)
#: Of the last update of each epoch.
LAST_RATES = RATES[BATCHES - 1 :: BATCHES]


def schedule():
    return keras_lr.CosineDecay(max_lr=PEAK, min_lr=0.01)


def train(before, after, **compile):
    """Train with callbacks before and after the schedule; they disturb no update."""
    model = watched(keras.optimizers.SGD(OWN_RATE), UPDATES, **compile)
    callbacks = [*before, schedule(), *after]
    history = fit(model, callbacks, batches=BATCHES, epochs=EPOCHS)
    assert_rates(recorded(model), RATES)
    assert float(model.optimizer.learning_rate) == OWN_RATE
    return history.history


# What Keras' variable can do, and so what stands in for it.

IDIOMS = {
    "float": float,
    "numpy": lambda rate: rate.numpy(),
    "item": lambda rate: rate.numpy().item(),
    "value": lambda rate: ops.convert_to_numpy(rate.value),
    "round": lambda rate: ops.convert_to_numpy(round(rate, 5)),
    "asarray": np.asarray,
    "convert_to_numpy": ops.convert_to_numpy,
    "convert_to_tensor": lambda rate: ops.convert_to_numpy(ops.convert_to_tensor(rate)),
    "product": lambda rate: ops.convert_to_numpy(rate * 1.0),
}


def read(rate):
    """A rate as each idiom tells it, or what it raises."""
    told = {}
    for name, idiom in IDIOMS.items():
        try:
            told[name] = float(idiom(rate))
        except Exception as error:
            told[name] = repr(error)
    return told


def as_told(rate):
    """What all idioms should tell."""
    tight = pytest.approx(float(rate), rel=1e-6)
    rounded = pytest.approx(round(float(rate), 5), rel=1e-5)
    return {**dict.fromkeys(IDIOMS, tight), "round": rounded}


class Reader(keras.callbacks.Callback):
    """Reads the optimizer's rate wherever Keras lets it."""

    def __init__(self):
        super().__init__()
        self.at_begin_of_fit = None
        self.at_begin_of_epochs = []
        self.at_begin_of_batches = []
        self.at_end_of_batches = []
        self.at_end_of_epochs = []
        self.logged = []

    def rate(self):
        return read(self.model.optimizer.learning_rate)

    def on_train_begin(self, logs=None):
        self.at_begin_of_fit = self.rate()

    def on_epoch_begin(self, epoch, logs=None):
        self.at_begin_of_epochs.append(self.rate())

    def on_train_batch_begin(self, batch, logs=None):
        self.at_begin_of_batches.append(self.rate())

    def on_train_batch_end(self, batch, logs=None):
        self.at_end_of_batches.append(self.rate())

    def on_epoch_end(self, epoch, logs=None):
        self.at_end_of_epochs.append(self.rate())
        self.logged.append(logs["learning_rate"])


@pytest.fixture(scope="module")
def readers():
    """One before the schedule, one after it."""
    both = (Reader(), Reader())
    train([both[0]], [both[1]])
    return both


def test_without_a_schedule_all_idioms_tell_the_rate():
    model = watched(keras.optimizers.SGD(OWN_RATE), 1)
    assert read(model.optimizer.learning_rate) == as_told(OWN_RATE)


@pytest.mark.parametrize("place", [0, 1], ids=["before", "after"])
def test_at_the_end_of_a_batch_or_epoch_all_idioms_tell_the_last_rate(readers, place):
    reader = readers[place]
    assert reader.at_end_of_batches == [as_told(rate) for rate in RATES]
    assert reader.at_end_of_epochs == [as_told(rate) for rate in LAST_RATES]
    assert_rates(reader.logged, LAST_RATES)


def test_at_the_begin_of_a_fit_or_batch_all_idioms_tell_the_coming_rate(readers):
    before, after = readers
    assert after.at_begin_of_fit == as_told(RATES[0])
    assert after.at_begin_of_batches == [as_told(rate) for rate in RATES]
    # From the begin of the fit on, for those before the schedule, too.
    assert after.at_begin_of_epochs[0] == as_told(RATES[0])
    assert before.at_begin_of_epochs[0] == as_told(RATES[0])
    assert before.at_begin_of_batches[0] == as_told(RATES[0])


@pytest.mark.skipif(TORCH, reason="Keras refuses steps_per_execution on torch")
def test_after_several_updates_of_one_execution_the_last_rate_is_read():
    before, after = Reader(), Reader()
    train([before], [after], steps_per_execution=2)
    for reader in (before, after):
        floats = [told["float"] for told in reader.at_end_of_batches]
        assert_rates(floats, RATES[1::2])
        assert_rates(reader.logged, LAST_RATES)
    floats = [told["float"] for told in after.at_begin_of_batches]
    assert_rates(floats, RATES[::2])


def model_with(optimizer):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    model.compile(optimizer, "mse")
    return model


def test_optimizers_within_another_tell_the_last_rate_as_well():
    rates = {"scaled": [], "fast": [], "slow": []}
    optimizers = {name: keras.optimizers.SGD(name=name) for name in rates}

    def reading(*names):
        def tell(batch, logs):
            for name in names:
                rates[name].append(float(optimizers[name].learning_rate))

        return keras.callbacks.LambdaCallback(on_train_batch_end=tell)

    fast, slow = optimizers["fast"], optimizers["slow"]
    slow.learning_rate = float(fast.learning_rate) / 4
    run = {"batches": BATCHES, "epochs": EPOCHS}
    scaling = keras.optimizers.LossScaleOptimizer(
        optimizers["scaled"], initial_scale=1.0
    )
    fit(model_with(scaling), [reading("scaled"), schedule()], **run)
    assert_rates(rates["scaled"], RATES)
    if not hasattr(keras.optimizers, "MultiOptimizer"):
        return
    groups = keras.optimizers.OptimizerMap(fast, {".*kernel": slow})
    both = keras.optimizers.MultiOptimizer(groups)
    fit(model_with(both), [schedule(), reading("fast", "slow")], **run)
    assert_rates(rates["fast"], RATES)
    assert_rates(rates["slow"], RATES / 4)


# Loggers.


def columns(path):
    """Of a file that CSVLogger wrote, by name."""
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    return {name: [row[name] for row in rows] for name in rows[0]}


def tqdm_callback(told):
    """One that writes down what its bar of epochs shows."""
    from tqdm import tqdm
    from tqdm.keras import TqdmCallback

    class Bar(tqdm):
        def set_postfix(self, ordered_dict=None, refresh=True, **more):
            told.append(ordered_dict["learning_rate"])
            super().set_postfix(ordered_dict, refresh, **more)

    return TqdmCallback(verbose=0, tqdm_class=Bar, file=io.StringIO())


#: By name: callbacks of Keras that read the rate and write it into the logs as well.
BESIDE = {
    "nothing": lambda: [],
    "plateau": lambda: [ReduceLROnPlateau("loss", patience=99)],
    "table": lambda: [LearningRateScheduler(lambda epoch: PEAK)],
    "table-of-rates": lambda: [LearningRateScheduler(lambda epoch, rate: rate)],
}


@pytest.mark.parametrize("beside", BESIDE)
def test_history_csv_and_tqdm_tell_the_last_rate(tmp_path, beside):
    bars = ([], [])
    files = [tmp_path / "before.csv", tmp_path / "after.csv"]
    clients = [
        [*BESIDE[beside](), tqdm_callback(told), CSVLogger(path)]
        for told, path in zip(bars, files, strict=True)
    ]
    history = train(*clients)
    assert_rates(history["learning_rate"], LAST_RATES)
    for told, path in zip(bars, files, strict=True):
        assert_rates(told, LAST_RATES)
        assert_rates(
            [float(text) for text in columns(path)["learning_rate"]], LAST_RATES
        )


@pytest.mark.parametrize("options", [{}, {"validation_freq": 2}], ids=["no", "every-2"])
def test_a_csv_file_has_one_column_more_and_goes_on_over_a_resume(tmp_path, options):
    if options:
        options = {**options, "validation_data": data(1)}
    epochs = 2 * EPOCHS

    def columns_of(path, callbacks):
        class Stop(keras.callbacks.Callback):
            def on_epoch_end(self, epoch, logs=None):
                self.model.stop_training = epoch == EPOCHS - 1

        model = watched(keras.optimizers.SGD(0.01), BATCHES * epochs)
        run = {"batches": BATCHES, "epochs": epochs, **options}
        fit(model, [CSVLogger(path), *callbacks(), Stop()], **run)
        rest = [*callbacks(), CSVLogger(path, append=True)]
        fit(model, rest, initial_epoch=EPOCHS, **run)
        return columns(path)

    plain = columns_of(tmp_path / "plain.csv", lambda: [])
    scheduled = columns_of(tmp_path / "scheduled.csv", lambda: [schedule()])
    assert list(plain) == ["epoch", "loss", "val_loss"]
    assert sorted(scheduled) == ["epoch", "learning_rate", "loss", "val_loss"]
    assert scheduled["epoch"] == plain["epoch"] == ["0", "1", "2", "3"]
    # Keras fills its own column where there is no validation.
    empty = [text == "NA" for text in scheduled["val_loss"]]
    assert empty == [text == "NA" for text in plain["val_loss"]]
    assert empty == ([True, False] * EPOCHS if options else [True] * epochs)
    rates = schedule().values(BATCHES * epochs)[BATCHES - 1 :: BATCHES]
    assert_rates([float(text) for text in scheduled["learning_rate"]], rates)


def test_tensorboard_shows_the_last_rate(tmp_path):
    import tensorflow

    folders = [tmp_path / "before", tmp_path / "after"]
    before, after = ([keras.callbacks.TensorBoard(folder)] for folder in folders)
    train(before, after)
    for folder in folders:
        [path] = (folder / "train").glob("events*")
        values = [
            value
            for event in tensorflow.compat.v1.train.summary_iterator(str(path))
            for value in event.summary.value
            if value.tag == "epoch_learning_rate"
        ]
        shown = [float(tensorflow.make_ndarray(value.tensor)) for value in values]
        assert_rates(shown, LAST_RATES)


def test_wandb_logs_the_last_rate_by_batch_and_by_epoch(monkeypatch, tmp_path):
    for name in ("WANDB_CACHE_DIR", "WANDB_CONFIG_DIR", "WANDB_DATA_DIR"):
        monkeypatch.setenv(name, str(tmp_path))
    # Read as it is imported.
    monkeypatch.setenv("WANDB_ERROR_REPORTING", "false")
    import wandb
    from wandb.integration.keras import WandbMetricsLogger

    # Nothing of the machine is watched, and nothing is printed.
    settings = wandb.Settings(silent=True, console="off", x_disable_stats=True)
    told = []
    with (
        wandb.init(mode="offline", dir=tmp_path, project="p", settings=settings) as run,
        monkeypatch.context() as patch,
    ):
        patch.setattr(wandb, "log", lambda row: told.append(row) or run.log(row))
        before, after = (
            [WandbMetricsLogger("epoch"), WandbMetricsLogger("batch")] for _ in range(2)
        )
        train(before, after)
    wandb.teardown()
    batches = [row for row in told if "batch/batch_step" in row]
    assert_rates([row["batch/learning_rate"] for row in batches], RATES.repeat(2))
    # All four of them log epochs.
    epochs = [row for row in told if "epoch/epoch" in row]
    assert_rates([row["epoch/learning_rate"] for row in epochs], LAST_RATES.repeat(4))


def test_mlflow_logs_the_last_rate_by_itself(monkeypatch, tmp_path):
    flavor = pytest.importorskip("mlflow.keras", reason="needs keras-lr[clients]")
    import mlflow

    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    # It puts a function of its own in this place, and leaves it there.
    monkeypatch.setattr(keras.Model, "fit", keras.Model.fit)
    mlflow.set_tracking_uri((tmp_path / "runs").as_uri())
    flavor.autolog(log_models=False, log_datasets=False)
    try:
        with mlflow.start_run() as run:
            train([], [])
        mlflow.flush_async_logging()
    finally:
        flavor.autolog(disable=True)
    client = mlflow.MlflowClient()
    logged = client.get_metric_history(run.info.run_id, "learning_rate")
    assert_rates([metric.value for metric in logged], LAST_RATES)
