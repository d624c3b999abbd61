"""Claims of *autoencoder*."""

from __future__ import annotations

from typing import Any

import numpy as np

from glossary.demos._kit import digits, lines

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
