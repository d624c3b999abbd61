"""Claims of *adapter layers* (Houlsby 2019), on a net that knows the digits 0 to 4."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from glossary.demos._kit import Array, bars, digits, gradients, relu, weights

SIZE = 8
#: Features of the net that is adapted.
WIDTH = 32


@cache
def _base(seed: int) -> tuple[Any, ...]:
    rng, (x, y) = np.random.default_rng(seed), digits()
    ws, rows = weights(rng, [64, WIDTH, 10], 2.0), np.flatnonzero(y < 5)
    for _ in range(300):
        batch = rng.choice(rows, 32)
        for w, g in zip(ws, gradients(ws, x[batch], y[batch], relu)[1], strict=True):
            w -= 0.2 * g
    return tuple(ws)


def _features(w: Any, down: Any, up: Any, x: Any) -> tuple[Array, Array, Array]:
    hidden = np.maximum(x @ w, 0)
    inner = np.maximum(hidden @ down, 0)
    return hidden + inner @ up, hidden, inner


def identity(seed: int) -> dict[str, Any]:
    """Change of the features by an adapter whose second matrix is zero, or random."""
    rng, (x, _) = np.random.default_rng(seed), digits()
    w, down = _base(seed)[0], rng.normal(0, 0.1, (WIDTH, SIZE))
    changes = []
    for scale in (0.0, 0.1):
        out, hidden, _ = _features(w, down, scale * rng.normal(size=(SIZE, WIDTH)), x)
        changes.append(abs(out - hidden).max())
    shown = bars(["zero", "random"], changes, "change of the features")
    reason = "" if changes[1] > 1e-3 else "A random adapter changes nothing either."
    return {"measured": float(changes[0]), "inconclusive": reason, **shown}


def forgets(seed: int) -> dict[str, Any]:
    """Accuracy on the old digits, weights frozen under an adapter or trained on."""
    rng, (x, y) = np.random.default_rng(seed), digits()
    old, new = np.flatnonzero(y < 5), np.flatnonzero(y >= 5)
    base, head = _base(seed)
    trained, frozen = [base.copy(), head.copy()], [base, head]
    for _ in range(600):
        rows = rng.choice(new, 32)
        grads = gradients(trained, x[rows], y[rows], relu)[1]
        for w, g in zip(trained, grads, strict=True):
            w -= 0.2 * g
    accuracy = []
    for first, last in (frozen, trained):
        guess = (np.maximum(x[old] @ first, 0) @ last).argmax(1)
        accuracy.append(float((guess == y[old]).mean()))
    reason = "" if accuracy[0] > 0.9 else "The net never knew the old digits."
    shown = bars(
        ["frozen, adapter removed", "trained on"], accuracy, "accuracy, 0 to 4"
    )
    return {"measured": accuracy[1] / accuracy[0], "inconclusive": reason, **shown}


def few(seed: int) -> dict[str, Any]:
    """Parameters of the adapter over those of the layer it adapts, counted."""
    widths = np.array([128, 512, 768, 3072])
    share = 2 * widths * SIZE / widths**2
    shown = bars([str(w) for w in widths], share, "share of the parameters", "y")
    return {"measured": float(share[0]), **shown}
