"""Claims of *Adam*: the algorithm itself, in float64 (Kingma and Ba, algorithm 1)."""

from __future__ import annotations

from typing import Any

import numpy as np

from glossary.lab import Bars, Control, Lines, Measurement


def steps(
    gradients: Any, b1: float = 0.9, b2: float = 0.999, correct: bool = True
) -> Any:
    """Step of each update at a rate of 1."""
    m, v, out = np.zeros_like(gradients[0]), np.zeros_like(gradients[0]), []
    for t, g in enumerate(gradients, 1):
        m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g**2
        fix = (1 - b1**t, 1 - b2**t) if correct else (1.0, 1.0)
        out.append((m / fix[0]) / (np.sqrt(v / fix[1]) + 1e-30))
    return np.array(out)


def first_step(seed: int) -> Measurement:
    """Size of the first step for gradients of all sizes."""
    sizes = 10.0 ** np.arange(-6, 7)
    sign = np.random.default_rng(seed).choice([-1.0, 1.0], len(sizes))
    g = (sign * sizes)[None]
    corrected = abs(steps(g)[0])
    plain = abs(steps(g, correct=False)[0])
    shown = Lines(
        x=sizes,
        ys={"Adam": corrected, "without correction": plain},
        x_label="size of the gradient",
        y_label="first step over the learning rate",
        log="x",
    )
    differs = abs(plain - 1).max() > 0.5
    return Measurement(
        measured=abs(corrected - 1).max(),
        panels=(shown,),
        seen="Adam's first step is one learning rate long for gradients of any size.",
        controls=(Control(differs, "Without the correction it is so as well."),),
    )


def scale_free(seed: int) -> dict[str, Any]:
    """Way of 200 updates, for the same gradients at three scales."""
    g, scales = np.random.default_rng(seed).normal(0.3, 1, (200, 1)), (1e-3, 1.0, 1e3)
    errors: dict[str, list[float]] = {}
    ways: tuple[Any, ...] = (("Adam", steps), ("SGD", np.negative))
    for name, take in ways:
        one, *others = (np.cumsum(take(s * g)[:, 0]) for s in (1.0, *scales))
        errors[name] = [abs(one - way).max() / abs(one).max() for way in others]
    reason = "" if max(errors["SGD"]) > 1 else "The scale matters to no optimizer."
    shown = {name: np.maximum(one, 1e-17) for name, one in errors.items()}
    figure = lines("scale of the gradients", scales, shown, "change of the way", "xy")
    return {"measured": max(errors["Adam"]), "inconclusive": reason, **figure}


def bound(seed: int) -> dict[str, Any]:
    """Largest step after zeros, and for random gradients, over the bound."""
    limit = 0.1 / np.sqrt(0.001)
    rng = np.random.default_rng(seed)
    sparse = np.zeros((20001, 1))
    sparse[-1] = rng.normal()
    largest = [abs(steps(g)[-1]).max() for g in (sparse, rng.normal(size=(300, 50)))]
    largest.append(abs(steps(sparse, b1=0.0)[-1]).max())
    labels = ["one after zeros", "random", "beta_1 = 0"]
    shown = bars(labels, np.array(largest) / limit, "longest step over the bound")
    reason = "" if largest[2] > 2 * limit else "Another beta_1 keeps the bound as well."
    return {
        "measured": float(max(largest[:2]) / limit),
        "inconclusive": reason,
        **shown,
    }


def is_rmsprop(seed: int) -> dict[str, Any]:
    """With beta_1 = 0 and no correction, against RMSProp written by itself."""
    g = np.random.default_rng(seed).normal(size=(100, 20))
    mean, own = np.zeros(20), []
    for one in g:
        mean = 0.999 * mean + 0.001 * one**2
        own.append(one / np.sqrt(mean))
    same = abs(steps(g, b1=0.0, correct=False) / own - 1).max()
    other = abs(steps(g) / own - 1).max()
    labels = ["beta_1 = 0", "beta_1 = 0.9"]
    shown = bars(labels, [max(same, 1e-17), other], "relative difference", "y")
    reason = "" if other > 0.01 else "The full algorithm is RMSProp as well."
    return {"measured": float(same), "inconclusive": reason, **shown}


def is_adagrad(seed: int) -> dict[str, Any]:
    """Its limit: beta_1 = 0, beta_2 near 1, rate over root t, against AdaGrad."""
    g = np.random.default_rng(seed).normal(size=(100, 20))
    own = g / np.sqrt(np.cumsum(g**2, axis=0))
    root, gaps = np.sqrt(np.arange(1, 101))[:, None], 10.0 ** -np.arange(1, 8)
    errors = [abs(steps(g, 0.0, 1 - gap) / root / own - 1).max() for gap in gaps]
    reason = "" if errors[0] > 0.1 else "It is AdaGrad far from the limit as well."
    ys = {"Adam against AdaGrad": errors}
    figure = lines("1 - beta_2", gaps, ys, "relative difference", "xy")
    return {"measured": float(errors[-1]), "inconclusive": reason, **figure}


def _errors(seed: int, kind: str, name: str, rate: float, updates: int) -> Any:
    """Squared distance from the goal at each update of a noisy linear regression.

    A quarter of the features is seen in one example of fifty (``sparse``), or the
    goal moves every 400 updates (``moving``).
    """
    rng, moves = np.random.default_rng(seed), kind == "moving"
    chance = np.ones(20) if moves else np.r_[np.ones(30), np.full(10, 0.02)]
    size, count = len(chance), -(-updates // 400) if moves else 1
    x = rng.normal(size=(updates, size)) * (rng.random((updates, size)) < chance)
    goals, noise = rng.normal(size=(count, size)), rng.normal(0, 0.5, updates)
    w, square, out = np.zeros(size), np.zeros(size), []
    keep = {"AdaGrad": 1.0, "RMSProp": 0.99, "SGD": 0.0}[name]
    for t in range(updates):
        goal = goals[t * count // updates]
        g = x[t] * np.clip(x[t] @ (w - goal) - noise[t], -1e6, 1e6)
        square = keep * square + (1.0 if keep == 1 else 1 - keep) * g * g
        fix = 1.0 if keep == 1 else 1 - keep ** (t + 1)
        w = w - rate * (g if name == "SGD" else g / (np.sqrt(square / fix) + 1e-8))
        w = np.clip(w, -1e3, 1e3)
        out.append(float(((w - goal) ** 2).mean()))
    return np.array(out)


def sparse(seed: int) -> dict[str, Any]:
    """Error of SGD over AdaGrad's, each at its best rate, where features are rare."""
    rates, ends = 10.0 ** np.arange(-2.5, 0.6, 0.25), {}
    for name in ("SGD", "AdaGrad"):
        runs = [_errors(seed, "sparse", name, rate, 600) for rate in rates]
        ends[name] = [min(float(run[-50:].mean()), 10.0) for run in runs]
    figure = lines("rate", rates, ends, "squared error after 600 updates", "xy")
    return {"measured": min(ends["SGD"]) / min(ends["AdaGrad"]), **figure}


def moving(seed: int) -> dict[str, Any]:
    """Error of AdaGrad over RMSProp's after the goal has moved five times.

    Each runs at the rate that is best until the goal moves first.
    """
    rates, ways = 10.0 ** np.arange(-2.5, 0.6, 0.5), {}
    for name in ("AdaGrad", "RMSProp"):
        runs = [_errors(seed, "moving", name, rate, 400) for rate in rates]
        best = rates[int(np.argmin([run.mean() for run in runs]))]
        run = _errors(seed, "moving", name, best, 2400)
        ways[name] = run.reshape(-1, 40).mean(1)
    figure = lines("update", range(20, 2400, 40), ways, "squared error", "y")
    late = {name: float(way[-20:].mean()) for name, way in ways.items()}
    return {"measured": late["AdaGrad"] / late["RMSProp"], **figure}


def always_converges(seed: int) -> dict[str, Any]:
    """The online problem of Reddi: 3 x in every third round, else -x, x in [-1, 1]."""
    rounds, b2, ways = 3000, 1 / 10, {}
    start = float(np.random.default_rng(seed).uniform(-0.5, 0.5))
    for name in ("Adam", "SGD"):
        x, v, way = start, 0.0, []
        for t in range(1, rounds + 1):
            g = 3.0 if t % 3 == 1 else -1.0
            v = b2 * v + (1 - b2) * g * g
            scale = np.sqrt(v) if name == "Adam" else 1.0
            x = float(np.clip(x - 0.5 / np.sqrt(t) * g / scale, -1, 1))
            way.append(x)
        ways[name] = np.array(way[::30])
    reason = "" if ways["SGD"][-1] < -0.5 else "SGD does not converge either."
    figure = lines("round", np.arange(0, rounds, 30), ways, "x (the best is -1)")
    return {
        "measured": float(ways["Adam"][-10:].mean()),
        "inconclusive": reason,
        **figure,
    }


def _tables() -> dict[str, Any]:
    """Four tables of scikit-learn with standardized columns, and their classes."""
    from sklearn import datasets

    out = {}
    for name in ("iris", "wine", "breast_cancer", "digits"):
        x, y = getattr(datasets, f"load_{name}")(return_X_y=True)
        out[name.replace("_", " ")] = ((x - x.mean(0)) / (x.std(0) + 1e-9), y)
    return out


def default_rate(seed: int) -> dict[str, Any]:
    """Share of what the best rate learns that 0.001 learns, on four tasks."""
    rates, ys = [1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0], {}
    for name, (x, y) in _tables().items():
        losses = []
        for rate in rates:
            rng = np.random.default_rng(seed)
            ws = weights(rng, [x.shape[1], 32, y.max() + 1], 2.0)
            slots = [np.zeros_like(w) for w in ws for _ in range(2)]
            start = gradients(ws, x, y, relu)[0]
            for step in range(1, 401):
                rows = rng.integers(0, len(x), 16)
                adam(ws, slots, gradients(ws, x[rows], y[rows], relu)[1], step, rate)
            losses.append(gradients(ws, x, y, relu)[0])
        fall = start - np.array(losses)
        ys[name] = np.clip(fall / fall.max(), 0, 1)
    worst = float(min(share[2] for share in ys.values()))
    return {"measured": worst, **lines("rate", rates, ys, "share learned", "x")}
