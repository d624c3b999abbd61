"""Claims of *regularization* and *L2 regularization*."""

from __future__ import annotations

from functools import cache

import numpy as np

from glossary.lab import Bars, Control, Lines, Measurement
from glossary.lab.data import Array, diabetes
from glossary.lab.fitting import few_digits, loss, ridge
from glossary.lab.nets import gradients, relu, weights
from glossary.lab.steps import adam, slots_for

PENALTIES = 10.0 ** np.arange(-2, 4.6, 0.5)


# Regularization


@cache
def _errors(seed: int, count: int) -> dict[str, Array]:
    """Errors of ridge regression on so many rows of the diabetes table, by penalty.

    The features are the ten columns and all their products. An error of 1 is that of
    always predicting the mean.
    """
    x, y = diabetes()
    first, second = np.triu_indices(10)
    inputs = np.c_[x, x[:, first] * x[:, second]]
    order = np.random.default_rng(seed).permutation(len(x))
    train = order[:count]
    held_out = order[-120:]
    errors = []
    for penalty in PENALTIES:
        w = ridge(inputs[train], y[train], penalty)
        off = [((inputs[rows] @ w - y[rows]) ** 2).mean() for rows in (train, held_out)]
        errors.append(off)
    columns = np.array(errors)
    return {"training rows": columns[:, 0], "held-out rows": columns[:, 1]}


def _error_lines(seed: int, count: int) -> Lines:
    return Lines(
        x=PENALTIES,
        ys=_errors(seed, count),
        x_label="strength of the penalty",
        y_label="mean squared error",
        title=f"{count} rows to train on",
        log="xy",
        marks={"always the mean": 1.0},
    )


def u_shape(seed: int) -> Measurement:
    """Held-out error at both ends of the penalty over that at its best."""
    held_out = _errors(seed, 80)["held-out rows"]
    best = int(held_out.argmin())
    ends = (held_out[0], held_out[-1])
    return Measurement(
        measured=min(ends) / held_out[best],
        panels=(_error_lines(seed, 80),),
        seen="With a weak penalty only the training error is low; with a strong one "
        "neither is; in between the held-out error is lowest.",
        controls=(Control(held_out[best] < 0.9, "No penalty predicts anything."),),
    )


def raises_training_error(seed: int) -> Measurement:
    """Training error at the best penalty over that at the weakest."""
    errors = _errors(seed, 80)
    best = int(errors["held-out rows"].argmin())
    trained = errors["training rows"]
    helps = errors["held-out rows"][best] < 0.9 * errors["held-out rows"][0]
    return Measurement(
        measured=trained[best] / trained[0],
        panels=(_error_lines(seed, 80),),
        seen="The error on the training rows rises with the penalty, also where that "
        "on held-out rows falls.",
        controls=(Control(helps, "The penalty does not help."),),
    )


KINDS = ("none", "L2 penalty", "noise on the inputs", "early stopping")


def _trained(seed: int, kind: str) -> tuple[float, float]:
    """Training and held-out loss of a net on 100 digits, half with random labels.

    Early stopping keeps the weights that were best on the first 200 held-out digits;
    what is returned is measured on the other 250.
    """
    data = few_digits(seed, 100, wrong=0.5)
    rng = np.random.default_rng([seed, 5])
    ws = weights(rng, [64, 64, 10], 2.0)
    slots = slots_for(ws, 2)
    kept = ws
    lowest = np.inf
    for step in range(1, 401):
        rows = rng.integers(0, 100, 32)
        images = data.train_x[rows]
        if kind == "noise on the inputs":
            images = images + rng.normal(0, 0.3, images.shape)
        grads = gradients(ws, images, data.train_y[rows], relu)[1]
        if kind == "L2 penalty":
            grads = [g + 0.02 * w for g, w in zip(grads, ws, strict=True)]
        adam(ws, slots, grads, step, 0.005)
        if kind == "early stopping" and step % 10 == 0:
            validated = loss(ws, data.test_x[:200], data.test_y[:200])
            if validated < lowest:
                lowest = validated
                kept = [w.copy() for w in ws]
    held_out = loss(kept, data.test_x[200:], data.test_y[200:])
    return loss(kept, data.train_x, data.train_y), held_out


def three_kinds(seed: int) -> Measurement:
    """Held-out loss with each of three kinds over that without any."""
    losses = {kind: _trained(seed, kind) for kind in KINDS}
    shown = Bars(
        labels=KINDS,
        ys={
            "training digits": [losses[kind][0] for kind in KINDS],
            "held-out digits": [losses[kind][1] for kind in KINDS],
        },
        y_label="loss in nats",
    )
    plain = losses["none"]
    ratios = [losses[kind][1] / plain[1] for kind in KINDS[1:]]
    return Measurement(
        measured=max(ratios),
        panels=(shown,),
        seen="Each kind raises the loss on training digits and lowers that on held-out "
        "ones.",
        controls=(
            Control(plain[1] > 2 * plain[0], "The net does not overfit without them."),
        ),
    )


def always_helps(seed: int) -> Measurement:
    """What the best penalty saves of the held-out error, with few and many rows."""
    x, y = diabetes()
    order = np.random.default_rng(seed).permutation(len(x))
    train = order[:320]
    held_out = order[-120:]
    many = np.array(
        [
            ((x[held_out] @ ridge(x[train], y[train], p) - y[held_out]) ** 2).mean()
            for p in PENALTIES
        ]
    )
    few = _errors(seed, 80)["held-out rows"]
    saved = [100 * (1 - errors.min() / errors[0]) for errors in (few, many)]
    curves = Lines(
        x=PENALTIES,
        ys={"65 features, 80 rows": few, "10 features, 320 rows": many},
        x_label="strength of the penalty",
        y_label="mean squared error on held-out rows",
        log="xy",
    )
    return Measurement(
        measured=saved[1],
        panels=(curves,),
        seen="With many features for few rows a penalty saves much of the error; with "
        "few features and many rows hardly any.",
        controls=(Control(saved[0] > 20, "It saves nothing anywhere."),),
    )


# L2 regularization


def slope(x: Array, y: Array, w: Array, penalty: float) -> Array:
    """Gradient of half the squared error plus half the penalty times w squared."""
    out: Array = x.T @ (x @ w - y) + penalty * w
    return out


def closed_form(seed: int) -> Measurement:
    """Gradient descent on the penalized loss, against ridge regression."""
    x, y = diabetes()
    rng = np.random.default_rng(seed)
    rows = rng.permutation(len(x))[:100]
    features = x[rows]
    target = y[rows]
    goal = ridge(features, target, 10.0)
    ends = {}
    for name, penalty in (("with the penalty", 10.0), ("without", 0.0)):
        w = rng.normal(size=10)
        way = []
        for _ in range(1500):
            way.append(float(np.linalg.norm(w - goal)))
            w = w - 0.001 * slope(features, target, w, penalty)
        ends[name] = way
    shown = Lines(
        x=np.arange(0, 1500, 10),
        ys={name: way[::10] for name, way in ends.items()},
        x_label="update of gradient descent",
        y_label="distance from the weights of the closed form",
        log="y",
    )
    return Measurement(
        measured=ends["with the penalty"][-1],
        panels=(shown,),
        seen="With the penalty gradient descent ends at the weights of the closed "
        "form; without it, elsewhere.",
        controls=(Control(ends["without"][-1] > 0.01, "It does so without as well."),),
    )


def weak_directions(seed: int) -> Measurement:
    """What a penalty leaves of each direction of the data, against its formula."""
    x, y = diabetes()
    rows = np.random.default_rng(seed).permutation(len(x))[:100]
    penalty = 20.0
    _, size, directions = np.linalg.svd(x[rows], full_matrices=False)
    plain = directions @ ridge(x[rows], y[rows], 0.0)
    kept = directions @ ridge(x[rows], y[rows], penalty) / plain
    formula = size**2 / (size**2 + penalty)
    even = np.full_like(kept, kept.mean())
    shown = Lines(
        x=size[::-1],
        ys={
            "share of the weight that is left": kept[::-1],
            "s^2 / (s^2 + penalty)": formula[::-1],
        },
        x_label="singular value s: how much the data vary along a direction",
        y_label="weight with the penalty over that without",
        log="x",
    )
    return Measurement(
        measured=abs(kept - formula).max(),
        panels=(shown,),
        seen="Directions along which the data vary much keep their weight; those along "
        "which they vary little lose it.",
        controls=(
            Control(abs(even - formula).max() > 0.1, "All directions shrink alike."),
        ),
    )


def shrunk(w: Array, by: float) -> Array:
    """What an L1 penalty leaves of weights: each loses the same amount, down to 0."""
    out: Array = np.sign(w) * np.maximum(abs(w) - by, 0)
    return out


def sets_to_zero(seed: int) -> Measurement:
    """Weights that are exactly 0, by the strength of each penalty."""
    x, y = diabetes()
    rows = np.random.default_rng(seed).permutation(len(x))[:200]
    features = x[rows]
    target = y[rows]
    rate = 1 / np.linalg.eigvalsh(features.T @ features)[-1]
    strengths = [1.0, 3.0, 10.0, 30.0, 100.0]
    zeros: dict[str, list[int]] = {"L2 penalty": [], "L1 penalty": []}
    for strength in strengths:
        zeros["L2 penalty"].append(int((ridge(features, target, strength) == 0).sum()))
        w = np.zeros(10)
        for _ in range(300):
            w = shrunk(w - rate * slope(features, target, w, 0.0), rate * strength)
        zeros["L1 penalty"].append(int((w == 0).sum()))
    shown = Bars(
        labels=[f"{strength:g}" for strength in strengths],
        ys=zeros,
        x_label="strength of the penalty",
        y_label="weights of 10 that are exactly 0",
    )
    return Measurement(
        measured=max(zeros["L2 penalty"]),
        panels=(shown,),
        seen="An L1 penalty sets more and more weights to 0, an L2 penalty none.",
        controls=(
            Control(zeros["L1 penalty"][-1] >= 3, "An L1 penalty sets none to 0."),
        ),
    )


def twins(seed: int) -> Measurement:
    """How two copies of a feature share their weight."""
    x, y = diabetes()
    rng = np.random.default_rng(seed)
    rows = rng.permutation(len(x))[:200]
    features = np.c_[x[rows], x[rows][:, 2]]  # body mass index twice
    target = y[rows]
    penalties = (0.0, 1.0, 3.0, 10.0)
    start = rng.normal(size=11)
    ways = {}
    for penalty in penalties:
        w = start.copy()
        apart = []
        for _ in range(3000):
            apart.append(abs(w[2] - w[10]) / abs(start[2] - start[10]))
            w = w - 0.0008 * slope(features, target, w, penalty)
        ways[penalty] = apart
    shown = Lines(
        x=np.arange(0, 3000, 20),
        ys={f"penalty {penalty:g}": way[::20] for penalty, way in ways.items()},
        x_label="update of gradient descent from random weights",
        y_label="difference of both weights, over that at the start",
        log="y",
    )
    return Measurement(
        measured=ways[10.0][-1],
        panels=(shown,),
        seen="Without a penalty the copies keep the difference they started with; the "
        "stronger the penalty, the sooner they share the weight evenly.",
        controls=(
            Control(ways[0.0][-1] > 0.9, "They share it without a penalty as well."),
        ),
    )
