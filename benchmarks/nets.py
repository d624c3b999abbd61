"""The models and data that schedules, sweeps and monitors are timed on."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

BATCH = 32
FEATURES = 64
CLASSES = 10
WIDTH = 64
RATE = 1e-3


class Counted(keras.Sequential):
    """Counts how often its step is traced; on torch, how often it is run."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.traced = 0

    def train_step(self, *args: Any) -> Any:
        """Count, and do what a model does."""
        self.traced += 1
        return super().train_step(*args)


def dense(layers: int, rate: Any = RATE, kind: Any = keras.Sequential) -> Any:
    """Dense layers with Adam, always the same.

    Args:
        layers: At least 1.
        rate: A number, or a schedule of Keras.
        kind: Class of the model.

    Returns:
        The compiled model.
    """
    hidden = [keras.layers.Dense(WIDTH, activation="relu") for _ in range(layers - 1)]
    return compiled([*hidden, keras.layers.Dense(CLASSES)], rate, kind)


def normalized(layers: int) -> Any:
    """Dropout and batch normalization, half as deep as it has layers."""
    stack: list[Any] = []
    for _ in range(layers // 2):
        stack.append(keras.layers.Dense(WIDTH, activation="relu"))
        stack.append(keras.layers.BatchNormalization())
        stack.append(keras.layers.Dropout(0.1))
    return compiled([*stack, keras.layers.Dense(CLASSES)], RATE, keras.Sequential)


def compiled(layers: list[Any], rate: Any, kind: Any) -> Any:
    """A compiled classifier of some layers."""
    keras.utils.set_random_seed(0)
    model = kind([keras.Input((FEATURES,)), *layers])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(rate), loss)
    # Else a plain fit on TensorFlow makes these on the way, and traces twice.
    model.optimizer.build(model.trainable_variables)
    return model


def noise(steps: int) -> tuple[Any, Any]:
    """Rows and labels without meaning, for an epoch of so many updates."""
    generator = np.random.default_rng(0)
    x = generator.normal(size=(steps * BATCH, FEATURES)).astype("float32")
    return x, generator.integers(0, CLASSES, size=steps * BATCH)
