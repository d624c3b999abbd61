"""What must be as it was: of a model, and of the folder of temporary files."""

from __future__ import annotations

import gc
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras
import numpy as np

from tests.kit.sweeps import everything, outside

BATCH = 4


def data(batches: int = 20, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Rows for so many batches."""
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(batches * BATCH, 4)).astype("float32")
    return x, (x @ [[1.0], [-2.0], [0.5], [3.0]]).astype("float32")


def model_of(optimizer: Any = None, **options: Any) -> Any:
    """A small model with dropout and batch normalization, that has trained a little."""
    keras.utils.set_random_seed(0)
    layers = [
        keras.Input((4,)),
        keras.layers.Dense(8, activation="tanh"),
        keras.layers.BatchNormalization(),
        keras.layers.Dropout(0.2),
        keras.layers.Dense(1),
    ]
    model = keras.Sequential(layers)
    optimizer = optimizer or keras.optimizers.Adam(0.01)
    model.compile(optimizer, **{"loss": "mse", "metrics": ["mae"], **options})
    x, y = data(3)
    model.fit(x, y, batch_size=BATCH, verbose=0)
    return model


def differences(model: Any, before: dict[str, Any], shape: Any) -> list[str]:
    """What of a model is not as it was; ``before`` is ``everything`` of it."""
    try:
        after = everything(model)
    except Exception as error:
        return [f"its state cannot be read: {type(error).__name__}: {error}"]
    changed = [
        name
        for name, value in before.items()
        if name not in after or not np.array_equal(after[name], value, equal_nan=True)
    ]
    if outside(model) != shape:
        changed.append(f"borrowed: {outside(model)} in place of {shape}")
    return changed


def awaited(model: Any, before: dict[str, Any], shape: Any) -> list[str]:
    """The same; what Keras' own threads are still about to give back is awaited."""
    changed = differences(model, before, shape)
    for _ in range(20):
        if not changed:
            break
        gc.collect()
        time.sleep(0.05)
        changed = differences(model, before, shape)
    return changed


@contextmanager
def temporary_files() -> Iterator[Path]:
    """A folder in which all temporary files are made meanwhile."""
    before = tempfile.tempdir
    with tempfile.TemporaryDirectory() as folder:
        tempfile.tempdir = folder
        try:
            yield Path(folder)
        finally:
            tempfile.tempdir = before


def left_in(folder: Path) -> list[str]:
    """What of this package's is left in a folder."""
    return [path.name for path in folder.glob("keras-lr-*")]


def threads() -> set[str]:
    """Names of the threads that Python knows of."""
    return {thread.name for thread in threading.enumerate()}
