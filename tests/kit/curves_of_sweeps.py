"""Courses of losses over 200 rates, as sweeps have them, with known answers."""

from __future__ import annotations

import numpy as np

LRS = np.geomspace(1e-7, 10, 200)

#: Where the curves that fall have made 97 % of it: 3 (u + 3) = log(0.97 / 0.03).
FALLEN = 10 ** (np.log(0.97 / 0.03) / 3 - 3)


def curve(kind: str, noise: float = 0.02, seed: int = 0) -> np.ndarray:
    """Losses of a sweep; the lowest of those that fall is near a rate of 0.05."""
    u = np.log10(LRS)
    fall = 2.3 - 1.5 / (1 + np.exp(-3 * (u + 3)))
    losses = {
        "easy": fall + np.exp(6 * (u + 1)) / 50,
        "saturating": np.minimum(fall + np.exp(6 * (u + 1)) / 50, 2.3),
        "flat": np.full(200, 2.3),
        "narrow": 2.3 - 1.5 / (1 + np.exp(-3 * (u - 1))),
        "diverging": 2.3 + np.exp(3 * (u + 6.5)) / 50,
    }[kind]
    return losses + noise * np.random.default_rng(seed).normal(size=200)
