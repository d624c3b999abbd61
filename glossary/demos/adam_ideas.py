"""Claims of *Adam* about AdaGrad and RMSProp, the two ideas that it joins."""

from __future__ import annotations

import numpy as np

from glossary.demos import adam
from glossary.lab import Control, Lines, Measurement
from glossary.lab.data import Array


def is_rmsprop(seed: int) -> Measurement:
    """With beta_1 = 0 and no correction, against RMSProp written by itself."""
    g = np.random.default_rng(seed).normal(size=(100, 20))
    mean = np.zeros(20)
    own = []
    for one in g:
        mean = 0.999 * mean + 0.001 * one**2
        own.append(one / np.sqrt(mean))
    bare = adam.steps(g, b1=0.0, correct=False)
    full = adam.steps(g)
    same = abs(bare / own - 1).max()
    other = abs(full / own - 1).max()
    shown = Lines(
        x=np.arange(1, 101),
        ys={
            "all of Adam": abs(full - own).max(axis=1),
            "beta_1 = 0, no correction": abs(bare - own).max(axis=1),
        },
        x_label="update",
        y_label="largest difference from RMSProp's step, learning rates",
    )
    return Measurement(
        measured=same,
        panels=(shown,),
        seen="Without momentum and correction the steps are those of RMSProp.",
        controls=(Control(other > 0.01, "The full algorithm is RMSProp as well."),),
    )


def is_adagrad(seed: int) -> Measurement:
    """Its limit: beta_1 = 0, beta_2 near 1, learning rate over root t."""
    g = np.random.default_rng(seed).normal(size=(100, 20))
    own = g / np.sqrt(np.cumsum(g**2, axis=0))
    root = np.sqrt(np.arange(1, 101))[:, None]
    gaps = 10.0 ** -np.arange(1, 8)
    errors = [abs(adam.steps(g, 0.0, 1 - gap) / root / own - 1).max() for gap in gaps]
    shown = Lines(
        x=gaps[::-1],
        ys={"Adam against AdaGrad": errors[::-1]},
        x_label="1 - beta_2",
        y_label="largest relative difference of a step",
        log="xy",
    )
    return Measurement(
        measured=errors[-1],
        panels=(shown,),
        seen="The nearer beta_2 is to 1, the nearer is Adam to AdaGrad.",
        controls=(Control(errors[0] > 0.1, "Far from the limit it is so as well."),),
    )


def _regression_errors(
    seed: int, name: str, rate: float, updates: int, chance: Array, moves: bool
) -> Array:
    """Squared distance from the goal at each update of a noisy linear regression.

    Args:
        seed: Of examples, goals and noise.
        name: ``SGD``, ``AdaGrad`` or ``RMSProp``.
        rate: The learning rate.
        updates: Their number; one example each.
        chance: In how many of the examples each feature is seen.
        moves: Whether the goal moves every 400 updates.
    """
    rng = np.random.default_rng(seed)
    size = len(chance)
    count = -(-updates // 400) if moves else 1
    x = rng.normal(size=(updates, size)) * (rng.random((updates, size)) < chance)
    goals = rng.normal(size=(count, size))
    noise = rng.normal(0, 0.5, updates)
    keep = {"AdaGrad": 1.0, "RMSProp": 0.99, "SGD": 0.0}[name]
    w = np.zeros(size)
    square = np.zeros(size)
    errors = []
    for t in range(updates):
        goal = goals[t * count // updates]
        # What diverges stays finite, so that it can be drawn as the worst.
        g = x[t] * np.clip(x[t] @ (w - goal) - noise[t], -1e6, 1e6)
        square = keep * square + (1.0 if keep == 1 else 1 - keep) * g * g
        fix = 1.0 if keep == 1 else 1 - keep ** (t + 1)
        w = w - rate * (g if name == "SGD" else g / (np.sqrt(square / fix) + 1e-8))
        w = np.clip(w, -1e3, 1e3)
        errors.append(float(((w - goal) ** 2).mean()))
    return np.array(errors)


def sparse(seed: int) -> Measurement:
    """Error of SGD over AdaGrad's for rare features, each at its best learning rate."""
    rates = 10.0 ** np.arange(-2.5, 0.6, 0.25)
    features = {
        "10 of 40 features in 1 example of 50": np.r_[np.ones(30), np.full(10, 0.02)],
        "all features in every example": np.ones(40),
    }
    ratios = []
    panels = []
    for title, chance in features.items():
        ends = {}
        for name in ("SGD", "AdaGrad"):
            runs = [
                _regression_errors(seed, name, rate, 600, chance, moves=False)
                for rate in rates
            ]
            ends[name] = [min(float(run[-50:].mean()), 10.0) for run in runs]
        ratios.append(min(ends["SGD"]) / min(ends["AdaGrad"]))
        shown = Lines(
            x=rates,
            ys=ends,
            x_label="learning rate",
            y_label="squared error after 600 updates, at most 10",
            title=title,
            log="xy",
        )
        panels.append(shown)
    rare, common = ratios
    return Measurement(
        measured=rare,
        panels=tuple(panels),
        seen="Where some features are rare, AdaGrad at its best learning rate ends "
        "below SGD at its best.",
        controls=(Control(common < rare, "Where none is rare, it gains as much."),),
    )


def moving(seed: int) -> Measurement:
    """Error of AdaGrad over RMSProp's after the goal has moved five times.

    Each runs at the learning rate that is best until the goal moves first.
    """
    rates = 10.0 ** np.arange(-2.5, 0.6, 0.5)
    every = np.ones(20)
    ways = {}
    for name in ("AdaGrad", "RMSProp"):
        runs = [
            _regression_errors(seed, name, rate, 400, every, moves=True)
            for rate in rates
        ]
        best = rates[int(np.argmin([run.mean() for run in runs]))]
        run = _regression_errors(seed, name, best, 2400, every, moves=True)
        ways[name] = run.reshape(-1, 40).mean(1)
    shown = Lines(
        x=range(20, 2400, 40),
        ys=ways,
        x_label="update; the goal moves every 400",
        y_label="squared error",
        log="y",
    )
    # The last 40 updates before the goal moves first.
    early = {name: float(way[9]) for name, way in ways.items()}
    late = {name: float(way[-20:].mean()) for name, way in ways.items()}
    return Measurement(
        measured=late["AdaGrad"] / late["RMSProp"],
        panels=(shown,),
        seen=(
            "With each move of the goal AdaGrad gets slower; RMSProp follows as before."
        ),
        controls=(
            Control(
                early["AdaGrad"] < early["RMSProp"],
                "AdaGrad is behind before anything has moved.",
            ),
        ),
    )
