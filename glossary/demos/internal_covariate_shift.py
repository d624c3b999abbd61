"""Claims of *internal covariate shift* (Ioffe and Szegedy 2015; Santurkar 2018)."""

from __future__ import annotations

import numpy as np

from glossary.lab import Control, Lines, Measurement
from glossary.lab.data import Array, digits
from glossary.lab.nets import weights
from glossary.lab.norms import Norm, as_it_is, loss_and_gradients, over_batch
from glossary.lab.steps import sgd
from glossary.lab.tape import Variable

WATCHED = 2  # the third layer: two below it move its inputs
EVERY = 10


def _inputs(ws: list[Array], x: Array, norm: Norm) -> Array:
    """What the watched layer gets, for each example and unit."""
    for w in ws[:WATCHED]:
        x = np.maximum(norm(Variable(x @ w)).value, 0)
    return x


def _drift(seed: int, norm: Norm, frozen: bool = False) -> list[float]:
    """How far mean and deviation of those inputs have moved since the first update."""
    x, y = digits()
    rng = np.random.default_rng(seed)
    ws = weights(rng, [64, 32, 32, 32, 10], 2.0)
    watched = x[:400]
    start = _inputs(ws, watched, norm)
    scale = start.std()
    drifts = []
    for update in range(101):
        if update % EVERY == 0:
            now = _inputs(ws, watched, norm)
            mean = abs(now.mean(axis=0) - start.mean(axis=0)) / scale
            deviation = abs(now.std(axis=0) - start.std(axis=0)) / scale
            drifts.append(float((mean + deviation).mean()))
        rows = rng.integers(0, len(x), 64)
        grads = loss_and_gradients(ws, x[rows], y[rows], norm)[1]
        if frozen:
            grads = [np.zeros_like(g) for g in grads[:-1]] + grads[-1:]
        sgd(ws, grads, 0.1)
    return drifts


def moves(seed: int) -> Measurement:
    """Drift of the third layer's inputs in 100 updates."""
    drifts = {
        "all layers learn": _drift(seed, as_it_is),
        "hidden layers frozen": _drift(seed, as_it_is, frozen=True),
    }
    shown = Lines(
        x=np.arange(0, 101, EVERY),
        ys=drifts,
        x_label="update",
        y_label="drift of mean and deviation, in deviations at the start",
    )
    return Measurement(
        measured=drifts["all layers learn"][-1],
        panels=(shown,),
        seen="While the layers learn, what a hidden layer works on drifts away.",
        controls=(
            Control(
                drifts["hidden layers frozen"][-1] == 0, "It drifts without learning."
            ),
        ),
    )


def batch_norm_holds(seed: int) -> Measurement:
    """The same drift with batch normalization, over that without."""
    drifts = {
        "without": _drift(seed, as_it_is),
        "with batch norm": _drift(seed, over_batch),
    }
    shown = Lines(
        x=np.arange(0, 101, EVERY),
        ys=drifts,
        x_label="update",
        y_label="drift of mean and deviation, in deviations at the start",
    )
    return Measurement(
        measured=drifts["with batch norm"][-1] / drifts["without"][-1],
        panels=(shown,),
        seen="Batch normalization holds mean and deviation of a layer's inputs still.",
        controls=(Control(drifts["without"][-1] > 0.1, "Nothing drifts without it."),),
    )


def _change(seed: int, norm: Norm, depth: int, rate: float) -> list[float]:
    """Relative change of one layer's gradient by the update of those below it.

    Santurkar 2018, definition 2.1, for the layer in the middle.
    """
    x, y = digits()
    rng = np.random.default_rng(seed)
    ws = weights(rng, [64] + [32] * depth + [10], 2.0)
    middle = depth // 2
    changes = []
    for update in range(61):
        rows = rng.integers(0, len(x), 128)
        grads = loss_and_gradients(ws, x[rows], y[rows], norm)[1]
        moved = [w - rate * g for w, g in zip(ws, grads, strict=True)]
        if update % EVERY == 0:
            below = [*moved[:middle], *ws[middle:]]
            after = loss_and_gradients(below, x[rows], y[rows], norm)[1][middle]
            gap = np.linalg.norm(after - grads[middle])
            changes.append(float(gap / np.linalg.norm(grads[middle])))
        ws = moved
    return changes


def lowers_gradient_shift(seed: int) -> Measurement:
    """Change of a layer's gradient with batch normalization over that without."""
    courses = {
        "with batch norm": _change(seed, over_batch, 10, 0.01),
        "without": _change(seed, as_it_is, 10, 0.01),
    }
    frozen = _change(seed, as_it_is, 10, 0.0)
    shown = Lines(
        x=np.arange(0, 61, EVERY),
        ys=courses,
        x_label="update",
        y_label="relative change of the middle layer's gradient",
        log="y",
    )
    means = {name: float(np.mean(changes)) for name, changes in courses.items()}
    return Measurement(
        measured=means["with batch norm"] / means["without"],
        panels=(shown,),
        seen="Measured by a layer's gradient, the shift in a deep net is larger with "
        "batch normalization than without.",
        controls=(
            Control(max(frozen) < 1e-12, "The gradient changes without an update."),
        ),
    )
