"""Claims of *attention mechanism*: scaled dot products (Vaswani 2017, eq. 1)."""

from __future__ import annotations

import tracemalloc
from functools import cache
from typing import Any

import numpy as np

from glossary.demos._kit import adam, bars, digits, lines, softmax


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
    raw = q @ k.T / np.sqrt(16)
    control = max(abs(raw.sum(1) - 1).max(), -raw.min())
    reason = "" if control > 0.1 else "Scores without a softmax would do as well."
    ys = {"sum": weights.sum(1), "largest": weights.max(1), "smallest": weights.min(1)}
    shown = lines("query", np.arange(12), ys, "weight")
    return {"measured": float(error), "inconclusive": reason, **shown}


@cache
def _side_by_side() -> Any:
    """A model to train: one head, and two of half its size, on the same rows."""
    import keras

    rows = keras.Input((8, 12))
    layers = [
        keras.layers.MultiHeadAttention(
            count, 16 // count, output_shape=8, use_bias=False, name=name,
            kernel_initializer="zeros",
        )
        for name, count in (("one", 1), ("two", 2))
    ]  # fmt: skip
    model = keras.Model(rows, [layer(rows, rows) for layer in layers])
    model.compile(keras.optimizers.Adam(0.04), ["mse", "mse"])
    model.optimizer.build(model.trainable_variables)
    return model


def heads(seed: int) -> dict[str, Any]:
    """Error of two heads of Keras' layer over that of one as large as both.

    One head has one mean of the rows to give, where two are asked for.
    """
    model, rng = _side_by_side(), np.random.default_rng(seed)
    for variable in model.optimizer.variables[2:]:  # after the count and the rate
        variable.assign(np.zeros(variable.shape))
    model.optimizer.iterations.assign(0)
    for weight in model.weights:
        weight.assign(rng.normal(0, 0.3, weight.shape))
    x, y = _ring(rng, 320)
    fit = model.fit(x, [y, y], batch_size=32, epochs=8, verbose=0, shuffle=False)
    errors = [fit.history[f"{name}_loss"] for name in ("one", "two")]
    ys = dict(zip(("one head", "two heads"), errors, strict=True))
    shown = lines("epoch", np.arange(1, 9), ys, "squared error", "y")
    reason = "" if errors[0][-1] < 0.9 else "One head learns nothing either."
    ratio = errors[1][-1] / errors[0][-1]
    return {"measured": ratio, "inconclusive": reason, **shown}


def _ring(rng: Any, count: int) -> tuple[Any, Any]:
    """Eight numbered rows of four numbers, and for each those of its neighbours."""
    numbers = rng.normal(size=(count, 8, 4))
    places = np.broadcast_to(np.eye(8), (count, 8, 8))
    neighbours = [np.roll(numbers, way, axis=1) for way in (1, -1)]
    x, y = np.concatenate([numbers, places], 2), np.concatenate(neighbours, 2)
    return x.astype("float32"), y.astype("float32")


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
    mixed = rng.permutation(weight)
    control = float(abs((mixed - weight) @ values).max() / abs(weight @ values).max())
    labels = ["these weights", "their output", "output of mixed weights"]
    reason = "" if moved > 0.05 else "The other weights are almost the same."
    if control < 0.01:
        reason = "No weights change the output."
    shown = bars(labels, [moved, max(change, 1e-17), control], "relative change", "y")
    return {"measured": change, "inconclusive": reason, **shown}


def _questions(rng: Any, count: int, rows: Any) -> tuple[Any, Any, Any]:
    """A digit as query, eight digits of other classes as keys, and the one it means."""
    x, y = digits()
    keys = np.empty((count, 8), int)
    for i in range(count):
        for place, label in enumerate(rng.permutation(10)[:8]):
            keys[i, place] = rng.choice(rows[y[rows] == label])
    right = rng.integers(0, 8, count)
    asked = [rng.choice(rows[y[rows] == y[k]]) for k in keys[np.arange(count), right]]
    return x[asked] - 0.3, x[keys] - 0.3, right


def finds(seed: int) -> dict[str, Any]:
    """Weight on the position that is asked for, trained by the error of the output."""
    rng, size, at = np.random.default_rng(seed), 16, np.arange(600)
    order = rng.permutation(1797)
    ws = [rng.normal(0, 0.1, (64, size)) for _ in range(2)]
    slots = [np.zeros((64, size)) for _ in range(4)]
    queries, keys, right = _questions(rng, 600, order[:1200])
    tests = _questions(rng, 600, order[1200:])
    seen = []

    def weights(queries: Any, keys: Any) -> tuple[Any, Any, Any]:
        q, k = queries @ ws[0], keys @ ws[1]
        return q, k, softmax(np.einsum("bd,bnd->bn", q, k) / np.sqrt(size))

    for step in range(1, 151):
        if step % 10 == 1:
            seen.append(weights(*tests[:2])[2][at, tests[2]].mean())
        values = rng.normal(size=(600, 8, 4))
        q, k, w = weights(queries, keys)
        error = np.einsum("bn,bnv->bv", w, values) - values[at, right]
        slope = np.einsum("bv,bnv->bn", error, values)
        score = w * (slope - (w * slope).sum(1, keepdims=True)) / np.sqrt(size) / 600
        grads = [
            queries.T @ np.einsum("bn,bnd->bd", score, k),
            np.einsum("bnp,bn,bd->pd", keys, score, q, optimize=True),
        ]
        adam(ws, slots, grads, step, 0.01)
    last = weights(*tests[:2])[2][at, tests[2]].mean()
    ys = {"trained": [*seen, last], "even": np.full(len(seen) + 1, 1 / 8)}
    steps = [*range(0, 150, 10), 150]
    shown = lines("update", steps, ys, "weight, new images")
    return {"measured": float(8 * last), **shown}


def squares(seed: int) -> dict[str, Any]:
    """Memory that attention takes for twice the length, as a power of two."""
    lengths, peaks = [128, 256, 512, 1024], []
    rng = np.random.default_rng(seed)
    for length in lengths:
        q, k, v = rng.normal(size=(3, length, 16))
        tracemalloc.start()
        attend(q, k, v)
        peaks.append(tracemalloc.get_traced_memory()[1] / 1e6)
        tracemalloc.stop()
    linear = [peaks[0] * length / lengths[0] for length in lengths]
    figure = lines("length", lengths, {"measured": peaks, "linear": linear}, "MB", "xy")
    return {"measured": float(np.log2(peaks[-1] / peaks[-2])), **figure}
