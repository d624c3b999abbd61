"""Claims of *activation function*."""

from __future__ import annotations

from typing import Any

import numpy as np

from glossary.demos import _kit
from glossary.demos._kit import bars, digits, gradients, lines, weights

DEPTH = 20
#: Inputs that are drawn, over a limit; without 0, where ReLU has a corner.
GRID = np.linspace(-1, 1, 60)


def collapse(seed: int) -> dict[str, Any]:
    """Five linear layers against their product."""
    rng, (x, _) = np.random.default_rng(seed), digits()
    ws = weights(rng, [64, 50, 50, 50, 50, 10], 1.0)
    product = np.linalg.multi_dot(ws)
    errors = []
    for bend in (lambda v: v, np.tanh):
        out = x
        for w in ws:
            out = bend(out @ w)
        errors.append(np.linalg.norm(out - x @ product) / np.linalg.norm(x @ product))
    shown = bars(["linear", "tanh"], np.maximum(errors, 1e-17), "relative error", "y")
    reason = "" if errors[1] > 0.01 else "Layers with tanh collapse as well."
    return {"measured": errors[0], "inconclusive": reason, **shown}


def _inputs(seed: int, limit: float) -> Any:
    """Those that are drawn, and as random ones 400 more."""
    return np.r_[limit * GRID, np.random.default_rng(seed).uniform(-limit, limit, 400)]


def _drawn(x: Any, ys: dict[str, Any], y_label: str) -> dict[str, Any]:
    few = len(GRID)
    return lines("input", x[:few], {k: y[:few] for k, y in ys.items()}, y_label)


def _slopes(function: Any, x: Any) -> Any:
    """Central differences of the values: what the formulas of derivatives claim."""
    return (function(x + 1e-5)[0] - function(x - 1e-5)[0]) / 2e-5


def bounds(seed: int) -> dict[str, Any]:
    """Slopes at random inputs over their bounds; of a steeper sigmoid, as a control."""
    x = _inputs(seed, 6)
    functions = (_kit.sigmoid, _kit.tanh, _kit.relu)
    slopes = {f.__name__: _slopes(f, x) for f in functions}
    steep = _slopes(lambda v: _kit.sigmoid(2 * v), x)
    error = max(
        slopes["sigmoid"].max() - 0.25,
        slopes["tanh"].max() - 1,
        np.minimum(abs(slopes["relu"]), abs(slopes["relu"] - 1)).max(),
    )
    reason = "" if steep.max() > 0.3 else "A steeper sigmoid keeps the bound as well."
    shown = _drawn(x, {**slopes, "sigmoid of 2 x": steep}, "slope")
    return {"measured": float(max(error, 0.0)), "inconclusive": reason, **shown}


def saturates(seed: int) -> dict[str, Any]:
    """Slope of tanh far from 0 over that near 0; of ReLU, as a control."""
    x = _inputs(seed, 6)
    slopes = {f.__name__: _slopes(f, x) for f in (_kit.tanh, _kit.relu)}
    ratios = {
        name: float(one[abs(x) > 3].max() / one[abs(x) < 0.3].max())
        for name, one in slopes.items()
    }
    reason = "" if ratios["relu"] > 0.9 else "ReLU saturates at both ends as well."
    shown = _drawn(x, slopes, "slope")
    return {"measured": ratios["tanh"], "inconclusive": reason, **shown}


def ranges(seed: int) -> dict[str, Any]:
    """How far the outputs of Keras' functions end from where they should."""
    import keras

    x = _inputs(seed, 40).astype("float32")
    ys = {
        name: np.array(
            keras.ops.convert_to_numpy(getattr(keras.activations, name)(x)), float
        )
        for name in ("relu", "sigmoid", "tanh", "linear")
    }

    def off(name: str, low: float, high: float) -> float:
        return float(max(abs(ys[name].min() - low), abs(ys[name].max() - high)))

    kept = float(abs(ys["relu"] - np.maximum(x, 0)).max())
    error = max(off("sigmoid", 0, 1), off("tanh", -1, 1), kept)
    reason = "" if off("linear", -1, 1) > 1 else "The identity keeps to them as well."
    ys = {name: np.clip(y, -2, 2) for name, y in ys.items()}
    shown = _drawn(x, ys, "output, cut at -2 and 2")
    return {"measured": error, "inconclusive": reason, **shown}


def _flow(seed: int, activation: Any, gain: float) -> Any:
    """Norm of the gradient for each layer's output, over that of the last layer."""
    rng, (x, y) = np.random.default_rng(seed), digits()
    ws = weights(rng, [64] + [64] * DEPTH + [10], gain)
    signals = gradients(ws, x[:200], y[:200], activation)[2]
    norms = np.array([np.linalg.norm(signal) for signal in signals])
    return norms / norms[-1]


def sigmoid_vanishes(seed: int) -> dict[str, Any]:
    """Gradient at the first over the last of 20 layers."""
    ys = {
        "sigmoid": _flow(seed, _kit.sigmoid, 1.0),
        "tanh": _flow(seed, _kit.tanh, 1.0),
        "ReLU, He": _flow(seed, _kit.relu, 2.0),
    }
    reason = "" if ys["ReLU, He"][0] > 0.05 else "ReLU does not keep them either."
    figure = lines("layer", np.arange(1, DEPTH + 1), ys, "gradient, relative", "y")
    return {"measured": float(ys["sigmoid"][0]), "inconclusive": reason, **figure}


def relu_keeps(seed: int) -> dict[str, Any]:
    """The same for ReLU with two initializations."""
    ys = {"variance 2 / n": _flow(seed, _kit.relu, 2.0)}
    ys["variance 1 / n"] = _flow(seed, _kit.relu, 1.0)
    ratio = ys["variance 2 / n"][0] / ys["variance 1 / n"][0]
    figure = lines("layer", np.arange(1, DEPTH + 1), ys, "gradient, relative", "y")
    return {"measured": float(ratio), **figure}


def tanh_vanishes(seed: int) -> dict[str, Any]:
    """The same for tanh at three scales of the weights."""
    ys = {f"variance {g:g} / n": _flow(seed, _kit.tanh, g) for g in (0.25, 1.0, 9.0)}
    figure = lines("layer", np.arange(1, DEPTH + 1), ys, "gradient, relative", "y")
    return {"measured": float(ys["variance 1 / n"][0]), **figure}


def _leaky(x: Any) -> tuple[Any, Any]:
    """The larger of x and 0.1 x, and its derivative."""
    return np.maximum(x, 0.1 * x), np.where(x > 0, 1.0, 0.1)


def dead_stays(seed: int) -> dict[str, Any]:
    """Change of the weights of units that a high rate has killed, at a lower rate."""
    rng, (x, y) = np.random.default_rng(seed), digits()
    moved, dead_units = [], []
    for activation in (_kit.relu, _leaky):
        ws = weights(rng, [64, 64, 10], 2.0)
        for step in range(400):
            rows = rng.integers(0, len(x), 32)
            _, grads, _ = gradients(ws, x[rows], y[rows], activation)
            if step == 100:
                dead, before = (x @ ws[0] <= 0).all(axis=0), ws[0].copy()
            for w, g in zip(ws, grads, strict=True):
                w -= (4.0 if step < 100 else 0.05) * np.clip(g, -1, 1)
        dead_units.append(int(dead.sum()))
        moved.append(float(abs(ws[0] - before)[:, dead].max(initial=0.0)))
    labels = [
        f"{n}, {k} dead" for n, k in zip(("ReLU", "leaky"), dead_units, strict=True)
    ]
    reason = "" if dead_units[0] and moved[1] > 1e-3 else "No unit was killed."
    shown = bars(labels, np.maximum(moved, 1e-17), "change of the weights", "y")
    return {"measured": moved[0], "inconclusive": reason, **shown}
