"""Claims of *hyperparameter*."""

from __future__ import annotations

import numpy as np

from glossary.lab import Control, Lines, Measurement
from glossary.lab.data import Array, diabetes
from glossary.lab.nets import gradients, relu, weights


def _loss(values: Array, second: float = 0.001) -> Array:
    """A loss of two hyperparameters in [0, 1]; ``second`` is how much the other counts."""
    out: Array = (values[:, 0] - 0.5) ** 2 + second * (values[:, 1] - 0.5) ** 2
    return out


def grid(side: int, rng: np.random.Generator) -> Array:
    """A square grid, shifted at random, since nobody knows where the best value lies."""
    line = (np.arange(side) + rng.random(2)[:, None]) / side
    return np.stack(np.meshgrid(line[0], line[1]), axis=-1).reshape(-1, 2)


def scattered(count: int, rng: np.random.Generator) -> Array:
    """As many random places."""
    return rng.random((count, 2))


def random_search(seed: int) -> Measurement:
    """Best loss of random search over that of a grid with as many trials."""
    rng = np.random.default_rng(seed)
    sides = np.array([2, 3, 4, 5, 6, 8, 10])
    losses: dict[str, list[float]] = {"grid": [], "random search": []}
    for side in sides:
        on_grid = [_loss(grid(side, rng)).min() for _ in range(400)]
        at_random = [_loss(scattered(side**2, rng)).min() for _ in range(400)]
        losses["grid"].append(float(np.mean(on_grid)))
        losses["random search"].append(float(np.mean(at_random)))
    shown = Lines(
        x=sides**2,
        ys=losses,
        x_label="trials",
        y_label="best loss above the lowest possible, mean of 400 searches",
        log="xy",
    )
    example = Lines(
        x=np.arange(1, 10),
        ys={
            "grid": np.sort(grid(3, np.random.default_rng(seed))[:, 0]),
            "random search": np.sort(scattered(9, np.random.default_rng(seed))[:, 0]),
        },
        x_label="trial, in rising order",
        y_label="value of the hyperparameter that matters",
        title="nine trials",
    )
    # Where both hyperparameters matter alike, random search has nothing to gain.
    alike_grid = [_loss(grid(5, rng), 1.0).min() for _ in range(400)]
    alike_random = [_loss(scattered(25, rng), 1.0).min() for _ in range(400)]
    place = int(np.flatnonzero(sides == 5)[0])
    return Measurement(
        measured=losses["random search"][place] / losses["grid"][place],
        panels=(example, shown),
        seen="Nine trials on a grid try three values of what matters, nine random ones "
        "try nine; so random search comes closer.",
        controls=(
            Control(np.mean(alike_random) > 0.8 * np.mean(alike_grid),
                "It wins where both matter alike as well."),
        ),
    )


def _final_loss(seed: int, rate: float, width: int) -> float:
    """Training loss on the diabetes table cut into thirds, after 150 updates."""
    x, target = diabetes()
    y = np.digitize(target, np.quantile(target, [1 / 3, 2 / 3]))
    rng = np.random.default_rng(seed)
    ws = weights(rng, [10, width, 3], 2.0)
    for _ in range(150):
        rows = rng.integers(0, len(x), 32)
        for w, g in zip(ws, gradients(ws, x[rows], y[rows], relu)[1], strict=True):
            w -= rate * g
    return gradients(ws, x, y, relu)[0]


def rate_matters_more(seed: int) -> Measurement:
    """Spread of the loss over learning rates, and over widths, both 64-fold."""
    factors = 2.0 ** np.arange(-3, 4)
    by_rate = [_final_loss(seed, 0.04 * factor, 32) for factor in factors]
    by_width = [_final_loss(seed, 0.04, int(32 * factor)) for factor in factors]
    shown = Lines(
        x=factors,
        ys={
            "learning rate, 0.005 to 0.32": by_rate,
            "width of the hidden layer, 4 to 256": by_width,
        },
        x_label="times the middle value",
        y_label="training loss in nats after 150 updates",
        log="x",
    )
    spread = {
        "rate": np.log(max(by_rate) / min(by_rate)),
        "width": np.log(max(by_width) / min(by_width)),
    }
    return Measurement(
        measured=spread["rate"] / spread["width"],
        panels=(shown,),
        seen="Over the same range of factors the loss changes more with the learning rate "
        "than with the width.",
        controls=(Control(max(by_width) < np.log(3), "A width learns nothing."),),
    )


def by_training_loss(seed: int) -> Measurement:
    """Held-out error of the penalty that the training error prefers, over the best.

    Ridge regression on 60 rows of the diabetes table with all products of features.
    """
    x, y = diabetes()
    first, second = np.triu_indices(10)
    inputs = np.c_[x, x[:, first] * x[:, second]]
    order = np.random.default_rng(seed).permutation(len(x))
    train = order[:60]
    held_out = order[60:]
    penalties = 10.0 ** np.arange(-3, 4.1, 0.5)
    errors: dict[str, list[float]] = {"training rows": [], "held-out rows": []}
    for penalty in penalties:
        w = ridge(inputs[train], y[train], penalty)
        errors["training rows"].append(float(((inputs[train] @ w - y[train]) ** 2).mean()))
        off = inputs[held_out] @ w - y[held_out]
        errors["held-out rows"].append(float((off**2).mean()))
    shown = Lines(
        x=penalties,
        ys=errors,
        x_label="penalty, the hyperparameter",
        y_label="mean squared error",
        log="xy",
    )
    chosen = int(np.argmin(errors["training rows"]))
    best = min(errors["held-out rows"])
    return Measurement(
        measured=errors["held-out rows"][chosen] / best,
        panels=(shown,),
        seen="The training error is lowest without a penalty, where the error on held-out "
        "rows is highest.",
        controls=(Control(best < 0.9, "No penalty predicts anything."),),
    )


def ridge(x: Array, y: Array, penalty: float) -> Array:
    """Weights of ridge regression in closed form (Hoerl and Kennard 1970)."""
    w: Array = np.linalg.solve(x.T @ x + penalty * np.eye(x.shape[1]), x.T @ y)
    return w
