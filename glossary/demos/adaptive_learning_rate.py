"""Claims of *adaptive learning rate*: what it evens out, and what it does not."""

from __future__ import annotations

from functools import cache

import numpy as np

from glossary.demos.adaptive_steps import adagrad_steps, rmsprop_steps
from glossary.lab import Bars, Control, Lines, Measurement
from glossary.lab.data import Array, diabetes, digits
from glossary.lab.fitting import accuracy
from glossary.lab.nets import gradients, relu, weights
from glossary.lab.steps import adam, sgd, slots_for


def own_step(seed: int) -> Measurement:
    """Length of the steps of weights whose gradients differ a thousandfold."""
    scales = 10.0 ** np.linspace(-2, 1, 7)
    g = np.random.default_rng(seed).normal(size=(400, 40, 7)) * scales
    lengths = {
        "RMSProp": abs(rmsprop_steps(g)[100:]).mean(axis=(0, 1)),
        "AdaGrad": abs(adagrad_steps(g)[100:]).mean(axis=(0, 1)),
        "gradient descent": abs(g[100:]).mean(axis=(0, 1)),
    }
    spread = {name: y.max() / y.min() for name, y in lengths.items()}
    shown = Lines(
        x=scales,
        ys=lengths,
        x_label="size of the gradients of a weight",
        y_label="mean step over the learning rate",
        log="xy",
    )
    return Measurement(
        measured=max(spread["RMSProp"], spread["AdaGrad"]),
        panels=(shown,),
        seen="With a learning rate for each weight all steps are equally long; plain "
        "steps grow with the gradient.",
        controls=(
            Control(spread["gradient descent"] > 100, "Plain steps are equal as well."),
        ),
    )


RATES = 10.0 ** np.arange(-3.0, 1.1, 0.25)


@cache
def _left(seed: int) -> dict[str, Array]:
    """Share of the excess loss left after 200 updates, by optimizer and inputs.

    Least squares on the diabetes table; ``uneven`` are its standardized features, each
    times a factor between 0.03 and 30.
    """
    rng = np.random.default_rng(seed)
    x, y = diabetes()
    factors = 10.0 ** rng.permutation(np.linspace(-1.5, 1.5, x.shape[1]))
    left = {}
    for inputs, features in (("even", x), ("uneven", x * factors)):
        for name in ("gradient descent", "Adam"):
            row = [_regression(features, y, name, rate) for rate in RATES]
            left[f"{name}, {inputs} inputs"] = np.array(row)
    return left


def _regression(x: Array, y: Array, name: str, rate: float) -> float:
    """Share of the excess loss left after 200 updates; NaN where the loss has grown."""
    # Gradient descent takes its learning rate in units of the largest that converges.
    largest = 2 / np.linalg.eigvalsh(x.T @ x / len(x))[-1]
    best = np.linalg.lstsq(x, y)[0]
    ws = [np.zeros(x.shape[1])]
    slots = slots_for(ws, 2)
    for step in range(1, 201):
        grads = [x.T @ (x @ ws[0] - y) / len(x)]
        if name == "Adam":
            adam(ws, slots, grads, step, rate)
        elif rate < 1:
            sgd(ws, grads, rate * largest)
    excess = float(((x @ (ws[0] - best)) ** 2).sum() / ((x @ best) ** 2).sum())
    return excess if excess < 1 else float("nan")


def _compared(seed: int, first: str, second: str, seen: str) -> Measurement:
    """Loss of one arm over that of another, each at its best learning rate."""
    left = _left(seed)
    best = {name: np.nanmin(row) for name, row in left.items()}
    shown = Lines(
        x=RATES,
        ys={name: left[name] for name in (first, second)},
        x_label="learning rate (of gradient descent: over the largest that converges)",
        y_label="share of the excess loss left after 200 updates",
        log="xy",
    )
    costs = (
        best["gradient descent, uneven inputs"] / best["gradient descent, even inputs"]
    )
    return Measurement(
        measured=float(best[first] / best[second]),
        panels=(shown,),
        seen=seen,
        controls=(
            Control(bool(costs > 2), "Uneven inputs cost gradient descent nothing."),
        ),
    )


def uneven_inputs(seed: int) -> Measurement:
    """Loss of gradient descent over Adam's on uneven inputs, each at its best rate."""
    return _compared(
        seed,
        "gradient descent, uneven inputs",
        "Adam, uneven inputs",
        "Where the inputs have very different scales, Adam comes far closer to the "
        "lowest loss than gradient descent at any learning rate.",
    )


def scaling_is_needless(seed: int) -> Measurement:
    """Adam's loss on uneven inputs over that on even ones, each at its best rate."""
    return _compared(
        seed,
        "Adam, uneven inputs",
        "Adam, even inputs",
        "Adam too comes closer to the lowest loss where all inputs have one scale.",
    )


SPLITS = 4


def _held_out_error(seed: int, name: str, rate: float) -> float:
    """Error on 1497 digits of a net trained on 300 others for 200 updates."""
    x, y = digits()
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(x))
    train = order[:300]
    test = order[300:]
    ws = weights(rng, [64, 32, 10], 2.0)
    slots = slots_for(ws, 2)
    for step in range(1, 201):
        rows = rng.choice(train, 32)
        grads = gradients(ws, x[rows], y[rows], relu)[1]
        if name == "Adam":
            adam(ws, slots, grads, step, rate)
        else:
            sgd(ws, grads, rate)
    return 1 - accuracy(ws, x[test], y[test])


def generalizes_worse(seed: int) -> Measurement:
    """Held-out error of Adam over that of SGD, each at its best learning rate.

    Means over four splits of the digits, the same for both.
    """
    grids = {"SGD": (0.1, 0.3, 0.9), "Adam": (0.003, 0.01, 0.03)}
    errors = {}
    for name, rates in grids.items():
        runs = [
            [_held_out_error(SPLITS * seed + run, name, rate) for rate in rates]
            for run in range(SPLITS)
        ]
        errors[name] = np.mean(runs, axis=0)
    best = {name: float(row.min()) for name, row in errors.items()}
    shown = Bars(
        labels=["low", "middle", "high"],
        ys=errors,
        x_label="learning rate (SGD 0.1 to 0.9, Adam 0.003 to 0.03)",
        y_label="error on held-out digits, mean of 4 splits",
    )
    return Measurement(
        measured=best["Adam"] / best["SGD"],
        panels=(shown,),
        seen="At its best learning rate each errs about as often on digits that it has "
        "not seen.",
        controls=(Control(max(best.values()) < 0.3, "One of them learns nothing."),),
    )
