"""Three ways beyond the presets: own phases, Keras' own callbacks, own loops."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

import keras_lr
from keras_lr.phases import cosine, hold, linear

EPOCHS, BATCH = 8, 32


def noisy_line() -> tuple[Any, Any]:
    generator = np.random.default_rng(0)
    x = generator.normal(size=(512, 4)).astype("float32")
    y = x @ [1.0, -2.0, 3.0, 0.5] + generator.normal(scale=0.1, size=512)
    return x, y.astype("float32")


def regression(learning_rate: Any) -> Any:
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(learning_rate, momentum=0.9), loss="mse")
    return model


def own_phases(x: Any, y: Any) -> None:
    """Up in half an epoch, stay, then fall to 1 % of the peak at the last update."""
    schedule = keras_lr.Schedule(
        linear("0.5 epochs"), hold("40%"), cosine(to=0.01), max_lr=0.02
    )
    model = regression(0.02)
    history = model.fit(
        x, y, batch_size=BATCH, epochs=EPOCHS, callbacks=[schedule], verbose=0
    ).history
    report("own phases", history["learning_rate"], history["loss"])


def warmup_and_plateau(x: Any, y: Any) -> None:
    """Rates multiply, so a warmup fits in front of whatever else sets the rate."""
    model = regression(0.05)
    callbacks = [
        keras_lr.Warmup("1 epoch"),
        keras.callbacks.ReduceLROnPlateau(monitor="loss", patience=1, min_delta=1e-3),
    ]
    history = model.fit(
        x, y, batch_size=BATCH, epochs=EPOCHS, callbacks=callbacks, verbose=0
    ).history
    report("warmup, then on plateau", history["learning_rate"], history["loss"])


def own_loop(x: Any, y: Any) -> None:
    """Where there is no ``fit``, the optimizer gets the schedule itself."""
    steps = len(x) // BATCH
    schedule = keras_lr.WarmupCosine(max_lr=0.02)
    model = regression(schedule.as_keras_schedule(steps=EPOCHS * steps))
    rates, losses = [], []
    for _ in range(EPOCHS):
        for start in range(0, len(x), BATCH):
            batch = slice(start, start + BATCH)
            loss = model.train_on_batch(x[batch], y[batch])
        rates.append(float(model.optimizer.learning_rate))
        losses.append(float(loss))
        model.reset_metrics()
    report("own loop", rates, losses)


def report(name: str, rates: list[float], losses: list[float]) -> None:
    shown = " ".join(f"{rate:.4f}" for rate in rates)
    print(f"{name:24} rate after each epoch {shown}   loss {losses[-1]:.4f}")


def main() -> None:
    x, y = noisy_line()
    own_phases(x, y)
    warmup_and_plateau(x, y)
    own_loop(x, y)


if __name__ == "__main__":
    main()
