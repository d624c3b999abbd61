"""Claims of *exploding gradient* (Pascanu 2013, arXiv:1211.5063)."""

from __future__ import annotations

import numpy as np

from glossary.lab import Control, Lines, Measurement
from glossary.lab.data import Array, digits
from glossary.lab.deep import gradient_sizes
from glossary.lab.nets import gradients, relu, weights

DEPTH = 20


def clip_by_norm(gradient: Array, limit: float) -> Array:
    """The gradient, shortened to the limit if it is longer (Pascanu 2013, sec. 3.2)."""
    size = float(np.linalg.norm(gradient))
    return gradient if size <= limit else gradient * (limit / size)


def clip_by_value(gradient: Array, limit: float) -> Array:
    """Each entry of the gradient, held between minus the limit and the limit."""
    return np.clip(gradient, -limit, limit)


def spectral_radius(seed: int) -> Measurement:
    """Growth of a gradient for each step back in time, over the spectral radius."""
    rng = np.random.default_rng(seed)
    w = rng.normal(size=(32, 32))
    w /= abs(np.linalg.eigvals(w)).max()
    steps = 100
    start = rng.normal(size=32)
    sizes: dict[str, list[float]] = {}
    growth: list[float] = []
    for radius in (1.2, 1.0, 0.8):
        gradient = start
        norms = [float(np.linalg.norm(gradient))]
        for _ in range(steps):
            # Backpropagation through one step of h = W h, without a bend.
            gradient = gradient @ (radius * w)
            norms.append(float(np.linalg.norm(gradient)))
        sizes[f"spectral radius {radius:g}"] = [norm / norms[0] for norm in norms]
        growth.append((norms[-1] / norms[steps // 2]) ** (2 / steps) / radius)
    shown = Lines(
        x=np.arange(steps + 1),
        ys=sizes,
        x_label="steps back in time",
        y_label="size of the gradient, relative",
        log="y",
    )
    apart = sizes["spectral radius 1.2"][-1] / sizes["spectral radius 0.8"][-1]
    off = max(growth, key=lambda factor: abs(np.log(factor)))
    return Measurement(
        measured=off,
        panels=(shown,),
        seen="Above a spectral radius of 1 the gradient explodes, below it vanishes, "
        "and at 1 it keeps its size.",
        controls=(Control(apart > 1e6, "The spectral radius makes no difference."),),
    )


def grows_by_layer(seed: int) -> Measurement:
    """Factor on the gradient from a layer to the one before, weights twice He's."""
    x, y = digits()
    layers = np.arange(1, DEPTH + 1)
    sizes: dict[str, Array] = {}
    for name, gain in (("twice He's weights", 8.0), ("He's weights", 2.0)):
        rng = np.random.default_rng(seed)
        ws = weights(rng, [64] + [128] * DEPTH + [10], gain)
        norms = gradient_sizes(ws, x[:100], y[:100], relu)
        sizes[name] = norms / norms[-1]
    factors = {
        name: float(np.exp(-np.polyfit(layers, np.log(norms), 1)[0]))
        for name, norms in sizes.items()
    }
    shown = Lines(
        x=layers,
        ys=sizes,
        x_label="layer",
        y_label="gradient for its outputs, over that of the last",
        log="y",
    )
    kept = abs(np.log(factors["He's weights"])) < 0.2
    return Measurement(
        measured=factors["twice He's weights"],
        panels=(shown,),
        seen="On its way back through layers whose weights are twice as large as "
        "He's, the gradient doubles in each.",
        controls=(Control(kept, "The gradient grows with He's weights as well."),),
    )


def clipping_bounds(seed: int) -> Measurement:
    """Longest step over learning rate times limit, for gradients of all sizes."""
    rng = np.random.default_rng(seed)
    limit = 1.0
    learning_rate = 0.1
    lengths = 10.0 ** np.linspace(-3, 4, 29)
    ways = rng.normal(size=(len(lengths), 50))
    ways /= np.linalg.norm(ways, axis=1, keepdims=True)
    plain = learning_rate * lengths
    clipped = []
    for length, way in zip(lengths, ways, strict=True):
        step = learning_rate * clip_by_norm(length * way, limit)
        clipped.append(float(np.linalg.norm(step)))
    bound = learning_rate * limit
    shown = Lines(
        x=lengths,
        ys={"not clipped": plain, "clipped by the norm": clipped},
        x_label="length of the gradient",
        y_label="length of the step",
        log="xy",
        marks={"learning rate times limit": bound},
    )
    return Measurement(
        measured=max(clipped) / bound,
        panels=(shown,),
        seen="Short gradients are left alone; of long ones the step ends at the bound.",
        controls=(Control(plain.max() > 100 * bound, "No step would be longer."),),
    )


def clipping_trains(seed: int) -> Measurement:
    """Share of starts on a cliff that find the goal, with clipping less without.

    A recurrent unit without inputs: after 20 steps its state is w to the 20th, which
    shall be a half. Above 1 the loss is a wall.
    """
    steps = 20
    starts = np.random.default_rng(seed).uniform(1.05, 1.25, 60)
    updates = 300
    every = 10
    shares: dict[str, list[float]] = {"clipped": [], "not clipped": []}
    for name in shares:
        w = starts.copy()
        for update in range(updates + 1):
            with np.errstate(all="ignore"):
                gap = w**steps - 0.5
                if update % every == 0:
                    shares[name].append(float((abs(gap) < 0.05).mean()))
                slope = 2 * gap * steps * w ** (steps - 1)
            if name == "clipped":  # each start is a training run of its own
                slope = np.array([clip_by_norm(one, 1.0) for one in slope[:, None]])[
                    :, 0
                ]
            w = w - 0.005 * np.clip(slope, -1e12, 1e12)
    shown = Lines(
        x=np.arange(0, updates + 1, every),
        ys=shares,
        x_label="update",
        y_label="share of starts that have found the goal",
    )
    return Measurement(
        measured=shares["clipped"][-1] - shares["not clipped"][-1],
        panels=(shown,),
        seen="With clipped gradients all starts walk down the cliff; without, one "
        "step throws them off.",
        controls=(Control(shares["clipped"][0] < 0.1, "They start at the goal."),),
    )


def value_keeps_direction(seed: int) -> Measurement:
    """Cosine of a gradient with itself after clipping, by value and by norm."""
    x, y = digits()
    rng = np.random.default_rng(seed)
    ws = weights(rng, [64] + [32] * 8 + [10], 8.0)
    _, grads, _ = gradients(ws, x[:100], y[:100], relu)
    gradient = np.concatenate([grad.ravel() for grad in grads])
    # Limits from far below to above what is there.
    shares = 10.0 ** np.linspace(-4, 0, 9)
    limits = shares * np.linalg.norm(gradient)

    def cosine(other: Array) -> float:
        sizes = np.linalg.norm(gradient) * np.linalg.norm(other)
        return float(gradient @ other / sizes)

    by_value = [cosine(clip_by_value(gradient, limit)) for limit in limits]
    by_norm = [cosine(clip_by_norm(gradient, limit)) for limit in limits]
    shown = Lines(
        x=shares,
        ys={"by the norm": by_norm, "by value": by_value},
        x_label="limit over the length of the gradient",
        y_label="cosine with the gradient before",
        log="x",
    )
    return Measurement(
        measured=by_value[0],
        panels=(shown,),
        seen="Clipping by the norm never turns the gradient; clipping by value turns "
        "it the more, the lower the limit.",
        controls=(
            Control(min(by_norm) > 0.999, "Clipping by the norm turns it as well."),
        ),
    )
