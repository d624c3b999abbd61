"""One update of each optimizer, in place, as its paper writes it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from glossary.lab.data import Array


def sgd(ws: Sequence[Array], grads: Sequence[Array], rate: float) -> None:
    """W <- w - rate g."""
    for w, g in zip(ws, grads, strict=True):
        w -= rate * g


def momentum(
    ws: Sequence[Array],
    speeds: Sequence[Array],
    grads: Sequence[Array],
    rate: float,
    mass: float = 0.9,
    nesterov: bool = False,
) -> None:
    """V <- mass v - rate g, then w <- w + v; Nesterov's takes mass v - rate g again.

    Args:
        ws: Weights, changed in place.
        speeds: A velocity for each, 0 at the start, changed in place.
        grads: Gradients of the loss.
        rate: The learning rate.
        mass: The momentum coefficient.
        nesterov: Whether the step looks ahead (Sutskever 2013, as Keras writes it).
    """
    for w, speed, g in zip(ws, speeds, grads, strict=True):
        speed *= mass
        speed -= rate * g
        w += mass * speed - rate * g if nesterov else speed


def adam(
    ws: Sequence[Array],
    slots: Sequence[Array],
    grads: Sequence[Array],
    step: int,
    rate: float,
    decay: float = 0.0,
) -> None:
    """Kingma and Ba, algorithm 1; with ``decay`` AdamW (Loshchilov and Hutter).

    Args:
        ws: Weights, changed in place.
        slots: Both moments of each array in turn, 0 at the start, changed in place.
        grads: Gradients of the loss.
        step: Number of this update, counted from 1.
        rate: The learning rate.
        decay: Share of the rate by which each weight shrinks, apart from its gradient.
    """
    for i, (w, g) in enumerate(zip(ws, grads, strict=True)):
        first = slots[2 * i]
        second = slots[2 * i + 1]
        first += 0.1 * (g - first)
        second += 0.001 * (g * g - second)
        root = np.sqrt(second / (1 - 0.999**step)) + 1e-8
        if decay:
            w *= 1 - rate * decay
        w -= rate * first / (1 - 0.9**step) / root


def slots_for(ws: Sequence[Array], each: int = 1) -> list[Array]:
    """Arrays of zeros: ``each`` for every array of weights."""
    return [np.zeros_like(w) for w in ws for _ in range(each)]
