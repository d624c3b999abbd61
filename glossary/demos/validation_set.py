"""Claims of *validation set*."""

from __future__ import annotations

from functools import cache

import numpy as np

from glossary.lab import Bars, Control, Lines, Measurement
from glossary.lab.data import Array, digits

COUNTS = np.array([1, 2, 5, 10, 20, 50, 100])
VALIDATED = 100
DRAWS = 300


@cache
def _right(seed: int) -> Array:
    """Which of 1500 digits each of 100 models gets right.

    A model is least squares on 12 random pixels, fitted to 100 random digits.
    """
    x, y = digits()
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(x))
    train = order[:297]
    rest = order[297:]
    right = []
    for _ in range(COUNTS[-1]):
        pixels = rng.permutation(64)[:12]
        rows = rng.permutation(train)[:100]
        w = np.linalg.lstsq(
            np.c_[x[rows][:, pixels], np.ones(100)], np.eye(10)[y[rows]]
        )[0]
        answers = np.c_[x[rest][:, pixels], np.ones(len(rest))] @ w
        right.append(answers.argmax(axis=1) == y[rest])
    return np.array(right, dtype=float)


def best(scores: Array) -> int:
    """The model that a validation set would choose."""
    return int(scores.argmax())


@cache
def _chosen(seed: int) -> dict[str, Array]:
    """Mean accuracy of the chosen model, by the number of models to choose from.

    Means over 300 draws of 100 digits to validate and 100 to test with.
    """
    right = _right(seed)
    rng = np.random.default_rng([seed, 1])
    sums = {name: np.zeros(len(COUNTS)) for name in ("validation", "test", "others")}
    for _ in range(DRAWS):
        order = rng.permutation(right.shape[1])
        scores = right[:, order[:VALIDATED]].mean(axis=1)
        tests = right[:, order[VALIDATED : 2 * VALIDATED]].mean(axis=1)
        models = rng.permutation(len(right))
        for place, count in enumerate(COUNTS):
            some = models[:count]
            model = some[best(scores[some])]
            sums["validation"][place] += scores[model]
            sums["test"][place] += tests[model]
            sums["others"][place] += right[model, order[VALIDATED:]].mean()
    return {name: total / DRAWS for name, total in sums.items()}


def _chosen_lines(seed: int) -> Lines:
    chosen = _chosen(seed)
    return Lines(
        x=COUNTS,
        ys={
            "on the 100 digits that chose it": chosen["validation"],
            "on 100 fresh test digits": chosen["test"],
            "on all 1400 others": chosen["others"],
        },
        x_label="models to choose from",
        y_label="accuracy of the chosen model",
        log="x",
    )


def optimistic(seed: int) -> Measurement:
    """How far the score that chose a model lies above its accuracy on the others."""
    chosen = _chosen(seed)
    gap = chosen["validation"] - chosen["others"]
    return Measurement(
        measured=100 * gap[-1],
        panels=(_chosen_lines(seed),),
        seen="The more models there are to choose from, the further the score of the "
        "best lies above its accuracy on the others.",
        controls=(
            Control(abs(gap[0]) < 0.012, "The score is off where nothing is chosen."),
        ),
    )


def test_is_honest(seed: int) -> Measurement:
    """How far fresh digits put the chosen model from its accuracy on all others."""
    chosen = _chosen(seed)
    gap = chosen["validation"] - chosen["others"]
    return Measurement(
        measured=100 * (chosen["test"] - chosen["others"])[-1],
        panels=(_chosen_lines(seed),),
        seen="Digits that had no part in the choice give the accuracy on all others, "
        "however many models there were.",
        controls=(Control(gap[-1] > 0.007, "The digits that chose are as honest."),),
    )


def _scores(x: Array, y: Array, chosen_inside: bool, rng: np.random.Generator) -> float:
    """Accuracy on five held-out fifths, with the 20 features that follow y best.

    Args:
        x: Features.
        y: Labels, -1 or 1.
        chosen_inside: Whether the features are chosen by the training part alone.
        rng: Draws the fifths.
    """
    fifths = np.array_split(rng.permutation(len(x)), 5)
    by_all = np.argsort(-abs(x.T @ y))[:20]
    right = []
    for fifth in fifths:
        rest = np.setdiff1d(np.arange(len(x)), fifth)
        by_rest = np.argsort(-abs(x[rest].T @ y[rest]))[:20]
        columns = by_rest if chosen_inside else by_all
        near = x[fifth][:, columns] @ x[rest][:, columns].T
        length = (x[rest][:, columns] ** 2).sum(axis=1)
        nearest = (length - 2 * near).argmin(axis=1)
        right.append(np.mean(y[rest][nearest] == y[fifth]))
    return float(np.mean(right))


def leak(seed: int) -> Measurement:
    """Score on labels that are coin flips, by how the features were chosen.

    One nearest neighbour on 20 of 2000 features (Hastie, Tibshirani and Friedman 2009,
    section 7.10.2).
    """
    rng = np.random.default_rng(seed)
    scores: dict[str, list[float]] = {"by all examples": [], "inside": []}
    for _ in range(6):
        x = rng.normal(size=(50, 2000))
        y = rng.permutation(np.repeat([-1.0, 1.0], 25))
        scores["by all examples"].append(_scores(x, y, False, rng))
        scores["inside"].append(_scores(x, y, True, rng))
    means = {name: float(np.mean(row)) for name, row in scores.items()}
    shown = Bars(
        labels=[
            "features chosen with all examples",
            "chosen by the training part alone",
        ],
        ys={"validation accuracy": list(means.values())},
        y_label="validation accuracy where every label is a coin flip",
        marks={"truth": 0.5},
    )
    return Measurement(
        measured=means["by all examples"],
        panels=(shown,),
        seen="Where features are chosen with all examples, coin flips seem to be "
        "predictable; where the training part alone chooses them, they are not.",
        controls=(
            Control(abs(means["inside"] - 0.5) < 0.12, "The coins were not fair."),
        ),
    )
