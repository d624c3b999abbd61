"""A dense net with residual blocks on the digits, trained at given learning rates."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from glossary.lab.data import Array, Labels, digits
from glossary.lab.nets import softmax
from glossary.lab.steps import momentum, slots_for

#: Loss that stands for a run that was lost.
LOST = 10.0


def weights(rng: np.random.Generator, widths: Sequence[int]) -> list[Array]:
    """Normal weights of variance 2 over the number of inputs; half for a block."""
    return [
        rng.normal(0, np.sqrt((1 if a == b else 2) / a), (a, b))
        for a, b in pairwise(widths)
    ]


def gradients(ws: Sequence[Array], x: Array, y: Labels) -> tuple[float, list[Array]]:
    """Cross-entropy and its gradients; a square layer is a residual block."""
    ins = [x]
    h = x @ ws[0]
    for w in ws[1:]:
        ins.append(np.maximum(h, 0))
        h = ins[-1] @ w + (h if w.shape[0] == w.shape[1] else 0)
    delta = softmax(h)
    rows = np.arange(len(x))
    loss = float(-np.log(delta[rows, y] + 1e-300).mean())
    delta[rows, y] -= 1
    delta = delta / len(x)
    grads = []
    for i in range(len(ws) - 1, -1, -1):
        grads.append(ins[i].T @ delta)
        skip = delta if ws[i].shape[0] == ws[i].shape[1] else 0
        delta = (delta @ ws[i].T) * (ins[i] > 0) + skip
    return loss, grads[::-1]


def train(
    seed: int,
    widths: Sequence[int],
    rates: Array,
    masses: Array | float,
    every: int,
    batch: int = 32,
) -> list[float]:
    """Loss on all digits after each ``every`` updates of SGD with momentum.

    Args:
        seed: Of the weights and of the batches.
        widths: Numbers of units.
        rates: A learning rate for each update.
        masses: A momentum coefficient for each update, or one for all.
        every: Updates between two losses.
        batch: Examples in a batch.

    Returns:
        The losses; `LOST` from where one is not finite.
    """
    rng = np.random.default_rng(seed)
    x, y = digits()
    ws = weights(rng, widths)
    speeds = slots_for(ws)
    losses: list[float] = []
    with np.errstate(all="ignore"):
        for step, (rate, mass) in enumerate(np.broadcast(rates, masses), 1):
            rows = rng.integers(0, len(x), batch)
            loss, grads = gradients(ws, x[rows], y[rows])
            if not np.isfinite(loss) or loss > 1e6:
                break
            momentum(ws, speeds, grads, rate, mass)
            if step % every == 0:
                losses.append(min(gradients(ws, x, y)[0], LOST))
    return losses + [LOST] * (len(rates) // every - len(losses))
