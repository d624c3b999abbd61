"""What schedules do to a training: on problems small enough to see through."""

from __future__ import annotations

from typing import Any

import numpy as np

import keras_lr
from keras_lr.demos.mechanisms import _lines
from keras_lr.finder import rules

UPDATES = 1000


def _noisy(seed: int, rates: Any) -> Any:
    """Losses of gradient descent on a quadratic whose gradients are noisy."""
    rng, curvature = np.random.default_rng(seed), np.geomspace(0.05, 1, 50)
    x, losses = np.ones(50), []
    for rate in rates:
        losses.append(0.5 * float(curvature @ x**2))
        x = x - rate * (curvature * x + rng.normal(size=50))
    return np.array(losses)


def _compared(seed: int, schedule: Any) -> dict[str, Any]:
    runs = {
        "constant rate": _noisy(seed, np.full(UPDATES, 0.3)),
        "schedule": _noisy(seed, 0.3 * schedule.values(UPDATES)),
    }
    ends = [run[-20:].mean() for run in runs.values()]
    means = {k: v.reshape(-1, 20).mean(1) for k, v in runs.items()}
    figure = _lines("update", range(10, UPDATES, 20), means, "loss", "y")
    return {"measured": ends[1] / ends[0], **figure}


def decay_settles(seed: int) -> dict[str, Any]:
    """A cosine to zero against the rate it starts from."""
    return _compared(seed, keras_lr.CosineDecay())


def stable_decay_settles(seed: int) -> dict[str, Any]:
    """The last fifth of warmup-stable-decay against staying at the rate."""
    return _compared(seed, keras_lr.WarmupStableDecay(warmup="5%", decay=0.2))


def warmup_costs_half(seed: int) -> dict[str, Any]:
    """Full-rate updates that a warmup of a tenth costs, over its length."""
    values = keras_lr.Warmup("10%").values(UPDATES)
    cost = float((1 - values).sum() / (UPDATES / 10))
    figure = _lines("update", range(0, UPDATES, 5), {"rate": values[::5]}, "rate")
    return {"measured": cost, **figure}


def cycles_average(seed: int) -> dict[str, Any]:
    """Mean of a triangular cycle over the middle of its ends."""
    cycle = keras_lr.CyclicalLR(max_lr=1.0, min_lr=0.1, half_cycle=100)
    values = cycle.values(UPDATES)
    figure = _lines("update", range(0, UPDATES, 5), {"rate": values[::5]}, "rate")
    return {"measured": float(values.mean() / 0.55), **figure}


def restarts_jump(seed: int) -> dict[str, Any]:
    """Largest rise from one update to the next, over the peak."""
    values = keras_lr.CosineRestarts(first_cycle=250).values(UPDATES)
    figure = _lines("update", range(0, UPDATES, 5), {"rate": values[::5]}, "rate")
    return {"measured": float(np.diff(values).max() / values.max()), **figure}


def range_test_finds_the_edge(seed: int) -> dict[str, Any]:
    """Rate of the lowest loss of a sweep, over the rate from which it diverges."""
    rng, curvature = np.random.default_rng(seed), np.geomspace(0.1, 10, 50)
    rates, x, losses = np.geomspace(1e-4, 10, 200), rng.normal(size=50), []
    for rate in rates:
        losses.append(min(0.5 * float(curvature @ x**2), 1e6))
        x = np.clip(x - rate * curvature * x, -1e6, 1e6)
    found = rules.zero_lag(rates, losses, divisor=1.0)
    figure = _lines("learning rate", rates, {"sweep": losses}, "loss", "xy")
    return {"measured": found / (2 / 10), **figure}


def _scaled(seed: int, factors: Any) -> list[float]:
    """Loss after 3200 examples, batch of 8 and rate of 0.01 times each factor."""
    rng = np.random.default_rng(seed)
    x, true = rng.normal(size=(4000, 20)), rng.normal(size=20)
    y, out = x @ true + 0.5 * rng.normal(size=4000), []
    for factor in factors:
        w, size = np.zeros(20), 8 * factor
        for i in range(0, 3200, size):
            rows = slice(i, i + size)
            w = w - 0.01 * factor * x[rows].T @ (x[rows] @ w - y[rows]) / size
        out.append(min(float(((w - true) ** 2).sum()), 1e6))
    return out


def linear_scaling_holds(seed: int) -> dict[str, Any]:
    """Error at 8 times the batch and the rate, over that before."""
    factors = [1, 2, 4, 8]
    found = _scaled(seed, factors)
    figure = _lines("batch and rate, times", factors, {"error": found}, "error", "xy")
    return {"measured": found[-1] / found[0], **figure}


def linear_scaling_at_any_size(seed: int) -> dict[str, Any]:
    """The same at 400 times, where the rate is above the edge."""
    factors = [1, 8, 50, 400]
    found = _scaled(seed, factors)
    figure = _lines("batch and rate, times", factors, {"error": found}, "error", "xy")
    return {"measured": found[-1] / found[0], **figure}


def stopping_early(seed: int) -> dict[str, Any]:
    """Held-out error at its lowest over that at the end of training."""
    rng = np.random.default_rng(seed)
    true = rng.normal(size=40) / np.sqrt(40)
    x, held = rng.normal(size=(50, 40)), rng.normal(size=(500, 40))
    y, w, errors = x @ true + rng.normal(size=50), np.zeros(40), []
    for _ in range(2000):
        errors.append(float(((held @ (w - true)) ** 2).mean()))
        w = w - 0.2 * x.T @ (x @ w - y) / 50
    ys = {"held out": errors[::10]}
    figure = _lines("update", range(1, 2001, 10), ys, "squared error", "xy")
    return {"measured": min(errors) / errors[-1], **figure}
