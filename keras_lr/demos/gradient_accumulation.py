"""Claims of *gradient accumulation*: means over parts of a batch."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from glossary.lab import Bars, Control, Measurement
from glossary.lab.data import Array

Norm = Callable[[Array], Array]


def is_a_batch(seed: int) -> Measurement:
    """Mean of micro-batch gradients against the gradient of the whole batch."""
    rng = np.random.default_rng(seed)
    counts = [2, 4, 8, 16]
    x = rng.normal(size=(64, 10))
    y = rng.normal(size=64)
    w = rng.normal(size=10)

    def difference(cuts: int | list[int]) -> float:
        parts = zip(np.split(x, cuts), np.split(y, cuts), strict=True)
        mean = np.mean([a.T @ (a @ w - b) / len(a) for a, b in parts], axis=0)
        return float(abs(mean - x.T @ (x @ w - y) / 64).max())

    equal = [difference(count) for count in counts]
    uneven = [
        difference([1, *np.linspace(1, 64, count)[1:-1].astype(int)])
        for count in counts
    ]
    shown = Bars(
        labels=[str(count) for count in counts],
        ys={"of equal size": equal, "one of a single example": uneven},
        x_label="micro-batches",
        y_label="largest difference of the gradients",
        log="y",
    )
    control = Control(min(uneven) > 1e-3, "Unequal ones would do as well.")
    return Measurement(
        measured=max(equal),
        panels=(shown,),
        seen="The mean over equal micro-batches differs from the whole batch by "
        "rounding alone; with one of another size it is another gradient.",
        controls=(control,),
    )


def _over_the_batch(rows: Array) -> Array:
    out: Array = (rows - rows.mean(0)) / rows.std(0)
    return out


def _over_each_example(rows: Array) -> Array:
    middle = rows.mean(1, keepdims=True)
    out: Array = (rows - middle) / rows.std(1, keepdims=True)
    return out


def with_norm(seed: int) -> Measurement:
    """Outputs of batch normalization over micro-batches against the whole batch."""
    counts = [2, 4, 8, 16]
    x = np.random.default_rng(seed).normal(size=(64, 10))

    def difference(norm: Norm, count: int) -> float:
        parts = np.concatenate([norm(part) for part in np.split(x, count)])
        return float(abs(parts - norm(x)).max())

    by_batch = [difference(_over_the_batch, count) for count in counts]
    by_example = [difference(_over_each_example, count) for count in counts]
    shown = Bars(
        labels=[str(count) for count in counts],
        ys={"batch normalization": by_batch, "layer normalization": by_example},
        x_label="micro-batches",
        y_label="largest difference of an output",
    )
    control = Control(max(by_example) < 1e-9, "Layer normalization differs as well.")
    return Measurement(
        measured=by_batch[-1],
        panels=(shown,),
        seen="Batch normalization gives other outputs in micro-batches than in the "
        "whole batch; layer normalization gives the same.",
        controls=(control,),
    )
