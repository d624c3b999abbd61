"""Claims of *gradient*: what it says of the loss nearby, and what it does not say."""

from __future__ import annotations

import numpy as np

from glossary.lab import Control, Lines, Measurement
from glossary.lab.data import Array, Labels, digits
from glossary.lab.nets import gradients, tanh, weights

_DIRECTIONS = 1000
_STEP = 1e-3


class _Net:
    """A net of 1184 weights on 100 digits, whose loss is asked for at any weights."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        x, y = digits()
        rows = rng.choice(len(x), 100, replace=False)
        self.x: Array = x[rows]
        self.y: Labels = y[rows]
        self.start = weights(rng, [64, 16, 10], 1.0)
        self.loss_at_start, arrays, _ = gradients(self.start, self.x, self.y, tanh)
        self.gradient: Array = np.concatenate([a.ravel() for a in arrays])

    def rise(self, move: Array) -> float:
        """Change of the loss when the weights move by one long vector."""
        first, second = self.start
        moved = [
            first + move[: first.size].reshape(first.shape),
            second + move[first.size :].reshape(second.shape),
        ]
        loss, _, _ = gradients(moved, self.x, self.y, tanh)
        return loss - self.loss_at_start


def _unit(vector: Array) -> Array:
    length = np.linalg.norm(vector)
    return vector / length


def steepest(seed: int) -> Measurement:
    """Rise of the loss along the gradient, over the largest of 1000 directions."""
    net = _Net(seed)
    rng = np.random.default_rng(seed + 1)
    uphill = _unit(net.gradient)
    others = [_unit(rng.normal(size=uphill.size)) for _ in range(_DIRECTIONS)]
    rises = [net.rise(_STEP * other) for other in others]
    best = others[int(np.argmax(rises))]
    # The same numbers at other weights: as long, and no gradient any more.
    mixed = rng.permutation(uphill)
    lengths = np.linspace(0, 0.5, 11)
    shown = Lines(
        x=lengths,
        ys={
            "along the gradient": [net.rise(h * uphill) for h in lengths],
            "best of 1000 directions": [net.rise(h * best) for h in lengths],
            "against the gradient": [net.rise(-h * uphill) for h in lengths],
        },
        x_label="length of the step",
        y_label="change of the loss, nats",
    )
    is_special = net.rise(_STEP * mixed) < 2 * max(rises)
    return Measurement(
        measured=net.rise(_STEP * uphill) / max(rises),
        panels=(shown,),
        seen=(
            "The loss rises fastest along the gradient and falls along its opposite; "
            "the best of 1000 random directions hardly changes it."
        ),
        controls=(
            Control(is_special, "The gradient with its numbers mixed is as steep."),
        ),
    )


def first_order(seed: int) -> Measurement:
    """Power of the step with which the error of the gradient's forecast falls."""
    net = _Net(seed)
    length = float(np.linalg.norm(net.gradient))
    downhill = -_unit(net.gradient)
    steps = 10.0 ** np.arange(-4.0, -0.75, 0.5)
    falls = np.array([-net.rise(step * downhill) for step in steps])
    # Taylor: L(w - h g / |g|) = L(w) - h |g| + O(h^2).
    errors = abs(falls - steps * length)
    wrong_errors = abs(falls - steps * length * 1.1)
    shown = Lines(
        x=steps,
        ys={
            "forecast by the gradient": errors / falls,
            "by a gradient 10 % too long": wrong_errors / falls,
        },
        x_label="length of the step against the gradient",
        y_label="error of the forecast, as a share of the fall",
        log="xy",
    )
    power = np.polyfit(np.log(steps[:4]), np.log(errors[:4]), 1)[0]
    wrong_power = np.polyfit(np.log(steps[:4]), np.log(wrong_errors[:4]), 1)[0]
    return Measurement(
        measured=power,
        panels=(shown,),
        seen=(
            "The shorter the step, the better the gradient predicts the fall of the "
            "loss; with a wrong gradient a tenth stays wrong."
        ),
        controls=(Control(wrong_power < 1.5, "A wrong gradient predicts as well."),),
    )


def _angle(curvatures: Array, start: Array) -> float:
    """Degrees between minus the gradient and the way to the minimum at 0.

    The loss is the sum of curvature w^2 / 2; its gradient is curvature times w.
    """
    downhill = _unit(-curvatures * start)
    to_minimum = _unit(-start)
    cosine = min(float(downhill @ to_minimum), 1.0)
    return float(np.degrees(np.arccos(cosine)))


def points_at_minimum(seed: int) -> Measurement:
    """Angle between the way downhill and the way to the minimum, by condition."""
    start = np.random.default_rng(seed).normal(size=20)
    conditions = np.array([1, 2, 5, 10, 20, 50, 100, 200, 500, 1000])
    angles = [_angle(np.geomspace(1, c, 20), start) for c in conditions]
    shown = Lines(
        x=conditions,
        ys={"angle": angles},
        x_label="largest over smallest curvature of the loss",
        y_label="degrees between downhill and the way to the minimum",
        log="x",
        marks={"straight at the minimum": 0.0},
    )
    return Measurement(
        measured=angles[6],
        panels=(shown,),
        seen=(
            "In a round bowl downhill leads to the minimum; the longer the valley, the "
            "further downhill points to the side."
        ),
        controls=(Control(angles[0] < 0.01, "It misses in a round bowl as well."),),
    )
