"""What momentum, weight decay, accumulation and loss scaling do, in plain NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np

import keras_lr


def _lines(x: str, xs: Any, ys: dict[str, Any], y_label: str, log: str = "") -> Any:
    return {
        "data": {x: np.asarray(xs, float), **{k: np.asarray(v) for k, v in ys.items()}},
        "figure": {
            "kind": "lines", "x": x, "y": list(ys), "x_label": x, "y_label": y_label,
            "log": log,
        },
    }  # fmt: skip


def momentum_is_faster(seed: int) -> dict[str, Any]:
    """Updates to a millionth of the error on a quadratic, without and with momentum."""
    start = np.random.default_rng(seed).normal(size=20)
    conditions = np.array([10.0, 100.0, 1000.0])
    ys: dict[str, list[int]] = {"gradient descent": [], "heavy ball": []}
    for kappa in conditions:
        curvature = np.geomspace(1, kappa, 20)
        root = np.sqrt(kappa)
        best = {
            "gradient descent": (2 / (1 + kappa), 0.0),
            "heavy ball": ((2 / (1 + root)) ** 2, ((root - 1) / (root + 1)) ** 2),
        }
        for name, (rate, beta) in best.items():
            x, speed, count = start.copy(), np.zeros(20), 0
            while np.linalg.norm(x) > 1e-6 * np.linalg.norm(start):
                speed = beta * speed - rate * curvature * x
                x, count = x + speed, count + 1
            ys[name].append(count)
    figure = _lines("condition number", conditions, ys, "updates", "xy")
    return {"measured": ys["gradient descent"][2] / ys["heavy ball"][2], **figure}


def decay_is_l2_for_sgd(seed: int) -> dict[str, Any]:
    """Way of SGD with decayed weights, against a penalty on their squares."""
    rng = np.random.default_rng(seed)
    goal, rate, decay = rng.normal(size=10), 0.1, 0.05
    one, other, plain = np.zeros(10), np.zeros(10), np.zeros(10)
    ys: dict[str, list[float]] = {"decay and penalty": [], "decay and nothing": []}
    for _ in range(100):
        one = (1 - rate * decay) * one - rate * (one - goal)
        other = other - rate * (other - goal + decay * other)
        plain = plain - rate * (plain - goal)
        for name, way in zip(ys, (other, plain), strict=True):
            ys[name].append(max(float(abs(one - way).max()), 1e-17))
    figure = _lines("update", range(100), ys, "difference of the weights", "y")
    changed = max(ys["decay and nothing"]) > 1e-3
    reason = "" if changed else "The decay changes nothing."
    return {
        "measured": max(ys["decay and penalty"]),
        "inconclusive": reason,
        **figure,
    }


def decay_is_l2_for_adam(seed: int) -> dict[str, Any]:
    """Distance of Adam's ends with decay and with a penalty, relative."""
    rng = np.random.default_rng(seed)
    goal, rate, decay = rng.normal(size=10), 0.01, 0.5
    ways, ends = [], []
    for decoupled in (True, False):
        w, m, v, way = np.zeros(10), np.zeros(10), np.zeros(10), []
        for t in range(1, 301):
            g = w - goal + (0.0 if decoupled else decay) * w
            m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
            step = m / (1 - 0.9**t) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
            w = w - rate * step - (rate * decay * w if decoupled else 0.0)
            way.append(np.linalg.norm(w))
        ways.append(way)
        ends.append(w)
    ys = {"decoupled": ways[0], "penalty": ways[1]}
    figure = _lines("update", range(300), ys, "length of the weights")
    apart = np.linalg.norm(ends[0] - ends[1]) / np.linalg.norm(ends[0])
    return {"measured": float(apart), **figure}


def accumulation_is_a_batch(seed: int) -> dict[str, Any]:
    """Mean of micro-batch gradients against the gradient of the whole batch."""
    rng, counts = np.random.default_rng(seed), [2, 4, 8, 16]
    x, y, w = rng.normal(size=(64, 10)), rng.normal(size=64), rng.normal(size=10)
    ys: dict[str, list[float]] = {"equal": [], "one of a single example": []}
    for count in counts:
        uneven = [1, *np.linspace(1, 64, count)[1:-1].astype(int)]
        both: tuple[Any, Any] = (count, uneven)
        for name, cuts in zip(ys, both, strict=True):
            parts = zip(np.split(x, cuts), np.split(y, cuts), strict=True)
            mean = np.mean([a.T @ (a @ w - b) / len(a) for a, b in parts], axis=0)
            error = abs(mean - x.T @ (x @ w - y) / 64).max()
            ys[name].append(max(float(error), 1e-17))
    figure = _lines("micro-batches", counts, ys, "difference of the gradients", "y")
    control = min(ys["one of a single example"])
    reason = "" if control > 1e-3 else "Unequal ones would do as well."
    return {"measured": max(ys["equal"]), "inconclusive": reason, **figure}


def accumulation_with_norm(seed: int) -> dict[str, Any]:
    """Outputs of batch normalization over micro-batches against the whole batch."""
    rng, counts = np.random.default_rng(seed), [1, 2, 4, 8, 16]
    x = rng.normal(size=(64, 10))
    kinds: dict[str, Any] = {
        "over the batch": lambda rows: (rows - rows.mean(0)) / rows.std(0),
        "over each example": lambda rows: (
            (rows - rows.mean(1, keepdims=True)) / rows.std(1, keepdims=True)
        ),
    }
    ys: dict[str, list[float]] = {name: [] for name in kinds}
    for name, norm in kinds.items():
        for count in counts:
            parts = np.concatenate([norm(part) for part in np.split(x, count)])
            ys[name].append(max(float(abs(parts - norm(x)).max()), 1e-17))
    figure = _lines("micro-batches", counts, ys, "difference of an output", "y")
    control = max(ys["over each example"])
    reason = "" if control < 1e-9 else "Layer normalization differs as well."
    return {
        "measured": ys["over the batch"][-1],
        "inconclusive": reason,
        **figure,
    }


def scaling_saves_gradients(seed: int) -> dict[str, Any]:
    """Share of small gradients that float16 loses, by the scale of the loss."""
    rng, scales = np.random.default_rng(seed), 2.0 ** np.arange(0, 17, 2)
    exact = rng.normal(size=2000) * 10.0 ** rng.uniform(-9, -5, 2000)
    lost = [float(np.mean((exact * s).astype(np.float16) == 0)) for s in scales]
    reason = "" if lost[0] > 0.05 else "Nothing is lost without scaling."
    figure = _lines("scale of the loss", scales, {"float16": lost}, "share lost", "x")
    ratio = lost[-1] / max(lost[0], 1e-9)
    return {"measured": ratio, "inconclusive": reason, **figure}


def noise_scale_from_two(seed: int) -> dict[str, Any]:
    """tr(S) / |G|^2 from gradients of two batch sizes, over the direct value."""
    rng, true = np.random.default_rng(seed), np.full(50, 0.3)
    sigma = np.linspace(0.5, 1.5, 50)
    direct = (sigma**2).sum() / (true @ true)
    sizes, found = [16, 64, 256, 1024], []
    for big in sizes:
        squares = [
            np.mean(
                [(rng.normal(true, sigma / np.sqrt(b)) ** 2).sum() for _ in range(400)]
            )
            for b in (4, big)
        ]
        signal = (big * squares[1] - 4 * squares[0]) / (big - 4)
        noise = (squares[0] - squares[1]) / (1 / 4 - 1 / big)
        found.append(noise / signal / direct)
    figure = _lines("larger batch", sizes, {"estimate": found}, "over the truth", "x")
    return {"measured": found[1], **figure}


def one_cycle_ends(seed: int) -> dict[str, Any]:
    """Peak of one cycle over its mean and its end, from the schedule itself."""
    values = keras_lr.OneCycle(max_lr=1.0).values(1000)
    momentum = keras_lr.OneCycle(max_lr=1.0).momentum_values(1000)
    swing = float(np.corrcoef(values, momentum)[0, 1])
    shown = {"rate over its peak": values[::10], "momentum": momentum[::10]}
    return {"measured": swing, **_lines("update", range(0, 1000, 10), shown, "value")}


def cosine_mean(seed: int) -> dict[str, Any]:
    """Mean rate of a cosine from 1 to 0, over that of a straight line.

    The control, a parabola, falls from 1 to 0 as well.
    """
    updates = 1000
    ys = {
        "cosine": keras_lr.CosineDecay(max_lr=1.0).values(updates),
        "straight line": keras_lr.LinearDecay(max_lr=1.0).values(updates),
        "parabola": keras_lr.PolynomialDecay(max_lr=1.0, power=2.0).values(updates),
    }
    cosine, straight, parabola = (float(values.mean()) for values in ys.values())
    shown = {name: values[::10] for name, values in ys.items()}
    figure = _lines("update", range(0, updates, 10), shown, "rate over its peak")
    reason = "" if parabola < 0.9 * straight else "Any fall spends as much."
    return {"measured": cosine / straight, "inconclusive": reason, **figure}
