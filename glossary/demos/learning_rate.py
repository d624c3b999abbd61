"""Claims of *learning rate*."""

from __future__ import annotations

from typing import Any

import numpy as np

from glossary.demos._kit import digits, lines, train


def edge(seed: int) -> dict[str, Any]:
    """Bisect the rate at which gradient descent on least squares begins to diverge."""
    x, _ = digits()
    hessian = x.T @ x / len(x)
    critical = 2 / np.linalg.eigvalsh(hessian)[-1]
    start = np.random.default_rng(seed).normal(size=64)

    def growth(rate: float) -> float:
        w = start.copy()
        for _ in range(600):
            w -= rate * (hessian @ w)
        return float(w @ hessian @ w / (start @ hessian @ start))

    low, high = 0.5 * critical, 2 * critical
    for _ in range(12):
        middle = (low + high) / 2
        low, high = (low, middle) if growth(middle) > 1 else (middle, high)
    rates = critical * np.array([0.9, 0.97, 0.99, 1.0, 1.01, 1.03, 1.1])
    drawn = [max(growth(rate), 1e-12) for rate in rates]
    ys = {"after 600 updates": drawn}
    figure = lines("rate over 2 / largest curvature", rates / critical, ys, "loss", "y")
    return {"measured": (low + high) / 2 / critical, **figure}


def u_shape(seed: int) -> dict[str, Any]:
    """Train 300 updates at rates far too low, good, and far too high."""
    rates = 10.0 ** np.arange(-4, 3)
    losses = [train(np.random.default_rng(seed), rate, 300) for rate in rates]
    shown = np.minimum(losses, 1e3)
    worse = min(shown[0], shown[-1]) / min(shown)
    figure = lines("learning rate", rates, {"300 updates": shown}, "loss", "xy")
    return {"measured": worse, **figure}


def slow(seed: int) -> dict[str, Any]:
    """Updates that a hundredth of a good rate needs for the same loss."""
    counts = [10, 30, 100, 300, 1000]
    good = [train(np.random.default_rng(seed), 0.3, n) for n in counts]
    low = [train(np.random.default_rng(seed), 0.003, n) for n in counts]
    ys = {"rate 0.3": good, "rate 0.003": low}
    # After 1000 updates the low rate is not where the good one was after 100.
    return {"measured": low[-1] / good[2], **lines("updates", counts, ys, "loss", "xy")}
