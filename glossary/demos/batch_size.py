"""Claims of *batch size*."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np

from glossary.demos._kit import counted, digits, gradients, lines, relu, train, weights

SIZES = np.array([1, 4, 16, 64, 256])


def variance(seed: int) -> dict[str, Any]:
    """Variance of the batch gradient at fixed weights, over 200 draws."""
    rng, (x, y) = np.random.default_rng(seed), digits()
    ws, found = weights(rng, [64, 16, 10], 2.0), []
    for size in SIZES:
        draws = []
        for _ in range(200):
            rows = rng.integers(0, len(x), size)
            draws.append(gradients(ws, x[rows], y[rows], relu)[1][1].ravel())
        found.append(np.var(draws, axis=0).sum())
    slope = np.polyfit(np.log(SIZES), np.log(found), 1)[0]
    ys = {"measured": found, "1 / B": found[0] / SIZES}
    figure = lines("batch size", SIZES, ys, "variance of the gradient", "xy")
    return {"measured": float(slope), **figure}


def memory(seed: int) -> dict[str, Any]:
    """Memory that a forward and a backward pass take at their peak, traced.

    What does not grow, the weights and their gradients, is in all of them: the growth
    from one batch to the next is that of the activations.
    """
    rng, (x, y), peaks = np.random.default_rng(seed), digits(), []
    ws, sizes = weights(rng, [64, 128, 128, 10], 2.0), np.array([100, 200, 400, 800])
    for size in sizes:
        rows = rng.integers(0, len(x), size)
        tracemalloc.start()
        gradients(ws, x[rows], y[rows], relu)
        peaks.append(tracemalloc.get_traced_memory()[1] / 1e6)
        tracemalloc.stop()
    growth = np.diff(peaks)
    figure = lines("batch size", sizes, {"peak": peaks}, "memory, MB")
    return {"measured": float(np.log2(growth[2] / growth[1])), **figure}


def reuses(seed: int) -> dict[str, Any]:
    """Bytes read and written for each multiply-add of a gradient, by the batch."""
    rng, (x, y), found = np.random.default_rng(seed), digits(), []
    ws = weights(rng, [64, 128, 128, 10], 2.0)
    for size in SIZES:
        rows = rng.integers(0, len(x), size)
        seen = counted(x[rows])
        gradients(ws, seen, y[rows], relu)
        found.append(seen.tally["bytes"] / seen.tally["work"])
    ys = {"matrix products": found}
    figure = lines("batch size", SIZES, ys, "bytes for a multiply-add", "xy")
    return {"measured": found[0] / found[-1], **figure}


def _noise_scale(seed: int) -> float:
    """Variance of single gradients over the square of their mean, fresh weights."""
    (x, y), ws = digits(), weights(np.random.default_rng(seed), [64, 32, 10], 2.0)

    def flat(rows: Any) -> Any:
        return np.concatenate(
            [g.ravel() for g in gradients(ws, x[rows], y[rows], relu)[1]]
        )

    single = np.array([flat(slice(i, i + 1)) for i in range(len(x))])
    mean = single.mean(0)
    return float(single.var(0).sum() / (mean @ mean))


def up_to_noise_scale(seed: int) -> dict[str, Any]:
    """Growth of the largest rate that trains, below the noise scale over above it."""
    scale, rates = _noise_scale(seed), 0.02 * 2.0 ** np.arange(8)
    sizes, works = [max(1, round(scale * by)) for by in (1 / 32, 1, 16)], []
    for size in sizes:
        good = [
            rate
            for rate in rates
            if train(np.random.default_rng(seed), rate, 200, size) < 1.5
        ]
        works.append(max(good, default=float("nan")))
    reason = "" if np.isfinite(works).all() else "Some batch trains at no rate."
    ys = {"largest that trains": works}
    over = np.array(sizes) / scale
    figure = lines("batch over the noise scale", over, ys, "learning rate", "xy")
    growth = (works[1] / works[0]) / (works[2] / works[1])
    return {"measured": float(growth), "inconclusive": reason, **figure}


def _updates(batch: float, curvature: Any, target: float) -> float:
    """Updates to a loss on a noisy quadratic at the best rate, by its exact mean."""
    best = np.inf
    for rate in np.geomspace(0.002, 1.9, 60):
        square, steps = np.ones(len(curvature)), 0
        shrink, noise = (1 - rate * curvature) ** 2, rate**2 / batch
        while 0.5 * float(curvature @ square) > target and steps < min(best, 6000):
            square, steps = shrink * square + noise, steps + 1
        best = min(best, steps if steps < 6000 else np.inf)
    return float(best)


def beyond_noise_scale(seed: int) -> dict[str, Any]:
    """What 8 times the batch saves, far below and far above the noise scale."""
    curvature = np.random.default_rng(seed).uniform(0.1, 1.0, 20)
    batches = 8.0 ** np.arange(5)
    counts = [_updates(batch, curvature, 0.05) for batch in batches]
    saved = counts[0] / counts[1], counts[-2] / counts[-1]  # far below, far above
    figure = lines("batch", batches, {"best rate": counts}, "updates", "xy")
    reason = "" if saved[0] > 3 else "A larger batch saves little anywhere."
    return {"measured": saved[0] / saved[1], "inconclusive": reason, **figure}


def _trained(seed: int, batch: int, rate: float, updates: int) -> tuple[float, float]:
    """Loss on the rows trained on, and error on the others."""
    x, y = digits()
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(x))
    mine, others, ws = order[:1000], order[1000:], weights(rng, [64, 32, 10], 2.0)
    for _ in range(updates):
        rows = rng.choice(mine, batch)
        _, grads, _ = gradients(ws, x[rows], y[rows], relu)
        for w, g in zip(ws, grads, strict=True):
            w -= rate * g
    out = np.maximum(x[others] @ ws[0], 0) @ ws[1]
    wrong = float((out.argmax(1) != y[others]).mean())
    return gradients(ws, x[mine], y[mine], relu)[0], wrong


def more_steps(seed: int) -> dict[str, Any]:
    """Loss after three passes over 1000 digits at one rate, batch 10 over batch 200."""
    batches = [10, 20, 50, 100, 200]
    losses = [_trained(seed, batch, 0.1, 3000 // batch)[0] for batch in batches]
    figure = lines(
        "batch", batches, {"three passes": losses}, "cross-entropy, nats", "xy"
    )
    return {"measured": losses[0] / losses[-1], **figure}


def generalizes_worse(seed: int) -> dict[str, Any]:
    """Held-out error, batch 500 over batch 10, at the better of two rates."""
    batches = [10, 50, 500]
    errors = [
        min(_trained(seed, batch, rate, 600)[1] for rate in (0.1, 0.4))
        for batch in batches
    ]
    figure = lines("batch", batches, {"600 updates": errors}, "held-out error", "x")
    return {"measured": errors[-1] / errors[0], **figure}


def noise_escapes(seed: int) -> dict[str, Any]:
    """Share that leaves a poor dent in a valley: noise of batch 1 against batch 100."""
    rng, batches, shares = np.random.default_rng(seed), [1, 10, 100], []
    for batch in batches:
        x = np.full(300, 2.0)
        for _ in range(2000):
            slope = x + 24 * (x - 2) * np.exp(-12 * (x - 2) ** 2)
            x = x - 0.02 * (slope + rng.normal(0, 20 / np.sqrt(batch), 300))
        shares.append(float((x < 1.2).mean()))
    figure = lines("batch", batches, {"left the dent": shares}, "share", "x")
    return {"measured": shares[0] - shares[-1], **figure}
