"""Claims of *adapter layers* (Houlsby 2019), on a net that knows the digits 0 to 4."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from glossary.demos._kit import (
    Array,
    adam,
    bars,
    digits,
    gradients,
    relu,
    softmax,
    weights,
)

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


def recovers(seed: int) -> dict[str, Any]:
    """Errors on digits 5 to 9: a new head alone, an adapter below it, all weights."""
    rng, (x, y) = np.random.default_rng(seed), digits()
    new = rng.permutation(np.flatnonzero(y >= 5))
    train, test, errors = new[:600], new[600:], []
    for first, others in ((False, False), (False, True), (True, False)):
        own = np.random.default_rng(seed)
        down = own.normal(0, 0.3, (WIDTH, SIZE))
        ws = [_base(seed)[0].copy(), down, np.zeros((SIZE, WIDTH))]
        ws.append(own.normal(0, 0.1, (WIDTH, 10)))
        slots = [np.zeros_like(w) for w in ws for _ in range(2)]
        learns = (first, others, others, True)
        for step in range(1, 1001):
            rows = own.choice(train, 32)
            features, hidden, inner = _features(ws[0], ws[1], ws[2], x[rows])
            delta = softmax(features @ ws[3])
            delta[np.arange(32), y[rows]] -= 1
            back = delta @ ws[3].T
            code = (back @ ws[2].T) * (inner > 0)
            below = (back + code @ ws[1].T) * (hidden > 0)
            grads = [x[rows].T @ below, hidden.T @ code, inner.T @ back]
            grads.append(features.T @ delta)
            grads = [g / 32 * on for g, on in zip(grads, learns, strict=True)]
            adam(ws, slots, grads, step, 0.003)
        guess = (_features(ws[0], ws[1], ws[2], x[test])[0] @ ws[3]).argmax(1)
        errors.append(float((guess != y[test]).mean()))
    labels = ["new head", "adapter and head", "all but the adapter"]
    reason = "" if errors[2] < errors[0] else "All weights do no better than a head."
    shown = bars(labels, errors, "errors, new images")
    return {"measured": errors[0] / errors[1], "inconclusive": reason, **shown}


def below_full(seed: int) -> dict[str, Any]:
    """The same, as errors with the adapter over those with all weights."""
    found = recovers(seed)
    _, adapter, everything = found["data"]["errors, new images"]
    return {**found, "measured": float(adapter / everything)}
