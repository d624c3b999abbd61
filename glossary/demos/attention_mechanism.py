"""Claims of *attention mechanism*: scaled dot products (Vaswani 2017, eq. 1)."""

from __future__ import annotations

from typing import Any

import numpy as np

from glossary.demos._kit import bars, lines, softmax


def attend(q: Any, k: Any, v: Any) -> tuple[Any, Any]:
    """Outputs and weights."""
    weights = softmax(q @ k.T / np.sqrt(q.shape[-1]))
    return weights @ v, weights


def convex(seed: int) -> dict[str, Any]:
    """Sums of the weights, and outputs outside of the values' range."""
    q, k, v = np.random.default_rng(seed).normal(size=(3, 12, 16))
    out, weights = attend(q, k, v)
    outside = max((out - v.max(0)).max(), (v.min(0) - out).max(), 0.0)
    error = max(abs(weights.sum(1) - 1).max(), outside, float(-weights.min()))
    ys = {"largest": weights.max(1), "smallest": weights.min(1)}
    return {"measured": float(error), **lines("query", np.arange(12), ys, "weight")}


def equivariant(seed: int) -> dict[str, Any]:
    """Outputs of rows in another order; with positions added, as a control."""
    rng = np.random.default_rng(seed)
    x, ws, places = rng.normal(size=(12, 16)), rng.normal(size=(3, 16, 16)), []
    order = rng.permutation(12)
    for position in (0.0, 1.0):
        signal = position * np.sin(np.outer(np.arange(12), np.arange(1, 17) / 5))
        rows, moved = x + signal, x[order] + signal
        out, other = (attend(*(r @ w for w in ws))[0] for r in (rows, moved))
        places.append(abs(out[order] - other).max())
    shown = bars(["without", "with positions"], np.maximum(places, 1e-17), "error", "y")
    reason = "" if places[1] > 1e-3 else "Positions make no difference."
    return {"measured": float(places[0]), "inconclusive": reason, **shown}


def scaling(seed: int) -> dict[str, Any]:
    """Entropy of the weights with and without 1 / sqrt(d)."""
    rng, dims = np.random.default_rng(seed), [4, 16, 64, 256, 1024]
    ys: dict[str, list[float]] = {"scaled": [], "unscaled": []}
    for d in dims:
        q, k = rng.normal(size=(2, 64, d))
        for name, by in (("scaled", np.sqrt(d)), ("unscaled", 1.0)):
            w = softmax(q @ k.T / by)
            entropy = -(w * np.log(w + 1e-300)).sum(1).mean()
            ys[name].append(entropy / np.log(64))
    figure = lines("size of a key", dims, ys, "entropy over its maximum", "x")
    return {"measured": ys["scaled"][3] / ys["unscaled"][3], **figure}


def explains(seed: int) -> dict[str, Any]:
    """Change of the output when its weights are exchanged for quite different ones.

    With more positions than sizes of a value there are other weights, positive and with
    the sum of 1, that average the same values to the same output.
    """
    rng = np.random.default_rng(seed)
    values, weight = rng.normal(size=(32, 8)), rng.dirichlet(np.full(32, 10))
    same = np.vstack([values.T, np.ones(32)])
    _, _, rows = np.linalg.svd(same)
    way = rows[-1]  # changes neither the mean of the values nor the sum
    way = way if way @ weight < 0 else -way
    other = weight + way * (-weight / np.minimum(way, -1e-12))[way < 0].min()
    moved = float(abs(other - weight).sum() / 2)
    change = float(abs((other - weight) @ values).max() / abs(weight @ values).max())
    labels = ["weights", "output"]
    reason = "" if moved > 0.05 else "The other weights are almost the same."
    shown = bars(labels, [moved, max(change, 1e-17)], "relative change", "y")
    return {"measured": change, "inconclusive": reason, **shown}
