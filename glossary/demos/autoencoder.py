"""Claims of *autoencoder*."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from glossary.demos._kit import adam, bars, digits, lines, tanh, weights

CODES = [1, 2, 4, 8, 16, 32]


def _centred() -> Any:
    x, _ = digits()
    return x - x.mean(0)


def _pca(x: Any, size: int) -> float:
    """Mean squared error of the best linear code (Eckart and Young)."""
    values = np.linalg.eigvalsh(x.T @ x / len(x))[::-1]
    return float(values[size:].sum() / x.shape[1])


def linear_is_pca(seed: int) -> dict[str, Any]:
    """A linear autoencoder, trained by solving for encoder and decoder in turn."""
    x, trained, random = _centred(), [], []
    gram = x.T @ x / len(x) + 1e-12 * np.eye(64)
    for size in CODES:
        encoder = np.random.default_rng(seed).normal(size=(64, size))
        start = encoder @ np.linalg.pinv(encoder)
        random.append(float(((x @ start - x) ** 2).mean()))
        for _ in range(60):
            inner = encoder.T @ gram @ encoder
            decoder = np.linalg.solve(inner, encoder.T @ gram)
            encoder = np.linalg.pinv(decoder)
        trained.append(float(((x @ encoder @ decoder - x) ** 2).mean()))
    best = [_pca(x, size) for size in CODES]
    ys = {"random code": random, "linear autoencoder": trained, "PCA": best}
    figure = lines("numbers in the code", CODES, ys, "squared error", "x")
    reason = "" if random[3] > 1.1 * best[3] else "A random code reaches PCA as well."
    return {"measured": trained[3] / best[3], "inconclusive": reason, **figure}


def denoises(seed: int) -> dict[str, Any]:
    """Linear codes fitted to clean and to noisy images, on noisy ones held out."""
    rng, x = np.random.default_rng(seed), _centred()
    x = x[rng.permutation(len(x))]
    noisy = x + rng.normal(0, 0.5, x.shape)
    train, test = slice(0, 1300), slice(1300, None)
    _, basis = np.linalg.eigh(x[train].T @ x[train])
    fitted = np.linalg.lstsq(noisy[train], x[train])[0]
    # The best map of each rank: its outputs, projected on their main directions.
    _, main = np.linalg.eigh(fitted.T @ noisy[train].T @ noisy[train] @ fitted)
    ys: dict[str, list[float]] = {"trained on clean": [], "trained on noisy": []}
    for size in CODES:
        kept, own = basis[:, -size:], main[:, -size:]
        maps = (kept @ kept.T, fitted @ own @ own.T)
        for name, way in zip(ys, maps, strict=True):
            ys[name].append(float(((noisy[test] @ way - x[test]) ** 2).mean()))
    figure = lines("numbers in the code", CODES, ys, "error after denoising", "x")
    return {"measured": ys["trained on noisy"][5] / ys["trained on clean"][5], **figure}


def _reconstruct(ws: Any, x: Any) -> tuple[list[Any], list[Any]]:
    """Outputs and slopes of each layer; code and output are linear."""
    outs, slopes = [x], []
    for i, w in enumerate(ws):
        value, slope = tanh(outs[-1] @ w)
        linear = i % 2 == 1
        outs.append(outs[-1] @ w if linear else value)
        slopes.append(np.ones_like(slope) if linear else slope)
    return outs, slopes


@cache
def _trained(seed: int, size: int, updates: int) -> tuple[Any, Any, Any, list[float]]:
    """A tanh autoencoder: its weights, rows it saw, others, and errors on these."""
    rng, x = np.random.default_rng(seed), _centred()
    order = rng.permutation(len(x))
    train, test, seen = order[:1300], order[1300:], []
    ws = weights(rng, [64, 128, size, 128, 64], 1.0)
    slots = [np.zeros_like(w) for w in ws for _ in range(2)]
    for step in range(1, updates + 1):
        rows = x[train[rng.integers(0, len(train), 64)]]
        outs, slopes = _reconstruct(ws, rows)
        delta, grads = (outs[-1] - rows) / len(rows), []
        for i in range(3, -1, -1):
            delta = delta * slopes[i]
            grads.append(outs[i].T @ delta)
            delta = delta @ ws[i].T
        adam(ws, slots, grads[::-1], step, 0.003 * (1 - step / updates))
        if step % 250 == 0:
            out = _reconstruct(ws, x[test])[0][-1]
            seen.append(float(((out - x[test]) ** 2).mean()))
    return ws, train, test, seen


def nonlinear(seed: int) -> dict[str, Any]:
    """Error of PCA over that of tanh layers with a code as large, on new images."""
    updates, x = 3000, _centred()
    _, train, test, seen = _trained(seed, 4, updates)
    kept = np.linalg.eigh(x[train].T @ x[train])[1][:, -4:]
    pca = float(((x[test] @ kept @ kept.T - x[test]) ** 2).mean())
    ys = {"tanh layers": seen, "PCA": [pca] * len(seen)}
    label = "squared error, new images"
    figure = lines("update", range(250, updates + 1, 250), ys, label)
    return {"measured": pca / seen[-1], **figure}


def compresses(seed: int) -> dict[str, Any]:
    """Error of the best decoder of a random code, over that of a learned one."""
    x = _centred()
    _, train, test, seen = _trained(seed, 8, 1000)
    code = x @ np.random.default_rng(seed).normal(size=(64, 8))
    decoder = np.linalg.lstsq(code[train], x[train])[0]
    random = float(((code[test] @ decoder - x[test]) ** 2).mean())
    labels = ["no code", "random code", "learned code"]
    errors = [float((x[test] ** 2).mean()), random, seen[-1]]
    shown = bars(labels, errors, "squared error, new images", x_label="8 numbers each")
    return {"measured": random / seen[-1], **shown}


def serves(seed: int) -> dict[str, Any]:
    """Errors of a nearest neighbour that sees random codes, over learned ones."""
    (_, y), x, counts = digits(), _centred(), [50, 100, 200, 400]
    ws, train, test, _ = _trained(seed, 8, 1000)
    codes = {
        "learned": np.tanh(x @ ws[0]) @ ws[1],
        "random": x @ np.random.default_rng(seed).normal(size=(64, 8)),
    }
    ys: dict[str, list[float]] = {name: [] for name in codes}
    for count in counts:
        known = train[:count]
        for name, code in codes.items():
            far = (code[known] ** 2).sum(1) - 2 * code[test] @ code[known].T
            wrong = y[known][far.argmin(1)] != y[test]
            ys[name].append(float(wrong.mean()))
    figure = lines("labels", counts, ys, "share of errors, new images", "x")
    return {"measured": ys["random"][2] / ys["learned"][2], **figure}
