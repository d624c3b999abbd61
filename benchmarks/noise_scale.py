"""What measuring the gradient noise scale costs, against plain training.

Run once for each backend: ``KERAS_BACKEND=jax python -m benchmarks.noise_scale``.

The fits stand still at the end of every epoch and are let on one at a time, in a random
order each round, so that a round compares epochs of one moment on one machine, all
compiled (see ``benchmarks/overhead.py``). A second fit without the callback shows what
is noise. The last way measures every batch: a tenth of what that costs more is a
steadier answer to the same question, where a machine is shared.
"""

from __future__ import annotations

import argparse
from typing import Any

import keras
import numpy as np

import keras_lr
from benchmarks import overhead

EVERY = "every 10th batch"
MORE = "every 10th batch, in 4 parts"
ALWAYS = "every batch"
#: By name: the callbacks of a fit of so many updates.
WAYS: overhead.Ways = {
    overhead.BASELINE: lambda total: [],
    overhead.NOISE: lambda total: [],
    EVERY: lambda total: [keras_lr.GradientNoiseScale()],
    MORE: lambda total: [keras_lr.GradientNoiseScale(micro_batches=4)],
    ALWAYS: lambda total: [keras_lr.GradientNoiseScale(every=1)],
}


def with_state(layers: int, way: str, total: int) -> Any:
    """A net with dropout and batch normalization, half as deep as it has layers."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((overhead.FEATURES,))])
    for _ in range(layers // 2):
        model.add(keras.layers.Dense(64, activation="relu"))
        model.add(keras.layers.BatchNormalization())
        model.add(keras.layers.Dropout(0.1))
    model.add(keras.layers.Dense(overhead.CLASSES))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(overhead.RATE), loss)
    return model


def rows_of(seconds: dict[str, list[float]]) -> list[list[str]]:
    """For each way the time over that of the plain fit."""
    plain = np.array(seconds[overhead.BASELINE])
    rows = []
    for way in list(WAYS)[1:]:
        ratios = np.array(seconds[way]) / plain
        low, middle, high = np.percentile(ratios, [25, 50, 75])
        tenth = f"{1 + (middle - 1) / 10:.3f}" if way == ALWAYS else ""
        rows.append([way, f"{middle:.3f} ({low:.3f} .. {high:.3f})", tenth])
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description="What a noise scale costs.")
    parser.add_argument("--rounds", type=int, default=24, help="epochs of each way")
    parser.add_argument("--fits", type=int, default=4, help="that the rounds are from")
    parser.add_argument("--steps", type=int, default=200, help="updates of an epoch")
    parser.add_argument("--layers", type=int, nargs="*", default=[2, 20])
    parser.add_argument("--clock", choices=list(overhead.CLOCKS), default="cpu")
    options = parser.parse_args()
    nets = {"dense": overhead.network, "with dropout and normalization": with_state}
    kind = overhead.kind_of(options.clock)
    print(f"{kind} of a step over that of a plain one on {overhead.machine()}.")
    print(f"Adam, batches of {overhead.BATCH}; median (quartiles) of the rounds.")
    for name, network in nets.items():
        overhead.network = network
        for layers in options.layers:
            steps = max(1, options.steps * 8 // (layers + 6))
            seconds = overhead.measure(
                layers, steps, options.rounds, options.fits, options.clock, WAYS
            )
            step = 1e3 * np.median(seconds[overhead.BASELINE]) / steps
            heads = [f"{layers} layers, {name}", f"plain {step:.2f} ms", "a tenth"]
            rows = [heads, ["---", "---:", "---:"], *rows_of(seconds)]
            overhead.say("")
            print(f"\n{overhead.markdown(rows)}", flush=True)


if __name__ == "__main__":
    main()
