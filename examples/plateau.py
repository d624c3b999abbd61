"""Warm up, cut the rate where the validation loss stops falling, decay at the end.

Scikit-learn's digits with noisy labels, so that a net overfits. Keras' own
ReduceLROnPlateau cuts beside; all runs share data, initial weights and batches. Draws
``out/plateau.png``.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

# Nets this small train faster on one thread.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import keras
import numpy as np
from matplotlib.figure import Figure
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import keras_lr

RATE = 0.2
BATCH = 32


class Rates(keras.callbacks.Callback):
    """Notes the rate of each update, and the loss of each epoch."""

    def __init__(self) -> None:
        super().__init__()
        self.rates: list[float] = []
        self.losses: list[float] = []
        self.ends: list[int] = []

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Note the rate."""
        self.rates.append(float(self.model.optimizer.learning_rate))

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Note the loss."""
        self.losses.append(logs["val_loss"])
        self.ends.append(len(self.rates))


def digits() -> Any:
    """Images as rows of 64 numbers in [0, 1]; every tenth label is another one."""
    x, y = load_digits(return_X_y=True)
    x = (x / 16.0).astype("float32")
    x, x_val, y, y_val = train_test_split(x, y, test_size=0.4, random_state=0)
    generator = np.random.default_rng(0)
    noisy = generator.random(len(y)) < 0.1
    y = np.where(noisy, generator.integers(0, 10, len(y)), y)
    return x, x_val, y, y_val


def network() -> Any:
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((64,)),
            keras.layers.Dense(64, activation="relu"),
            keras.layers.Dense(10),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(RATE, momentum=0.9), loss)
    return model


def train(callbacks: list[Any], data: Any, epochs: int) -> Rates:
    x, x_val, y, y_val = data
    noted = Rates()
    network().fit(
        x,
        y,
        batch_size=BATCH,
        epochs=epochs,
        validation_data=(x_val, y_val),
        callbacks=[*callbacks, noted],
        verbose=0,
    )
    return noted


def draw(runs: dict[str, Rates], path: Path) -> None:
    figure = Figure(figsize=(7, 6), layout="constrained")
    rates, losses = figure.subplots(2, 1, sharex=True)
    for number, (name, run) in enumerate(runs.items()):
        style = {"color": f"C{number}", "label": name}
        rates.plot(np.arange(1, len(run.rates) + 1), run.rates, **style)
        losses.plot(run.ends, run.losses, marker=".", **style)
    rates.set(title="Learning rate", ylabel="rate of each update", yscale="log")
    rates.set_ylim(RATE / 1000, RATE * 2)
    losses.set(title="Loss on rows that none was trained on", yscale="log")
    losses.set(xlabel=f"updates (batches of {BATCH})", ylabel="cross-entropy (nats)")
    losses.yaxis.set_major_formatter("{x:g}")
    losses.yaxis.set_minor_formatter("{x:g}")
    for axes in (rates, losses):
        axes.grid(alpha=0.3)
    losses.legend()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=100)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fast", action="store_true", help="6 epochs, not 30")
    parser.add_argument("--out", type=Path, default=Path("out"), help="for the picture")
    options = parser.parse_args()
    epochs = 6 if options.fast else 30
    data = digits()
    cuts = {"factor": 0.3, "patience": 2, "min_delta": 0.0, "min_lr": RATE / 100}
    runs = {
        "constant rate": train([], data, epochs),
        "Keras' ReduceLROnPlateau": train(
            [keras.callbacks.ReduceLROnPlateau("val_loss", **cuts)], data, epochs
        ),
        "Plateau: warmup, best weights, decay": train(
            [
                keras_lr.Plateau(
                    **cuts, warmup="1 epochs", restore_best=True, decay="10%"
                )
            ],
            data,
            epochs,
        ),
    }
    for name, run in runs.items():
        rates = np.array(run.rates)
        cut = 1 + np.flatnonzero((rates[1:] < rates[:-1] / 2) & (rates[1:] > 0))
        print(
            f"{name:37} cuts after updates {cut.tolist()!s:30} "
            f"last validation loss {run.losses[-1]:.4f}, best {min(run.losses):.4f}"
        )
    picture = options.out / "plateau.png"
    draw(runs, picture)
    print(f"One seed: take small differences for chance. Picture: {picture}")


if __name__ == "__main__":
    main()
