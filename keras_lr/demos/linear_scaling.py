"""Claims of the *linear scaling rule*: least squares."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from glossary.lab import Control, Lines, Measurement
from glossary.lab.data import Array, digits

#: Where a run is lost.
_LOST = 1e6


def _errors(seed: int, factors: Sequence[int], scaled: bool = True) -> list[float]:
    """Squared error after 3200 examples, batch of 8 and rate of 0.01 times each factor.

    Where not ``scaled``, the learning rate stays at 0.01.
    """
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(4000, 20))
    true = rng.normal(size=20)
    y = x @ true + 0.5 * rng.normal(size=4000)
    errors = []
    for factor in factors:
        w = np.zeros(20)
        size = 8 * factor
        rate = 0.01 * (factor if scaled else 1)
        for start in range(0, 3200, size):
            rows = slice(start, start + size)
            w = w - rate * x[rows].T @ (x[rows] @ w - y[rows]) / size
        errors.append(min(float(((w - true) ** 2).sum()), _LOST))
    return errors


def holds(seed: int) -> Measurement:
    """Error at 8 times the batch and the rate, over that before."""
    factors = [1, 2, 4, 8]
    errors = _errors(seed, factors)
    unscaled = _errors(seed, factors, scaled=False)
    shown = Lines(
        x=factors,
        ys={"learning rate scaled too": errors, "learning rate kept": unscaled},
        x_label="factor on the batch size",
        y_label="squared error of the weights after 3200 examples",
        log="xy",
    )
    needed = Control(unscaled[-1] > 4 * errors[0], "It is as good without scaling.")
    return Measurement(
        measured=errors[-1] / errors[0],
        panels=(shown,),
        seen="With the learning rate scaled along, eight times the batch comes as far; "
        "at the old learning rate it is left behind.",
        controls=(needed,),
    )


def any_size(seed: int) -> Measurement:
    """The same at 400 times, where the learning rate is above the edge."""
    factors = [1, 2, 4, 8, 20, 50, 100, 400]
    errors = _errors(seed, factors)
    shown = Lines(
        x=factors,
        ys={"learning rate scaled too": errors},
        x_label="factor on the batch size and the learning rate",
        y_label="squared error of the weights after 3200 examples",
        log="xy",
    )
    at_eight = Control(0.25 < errors[3] / errors[0] < 4, "It fails at 8 times as well.")
    return Measurement(
        measured=errors[-1] / errors[0],
        panels=(shown,),
        seen="Up to a factor of 100 the rule holds here; at 400 the error is larger by "
        "orders of magnitude.",
        controls=(at_eight,),
    )


class Draws(NamedTuple):
    """Gradients of batches, that of all data, and the curvature."""

    gradients: Array
    mean: Array
    hessian: Array


def _gradients_at(seed: int, batch: int, draws: int) -> Draws:
    """Gradients of least squares on the digits, after a few updates."""
    rng = np.random.default_rng(seed)
    x, labels = digits()
    x = x - x.mean(0)
    y = np.eye(10)[labels] - 0.1
    hessian = x.T @ x / len(x)
    w = np.zeros((64, 10))
    for _ in range(20):
        w = w - 0.1 * x.T @ (x @ w - y) / len(x)
    rows = rng.integers(0, len(x), (draws, batch))
    gradients = [x[some].T @ (x[some] @ w - y[some]) / batch for some in rows]
    return Draws(np.array(gradients), x.T @ (x @ w - y) / len(x), hessian)


def up_to_noise_scale(seed: int) -> Measurement:
    """Growth of the best rate with the batch: up to the noise scale over beyond it.

    Both ranges are a factor of 16 in the batch. The best rate of one step is exact for
    a quadratic loss, from the mean of the slope along the step and of the curvature
    along it over 400 draws of a batch.
    """
    single = _gradients_at(seed, 1, 3000)
    noise = ((single.gradients - single.mean) ** 2).mean(0).sum()
    scale = float(noise / (single.mean**2).sum())
    over = 4.0 ** np.arange(-2, 3)
    sixteenth = max(1, round(scale / 16))
    rates = []
    for power in range(5):
        drawn = _gradients_at(seed, sixteenth * 4**power, 400)
        slope = (drawn.gradients * drawn.mean).sum((1, 2)).mean()
        bend = (drawn.gradients * (drawn.hessian @ drawn.gradients)).sum((1, 2)).mean()
        rates.append(float(slope / bend))
    shown = Lines(
        x=over,
        ys={
            "best learning rate of a step": rates,
            "in proportion to the batch": rates[0] * over / over[0],
        },
        x_label="batch size over the noise scale (rounded)",
        y_label="learning rate",
        log="xy",
    )
    rises = Control(rates[2] > 2 * rates[0], "The best rate does not grow below it.")
    return Measurement(
        measured=rates[2] / rates[0] / (rates[4] / rates[2]),
        panels=(shown,),
        seen="The best learning rate grows with the batch up to about the noise scale "
        "and levels off beyond it.",
        controls=(rises,),
    )
