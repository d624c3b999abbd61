"""Five more epochs, and a run cut short, without a jump of the rate.

A small net learns scikit-learn's digits under a plan for ten epochs. Once the user
wants five more when they are over; once only two more after four. The same callback
goes over into the new plan by itself, since it has ``on_extend="continue"``. Both are
compared with runs that were planned for their length from the begin on. Run it on any
backend as ``python examples/more_epochs.py``; the picture in docs was made on JAX.
"""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# Nets this small are faster on one thread.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import keras

import keras_lr

try:
    from matplotlib.figure import Figure
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split
except ImportError as error:
    need = {"sklearn": "scikit-learn"}.get(str(error.name), error.name)
    sys.exit(f"This example needs {need}: pip install 'keras-lr[demos]'.")

SEED = 0
BATCH = 32


@dataclass(frozen=True)
class Run:
    """What a run has seen.

    Attributes:
        name: What it is called.
        rates: The rate of each update.
        losses: The loss on the test images after each epoch.
    """

    name: str
    rates: list[float] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)


class Notes(keras.callbacks.Callback):
    """Notes the rates and losses of a run; stops it after an epoch, if there is one."""

    def __init__(self, run: Run, last: int | None = None) -> None:
        super().__init__()
        self.run = run
        self.last = last

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Note the rate."""
        self.run.rates.append(float(self.model.optimizer.learning_rate))

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Note the loss."""
        self.run.losses.append(logs["val_loss"])
        if epoch + 1 == self.last:
            self.model.stop_training = True


def digits() -> Any:
    x, y = load_digits(return_X_y=True)
    x = (x / 16.0).astype("float32")
    return train_test_split(x, y, test_size=0.3, random_state=SEED, stratify=y)


def network() -> Any:
    keras.utils.set_random_seed(SEED)
    layers = [keras.layers.Dense(32, activation="relu"), keras.layers.Dense(10)]
    model = keras.Sequential([keras.Input((64,)), *layers])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(momentum=0.9), loss)
    return model


def fit(model: Any, data: Any, callbacks: Any, begin: int, end: int) -> None:
    x, x_test, y, y_test = data
    model.fit(
        x,
        y,
        batch_size=BATCH,
        initial_epoch=begin,
        epochs=end,
        validation_data=(x_test, y_test),
        callbacks=callbacks,
        verbose=0,
    )


def planned(data: Any, epochs: int) -> Run:
    """A run that keeps to its plan."""
    run = Run(f"planned for {epochs} epochs")
    schedule = keras_lr.WarmupCosine(max_lr=0.1, warmup="10%")
    fit(network(), data, [schedule, Notes(run)], 0, epochs)
    return run


def changed(data: Any, plan: int, done: int, epochs: int) -> Run:
    """A run whose plan changes after some epochs."""
    run = Run(f"planned for {plan}, after {done} for {epochs}")
    schedule = keras_lr.WarmupCosine(max_lr=0.1, warmup="10%", on_extend="continue")
    model = network()
    fit(model, data, [schedule, Notes(run, last=done)], 0, plan)
    fit(model, data, [schedule, Notes(run)], done, epochs)
    return run


def draw(pairs: list[list[Run]], path: Path) -> None:
    figure = Figure(figsize=(8, 5.2), layout="constrained")
    rows = figure.subplots(len(pairs), 2, squeeze=False)
    for (rates, losses), pair in zip(rows, pairs, strict=True):
        for run, style in zip(pair, ("-", "--"), strict=True):
            each = len(run.rates) / len(run.losses)
            epochs = [update / each for update in range(len(run.rates))]
            rates.plot(epochs, run.rates, style, label=run.name)
            ends = range(1, len(run.losses) + 1)
            losses.plot(ends, run.losses, style, marker="o", ms=3, label=run.name)
        rates.set(ylabel="learning rate", ylim=(0, None))
        losses.set(ylabel="loss on the test images", ylim=(0, 0.6))
        losses.legend()
        for axes in (rates, losses):
            axes.set_xlabel("epoch")
            axes.xaxis.get_major_locator().set_params(integer=True)
            axes.grid(alpha=0.3)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=100)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fast", action="store_true", help="2 epochs, not 15")
    parser.add_argument("--out", type=Path, default=Path("out"), help="for the picture")
    options = parser.parse_args()
    data = digits()
    if options.fast:
        pairs = [[changed(data, 1, 1, 2), planned(data, 2)]]
    else:
        pairs = [
            [changed(data, 10, 10, 15), planned(data, 15)],
            [changed(data, 10, 4, 6), planned(data, 6)],
        ]
    for run in [run for pair in pairs for run in pair]:
        print(f"{run.name:34} last rate {run.rates[-1]:.4f}  loss {run.losses[-1]:.3f}")
    picture = options.out / "changing_plans.png"
    draw(pairs, picture)
    print(f"Picture: {picture}")


if __name__ == "__main__":
    main()
