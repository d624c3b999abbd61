"""Draws docs/find_lr.png: what find_lr saw of scikit-learn's digits.

Run it as ``python docs/find_lr.py``; needs matplotlib and scikit-learn. The picture in
the repository was made with ``KERAS_BACKEND=jax``.
"""

from __future__ import annotations

from pathlib import Path

import keras
import matplotlib as mpl

mpl.use("Agg")

from sklearn.datasets import load_digits

import keras_lr


def main() -> None:
    """Search on a small net, for a one-cycle schedule, and draw the result."""
    keras.utils.set_random_seed(0)
    x, y = load_digits(return_X_y=True)
    layers = [keras.layers.Dense(64, activation="relu"), keras.layers.Dense(10)]
    model = keras.Sequential([keras.Input((64,)), *layers])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss)
    pixels = (x / 16).astype("float32")
    result = keras_lr.find_lr(model, pixels, y, schedule=keras_lr.OneCycle())
    picture = Path(__file__).with_name("find_lr.png")
    result.plot().figure.savefig(picture, dpi=100)
    print(picture)


if __name__ == "__main__":
    main()
