"""Claims of *sigmoid*: 1 / (1 + exp(-z))."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from glossary.lab import Control, Lines, Measurement
from glossary.lab.data import Array
from glossary.lab.nets import relu, sigmoid, softmax, tanh

#: Inputs that are drawn; without 0, where ReLU has a corner.
DRAWN = np.linspace(-8, 8, 80)
LONGEST_CHAIN = 8


def _inputs(seed: int, limit: float) -> Array:
    """Those that are drawn, and 400 random ones more."""
    random = np.random.default_rng(seed).uniform(-limit, limit, 400)
    return np.concatenate([DRAWN * limit / 8, random])


def _slopes(function: Callable[[Array], Array], z: Array) -> Array:
    """Central differences of the values, which know nothing of a formula."""
    return (function(z + 1e-5) - function(z - 1e-5)) / 2e-5


def _chain(function: Callable[[Array], Array], length: int) -> Callable[[Array], Array]:
    def chained(z: Array) -> Array:
        for _ in range(length):
            z = function(z)
        return z

    return chained


def quarter(seed: int) -> Measurement:
    """Largest slope of up to eight functions in a row, over a quarter to that power."""
    z = _inputs(seed, 8)
    lengths = np.arange(1, LONGEST_CHAIN + 1)
    largest = {
        name: np.array([_slopes(_chain(function, int(n)), z).max() for n in lengths])
        for name, function in (
            ("sigmoid", lambda v: sigmoid(v)[0]),
            ("tanh", lambda v: tanh(v)[0]),
        )
    }
    bound = 0.25**lengths
    shown = Lines(
        x=lengths,
        ys={"a quarter for each": bound, **largest},
        x_label="functions in a row",
        y_label="largest slope of the whole chain",
        log="y",
    )
    # Differences of values near 1 carry rounding errors of about 1e-11.
    excess = {name: float((slope / bound).max()) for name, slope in largest.items()}
    return Measurement(
        measured=excess["sigmoid"],
        panels=(shown,),
        seen="Each sigmoid in a row multiplies the slope by a quarter or less; tanh "
        "does not.",
        controls=(Control(excess["tanh"] > 2, "Tanh keeps the bound as well."),),
    )


def saturates(seed: int) -> Measurement:
    """Largest slope beyond 6 on either side, over the largest of all."""
    z = _inputs(seed, 8)
    slopes = {
        "sigmoid": _slopes(lambda v: sigmoid(v)[0], z),
        "ReLU": _slopes(lambda v: relu(v)[0], z),
    }
    kept = {
        name: float(slope[abs(z) > 6].max() / slope.max())
        for name, slope in slopes.items()
    }
    shown = Lines(
        x=DRAWN,
        ys={name: slope[: len(DRAWN)] for name, slope in slopes.items()},
        x_label="input",
        y_label="slope",
    )
    return Measurement(
        measured=kept["sigmoid"],
        panels=(shown,),
        seen="The slope of the sigmoid is a bump around 0, and almost nothing beyond "
        "6.",
        controls=(Control(kept["ReLU"] > 0.9, "ReLU saturates on both sides too."),),
    )


def symmetric(seed: int) -> Measurement:
    """Sigmoid of -z against 1 minus sigmoid of z; of another S-shaped curve as well."""
    z = _inputs(seed, 8)

    def gompertz(v: Array) -> Array:
        return np.exp(-np.exp(-v))

    def s_curve(v: Array) -> Array:
        return sigmoid(v)[0]

    gap = float(abs(s_curve(-z) - (1 - s_curve(z))).max())
    other = float(abs(gompertz(-z) - (1 - gompertz(z))).max())
    drawn = Lines(
        x=DRAWN,
        ys={"sigmoid of z": s_curve(DRAWN), "1 - sigmoid of -z": 1 - s_curve(-DRAWN)},
        x_label="z",
        y_label="value",
        title="sigmoid",
    )
    lopsided = Lines(
        x=DRAWN,
        ys={"curve of z": gompertz(DRAWN), "1 - curve of -z": 1 - gompertz(-DRAWN)},
        x_label="z",
        y_label="value",
        title="Gompertz curve, exp(-exp(-z))",
    )
    return Measurement(
        measured=gap,
        panels=(drawn, lopsided),
        seen="Turned by half a turn the sigmoid lies on itself; another S-shaped "
        "curve does not.",
        controls=(Control(other > 0.1, "Any S-shaped curve is symmetric."),),
    )


def two_classes(seed: int) -> Measurement:
    """First of two softmax outputs, against the sigmoid of the difference."""
    rng = np.random.default_rng(seed)
    scores = rng.normal(0, 3, (400, 3))
    difference = scores[:, 0] - scores[:, 1]
    two = softmax(scores[:, :2])[:, 0]
    three = softmax(scores)[:, 0]
    same = sigmoid(difference)[0]
    # Drawn for scores that lie evenly around 0, beside a third score of 1.
    drawn = np.stack([DRAWN / 2, -DRAWN / 2, np.ones_like(DRAWN)], axis=1)
    shown = Lines(
        x=DRAWN,
        ys={
            "softmax of two": softmax(drawn[:, :2])[:, 0],
            "sigmoid of the difference": sigmoid(DRAWN)[0],
            "softmax of three": softmax(drawn)[:, 0],
        },
        x_label="first score minus second",
        y_label="share of the first class",
    )
    return Measurement(
        measured=float(abs(two - same).max()),
        panels=(shown,),
        seen="With two classes softmax lies on the sigmoid of the difference; a "
        "third class takes a share of its own.",
        controls=(
            Control(abs(three - same).max() > 0.1, "A third class changes nothing."),
        ),
    )
