"""Claims of *autoencoder*."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numpy as np

from glossary.lab import Bars, Control, Lines, Measurement
from glossary.lab.data import Array, digits
from glossary.lab.nets import tanh, weights
from glossary.lab.steps import adam, slots_for

CODES = [1, 2, 4, 8, 16, 32]
#: How many labels a nearest neighbour knows.
LABELS = [50, 100, 200, 400]


class Trained(NamedTuple):
    """A tanh autoencoder: its weights, rows it saw, others, and errors on these."""

    ws: list[Array]
    train: Any
    test: Any
    errors: list[float]


def _centred() -> Array:
    """The digits without their mean image, so that a code of nothing is that image."""
    x, _ = digits()
    centred: Array = x - x.mean(0)
    return centred


def _pca(x: Array, size: int) -> float:
    """Mean squared error of the best linear code (Eckart and Young)."""
    values = np.linalg.eigvalsh(x.T @ x / len(x))[::-1]
    return float(values[size:].sum() / x.shape[1])


def linear_is_pca(seed: int) -> Measurement:
    """A linear autoencoder, trained by solving for encoder and decoder in turn."""
    x = _centred()
    gram = x.T @ x / len(x) + 1e-12 * np.eye(64)
    ratios: dict[str, list[float]] = {"random code": [], "linear autoencoder": []}
    for size in CODES:
        encoder = np.random.default_rng(seed).normal(size=(64, size))
        start = encoder @ np.linalg.pinv(encoder)
        random = float(((x @ start - x) ** 2).mean())
        for _ in range(60):
            inner = encoder.T @ gram @ encoder
            decoder = np.linalg.solve(inner, encoder.T @ gram)
            encoder = np.linalg.pinv(decoder)
        trained = float(((x @ encoder @ decoder - x) ** 2).mean())
        best = _pca(x, size)
        ratios["random code"].append(random / best)
        ratios["linear autoencoder"].append(trained / best)
    shown = Lines(
        x=CODES,
        ys=ratios,
        x_label="numbers in the code",
        y_label="squared error over that of PCA",
        log="xy",
        marks={"PCA": 1.0},
    )
    learned = ratios["random code"][3] > 1.1
    return Measurement(
        measured=ratios["linear autoencoder"][3],
        panels=(shown,),
        seen="At every size of the code a linear autoencoder ends where PCA is.",
        controls=(Control(learned, "A random code reaches PCA as well."),),
    )


def denoises(seed: int) -> Measurement:
    """Linear codes fitted to clean and to noisy images, on noisy ones held out."""
    rng = np.random.default_rng(seed)
    x = _centred()
    x = x[rng.permutation(len(x))]
    noisy = x + rng.normal(0, 0.5, x.shape)
    train = slice(0, 1300)
    test = slice(1300, None)
    _, basis = np.linalg.eigh(x[train].T @ x[train])
    fitted = np.linalg.lstsq(noisy[train], x[train])[0]
    # The best map of each rank: its outputs, projected on their main directions.
    _, main = np.linalg.eigh(fitted.T @ noisy[train].T @ noisy[train] @ fitted)
    errors: dict[str, list[float]] = {"trained on clean": [], "trained on noisy": []}
    for size in CODES:
        kept = basis[:, -size:]
        own = main[:, -size:]
        maps = (kept @ kept.T, fitted @ own @ own.T)
        for name, way in zip(errors, maps, strict=True):
            errors[name].append(float(((noisy[test] @ way - x[test]) ** 2).mean()))
    clean, denoising = errors.values()
    untouched = float(((noisy[test] - x[test]) ** 2).mean())
    shown = Lines(
        x=CODES,
        ys=errors,
        x_label="numbers in the code",
        y_label="squared error against the clean image",
        log="x",
        marks={"noisy image itself": untouched},
    )
    return Measurement(
        measured=denoising[5] / clean[5],
        panels=(shown,),
        seen="With a large code, only the one trained on noisy images takes the noise "
        "out.",
        controls=(
            Control(denoising[5] < untouched, "Neither takes any noise out."),
            Control(
                denoising[0] > 0.8 * clean[0],
                "Training on noise helps codes of one number as much.",
            ),
        ),
    )


def _reconstruct(ws: list[Array], x: Array) -> tuple[list[Array], list[Array]]:
    """Outputs and slopes of each layer; code and output are linear."""
    outs = [x]
    slopes = []
    for i, w in enumerate(ws):
        summed = outs[-1] @ w
        if i % 2 == 1:
            value = summed
            slope = np.ones_like(summed)
        else:
            value, slope = tanh(summed)
        outs.append(value)
        slopes.append(slope)
    return outs, slopes


@cache
def _trained(seed: int, size: int, updates: int) -> Trained:
    """Layers of 64, 128, ``size``, 128 and 64 outputs, trained by Adam.

    Args:
        seed: Of weights and batches.
        size: Numbers in the code.
        updates: Their number; the learning rate falls to 0 over them.
    """
    rng = np.random.default_rng(seed)
    x = _centred()
    order = rng.permutation(len(x))
    train = order[:1300]
    test = order[1300:]
    ws = weights(rng, [64, 128, size, 128, 64], 1.0)
    slots = slots_for(ws, each=2)
    errors = []
    for step in range(1, updates + 1):
        rows = x[train[rng.integers(0, len(train), 64)]]
        outs, slopes = _reconstruct(ws, rows)
        delta = (outs[-1] - rows) / len(rows)
        grads = []
        for i in range(3, -1, -1):
            delta = delta * slopes[i]
            grads.append(outs[i].T @ delta)
            delta = delta @ ws[i].T
        adam(ws, slots, grads[::-1], step, 0.003 * (1 - step / updates))
        if step % 250 == 0:
            out = _reconstruct(ws, x[test])[0][-1]
            errors.append(float(((out - x[test]) ** 2).mean()))
    return Trained(ws, train, test, errors)


def _principal(x: Array, size: int) -> Array:
    """The main directions of some rows, a column each."""
    directions: Array = np.linalg.eigh(x.T @ x)[1][:, -size:]
    return directions


def nonlinear(seed: int) -> Measurement:
    """Error of PCA over that of tanh layers with a code as large, on new images."""
    updates = 3000
    x = _centred()
    _, train, test, errors = _trained(seed, 4, updates)
    kept = _principal(x[train], 4)
    pca = float(((x[test] @ kept @ kept.T - x[test]) ** 2).mean())
    shown = Lines(
        x=range(250, updates + 1, 250),
        ys={"tanh layers": errors, "PCA": [pca] * len(errors)},
        x_label="update",
        y_label="squared error, new images",
    )
    nothing = float((x[test] ** 2).mean())
    return Measurement(
        measured=pca / errors[-1],
        panels=(shown,),
        seen="With a code of four numbers, tanh layers come to reconstruct better than "
        "PCA.",
        controls=(Control(pca < 0.8 * nothing, "PCA reconstructs nothing."),),
    )


def compresses(seed: int) -> Measurement:
    """Error of the best linear decoder of a random code, over that of a learned one."""
    x = _centred()
    _, train, test, errors = _trained(seed, 8, 1000)
    code = x @ np.random.default_rng(seed).normal(size=(64, 8))
    decoder = np.linalg.lstsq(code[train], x[train])[0]
    random = float(((code[test] @ decoder - x[test]) ** 2).mean())
    nothing = float((x[test] ** 2).mean())
    shown = Bars(
        labels=["mean image", "random code", "learned code"],
        ys={"error": [nothing, random, errors[-1]]},
        x_label="what is reconstructed from, 8 numbers each",
        y_label="squared error, new images",
    )
    return Measurement(
        measured=random / errors[-1],
        panels=(shown,),
        seen="From the learned code images come back better than from a random one.",
        controls=(Control(random < nothing, "A random code keeps nothing at all."),),
    )


def _neighbour_errors(seed: int, codes: dict[str, Array]) -> dict[str, list[float]]:
    """Errors of a nearest neighbour in each code, for growing numbers of labels."""
    y = digits()[1]
    _, train, test, _ = _trained(seed, 8, 1000)
    errors: dict[str, list[float]] = {name: [] for name in codes}
    for count in LABELS:
        known = train[:count]
        for name, code in codes.items():
            far = (code[known] ** 2).sum(1) - 2 * code[test] @ code[known].T
            wrong = y[known][far.argmin(1)] != y[test]
            errors[name].append(float(wrong.mean()))
    return errors


def _codes(seed: int) -> dict[str, Array]:
    """Codes of eight numbers for all images."""
    x = _centred()
    ws, train, _, _ = _trained(seed, 8, 1000)
    return {
        "autoencoder": np.tanh(x @ ws[0]) @ ws[1],
        "random": x @ np.random.default_rng(seed).normal(size=(64, 8)),
        "PCA": x @ _principal(x[train], 8),
    }


def _shown(errors: dict[str, list[float]]) -> Lines:
    return Lines(
        x=LABELS,
        ys=errors,
        x_label="labels that the neighbour knows",
        y_label="share of errors, new images",
        log="x",
    )


def serves(seed: int) -> Measurement:
    """Errors of a nearest neighbour that sees random codes, over learned ones."""
    codes = _codes(seed)
    errors = _neighbour_errors(seed, {n: codes[n] for n in ("autoencoder", "random")})
    learned, random = errors.values()
    return Measurement(
        measured=random[2] / learned[2],
        panels=(_shown(errors),),
        seen="With learned codes a nearest neighbour makes fewer errors.",
        controls=(Control(random[2] < 0.8, "With a random code it only guesses."),),
    )


def beats_pca(seed: int) -> Measurement:
    """The same with the codes of PCA, over the autoencoder's, at all label counts."""
    errors = _neighbour_errors(seed, _codes(seed))
    learned, random, pca = errors.values()
    return Measurement(
        measured=sum(pca) / sum(learned),
        panels=(_shown(errors),),
        seen="For a nearest neighbour, PCA's code is as good as the autoencoder's.",
        controls=(
            Control(
                sum(learned) < 0.7 * sum(random), "Any code of eight numbers would do."
            ),
        ),
    )
