"""Claims of *batch size*."""

from __future__ import annotations

from typing import Any

import numpy as np

from glossary.demos._kit import digits, gradients, lines, relu, train, weights

SIZES = np.array([1, 4, 16, 64, 256])


def variance(seed: int) -> dict[str, Any]:
    """Variance of the batch gradient at fixed weights, over 200 draws."""
    rng, (x, y) = np.random.default_rng(seed), digits()
    ws, found = weights(rng, [64, 16, 10], 2.0), []
    for size in SIZES:
        draws = []
        for _ in range(200):
            rows = rng.integers(0, len(x), size)
            draws.append(gradients(ws, x[rows], y[rows], relu)[1][1].ravel())
        found.append(np.var(draws, axis=0).sum())
    slope = np.polyfit(np.log(SIZES), np.log(found), 1)[0]
    ys = {"measured": found, "1 / B": found[0] / SIZES}
    figure = lines("batch size", SIZES, ys, "variance of the gradient", "xy")
    return {"measured": float(slope), **figure}


def memory(seed: int) -> dict[str, Any]:
    """Bytes of all arrays that a backward pass needs, by the size of the batch."""
    rng, (x, _) = np.random.default_rng(seed), digits()
    ws, found = weights(rng, [64, 128, 128, 10], 2.0), []
    for size in SIZES:
        out, held = x[:size], 0
        for w in ws:
            held += out.nbytes
            out = np.maximum(out @ w, 0)
        found.append(held + out.nbytes)
    slope = np.polyfit(np.log(SIZES), np.log(found), 1)[0]
    figure = lines("batch size", SIZES, {"activations": found}, "bytes", "xy")
    return {"measured": float(slope), **figure}


def higher_rates(seed: int) -> dict[str, Any]:
    """Largest rate that still trains (loss below 1.5 after 200 updates)."""
    rates, works = 0.01 * 2.0 ** np.arange(10), []
    for size in (1, 4, 16, 64):
        good = [
            rate
            for rate in rates
            if train(np.random.default_rng(seed), rate, 200, size) < 1.5
        ]
        works.append(max(good, default=float("nan")))
    reason = "" if np.isfinite(works).all() else "Some batch trains at no rate."
    ys = {"largest that trains": works}
    figure = lines("batch size", [1, 4, 16, 64], ys, "learning rate", "xy")
    return {"measured": works[-1] / works[0], "inconclusive": reason, **figure}
