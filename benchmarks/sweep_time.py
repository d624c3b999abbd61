"""What a sweep costs: time of a fit with ``LRFinder`` over that of a plain fit.

Run once for each backend: ``KERAS_BACKEND=jax python benchmarks/sweep_time.py``. Each
round makes one plain fit and one sweep, in random order, each on a new model, so that
both compile; snapshot, looks, restore and judgement are part of the sweep, which ends
far below the edge, so that it never stops early.
"""

from __future__ import annotations

import argparse
import gc
import random
import time
from typing import Any

import keras
import numpy as np

import keras_lr

BATCH = 32


def network(layers: int) -> Any:
    """A dense net for 64 features and 10 classes."""
    hidden = [keras.layers.Dense(64, activation="relu") for _ in range(layers - 1)]
    model = keras.Sequential([keras.Input((64,)), *hidden, keras.layers.Dense(10)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss)
    # Else a plain fit on TensorFlow makes these variables on the way, and traces twice.
    model.optimizer.build(model.trainable_variables)
    return model


def seconds(layers: int, updates: int, sweeps: bool) -> float:
    """Wall time of one fit."""
    model, rng = network(layers), np.random.default_rng(0)
    x = rng.normal(size=(updates * BATCH, 64)).astype("float32")
    y = rng.integers(0, 10, updates * BATCH)
    finder = keras_lr.LRFinder(1e-9, 1e-5, steps=updates, verbose=0)
    gc.collect()
    begun = time.perf_counter()
    model.fit(x, y, batch_size=BATCH, verbose=0, callbacks=[finder] if sweeps else [])
    return time.perf_counter() - begun


def main() -> None:
    """Measure and print one line for each size of net and length."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    rounds, order = parser.parse_args().rounds, random.Random(0)
    backend = keras.backend.backend()
    print(f"Time of a sweep over a plain fit, compile included, {backend}")
    for layers, updates in ((2, 200), (2, 2000), (20, 200)):
        ratios = []
        for _ in range(rounds + 1):
            ways = order.sample([False, True], 2)
            took = {way: seconds(layers, updates, way) for way in ways}
            ratios.append(took[True] / took[False])
        low, middle, high = np.percentile(ratios[1:], [25, 50, 75])
        print(f"{layers:3} layers, {updates:5} updates: {middle:.2f} "
              f"({low:.2f} .. {high:.2f})", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
