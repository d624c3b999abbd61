"""A small dense net on the digits in plain NumPy, trained at given rates."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np

#: Loss that stands for a run that was lost.
LOST = 10.0


@cache
def digits() -> tuple[Any, Any]:
    """1797 images of 8 x 8 pixels in [0, 1], and their labels."""
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    return x / 16, y


def weights(rng: Any, widths: list[int]) -> list[Any]:
    """Normal weights of variance 2 over the number of inputs; half for a block."""
    return [
        rng.normal(0, np.sqrt((1 if a == b else 2) / a), (a, b))
        for a, b in pairwise(widths)
    ]


def gradients(ws: list[Any], x: Any, y: Any) -> tuple[float, list[Any]]:
    """Cross-entropy and its gradients; a square layer is a residual block."""
    ins, h = [x], x @ ws[0]
    for w in ws[1:]:
        ins.append(np.maximum(h, 0))
        h = ins[-1] @ w + (h if w.shape[0] == w.shape[1] else 0)
    delta = np.exp(h - h.max(axis=1, keepdims=True))
    delta /= delta.sum(axis=1, keepdims=True)
    rows = np.arange(len(x))
    loss = float(-np.log(delta[rows, y] + 1e-300).mean())
    delta[rows, y] -= 1
    delta, grads = delta / len(x), []
    for i in range(len(ws) - 1, -1, -1):
        grads.append(ins[i].T @ delta)
        skip = delta if ws[i].shape[0] == ws[i].shape[1] else 0
        delta = (delta @ ws[i].T) * (ins[i] > 0) + skip
    return loss, grads[::-1]


def train(
    seed: int, widths: list[int], rates: Any, momentum: Any, every: int, batch: int = 32
) -> list[float]:
    """Loss on all digits after each ``every`` updates of SGD with momentum.

    Args:
        seed: Of the weights and of the batches.
        widths: Numbers of units.
        rates: One for each update.
        momentum: One for each update, or one for all.
        every: Updates between two losses.
        batch: Examples in a batch.

    Returns:
        The losses; `LOST` from where one is not finite.
    """
    rng, (x, y) = np.random.default_rng(seed), digits()
    ws = weights(rng, widths)
    speeds, losses = [np.zeros_like(w) for w in ws], []
    with np.errstate(all="ignore"):
        for step, (rate, mass) in enumerate(np.broadcast(rates, momentum), 1):
            rows = rng.integers(0, len(x), batch)
            loss, grads = gradients(ws, x[rows], y[rows])
            if not np.isfinite(loss) or loss > 1e6:
                break
            for w, speed, grad in zip(ws, speeds, grads, strict=True):
                speed *= mass
                speed -= rate * grad
                w += speed
            if step % every == 0:
                losses.append(min(gradients(ws, x, y)[0], LOST))
    return losses + [LOST] * (len(rates) // every - len(losses))
