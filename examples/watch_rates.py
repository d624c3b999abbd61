"""Watch a one-cycle run on scikit-learn's digits: rate, loss, and how far updates go.

Writes ``watch_rates.csv``, one row a sample, and draws ``watching.png``. The run is cut
after half of its epochs and goes on in a second fit, as after a break of the machine:
the file has each update once.
"""

from __future__ import annotations

import argparse
import csv
import os
from pathlib import Path

# Nets this small are faster on one thread.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import keras
import matplotlib as mpl
from sklearn.datasets import load_digits

import keras_lr

mpl.use("Agg")

BATCH = 32


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fast", action="store_true", help="2 epochs, not 20")
    parser.add_argument("--out", type=Path, default=Path("out"), help="for the files")
    options = parser.parse_args()
    epochs = 2 if options.fast else 20
    keras.utils.set_random_seed(0)
    x, y = load_digits(return_X_y=True)
    x = (x / 16).astype("float32")
    layers = [
        keras.layers.Dense(64, activation="relu", name="first"),
        keras.layers.Dense(64, activation="relu", name="second"),
        keras.layers.Dense(10, name="classes"),
    ]
    model = keras.Sequential([keras.Input((64,)), *layers])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(momentum=0.9), loss)

    path = options.out / "watch_rates.csv"
    # A horizon, since the run is in two pieces.
    one_cycle = keras_lr.OneCycle(max_lr=0.3, horizon=f"{epochs} epochs")
    for begin, end in ((0, epochs // 2), (epochs // 2, epochs)):
        # A monitor of its own for each piece, as another process would have.
        monitor = keras_lr.RateMonitor(every=10, csv=path)
        model.fit(
            x,
            y,
            batch_size=BATCH,
            initial_epoch=begin,
            epochs=end,
            verbose=0,
            callbacks=[one_cycle, monitor],
        )

    with path.open() as file:
        rows = list(csv.DictReader(file))
    print(f"{path}: {len(rows)} samples, updates 0 to {rows[-1]['update']}")
    for row in rows[:: max(1, len(rows) // 5)]:
        rate, momentum = float(row["learning_rate"]), float(row["momentum"])
        print(
            f"  update {row['update']:>4}: rate {rate:.4f}, momentum {momentum:.3f}, "
            f"loss {float(row['loss']):.3f}, |change| / |weights| "
            f"{float(row['ratio/all']):.1e}"
        )
    # The second monitor has read what the first one wrote.
    axes = monitor.plot()
    axes.set_title("One-cycle on digits, SGD with momentum: every 10th update")
    picture = options.out / "watching.png"
    axes.figure.savefig(picture, dpi=100)
    print(f"Picture: {picture}")


if __name__ == "__main__":
    main()
