"""A published PyTorch recipe in Keras: carried over, checked, drawn, trained with.

torchvision's reference recipe for ResNet-50 (2021) steps once an epoch through
``SequentialLR`` of ``LinearLR`` (from a hundredth of the rate) and
``CosineAnnealingLR``. Here its five warmup epochs of 600 are two of twenty, for a small
net on scikit-learn's digits. One line carries it over; ``lint`` says what the rate of
each update will be, and what looks odd about it; the picture has torch's own values
beside it, where torch is installed; then the net trains with it, and with the same
recipe in updates. Run it on any backend as ``python examples/from_torch.py``; the
picture in docs was made on JAX.
"""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Nets this small are faster on one thread.
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
    sys.exit(f"This example needs {need}: pip install 'keras-lr[demos]'.")

SEED = 0
BATCH = 32
RATE = 0.1


@dataclass(frozen=True)
class Length:
    """How long the recipe is, in epochs.

    Attributes:
        warmup: Epochs of warmup.
        total: All epochs.
    """

    warmup: int
    total: int


@dataclass(frozen=True)
class Run:
    """What a training has seen.

    Attributes:
        name: What it was trained with.
        losses: The loss on the test images after each epoch.
    """

    name: str
    losses: list[float]


def recipe(length: Length, steps_per_epoch: int = 1, per: str = "epoch") -> Any:
    """The recipe; with more steps in an epoch one that steps at each update."""
    warmup = length.warmup * steps_per_epoch
    cosine = (length.total - length.warmup) * steps_per_epoch
    return keras_lr.interop.from_torch(
        "SequentialLR",
        schedulers=[
            ("LinearLR", {"start_factor": 0.01, "total_iters": warmup}),
            ("CosineAnnealingLR", {"T_max": cosine}),
        ],
        milestones=[warmup],
        per=per,
    )


def of_torch(length: Length) -> Any:
    """The rates of torch's own schedulers, one an epoch; None without torch."""
    try:
        import torch
    except ImportError:
        return None
    schedulers = torch.optim.lr_scheduler
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=RATE)
    cosine = length.total - length.warmup
    scheduler = schedulers.SequentialLR(
        optimizer,
        [
            schedulers.LinearLR(optimizer, 0.01, total_iters=length.warmup),
            schedulers.CosineAnnealingLR(optimizer, cosine),
        ],
        [length.warmup],
    )
    rates = []
    for _ in range(length.total):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        with warnings.catch_warnings():
            # Torch deprecates a call that it makes itself.
            warnings.simplefilter("ignore")
            scheduler.step()
    return np.array(rates)


def digits() -> Any:
    x, y = load_digits(return_X_y=True)
    x = (x / 16.0).astype("float32")
    return train_test_split(x, y, test_size=0.3, random_state=SEED, stratify=y)


def network() -> Any:
    keras.utils.set_random_seed(SEED)
    layers = [keras.layers.Dense(32, activation="relu"), keras.layers.Dense(10)]
    model = keras.Sequential([keras.Input((64,)), *layers])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(RATE, momentum=0.9), loss)
    return model


def train(name: str, callbacks: Any, data: Any, epochs: int) -> Run:
    x, x_test, y, y_test = data
    history = network().fit(
        x,
        y,
        batch_size=BATCH,
        epochs=epochs,
        validation_data=(x_test, y_test),
        callbacks=callbacks,
        verbose=0,
    )
    return Run(name, history.history["val_loss"])


def draw(report: Any, original: Any, runs: list[Run], path: Path) -> None:
    figure = Figure(figsize=(8, 3.4), layout="constrained")
    rates, losses = figure.subplots(1, 2)
    updates = len(report.rates)
    epochs = len(runs[0].losses)
    rates.plot(np.arange(updates) * epochs / updates, report.rates, label="in Keras")
    if original is not None:
        middles = np.arange(epochs) + 0.5
        rates.plot(middles, original, "o", color="tab:orange", ms=4, label="torch")
    rates.set(xlabel="epoch", ylabel="learning rate", ylim=(0, None))
    for run, style in zip(runs, ("-", "--", ":"), strict=True):
        losses.plot(range(1, epochs + 1), run.losses, style, label=run.name)
    losses.set(xlabel="epoch", ylabel="loss on the test images", ylim=(0, 0.5))
    for axes in (rates, losses):
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(alpha=0.3)
        axes.legend()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=100)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fast", action="store_true", help="4 epochs, not 20")
    parser.add_argument("--out", type=Path, default=Path("out"), help="for the picture")
    options = parser.parse_args()
    length = Length(1, 4) if options.fast else Length(2, 20)
    data = digits()
    steps = -(-len(data[0]) // BATCH)
    carried_over = recipe(length)

    print("The recipe, and what a look before the training finds:\n")
    report = keras_lr.lint(
        [carried_over], epochs=length.total, steps_per_epoch=steps, model=network()
    )
    print(report)

    original = of_torch(length)
    if original is None:
        print("\nTorch is not installed; its own values are not compared.")
    else:
        apart = np.abs(report.rates[::steps] - original).max()
        print(f"\nFarthest from torch's own rate: {apart:.1e}")

    by_update = recipe(length, steps, per="update")
    runs = [
        train("the recipe, by epoch", [carried_over], data, length.total),
        train("the recipe, by update", [by_update], data, length.total),
        train("a constant rate", [], data, length.total),
    ]
    for run in runs:
        print(f"{run.name:22} loss on the test images {run.losses[-1]:.3f}")
    picture = options.out / "from_torch.png"
    draw(report, original, runs, picture)
    print(f"Picture: {picture}")


if __name__ == "__main__":
    main()
