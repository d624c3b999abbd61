"""The claims of these terms, measured. Imported only where a demo is run."""

from __future__ import annotations

from typing import Any

import numpy as np

from glossary.lab import Bars, Control, Lines, Measurement

EPSILON = 1e-3
ITERATIONS = 100


def group_norm(x: Any, groups: int) -> Any:
    """Mean 0 and variance 1 in each group of an example (Wu and He 2018, sec. 3.1)."""
    grouped = x.reshape(len(x), groups, -1)
    centred = grouped - grouped.mean(axis=2, keepdims=True)
    scaled = centred / np.sqrt(grouped.var(axis=2, keepdims=True) + EPSILON)
    return scaled.reshape(x.shape)


def batch_norm(x: Any) -> Any:
    """Mean 0 and variance 1 of each feature over the batch: the control arm."""
    return (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + EPSILON)


def alone(seed: int) -> Measurement:
    """Change of the output for one example when the others are exchanged."""
    rng = np.random.default_rng(seed)
    batch = rng.normal(size=(16, 32))
    others = rng.normal(size=(16, 32))
    exchanged = np.vstack([batch[:1], others[1:]])
    by_group = abs(group_norm(batch, 4)[0] - group_norm(exchanged, 4)[0])
    by_batch = abs(batch_norm(batch)[0] - batch_norm(exchanged)[0])
    shown = Bars(
        labels=["group normalization", "batch normalization"],
        ys={"change": [by_group.max(), by_batch.max()]},
        y_label="largest change of the output",
    )
    return Measurement(
        measured=by_group.max(),
        panels=(shown,),
        seen="The other examples change what batch normalization gives, and only that.",
        controls=(Control(by_batch.max() > 0.01, "Nothing depends on the others."),),
    )


def power_iteration(weights: Any, rng: np.random.Generator, iterations: int) -> Any:
    """Estimates of the largest singular value (Miyato et al. 2018, algorithm 1)."""
    left = rng.normal(size=len(weights))
    estimates = []
    for _ in range(iterations):
        right = weights.T @ left
        right /= np.linalg.norm(right)
        left = weights @ right
        left /= np.linalg.norm(left)
        estimates.append(left @ weights @ right)
    return np.array(estimates)


def stretches_nothing(seed: int) -> Measurement:
    """How far a dense layer moves two inputs apart, over how far apart they were."""
    rng = np.random.default_rng(seed)
    weights = rng.normal(size=(64, 32)) * np.sqrt(2 / 32)
    plain = np.linalg.svd(weights, compute_uv=False)[0]  # at the worst two inputs
    estimates = power_iteration(weights, rng, ITERATIONS)
    shown = Lines(
        x=np.arange(1, ITERATIONS + 1),
        ys={
            "spectral normalization": plain / estimates,
            "plain layer": np.full(ITERATIONS, plain),
        },
        x_label="iterations of the estimate",
        y_label="largest stretch of a difference",
        log="x",
        marks={"no stretch": 1.0},
    )
    return Measurement(
        measured=(plain / estimates)[-1],
        panels=(shown,),
        seen="The better the estimate, the closer the largest stretch comes to 1.",
        controls=(Control(plain > 1.5, "The plain layer stretches nothing as well."),),
    )
