"""Claims of *Adam*: the algorithm itself, in float64 (Kingma and Ba, algorithm 1)."""

from __future__ import annotations

from typing import Any

import numpy as np

from glossary.demos._kit import adam, bars, gradients, lines, relu, weights


def steps(
    gradients: Any, b1: float = 0.9, b2: float = 0.999, correct: bool = True
) -> Any:
    """Step of each update at a rate of 1."""
    m, v, out = np.zeros_like(gradients[0]), np.zeros_like(gradients[0]), []
    for t, g in enumerate(gradients, 1):
        m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g**2
        fix = (1 - b1**t, 1 - b2**t) if correct else (1.0, 1.0)
        out.append((m / fix[0]) / (np.sqrt(v / fix[1]) + 1e-30))
    return np.array(out)


def first_step(seed: int) -> dict[str, Any]:
    """Size of the first step for gradients of all sizes."""
    sizes = 10.0 ** np.arange(-6, 7)
    sign = np.random.default_rng(seed).choice([-1.0, 1.0], len(sizes))
    g = (sign * sizes)[None]
    ys = {
        "Adam": abs(steps(g)[0]),
        "without correction": abs(steps(g, correct=False)[0]),
    }
    figure = lines("size of the gradient", sizes, ys, "first step over the rate", "x")
    return {"measured": float(abs(ys["Adam"] - 1).max()), **figure}


def scale_free(seed: int) -> dict[str, Any]:
    """Way of 200 updates, for the same gradients at three scales."""
    g = np.random.default_rng(seed).normal(0.3, 1, (200, 1))
    ways = {f"times {s:g}": np.cumsum(steps(s * g)[:, 0]) for s in (1e-3, 1.0, 1e3)}
    one, *others = ways.values()
    error = max(abs(one - other).max() for other in others) / abs(one).max()
    return {"measured": float(error), **lines("update", np.arange(200), ways, "way")}


def bound(seed: int) -> dict[str, Any]:
    """Largest step after zeros, and for random gradients, over the bound."""
    limit = 0.1 / np.sqrt(0.001)
    rng = np.random.default_rng(seed)
    sparse = np.zeros((20001, 1))
    sparse[-1] = rng.normal()
    largest = [abs(steps(g)[-1]).max() for g in (sparse, rng.normal(size=(300, 50)))]
    shown = bars(["one after zeros", "random"], np.array(largest) / limit, "over bound")
    return {"measured": float(max(largest) / limit), **shown}


def is_rmsprop(seed: int) -> dict[str, Any]:
    """With beta_1 = 0 and no correction, against RMSProp written by itself."""
    g = np.random.default_rng(seed).normal(size=(100, 20))
    mean, own = np.zeros(20), []
    for one in g:
        mean = 0.999 * mean + 0.001 * one**2
        own.append(one / np.sqrt(mean))
    same = abs(steps(g, b1=0.0, correct=False) / own - 1).max()
    other = abs(steps(g) / own - 1).max()
    labels = ["beta_1 = 0", "beta_1 = 0.9"]
    shown = bars(labels, [max(same, 1e-17), other], "relative difference", "y")
    reason = "" if other > 0.01 else "The full algorithm is RMSProp as well."
    return {"measured": float(same), "inconclusive": reason, **shown}


def always_converges(seed: int) -> dict[str, Any]:
    """The online problem of Reddi: 3 x in every third round, else -x, x in [-1, 1]."""
    rounds, b2, ways = 3000, 1 / 10, {}
    start = float(np.random.default_rng(seed).uniform(-0.5, 0.5))
    for name in ("Adam", "SGD"):
        x, v, way = start, 0.0, []
        for t in range(1, rounds + 1):
            g = 3.0 if t % 3 == 1 else -1.0
            v = b2 * v + (1 - b2) * g * g
            scale = np.sqrt(v) if name == "Adam" else 1.0
            x = float(np.clip(x - 0.5 / np.sqrt(t) * g / scale, -1, 1))
            way.append(x)
        ways[name] = np.array(way[::30])
    reason = "" if ways["SGD"][-1] < -0.5 else "SGD does not converge either."
    figure = lines("round", np.arange(0, rounds, 30), ways, "x (the best is -1)")
    return {
        "measured": float(ways["Adam"][-10:].mean()),
        "inconclusive": reason,
        **figure,
    }


def _tables() -> dict[str, Any]:
    """Four tables of scikit-learn with standardized columns, and their classes."""
    from sklearn import datasets

    out = {}
    for name in ("iris", "wine", "breast_cancer", "digits"):
        x, y = getattr(datasets, f"load_{name}")(return_X_y=True)
        out[name.replace("_", " ")] = ((x - x.mean(0)) / (x.std(0) + 1e-9), y)
    return out


def default_rate(seed: int) -> dict[str, Any]:
    """Share of what the best rate learns that 0.001 learns, on four tasks."""
    rates, ys = [1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0], {}
    for name, (x, y) in _tables().items():
        losses = []
        for rate in rates:
            rng = np.random.default_rng(seed)
            ws = weights(rng, [x.shape[1], 32, y.max() + 1], 2.0)
            slots = [np.zeros_like(w) for w in ws for _ in range(2)]
            start = gradients(ws, x, y, relu)[0]
            for step in range(1, 401):
                rows = rng.integers(0, len(x), 16)
                adam(ws, slots, gradients(ws, x[rows], y[rows], relu)[1], step, rate)
            losses.append(gradients(ws, x, y, relu)[0])
        fall = start - np.array(losses)
        ys[name] = np.clip(fall / fall.max(), 0, 1)
    worst = float(min(share[2] for share in ys.values()))
    return {"measured": worst, **lines("rate", rates, ys, "share learned", "x")}
