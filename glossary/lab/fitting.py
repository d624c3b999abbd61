"""Fitting models to few examples: a small dense net, and ridge regression."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from glossary.lab.data import Array, Labels, Split, digits_split
from glossary.lab.nets import gradients, relu, softmax, weights
from glossary.lab.steps import adam, slots_for


def few_digits(seed: int, count: int, wrong: float = 0.0) -> Split:
    """``count`` digits to train on, and 450 others.

    Args:
        seed: Draws the digits and the labels.
        count: Number of digits to train on.
        wrong: Share of those whose label is drawn at random.
    """
    data = digits_split(seed)
    rng = np.random.default_rng([seed, 1])
    labels = data.train_y[:count].copy()
    drawn = rng.random(count) < wrong
    labels[drawn] = rng.integers(0, 10, drawn.sum())
    return Split(data.train_x[:count], labels, data.test_x, data.test_y)


def ridge(x: Array, y: Array, penalty: float) -> Array:
    """Weights of ridge regression in closed form (Hoerl and Kennard 1970).

    They minimize the sum of squared errors plus ``penalty`` times that of squared
    weights.
    """
    square = x.T @ x + penalty * np.eye(x.shape[1])
    return np.asarray(np.linalg.solve(square, x.T @ y), dtype=float)


def scores(ws: Sequence[Array], x: Array) -> Array:
    """What a dense net with ReLU gives before the softmax."""
    for w in ws[:-1]:
        x = np.maximum(x @ w, 0.0)
    out: Array = x @ ws[-1]
    return out


def loss(ws: Sequence[Array], x: Array, y: Labels) -> float:
    """Mean cross-entropy, in nats."""
    chance = softmax(scores(ws, x))[np.arange(len(x)), y]
    return float(-np.log(chance + 1e-300).mean())


def accuracy(ws: Sequence[Array], x: Array, y: Labels) -> float:
    """Share of the examples whose highest score is that of their label."""
    return float((scores(ws, x).argmax(axis=1) == y).mean())


def fit(
    seed: int,
    data: Split,
    widths: Sequence[int],
    updates: int,
    rate: float = 0.003,
    ws: Sequence[Array] | None = None,
    every: int = 0,
) -> tuple[list[Array], list[list[Array]]]:
    """Train with Adam on batches of 32.

    Args:
        seed: Draws the weights at the start, and the batches.
        data: What to train on.
        widths: Of all layers, from the inputs to the classes.
        updates: How many.
        rate: The learning rate.
        ws: Weights to start from, which are copied; or None for fresh ones.
        every: After how many updates the weights are kept; 0 for never.

    Returns:
        The weights at the end, and those that were kept, with those at the start first.
    """
    rng = np.random.default_rng([seed, 2])
    fresh = weights(rng, list(widths), 2.0)
    trained = [w.copy() for w in (fresh if ws is None else ws)]
    slots = slots_for(trained, 2)
    kept = [[w.copy() for w in trained]]
    for step in range(1, updates + 1):
        rows = rng.integers(0, len(data.train_x), 32)
        grads = gradients(trained, data.train_x[rows], data.train_y[rows], relu)[1]
        adam(trained, slots, grads, step, rate)
        if every and step % every == 0:
            kept.append([w.copy() for w in trained])
    return trained, kept
