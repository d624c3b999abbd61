"""Claims of *batch*."""

from __future__ import annotations

import numpy as np

from glossary.lab import Bars, Control, Lines, Measurement, tape
from glossary.lab.data import Array, Labels, digits
from glossary.lab.nets import gradients, relu, weights
from glossary.lab.steps import sgd


def _normalized(x: tape.Variable) -> tape.Variable:
    """Batch normalization without scale and shift: columns of mean 0, variance 1."""
    centered = x - tape.mean(x, axis=0)
    variance = tape.mean(centered * centered, axis=0)
    return centered * (variance + 1e-5) ** -0.5


def _gradient(ws: list[Array], x: Array, y: Labels, normalize: bool) -> Array:
    """Gradient of the mean loss of a batch, as one long vector."""
    variables = [tape.Variable(w) for w in ws]
    hidden = tape.Variable(x) @ variables[0]
    hidden = tape.tanh(_normalized(hidden) if normalize else hidden)
    tape.backward(tape.cross_entropy(hidden @ variables[1], y))
    return np.concatenate([variable.grad.ravel() for variable in variables])


def _gap(ws: list[Array], x: Array, y: Labels, normalize: bool) -> float:
    """Distance of a batch's gradient from the mean of its two halves' gradients."""
    half = len(x) // 2
    whole = _gradient(ws, x, y, normalize)
    first = _gradient(ws, x[:half], y[:half], normalize)
    second = _gradient(ws, x[half:], y[half:], normalize)
    gap = np.linalg.norm(whole - (first + second) / 2)
    return float(gap / np.linalg.norm(whole))


def mean(seed: int) -> Measurement:
    """Gradient of a batch against the mean of its parts' gradients."""
    rng = np.random.default_rng(seed)
    x, y = digits()
    ws = weights(rng, [64, 16, 10], 1.0)
    sizes = 2 ** np.arange(2, 9)
    rows = rng.choice(len(x), int(sizes[-1]), replace=False)
    plain = [_gap(ws, x[rows[:n]], y[rows[:n]], normalize=False) for n in sizes]
    normal = [_gap(ws, x[rows[:n]], y[rows[:n]], normalize=True) for n in sizes]
    shown = Lines(
        x=sizes,
        ys={"plain net": plain, "with batch normalization": normal},
        x_label="examples in the batch",
        y_label="distance from the mean of both halves, relative",
        log="xy",
    )
    return Measurement(
        measured=max(plain),
        panels=(shown,),
        seen=(
            "In a plain net both halves average to the gradient of the batch, to "
            "rounding; with batch normalization they do not."
        ),
        controls=(
            Control(min(normal) > 1e-3, "It is so with batch normalization as well."),
        ),
    )


def _mean_gradient(w: Array, x: Array, y: Labels) -> Array:
    """Gradient of the mean cross-entropy of softmax regression."""
    return gradients([w], x, y, relu)[1][0]


def last(seed: int) -> Measurement:
    """Pull of an example in the last batch of an epoch, over one in a full batch."""
    rng = np.random.default_rng(seed)
    x, y = digits()
    w = rng.normal(0, 0.1, (64, 10))
    order = rng.permutation(len(x))
    sizes = []
    pulls = []
    for begin in range(0, len(x), 32):
        rows = order[begin : begin + 32]
        # What the first example adds to the mean: the gradient with its label
        # against that with another label, over what the label is worth by itself.
        changed = y[rows].copy()
        changed[0] = (changed[0] + 1) % 10
        moved = _mean_gradient(w, x[rows], y[rows]) - _mean_gradient(
            w, x[rows], changed
        )
        alone = _mean_gradient(w, x[rows[:1]], y[rows[:1]]) - _mean_gradient(
            w, x[rows[:1]], changed[:1]
        )
        sizes.append(len(rows))
        pulls.append(float(np.linalg.norm(moved) / np.linalg.norm(alone)))
    shown = Bars(
        labels=["a full batch of 32", f"the last batch, of {sizes[-1]}"],
        ys={"share": [pulls[0], pulls[-1]]},
        y_label="share of one example in the gradient",
    )
    return Measurement(
        measured=pulls[-1] / pulls[0],
        panels=(shown,),
        seen=(
            "Each example of the last, small batch has a larger share in its update "
            "than one of a full batch has."
        ),
        controls=(
            Control(max(pulls[:-1]) < 1.01 * min(pulls[:-1]), "Full batches differ."),
        ),
    )


def _cosine(a: Array, b: Array) -> float:
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


def _likeness(
    rng: np.random.Generator, ws: list[Array], sizes: Labels, count: int
) -> list[float]:
    """Mean cosine of the gradients of random batches with the full gradient."""
    x, y = digits()

    def gradient(rows: Labels | slice) -> Array:
        arrays = gradients(ws, x[rows], y[rows], relu)[1]
        return np.concatenate([a.ravel() for a in arrays])

    full = gradient(slice(None))
    likeness = []
    for size in sizes:
        draws = [rng.integers(0, len(x), size) for _ in range(count)]
        cosines = [_cosine(gradient(rows), full) for rows in draws]
        likeness.append(float(np.mean(cosines)))
    return likeness


def early_and_late(seed: int) -> Measurement:
    """How far a batch of 16 agrees with all digits: at first, and after training."""
    rng = np.random.default_rng(seed)
    x, y = digits()
    ws = weights(rng, [64, 32, 10], 2.0)
    sizes = 4 ** np.arange(6)
    early = _likeness(rng, ws, sizes, 40)
    for _ in range(1000):
        rows = rng.integers(0, len(x), 32)
        sgd(ws, gradients(ws, x[rows], y[rows], relu)[1], 0.2)
    late = _likeness(rng, ws, sizes, 40)
    shown = Lines(
        x=sizes,
        ys={"before training": early, "after 1000 updates": late},
        x_label="examples in the batch",
        y_label="cosine with the gradient of all digits",
        log="x",
        marks={"same direction": 1.0},
    )
    return Measurement(
        measured=early[2] - late[2],
        panels=(shown,),
        seen=(
            "Before training a small batch points where all digits point; after it, "
            "only a large batch does."
        ),
        controls=(
            Control(late[-1] > late[2] + 0.2, "Larger batches agree no better."),
        ),
    )
