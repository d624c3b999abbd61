"""What a ``RateMonitor`` costs, by the time of a step.

Over the same fit without a monitor: under a one-cycle, or, where the monitor is alone,
a plain fit. What is read at the end of an epoch is part of its time.
"""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import keras_lr
from benchmarks import nets
from benchmarks.figures import Figure
from benchmarks.parts.steps import CONSTANT, plain
from benchmarks.steps import Size, Way, epoch_of, keras_fit, measured

SCHEDULED = "`OneCycle`, with momentum"
ALONE = "`RateMonitor(50)` alone"

SIZES = {
    "quick": Size(steps=2, rounds=1, fits=1),
    "default": Size(steps=128, rounds=8, fits=2),
    "full": Size(steps=256, rounds=15, fits=6, layers=(2, 50)),
}


def one_cycle(total: int, *more: Any) -> list[Any]:
    """The schedule that the monitors look at."""
    return [keras_lr.OneCycle(max_lr=nets.RATE), *more]


def monitored(total: int, **settings: Any) -> list[Any]:
    """The same with a monitor."""
    return one_cycle(total, keras_lr.RateMonitor(**settings))


def alone(total: int) -> list[Any]:
    """A monitor without a schedule."""
    return [keras_lr.RateMonitor()]


def ways(layers: int, folder: Path) -> list[Way]:
    """How often it looks, and what it writes."""
    made = partial(plain, layers)
    settings: dict[str, dict[str, Any]] = {
        "`RateMonitor(50)`": {},
        "`RateMonitor(50, csv=...)`": {"csv": folder / "rates.csv"},
        "`RateMonitor(50, ratios=False)`": {"ratios": False},
        "`RateMonitor(10)`": {"every": 10},
        "`RateMonitor(1, ratios=False)`": {"every": 1, "ratios": False},
        "`RateMonitor(1)`": {"every": 1},
    }
    return [
        Way(CONSTANT, CONSTANT, keras_fit(made)),
        Way(ALONE, CONSTANT, keras_fit(made, alone)),
        Way(SCHEDULED, SCHEDULED, keras_fit(made, one_cycle)),
        Way(f"{SCHEDULED}, again (noise)", SCHEDULED, keras_fit(made, one_cycle)),
        *(
            Way(name, SCHEDULED, keras_fit(made, partial(monitored, **given)))
            for name, given in settings.items()
        ),
    ]


def measure(size: str) -> list[Figure]:
    """A table for each net."""
    chosen = SIZES[size]
    figures = []
    with tempfile.TemporaryDirectory() as folder:
        for layers in chosen.layers:
            steps = epoch_of(layers, chosen.steps)
            among = ways(layers, Path(folder))
            title = f"monitored, {layers} dense layers"
            figures += measured(title, among, steps, chosen)
    return figures
