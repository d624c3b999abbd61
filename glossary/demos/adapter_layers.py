"""Claims of *adapter layers* (Houlsby 2019), on a net that knows the digits 0 to 4."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from glossary.demos._kit import (
    Array,
    adam,
    bars,
    counted,
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


def _adapted(seed: int, first: bool, others: bool, rows: Any) -> list[Array]:
    """Weights after training on new digits: the first layer or an adapter, and a head.

    Returns:
        First layer, both matrices of the adapter, and the new head.
    """
    (x, y), own = digits(), np.random.default_rng(seed)
    down = own.normal(0, 0.3, (WIDTH, SIZE))
    ws = [_base(seed)[0].copy(), down, np.zeros((SIZE, WIDTH))]
    ws.append(own.normal(0, 0.1, (WIDTH, 10)))
    slots = [np.zeros_like(w) for w in ws for _ in range(2)]
    learns = (first, others, others, True)
    for step in range(1, 1001):
        some = own.choice(rows, 32)
        features, hidden, inner = _features(ws[0], ws[1], ws[2], x[some])
        delta = softmax(features @ ws[3])
        delta[np.arange(32), y[some]] -= 1
        back = delta @ ws[3].T
        code = (back @ ws[2].T) * (inner > 0)
        below = (back + code @ ws[1].T) * (hidden > 0)
        grads = [x[some].T @ below, hidden.T @ code, inner.T @ back]
        grads.append(features.T @ delta)
        grads = [g / 32 * on for g, on in zip(grads, learns, strict=True)]
        adam(ws, slots, grads, step, 0.003)
    return ws


def _old(seed: int, first: Array) -> Array:
    """Outputs for the old digits, of the old head on a first layer."""
    x, y = digits()
    out: Array = np.maximum(x[y < 5] @ first, 0) @ _base(seed)[1]
    return out


def forgets(seed: int) -> dict[str, Any]:
    """Errors on the old digits after a new task: all weights trained, or an adapter."""
    y, new = digits()[1], np.flatnonzero(digits()[1] >= 5)
    firsts = [
        _base(seed)[0],
        _adapted(seed, False, True, new)[0],
        _adapted(seed, True, False, new)[0],
    ]
    errors = [
        float((_old(seed, first).argmax(1) != y[y < 5]).mean()) for first in firsts
    ]
    reason = "" if errors[0] < 0.1 else "The net never knew the old digits."
    labels = ["before", "adapter, removed", "all weights"]
    shown = bars(labels, errors, "share of errors, digits 0 to 4")
    ratio = errors[2] / max(errors[1], 1 / (y < 5).sum())
    return {"measured": ratio, "inconclusive": reason, **shown}


def removable(seed: int) -> dict[str, Any]:
    """Change of the old outputs by training an adapter and removing it, or all."""
    new = np.flatnonzero(digits()[1] >= 5)
    before, changes = _old(seed, _base(seed)[0]), []
    for first in (False, True):
        trained = _adapted(seed, first, not first, new)[0]
        changes.append(float(abs(_old(seed, trained) - before).max()))
    reason = "" if changes[1] > 0.1 else "Training all weights changes nothing either."
    labels = ["adapter, removed", "all weights"]
    shown = bars(labels, np.maximum(changes, 1e-17), "change of an output", "y")
    return {"measured": changes[0], "inconclusive": reason, **shown}


def computes(seed: int) -> dict[str, Any]:
    """Multiply-adds of a forward pass with an adapter over those without, counted."""
    x, rng, work = digits()[0][:100], np.random.default_rng(seed), []
    w, head = _base(seed)
    for up in (None, rng.normal(size=(SIZE, WIDTH))):
        rows = counted(x)
        hidden = np.maximum(rows @ w, 0)
        if up is not None:
            hidden = hidden + np.maximum(hidden @ up.T, 0) @ up
        hidden @ head
        work.append(rows.tally["work"])
    shown = bars(["without", "with an adapter"], work, "multiply-adds, 100 images")
    return {"measured": work[1] / work[0], **shown}


def few(seed: int) -> dict[str, Any]:
    """Parameters of adapters over those of the Transformer they are put in, counted.

    One block has the sizes of BERT base; two adapters go into it (Houlsby 2019).
    """
    import keras

    shares, sizes, width = [], [8, 64, 256, 768], 768
    zeros = {"kernel_initializer": "zeros"}
    x = keras.Input((4, width))
    attended = keras.layers.MultiHeadAttention(12, width // 12, **zeros)(x, x)
    inner = keras.layers.Dense(4 * width, **zeros)(attended)
    block = keras.Model(x, keras.layers.Dense(width, **zeros)(inner))
    for size in sizes:
        code = keras.layers.Dense(size, **zeros)(x)
        adapter = keras.Model(x, keras.layers.Dense(width, **zeros)(code))
        shares.append(2 * adapter.count_params() / block.count_params())
    labels = [str(size) for size in sizes]
    shown = bars(labels, shares, "share of the parameters", "y", "size of the adapter")
    return {"measured": shares[1], **shown}


def recovers(seed: int) -> dict[str, Any]:
    """Errors on digits 5 to 9: a new head alone, an adapter below it, all weights."""
    rng, (x, y) = np.random.default_rng(seed), digits()
    new = rng.permutation(np.flatnonzero(y >= 5))
    train, test, errors = new[:600], new[600:], []
    for first, others in ((False, False), (False, True), (True, False)):
        ws = _adapted(seed, first, others, train)
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
