"""Claims of *accuracy*."""

from __future__ import annotations

import numpy as np

from glossary.lab import Bars, Control, Lines, Measurement
from glossary.lab.data import Array, digits_split
from glossary.lab.fitting import accuracy, few_digits, fit, loss


def share_right(answers: Array, labels: Array) -> float:
    """Accuracy."""
    return float((answers == labels).mean())


def on_test_sets(rng: np.random.Generator, right: Array, count: int) -> Array:
    """Accuracy on 2000 test sets of so many examples, drawn one by one."""
    rows = rng.integers(0, len(right), (2000, count))
    out: Array = right[rows].mean(axis=1)
    return out


def rare_class(seed: int) -> Measurement:
    """Two classifiers of a class that one digit in 25 belongs to: is it an 8?"""
    data = digits_split(seed)
    rng = np.random.default_rng(seed)
    is_rare = data.test_y == 8
    rest = np.flatnonzero(~is_rare)
    eights = rng.choice(np.flatnonzero(is_rare), len(rest) // 24, replace=False)
    rows = np.r_[rest, eights]
    x = data.test_x[rows]
    labels = is_rare[rows]
    # Weighted least squares: both classes weigh the same, so that the rare one counts.
    goal = np.where(data.train_y == 8, 1.0, -1.0)
    weight = np.where(goal > 0, 1 / (goal > 0).mean(), 1 / (goal < 0).mean())
    inputs = np.c_[data.train_x, np.ones(len(goal))]
    root = np.sqrt(weight)
    w = np.linalg.lstsq(inputs * root[:, None], goal * root)[0]
    answers = {
        "always says no": np.zeros(len(labels), dtype=bool),
        "linear classifier": np.c_[x, np.ones(len(x))] @ w > 0,
    }
    right = {name: share_right(a, labels) for name, a in answers.items()}
    # Named apart from accuracy, since that is what the claim is about.
    found = {name: float(a[labels].mean()) for name, a in answers.items()}
    shown = Bars(
        labels=["accuracy", "share of the eights that are found"],
        ys={name: [100 * right[name], 100 * found[name]] for name in answers},
        y_label="%",
    )
    order = sorted(right, key=lambda name: right[name])
    return Measurement(
        measured=100 * (found[order[-1]] - found[order[0]]),
        panels=(shown,),
        seen="Always to say no has the higher accuracy, and finds no eight at all.",
        controls=(
            Control(found["linear classifier"] > 0.5, "The classifier finds none."),
        ),
    )


def standard_error(seed: int) -> Measurement:
    """Scatter of the accuracy over test sets of several sizes, against its formula."""
    data = few_digits(seed, 100)
    ws, _ = fit(seed, data, (64, 32, 10), 60)
    hidden = np.maximum(data.test_x @ ws[0], 0)
    right = (hidden @ ws[1]).argmax(axis=1) == data.test_y
    rng = np.random.default_rng([seed, 4])
    counts = np.array([25, 50, 100, 200, 400])
    scatter = np.array([on_test_sets(rng, right, n).std() for n in counts])
    p = right.mean()
    formula = np.sqrt(p * (1 - p) / counts)
    shown = Lines(
        x=counts,
        ys={
            "measured on 2000 test sets": 100 * scatter,
            "sqrt(p (1 - p) / n)": 100 * formula,
        },
        x_label="examples in the test set",
        y_label="standard deviation of the accuracy, in points",
        log="xy",
    )
    ratio = scatter / formula
    return Measurement(
        measured=ratio[np.argmax(abs(ratio - 1))],
        panels=(shown,),
        seen="The scatter over test sets follows the formula: four times the examples, "
        "half the scatter.",
        controls=(Control(0.3 < p < 0.97, "The model is right always or never."),),
    )


def flat(seed: int) -> Measurement:
    """Loss and accuracy on the training digits once all of them are right."""
    data = few_digits(seed, 200)
    _, kept = fit(seed, data, (64, 64, 10), 900, every=15)
    right = np.array([accuracy(ws, data.train_x, data.train_y) for ws in kept])
    losses = np.array([loss(ws, data.train_x, data.train_y) for ws in kept])
    reached = right == 1
    update = np.arange(len(kept)) * 15
    panels = tuple(
        Lines(x=update, ys={name: row}, x_label="update", y_label=label, log=log)
        for name, row, label, log in (
            ("accuracy", right, "accuracy on the training digits", ""),
            ("loss", losses, "loss on the training digits in nats", "y"),
        )
    )
    # From there on, not only at some point, all answers are right.
    wrong = np.flatnonzero(~reached)
    first = int(wrong[-1]) + 1
    met = first < len(kept) - 5
    return Measurement(
        measured=losses[min(first, len(kept) - 1)] / losses[-1],
        panels=panels,
        seen="Accuracy stands at 1 while the loss falls on and on.",
        controls=(
            Control(met, "The net never gets all training digits right."),
            Control(right[0] < 0.5, "It was right from the start."),
        ),
    )
