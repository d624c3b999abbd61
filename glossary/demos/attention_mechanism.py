"""Claims of *attention mechanism*: what it computes, and what training makes of it."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glossary.lab import Bars, Control, Lines, Measurement
from glossary.lab.data import Array, digits
from glossary.lab.nets import softmax
from glossary.lab.steps import adam, slots_for


def attend(
    q: Array, k: Array, v: Array, mask: NDArray[np.bool_] | None = None
) -> tuple[Array, Array]:
    """Outputs softmax(Q K^T / sqrt d) V, and the weights (Vaswani 2017, eq. 1).

    Args:
        q: Queries, a row each.
        k: Keys, a row for each position.
        v: Values, a row for each position.
        mask: True where a query may look; or None for everywhere.
    """
    scores = q @ k.T / np.sqrt(q.shape[-1])
    if mask is not None:
        scores = np.where(mask, scores, -np.inf)
    weights = softmax(scores)
    return weights @ v, weights


def convex(seed: int) -> Measurement:
    """Sums of the weights, and outputs outside of the values' range."""
    q, k, v = np.random.default_rng(seed).normal(size=(3, 12, 16))
    out, weights = attend(q, k, v)
    outside = max((out - v.max(0)).max(), (v.min(0) - out).max(), 0.0)
    error = max(abs(weights.sum(1) - 1).max(), outside, float(-weights.min()))
    raw = q @ k.T / np.sqrt(16)
    plain = max(abs(raw.sum(1) - 1).max(), -raw.min())
    shown = Lines(
        x=np.arange(1, 13),
        ys={
            "sum of the weights": weights.sum(1),
            "largest weight": weights.max(1),
            "smallest weight": weights.min(1),
        },
        x_label="query",
        y_label="weight",
    )
    return Measurement(
        measured=error,
        panels=(shown,),
        seen="For each query the weights are positive and sum to 1.",
        controls=(Control(plain > 0.1, "Scores without a softmax would do as well."),),
    )


def equivariant(seed: int) -> Measurement:
    """Outputs of rows in another order; with positions added, as a control."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(12, 16))
    ws = rng.normal(size=(3, 16, 16))
    order = rng.permutation(12)
    signal = np.sin(np.outer(np.arange(12), np.arange(1, 17) / 5))
    changes = {}
    for name, added in (("without positions", 0 * signal), ("with positions", signal)):
        out = attend(*((x + added) @ w for w in ws))[0]
        other = attend(*((x[order] + added) @ w for w in ws))[0]
        changes[name] = abs(out[order] - other).max(axis=1)
    without, added_to = (change.max() for change in changes.values())
    shown = Lines(
        x=np.arange(1, 13),
        ys=changes,
        x_label="position",
        y_label="largest change of its output by another order",
    )
    return Measurement(
        measured=without,
        panels=(shown,),
        seen="Without positions each output is the same in any order of the inputs.",
        controls=(Control(added_to > 1e-3, "Positions make no difference."),),
    )


def masks(seed: int) -> Measurement:
    """Change of the output by what stands in masked positions, and without a mask."""
    rng = np.random.default_rng(seed)
    q = rng.normal(size=(1, 16))
    k, v = rng.normal(size=(2, 8, 16))
    open_to = np.arange(8) < 5
    others = rng.normal(size=(2, 8, 16))
    other_k = np.where(open_to[:, None], k, others[0])
    other_v = np.where(open_to[:, None], v, others[1])
    changes = {}
    weights = {}
    for name, mask in (("no mask", None), ("mask on 6 to 8", open_to)):
        out, row = attend(q, k, v, mask)
        changes[name] = abs(attend(q, other_k, other_v, mask)[0] - out).max()
        weights[name] = row[0]
    plain, masked = changes.values()
    shown = Bars(
        labels=[str(place) for place in range(1, 9)],
        ys=weights,
        x_label="position",
        y_label="weight",
    )
    return Measurement(
        measured=masked,
        panels=(shown,),
        seen="Masked positions get a weight of exactly 0; the others share the rest.",
        controls=(Control(plain > 1e-3, "They change nothing without a mask either."),),
    )


def scaling(seed: int) -> Measurement:
    """Entropy of the weights with and without 1 / sqrt(d)."""
    rng = np.random.default_rng(seed)
    sizes = [4, 16, 64, 256, 1024]
    spread: dict[str, list[float]] = {"divided by root d": [], "not divided": []}
    for d in sizes:
        q, k = rng.normal(size=(2, 64, d))
        for entropies, by in zip(spread.values(), (np.sqrt(d), 1.0), strict=True):
            w = softmax(q @ k.T / by)
            entropy = -(w * np.log(w + 1e-300)).sum(1).mean()
            entropies.append(entropy / np.log(64))
    divided, plain = spread.values()
    shown = Lines(
        x=sizes,
        ys=spread,
        x_label="size d of a key",
        y_label="entropy of the weights over that of even ones",
        log="x",
        marks={"even weights": 1.0},
    )
    return Measurement(
        measured=divided[3] / plain[3],
        panels=(shown,),
        seen="Undivided scores of large keys put all weight on one position.",
        controls=(
            Control(plain[0] > 0.4, "Scores of small keys are not spread either."),
        ),
    )


def _questions(rng: Any, count: int, rows: Any) -> tuple[Array, Array, Any]:
    """A digit as query, eight digits of other classes as keys, and the one it means."""
    x, y = digits()
    keys = np.empty((count, 8), int)
    for i in range(count):
        for place, label in enumerate(rng.permutation(10)[:8]):
            keys[i, place] = rng.choice(rows[y[rows] == label])
    right = rng.integers(0, 8, count)
    asked = [rng.choice(rows[y[rows] == y[k]]) for k in keys[np.arange(count), right]]
    return x[asked] - 0.3, x[keys] - 0.3, right


def finds(seed: int) -> Measurement:
    """Weight on the position that is asked for, trained by the error of the output."""
    rng = np.random.default_rng(seed)
    size = 16
    at = np.arange(600)
    order = rng.permutation(1797)
    ws = [rng.normal(0, 0.1, (64, size)) for _ in range(2)]
    slots = slots_for(ws, each=2)
    queries, keys, right = _questions(rng, 600, order[:1200])
    new_queries, new_keys, new_right = _questions(rng, 600, order[1200:])

    def weights(queries: Array, keys: Array) -> tuple[Array, Array, Array]:
        q = queries @ ws[0]
        k = keys @ ws[1]
        return q, k, softmax(np.einsum("bd,bnd->bn", q, k) / np.sqrt(size))

    def on_right() -> float:
        return float(weights(new_queries, new_keys)[2][at, new_right].mean())

    found = []
    for step in range(1, 151):
        if step % 10 == 1:
            found.append(on_right())
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
    found.append(on_right())
    shown = Lines(
        x=[*range(0, 150, 10), 150],
        ys={"on the image that is asked for": found},
        x_label="update",
        y_label="weight, new images",
        marks={"even, 1/8": 1 / 8},
    )
    return Measurement(
        measured=8 * found[-1],
        panels=(shown,),
        seen="In training, most of the weight moves to the image that is asked for.",
        controls=(Control(found[0] < 0.2, "It is there without training as well."),),
    )


def _peak(function: Callable[..., Any], *arguments: Array) -> float:
    """Most memory that a call takes, in MB."""
    tracemalloc.start()
    function(*arguments)
    peak = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    return peak


def _average(q: Array, k: Array, v: Array) -> Array:
    """As many outputs without scores: each is its value plus the mean of all."""
    averaged: Array = v + v.mean(axis=0)
    return averaged


def squares(seed: int) -> Measurement:
    """Memory that attention takes for twice the length, as a power of two."""
    lengths = [128, 256, 512, 1024]
    rng = np.random.default_rng(seed)
    peaks: dict[str, list[float]] = {"attention": [], "mean of all values": []}
    for length in lengths:
        q, k, v = rng.normal(size=(3, length, 16))
        peaks["attention"].append(_peak(attend, q, k, v))
        peaks["mean of all values"].append(_peak(_average, q, k, v))
    powers = [np.log2(taken[-1] / taken[-2]) for taken in peaks.values()]
    attention, average = powers
    shown = Lines(
        x=lengths,
        ys=peaks,
        x_label="length of the sequence",
        y_label="most memory taken, MB",
        log="xy",
    )
    return Measurement(
        measured=attention,
        panels=(shown,),
        seen="For twice the length attention takes four times the memory, a mean takes "
        "twice.",
        controls=(Control(average < 1.3, "A mean takes its square as well."),),
    )


@cache
def _side_by_side() -> Any:
    """A model to train: one head, and two of half its size, on the same rows."""
    import keras  # an extra; the other demos here do without

    rows = keras.Input((8, 12))
    layers = [
        keras.layers.MultiHeadAttention(
            count,
            16 // count,
            output_shape=8,
            use_bias=False,
            name=name,
            kernel_initializer="zeros",
        )
        for name, count in (("one", 1), ("two", 2))
    ]
    model = keras.Model(rows, [layer(rows, rows) for layer in layers])
    model.compile(keras.optimizers.Adam(0.04), ["mse", "mse"])
    model.optimizer.build(model.trainable_variables)
    return model


def _ring(rng: Any, count: int) -> tuple[Any, Any]:
    """Eight numbered rows of four numbers, and for each those of its neighbours."""
    numbers = rng.normal(size=(count, 8, 4))
    places = np.broadcast_to(np.eye(8), (count, 8, 8))
    x = np.concatenate([numbers, places], 2)
    y = np.concatenate([np.roll(numbers, way, axis=1) for way in (1, -1)], 2)
    return x.astype("float32"), y.astype("float32")


def heads(seed: int) -> Measurement:
    """Error of two heads of Keras' layer over that of one as large as both.

    One head has one mean of the rows to give, where two are asked for.
    """
    model = _side_by_side()
    rng = np.random.default_rng(seed)
    for variable in model.optimizer.variables[2:]:  # after the count and the rate
        variable.assign(np.zeros(variable.shape))
    model.optimizer.iterations.assign(0)
    for weight in model.weights:
        weight.assign(rng.normal(0, 0.3, weight.shape))
    x, y = _ring(rng, 320)
    fit = model.fit(x, [y, y], batch_size=32, epochs=8, verbose=0, shuffle=False)
    one, two = (fit.history[f"{name}_loss"] for name in ("one", "two"))
    shown = Lines(
        x=np.arange(1, 9),
        ys={"one head of size 16": one, "two heads of size 8": two},
        x_label="epoch",
        y_label="squared error",
        log="y",
    )
    return Measurement(
        measured=two[-1] / one[-1],
        panels=(shown,),
        seen="Two heads learn to look at two places; one head stays at their mean.",
        controls=(Control(one[-1] < 0.9, "One head learns nothing either."),),
    )
