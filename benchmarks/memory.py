"""What many short fits leave behind: ``python -m benchmarks.memory --fits 10000``.

Run once for each backend: ``KERAS_BACKEND=jax python -m benchmarks.memory``. One small
model is fit again and again, a batch each time, under a new schedule; as many fits
without one run in a process of their own (this module with ``--plain``). At some of the
fits both write down their memory, the optimizer classes that are alive and how often
the step was traced. Plain fits grow a little as well, so what counts is the difference.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np

import keras_lr
from benchmarks.nets import Counted

FEATURES = 4
RATE = 1e-3
#: Updates of the schedule; a fit has one.
HORIZON = 1000
#: Fits after which both look, as far as there are so many: what is made once is made.
FIRST_LOOK = 100
MEGABYTE = 2**20


class ManyFits:
    """Fits of one small model, one batch each."""

    def __init__(self, scheduled: bool) -> None:
        keras.utils.set_random_seed(0)
        self.scheduled = scheduled
        self.done = 0
        self.data = one_batch()
        self.model = Counted([keras.Input((FEATURES,)), keras.layers.Dense(1)])
        self.model.compile(keras.optimizers.Adam(RATE), "mse")
        # Else a plain fit on TensorFlow makes these on the way, and traces twice.
        self.model.optimizer.build(self.model.trainable_variables)

    def until(self, fits: int) -> None:
        """Fit until there have been so many fits."""
        while self.done < fits:
            callbacks = self._callbacks()
            self.model.fit(*self.data, shuffle=False, verbose=0, callbacks=callbacks)
            self.done += 1

    def _callbacks(self) -> list[Any]:
        if not self.scheduled:
            return []
        return [keras_lr.OneCycle(max_lr=RATE, horizon=HORIZON)]

    def look(self) -> dict[str, float]:
        """What the process holds now."""
        gc.collect()
        return {
            "fits": self.done,
            "bytes": resident(),
            "classes": optimizer_classes(),
            "traces": self.model.traced,
        }


def one_batch() -> tuple[Any, ...]:
    """A batch of one row, as each backend takes it soonest."""
    x = np.ones((1, FEATURES), "float32")
    y = np.ones((1, 1), "float32")
    if keras.backend.backend() != "tensorflow":
        return x, y
    # Else each fit would make a dataset of its own, which takes most of its time.
    dataset = importlib.import_module("tensorflow").data.Dataset
    return (dataset.from_tensors((x, y)),)


def resident() -> int:
    """Bytes of this process in memory; at its peak where the system says no more."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024
    return pages * os.sysconf("SC_PAGE_SIZE")


def optimizer_classes() -> int:
    """Live classes of optimizers, Keras' own among them."""
    # By type(), since what stands in for something else may fail when it is asked.
    classes = [one for one in gc.get_objects() if issubclass(type(one), type)]
    return sum(issubclass(one, keras.optimizers.Optimizer) for one in classes)


def looks(fits: int) -> list[int]:
    """After how many fits to look: each some three times as many as before."""
    found = [min(FIRST_LOOK, fits)]
    while found[-1] < fits:
        size = 10 ** (len(str(found[-1])) - 1)
        after = 3 * size if found[-1] < 3 * size else 10 * size
        found.append(min(after, fits))
    return found


def measure(fits: int, scheduled: bool) -> list[dict[str, float]]:
    """What the process holds at each look, and its seconds of fitting."""
    many = ManyFits(scheduled)
    found = []
    seconds = 0.0
    for number in looks(fits):
        begin = time.perf_counter()
        many.until(number)
        seconds += time.perf_counter() - begin
        found.append({**many.look(), "seconds": seconds})
    return found


def measure_plain(fits: int) -> list[dict[str, float]]:
    """The same of plain fits, in a process of their own."""
    command = [sys.executable, "-m", "benchmarks.memory", "--plain"]
    command += ["--fits", str(fits)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found: list[dict[str, float]] = json.loads(done.stdout.splitlines()[-1])
    return found


def table(scheduled: list[dict[str, float]], plain: list[dict[str, float]]) -> str:
    """Markdown: a row each look, scheduled fits first and plain ones after them."""
    heads = ["fits", "MB", "MB, plain", "growth over plain, MB"]
    heads += ["classes", "plain", "traces", "plain", "ms a fit", "plain"]
    rows = [heads, ["---:"] * len(heads)]
    for one, other in zip(scheduled, plain, strict=True):
        growth = one["bytes"] - scheduled[0]["bytes"]
        growth -= other["bytes"] - plain[0]["bytes"]
        row = [f"{one['fits']:.0f}"]
        row += [f"{each['bytes'] / MEGABYTE:.1f}" for each in (one, other)]
        row += [f"{growth / MEGABYTE:+.1f}"]
        row += [f"{each['classes']:.0f}" for each in (one, other)]
        row += [traces(each) for each in (one, other)]
        row += [f"{1e3 * each['seconds'] / each['fits']:.1f}" for each in (one, other)]
        rows.append(row)
    return markdown(rows)


def traces(look: dict[str, float]) -> str:
    """How often the step was traced, where it is traced at all."""
    return "none" if keras.backend.backend() == "torch" else f"{look['traces']:.0f}"


def markdown(rows: list[list[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "| " + " | ".join(map(str.rjust, row, widths)) + " |" for row in rows
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="What many short fits leave behind.")
    parser.add_argument("--fits", type=int, default=10_000, help="in a row")
    parser.add_argument("--plain", action="store_true", help="as JSON, no schedule")
    options = parser.parse_args()
    if options.plain:
        print(json.dumps(measure(options.fits, scheduled=False)))
        return
    plain = measure_plain(options.fits)
    scheduled = measure(options.fits, scheduled=True)
    backend = keras.backend.backend()
    print(f"{options.fits} fits of one batch in a row on {backend}, under a schedule,")
    print("and as many plain fits in a process of their own.")
    print(f"\n{table(scheduled, plain)}\n")


if __name__ == "__main__":
    main()
