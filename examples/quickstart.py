"""Find a learning rate for scikit-learn's digits, then train with three schedules.

``make quickstart`` runs it; so does ``python examples/quickstart.py`` where
``keras-lr[demos]`` and a Keras backend are installed. All three runs have the same
data, initial weights and batches, and a rate that ``find_lr`` found on the training
data alone.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

# Images this small train many times faster on one thread, above all in torch.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import keras
import numpy as np

import keras_lr

try:
    from matplotlib.figure import Figure
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split
except ImportError as error:
    need = {"sklearn": "scikit-learn"}.get(str(error.name), error.name)
    sys.exit(f"The quickstart needs {need}: pip install 'keras-lr[demos]'.")

SEED = 0
BATCH = 32

NEXT = """What next?
   your model    cycle = keras_lr.OneCycle()
                 result = keras_lr.find_lr(model, x, y, schedule=cycle, epochs=20)
                 cycle = keras_lr.OneCycle(max_lr=result.suggestion)
                 model.fit(x, y, epochs=20, callbacks=[cycle])
   ten minutes   docs/start.md: from a loss that explodes to a scheduled rate
   a word        glossary show one-cycle-policy"""


class Run(NamedTuple):
    """One training: the rate of each update, the losses of each epoch."""

    name: str
    rates: Any
    history: dict[str, list[float]]
    seconds: float


def digits() -> Any:
    """1437 images for training and 360 for validation, 8 x 8, in [0, 1]."""
    x, y = load_digits(return_X_y=True)
    x = (x / 16.0).astype("float32").reshape(-1, 8, 8, 1)
    return train_test_split(x, y, test_size=0.2, random_state=SEED, stratify=y)


def network() -> Any:
    # The seed makes initial weights, dropout and the order of batches the same.
    keras.utils.set_random_seed(SEED)
    layers = keras.layers
    model = keras.Sequential([keras.Input((8, 8, 1))])
    model.add(layers.Conv2D(16, 3, activation="relu", padding="same"))
    model.add(layers.MaxPooling2D())
    model.add(layers.Conv2D(32, 3, activation="relu", padding="same"))
    model.add(layers.Flatten())
    model.add(layers.Dropout(0.2))
    model.add(layers.Dense(10))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(), loss, metrics=["accuracy"])
    return model


def progress(name: str, epochs: int) -> Any:
    """In a terminal a line that tells how far a run is; its row takes its place."""

    def show(epoch: int, logs: dict[str, float]) -> None:
        if sys.stdout.isatty():
            text = f"   {name:15}  epoch {epoch + 1:2} of {epochs}"
            print(f"\r{text}   validation loss {logs['val_loss']:.4f}", end="\r")

    return keras.callbacks.LambdaCallback(on_epoch_end=show)


def found(name: str, data: list[Any], epochs: int, schedule: Any = None) -> float:
    """The rate to train at; the model that is asked stays as it was."""
    find = partial(keras_lr.find_lr, batch_size=BATCH, epochs=epochs, verbose=0)
    begin = time.perf_counter()
    result = find(network(), data[0], data[2], schedule=schedule)
    seconds = time.perf_counter() - begin
    if result.suggestion is None:
        sys.exit(f"There is no rate to train at. {result}")
    low, high = result.interval
    span = f"{low:.2g} to {high:.2g} would do as well"
    print(f"   {name:15}  {result.suggestion:<7.2g} ({span})  {seconds:.0f} s")
    if result.verdict != "trust":
        print(f"   {result}")
    return float(result.suggestion)


def train(name: str, schedule: Any, rate: float, data: list[Any], epochs: int) -> Run:
    x, x_val, y, y_val = data
    callbacks = [progress(name, epochs), *([schedule] if schedule else [])]
    model = network()
    model.optimizer.learning_rate = rate
    fit = partial(model.fit, batch_size=BATCH, epochs=epochs, verbose=0)
    begin = time.perf_counter()
    history = fit(x, y, validation_data=(x_val, y_val), callbacks=callbacks).history
    seconds = time.perf_counter() - begin
    updates = epochs * math.ceil(len(x) / BATCH)
    rates = schedule.values(updates) if schedule else np.full(updates, rate)
    return Run(name, rates, history, seconds)


HEAD = f"   {'run':15}  peak rate  validation loss  validation accuracy  seconds"


def row(run: Run) -> str:
    loss = run.history["val_loss"][-1]
    accuracy = run.history["val_accuracy"][-1]
    line = f"   {run.name:15}  {max(run.rates):9.4f}  {loss:15.4f}"
    return f"{line}  {accuracy:19.1%}  {run.seconds:7.1f}"


def draw(runs: list[Run], path: Path) -> None:
    figure = Figure(figsize=(7, 7), layout="constrained")
    rates, losses = figure.subplots(2, 1, sharex=True)
    for number, run in enumerate(runs):
        color = f"C{number}"
        rates.plot(run.rates, color=color, label=run.name)
        ends = np.linspace(0, len(run.rates), len(run.history["loss"]) + 1)[1:]
        losses.plot(ends, run.history["loss"], ":", color=color)
        losses.plot(ends, run.history["val_loss"], color=color, label=run.name)
    rates.set(title="Learning rate", ylabel="rate of each update", ylim=(0, None))
    losses.set_title("Loss after each epoch (dotted: training, solid: validation)")
    losses.set(xlabel=f"updates (batches of {BATCH})", ylabel="cross-entropy (nats)")
    losses.set_yscale("log")
    losses.yaxis.set_major_formatter("{x:g}")
    for axes in (rates, losses):
        axes.grid(alpha=0.3)
        axes.legend()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fast", action="store_true", help="2 epochs, not 20")
    parser.add_argument("--out", type=Path, default=Path("out"), help="for the picture")
    options = parser.parse_args()
    epochs = 2 if options.fast else 20
    data = digits()
    engine = keras.backend.backend()
    print(f"keras-lr {keras_lr.__version__}, Keras {keras.__version__} on {engine}")
    print(f"A small CNN on scikit-learn's digits: {len(data[0])} images to train on\n")
    print("1. Which learning rate? Found on the training data alone:")
    constant = found("constant rate", data, epochs)
    peak = found("peak of a cycle", data, epochs, keras_lr.OneCycle())
    print(f"\n2. Three trainings of {epochs} epochs, same weights and batches:\n{HEAD}")
    # So that no run's seconds contain the start of the backend.
    network().fit(data[0][:BATCH], data[2][:BATCH], verbose=0)
    schedules = {
        "constant rate": None,
        "warmup + cosine": keras_lr.WarmupCosine(max_lr=peak, warmup="10%"),
        "one-cycle": keras_lr.OneCycle(max_lr=peak),
    }
    runs = []
    for name, schedule in schedules.items():
        runs.append(train(name, schedule, constant, data, epochs))
        print(row(runs[-1]), flush=True)
    print("   One seed: take small differences for chance.\n")
    picture = options.out / "quickstart.png"
    draw(runs, picture)
    print(f"3. Picture of rates and losses: {picture}\n")
    print(NEXT)


if __name__ == "__main__":
    main()
