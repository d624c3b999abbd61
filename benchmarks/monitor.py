"""What a ``RateMonitor`` costs, by the time of a step.

Run once for each backend: ``KERAS_BACKEND=jax python -m benchmarks.monitor``.

Each way has its own model and fit. The fits stand still at the end of every epoch and
are let on one at a time, in a random order each round (``benchmarks/overhead.py`` says
why). A way is compared with the same fit without a monitor; a second one of that shows
what is still noise. What is read at the end of an epoch is part of its time.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

import keras_lr
from benchmarks.overhead import (
    BASELINE,
    CLOCKS,
    RATE,
    Ways,
    epoch_steps,
    kind_of,
    machine,
    markdown,
    measure,
    say,
    summary,
)

SCHEDULED = "OneCycle, with momentum"
FOLDER = Path(tempfile.mkdtemp())


def one_cycle() -> Any:
    return keras_lr.OneCycle(max_lr=RATE)


def into_csv(every: int) -> Any:
    return keras_lr.RateMonitor(every, csv=FOLDER / f"{every}.csv")


#: By name: what a way is compared with, and its callbacks.
WAYS: Ways = {
    BASELINE: lambda total: [],
    "RateMonitor(50) alone": lambda total: [keras_lr.RateMonitor()],
    SCHEDULED: lambda total: [one_cycle()],
    f"{SCHEDULED}, again (noise)": lambda total: [one_cycle()],
    "RateMonitor(50)": lambda total: [one_cycle(), keras_lr.RateMonitor()],
    "RateMonitor(50, csv=...)": lambda total: [one_cycle(), into_csv(50)],
    "RateMonitor(50, ratios=False)": lambda total: [
        one_cycle(),
        keras_lr.RateMonitor(ratios=False),
    ],
    "RateMonitor(10)": lambda total: [one_cycle(), keras_lr.RateMonitor(10)],
    "RateMonitor(1, ratios=False)": lambda total: [
        one_cycle(),
        keras_lr.RateMonitor(1, ratios=False),
    ],
    "RateMonitor(1)": lambda total: [one_cycle(), keras_lr.RateMonitor(1)],
}
ALONE = (BASELINE, "RateMonitor(50) alone")


def table(results: Mapping[int, Mapping[str, list[float]]]) -> str:
    """Markdown: median of paired ratios, and their quartiles."""
    rows = [["", *(f"{layers} layers" for layers in results)]]
    rows.append(["---", *["---:"] * len(results)])
    for way in WAYS:
        baseline = BASELINE if way in ALONE else SCHEDULED
        if way in (BASELINE, SCHEDULED):
            rows.append([way, *["1"] * len(results)])
            continue
        row = [way]
        for seconds in results.values():
            low, middle, high = summary(dict(seconds), baseline)[way]
            row.append(f"{middle:.3f} ({low:.3f} .. {high:.3f})")
        rows.append(row)
    return markdown(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description="What a RateMonitor costs.")
    parser.add_argument("--rounds", type=int, default=30, help="epochs of each way")
    parser.add_argument("--fits", type=int, default=6, help="that the rounds are from")
    parser.add_argument("--steps", type=int, default=256, help="updates of an epoch")
    parser.add_argument("--models", type=int, nargs="*", default=[2, 50])
    parser.add_argument("--clock", choices=list(CLOCKS), default="wall")
    parser.add_argument("--json", type=Path, help="file for every single time")
    options = parser.parse_args()
    results = {}
    for layers in options.models:
        steps = epoch_steps(layers, options.steps)
        times = (options.rounds, options.fits, options.clock, WAYS)
        results[layers] = measure(layers, steps, *times)
    say("")
    kind = kind_of(options.clock)
    print(f"{kind} of a step over that of the same fit without a monitor, on")
    print(f"{machine()}; median (quartiles) of {options.rounds} rounds.")
    for layers, seconds in results.items():
        steps = epoch_steps(layers, options.steps)
        step = np.median(seconds[SCHEDULED]) / steps
        print(f"{layers} layers: {1e3 * step:.2f} ms a step, {steps} steps an epoch.")
    print(f"\n{table(results)}")
    if options.json:
        options.json.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
