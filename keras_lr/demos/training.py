"""What schedules do to a training: on problems small enough to see through."""

from __future__ import annotations

from typing import Any

import numpy as np

import keras_lr
from keras_lr.demos import dense
from keras_lr.demos.mechanisms import _lines

UPDATES = 1000


def _noisy(seed: int, rates: Any) -> Any:
    """Losses of gradient descent on a quadratic whose gradients are noisy."""
    rng, curvature = np.random.default_rng(seed), np.geomspace(0.05, 1, 50)
    x, losses = np.ones(50), []
    for rate in rates:
        losses.append(0.5 * float(curvature @ x**2))
        x = x - rate * (curvature * x + rng.normal(size=50))
    return np.array(losses)


def _compared(seed: int, schedule: Any) -> dict[str, Any]:
    runs = {
        "constant rate": _noisy(seed, np.full(UPDATES, 0.3)),
        "schedule": _noisy(seed, 0.3 * schedule.values(UPDATES)),
    }
    ends = [run[-20:].mean() for run in runs.values()]
    means = {k: v.reshape(-1, 20).mean(1) for k, v in runs.items()}
    figure = _lines("update", range(10, UPDATES, 20), means, "quadratic loss", "y")
    return {"measured": ends[1] / ends[0], **figure}


def decay_settles(seed: int) -> dict[str, Any]:
    """A cosine to zero against the rate it starts from."""
    return _compared(seed, keras_lr.CosineDecay())


def stable_decay_settles(seed: int) -> dict[str, Any]:
    """The last fifth of warmup-stable-decay against staying at the rate."""
    return _compared(seed, keras_lr.WarmupStableDecay(warmup="5%", decay=0.2))


def _rates(ys: dict[str, Any]) -> dict[str, Any]:
    """Figure of rates over their updates."""
    shown = {name: values[::5] for name, values in ys.items()}
    return dict(_lines("update", range(0, UPDATES, 5), shown, "rate over its peak"))


def warmup_costs_half(seed: int) -> dict[str, Any]:
    """Full-rate updates that a warmup of a tenth costs, over its length.

    The control rises exponentially over the same updates.
    """
    bent = keras_lr.Warmup("10%", start=0.01, curve="exponential")
    ys = {
        "linear": keras_lr.Warmup("10%").values(UPDATES),
        "exponential": bent.values(UPDATES),
    }
    cost, control = (float((1 - y).sum() / (UPDATES / 10)) for y in ys.values())
    reason = "" if control > 0.65 else "Any rise costs as much."
    return {"measured": cost, "inconclusive": reason, **_rates(ys)}


def cycles_average(seed: int) -> dict[str, Any]:
    """Mean of triangular cycles over the middle of their ends.

    The control stops after three quarters of a cycle.
    """
    halves = {"five cycles": 100, "three quarters of one": round(UPDATES / 1.5)}
    ys = {
        name: keras_lr.CyclicalLR(max_lr=1.0, min_lr=0.1, half_cycle=half).values(
            UPDATES
        )
        for name, half in halves.items()
    }
    mean, control = (float(values.mean() / 0.55) for values in ys.values())
    reason = "" if abs(control - 1) > 0.05 else "Parts of cycles would do as well."
    return {"measured": mean, "inconclusive": reason, **_rates(ys)}


def restarts_jump(seed: int) -> dict[str, Any]:
    """Largest rise from one update to the next, over the peak.

    The control, a triangular cycle, comes back to the same peak step by step.
    """
    cycle = keras_lr.CyclicalLR(max_lr=1.0, min_lr=0.0, half_cycle=125)
    ys = {
        "restarts": keras_lr.CosineRestarts(first_cycle=250).values(UPDATES),
        "triangular cycle": cycle.values(UPDATES),
    }
    jump, control = (float(np.diff(y).max() / y.max()) for y in ys.values())
    reason = "" if control < 0.1 else "A cycle without restarts jumps as well."
    return {"measured": jump, "inconclusive": reason, **_rates(ys)}


def warmup_trains_deep_nets(seed: int) -> dict[str, Any]:
    """Loss of twenty residual blocks at a high rate, with warmup over without.

    Each loss is the median of three nets, and at most that of guessing.
    """
    rates, guess, updates = [0.004, 0.015, 0.06], float(np.log(10)), 200
    widths = [64, *[32] * 21, 10]
    ys: dict[str, list[float]] = {"constant": [], "warmup": []}
    for rate in rates:
        warm = keras_lr.Warmup(updates // 2, max_lr=rate).values(updates)
        for name, values in (("constant", np.full(updates, rate)), ("warmup", warm)):
            nets = range(3 * seed, 3 * seed + 3)
            ends = [dense.train(net, widths, values, 0.0, updates)[-1] for net in nets]
            ys[name].append(min(float(np.median(ends)), guess))
    reason = "" if ys["constant"][0] < 0.95 * guess else "It trains at no rate."
    ys["guessing"] = [guess] * 3
    figure = _lines("learning rate", rates, ys, "cross-entropy, nats", "xy")
    ratio = ys["warmup"][-1] / ys["constant"][-1]
    return {"measured": ratio, "inconclusive": reason, **figure}


def one_cycle_is_faster(seed: int) -> dict[str, Any]:
    """Updates of the best constant rate to the loss of one cycle, over its own.

    A constant rate is there once the mean of its last 200 updates is; at the longest
    it gets four times as many.
    """
    updates, widths, cycles = 800, [64, 32, 10], []
    for peak in (0.03, 0.05):
        cycle = keras_lr.OneCycle(max_lr=peak)
        rates, momenta = cycle.values(updates), cycle.momentum_values(updates)
        cycles.append(dense.train(seed, widths, rates, momenta, 40, batch=4))
    ends = min(cycles, key=lambda run: run[-1])
    ys: dict[str, Any] = {"one cycle": ends + [np.nan] * 60}
    counts = []
    for rate in (0.005, 0.01, 0.02, 0.04):
        rates = np.full(4 * updates, rate)
        run = np.array(dense.train(seed, widths, rates, 0.9, 40, batch=4))
        means = np.convolve(run, np.full(5, 1 / 5))[: len(run)]
        there = np.flatnonzero(means[4:] <= ends[-1])
        counts.append(40.0 * (there[0] + 5) if len(there) else 4.0 * updates)
        ys[f"rate {rate}"] = np.r_[np.full(4, np.nan), means[4:]]
    steps = range(40, 4 * updates + 1, 40)
    figure = _lines("update", steps, ys, "cross-entropy, nats", "xy")
    return {"measured": min(counts) / updates, **figure}


def _gradients_at(seed: int, batch: int, draws: int) -> tuple[Any, Any, Any]:
    """Gradients of least squares on the digits, after a few updates; the curvature."""
    rng, (x, labels) = np.random.default_rng(seed), dense.digits()
    x, y = x - x.mean(0), np.eye(10)[labels] - 0.1
    hessian = x.T @ x / len(x)
    w = np.zeros((64, 10))
    for _ in range(20):
        w = w - 0.1 * x.T @ (x @ w - y) / len(x)
    rows = rng.integers(0, len(x), (draws, batch))
    found = [x[some].T @ (x[some] @ w - y[some]) / batch for some in rows]
    return np.array(found), x.T @ (x @ w - y) / len(x), hessian


def best_rate_and_noise_scale(seed: int) -> dict[str, Any]:
    """Growth of the best rate with the batch: up to the noise scale over beyond it.

    The best rate of one step is exact for a quadratic loss, from the mean of the slope
    along the step and of the curvature along it over 400 draws of a batch.
    """
    single, true, hessian = _gradients_at(seed, 1, 3000)
    scale = float(((single - true) ** 2).mean(0).sum() / (true**2).sum())
    over = 4.0 ** np.arange(-2, 3)
    rates = []
    for batch in np.maximum(1, np.round(scale * over)).astype(int):
        steps, true, _ = _gradients_at(seed, int(batch), 400)
        slope = (steps * true).sum((1, 2)).mean()
        bend = (steps * (hessian @ steps)).sum((1, 2)).mean()
        rates.append(float(slope / bend))
    ys = {"best": rates, "in proportion": [rates[0] * one / over[0] for one in over]}
    figure = _lines("batch over the noise scale", over, ys, "learning rate", "xy")
    growth = (rates[2] / rates[0]) / (rates[4] / rates[2])
    return {"measured": growth, **figure}


def _scaled(seed: int, factors: Any) -> list[float]:
    """Loss after 3200 examples, batch of 8 and rate of 0.01 times each factor."""
    rng = np.random.default_rng(seed)
    x, true = rng.normal(size=(4000, 20)), rng.normal(size=20)
    y, out = x @ true + 0.5 * rng.normal(size=4000), []
    for factor in factors:
        w, size = np.zeros(20), 8 * factor
        for i in range(0, 3200, size):
            rows = slice(i, i + size)
            w = w - 0.01 * factor * x[rows].T @ (x[rows] @ w - y[rows]) / size
        out.append(min(float(((w - true) ** 2).sum()), 1e6))
    return out


def linear_scaling_holds(seed: int) -> dict[str, Any]:
    """Error at 8 times the batch and the rate, over that before."""
    factors = [1, 2, 4, 8]
    found = _scaled(seed, factors)
    figure = _lines("batch and rate, times", factors, {"error": found}, "error", "xy")
    return {"measured": found[-1] / found[0], **figure}


def linear_scaling_at_any_size(seed: int) -> dict[str, Any]:
    """The same at 400 times, where the rate is above the edge."""
    factors = [1, 8, 50, 400]
    found = _scaled(seed, factors)
    figure = _lines("batch and rate, times", factors, {"error": found}, "error", "xy")
    reason = "" if 0.25 < found[1] / found[0] < 4 else "It fails at 8 times as well."
    return {"measured": found[-1] / found[0], "inconclusive": reason, **figure}


def stopping_early(seed: int) -> dict[str, Any]:
    """Held-out error at its lowest over that at the end of training."""
    rng = np.random.default_rng(seed)
    true = rng.normal(size=40) / np.sqrt(40)
    x, held = rng.normal(size=(50, 40)), rng.normal(size=(500, 40))
    y, w, errors = x @ true + rng.normal(size=50), np.zeros(40), []
    for _ in range(2000):
        errors.append(float(((held @ (w - true)) ** 2).mean()))
        w = w - 0.2 * x.T @ (x @ w - y) / 50
    ys = {"held out": errors[::10]}
    figure = _lines("update", range(1, 2001, 10), ys, "squared error", "xy")
    return {"measured": min(errors) / errors[-1], **figure}
