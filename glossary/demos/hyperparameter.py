"""Claims of *hyperparameter*."""

from __future__ import annotations

import numpy as np

from glossary.lab import Control, Lines, Measurement
from glossary.lab.data import Array, diabetes
from glossary.lab.fitting import ridge
from glossary.lab.steps import momentum


def _loss(values: Array, second: float = 0.001) -> Array:
    """A loss of two values in [0, 1]; ``second`` is how much the second one counts."""
    out: Array = (values[:, 0] - 0.5) ** 2 + second * (values[:, 1] - 0.5) ** 2
    return out


def grid(side: int, rng: np.random.Generator) -> Array:
    """A square grid, shifted at random: nobody knows where the best value lies."""
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
            "grid": np.sort(grid(3, np.random.default_rng(0))[:, 0]),
            "random search": np.sort(scattered(9, np.random.default_rng(0))[:, 0]),
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
            Control(
                np.mean(alike_random) > 0.8 * np.mean(alike_grid),
                "It wins where both matter alike as well.",
            ),
        ),
    )


def _final_loss(seed: int, rate: float, mass: float) -> float:
    """Loss on the diabetes table after 100 updates; NaN where it has grown."""
    x, y = diabetes()
    rng = np.random.default_rng(seed)
    w = np.zeros(10)
    speed = np.zeros(10)
    for _ in range(100):
        rows = rng.integers(0, len(x), 16)
        slope = x[rows].T @ (x[rows] @ w - y[rows]) / 16
        momentum([w], [speed], [slope], rate, mass)
    loss = float(((x @ w - y) ** 2).mean())
    return loss if loss < 1 else float("nan")


def one_at_a_time(seed: int) -> Measurement:
    """Best learning rate without momentum over that with it."""
    rates = 10.0 ** np.arange(-3.5, -0.4, 0.25)
    losses = {
        f"momentum {mass:g}": np.mean(
            [
                [_final_loss(10 * seed + run, r, mass) for r in rates]
                for run in range(4)
            ],
            axis=0,
        )
        for mass in (0.0, 0.5, 0.95)
    }
    best = {name: rates[np.nanargmin(row)] for name, row in losses.items()}
    shown = Lines(
        x=rates,
        ys=losses,
        x_label="learning rate",
        y_label="mean squared error after 100 updates (none where it diverged)",
        log="x",
    )
    inner = all(rates[0] < rate < rates[-1] for rate in best.values())
    return Measurement(
        measured=best["momentum 0"] / best["momentum 0.95"],
        panels=(shown,),
        seen="The more momentum there is, the lower is the best learning rate.",
        controls=(Control(inner, "A best learning rate lies at the end of the grid."),),
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
        errors["training rows"].append(
            float(((inputs[train] @ w - y[train]) ** 2).mean())
        )
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
        seen="The training error is lowest without a penalty, where the error on "
        "held-out rows is highest.",
        controls=(Control(best < 0.9, "No penalty predicts anything."),),
    )
