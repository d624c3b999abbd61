"""Find the peak of a one-cycle schedule, look at the evidence, then train with it."""

from __future__ import annotations

import os

# Nets this small are faster on one thread.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import keras
from sklearn.datasets import load_digits

import keras_lr


def main() -> None:
    keras.utils.set_random_seed(0)
    x, y = load_digits(return_X_y=True)
    x = (x / 16).astype("float32")
    layers = [keras.layers.Dense(64, activation="relu"), keras.layers.Dense(10)]
    model = keras.Sequential([keras.Input((64,)), *layers])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss, metrics=["accuracy"])

    # The schedule is named because a peak that is left again may be higher than a
    # rate that stays. The model comes back as it was.
    result = keras_lr.find_lr(model, x[:1400], y[:1400], schedule=keras_lr.OneCycle())
    if result.suggestion is None:
        print(f"No rate to trust: {result.reason}")
        return
    schedule = keras_lr.OneCycle(max_lr=result.suggestion)
    model.fit(x[:1400], y[:1400], epochs=10, verbose=0, callbacks=[schedule])
    _, accuracy = model.evaluate(x[1400:], y[1400:], verbose=0)
    print(f"accuracy on images never seen: {accuracy:.1%}")


if __name__ == "__main__":
    main()
