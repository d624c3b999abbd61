"""Claims of *autoencoder*."""

from __future__ import annotations

from typing import Any

import numpy as np

from glossary.demos._kit import adam, digits, lines, tanh, weights

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
    x, trained = _centred(), []
    gram = x.T @ x / len(x) + 1e-12 * np.eye(64)
    for size in CODES:
        encoder = np.random.default_rng(seed).normal(size=(64, size))
        for _ in range(60):
            inner = encoder.T @ gram @ encoder
            decoder = np.linalg.solve(inner, encoder.T @ gram)
            encoder = np.linalg.pinv(decoder)
        trained.append(float(((x @ encoder @ decoder - x) ** 2).mean()))
    best = [_pca(x, size) for size in CODES]
    ys = {"linear autoencoder": trained, "PCA": best}
    figure = lines("numbers in the code", CODES, ys, "squared error", "x")
    return {"measured": trained[3] / best[3], **figure}


def compresses(seed: int) -> dict[str, Any]:
    """Share of the variance that a learned code keeps, against a random one."""
    x, total = _centred(), float((_centred() ** 2).mean())
    rng, kept = np.random.default_rng(seed), []
    for size in CODES:
        basis = np.linalg.qr(rng.normal(size=(64, size)))[0]
        kept.append(1 - float(((x @ basis @ basis.T - x) ** 2).mean()) / total)
    learned = [1 - _pca(x, size) / total for size in CODES]
    ys = {"learned": learned, "random": kept}
    figure = lines("numbers in the code", CODES, ys, "variance kept", "x")
    return {"measured": learned[3] / kept[3], **figure}


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


def nonlinear(seed: int) -> dict[str, Any]:
    """Error of PCA over that of tanh layers with a code as large, on new images."""
    rng, x, updates = np.random.default_rng(seed), _centred(), 3000
    x = x[rng.permutation(len(x))]
    train, test, seen = x[:1300], x[1300:], []
    ws = weights(rng, [64, 128, 4, 128, 64], 1.0)
    slots = [np.zeros_like(w) for w in ws for _ in range(2)]
    for step in range(1, updates + 1):
        rows = train[rng.integers(0, len(train), 64)]
        outs, slopes = _reconstruct(ws, rows)
        delta, grads = (outs[-1] - rows) / len(rows), []
        for i in range(3, -1, -1):
            delta = delta * slopes[i]
            grads.append(outs[i].T @ delta)
            delta = delta @ ws[i].T
        adam(ws, slots, grads[::-1], step, 0.003 * (1 - step / updates))
        if step % 250 == 0:
            seen.append(float(((_reconstruct(ws, test)[0][-1] - test) ** 2).mean()))
    kept = np.linalg.eigh(train.T @ train)[1][:, -4:]
    pca = float(((test @ kept @ kept.T - test) ** 2).mean())
    ys = {"tanh layers": seen, "PCA": [pca] * len(seen)}
    figure = lines("update", range(250, updates + 1, 250), ys, "error, new images")
    return {"measured": pca / seen[-1], **figure}


def serves(seed: int) -> dict[str, Any]:
    """Errors of a nearest neighbour that sees random codes, over learned ones."""
    rng, (_, y), x = np.random.default_rng(seed), digits(), _centred()
    order = rng.permutation(len(x))
    x, y = x[order], y[order]
    main = np.linalg.eigh(x[:1300].T @ x[:1300])[1][:, ::-1]
    random = np.linalg.qr(rng.normal(size=(64, 64)))[0]
    ys: dict[str, list[float]] = {"learned": [], "random": []}
    for size in CODES:
        for name, basis in (("learned", main), ("random", random)):
            known, new = x[:200] @ basis[:, :size], x[1300:] @ basis[:, :size]
            far = (known**2).sum(1) - 2 * new @ known.T
            ys[name].append(float((y[:200][far.argmin(1)] != y[1300:]).mean()))
    figure = lines("numbers in the code", CODES, ys, "errors, 200 labels", "x")
    return {"measured": ys["random"][3] / ys["learned"][3], **figure}
