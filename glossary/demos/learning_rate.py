"""Claims of *learning rate*."""

from __future__ import annotations

from typing import Any

import numpy as np

from glossary.demos._kit import adam, digits, gradients, lines, relu, train, weights


def edge(seed: int) -> dict[str, Any]:
    """Bisect the rate at which gradient descent on least squares begins to diverge."""
    x, _ = digits()
    hessian = x.T @ x / len(x)
    critical = 2 / np.linalg.eigvalsh(hessian)[-1]
    start = np.random.default_rng(seed).normal(size=64)

    def growth(rate: float) -> float:
        w = start.copy()
        for _ in range(600):
            w -= rate * (hessian @ w)
        return float(w @ hessian @ w / (start @ hessian @ start))

    low, high = 0.5 * critical, 2 * critical
    for _ in range(12):
        middle = (low + high) / 2
        low, high = (low, middle) if growth(middle) > 1 else (middle, high)
    rates = critical * np.array([0.9, 0.97, 0.99, 1.0, 1.01, 1.03, 1.1])
    drawn = [max(growth(rate), 1e-12) for rate in rates]
    ys = {"after 600 updates": drawn}
    figure = lines(
        "rate over 2 / largest curvature", rates / critical, ys, "squared error", "y"
    )
    return {"measured": (low + high) / 2 / critical, **figure}


def u_shape(seed: int) -> dict[str, Any]:
    """Train 300 updates at rates far too low, good, and far too high."""
    rates = 10.0 ** np.arange(-4, 3)
    losses = [train(np.random.default_rng(seed), rate, 300) for rate in rates]
    shown = np.minimum(losses, 1e3)
    worse = min(shown[0], shown[-1]) / min(shown)
    figure = lines(
        "learning rate", rates, {"300 updates": shown}, "cross-entropy, nats", "xy"
    )
    return {"measured": worse, **figure}


def slow(seed: int) -> dict[str, Any]:
    """Updates that a hundredth of a good rate needs for the same loss."""
    counts = [10, 30, 100, 300, 1000]
    good = [train(np.random.default_rng(seed), 0.3, n) for n in counts]
    low = [train(np.random.default_rng(seed), 0.003, n) for n in counts]
    ys = {"rate 0.3": good, "rate 0.003": low}
    # After 1000 updates the low rate is not where the good one was after 100.
    return {
        "measured": low[-1] / good[2],
        **lines("updates", counts, ys, "cross-entropy, nats", "xy"),
    }


def best_rates(seed: int, step: Any) -> tuple[Any, list[Any]]:
    """Losses after 200 updates on least squares, by rate, at three input scales."""
    x, labels = digits()
    x, y = x[:, x.std(0) > 0.1], (labels % 2) * 2.0 - 1
    rates = 10.0 ** np.arange(-8, 3)
    start, found = np.random.default_rng(seed).normal(0, 0.1, x.shape[1]), []
    for scale in (1.0, 10.0, 100.0):
        losses = []
        for rate in rates:
            w, slow = start / scale, np.zeros((2, x.shape[1]))
            with np.errstate(all="ignore"):
                for t in range(1, 201):
                    g = scale * x.T @ (scale * x @ w - y) / len(x)
                    w = w - rate * step(g, slow, t)
                loss = float(((scale * x @ w - y) ** 2).mean())
            losses.append(loss if np.isfinite(loss) else 1e9)
        found.append(np.minimum(losses, 1e3))
    return rates, found


def _adam(g: Any, slow: Any, t: int) -> Any:
    slow[0] += 0.1 * (g - slow[0])
    slow[1] += 0.001 * (g**2 - slow[1])
    scale = np.sqrt(slow[1] / (1 - 0.999**t)) + 1e-12
    return slow[0] / (1 - 0.9**t) / scale


def depends_on_data(seed: int) -> dict[str, Any]:
    """How far the best rate moves when the inputs are 100 times as large."""
    rates, losses = best_rates(seed, lambda g, slow, t: g)
    best = [rates[np.argmin(one)] for one in losses]
    ys = {f"inputs times {s}": one for s, one in zip((1, 10, 100), losses, strict=True)}
    figure = lines("learning rate", rates, ys, "squared error", "xy")
    return {"measured": float(best[0] / best[-1]), **figure}


def depends_on_optimizer(seed: int) -> dict[str, Any]:
    """Best rate of SGD over that of Adam, on the same net, weights and batches."""
    (x, y), rates = digits(), 10.0 ** np.arange(-4, 0.6, 0.5)
    ys: dict[str, list[float]] = {"SGD": [], "Adam": []}
    for rate in rates:
        ys["SGD"].append(min(train(np.random.default_rng(seed), rate, 200), 10.0))
        rng = np.random.default_rng(seed)
        ws = weights(rng, [64, 32, 10], 2.0)
        slots = [np.zeros_like(w) for w in ws for _ in range(2)]
        for step in range(1, 201):
            rows = rng.integers(0, len(x), 32)
            adam(ws, slots, gradients(ws, x[rows], y[rows], relu)[1], step, rate)
        ys["Adam"].append(min(gradients(ws, x, y, relu)[0], 10.0))
    best = [float(rates[np.argmin(one)]) for one in ys.values()]
    figure = lines("learning rate", rates, ys, "cross-entropy, nats", "xy")
    return {"measured": best[0] / best[1], **figure}


def adaptive_is_less_sensitive(seed: int) -> dict[str, Any]:
    """The same for Adam, against what gradient descent's best rate moves by."""
    rates, plain = best_rates(seed, lambda g, slow, t: g)
    _, losses = best_rates(seed, _adam)
    moved = [rates[np.argmin(one[0])] / rates[np.argmin(one[-1])]
             for one in (losses, plain)]  # fmt: skip
    ys = {f"inputs times {s}": one for s, one in zip((1, 10, 100), losses, strict=True)}
    figure = lines("learning rate of Adam", rates, ys, "squared error", "xy")
    return {"measured": float(moved[0] / moved[1]), **figure}


def adaptive_still_matters(seed: int) -> dict[str, Any]:
    """Adam's loss at a hundredth of its best rate, over that at its best."""
    rates, (losses, *_) = best_rates(seed, _adam)
    best = int(np.argmin(losses))
    figure = lines("learning rate", rates, {"Adam": losses}, "squared error", "xy")
    return {"measured": float(losses[best - 2] / losses[best]), **figure}


def stuck(seed: int) -> dict[str, Any]:
    """Share of starts in a narrow poor minimum that a rate leaves for the best one.

    The loss is a valley at 0 with a dent at 2: x^2 / 2 - exp(-20 (x - 2)^2).
    """
    starts = np.random.default_rng(seed).uniform(1.9, 2.1, 200)
    rates, shares = np.array([0.003, 0.01, 0.03, 0.1, 0.3, 1.0]), []
    for rate in rates:
        x = starts.copy()
        for _ in range(int(20 / rate)):
            x = x - rate * (x + 40 * (x - 2) * np.exp(-20 * (x - 2) ** 2))
        shares.append(float((abs(x) < 0.5).mean()))
    ys = {"at the best minimum": shares}
    figure = lines("learning rate", rates, ys, "share", "x")
    return {"measured": shares[-2] - shares[0], **figure}


def schedule_lowers(seed: int) -> dict[str, Any]:
    """Loss on the digits of a rate that falls to 0 over that of the same rate kept."""
    x, y = digits()
    rates, updates = [0.2, 0.4], 1200
    ends: dict[str, list[float]] = {"kept": [], "falling": []}
    for rate in rates:
        for name, falls in (("kept", 0.0), ("falling", 1.0)):
            rng, late = np.random.default_rng(seed), []
            ws = weights(rng, [64, 8, 10], 2.0)
            for t in range(updates):
                rows = rng.integers(0, len(x), 4)
                _, grads, _ = gradients(ws, x[rows], y[rows], relu)
                for w, g in zip(ws, grads, strict=True):
                    w -= rate * (1 - falls * t / updates) * g
                if t >= updates - 100 and t % 10 == 0:
                    late.append(gradients(ws, x, y, relu)[0])
            ends[name].append(float(np.mean(late)))
    figure = lines("learning rate", rates, ends, "cross-entropy, nats", "xy")
    return {"measured": ends["falling"][0] / ends["kept"][0], **figure}
