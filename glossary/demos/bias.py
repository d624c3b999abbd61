"""Claims of *bias*."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from glossary.lab import Control, Lines, Measurement, tape
from glossary.lab.data import Array, Labels, digits_split
from glossary.lab.nets import weights
from glossary.lab.steps import sgd


def fit(x: Array, y: Array, bias: bool) -> Array:
    """Least squares of a line: slope and bias; the bias is 0 where there is none."""
    columns = np.stack([x, np.full_like(x, float(bias))], axis=1)
    return np.asarray(np.linalg.lstsq(columns, y, rcond=None)[0], float)


def origin(seed: int) -> Measurement:
    """Squared error of a line without a bias, over that of one with it."""
    from sklearn.datasets import load_diabetes

    rng = np.random.default_rng(seed)
    table, y = load_diabetes(return_X_y=True)
    rows = rng.choice(len(y), 300, replace=False)
    x = table[rows, 2] / table[:, 2].std()
    y = y[rows]
    slope, bias = fit(x, y, bias=True)
    slope_alone, _ = fit(x, y, bias=False)
    with_bias = float(((slope * x + bias - y) ** 2).mean())
    without = float(((slope_alone * x - y) ** 2).mean())
    centered = y - y.mean()
    x_centered = x - x.mean()
    slope_centered, _ = fit(x_centered, centered, bias=False)
    without_centered = float(((slope_centered * x_centered - centered) ** 2).mean())
    edges = np.quantile(table[:, 2], np.linspace(0, 1, 9)) / table[:, 2].std()
    middles = (edges[1:] + edges[:-1]) / 2
    means = [float(y[(x >= low) & (x <= high)].mean()) for low, high in pairwise(edges)]
    shown = Lines(
        x=middles,
        ys={
            "patients, mean of an eighth": means,
            "line with a bias": slope * middles + bias,
            "line without a bias": slope_alone * middles,
        },
        x_label="body mass index, standardized",
        y_label="disease a year later",
    )
    return Measurement(
        measured=without / with_bias,
        panels=(shown,),
        seen=(
            "The line with a bias goes through the means of the patients; without one "
            "it must pass through 0, and misses them."
        ),
        controls=(
            Control(
                without_centered < 1.001 * with_bias,
                "It is so with centered data as well.",
            ),
        ),
    )


def normalize(x: Array) -> Array:
    """Each column to mean 0 and variance 1 over the batch (Ioffe and Szegedy 2015)."""
    normal: Array = (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + 1e-5)
    return normal


def before_batch_norm(seed: int) -> Measurement:
    """Change of a layer's output by its biases, before batch normalization."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(64, 16))
    w = rng.normal(0, 0.25, (16, 8))
    directions = rng.normal(size=8)
    sizes = np.array([0.01, 0.03, 0.1, 0.3, 1, 3, 10])
    changes: dict[str, list[float]] = {
        "without normalization": [],
        "then batch normalization": [],
    }
    for size in sizes:
        b = size * directions
        plain = np.linalg.norm((x @ w + b) - x @ w) / np.linalg.norm(x @ w)
        base = normalize(x @ w)
        normal = np.linalg.norm(normalize(x @ w + b) - base) / np.linalg.norm(base)
        changes["without normalization"].append(float(plain))
        changes["then batch normalization"].append(float(normal))
    shown = Lines(
        x=sizes,
        ys=changes,
        x_label="size of the biases",
        y_label="relative change of the output",
        log="xy",
    )
    return Measurement(
        measured=max(changes["then batch normalization"]),
        panels=(shown,),
        seen=(
            "Larger biases change the output more, and change nothing but the rounding "
            "once batch normalization follows."
        ),
        controls=(
            Control(
                changes["without normalization"][-1] > 1,
                "They change nothing without normalization either.",
            ),
        ),
    )


def _held_out(seed: int, biases: bool, updates: int = 400) -> list[float]:
    """Held-out loss on digits during training, of a net with or without biases."""
    split = digits_split(seed)
    rng = np.random.default_rng(seed)
    ws = weights(rng, [64, 32, 10], 2.0)
    bs = [np.zeros(32), np.zeros(10)]

    def loss(x: Array, y: Labels) -> tuple[tape.Variable, list[tape.Variable]]:
        first, second, b, c = map(tape.Variable, (*ws, *bs))
        hidden = tape.relu(tape.Variable(x) @ first + b)
        return tape.cross_entropy(hidden @ second + c, y), [first, second, b, c]

    losses = []
    for update in range(updates + 1):
        if update % 20 == 0:
            losses.append(float(loss(split.test_x, split.test_y)[0].value))
        rows = rng.integers(0, len(split.train_x), 32)
        value, variables = loss(split.train_x[rows], split.train_y[rows])
        tape.backward(value)
        grads = [variable.grad for variable in variables]
        sgd(ws, grads[:2], 0.1)
        if biases:
            sgd(bs, grads[2:], 0.1)
    return losses


def indispensable(seed: int) -> Measurement:
    """Held-out loss of a net without biases, over that of one with them."""
    losses = {
        "with biases": _held_out(seed, biases=True),
        "without biases": _held_out(seed, biases=False),
    }
    shown = Lines(
        x=20 * np.arange(len(losses["with biases"])),
        ys=losses,
        x_label="update",
        y_label="held-out cross-entropy, nats",
        log="y",
    )
    learns = losses["with biases"][-1] < 0.3 * losses["with biases"][0]
    return Measurement(
        measured=losses["without biases"][-1] / losses["with biases"][-1],
        panels=(shown,),
        seen=("Both nets learn; the one without biases comes as low or nearly as low."),
        controls=(Control(learns, "The net with biases learns nothing."),),
    )
