"""Claims of *epoch*: one pass over the examples."""

from __future__ import annotations

import numpy as np

from glossary.lab import Control, Lines, Measurement
from glossary.lab.data import Array, Labels, digits
from glossary.lab.nets import gradients, relu, weights
from glossary.lab.steps import sgd


def shuffled_order(rng: np.random.Generator, count: int) -> Labels:
    """One epoch in random order: each example once."""
    return rng.permutation(count)


def _unseen(order: Labels, count: int, marks: Labels) -> list[float]:
    """Share of the examples that has not come yet, after so many draws."""
    return [1 - len(np.unique(order[:mark])) / count for mark in marks]


def each_once(seed: int) -> Measurement:
    """Share of the digits that as many draws with replacement miss."""
    rng = np.random.default_rng(seed)
    count = len(digits()[0])
    replaced = rng.integers(0, count, 3 * count)
    shuffled = np.concatenate([shuffled_order(rng, count) for _ in range(3)])
    passes = np.linspace(0, 3, 31)
    marks = np.round(passes * count).astype(int)
    unseen = {
        "shuffled epochs": _unseen(shuffled, count, marks),
        "drawn with replacement": _unseen(replaced, count, marks),
    }
    shown = Lines(
        x=passes,
        ys=unseen,
        x_label="draws, as a multiple of the number of examples",
        y_label="share of the examples not seen yet",
        marks={"1/e": float(np.exp(-1))},
    )
    misses_none = unseen["shuffled epochs"][10] == 0
    return Measurement(
        measured=unseen["drawn with replacement"][10],
        panels=(shown,),
        seen=(
            "A shuffled epoch has seen all at its end; draws with replacement have "
            "then missed more than a third."
        ),
        controls=(Control(misses_none, "A shuffled epoch misses some as well."),),
    )


def _after_epochs(seed: int, batch: int, rate: float) -> list[float]:
    """Loss on 1024 digits after each of five epochs; infinite where it was lost."""
    rng = np.random.default_rng(seed)
    x, y = digits()
    x = x[:1024]
    y = y[:1024]
    ws = weights(rng, [64, 32, 10], 2.0)
    losses = [gradients(ws, x, y, relu)[0]]
    for _ in range(5):
        order = shuffled_order(rng, len(x))
        for begin in range(0, len(x), batch):
            rows = order[begin : begin + batch]
            loss, grads, _ = gradients(ws, x[rows], y[rows], relu)
            if not loss < 1e3:
                return [*losses, float("inf")]
            sgd(ws, grads, rate)
        losses.append(gradients(ws, x, y, relu)[0])
    return losses


def same_training(seed: int) -> Measurement:
    """Loss after five epochs with batches of 512, over that with batches of 16."""
    rates = [0.05, 0.1, 0.2, 0.4, 0.8]
    best = {}
    for batch in (16, 512):
        runs = [_after_epochs(seed, batch, rate) for rate in rates]
        best[batch] = min(runs, key=lambda run: run[-1])
    shown = Lines(
        x=np.arange(6),
        ys={
            "batches of 512, 2 updates an epoch": best[512],
            "batches of 16, 64 updates an epoch": best[16],
        },
        x_label="epochs",
        y_label="cross-entropy, nats",
        log="y",
    )
    learns = best[512][-1] < 0.9 * best[512][0]
    return Measurement(
        measured=best[512][-1] / best[16][-1],
        panels=(shown,),
        seen=(
            "After the same epochs the small batches, which made more updates, stand "
            "far lower."
        ),
        controls=(Control(learns, "The large batches learn nothing at any rate."),),
    )


def _above_minimum(seed: int, shuffled: bool, updates: int) -> Array:
    """Loss above the minimum at the end of each epoch of SGD, batches of 1.

    Linear regression on 50 examples with 5 features and noise, a learning rate of
    0.01; the mean of 100 runs that start at the minimum.
    """
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(50, 5))
    y = x @ rng.normal(size=5) + rng.normal(0, 1.0, 50)
    best = np.linalg.lstsq(x, y, rcond=None)[0]
    hessian = x.T @ x / len(x)
    w = np.tile(best, (100, 1))
    above = []
    for update in range(updates):
        place = update % len(x)
        if place == 0:
            orders = np.array([shuffled_order(rng, len(x)) for _ in w])
            above.append(float((((w - best) @ hessian) * (w - best)).sum(1).mean() / 2))
        rows = orders[:, place] if shuffled else rng.integers(0, len(x), len(w))
        errors = (w * x[rows]).sum(axis=1) - y[rows]
        w = w - 0.01 * errors[:, None] * x[rows]
    return np.array(above)


def reshuffled(seed: int) -> Measurement:
    """Height above the minimum with replacement, over that with shuffled epochs."""
    heights = {
        "drawn with replacement": _above_minimum(seed, False, 2000),
        "shuffled epochs": _above_minimum(seed, True, 2000),
    }
    shown = Lines(
        x=np.arange(1, 40),
        ys={name: above[1:] for name, above in heights.items()},
        x_label="epoch (50 updates)",
        y_label="loss above the minimum, at the epoch's end",
        log="y",
    )
    late = {name: float(above[-20:].mean()) for name, above in heights.items()}
    other = float(_above_minimum(seed + 1000, False, 2000)[-20:].mean())
    scatters = other / late["drawn with replacement"]
    return Measurement(
        measured=late["drawn with replacement"] / late["shuffled epochs"],
        panels=(shown,),
        seen=(
            "At the ends of shuffled epochs the loss lies far nearer to the minimum "
            "than with draws with replacement."
        ),
        controls=(
            Control(0.2 < scatters < 5, "Other data with other draws differ as much."),
        ),
    )
