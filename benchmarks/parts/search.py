"""What a search costs, in updates of a plain fit.

*compiled*: ``find_lr`` on a model that was searched before, over a plain fit of as many
updates of a model that was trained before. *new model*: compiling included, over the
whole training of a small net, 20 epochs or 860 updates, compiling included as well.
``find_lr`` gives the model back as it was, so that each search is the same one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from sklearn.datasets import load_digits

import keras_lr
from benchmarks.figures import BACKENDS, PROCESSOR, Figure, compared
from benchmarks.pairs import Spread
from benchmarks.turns import Run, Turns, message_of, take_turns

EPOCHS = 20
BATCH = 32
#: For 43 batches an epoch.
ROWS = 1376
SEARCH = "search"
FIT = "fit"


@dataclass(frozen=True)
class Size:
    """Rounds, epochs of the whole training, and the nets."""

    rounds: int
    epochs: int
    nets: tuple[str, ...]


SIZES = {
    "quick": Size(1, 1, ("dense net",)),
    "default": Size(3, EPOCHS, ("dense net",)),
    "full": Size(9, EPOCHS, ("dense net", "convolutional net")),
}


def dense() -> Any:
    """A small dense net, in which all that is not training shows most."""
    layers = keras.layers
    return compiled(
        layers.Flatten(),
        layers.Dense(200, "relu"),
        layers.Dense(200, "relu"),
        layers.Dense(10),
    )


def convolutional() -> Any:
    """A convolutional net with batch normalization."""
    layers = keras.layers
    return compiled(
        layers.Conv2D(32, 3, padding="same"),
        layers.BatchNormalization(),
        layers.ReLU(),
        layers.MaxPooling2D(),
        layers.Conv2D(64, 3, padding="same"),
        layers.BatchNormalization(),
        layers.ReLU(),
        layers.GlobalAveragePooling2D(),
        layers.Dense(10),
    )


NETS: dict[str, Callable[[], Any]] = {
    "dense net": dense,
    "convolutional net": convolutional,
}


def compiled(*layers: Any) -> Any:
    """A compiled model of some layers, always the same."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((8, 8, 1)), *layers])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss)
    return model


def digits() -> tuple[Any, Any]:
    """Rows of scikit-learn's digits, scaled."""
    x, y = load_digits(return_X_y=True)
    return (x[:ROWS] / 16).astype("float32").reshape(-1, 8, 8, 1), y[:ROWS]


def measure(size: str) -> list[Figure]:
    """A row for each net, compiled and new."""
    chosen = SIZES[size]
    table = f"find_lr over plain training, {BACKENDS[keras.backend.backend()]}"
    figures = []
    for name in chosen.nets:
        try:
            figures += _rows(table, name, chosen)
        except Exception as error:
            figures.append(Figure(table, name, "updates", error=message_of(error)))
    return figures


def _rows(table: str, name: str, size: Size) -> list[Figure]:
    make = NETS[name]
    x, y = digits()
    searched = make()
    trained = make()
    steps = keras_lr.find_lr(searched, x, y, verbose=0).steps
    rows = np.resize(np.arange(len(x)), steps * BATCH)
    many_x = x[rows]
    many_y = y[rows]
    trained.fit(x, y, verbose=0)

    def search_again() -> Run:
        return lambda: keras_lr.find_lr(searched, x, y, verbose=0)

    def fit_again() -> Run:
        return lambda: trained.fit(many_x, many_y, verbose=0)

    def search_new() -> Run:
        model = make()
        return lambda: keras_lr.find_lr(model, x, y, verbose=0)

    def fit_new() -> Run:
        model = make()
        return lambda: model.fit(x, y, epochs=size.epochs, verbose=0)

    again = take_turns({SEARCH: search_again, FIT: fit_again}, size.rounds)
    anew = take_turns({SEARCH: search_new, FIT: fit_new}, size.rounds)
    whole = size.epochs * len(x) // BATCH
    return [
        *_costs(table, f"{name}, compiled", again, steps, steps),
        *_costs(table, f"{name}, new model", anew, steps, whole),
    ]


def _costs(table: str, row: str, turns: Turns, spent: int, beside: int) -> list[Figure]:
    """Of a search that spent updates, beside a fit of so many."""
    figures = [
        Figure(
            table, row, "updates of the search, of the fit", text=f"{spent}, {beside}"
        )
    ]
    for ratio in compared(turns, table, SEARCH, FIT):
        figures.append(
            Figure(
                table, row, ratio.column, ratio.spread, ratio.unit, error=ratio.error
            )
        )
        if ratio.column == PROCESSOR and ratio.spread is not None:
            figures.append(
                Figure(
                    table, row, "as many updates of fit as", times(ratio.spread, beside)
                )
            )
    return figures


def times(spread: Spread, factor: float) -> Spread:
    """A spread in another unit."""
    return Spread(
        spread.median * factor,
        spread.low * factor,
        spread.high * factor,
        spread.pairs,
    )
