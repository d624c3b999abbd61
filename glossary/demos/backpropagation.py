"""Claims of *backpropagation*."""

from __future__ import annotations

from typing import Any

import numpy as np

from glossary.demos._kit import (
    bars,
    counted,
    digits,
    gradients,
    lines,
    relu,
    tanh,
    weights,
)


def _net(seed: int) -> tuple[Any, Any, Any]:
    rng, (x, y) = np.random.default_rng(seed), digits()
    rows = rng.integers(0, len(x), 64)
    return weights(rng, [64, 30, 20, 10], 1.0), x[rows], y[rows]


def exact(seed: int) -> dict[str, Any]:
    """Against central differences; and without the activation's derivative."""
    ws, x, y = _net(seed)
    rng = np.random.default_rng(seed + 1)
    where = [(i, *(int(rng.integers(n)) for n in w.shape)) for i, w in enumerate(ws)]
    where += [(0, int(rng.integers(64)), int(rng.integers(30))) for _ in range(40)]

    def numeric(h: float) -> Any:
        out = []
        for i, a, b in where:
            pair = []
            for sign in (1, -1):
                ws[i][a, b] += sign * h
                pair.append(gradients(ws, x, y, tanh)[0])
                ws[i][a, b] -= sign * h
            out.append((pair[0] - pair[1]) / (2 * h))
        return np.array(out)

    def analytic(derivative: bool) -> Any:
        grads = gradients(ws, x, y, tanh, derivative)[1]
        return np.array([grads[i][a, b] for i, a, b in where])

    hs = 10.0 ** np.arange(-9, -1)
    errors = {}
    for name, derivative in (("backpropagation", True), ("without f'", False)):
        found = analytic(derivative)
        errors[name] = [
            np.linalg.norm(numeric(h) - found) / np.linalg.norm(found) for h in hs
        ]
    reason = "" if min(errors["without f'"]) > 0.01 else "The broken one agrees too."
    figure = lines("step of the difference", hs, errors, "relative error", "xy")
    return {
        "measured": min(errors["backpropagation"]),
        "inconclusive": reason,
        **figure,
    }


def cost(seed: int) -> dict[str, Any]:
    """Multiply-adds of a gradient over those of a forward pass, counted, by the size.

    Differences would need two forward passes for each weight.
    """
    (x, y), counts = digits(), []
    rows = np.random.default_rng(seed).integers(0, len(x), 64)
    numbers: list[int] = []
    for width in (8, 32, 128, 512):
        ws = weights(np.random.default_rng(seed), [64, width, width, 10], 1.0)
        seen, whole = counted(x[rows]), counted(x[rows])
        out: Any = seen
        for w in ws:
            out = np.tanh(out @ w)
        gradients(ws, whole, y[rows], tanh)
        numbers.append(sum(w.size for w in ws))
        counts.append(whole.tally["work"] / seen.tally["work"])
    ys = {"backpropagation": counts, "differences": [2.0 * n for n in numbers]}
    figure = lines("weights", numbers, ys, "cost in forward passes", "xy")
    return {"measured": max(counts), **figure}


def changes_nothing(seed: int) -> dict[str, Any]:
    """Change of the weights by backpropagation, and by a step of an optimizer."""
    ws, x, y = _net(seed)
    before = [w.copy() for w in ws]

    def change() -> float:
        return float(max(abs(a - b).max() for a, b in zip(ws, before, strict=True)))

    _, grads, _ = gradients(ws, x, y, tanh)
    changes = [change()]
    for w, g in zip(ws, grads, strict=True):
        w -= 0.1 * g
    changes.append(change())
    reason = "" if changes[1] > 1e-4 else "The optimizer changes nothing either."
    labels = ["backpropagation", "gradient descent"]
    shown = bars(labels, np.maximum(changes, 1e-17), "change of a weight", "y")
    return {"measured": changes[0], "inconclusive": reason, **shown}


def reverse_mode(seed: int) -> dict[str, Any]:
    """Gradient by hand against the automatic differentiation of Keras' backend.

    One update of SGD at a rate of 1 moves the weights by the gradient.
    """
    import keras

    ws, x, y = _net(seed)
    zeros = {"kernel_initializer": "zeros", "use_bias": False}
    model = keras.Sequential([keras.Input((64,))])
    for width, bend in ((30, "tanh"), (20, "tanh"), (10, None)):
        model.add(keras.layers.Dense(width, bend, **zeros))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(1.0), loss)
    model.set_weights(ws)
    model.train_on_batch(x.astype("float32"), y)
    moved = [w - after for w, after in zip(ws, model.get_weights(), strict=True)]
    errors = []
    for derivative in (True, False):
        grads = gradients(ws, x, y, tanh, derivative)[1]
        gaps = [np.linalg.norm(a - b) for a, b in zip(moved, grads, strict=True)]
        norms = [np.linalg.norm(one) for one in grads]
        errors.append(float(max(np.divide(gaps, norms))))
    reason = "" if errors[1] > 0.01 else "The broken one agrees too."
    shown = bars(["by hand", "by hand, without f'"], errors, "relative difference", "y")
    return {"measured": errors[0], "inconclusive": reason, **shown}


def descends(seed: int) -> dict[str, Any]:
    """Share of 50 small steps that lower the loss, with the gradient and against it."""
    changes: list[list[float]] = [[], []]
    for i in range(50):
        ws, x, y = _net(1000 * seed + i)
        loss, grads, _ = gradients(ws, x, y, tanh)
        for way, sign in enumerate((1, -1)):
            moved = [w - sign * 1e-3 * g for w, g in zip(ws, grads, strict=True)]
            changes[way].append(gradients(moved, x, y, tanh)[0] - loss)
    ys = {"against the gradient": changes[0], "along it": changes[1]}
    figure = lines("batch", np.arange(50), ys, "change of the loss, nats")
    reason = "" if np.mean(np.array(changes[1]) < 0) < 0.5 else "Any step lowers it."
    share = float(np.mean(np.array(changes[0]) < 0))
    return {"measured": share, "inconclusive": reason, **figure}


def vanish_or_explode(seed: int) -> dict[str, Any]:
    """Error signal at the first of 20 layers over that at the last, by the scale."""
    (x, y), gains = digits(), [0.5, 1.0, 2.0, 4.0, 8.0]
    found = []
    for gain in gains:
        ws = weights(np.random.default_rng(seed), [64] * 20 + [10], gain)
        signals = gradients(ws, x[:100], y[:100], relu)[2]
        found.append(float(np.linalg.norm(signals[0]) / np.linalg.norm(signals[-1])))
    figure = lines("variance of a weight times 64", gains, {"first over last": found},
                   "error signal", "xy")  # fmt: skip
    return {"measured": found[-1] / found[0], **figure}
