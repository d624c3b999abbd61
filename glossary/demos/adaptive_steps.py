"""Claims of *RMSProp* and *AdaGrad*, in float64."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from glossary.lab import Control, Lines, Measurement
from glossary.lab.data import Array

EPSILON = 1e-8
#: Takes what is kept of the squares, and a gradient; gives a rate for each weight.
Rule = Callable[[Array, Array], Array]


def rmsprop_steps(gradients_: Array, keep: float = 0.9) -> Array:
    """Step of each update at a learning rate of 1 (Tieleman and Hinton 2012)."""
    square = np.zeros_like(gradients_[0])
    steps = []
    for g in gradients_:
        square = keep * square + (1 - keep) * g * g
        steps.append(g / (np.sqrt(square) + EPSILON))
    return np.array(steps)


def adagrad_steps(gradients_: Array) -> Array:
    """Step of each update at a learning rate of 1 (Duchi, Hazan and Singer 2011)."""
    square = np.cumsum(gradients_**2, axis=0)
    steps: Array = gradients_ / (np.sqrt(square) + EPSILON)
    return steps


def rmsprop_rate(square: Array, g: Array) -> Array:
    """What RMSProp multiplies the gradient by; ``square`` is changed in place."""
    square += 0.1 * (g * g - square)
    rate: Array = 1 / (np.sqrt(square) + EPSILON)
    return rate


def adagrad_rate(square: Array, g: Array) -> Array:
    """What AdaGrad multiplies the gradient by; ``square`` is changed in place."""
    square += g * g
    rate: Array = 1 / (np.sqrt(square) + EPSILON)
    return rate


def no_rate(square: Array, g: Array) -> Array:
    """Plain gradient descent multiplies by nothing."""
    return np.ones_like(g)


# RMSProp


def follows_scale(seed: int) -> Measurement:
    """Length of the steps before and after all gradients shrink to a hundredth."""
    g = np.random.default_rng(seed).normal(size=(600, 64))
    g[300:] *= 0.01
    lengths = {
        "RMSProp": abs(rmsprop_steps(g)).mean(axis=1),
        "AdaGrad": abs(adagrad_steps(g)).mean(axis=1),
        "gradient descent": abs(g).mean(axis=1),
    }
    kept = {name: y[-100:].mean() / y[200:300].mean() for name, y in lengths.items()}
    shown = Lines(
        x=np.arange(5, 600, 10),
        ys={name: y.reshape(-1, 10).mean(axis=1) for name, y in lengths.items()},
        x_label="update (the gradients shrink after 300)",
        y_label="mean step over the learning rate",
        log="y",
    )
    return Measurement(
        measured=kept["RMSProp"],
        panels=(shown,),
        seen="RMSProp's steps dip and recover; those of the two others stay short.",
        controls=(
            Control(kept["AdaGrad"] < 0.1, "AdaGrad's steps recover as well."),
            Control(kept["gradient descent"] < 0.1, "Plain steps recover as well."),
        ),
    )


def first_step(seed: int) -> Measurement:
    """First steps for a gradient that stays as it is."""
    g = np.random.default_rng(seed).normal(size=64)
    steps = abs(rmsprop_steps(np.tile(g, (50, 1)))).mean(axis=1)
    update = np.arange(1, 51)
    corrected = steps * np.sqrt(1 - 0.9**update)
    shown = Lines(
        x=update,
        ys={"RMSProp": steps, "with Adam's bias correction": corrected},
        x_label="update",
        y_label="step over the learning rate",
    )
    even = abs(corrected - 1).max() < 0.01
    return Measurement(
        measured=steps[0],
        panels=(shown,),
        seen="The first step is three learning rates long, since the average of "
        "squares starts at zero; after some 30 updates a step is one long.",
        controls=(Control(even, "The correction does not even the steps out."),),
    )


def settles(seed: int) -> Measurement:
    """Distance from the minimum of w^2 / 2 at a constant learning rate."""
    start = np.random.default_rng(seed).uniform(1, 2, size=16)
    ways = {}
    for name, rule, rate in (
        ("RMSProp", rmsprop_rate, 0.01),
        ("gradient descent", no_rate, 0.02),
    ):
        w = start.copy()
        square = np.zeros_like(w)
        way = []
        for _ in range(1200):
            way.append(abs(w).mean())
            w = w - rate * rule(square, w) * w  # the gradient of w^2 / 2 is w
        ways[name] = np.array(way)
    shown = Lines(
        x=np.arange(0, 1200, 10),
        ys={name: way[::10] for name, way in ways.items()},
        x_label="update",
        y_label="mean distance from the minimum",
        log="y",
        marks={"RMSProp's learning rate": 0.01},
    )
    return Measurement(
        measured=ways["RMSProp"][-100:].mean() / 0.01,
        panels=(shown,),
        seen="Gradient descent comes ever closer; RMSProp goes on swinging at a "
        "distance of about half of its learning rate.",
        controls=(
            Control(
                ways["gradient descent"][-1] < 1e-6,
                "Gradient descent does not settle either.",
            ),
        ),
    )


# AdaGrad


def falls_as_root(seed: int) -> Measurement:
    """How the length of a step falls with the number of the update."""
    g = np.random.default_rng(seed).normal(size=(2000, 200))
    update = np.unique(np.geomspace(10, 2000, 30).astype(int))
    lengths = {
        "AdaGrad": abs(adagrad_steps(g)).mean(axis=1)[update - 1],
        "RMSProp": abs(rmsprop_steps(g)).mean(axis=1)[update - 1],
    }
    slopes = {
        name: np.polyfit(np.log(update), np.log(y), 1)[0] for name, y in lengths.items()
    }
    law = lengths["AdaGrad"][0] * np.sqrt(update[0] / update)
    shown = Lines(
        x=update,
        ys={**lengths, "1 / sqrt(update)": law},
        x_label="update",
        y_label="mean step over the learning rate",
        log="xy",
    )
    return Measurement(
        measured=slopes["AdaGrad"],
        panels=(shown,),
        seen="AdaGrad's steps fall along the line of 1 over the root of the update; "
        "RMSProp's stay as they are.",
        controls=(
            Control(abs(slopes["RMSProp"]) < 0.1, "RMSProp's steps fall as well."),
        ),
    )


def rare_features(seed: int) -> Measurement:
    """Steps of weights whose gradient is there in a share of the updates only."""
    rng = np.random.default_rng(seed)
    shares = np.array([1.0, 0.5, 0.2, 0.1, 0.05, 0.02])
    there = rng.random((2000, 60, len(shares))) < shares
    g = rng.normal(size=there.shape) * there
    late = slice(1000, None)
    lengths = {
        "AdaGrad": abs(adagrad_steps(g)[late]).sum(axis=(0, 1)),
        "gradient descent": abs(g[late]).sum(axis=(0, 1)),
    }
    count = there[late].sum(axis=(0, 1))
    ratios = {name: y / count / (y[0] / count[0]) for name, y in lengths.items()}
    shown = Lines(
        x=shares[::-1],
        ys={name: y[::-1] for name, y in ratios.items()},
        x_label="share of the updates in which a weight has a gradient",
        y_label="length of its step, over that of a weight that always has one",
        log="xy",
    )
    plain = ratios["gradient descent"][-1]
    return Measurement(
        measured=ratios["AdaGrad"][-1],
        panels=(shown,),
        seen="The rarer the gradient of a weight, the longer are the steps that "
        "AdaGrad takes with it; plain steps are equally long.",
        controls=(Control(0.8 < plain < 1.25, "Plain steps are longer as well."),),
    )


def _updates_to_half(seed: int, rule: Rule, rate: float, before: int) -> int:
    """Updates until the mean distance from a goal that has just moved is halved.

    Before the goal moves, ``before`` noisy updates are spent at the old one.
    """
    rng = np.random.default_rng(seed)
    w = np.zeros(200)
    square = np.zeros(200)
    goal = 0.0
    for update in range(before + 2000):
        if update == before:
            goal = float(w.mean()) + 2.0
        g = w - goal + rng.normal(0, 1, 200)
        w = w - rate * rule(square, g) * g
        if update >= before and goal - w.mean() < 1.0:
            return update - before + 1
    return 2000


def late_move(seed: int) -> Measurement:
    """How long each takes to go halfway to a goal that moves early or late."""
    moves = [10, 30, 100, 300, 1000, 3000]
    needed = {}
    for name, rule, rate in (
        ("AdaGrad", adagrad_rate, 0.5),
        ("RMSProp", rmsprop_rate, 0.05),
    ):
        needed[name] = [_updates_to_half(seed, rule, rate, move) for move in moves]
    shown = Lines(
        x=moves,
        ys=needed,
        x_label="update after which the goal moves",
        y_label="updates until half of the way is covered",
        log="xy",
    )
    steady = needed["RMSProp"][-1] / needed["RMSProp"][0]
    return Measurement(
        measured=needed["AdaGrad"][-1] / needed["AdaGrad"][0],
        panels=(shown,),
        seen="The later the goal moves, the longer AdaGrad takes to follow; RMSProp "
        "takes as long as ever.",
        controls=(Control(steady < 2, "RMSProp slows down as well."),),
    )


def stops_short(seed: int) -> Measurement:
    """Distance that AdaGrad leaves on w^2 / 2, from twenty learning rates away."""
    start = np.random.default_rng(seed).uniform(15, 20, size=16)
    update = np.unique(np.geomspace(1, 3000, 40).astype(int))
    distances = {}
    for name, rule in (("AdaGrad", adagrad_rate), ("steps of rate / t^2", None)):
        w = start.copy()
        square = np.zeros_like(w)
        way = []
        for t in range(1, 3001):
            # Steps of 1/t^2 add up to 1.64 only, so that they must stop short.
            w = w - (rule(square, w) * w if rule else np.sign(w) / t**2)
            way.append(abs(w).mean() / start.mean())
        distances[name] = np.array(way)[update - 1]
    shown = Lines(
        x=update,
        ys=distances,
        x_label="update",
        y_label="share of the way that is left",
        log="xy",
    )
    return Measurement(
        measured=distances["AdaGrad"][-1],
        panels=(shown,),
        seen="AdaGrad slows down but arrives; steps that fall far faster never do.",
        controls=(
            Control(
                distances["steps of rate / t^2"][-1] > 0.5,
                "Steps that fall much faster arrive as well.",
            ),
        ),
    )
