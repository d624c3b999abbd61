"""Claims of *backpropagation*."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from glossary.demos._kit import bars, digits, gradients, lines, relu, tanh, weights


def _net(seed: int) -> tuple[Any, Any, Any]:
    rng, (x, y) = np.random.default_rng(seed), digits()
    rows = rng.integers(0, len(x), 64)
    return weights(rng, [64, 30, 20, 10], 1.0), x[rows], y[rows]


def exact(seed: int) -> dict[str, Any]:
    """Against central differences; and without the activation's derivative."""
    ws, x, y = _net(seed)
    rng = np.random.default_rng(seed + 1)
    where = [
        (i, *(int(rng.integers(n)) for n in w.shape)) for i, w in enumerate(ws)
    ] * 1
    where += [(0, int(rng.integers(64)), int(rng.integers(30))) for _ in range(40)]

    def numeric(h: float) -> Any:
        out = []
        for i, a, b in where:
            pair = []
            for sign in (1, -1):
                ws[i][a, b] += sign * h
                pair.append(gradients(ws, x, y, tanh)[0])
                ws[i][a, b] -= sign * h
            out.append((pair[0] - pair[1]) / (2 * h))
        return np.array(out)

    def analytic(derivative: bool) -> Any:
        grads = gradients(ws, x, y, tanh, derivative)[1]
        return np.array([grads[i][a, b] for i, a, b in where])

    hs = 10.0 ** np.arange(-9, -1)
    errors = {}
    for name, derivative in (("backpropagation", True), ("without f'", False)):
        found = analytic(derivative)
        errors[name] = [
            np.linalg.norm(numeric(h) - found) / np.linalg.norm(found) for h in hs
        ]
    reason = "" if min(errors["without f'"]) > 0.01 else "The broken one agrees too."
    figure = lines("step of the difference", hs, errors, "relative error", "xy")
    return {
        "measured": min(errors["backpropagation"]),
        "inconclusive": reason,
        **figure,
    }


def cost(seed: int) -> dict[str, Any]:
    """Multiply-adds of a gradient over those of a forward pass, counted."""
    widths, batch = [64, 30, 20, 10], 64
    sizes = [a * b for a, b in pairwise(widths)]
    forward = batch * sum(sizes)
    # For each layer: forward, the weights' gradient, and the signal to the layer below.
    whole = batch * (3 * sum(sizes) - sizes[0])
    differences = 2 * sum(sizes) * forward
    counts = [forward, whole, differences]
    shown = bars(["loss", "gradient", "differences"], counts, "multiply-adds", "y")
    return {"measured": whole / forward, **shown}


def descends(seed: int) -> dict[str, Any]:
    """Share of 50 small steps that lower the loss, with the gradient and against it."""
    changes: list[list[float]] = [[], []]
    for i in range(50):
        ws, x, y = _net(1000 * seed + i)
        loss, grads, _ = gradients(ws, x, y, tanh)
        for way, sign in enumerate((1, -1)):
            moved = [w - sign * 1e-3 * g for w, g in zip(ws, grads, strict=True)]
            changes[way].append(gradients(moved, x, y, tanh)[0] - loss)
    ys = {"against the gradient": changes[0], "along it": changes[1]}
    figure = lines("batch", np.arange(50), ys, "change of the loss")
    return {"measured": float(np.mean(np.array(changes[0]) < 0)), **figure}


def vanish_or_explode(seed: int) -> dict[str, Any]:
    """Error signal at the first of 20 layers over that at the last, by the scale."""
    (x, y), gains = digits(), [0.5, 1.0, 2.0, 4.0, 8.0]
    found = []
    for gain in gains:
        ws = weights(np.random.default_rng(seed), [64] * 20 + [10], gain)
        signals = gradients(ws, x[:100], y[:100], relu)[2]
        found.append(float(np.linalg.norm(signals[0]) / np.linalg.norm(signals[-1])))
    figure = lines("variance of a weight times 64", gains, {"first over last": found},
                   "error signal", "xy")  # fmt: skip
    return {"measured": found[-1] / found[0], **figure}
