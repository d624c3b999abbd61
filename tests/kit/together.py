"""What a process does of a training that several of them share; run by `processes`.

Usage: RANK=0 WORLD_SIZE=2 ... python -m tests.kit.together KIND CHECK [CHECK ...]

KIND is how they share it: ``ddp`` (torch's DistributedDataParallel inside of a Keras
model), ``all_reduce`` (a train_step that averages gradients), ``jax``. Each check is a
function of this module whose findings are printed as JSON, for the test to compare. The
last check may be one in which a process dies.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import tempfile
import time
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np

import keras_lr
from keras_lr.finder import trainings
from tests.kit.probe import recorded, watch
from tests.kit.sweeps import assert_same, everything

# A test that imports this module is no such process.
RANK = int(os.environ.get("RANK", "0"))
PROCESSES = int(os.environ.get("WORLD_SIZE", "2"))
#: Rows of a batch, in each process.
ROWS = 4
#: Seconds until a process that does not answer is given up; few where a check waits.
PATIENCE = 120
SHORT_PATIENCE = 8


def begin(kind: str, patience: int) -> None:
    """Connect the processes."""
    if kind == "jax":
        import jax

        jax.config.update("jax_cpu_collectives_implementation", "gloo")
        jax.distributed.initialize(
            f"127.0.0.1:{os.environ['MASTER_PORT']}",
            PROCESSES,
            RANK,
            heartbeat_timeout_seconds=patience,
        )
        # Each process has its own rows; Keras would cut them up again.
        parallel = keras.distribution.DataParallel(auto_shard_dataset=False)
        keras.distribution.set_distribution(parallel)
        return
    import torch

    wait = timedelta(seconds=patience)
    torch.distributed.init_process_group("gloo", timeout=wait)


def model_of(kind: str, optimizer: Any, updates: int = 0) -> Any:
    """A linear model that all processes train together; None for one alone."""
    keras.utils.set_random_seed(0)
    start = np.array([[0.1], [0.2], [-0.1], [0.3]], "float32")
    if kind == "ddp":
        import torch

        net = torch.nn.Linear(4, 1, bias=False)
        with torch.no_grad():
            net.weight.copy_(torch.from_numpy(start.T))
        shared = torch.nn.parallel.DistributedDataParallel(net)
        layer = keras.layers.TorchModuleWrapper(shared, output_shape=(None, 1))
    else:
        initial = keras.initializers.Constant(start)
        layer = keras.layers.Dense(1, use_bias=False, kernel_initializer=initial)
    family = Reduced if kind == "all_reduce" else keras.Sequential
    model = family([keras.Input((4,)), layer])
    model.compile(optimizer, "mse")
    model.build((None, 4))
    if updates:
        watch(model.optimizer, model.trainable_variables, updates)
    return model


class Reduced(keras.Sequential):
    """A model on torch whose processes average their gradients by themselves."""

    def train_step(self, data):
        import torch

        x, y = data
        self.zero_grad()
        loss = self.compute_loss(y=y, y_pred=self(x, training=True))
        loss.backward()
        gradients = [one.value.grad for one in self.trainable_weights]
        for gradient in gradients:
            torch.distributed.all_reduce(gradient)
            gradient /= PROCESSES
        with torch.no_grad():
            self.optimizer.apply(gradients, self.trainable_weights)
        for metric in self.metrics:
            metric.update_state(loss)
        return {metric.name: metric.result() for metric in self.metrics}


def rows_of_all(batches: int = 40) -> tuple[np.ndarray, np.ndarray]:
    """Shape ``(processes, rows, ...)``: to each process its own, which differ."""
    generator = np.random.default_rng(0)
    x = generator.normal(size=(PROCESSES, batches * ROWS, 4)).astype("float32")
    noise = generator.normal(size=(PROCESSES, batches * ROWS, 1)).astype("float32")
    y = x @ np.array([[1.0], [-2.0], [0.5], [3.0]], "float32")
    # The second process has much the noisier ones.
    spread = 0.1 * 20.0 ** np.arange(PROCESSES).reshape(-1, 1, 1)
    return x, (y + spread * noise).astype("float32")


def own_rows(batches: int = 40) -> tuple[np.ndarray, np.ndarray]:
    x, y = rows_of_all(batches)
    return x[RANK], y[RANK]


def fit(model: Any, *callbacks: Any, batches: int = 10, **options: Any) -> Any:
    x, y = own_rows(batches)
    given = {"batch_size": ROWS, "shuffle": False, "verbose": 0, **options}
    return model.fit(x, y, callbacks=list(callbacks), **given)


def weights_of(model: Any) -> list[float]:
    return np.concatenate([np.ravel(one) for one in model.get_weights()]).tolist()


# Checks.


def rates(kind: str) -> dict[str, Any]:
    """The rates of a scheduled fit, and the weights that they lead to."""
    model = model_of(kind, keras.optimizers.Adam(0.1), 20)
    fit(model, keras_lr.OneCycle(max_lr=0.1), epochs=2)
    return {"rates": recorded(model).tolist(), "weights": weights_of(model)}


class Interrupted(Exception):
    pass


class Stop(keras.callbacks.Callback):
    """Interrupts the run at an update of its third epoch."""

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if self.epoch == 2 and batch == 5:
            raise Interrupted


def resume(kind: str) -> dict[str, Any]:
    """An interrupted run that is taken up again, and the run without a break."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, breaks in (("whole", [False]), ("resumed", [True, False])):
            backups = str(Path(folder, name))
            for is_broken in breaks:
                model = model_of(kind, keras.optimizers.Adam(0.1), 40)
                backup = keras.callbacks.BackupAndRestore(backups)
                plateau = keras_lr.Plateau("loss", 0.5, 1, min_delta=10)
                stop = [Stop()] if is_broken else []
                cycle = keras_lr.OneCycle(max_lr=0.1)
                try:
                    fit(model, cycle, plateau, backup, *stop, epochs=4)
                except Interrupted:
                    continue
            found[name] = [recorded(model).tolist(), weights_of(model)]
    return found


def resume_apart(kind: str) -> str:
    """What is said where one process has a backup of an epoch less."""
    with tempfile.TemporaryDirectory() as folder:
        latest = Path(folder, "latest")
        before = Path(folder, "before")

        def keep(epoch: int, logs: Any) -> None:
            if epoch == 1:
                shutil.copytree(latest, before)

        keeping = keras.callbacks.LambdaCallback(on_epoch_begin=keep)
        for backups, others in (
            (latest, [keeping, Stop()]),
            (before if RANK else latest, []),
        ):
            model = model_of(kind, keras.optimizers.Adam(0.1))
            backup = keras.callbacks.BackupAndRestore(str(backups))
            warmup = keras_lr.Warmup(5)
            resumed = partial(fit, model, warmup, backup, *others, epochs=4)
            message = message_of(resumed)
    return message


def sweep(kind: str) -> dict[str, Any]:
    """The result of a sweep, which leaves everything as it was."""
    model = model_of(kind, "adam")
    fit(model, batches=2)
    state = everything(model)
    finder = keras_lr.LRFinder(1e-4, 10.0, 40, verbose=0)
    fit(model, finder, batches=40)
    assert_same(everything(model), state)
    return finder.result.to_dict()


def search(kind: str) -> dict[str, Any]:
    """The result of a search, which leaves everything as it was."""
    model = model_of(kind, "adam")
    fit(model, batches=2)
    state = everything(model)
    x, y = own_rows()
    result = keras_lr.find_lr(model, x, y, batch_size=8, budget=240, verbose=0)
    assert_same(everything(model), state)
    return result.to_dict()


def search_some_constant(kind: str) -> dict[str, Any]:
    """A search where the rows held out look otherwise in each process."""
    model = model_of(kind, "adam")
    x, y = own_rows()
    if RANK:
        y = np.ones_like(y)
    result = keras_lr.find_lr(model, x, y, batch_size=8, budget=240, verbose=0)
    return result.to_dict()


def plateau(kind: str) -> dict[str, Any]:
    """The rates of plateaus: what each process sees alone would not cut at once."""
    found = {}
    x, y = own_rows(2)
    every = {"val_loss": "epoch", "loss": "update"}
    for monitor, per in every.items():
        model = model_of(kind, keras.optimizers.SGD(0.2), 80)
        watching = keras_lr.Plateau(monitor, 0.5, 2, per=per, min_delta=0.05)
        history = fit(model, watching, epochs=8, validation_data=(x, y)).history
        found[per] = recorded(model).tolist()
    return {**found, "own losses": history["val_loss"]}


def noise(kind: str) -> dict[str, Any]:
    """The noise scale at weights that stay, and what it is by hand."""
    model = model_of(kind, keras.optimizers.SGD(0.0))
    measure = keras_lr.GradientNoiseScale(every=1)
    fit(model, measure, batches=40, batch_size=32, epochs=8, shuffle=True)
    x, y = rows_of_all()
    weights = np.asarray(model.get_weights()[0]).reshape(4, 1)
    gradients = (2 * (x @ weights - y) * x).reshape(-1, 4)
    within = [2 * (one @ weights - two) * one for one, two in zip(x, y, strict=True)]
    result = measure.result
    return {
        "scale": result.noise_scale,
        "batch_size": result.batch_size,
        "covariance": float(result.covariances.mean()),
        "covariance within": float(np.mean([one.var(axis=0).sum() for one in within])),
        "covariance of all": float(gradients.var(axis=0).sum()),
    }


def branches(kind: str) -> dict[str, Any]:
    """Branches of a run: what they come to, and that one process writes the file."""
    folder = Path(os.environ["BRANCHES"])
    model = model_of(kind, keras.optimizers.SGD(0.05))
    cooling = keras_lr.Cooldown(
        at=5, duration=4, save=folder / "branch-{step}.keras", verbose=0
    )
    x, y = own_rows(2)
    fit(model, keras_lr.Warmup(2), cooling, validation_data=(x, y))
    (branch,) = cooling.results
    return {"metrics": branch.metrics, "loss": branch.history.loss.tolist()}


def message_of(call: Any) -> str:
    try:
        call()
    except Exception as error:
        notes = getattr(error, "__notes__", ())
        return "\n".join([f"{type(error).__name__}: {error}", *notes])
    return "no error"


def refusals(kind: str) -> dict[str, Any]:
    """What is said where data differ in a way that cannot be trained on."""
    x, y = own_rows()
    options = {"batch_size": 8, "budget": 240, "verbose": 0}
    finder = keras_lr.LRFinder(steps=40, verbose=0)

    def error_of_search(rows: int, bad: int | None = None) -> str:
        here = x[:rows].copy()
        if bad is not None:
            here[bad] = np.nan
        model = model_of(kind, "adam")
        search = partial(keras_lr.find_lr, model, here, y[:rows], **options)
        return message_of(search)

    def error_of_sweep(rows: int, bad: int | None = None) -> str:
        here = x[:rows].copy()
        if bad is not None:
            here[bad] = np.nan
        model = model_of(kind, "adam")
        fit(model, batches=2)
        state = everything(model)
        given = {"batch_size": ROWS, "callbacks": [finder], "verbose": 0}
        message = message_of(partial(model.fit, here, y[:rows], **given))
        assert_same(everything(model), state)
        return message

    return {
        "rows": error_of_search(160 - 16 * RANK),
        "rows of sweep": error_of_sweep(160 - 16 * RANK),
        "not finite": error_of_search(160, bad=7 if RANK else None),
        "not finite in sweep": error_of_sweep(160, bad=41 if RANK else None),
    }


def die_in_search(kind: str) -> str:
    """What is said where another process dies in the third training of a search."""
    train = trainings.loop.train
    calls = []

    def train_or_die(*given: Any) -> None:
        calls.append(None)
        if RANK and len(calls) == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        train(*given)

    trainings.loop.train = train_or_die
    return message_of(partial(search, kind))


class Die(keras.callbacks.Callback):
    """Kills the second process in the middle of a fit."""

    def on_train_batch_end(self, batch, logs=None):
        if RANK and batch == 5:
            os.kill(os.getpid(), signal.SIGKILL)


def die_in_fit(kind: str) -> str:
    """What is said where another process dies in a fit."""
    model = model_of(kind, "adam")
    schedule = keras_lr.Warmup(5)
    return message_of(partial(fit, model, schedule, Die(), batches=40))


def absent_from_search(kind: str) -> str:
    """What is said where another process does not take part."""
    if RANK:
        time.sleep(3 * SHORT_PATIENCE)
        return "slept"
    model = model_of(kind, "adam")
    return message_of(partial(keras_lr.find_lr, model, *own_rows(), verbose=0))


def main() -> None:
    kind, *names = sys.argv[1:]
    begin(kind, SHORT_PATIENCE if "absent_from_search" in names else PATIENCE)
    found = {}
    for name in names:
        if "die" in name:
            print(json.dumps(found), flush=True)
        found[name] = globals()[name](kind)
    print(json.dumps(found), flush=True)
    if any("die" in name for name in names):
        # Not by the usual way out, on which JAX waits for the others.
        os._exit(0)


if __name__ == "__main__":
    main()
