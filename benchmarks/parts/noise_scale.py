"""What measuring the gradient noise scale costs, over a plain fit.

The last way measures every batch: a tenth of what that costs more is a steadier answer
to what the default costs, where a machine is shared.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import keras_lr
from benchmarks import nets
from benchmarks.figures import Figure
from benchmarks.parts.steps import CONSTANT, NOISE, plain
from benchmarks.steps import Size, Way, epoch_of, keras_fit, measured

SIZES = {
    "quick": Size(steps=2, rounds=1, fits=1),
    "default": Size(steps=128, rounds=8, fits=2),
    "full": Size(steps=200, rounds=6, fits=4, layers=(2, 20)),
}


def with_state(layers: int, total: int) -> Any:
    """A net with dropout and batch normalization."""
    return nets.normalized(layers)


def scale(total: int, **settings: Any) -> list[Any]:
    """The callback that is measured."""
    return [keras_lr.GradientNoiseScale(**settings)]


def ways(make: Any) -> list[Way]:
    """How often it measures, and in how many parts."""
    in_four = partial(scale, micro_batches=4)
    always = partial(scale, every=1)
    return [
        Way(CONSTANT, CONSTANT, keras_fit(make)),
        Way(NOISE, CONSTANT, keras_fit(make)),
        Way("every 10th batch", CONSTANT, keras_fit(make, scale)),
        Way("every 10th batch, in 4 parts", CONSTANT, keras_fit(make, in_four)),
        Way("every batch", CONSTANT, keras_fit(make, always)),
    ]


def measure(size: str) -> list[Figure]:
    """A table for each net."""
    chosen = SIZES[size]
    made = {
        "dense layers": plain,
        "layers, dropout and batch normalization": with_state,
    }
    figures = []
    for kind, make in made.items():
        for layers in chosen.layers:
            steps = epoch_of(layers, chosen.steps)
            title = f"noise scale, {layers} {kind}"
            figures += measured(title, ways(partial(make, layers)), steps, chosen)
    return figures
