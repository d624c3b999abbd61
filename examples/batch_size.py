"""Which batch size, and which rate with it, on scikit-learn's digits.

``find_lr`` finds a rate for each of several batch sizes; one training measures its
gradient noise scale, and so the batch size that is worth its cost and a law for the
rate. Draws both into ``out/batch_size.png``.
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

import keras_lr

BATCH = 32


def network() -> Any:
    keras.utils.set_random_seed(0)
    layers = keras.layers
    hidden = [layers.Dense(32, activation="relu") for _ in range(2)]
    model = keras.Sequential([keras.Input((64,)), *hidden, layers.Dense(10)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.1), loss)
    return model


def draw(found: Any, noise: Any, path: Path) -> None:
    figure = Figure(figsize=(10, 4.5), layout="constrained")
    left, right = figure.subplots(1, 2)
    found.plot(left)
    sizes = np.geomspace(found.batch_sizes[0], found.batch_sizes[-1], 50).astype(int)
    law = [noise.rate_at(size) for size in sizes]
    label = f"law of a noise scale of {noise.noise_scale:.0f}"
    left.plot(sizes, law, color="#D55E00", label=label)
    left.legend(fontsize="small")
    left.set_title("A rate for each batch size", loc="left")
    noise.plot(right)
    right.set_title("The noise scale over a training", loc="left")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=100)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fast", action="store_true", help="fewer and shorter runs")
    parser.add_argument("--out", type=Path, default=Path("out"), help="for the picture")
    options = parser.parse_args()
    sizes = [8, 32] if options.fast else [8, 32, 128, 512]
    budget = 120 if options.fast else 800
    x, y = load_digits(return_X_y=True)
    x = (x / 16).astype("float32")

    found = keras_lr.find_lr(
        network(), x, y, batch_size=sizes, budget=budget, verbose=0
    )
    print(found)

    measured = keras_lr.GradientNoiseScale(every=1, window=200)
    model = network()
    rate = found.suggestions[sizes.index(BATCH)]
    model.optimizer.learning_rate = 0.1 if rate is None else rate
    epochs = 1 if options.fast else 10
    model.fit(x, y, batch_size=BATCH, epochs=epochs, callbacks=[measured], verbose=0)
    noise = measured.result
    print(noise)
    for size in (BATCH, 4 * BATCH):
        linear = keras_lr.scale_lr(noise.learning_rate, BATCH, size)
        root = keras_lr.scale_lr(noise.learning_rate, BATCH, size, rule="sqrt")
        print(
            f"batch size {size:4}: linear rule {linear:.2g}, square root {root:.2g}, "
            f"law of the noise scale {noise.rate_at(size):.2g}"
        )
    epoch = keras_lr.scale_length(len(x) // BATCH, BATCH, 4 * BATCH)
    print(f"An epoch of {len(x) // BATCH} updates has {epoch} at {4 * BATCH} rows.")

    picture = options.out / "batch_size.png"
    draw(found, noise, picture)
    print(f"Picture: {picture}")


if __name__ == "__main__":
    main()
