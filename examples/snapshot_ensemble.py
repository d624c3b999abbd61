"""A snapshot ensemble on scikit-learn's digits: several models out of one training.

The rate falls to its floor again and again. At the end of each cycle the weights are
kept; the mean of what these snapshots predict is the ensemble. Of the images only a few
are for training, so that there is something left to gain. Run it on any backend as
``python examples/snapshot_ensemble.py``; the picture in docs was made on JAX.

Source: Huang et al. 2017, Snapshot Ensembles, arXiv:1704.00109.
"""

from __future__ import annotations

import argparse
import os
import sys
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
BATCH = 20
CYCLES = 6


@dataclass(frozen=True)
class Ensemble:
    """What came of the training.

    Attributes:
        updates: The updates after which snapshots were kept.
        alone: The accuracy of each snapshot.
        together: That of the mean of the first one, two, three, ...
        single: That of a training as long whose rate falls once.
    """

    updates: list[int]
    alone: list[float]
    together: list[float]
    single: float


def digits() -> Any:
    """300 images for training and 1497 for the test, in [0, 1]."""
    x, y = load_digits(return_X_y=True)
    x = (x / 16.0).astype("float32").reshape(-1, 8, 8, 1)
    return train_test_split(x, y, train_size=300, random_state=SEED, stratify=y)


def network() -> Any:
    keras.utils.set_random_seed(SEED)
    layers = keras.layers
    model = keras.Sequential([keras.Input((8, 8, 1))])
    model.add(layers.Conv2D(16, 3, activation="relu", padding="same"))
    model.add(layers.MaxPooling2D())
    model.add(layers.Flatten())
    model.add(layers.Dropout(0.3))
    model.add(layers.Dense(64, activation="relu"))
    model.add(layers.Dense(10, activation="softmax"))
    model.compile(keras.optimizers.SGD(momentum=0.9), "sparse_categorical_crossentropy")
    return model


def schedule(keep: Any = None) -> Any:
    return keras_lr.CosineRestarts(
        max_lr=0.1, first_cycle=1 / CYCLES, t_mul=1.0, on_cycle_end=keep
    )


def train(data: Any, epochs: int) -> Ensemble:
    x, x_test, y, y_test = data
    snapshots = []
    updates = []

    def keep(model: Any, cycle: int, update: int) -> None:
        snapshots.append(model.get_weights())
        updates.append(update)

    options = {"batch_size": BATCH, "epochs": epochs, "verbose": 0}
    model = network()
    model.fit(x, y, callbacks=[schedule(keep)], **options)
    predictions = []
    for weights in snapshots:
        model.set_weights(weights)
        predictions.append(model.predict(x_test, batch_size=500, verbose=0))
    counts = range(1, len(predictions) + 1)
    single = network()
    single.fit(x, y, callbacks=[keras_lr.CosineDecay(max_lr=0.1)], **options)
    means = [np.mean(predictions[:count], axis=0) for count in counts]
    return Ensemble(
        updates,
        [accuracy(one, y_test) for one in predictions],
        [accuracy(mean, y_test) for mean in means],
        accuracy(single.predict(x_test, batch_size=500, verbose=0), y_test),
    )


def accuracy(probabilities: Any, y: Any) -> float:
    return float(np.mean(np.argmax(probabilities, axis=1) == y))


def draw(found: Ensemble, epochs: int, path: Path) -> None:
    figure = Figure(figsize=(8, 3.4), layout="constrained")
    rates, scores = figure.subplots(1, 2, width_ratios=[1.35, 1])
    values = schedule().values(epochs * 300 // BATCH)
    rates.plot(values)
    ends = np.array(found.updates) - 1
    label = "snapshot (on_cycle_end)"
    rates.plot(ends, values[ends], "v", color="tab:red", label=label, clip_on=False)
    rates.set(xlabel="update", ylabel="learning rate", ylim=(0, 0.125))
    rates.set_title("One training, a snapshot at the end of each cycle", fontsize=10)
    rates.legend(fontsize="small", loc="upper right")
    numbers = np.arange(1, len(found.alone) + 1)
    alone = 100 * np.array(found.alone)
    together = 100 * np.array(found.together)
    scores.plot(numbers, alone, "v", color="tab:red", label="each snapshot alone")
    scores.plot(numbers, together, "o-", label="ensemble of the first n")
    label = "one cosine decay, as many updates"
    scores.axhline(100 * found.single, color="0.4", linestyle="--", label=label)
    scores.set(xlabel="n", ylabel="accuracy on the test images, %", xticks=numbers)
    scores.set_title("What the snapshots give", fontsize=10)
    # Room for the legend.
    low, high = scores.get_ylim()
    scores.set_ylim(low - 0.4 * (high - low), high)
    scores.legend(fontsize="small")
    for axes in (rates, scores):
        axes.grid(alpha=0.3)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=100)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fast", action="store_true", help="6 epochs, not 60")
    parser.add_argument("--out", type=Path, default=Path("out"), help="for the picture")
    options = parser.parse_args()
    epochs = 6 if options.fast else 60
    found = train(digits(), epochs)
    for update, score in zip(found.updates, found.alone, strict=True):
        print(f"snapshot after {update:4} updates {score:7.2%}")
    print(f"ensemble of {len(found.alone)}               {found.together[-1]:7.2%}")
    print(f"one cosine decay, as long   {found.single:7.2%}")
    picture = options.out / "snapshot_ensemble.png"
    draw(found, epochs, picture)
    print(f"Picture: {picture}")


if __name__ == "__main__":
    main()
