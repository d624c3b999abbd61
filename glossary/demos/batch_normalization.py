"""Claims of *batch normalization* (Ioffe and Szegedy 2015)."""

from __future__ import annotations

from typing import Any

import numpy as np

from glossary.demos._kit import bars, digits, lines, softmax, weights


def normal(x: Any) -> Any:
    """Over the batch, with the usual epsilon of 1e-5."""
    return (x - x.mean(0)) / np.sqrt(x.var(0) + 1e-5)


def _loss(w: Any, head: Any, seed: int, norm: bool) -> float:
    x, y = digits()
    rows = np.random.default_rng(seed).integers(0, len(x), 128)
    hidden = x[rows] @ w
    chance = softmax(np.maximum(normal(hidden) if norm else hidden, 0) @ head)
    return float(-np.log(chance[np.arange(128), y[rows]]).mean())


def unit(seed: int) -> dict[str, Any]:
    """Mean and variance of each feature afterwards."""
    rng, (x, _) = np.random.default_rng(seed), digits()
    hidden = x[rng.integers(0, len(x), 128)] @ rng.normal(size=(64, 32)) + 5
    out = normal(hidden)
    error = max(abs(out.mean(0)).max(), abs(out.var(0) - 1).max())
    ys = {"before": hidden.var(0), "after": out.var(0)}
    return {
        "measured": float(error),
        **lines("feature", np.arange(32), ys, "variance", "y"),
    }


def scale_free(seed: int) -> dict[str, Any]:
    """Change of the loss when the weights are scaled, with and without."""
    rng = np.random.default_rng(seed)
    w, head = rng.normal(0, 0.2, (64, 32)), rng.normal(0, 0.2, (32, 10))
    scales = 10.0 ** np.linspace(-0.5, 1.5, 9)
    ys = {}
    for name, norm in (("normalized", True), ("not normalized", False)):
        base = _loss(w, head, seed, norm)
        ys[name] = [abs(_loss(s * w, head, seed, norm) / base - 1) for s in scales]
    reason = "" if max(ys["not normalized"]) > 0.1 else "Scaling never matters here."
    shown = {name: np.maximum(v, 1e-9) for name, v in ys.items()}
    figure = lines("scale of the weights", scales, shown, "change of the loss", "xy")
    return {"measured": max(ys["normalized"]), "inconclusive": reason, **figure}


def gradient_shrinks(seed: int) -> dict[str, Any]:
    """Directional derivative at weights ten times as large, over that before."""
    rng = np.random.default_rng(seed)
    w, head = rng.normal(0, 0.2, (64, 32)), rng.normal(0, 0.2, (32, 10))
    way, slopes = rng.normal(size=w.shape), []
    for scale in (1.0, 10.0):
        h = 1e-5 * scale
        up, down = (_loss(scale * w + s * h * way, head, seed, True) for s in (1, -1))
        slopes.append(abs(up - down) / (2 * h))
    shown = bars(["weights", "ten times"], slopes, "slope of the loss", "y")
    return {"measured": 10 * slopes[1] / slopes[0], **shown}


def tiny_batches(seed: int) -> dict[str, Any]:
    """How much the output for one example varies with its company, batch 2 over 64."""
    rng, (x, _) = np.random.default_rng(seed), digits()
    x = x[:, x.std(0) > 0.2]
    sizes, spreads = [2, 4, 8, 16, 32, 64], []
    for size in sizes:
        outs = []
        for _ in range(300):
            batch = x[np.r_[0, rng.integers(1, len(x), size - 1)]]
            outs.append((x[0] - batch.mean(0)) / np.sqrt(batch.var(0) + 1e-3))
        spreads.append(float(np.std(outs, axis=0).mean()))
    figure = lines("batch", sizes, {"one example": spreads}, "spread of output", "xy")
    return {"measured": spreads[0] / spreads[-1], **figure}


def _gradients(ws: Any, x: Any, y: Any, norm: bool) -> tuple[float, list[Any]]:
    """Cross-entropy of a dense ReLU net, each layer normalized or not."""
    outs, units, scales = [x], [], []
    for w in ws[:-1]:
        z = outs[-1] @ w
        scales.append(1 / np.sqrt(z.var(0) + 1e-5) if norm else np.ones(w.shape[1]))
        units.append((z - z.mean(0)) * scales[-1] if norm else z)
        outs.append(np.maximum(units[-1], 0))
    delta, rows = softmax(outs[-1] @ ws[-1]), np.arange(len(x))
    loss = float(-np.log(delta[rows, y] + 1e-300).mean())
    delta[rows, y] -= 1
    delta, grads = delta / len(x), [outs[-1].T @ (delta / len(x))]
    for i in range(len(ws) - 2, -1, -1):
        delta = (delta @ ws[i + 1].T) * (units[i] > 0)
        if norm:
            along = units[i] * (delta * units[i]).mean(0)
            delta = (delta - delta.mean(0) - along) * scales[i]
        grads.append(outs[i].T @ delta)
    return loss, grads[::-1]


def covariate_shift(seed: int) -> dict[str, Any]:
    """Change of a layer's gradient by the update of those below it, with over without.

    That is how internal covariate shift is measured by Santurkar 2018, definition 2.1.
    """
    (x, y), ys = digits(), {}
    for name, norm in (("without", False), ("with", True)):
        rng, changes = np.random.default_rng(seed), []
        ws = weights(rng, [64, 32, 32, 32, 32, 10], 2.0)
        for step in range(200):
            rows = rng.integers(0, len(x), 128)
            _, grads = _gradients(ws, x[rows], y[rows], norm)
            moved = [w - 0.1 * g for w, g in zip(ws, grads, strict=True)]
            if step % 10 == 0:
                _, after = _gradients([*moved[:3], *ws[3:]], x[rows], y[rows], norm)
                change = np.linalg.norm(after[3] - grads[3])
                changes.append(change / np.linalg.norm(grads[3]))
            ws = moved
        ys[name] = changes
    ratio = float(np.mean(ys["with"]) / np.mean(ys["without"]))
    figure = lines("update", range(0, 200, 10), ys, "relative change", "y")
    return {"measured": ratio, **figure}


def smoother(seed: int) -> dict[str, Any]:
    """Change of the gradient by a step along it, with over without, by its length.

    That is the smoothness that Santurkar 2018 measures in place of covariate shift.
    """
    (x, y), ys, steps = digits(), {}, [0.025, 0.05, 0.1, 0.2]
    for name, norm in (("without", False), ("with", True)):
        changes = []
        for ws in _way(seed, norm):
            _, grads = _gradients(ws, x[:256], y[:256], norm)
            size = np.sqrt(sum(float((g**2).sum()) for g in grads))
            found = []
            for step in steps:
                moved = [w - step * g / size for w, g in zip(ws, grads, strict=True)]
                _, after = _gradients(moved, x[:256], y[:256], norm)
                gaps = [((a - b) ** 2).sum() for a, b in zip(after, grads, strict=True)]
                found.append(float(np.sqrt(sum(gaps))) / size)
            changes.append(found)
        ys[name] = np.median(changes, axis=0)
    figure = lines("length of the step", steps, ys, "relative change", "xy")
    return {"measured": float(ys["with"][2] / ys["without"][2]), **figure}


def _way(seed: int, norm: bool) -> list[Any]:
    """Weights of five layers at every 20th of 200 updates."""
    rng, (x, y), seen = np.random.default_rng(seed), digits(), []
    ws = weights(rng, [64, 32, 32, 32, 32, 10], 2.0)
    for step in range(200):
        if step % 20 == 0:
            seen.append(ws)
        rows = rng.integers(0, len(x), 128)
        _, grads = _gradients(ws, x[rows], y[rows], norm)
        ws = [w - 0.1 * g for w, g in zip(ws, grads, strict=True)]
    return seen


def _end(seed: int, norm: bool, rate: float, batch: int, updates: int) -> list[float]:
    """Loss on all digits after each 20 updates of five layers; at most 10."""
    rng, (x, y), losses = np.random.default_rng(seed), digits(), []
    ws = weights(rng, [64, 32, 32, 32, 32, 10], 2.0)
    with np.errstate(all="ignore"):
        for step in range(1, updates + 1):
            rows = rng.integers(0, len(x), batch)
            _, grads = _gradients(ws, x[rows], y[rows], norm)
            ws = [w - rate * g for w, g in zip(ws, grads, strict=True)]
            if step % 20 == 0:
                losses.append(_gradients(ws, x, y, norm)[0])
    return [float(one) for one in np.minimum(np.nan_to_num(losses, nan=10), 10)]


def faster(seed: int) -> dict[str, Any]:
    """Loss after 200 updates at the best of four rates, with over without."""
    ys, rates = {}, (0.1, 0.2, 0.4, 0.8)
    for name, norm in (("without", False), ("with", True)):
        runs = [_end(seed, norm, rate, 64, 200) for rate in rates]
        ys[name] = min(runs, key=lambda run: run[-1])
    figure = lines("update", range(20, 201, 20), ys, "cross-entropy, nats", "y")
    return {"measured": ys["with"][-1] / ys["without"][-1], **figure}


def poor_in_tiny_batches(seed: int) -> dict[str, Any]:
    """Loss with over without, each at its better rate, in batches of 2 and of 64."""
    batches, ys = [2, 4, 16, 64], {}
    for name, norm in (("without", False), ("with", True)):
        runs = [
            [_end(seed, norm, rate, batch, 200)[-1] for rate in (0.02, 0.1)]
            for batch in batches
        ]
        ys[name] = [min(ends) for ends in runs]
    worse = [a / b for a, b in zip(ys["with"], ys["without"], strict=True)]
    reason = "" if worse[-1] < 1 else "It does not work in large batches either."
    figure = lines("batch", batches, ys, "cross-entropy, nats", "xy")
    return {"measured": worse[0], "inconclusive": reason, **figure}
