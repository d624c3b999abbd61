"""What a search costs here and by two workers: wall time, with all that is compiled.

Usage: python -m benchmarks.runners [--repeats N]
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable
from concurrent.futures import Executor, ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import keras
import numpy as np
from sklearn.datasets import load_digits

import keras_lr

#: Width of the convolutions: a net as on any first page, and one that takes its time.
WIDTHS = {"small": 16, "large": 64}


def model_of(width: int) -> Any:
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Conv2D(width, 3, activation="relu", padding="same"),
            keras.layers.Conv2D(width, 3, activation="relu", padding="same"),
            keras.layers.Conv2D(width, 3, activation="relu"),
            keras.layers.Flatten(),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


def digits() -> tuple[np.ndarray, np.ndarray]:
    x, y = load_digits(return_X_y=True)
    return x.reshape(-1, 8, 8, 1).astype("float32") / 16, y


def timed(search: Callable[[], Any]) -> tuple[float, dict[str, Any]]:
    begun = time.perf_counter()
    result = search()
    return time.perf_counter() - begun, result.to_dict()


def seconds_of(width: int, repeats: int) -> dict[str, list[float]]:
    """Seconds of a search here, by a new pool, and by one that has searched before."""
    x, y = digits()
    seconds: dict[str, list[float]] = {"here": [], "new pool": [], "used pool": []}

    def search(runner: Executor | None) -> Any:
        return keras_lr.find_lr(model_of(width), x, y, runner=runner, verbose=0)

    for _ in range(repeats):
        spent, here = timed(lambda: search(None))
        seconds["here"].append(spent)
        begun = time.perf_counter()
        with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
            _, there = timed(lambda: search(pool))
            seconds["new pool"].append(time.perf_counter() - begun)
            assert there == here  # noqa: S101
            spent, _ = timed(lambda: search(pool))
            seconds["used pool"].append(spent)
    return seconds


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--sizes", nargs="*", default=list(WIDTHS), choices=WIDTHS)
    chosen = parser.parse_args()
    print(f"{keras.backend.backend()}, {os.cpu_count()} cores, load {os.getloadavg()}")
    for size in chosen.sizes:
        for way, seconds in seconds_of(WIDTHS[size], chosen.repeats).items():
            spread = f"{min(seconds):.1f} to {max(seconds):.1f}"
            print(f"{size:6} {way:10} {statistics.median(seconds):6.1f} s ({spread})")
    print(f"load {os.getloadavg()}")
