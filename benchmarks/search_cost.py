"""What a search costs beside plain training, on the backend of the environment.

    KERAS_BACKEND=jax python benchmarks/search_cost.py

*compiled*: ``find_lr`` on a model that has been searched and trained before, over a
plain fit of as many updates. *whole*: ``find_lr`` on a new model, compiling included,
over the whole training of a small net, 20 epochs or 860 updates. Processor time, in
alternation.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from sklearn.datasets import load_digits

import keras_lr

EPOCHS = 20
BATCH = 32


def digits() -> tuple[Any, Any]:
    """Rows for 43 batches an epoch."""
    x, y = load_digits(return_X_y=True)
    return (x[:1376] / 16).astype("float32").reshape(-1, 8, 8, 1), y[:1376]


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


def compiled(*layers: Any) -> Any:
    """A compiled model of some layers, always the same."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((8, 8, 1)), *layers])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss)
    return model


def seconds(work: Callable[[], Any]) -> tuple[float, Any]:
    """Processor time of a piece of work, and what it gives."""
    begun = time.process_time()
    result = work()
    return time.process_time() - begun, result


def compiled_ratio(model: Any, x: Any, y: Any) -> float:
    """A search over as many plain updates."""
    took, result = seconds(lambda: keras_lr.find_lr(model, x, y, verbose=0))
    rows = np.resize(np.arange(len(x)), result.steps * BATCH)
    plain, _ = seconds(lambda: model.fit(x[rows], y[rows], verbose=0))
    return took / plain


def whole_ratio(make: Callable[[], Any], x: Any, y: Any) -> float:
    """A search of a new model over the whole training of another one."""
    searched = make()
    trained = make()
    took, _ = seconds(lambda: keras_lr.find_lr(searched, x, y, verbose=0))
    plain, _ = seconds(lambda: trained.fit(x, y, epochs=EPOCHS, verbose=0))
    return took / plain


def main() -> None:
    """Measure both, of both nets."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    x, y = digits()
    print(f"{keras.backend.backend()}: find_lr over plain training, processor time")
    for make in (dense, convolutional):
        model = make()
        keras_lr.find_lr(model, x, y, verbose=0)
        model.fit(x, y, verbose=0)
        rounds = range(args.rounds)
        once = [compiled_ratio(model, x, y) for _ in rounds]
        whole = [whole_ratio(make, x, y) for _ in rounds]
        for name, ratios in (("compiled", once), ("whole", whole)):
            median, low, high = np.quantile(ratios, [0.5, 0, 1])
            print(
                f"  {make.__name__:14} {name:9} {median:.2f} ({low:.2f} .. {high:.2f})"
            )


if __name__ == "__main__":
    main()
