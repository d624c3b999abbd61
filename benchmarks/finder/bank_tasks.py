"""More tasks to tune on, cheap ones: none is scored, and the truth of none is kept.

A search that is tuned on few tasks fits them. These have the data of
``benchmarks.finder.tasks`` and other models, optimizers, batch sizes and lengths.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import keras
import numpy as np
from keras import layers

from benchmarks.finder.tasks import (
    Arrays,
    Task,
    classes,
    dense,
    digits,
    fine_tuned,
    patches,
    patches_again,
    some_digits,
    split,
    table,
    text,
    yes_or_no,
)

opt = keras.optimizers
squares = keras.losses.MeanSquaredError


@cache
def wrong_labels(share: float) -> Arrays:
    """Digits, of whose labels to train on a share is drawn by lot."""
    x, y, x_val, y_val = digits()
    rng = np.random.default_rng(22)
    lot = rng.integers(0, 10, len(y))
    return x, np.where(rng.random(len(y)) < share, lot, y), x_val, y_val


@cache
def few_digits(rows: int) -> Arrays:
    """The first rows of the digits."""
    x, y, x_val, y_val = digits()
    return x[:rows], y[:rows], x_val, y_val


@cache
def linnerud() -> Arrays:
    """A smooth function of four numbers, with noise."""
    rng = np.random.default_rng(23)
    x = rng.normal(size=(1200, 4))
    y = np.sin(x[:, :1]) + x[:, 1:2] * x[:, 2:3] + 0.1 * rng.normal(size=(1200, 1))
    return split(x, y.astype("float32"))


@cache
def flat_patches(scale: float) -> Arrays:
    """Patches of photographs as rows of numbers."""
    x, y, x_val, y_val = patches(scale)
    return x.reshape(len(x), -1), y, x_val.reshape(len(x_val), -1), y_val


@cache
def next_character() -> Arrays:
    """Eight characters and the one that follows."""
    x, y, x_val, y_val = text()
    return x[:, -8:], y[:, -1], x_val[:, -8:], y_val[:, -1]


def normed(norm: Callable[[], Any], width: int = 48, depth: int = 3) -> Any:
    """Dense layers with a normalization each."""
    stack: list[Any] = []
    for _ in range(depth):
        stack += [layers.Dense(width), norm(), layers.Activation("relu")]
    return keras.Sequential([keras.Input((64,)), *stack, layers.Dense(10)])


def bag() -> Any:
    """Embedded characters, then dense layers."""
    return keras.Sequential(
        [
            keras.Input((8,), dtype="int32"),
            layers.Embedding(40, 12),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dense(40),
        ]
    )


momentum = partial(opt.SGD, momentum=0.9)
nesterov = partial(opt.SGD, momentum=0.9, nesterov=True)
more = partial(Task, tuned=True, seeds=4)

MORE = (
    more("more: tanh digits, Lion", digits, partial(dense, 64, (48,), 10, "tanh"),
         opt.Lion, classes, updates=600),
    more("more: mlp digits, Adagrad", digits, partial(dense, 64, (64, 64), 10),
         opt.Adagrad, classes, updates=800),
    more("more: mlp digits, Ftrl", digits, partial(dense, 64, (64, 64), 10), opt.Ftrl,
         classes),
    more("more: batches of 8 digits, SGD", digits, partial(dense, 64, (64, 64), 10),
         opt.SGD, classes, batch_size=8, updates=1200),
    more("more: batches of 128 digits, Adam", digits, partial(dense, 64, (96,), 10),
         opt.Adam, classes, batch_size=128, updates=400),
    more("more: wrong labels digits, AdamW", partial(wrong_labels, 0.3),
         partial(dense, 64, (96,), 10), opt.AdamW, classes, updates=600),
    more("more: wrong labels digits, Nesterov", partial(wrong_labels, 0.4),
         partial(dense, 64, (64, 64), 10), nesterov, classes, updates=900),
    more("more: few digits, Adam", partial(few_digits, 240),
         partial(dense, 64, (64,), 10), opt.Adam, classes, batch_size=16, updates=400),
    more("more: few digits, momentum", partial(few_digits, 160),
         partial(dense, 64, (64, 64), 10, "tanh"), momentum, classes, batch_size=16,
         updates=300),
    more("more: batch-norm mlp digits, SGD", digits,
         partial(normed, layers.BatchNormalization), opt.SGD, classes, updates=700),
    more("more: layer-norm mlp digits, Nesterov", digits,
         partial(normed, layers.LayerNormalization), nesterov, classes, updates=700),
    more("more: layer-norm mlp digits, RMSprop", digits,
         partial(normed, layers.LayerNormalization), opt.RMSprop, classes),
    more("more: raw pixels digits, momentum", partial(digits, 0.5),
         partial(dense, 64, (32,), 10), momentum, classes, updates=400),
    more("more: raw pixels digits, RMSprop", partial(digits, 1.0),
         partial(dense, 64, (64, 32), 10), opt.RMSprop, classes, updates=800),
    more("more: 20 layers digits, AdamW", digits,
         partial(dense, 64, (40,) * 20, 10, "tanh"), opt.AdamW, classes, updates=400),
    more("more: 12 layers digits, momentum", digits, partial(dense, 64, (40,) * 12, 10),
         momentum, classes),
    more("more: iris, SGD", partial(table, "iris"), partial(dense, 4, (), 3), opt.SGD,
         classes, batch_size=8, updates=400),
    more("more: wine, Adam", partial(table, "wine"), partial(dense, 13, (24,), 3),
         opt.Adam, classes, batch_size=8, updates=300),
    more("more: breast cancer, Adam", partial(table, "breast_cancer"),
         partial(dense, 30, (32, 16), 1), opt.Adam, yes_or_no, batch_size=16,
         updates=400),
    more("more: breast cancer, RMSprop", partial(table, "breast_cancer"),
         partial(dense, 30, (16,), 1, "tanh"), opt.RMSprop, yes_or_no, updates=600),
    more("more: scaled diabetes, SGD", partial(table, "diabetes", target=0.01),
         partial(dense, 10, (32,), 1), opt.SGD, squares, batch_size=16),
    more("more: raw targets diabetes, Nesterov", partial(table, "diabetes", target=3.0),
         partial(dense, 10, (24, 24), 1), nesterov, squares, batch_size=32,
         updates=800),
    more("more: raw targets diabetes, AdamW", partial(table, "diabetes"),
         partial(dense, 10, (64,), 1), opt.AdamW, squares, batch_size=32, updates=1500),
    more("more: smooth function, Adam", linnerud, partial(dense, 4, (48, 48), 1),
         opt.Adam, squares, updates=1200),
    more("more: smooth function, momentum", linnerud,
         partial(dense, 4, (48, 48), 1, "tanh"), momentum, squares, updates=1000),
    more("more: smooth function, SGD", linnerud, partial(dense, 4, (32,), 1), opt.SGD,
         squares, updates=2000),
    more("more: autoencoder photos, RMSprop", patches_again,
         partial(dense, 256, (48, 12, 48), 256, "tanh"), opt.RMSprop, squares,
         updates=700),
    more("more: autoencoder photos, AdamW", patches_again,
         partial(dense, 256, (24,), 256), opt.AdamW, squares, updates=1500),
    more("more: flat photos, AdamW", partial(flat_patches, 64.0),
         partial(dense, 768, (24,), 1), opt.AdamW, yes_or_no),
    more("more: flat photos, SGD", partial(flat_patches, 16.0),
         partial(dense, 768, (24,), 1), opt.SGD, yes_or_no, updates=600),
    more("more: fine-tuning digits, RMSprop", partial(some_digits, 5, 9), fine_tuned,
         opt.RMSprop, classes, updates=500),
    more("more: next character, Adam", next_character, bag, opt.Adam, classes,
         updates=800),
    more("more: next character, momentum", next_character, bag, momentum, classes,
         updates=1000),
)  # fmt: skip
