"""Claims of *early stopping*: linear regression with few noisy examples."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from glossary.lab import Control, Lines, Measurement
from glossary.lab.data import Array

UPDATES = 2000


class Course(NamedTuple):
    """What a training went through, before each update."""

    held_out: list[float]
    trained_on: list[float]
    lengths: list[float]


def _course(seed: int, noise: float = 1.0) -> Course:
    """Gradient descent on 50 examples of 40 features."""
    rng = np.random.default_rng(seed)
    true = rng.normal(size=40) / np.sqrt(40)
    x = rng.normal(size=(50, 40))
    held = rng.normal(size=(500, 40))
    y = x @ true + noise * rng.normal(size=50)
    w = np.zeros(40)
    held_out: list[float] = []
    trained_on: list[float] = []
    lengths: list[float] = []
    for _ in range(UPDATES):
        held_out.append(float(((held @ (w - true)) ** 2).mean()))
        trained_on.append(float(((x @ w - y) ** 2).mean()))
        lengths.append(float(np.linalg.norm(w)))
        w = w - 0.2 * x.T @ (x @ w - y) / 50
    return Course(held_out, trained_on, lengths)


def _places() -> Array:
    """Updates to draw: closer together at the beginning."""
    return np.unique(np.geomspace(1, UPDATES, 60).astype(int))


def lowest(seed: int) -> Measurement:
    """Held-out error at its lowest over that at the end of training."""
    course = _course(seed)
    clean = _course(seed, noise=0.0).held_out
    places = _places()
    shown = Lines(
        x=places,
        ys={
            "held out": np.array(course.held_out)[places - 1],
            "trained on": np.array(course.trained_on)[places - 1],
        },
        x_label="update",
        y_label="squared error",
        log="xy",
    )
    falls = Control(
        min(clean) > 0.9 * clean[-1], "The error rises again without noise as well."
    )
    return Measurement(
        measured=min(course.held_out) / course.held_out[-1],
        panels=(shown,),
        seen="While the error on the training data goes on falling, that on held-out "
        "data reaches its lowest point early and rises again.",
        controls=(falls,),
    )


def shorter_weights(seed: int) -> Measurement:
    """Length of the weights at the lowest held-out error, over that at the end."""
    course = _course(seed)
    best = int(np.argmin(course.held_out))
    places = _places()
    lengths = Lines(
        x=places,
        ys={"weights": np.array(course.lengths)[places - 1]},
        x_label="update",
        y_label="length of the weights",
        log="x",
    )
    errors = Lines(
        x=places,
        ys={"held out": np.array(course.held_out)[places - 1]},
        x_label="update",
        y_label="squared error, held out",
        log="xy",
    )
    early = Control(best < UPDATES // 2, "The lowest error comes at the end.")
    return Measurement(
        measured=course.lengths[best] / course.lengths[-1],
        panels=(errors, lengths),
        seen="Where the held-out error is lowest the weights are shorter than at the "
        "end of training.",
        controls=(early,),
    )
