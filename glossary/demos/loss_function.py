"""Claims of *loss function*."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from glossary.lab import Control, Lines, Measurement
from glossary.lab.data import Array, Labels, diabetes, digits, digits_split
from glossary.lab.nets import gradients, relu
from glossary.lab.steps import sgd


def squared_error(prediction: float, y: Array) -> float:
    """Mean of the squares of the errors."""
    return float(((y - prediction) ** 2).mean())


def absolute_error(prediction: float, y: Array) -> float:
    """Mean of the sizes of the errors."""
    return float(abs(y - prediction).mean())


def _best(loss: Callable[[float, Array], float], y: Array) -> float:
    """The constant with the lowest loss: a grid that is made finer six times."""
    low = float(y.min())
    high = float(y.max())
    middle = low
    for _ in range(6):
        grid = np.linspace(low, high, 41)
        losses = [loss(float(value), y) for value in grid]
        middle = float(grid[int(np.argmin(losses))])
        width = (high - low) / 20
        low = middle - width
        high = middle + width
    return middle


def mean_and_median(seed: int) -> Measurement:
    """Best constants of two losses, against the mean and the median of the targets."""
    rng = np.random.default_rng(seed)
    y = rng.lognormal(0, 1, 401)  # skewed: its mean lies far above its median
    mean = float(y.mean())
    median = float(np.median(y))
    by_square = _best(squared_error, y)
    by_size = _best(absolute_error, y)
    spread = float(y.std())
    constants = np.linspace(0, 4, 41)
    squares = np.array([squared_error(value, y) for value in constants])
    sizes = np.array([absolute_error(value, y) for value in constants])
    shown = Lines(
        x=constants,
        ys={
            "squared error (lowest at the mean)": squares - squares.min(),
            "absolute error (lowest at the median)": sizes - sizes.min(),
        },
        x_label="the one prediction made for all examples",
        y_label="loss above its lowest value",
    )
    return Measurement(
        measured=max(abs(by_square - mean), abs(by_size - median)) / spread,
        panels=(shown,),
        seen=(
            "On the same targets the two losses are lowest at different predictions: "
            "the absolute error at a smaller one, the median."
        ),
        controls=(
            Control(mean - median > 0.1 * spread, "Mean and median are the same."),
        ),
    )


def outlier(seed: int) -> Measurement:
    """Shift of the best constant by one wild target: absolute over squared error."""
    _, targets = diabetes()
    y = targets.copy()
    wild = int(np.random.default_rng(seed).integers(len(y)))
    squared_start = _best(squared_error, y)
    absolute_start = _best(absolute_error, y)
    sizes = np.array([0, 5, 10, 20, 50, 100])
    shifts: dict[str, list[float]] = {"squared error": [], "absolute error": []}
    for size in sizes:
        y[wild] = targets[wild] + size
        shifts["squared error"].append(abs(_best(squared_error, y) - squared_start))
        shifts["absolute error"].append(abs(_best(absolute_error, y) - absolute_start))
    shown = Lines(
        x=sizes,
        ys=shifts,
        x_label="error in one of 442 targets, in standard deviations",
        y_label="shift of the best prediction, in standard deviations",
    )
    return Measurement(
        measured=shifts["absolute error"][-1] / shifts["squared error"][-1],
        panels=(shown,),
        seen=(
            "The further one target is off, the further it draws the prediction that "
            "squared error prefers; absolute error hardly notices it."
        ),
        controls=(
            Control(shifts["squared error"][0] < 1e-3, "It shifts without an outlier."),
        ),
    )


def _zero_one(w: Array, x: Array, y: Labels) -> float:
    """Share of wrong classes."""
    return float(((x @ w).argmax(axis=1) != y).mean())


def _cross_entropy(w: Array, x: Array, y: Labels) -> float:
    return gradients([w], x, y, relu)[0]


def zero_one(seed: int) -> Measurement:
    """Share of random weights at which a tiny step changes the 0-1 loss."""
    rng = np.random.default_rng(seed)
    x, y = digits()
    x = x[:500]
    y = y[:500]
    places = [rng.normal(0, 0.1, (64, 10)) for _ in range(100)]
    direction = rng.normal(size=(64, 10))
    tiny = 1e-7 * direction
    steps = [_zero_one(w + tiny, x, y) - _zero_one(w, x, y) for w in places]
    slopes = [_cross_entropy(w + tiny, x, y) - _cross_entropy(w, x, y) for w in places]
    # The picture is that of one place, the same for all seeds: a mean has no steps.
    picture_rng = np.random.default_rng(0)
    place = picture_rng.normal(0, 0.1, (64, 10))
    along = np.linspace(-0.03, 0.03, 241)
    heading = picture_rng.normal(size=(64, 10))
    wrong = Lines(
        x=along,
        ys={"wrong": [500 * _zero_one(place + a * heading, x, y) for a in along]},
        x_label="move of the weights",
        y_label="wrong answers, of 500",
        title="wrong answers: steps",
    )
    smooth = Lines(
        x=along,
        ys={"loss": [_cross_entropy(place + a * heading, x, y) for a in along]},
        x_label="move of the weights",
        y_label="cross-entropy, nats",
        title="cross-entropy: a slope",
    )
    return Measurement(
        measured=sum(step != 0 for step in steps) / len(steps),
        panels=(wrong, smooth),
        seen=(
            "The share of wrong answers is flat between its jumps, so its slope says "
            "nothing; the cross-entropy has a slope everywhere."
        ),
        controls=(
            Control(
                all(slope != 0 for slope in slopes), "Cross-entropy is flat as well."
            ),
        ),
    )


def same_answers(seed: int) -> Measurement:
    """Held-out loss with a tenth of all scores, over that with all of them."""
    split = digits_split(seed)
    rng = np.random.default_rng(seed)
    w = np.zeros((64, 10))
    for _ in range(300):
        rows = rng.integers(0, len(split.train_x), 32)
        sgd([w], gradients([w], split.train_x[rows], split.train_y[rows], relu)[1], 0.5)
    factors = np.array([0.1, 0.2, 0.5, 1, 2, 5, 10])
    losses = [_cross_entropy(f * w, split.test_x, split.test_y) for f in factors]
    errors = [_zero_one(f * w, split.test_x, split.test_y) for f in factors]
    panels = (
        Lines(
            x=factors,
            ys={"cross-entropy": losses},
            x_label="factor on all scores",
            y_label="held-out cross-entropy, nats",
            title="the loss changes",
            log="xy",
        ),
        Lines(
            x=factors,
            ys={"errors": [100 * error for error in errors]},
            x_label="factor on all scores",
            y_label="wrong held-out answers, %",
            title="the answers do not",
            log="x",
        ),
    )
    return Measurement(
        measured=losses[0] / losses[3],
        panels=panels,
        seen=(
            "A factor on all scores makes the model less or more sure of the same "
            "answers: their number of errors stays, their loss does not."
        ),
        controls=(Control(len(set(errors)) == 1, "The answers change as well."),),
    )
