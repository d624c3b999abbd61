"""The tasks on which finders are scored: real data, small models, many families.

All data ship in packages (scikit-learn, Python's own ``pydoc_data``); nothing is
downloaded. Those marked ``tuned`` are for tuning, the others only for reporting. More
than a third are off the usual scale, where a default rate fails: raw pixels, targets in
the thousands, raw features, nets of 20 layers, fine-tuning.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import keras
import numpy as np
from keras import layers

Arrays = tuple[Any, Any, Any, Any]


@dataclass(frozen=True)
class Task:
    """One training job.

    Attributes:
        name: Family, data and optimizer.
        data: Makes ``(x, y, x_val, y_val)``.
        model: Makes a model that is built; Keras' global seed decides the weights.
        optimizer: Makes an optimizer at its default rate.
        loss: Makes the loss.
        batch_size: Examples of a batch.
        updates: Updates of the whole training.
        tuned: Whether the finder was tuned on it.
        off_scale: Whether the usual rates are wrong for it.
        erratic: Whether its trainings are so erratic that its best rate is chance. It
            is counted apart.
        seeds: Trainings that the truth averages over, at each rate.
    """

    name: str
    data: Callable[[], Arrays]
    model: Callable[[], Any]
    optimizer: Callable[[], Any]
    loss: Callable[[], Any]
    batch_size: int = 32
    updates: int = 500
    tuned: bool = False
    off_scale: bool = False
    erratic: bool = False
    seeds: int = 6

    @property
    def kind(self) -> str:
        """``"fine-tuning"``, ``"off the usual scale"`` or ``"ordinary"``."""
        if self.name.startswith("fine-tuning"):
            return "fine-tuning"
        return "off the usual scale" if self.off_scale else "ordinary"


def classes() -> Any:
    """Cross-entropy of integer labels, from logits."""
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def yes_or_no() -> Any:
    """Cross-entropy of 0 and 1, from logits."""
    return keras.losses.BinaryCrossentropy(from_logits=True)


# Data.


def split(x: Any, y: Any, share: float = 0.25) -> Arrays:
    """The same rows held out every time."""
    order = np.random.default_rng(20).permutation(len(x))
    held = int(len(x) * share)
    x, y = np.asarray(x, "float32")[order], np.asarray(y)[order]
    return x[held:], y[held:], x[:held], y[:held]


@cache
def digits(scale: float = 16.0, shape: tuple[int, ...] = (64,)) -> Arrays:
    """Digits of 8 x 8 pixels from 0 to 16, over ``scale``."""
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    return split((x / scale).reshape(-1, *shape), y)


@cache
def some_digits(low: int, high: int) -> Arrays:
    """The digits from ``low`` to ``high``, with labels from 0."""
    out: list[Any] = []
    x, y, x_val, y_val = digits()
    for rows, labels in ((x, y), (x_val, y_val)):
        here = (labels >= low) & (labels <= high)
        out += [rows[here], labels[here] - low]
    return tuple(out)  # type: ignore[return-value]


@cache
def digits_again() -> Arrays:
    """Digits as input and as target."""
    x, _, x_val, _ = digits()
    return x, x, x_val, x_val


@cache
def table(name: str, scaled: bool = True, target: float = 1.0) -> Arrays:
    """One of scikit-learn's tables, its columns standardized or as they are."""
    from sklearn import datasets

    raw = {"scaled": False} if name == "diabetes" and not scaled else {}
    x, y = getattr(datasets, f"load_{name}")(return_X_y=True, **raw)
    if scaled:
        x = (x - x.mean(0)) / x.std(0)
    if name == "diabetes":
        y = (y[:, None] * target).astype("float32")
    if name == "breast_cancer":
        y = y[:, None].astype("float32")
    return split(x, y)


@cache
def patches(scale: float) -> Arrays:
    """Patches of 16 x 16 pixels of two photographs: which one is it from?"""
    from sklearn.datasets import load_sample_images

    x, y = [], []
    for label, photo in enumerate(load_sample_images().images):
        for top in range(0, photo.shape[0] - 15, 16):
            for left in range(0, photo.shape[1] - 15, 16):
                x.append(photo[top : top + 16, left : left + 16])
                y.append([float(label)])
    return split(np.array(x) / scale, np.array(y, "float32"))


@cache
def patches_again() -> Arrays:
    """Grey patches as input and as target."""
    x, _, x_val, _ = patches(255.0)
    x, x_val = x.mean(-1).reshape(len(x), -1), x_val.mean(-1).reshape(len(x_val), -1)
    return x, x, x_val, x_val


@cache
def text(length: int = 24) -> Arrays:
    """Characters of Python's own manual: which one is next?"""
    from pydoc_data.topics import topics

    whole = "".join(topics[name] for name in sorted(topics))[:60_000].lower()
    known = sorted(set("abcdefghijklmnopqrstuvwxyz .,\n\"'()"))
    code = {char: i + 1 for i, char in enumerate(known)}
    ids = np.array([code.get(char, 0) for char in whole])
    starts = np.random.default_rng(21).integers(0, len(ids) - length - 1, 4000)
    rows = ids[starts[:, None] + np.arange(length + 1)]
    x, y, x_val, y_val = split(rows[:, :-1], rows[:, 1:], 0.15)
    return x.astype("int32"), y, x_val.astype("int32"), y_val


# Models.


def dense(
    inputs: int, widths: tuple[int, ...], outputs: int, activation: str = "relu"
) -> Any:
    """Dense layers, one after the other."""
    init = "he_normal" if activation == "relu" else "glorot_uniform"
    stack = [
        layers.Dense(width, activation=activation, kernel_initializer=init)
        for width in widths
    ]
    return keras.Sequential([keras.Input((inputs,)), *stack, layers.Dense(outputs)])


def dropout() -> Any:
    """Dense layers with dropout."""
    return keras.Sequential(
        [
            keras.Input((64,)),
            layers.Dense(128, activation="relu"),
            layers.Dropout(0.3),
            layers.Dense(64, activation="relu"),
            layers.Dropout(0.3),
            layers.Dense(10),
        ]
    )


def conv(shape: tuple[int, ...], outputs: int, norm: bool = False) -> Any:
    """Two convolutions, with or without batch normalization."""
    x = inputs = keras.Input(shape)
    for filters in (8, 16):
        x = layers.Conv2D(filters, 3, strides=2, padding="same")(x)
        x = layers.BatchNormalization()(x) if norm else x
        x = layers.Activation("relu")(x)
    return keras.Model(inputs, layers.Dense(outputs)(layers.Flatten()(x)))


def residual(blocks: int = 4, width: int = 48) -> Any:
    """Residual blocks of batch normalization and dense layers."""
    inputs = keras.Input((64,))
    x = layers.Dense(width)(inputs)
    for _ in range(blocks):
        y = layers.Activation("relu")(layers.BatchNormalization()(x))
        x = layers.Add()([x, layers.Dense(width)(y)])
    x = layers.Activation("relu")(layers.BatchNormalization()(x))
    return keras.Model(inputs, layers.Dense(10)(x))


def attend(x: Any, width: int, causal: bool) -> Any:
    """One block of a transformer, normalized first."""
    y = layers.LayerNormalization()(x)
    y = layers.MultiHeadAttention(4, width // 4)(y, y, use_causal_mask=causal)
    x = layers.Add()([x, y])
    y = layers.LayerNormalization()(x)
    y = layers.Dense(2 * width, activation="gelu")(y)
    return layers.Add()([x, layers.Dense(width)(y)])


def rows_transformer(width: int = 24) -> Any:
    """A transformer over the rows of a digit."""
    inputs = keras.Input((8, 8))
    places = layers.Embedding(8, width)(np.arange(8)[None])
    x = layers.Add()([layers.Dense(width)(inputs), places])
    for _ in range(2):
        x = attend(x, width, causal=False)
    x = layers.GlobalAveragePooling1D()(layers.LayerNormalization()(x))
    return keras.Model(inputs, layers.Dense(10)(x))


def text_transformer(width: int = 32) -> Any:
    """A causal transformer over characters."""
    inputs = keras.Input((24,), dtype="int32")
    places = layers.Embedding(24, width)(np.arange(24)[None])
    x = layers.Add()([layers.Embedding(40, width)(inputs), places])
    x = attend(attend(x, width, causal=True), width, causal=True)
    return keras.Model(inputs, layers.Dense(40)(layers.LayerNormalization()(x)))


def rows_recurrent(layer: Any = layers.GRU) -> Any:
    """A GRU or LSTM over the rows of a digit."""
    return keras.Sequential([keras.Input((8, 8)), layer(32), layers.Dense(10)])


def text_recurrent(layer: Any = layers.LSTM) -> Any:
    """An LSTM or GRU over characters."""
    return keras.Sequential(
        [
            keras.Input((24,), dtype="int32"),
            layers.Embedding(40, 16),
            layer(32, return_sequences=True),
            layers.Dense(40),
        ]
    )


def fine_tuned() -> Any:
    """A net that knows the digits 0 to 4, with a new last layer for 5 to 9."""
    model = dense(64, (96, 96), 5)
    for layer, weights in zip(model.layers[:-1], _pretrained(), strict=True):
        layer.set_weights(weights)
    return model


@cache
def _pretrained() -> list[list[Any]]:
    from benchmarks.finder.train import Trainer

    from_scratch = Task(
        "pretrain", partial(some_digits, 0, 4), partial(dense, 64, (96, 96), 5),
        keras.optimizers.Adam, classes, updates=600,
    )  # fmt: skip
    trainer = Trainer(from_scratch)
    trainer.run(seed=0, rates=np.full(600, 3e-3))
    trainer.keep()
    return [layer.get_weights() for layer in trainer.model.layers[:-1]]


opt = keras.optimizers

TASKS = (
    # To tune on.
    Task("mlp digits, SGD", digits, partial(dense, 64, (64,), 10),
         opt.SGD, classes, updates=1000, tuned=True),
    Task("cnn digits, momentum", partial(digits, shape=(8, 8, 1)),
         partial(conv, (8, 8, 1), 10), partial(opt.SGD, momentum=0.9), classes,
         tuned=True),
    Task("residual batch-norm digits, AdamW", digits, residual,
         opt.AdamW, classes, tuned=True),
    Task("GRU digits, RMSprop", partial(digits, shape=(8, 8)), rows_recurrent,
         opt.RMSprop, classes, tuned=True),
    Task("transformer text, Adam", text, text_transformer,
         opt.Adam, classes, batch_size=16, tuned=True),
    Task("autoencoder photos, Adam", patches_again,
         partial(dense, 256, (64, 16, 64), 256),
         opt.Adam, keras.losses.MeanSquaredError, updates=1000, tuned=True),
    Task("raw targets diabetes, Adam", partial(table, "diabetes", target=10.0),
         partial(dense, 10, (32, 32), 1), opt.Adam, keras.losses.MeanSquaredError,
         batch_size=16, tuned=True, off_scale=True),
    Task("raw pixels digits, SGD", partial(digits, 1.0), partial(dense, 64, (64,), 10),
         opt.SGD, classes, tuned=True, off_scale=True),
    Task("fine-tuning digits, Adam", partial(some_digits, 5, 9), fine_tuned,
         opt.Adam, classes, updates=300, tuned=True, off_scale=True),
    Task("mlp breast cancer, Nesterov", partial(table, "breast_cancer"),
         partial(dense, 30, (32,), 1), partial(opt.SGD, momentum=0.9, nesterov=True),
         yes_or_no, batch_size=16, updates=300, tuned=True),
    Task("raw pixels photos, Adam", partial(patches, 1.0),
         partial(conv, (16, 16, 3), 1), opt.Adam, yes_or_no, tuned=True,
         off_scale=True),
    Task("LSTM digits, Adam", partial(digits, shape=(8, 8)),
         partial(rows_recurrent, layers.LSTM), opt.Adam, classes, tuned=True),
    Task("GRU text, RMSprop", text, partial(text_recurrent, layers.GRU), opt.RMSprop,
         classes, batch_size=16, tuned=True),
    Task("autoencoder digits, Adam", digits_again, partial(dense, 64, (32, 8, 32), 64),
         opt.Adam, keras.losses.MeanSquaredError, updates=1000, tuned=True),
    Task("autoencoder photos, Nesterov", patches_again,
         partial(dense, 256, (64, 16, 64), 256),
         partial(opt.SGD, momentum=0.9, nesterov=True), keras.losses.MeanSquaredError,
         updates=1000, tuned=True),
    Task("residual digits, momentum", digits, residual, partial(opt.SGD, momentum=0.9),
         classes, tuned=True),
    Task("transformer digits, momentum", partial(digits, shape=(8, 8)),
         rows_transformer, partial(opt.SGD, momentum=0.9), classes, tuned=True),
    Task("dropout digits, momentum", digits, dropout, partial(opt.SGD, momentum=0.9),
         classes, updates=1500, tuned=True),
    Task("cnn photos, RMSprop", partial(patches, 255.0), partial(conv, (16, 16, 3), 1),
         opt.RMSprop, yes_or_no, tuned=True),
    Task("logistic breast cancer, SGD", partial(table, "breast_cancer"),
         partial(dense, 30, (), 1), opt.SGD, yes_or_no, batch_size=16, updates=300,
         tuned=True),
    Task("mlp iris, Adam", partial(table, "iris"), partial(dense, 4, (16,), 3, "tanh"),
         opt.Adam, classes, batch_size=8, updates=300, tuned=True),
    Task("raw targets diabetes, RMSprop", partial(table, "diabetes", target=10.0),
         partial(dense, 10, (32, 32), 1), opt.RMSprop, keras.losses.MeanSquaredError,
         batch_size=16, tuned=True, off_scale=True),
    Task("raw targets diabetes, SGD", partial(table, "diabetes"),
         partial(dense, 10, (32,), 1), opt.SGD, keras.losses.MeanSquaredError,
         batch_size=16, tuned=True, off_scale=True),
    Task("raw pixels digits, Adam", partial(digits, 1.0), partial(dense, 64, (64,), 10),
         opt.Adam, classes, tuned=True, off_scale=True),
    Task("20 layers relu digits, Adam", digits, partial(dense, 64, (32,) * 20, 10),
         opt.Adam, classes, tuned=True, off_scale=True),
    Task("fine-tuning digits, SGD", partial(some_digits, 5, 9), fine_tuned, opt.SGD,
         classes, updates=300, tuned=True, off_scale=True),
    Task("fine-tuning digits, AdamW", partial(some_digits, 5, 9), fine_tuned, opt.AdamW,
         classes, updates=300, tuned=True, off_scale=True),
    Task("raw features wine, AdamW", partial(table, "wine", scaled=False),
         partial(dense, 13, (32,), 3), opt.AdamW, classes, batch_size=8, updates=300,
         tuned=True, off_scale=True),
    # To report on.
    Task("mlp digits, Adam", digits, partial(dense, 64, (128, 64), 10),
         opt.Adam, classes, updates=1000),
    Task("dropout digits, RMSprop", digits, dropout, opt.RMSprop, classes,
         updates=1500),
    Task("cnn batch-norm digits, Nesterov", partial(digits, shape=(8, 8, 1)),
         partial(conv, (8, 8, 1), 10, norm=True),
         partial(opt.SGD, momentum=0.9, nesterov=True), classes),
    Task("transformer digits, AdamW", partial(digits, shape=(8, 8)), rows_transformer,
         opt.AdamW, classes),
    Task("LSTM text, Adam", text, text_recurrent, opt.Adam, classes, batch_size=16),
    Task("autoencoder digits, momentum", digits_again,
         partial(dense, 64, (32, 8, 32), 64), partial(opt.SGD, momentum=0.9),
         keras.losses.MeanSquaredError, updates=1500),
    Task("tanh wine, SGD", partial(table, "wine"), partial(dense, 13, (16,), 3, "tanh"),
         opt.SGD, classes, batch_size=8, updates=300),
    Task("absolute error diabetes, Adam", partial(table, "diabetes", target=0.01),
         partial(dense, 10, (32,), 1), opt.Adam, keras.losses.MeanAbsoluteError,
         batch_size=16),
    Task("raw targets diabetes, momentum", partial(table, "diabetes", target=10.0),
         partial(dense, 10, (32,), 1), partial(opt.SGD, momentum=0.9),
         keras.losses.MeanSquaredError, batch_size=16, off_scale=True),
    Task("raw pixels photos, momentum", partial(patches, 1.0),
         partial(conv, (16, 16, 3), 1), partial(opt.SGD, momentum=0.9), yes_or_no,
         off_scale=True),
    Task("20 layers digits, SGD", digits, partial(dense, 64, (32,) * 20, 10, "tanh"),
         opt.SGD, classes, off_scale=True),
    Task("fine-tuning digits, momentum", partial(some_digits, 5, 9), fine_tuned,
         partial(opt.SGD, momentum=0.9), classes, updates=300, off_scale=True),
    Task("raw features breast cancer, Adam",
         partial(table, "breast_cancer", scaled=False), partial(dense, 30, (32,), 1),
         opt.Adam, yes_or_no, batch_size=16, updates=300, off_scale=True,
         erratic=True, seeds=24),
)  # fmt: skip


def by_name(name: str) -> Task:
    """The task of that name."""
    return next(task for task in TASKS if task.name == name)
