"""A dense net in float64 with backpropagation by hand, and counts of its work."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

from glossary.lab.data import Array, digits

#: A function of an array that returns its value and its derivative.
Activation = Callable[[Array], tuple[Array, Array]]


def relu(x: Array) -> tuple[Array, Array]:
    """max(0, x), and its derivative."""
    return np.maximum(x, 0.0), (x > 0).astype(float)


def leaky_relu(x: Array) -> tuple[Array, Array]:
    """The larger of x and 0.1 x, and its derivative."""
    return np.maximum(x, 0.1 * x), np.where(x > 0, 1.0, 0.1)


def tanh(x: Array) -> tuple[Array, Array]:
    """Tanh x, and its derivative 1 - tanh^2 x."""
    value = np.tanh(x)
    return value, 1 - value**2


def sigmoid(x: Array) -> tuple[Array, Array]:
    """1 / (1 + exp -x), and its derivative s (1 - s)."""
    value = 1 / (1 + np.exp(-x))
    return value, value * (1 - value)


def weights(rng: Any, widths: list[int], gain: float) -> list[Array]:
    """Normal weights of variance ``gain`` over the number of inputs."""
    pairs = pairwise(widths)
    return [rng.normal(0, np.sqrt(gain / a), (a, b)) for a, b in pairs]


class Counted(np.ndarray):
    """An array that counts what matrix products with it cost.

    ``tally`` is shared by all arrays that are computed from it: ``work``, the
    multiplications and additions, and ``bytes``, what was read and written.
    """

    tally: dict[str, int]

    def __array_finalize__(self, source: Any) -> None:
        self.tally = getattr(source, "tally", {"work": 0, "bytes": 0})

    def __array_ufunc__(
        self, ufunc: Any, method: str, *inputs: Any, out: Any = None, **options: Any
    ) -> Any:
        plain = [np.asarray(one) for one in inputs]
        found = np.asarray(getattr(ufunc, method)(*plain, **options))
        if ufunc is np.matmul:
            self.tally["work"] += plain[0].size * plain[1].shape[-1]
            self.tally["bytes"] += sum(one.nbytes for one in (*plain, found))
        result = found.view(Counted)
        result.tally = self.tally
        return result


def counted(x: Array) -> Counted:
    """The same numbers, with a tally of their own that stands at 0."""
    result = x.view(Counted)
    result.tally = {"work": 0, "bytes": 0}
    return result


def softmax(x: Array) -> Array:
    """Along the last axis; the largest is taken out first, so that none overflows."""
    powers = np.exp(x - x.max(axis=-1, keepdims=True))
    out: Array = powers / powers.sum(axis=-1, keepdims=True)
    return out


def gradients(
    ws: list[Array], x: Array, y: Any, activation: Any, derivative: bool = True
) -> tuple[float, list[Array], list[Array]]:
    """Cross-entropy of a dense net, by backpropagation.

    Returns:
        Loss, gradient for each weight, gradient for the output of each layer.
    """
    outs, slopes = [x], []
    for w in ws[:-1]:
        value, slope = activation(outs[-1] @ w)
        outs.append(value)
        slopes.append(slope if derivative else np.ones_like(slope))
    chance = softmax(outs[-1] @ ws[-1])
    rows = np.arange(len(x))
    loss = float(-np.log(chance[rows, y] + 1e-300).mean())
    chance[rows, y] -= 1
    delta, grads, signals = chance / len(x), [], []
    for i in range(len(ws) - 1, -1, -1):
        grads.append(outs[i].T @ delta)
        if i:
            signal = delta @ ws[i].T
            signals.append(signal)
            delta = signal * slopes[i - 1]
    return loss, grads[::-1], signals[::-1]


def train(rng: Any, rate: float, steps: int, batch: int = 32) -> float:
    """Loss on all digits after SGD from fresh weights; infinite if it was lost."""
    x, y = digits()
    ws = weights(rng, [64, 32, 10], 2.0)
    with np.errstate(all="ignore"):
        for _ in range(steps):
            rows = rng.integers(0, len(x), batch)
            loss, grads, _ = gradients(ws, x[rows], y[rows], relu)
            if not np.isfinite(loss) or loss > 1e6:
                return float("inf")
            for w, g in zip(ws, grads, strict=True):
                w -= rate * g
        return gradients(ws, x, y, relu)[0]
