"""Claims of *overfitting* and *generalization*, on few digits."""

from __future__ import annotations

from functools import cache

import numpy as np

from glossary.lab import Bars, Control, Lines, Measurement
from glossary.lab.data import Array, Labels, Split, digits, digits_split
from glossary.lab.fitting import accuracy, few_digits, fit, loss

WIDTHS = (64, 64, 10)

# Overfitting


def turns_up(seed: int) -> Measurement:
    """Both losses while a net learns 150 digits, three in ten with random labels."""
    data = few_digits(seed, 150, wrong=0.3)
    _, kept = fit(seed, data, WIDTHS, 600, rate=0.005, every=20)
    trained = np.array([loss(ws, data.train_x, data.train_y) for ws in kept])
    held_out = np.array([loss(ws, data.test_x, data.test_y) for ws in kept])
    shown = Lines(
        x=np.arange(len(kept)) * 20,
        ys={"training digits": trained, "held-out digits": held_out},
        x_label="update",
        y_label="loss in nats",
    )
    lowest = int(held_out.argmin())
    return Measurement(
        measured=held_out[-1] / held_out[lowest],
        panels=(shown,),
        seen="The loss on the training digits keeps falling; that on held-out digits "
        "turns and rises.",
        controls=(
            Control(
                trained[-1] < 0.8 * trained[lowest], "The training loss has stalled."
            ),
            Control(held_out[lowest] < 0.7 * held_out[0], "The net learns nothing."),
        ),
    )


@cache
def _with_labels(seed: int, wrong: float) -> tuple[Split, list[list[Array]]]:
    """A net trained on 300 digits, with their labels or with random ones."""
    data = few_digits(seed, 300, wrong)
    _, kept = fit(seed, data, (64, 128, 10), 900, rate=0.005, every=30)
    return data, kept


def memorizes(seed: int) -> Measurement:
    """Accuracy on digits whose labels are random, seen and unseen."""
    data, kept = _with_labels(seed, 1.0)
    seen = [accuracy(ws, data.train_x, data.train_y) for ws in kept]
    unseen = [accuracy(ws, data.test_x, data.test_y) for ws in kept]
    shown = Lines(
        x=np.arange(len(kept)) * 30,
        ys={"training digits": seen, "held-out digits": unseen},
        x_label="update",
        y_label="accuracy",
        marks={"guessing": 0.1},
    )
    return Measurement(
        measured=seen[-1],
        panels=(shown,),
        seen="The net learns random labels by heart; on held-out digits it goes on "
        "guessing.",
        controls=(Control(unseen[-1] < 0.3, "The labels were not random."),),
    )


COUNTS = (10, 20, 40, 60, 80, 90, 100, 110, 125, 150, 200, 400, 800, 1600)


def _by_size(seed: int) -> tuple[Array, Array]:
    """Errors of least squares on random ReLU features, by their number.

    100 digits to train on; among all solutions the one with the smallest weights.

    Returns:
        Mean squared error on the training digits and on the held-out ones.
    """
    data = few_digits(seed, 100)
    goal = np.eye(10)[data.train_y]
    aim = np.eye(10)[data.test_y]
    rng = np.random.default_rng([seed, 3])
    directions = rng.normal(0, 1 / 8, (64, COUNTS[-1]))
    middle = data.train_x.mean(axis=0)  # about it, so that no feature is always 0
    inside = np.maximum((data.train_x - middle) @ directions, 0)
    outside = np.maximum((data.test_x - middle) @ directions, 0)
    errors = []
    for count in COUNTS:
        w = np.linalg.lstsq(inside[:, :count], goal)[0]
        trained = ((inside[:, :count] @ w - goal) ** 2).sum(axis=1).mean()
        held_out = ((outside[:, :count] @ w - aim) ** 2).sum(axis=1).mean()
        errors.append((trained, held_out))
    columns = np.array(errors)
    return columns[:, 0], columns[:, 1]


def _descent(seed: int) -> tuple[Array, Array, Lines]:
    trained, held_out = _by_size(seed)
    # Beyond 100 features the training error is rounding alone: a gap, not a curve.
    fits = np.array(COUNTS) >= 100
    shown = Lines(
        x=COUNTS,
        ys={
            "held-out digits": held_out,
            "training digits": np.where(fits, np.nan, trained),
        },
        x_label="random features (there are 100 training digits)",
        y_label="mean squared error (0 on training digits from 100 on)",
        log="xy",
    )
    return trained, held_out, shown


def peak(seed: int) -> Measurement:
    """Held-out error with as many features as digits over that with a fifth."""
    trained, held_out, shown = _descent(seed)
    at = COUNTS.index(100)
    return Measurement(
        measured=held_out[at] / held_out[COUNTS.index(20)],
        panels=(shown,),
        seen="The error on held-out digits is highest where the features are just "
        "enough to fit every training digit.",
        controls=(Control(trained[at] < 1e-3, "The training digits are not fitted."),),
    )


def larger_is_worse(seed: int) -> Measurement:
    """Held-out error with 1600 features over that with 110, both beyond the digits."""
    trained, held_out, shown = _descent(seed)
    fitted = trained[[COUNTS.index(110), COUNTS.index(1600)]].max() < 1e-6
    return Measurement(
        measured=held_out[-1] / held_out[COUNTS.index(110)],
        panels=(shown,),
        seen="Beyond the peak the error on held-out digits falls again, though every "
        "model there fits the training digits.",
        controls=(Control(fitted, "One of them does not fit the training digits."),),
    )


# Generalization


def drawn(rng: np.random.Generator, count: int) -> Labels:
    """Rows of so many examples, drawn one by one."""
    return rng.integers(0, len(digits()[0]), count)


def shrinks_as_root(seed: int) -> Measurement:
    """Largest gap among 1000 fixed classifiers, by the number of examples."""
    x, y = digits()
    rng = np.random.default_rng(seed)
    odd = y % 2 == 1
    centred = x - x.mean(axis=0)
    wrong = (centred @ rng.normal(size=(64, 1000)) > 0) != odd[:, None]
    whole = wrong.mean(axis=0)
    counts = np.array([20, 40, 80, 160, 320, 640, 1280])
    gaps = []
    for count in counts:
        draws = [wrong[drawn(rng, count)].mean(axis=0) for _ in range(8)]
        gaps.append(np.mean([abs(draw - whole).max() for draw in draws]))
    slope = np.polyfit(np.log(counts), np.log(gaps), 1)[0]
    bound = np.sqrt(np.log(2 * 1000 / 0.05) / (2 * counts))
    shown = Lines(
        x=counts,
        ys={"largest of 1000 gaps": gaps, "Hoeffding's bound (95 %)": bound},
        x_label="examples",
        y_label="gap between error on the examples and on all",
        log="xy",
    )
    return Measurement(
        measured=slope,
        panels=(shown,),
        seen="The largest gap falls along a line parallel to the bound, as one over "
        "the root of the number of examples.",
        controls=(
            Control(
                bool((np.array(gaps) < bound).all()), "The gaps lie above their bound."
            ),
        ),
    )


def more_examples(seed: int) -> Measurement:
    """Gap of a trained net by the number of its examples."""
    counts = [50, 100, 200, 400, 800, 1300]
    gaps = []
    for count in counts:
        data = few_digits(seed, count)
        ws, _ = fit(seed, data, WIDTHS, 300)
        held_out = loss(ws, data.test_x, data.test_y)
        gaps.append(held_out - loss(ws, data.train_x, data.train_y))
    shown = Lines(
        x=counts,
        ys={"held-out loss minus training loss": gaps},
        x_label="training digits",
        y_label="generalization gap in nats",
        log="x",
    )
    return Measurement(
        measured=gaps[-1] / gaps[0],
        panels=(shown,),
        seen="The more digits the net is trained on, the smaller is the gap.",
        controls=(Control(gaps[0] > 0.3, "There is no gap with few digits either."),),
    )


def training_tells(seed: int) -> Measurement:
    """Held-out accuracy of two nets that both know all their training digits."""
    panels = {}
    for name, wrong in (("true labels", 0.0), ("random labels", 1.0)):
        data, kept = _with_labels(seed, wrong)
        panels[name] = (
            accuracy(kept[-1], data.train_x, data.train_y),
            accuracy(kept[-1], data.test_x, data.test_y),
        )
    shown = Bars(
        labels=["training digits", "held-out digits"],
        ys=panels,
        y_label="accuracy after 900 updates",
    )
    apart = panels["true labels"][1] - panels["random labels"][1]
    alike = panels["true labels"][0] - panels["random labels"][0]
    return Measurement(
        measured=apart,
        panels=(shown,),
        seen="Both nets know their training digits; only the one with true labels "
        "knows the held-out ones.",
        controls=(Control(abs(alike) < 0.1, "Their training accuracy differs."),),
    )


def shifted(seed: int) -> Measurement:
    """Accuracy on held-out digits that are moved to the right."""
    data = digits_split(seed)
    ws, _ = fit(seed, data, WIDTHS, 400)
    moves = [0, 1, 2, 3]
    kept = []
    for move in moves:
        images = np.roll(data.test_x.reshape(-1, 8, 8), move, axis=2)
        images[:, :, :move] = 0.0
        kept.append(accuracy(ws, images.reshape(-1, 64), data.test_y))
    shown = Bars(
        labels=[str(move) for move in moves],
        ys={"held-out digits": kept},
        x_label="pixels by which the digits are moved to the right",
        y_label="accuracy (guessing gives 0.1)",
    )
    return Measurement(
        measured=kept[2] / kept[0],
        panels=(shown,),
        seen="New digits in their usual place are read well; moved by two pixels, most "
        "are not.",
        controls=(Control(kept[0] > 0.85, "Digits in place are not read either."),),
    )
