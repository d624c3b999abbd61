"""Claims of *vanishing gradient* (Bengio 1994; Hochreiter 1998; Schoenholz 2016)."""

from __future__ import annotations

import numpy as np

from glossary.lab import Control, Lines, Measurement
from glossary.lab.data import Array, digits
from glossary.lab.deep import descend, gradient_sizes
from glossary.lab.nets import Activation, gradients, relu, sigmoid, tanh, weights
from glossary.lab.steps import sgd

WIDTH = 64
DEPTHS = np.array([2, 4, 8, 12, 16, 20])


def _first_over_last(
    seed: int, depth: int, activation: Activation, gain: float
) -> float:
    """Gradient for the outputs of the first layer, over that of the last."""
    x, y = digits()
    rng = np.random.default_rng(seed)
    ws = weights(rng, [64] + [WIDTH] * depth + [10], gain)
    sizes = gradient_sizes(ws, x[:100], y[:100], activation)
    return float(sizes[0] / sizes[-1])


def with_depth(seed: int) -> Measurement:
    """Factor by which each further sigmoid layer shrinks the first layer's gradient."""
    ratios = {
        "ReLU": [_first_over_last(seed, depth, relu, 2.0) for depth in DEPTHS],
        "sigmoid": [_first_over_last(seed, depth, sigmoid, 1.0) for depth in DEPTHS],
    }
    factors = {
        name: float(np.exp(np.polyfit(DEPTHS, np.log(values), 1)[0]))
        for name, values in ratios.items()
    }
    shown = Lines(
        x=DEPTHS,
        ys=ratios,
        x_label="layers",
        y_label="gradient at the first layer over that at the last",
        log="y",
    )
    return Measurement(
        measured=factors["sigmoid"],
        panels=(shown,),
        seen="Each further layer of sigmoids cuts the gradient of the first to about "
        "a quarter; ReLU layers keep it.",
        controls=(Control(factors["ReLU"] > 0.8, "ReLU loses it as well."),),
    )


def tanh_edge(seed: int) -> Measurement:
    """Variance of the weights at which tanh neither shrinks nor enlarges gradients."""
    variances = np.array([0.25, 0.5, 0.8, 1.0, 1.25, 1.6, 2.5, 4.0, 6.0, 9.0])
    ratios = {
        f"{depth} layers": [
            _first_over_last(seed, depth, tanh, variance) for variance in variances
        ]
        for depth in (10, 20, 40)
    }
    deepest = np.log(ratios["40 layers"])
    crossing = float(np.exp(np.interp(0.0, deepest, np.log(variances))))
    shown = Lines(
        x=variances,
        ys=ratios,
        x_label="variance of the weights, times the number of inputs",
        y_label="gradient at the first layer over that at the last",
        log="xy",
        marks={"kept": 1.0},
    )
    both = deepest[0] < np.log(1e-3) and deepest[-1] > np.log(1e3)
    return Measurement(
        measured=crossing,
        panels=(shown,),
        seen="Gradients vanish on the left, where weights are small, and explode on "
        "the right; the more layers, the steeper.",
        controls=(
            Control(both, "They do not vanish on one side and explode on the other."),
        ),
    )


def early_layers_stay(seed: int) -> Measurement:
    """Relative change of the first weights over that of the last in 100 updates."""
    x, y = digits()
    depth = 6
    changes: dict[str, Array] = {}
    for name, activation, gain in (("ReLU", relu, 2.0), ("sigmoid", sigmoid, 1.0)):
        rng = np.random.default_rng(seed)
        ws = weights(rng, [64] + [32] * depth + [10], gain)
        start = [w.copy() for w in ws]
        for _ in range(100):
            rows = rng.integers(0, len(x), 32)
            sgd(ws, gradients(ws, x[rows], y[rows], activation)[1], 0.1)
        changes[name] = np.array(
            [
                np.linalg.norm(w - before) / np.linalg.norm(before)
                for w, before in zip(ws, start, strict=True)
            ]
        )
    shown = Lines(
        x=np.arange(1, depth + 2),
        ys=changes,
        x_label="layer",
        y_label="relative change of its weights in 100 updates",
        log="y",
    )
    ratio = {name: float(change[0] / change[-1]) for name, change in changes.items()}
    return Measurement(
        measured=ratio["sigmoid"],
        panels=(shown,),
        seen="In the sigmoid net the last layer learns and the first ones hardly "
        "move; in the ReLU net all move.",
        controls=(Control(ratio["ReLU"] > 0.1, "The first ReLU layer stays as well."),),
    )


def higher_rate_cures(seed: int) -> Measurement:
    """Share of the loss of guessing that a deep sigmoid net removes at its best."""
    x, y = digits()
    rates = 0.03 * 10.0 ** (np.arange(8) / 2)
    removed: dict[str, list[float]] = {"ReLU": [], "sigmoid": []}
    for name, activation, gain in (("ReLU", relu, 2.0), ("sigmoid", sigmoid, 1.0)):
        for rate in rates:
            rng = np.random.default_rng(seed)
            ws = weights(rng, [64] + [24] * 6 + [10], gain)
            loss = descend(ws, x, y, activation, rate, 150, rng)
            removed[name].append(max(1 - loss / np.log(10), 0.0))
    shown = Lines(
        x=rates,
        ys=removed,
        x_label="learning rate",
        y_label="share of the loss of guessing that 150 updates remove",
        log="x",
    )
    best = {name: max(values) for name, values in removed.items()}
    return Measurement(
        measured=best["sigmoid"],
        panels=(shown,),
        seen="The ReLU net learns at low learning rates; the sigmoid net learns at "
        "none.",
        controls=(Control(best["ReLU"] > 0.4, "The ReLU net does not learn either."),),
    )
