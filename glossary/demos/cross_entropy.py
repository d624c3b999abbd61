"""Claims of *cross-entropy*: minus the mean logarithm of what the truth was given."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from glossary.lab import Control, Lines, Measurement
from glossary.lab.data import Array, digits, digits_split
from glossary.lab.nets import gradients, relu, sigmoid, softmax, weights
from glossary.lab.steps import sgd

UPDATES = 1000
EVERY = 40
DRAWN = 0.3


def keeps_gradient(seed: int) -> Measurement:
    """Slope of cross-entropy over that of squared error where confidently wrong."""
    drawn = np.linspace(-10, 10, 61)
    wrong = np.random.default_rng(seed).uniform(-10, -8, 50)

    def cross_entropy(z: Array) -> Array:
        return -np.log(sigmoid(z)[0])

    def squared_error(z: Array) -> Array:
        return (1 - sigmoid(z)[0]) ** 2

    def slope(loss: Callable[[Array], Array], z: Array) -> Array:
        return abs(loss(z + 1e-4) - loss(z - 1e-4)) / 2e-4

    ratio = slope(cross_entropy, wrong) / slope(squared_error, wrong)
    undecided = np.zeros(1)
    near = float((slope(cross_entropy, undecided) / slope(squared_error, undecided))[0])
    shown = Lines(
        x=drawn,
        ys={
            "cross-entropy": slope(cross_entropy, drawn),
            "squared error": slope(squared_error, drawn),
        },
        x_label="score of the right class (far left: confidently wrong)",
        y_label="size of the gradient for the score",
    )
    return Measurement(
        measured=float(ratio.min()),
        panels=(shown,),
        seen="Where the output is confidently wrong, cross-entropy has its full "
        "gradient and squared error almost none.",
        controls=(Control(near < 10, "The two differ by as much where undecided."),),
    )


def minus_log(share: Array) -> Array:
    """Cross-entropy of an event that was given this share."""
    return -np.log(share)


def lowest_at_truth(seed: int) -> Measurement:
    """Distance of the best prediction from the truth, or of its loss from entropy."""
    shares = np.linspace(0.001, 0.999, 999)
    rng = np.random.default_rng(seed)
    truth = float(rng.uniform(0.15, 0.4))

    def expected(loss: Callable[[Array], Array], share: Array, true: float) -> Array:
        """Loss on average over labels that are 1 with the chance ``true``."""
        return true * loss(share) + (1 - true) * loss(1 - share)

    cross = expected(minus_log, shares, truth)
    linear = expected(lambda share: 1 - share, shares, truth)
    entropy = -truth * np.log(truth) - (1 - truth) * np.log(1 - truth)
    gap = abs(shares[cross.argmin()] - truth)
    above = abs(cross.min() - entropy)
    few = shares[9::15]
    shown = Lines(
        x=few,
        ys={
            "cross-entropy": expected(minus_log, few, DRAWN),
            "one minus share": expected(lambda share: 1 - share, few, DRAWN),
        },
        x_label=f"predicted share; the true one is {DRAWN:g}",
        y_label="mean loss",
        marks={"entropy": -DRAWN * np.log(DRAWN) - (1 - DRAWN) * np.log(1 - DRAWN)},
    )
    other = abs(shares[linear.argmin()] - truth)
    return Measurement(
        measured=float(max(gap, above)),
        panels=(shown,),
        seen="Cross-entropy is lowest exactly at the true share; the other loss "
        "falls on to a prediction of 0.",
        controls=(Control(other > 0.1, "Any loss is lowest at the truth."),),
    )


def starts_at_log(seed: int) -> Measurement:
    """Loss of untrained classifiers over the logarithm of the number of classes."""
    x, y = digits()
    counts = np.arange(2, 11)
    losses: dict[str, list[float]] = {
        "small last weights": [],
        "large last weights": [],
    }
    for count in counts:
        rows = y < count
        for name, scale in (("small last weights", 0.1), ("large last weights", 10.0)):
            rng = np.random.default_rng(seed)
            ws = weights(rng, [64, 32, int(count)], 2.0)
            ws[-1] *= scale
            losses[name].append(gradients(ws, x[rows], y[rows], relu)[0])
    off = abs(np.array(losses["small last weights"]) / np.log(counts) - 1)
    shown = Lines(
        x=counts,
        ys={"logarithm of the classes": np.log(counts), **losses},
        x_label="classes",
        y_label="cross-entropy before training, nats",
        log="y",
    )
    control = losses["large last weights"][-1] / np.log(10)
    return Measurement(
        measured=float(off.max()),
        panels=(shown,),
        seen="With small last weights an untrained classifier starts at the "
        "logarithm of the number of classes; with large ones far above.",
        controls=(Control(control > 2, "Large last weights start there as well."),),
    )


def _course(seed: int, examples: slice) -> tuple[Array, Array]:
    """Held-out cross-entropy and accuracy while a net learns 30 digits by heart."""
    split = digits_split(seed)
    rng = np.random.default_rng([seed, examples.start])
    x = split.train_x[examples]
    y = split.train_y[examples]
    ws = weights(rng, [64, 64, 10], 2.0)
    rows = np.arange(len(split.test_y))
    losses = []
    accuracies = []
    for update in range(UPDATES + 1):
        if update % EVERY == 0:
            scores = relu(split.test_x @ ws[0])[0] @ ws[1]
            shares = softmax(scores)[rows, split.test_y]
            losses.append(float(-np.log(shares + 1e-300).mean()))
            accuracies.append(float((scores.argmax(axis=1) == split.test_y).mean()))
        sgd(ws, gradients(ws, x, y, relu)[1], 0.5)
    return np.array(losses), np.array(accuracies)


def falls_with_accuracy(seed: int) -> Measurement:
    """Change of held-out accuracy from the lowest held-out cross-entropy to the end."""
    courses = [_course(seed, slice(30 * n, 30 * n + 30)) for n in range(5)]
    losses = np.mean([losses for losses, _ in courses], axis=0)
    accuracies = np.mean([accuracies for _, accuracies in courses], axis=0)
    lowest = int(losses.argmin())
    updates = np.arange(0, UPDATES + 1, EVERY)
    # Drawn from the first measurement on that follows the steep fall of the start.
    loss = Lines(
        x=updates[1:],
        ys={"held-out": losses[1:] / losses[lowest]},
        x_label="update",
        y_label="held-out cross-entropy over its lowest",
    )
    accuracy = Lines(
        x=updates[1:],
        ys={"held-out": accuracies[1:] - accuracies[lowest]},
        x_label="update",
        y_label="held-out accuracy less that at the lowest cross-entropy",
    )
    rise = losses[-1] / losses[lowest]
    return Measurement(
        measured=accuracies[-1] - accuracies[lowest],
        panels=(loss, accuracy),
        seen="After its lowest point the held-out cross-entropy rises, and the "
        "accuracy does not fall.",
        controls=(Control(rise > 1.05, "The held-out cross-entropy does not rise."),),
    )
