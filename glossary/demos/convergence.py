"""Claims of *convergence*: what settles, and what that says."""

from __future__ import annotations

import numpy as np

from glossary.lab import Bars, Control, Lines, Measurement
from glossary.lab.data import Array, digits
from glossary.lab.nets import gradients, relu, sigmoid, weights
from glossary.lab.steps import sgd


def _descend(curvatures: Array, power: int, start: Array, updates: int) -> Array:
    """Loss on the way of gradient descent on the sum of curvature w^power / power."""
    w = start.copy()
    rate = 1 / curvatures.max()
    losses = []
    for _ in range(updates):
        losses.append(float(curvatures @ abs(w) ** power) / power)
        w = w - rate * curvatures * np.sign(w) * abs(w) ** (power - 1)
    return np.array(losses)


def straight_line(seed: int) -> Measurement:
    """Fall of the loss in the last 100 of 400 updates, over that in 100 before."""
    start = np.random.default_rng(seed).uniform(0.5, 1, 5)
    curvatures = np.geomspace(0.02, 1, 5)
    losses = {
        "w^4 / 4": _descend(curvatures, 4, start, 401),
        "w^2 / 2": _descend(curvatures, 2, start, 401),
    }
    falls = {
        name: np.log(loss[300] / loss[400]) / np.log(loss[200] / loss[300])
        for name, loss in losses.items()
    }
    shown = Lines(
        x=np.arange(401),
        ys={name: loss / loss[0] for name, loss in losses.items()},
        x_label="update",
        y_label="loss, as a share of the first",
        log="y",
    )
    return Measurement(
        measured=falls["w^2 / 2"],
        panels=(shown,),
        seen=(
            "With a curvature at the minimum the loss ends as a straight line on a "
            "logarithmic axis; without one it becomes slower and slower."
        ),
        controls=(
            Control(
                falls["w^4 / 4"] < 0.9, "Without curvature it is straight as well."
            ),
        ),
    )


def _squared_distances(seed: int, decays: bool, updates: int) -> Array:
    """How far SGD moves in 50 updates, at each update; mean of 50 runs.

    Linear regression with noise and batches of 1; the learning rate stays at 0.02 or
    falls as 1 over the number of the update.
    """
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(500, 10))
    goal = rng.normal(size=10)
    y = x @ goal + rng.normal(0, 0.5, 500)
    w = np.tile(goal, (50, 1))
    way = [w]
    for update in range(updates):
        rows = rng.integers(0, len(x), len(w))
        errors = (w * x[rows]).sum(axis=1) - y[rows]
        rate = 0.02 / (1 + update / 100) if decays else 0.02
        w = w - rate * errors[:, None] * x[rows]
        way.append(w)
    path = np.array(way)
    moves: Array = np.linalg.norm(path[50:] - path[:-50], axis=2).mean(axis=1)
    return moves


def never_settles(seed: int) -> Measurement:
    """Movement of the weights late in a run, over that early in it."""
    moves = {
        "constant": _squared_distances(seed, decays=False, updates=2000),
        "falling": _squared_distances(seed, decays=True, updates=2000),
    }
    ratios = {
        name: float(move[-500:].mean() / move[200:500].mean())
        for name, move in moves.items()
    }
    shown = Lines(
        x=np.arange(50, 2001, 25),
        ys={f"{name} learning rate": move[::25] for name, move in moves.items()},
        x_label="update",
        y_label="distance from the weights 50 updates before",
        log="y",
    )
    return Measurement(
        measured=ratios["constant"],
        panels=(shown,),
        seen=(
            "At a constant learning rate the weights keep wandering as far as ever; "
            "with a falling one they come to rest."
        ),
        controls=(
            Control(ratios["falling"] < 0.5, "With a falling one they wander as far."),
        ),
    )


def _norm(arrays: list[Array]) -> float:
    return float(np.sqrt(sum((array**2).sum() for array in arrays)))


def zero_gradient(seed: int) -> Measurement:
    """Loss where the gradient is 0, at weights of 0, over that after training."""
    rng = np.random.default_rng(seed)
    x, y = digits()
    zeros = [np.zeros((64, 32)), np.zeros((32, 10))]
    fresh = weights(rng, [64, 32, 10], 2.0)
    trained = [w.copy() for w in fresh]
    for _ in range(600):
        rows = rng.integers(0, len(x), 32)
        sgd(trained, gradients(trained, x[rows], y[rows], relu)[1], 0.2)
    losses = []
    norms = []
    for ws in (zeros, fresh, trained):
        loss, grads, _ = gradients(ws, x, y, relu)
        losses.append(loss)
        norms.append(_norm(grads))
    labels = ["weights of 0", "fresh random weights", "trained weights"]
    panels = (
        Bars(
            labels=labels,
            ys={"length": norms},
            y_label="length of the gradient",
            title="gradient",
        ),
        Bars(
            labels=labels,
            ys={"loss": losses},
            y_label="cross-entropy, nats",
            title="loss",
        ),
    )
    return Measurement(
        measured=losses[0] / losses[2],
        panels=panels,
        seen=(
            "At weights of 0 the gradient is exactly 0 and the loss is that of "
            "guessing; trained weights have a gradient and a low loss."
        ),
        controls=(Control(norms[0] < 1e-12, "The gradient is not 0 at all."),),
    )


def _logistic(
    x: Array, labels: Array, updates: int, marks: Array
) -> tuple[Array, Array]:
    """Loss and length of the weights of logistic regression, at the marks."""
    w = np.zeros(x.shape[1])
    losses = []
    lengths = []
    for update in range(updates + 1):
        margins = labels * (x @ w)
        if update in marks:
            losses.append(float(np.log1p(np.exp(-margins)).mean()))
            lengths.append(float(np.linalg.norm(w)))
        w = w + 0.5 * (labels * sigmoid(-margins)[0]) @ x / len(x)
    return np.array(losses), np.array(lengths)


def weights_as_well(seed: int) -> Measurement:
    """Growth of the weights over the last nine tenths of a run whose loss settles."""
    rng = np.random.default_rng(seed)
    direction = np.array([1.0, 1.0]) / np.sqrt(2)
    x = rng.normal(size=(60, 2))
    labels = np.sign(x @ direction)
    x += 0.3 * labels[:, None] * direction  # a gap between both classes
    flipped = labels.copy()
    flipped[:12] *= -1
    marks = np.unique(np.round(np.geomspace(1, 5000, 25)).astype(int))
    losses, lengths = _logistic(x, labels, 5000, marks)
    other_losses, other_lengths = _logistic(x, flipped, 5000, marks)
    panels = (
        Lines(
            x=marks,
            ys={"some labels wrong": other_losses, "separable": losses},
            x_label="update",
            y_label="cross-entropy, nats",
            title="loss",
            log="x",
        ),
        Lines(
            x=marks,
            ys={"some labels wrong": other_lengths, "separable": lengths},
            x_label="update",
            y_label="length of the weights",
            title="weights",
            log="x",
        ),
    )
    tenth = int(np.argmin(abs(marks - 500)))
    return Measurement(
        measured=lengths[-1] / lengths[tenth],
        panels=panels,
        seen=(
            "Both losses come to rest; the weights of the separable classes go on "
            "growing, the others stop."
        ),
        controls=(
            Control(other_lengths[-1] < 1.01 * other_lengths[tenth], "They all grow."),
        ),
    )
