"""Claims of *softmax*: exp(z) over the sum of all exp(z)."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np

from glossary.lab import Bars, Control, Lines, Measurement
from glossary.lab.data import Array, Labels, digits_split
from glossary.lab.nets import gradients, relu, softmax, weights
from glossary.lab.steps import sgd

CLASSES = 10
LEARNED_BY_HEART = 600  # updates
#: Scores that are drawn.
DRAWN = np.array([2.0, 1.5, 1.0, 0.0, -1.0])


def _entropy(shares: Array) -> Array:
    """In nats: 0 for a single class, the logarithm of their number for equal shares."""
    total: Array = -(shares * np.log(shares)).sum(axis=-1)
    return total


def shift(seed: int) -> Measurement:
    """Change of the outputs when one number is added to all scores, or multiplied."""
    rng = np.random.default_rng(seed)
    scores = rng.normal(0, 2, (200, CLASSES))
    shifts = np.linspace(-50, 50, 11)
    plain = softmax(scores)
    added = [abs(softmax(scores + by) - plain).max() for by in shifts]
    doubled = softmax(2 * scores)
    first = Bars(
        labels=[f"{score:g}" for score in DRAWN],
        ys={
            "scores as they are": softmax(DRAWN),
            "scores plus 50": softmax(DRAWN + 50),
            "scores times 2": softmax(2 * DRAWN),
        },
        x_label="score",
        y_label="softmax output",
    )
    return Measurement(
        measured=max(added),
        panels=(first,),
        seen="Adding 50 to every score changes no output; doubling the scores does.",
        controls=(
            Control(abs(doubled - plain).max() > 0.1, "Doubling changes nothing."),
        ),
    )


def temperature(seed: int) -> Measurement:
    """Entropy of the outputs at a temperature of 4, less that at a quarter."""
    rng = np.random.default_rng(seed)
    scores = rng.normal(0, 2, (200, CLASSES))
    temperatures = 2.0 ** np.arange(-4, 5)
    positive = np.exp(scores)  # scores that can be shared out in proportion

    def in_proportion(values: Array) -> Array:
        shares: Array = values / values.sum(axis=-1, keepdims=True)
        return shares

    soft = np.array([_entropy(softmax(scores / t)) for t in temperatures])
    plain = np.array([_entropy(in_proportion(positive / t)) for t in temperatures])
    cool = list(temperatures).index(0.25)
    warm = list(temperatures).index(4.0)
    shown = Lines(
        x=temperatures,
        ys={"softmax": soft.mean(axis=1), "in proportion": plain.mean(axis=1)},
        x_label="temperature",
        y_label="entropy of the outputs, nats",
        log="x",
        marks={"all equal": float(np.log(CLASSES)), "one class alone": 0.0},
    )
    moved = abs(plain - plain[0]).max()
    return Measurement(
        measured=float((soft[warm] - soft[cool]).min()),
        panels=(shown,),
        seen="Softmax goes from one class alone at a low temperature to equal shares "
        "at a high one; shares in proportion do not move.",
        controls=(Control(moved < 1e-9, "Shares in proportion change as well."),),
    )


def _cross_entropy(scores: Array, target: Array) -> float:
    return float(-np.log(softmax(scores)) @ target)


def _squared_error(scores: Array, target: Array) -> float:
    return float(((softmax(scores) - target) ** 2).sum())


def _slopes(loss: Callable[[Array], float], scores: Array) -> Array:
    """Gradient of a loss by central differences, one score at a time."""
    steps = 1e-5 * np.eye(len(scores))
    return np.array([(loss(scores + h) - loss(scores - h)) / 2e-5 for h in steps])


def gradient(seed: int) -> Measurement:
    """Gradient of the cross-entropy by differences, against outputs minus targets."""
    rng = np.random.default_rng(seed)
    scores = rng.normal(0, 2, CLASSES)
    target = np.eye(CLASSES)[rng.integers(CLASSES)]
    by_differences = _slopes(lambda z: _cross_entropy(z, target), scores)
    squared = _slopes(lambda z: _squared_error(z, target), scores)
    simple = softmax(scores) - target
    right = np.eye(len(DRAWN))[3]
    shown = Bars(
        labels=[f"{score:g}" for score in DRAWN],
        ys={
            "output minus target": softmax(DRAWN) - right,
            "of cross-entropy": _slopes(lambda z: _cross_entropy(z, right), DRAWN),
            "of squared error": _slopes(lambda z: _squared_error(z, right), DRAWN),
        },
        x_label="score of each of five classes; the fourth is right",
        y_label="gradient for the score",
    )
    other = abs(squared - simple).max()
    return Measurement(
        measured=float(abs(by_differences - simple).max()),
        panels=(shown,),
        seen="Output minus target is the gradient of cross-entropy in every class, "
        "and not that of the squared error.",
        controls=(Control(other > 1e-3, "Squared error has the same gradient."),),
    )


class _Run(NamedTuple):
    """Held-out confidence, accuracy and scores, while a net overfits."""

    updates: list[int]
    confidence: list[float]
    accuracy: list[float]
    scores: Array
    labels: Labels


@cache
def _overfitted(seed: int) -> _Run:
    """A net that has learned 100 digits by heart, 30 of them labelled wrongly."""
    split = digits_split(seed)
    rng = np.random.default_rng(seed)
    x = split.train_x[:100]
    y = split.train_y[:100].copy()
    wrong = rng.permutation(100)[:30]
    y[wrong] = (y[wrong] + rng.integers(1, CLASSES, 30)) % CLASSES
    ws = weights(rng, [64, 64, CLASSES], 2.0)
    updates = []
    confidence = []
    accuracy = []
    for update in range(LEARNED_BY_HEART + 1):
        if update % 50 == 0:
            scores = relu(split.test_x @ ws[0])[0] @ ws[1]
            updates.append(update)
            confidence.append(float(softmax(scores).max(axis=1).mean()))
            accuracy.append(float((scores.argmax(axis=1) == split.test_y).mean()))
        sgd(ws, gradients(ws, x, y, relu)[1], 0.5)
    return _Run(updates, confidence, accuracy, scores, split.test_y)


def calibrated(seed: int) -> Measurement:
    """Mean confidence less accuracy on held-out digits, after overfitting."""
    run = _overfitted(seed)
    half = len(run.scores) // 2
    # Temperature scaling (Guo 2017, sec. 4.2): one number, fitted on other digits.
    candidates = np.geomspace(0.5, 20, 60)
    rows = np.arange(half)
    losses = [
        -np.log(softmax(run.scores[:half] / t)[rows, run.labels[:half]] + 1e-300).mean()
        for t in candidates
    ]
    best = candidates[int(np.argmin(losses))]
    gaps = {"early": run.confidence[1] - run.accuracy[1]}
    for name, by in (("at the end", 1.0), ("rescaled", best)):
        shares = softmax(run.scores[half:] / by)
        right = shares.argmax(axis=1) == run.labels[half:]
        gaps[name] = float(shares.max(axis=1).mean() - right.mean())
    course = Lines(
        x=run.updates,
        ys={"mean confidence": run.confidence, "accuracy": run.accuracy},
        x_label="update",
        y_label="share, held-out digits",
    )
    bars = Bars(
        labels=list(gaps),
        ys={"gap": list(gaps.values())},
        y_label="confidence less accuracy",
    )
    return Measurement(
        measured=gaps["at the end"],
        panels=(course, bars),
        seen="While the net overfits, its confidence rises far above its accuracy; "
        "one temperature for all scores (rescaled) brings it back.",
        controls=(
            Control(gaps["early"] < 0.05, "The net is too confident from the start."),
        ),
    )
