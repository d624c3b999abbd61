"""Claims of *momentum*: quadratics, whose best settings are known."""

from __future__ import annotations

import numpy as np

from glossary.lab import Control, Lines, Measurement
from glossary.lab.data import Array
from glossary.lab.steps import momentum, slots_for


def _updates(curvature: Array, start: Array, rate: float, mass: float) -> int:
    """Updates to a millionth of the distance at the start."""
    x = start.copy()
    speed = np.zeros(len(x))
    count = 0
    while np.linalg.norm(x) > 1e-6 * np.linalg.norm(start):
        speed = mass * speed - rate * curvature * x
        x = x + speed
        count += 1
    return count


def is_faster(seed: int) -> Measurement:
    """Updates on quadratics, without and with momentum, at the best settings of each.

    Curvatures from 1 to kappa: 2 / (1 + kappa) without, and with Polyak's
    (2 / (1 + root))^2 and ((root - 1) / (root + 1))^2 with root = sqrt(kappa).
    """
    start = np.random.default_rng(seed).normal(size=20)
    conditions = np.array([1.0, 10.0, 100.0, 1000.0])
    counts: dict[str, list[int]] = {"gradient descent": [], "with momentum": []}
    for kappa in conditions:
        curvature = np.geomspace(1, kappa, 20)
        root = np.sqrt(kappa)
        plain = _updates(curvature, start, 2 / (1 + kappa), 0.0)
        mass = ((root - 1) / (root + 1)) ** 2
        heavy = _updates(curvature, start, (2 / (1 + root)) ** 2, mass)
        counts["gradient descent"].append(plain)
        counts["with momentum"].append(heavy)
    shown = Lines(
        x=conditions,
        ys=counts,
        x_label="condition number (largest over smallest curvature)",
        y_label="updates",
        log="xy",
    )
    plain, heavy = (values[0] for values in counts.values())
    return Measurement(
        measured=counts["gradient descent"][-1] / counts["with momentum"][-1],
        panels=(shown,),
        seen="Without momentum the updates grow with the condition number, with "
        "momentum only with its root.",
        controls=(Control(plain == heavy, "It is faster on round valleys as well."),),
    )


def effective_step(seed: int) -> Measurement:
    """Length of a step under a steady gradient, over that of plain descent."""
    gradient = np.random.default_rng(seed).normal(size=5)
    lengths: dict[str, list[float]] = {"momentum 0.9": [], "momentum 0.5": []}
    for way, mass in zip(lengths.values(), (0.9, 0.5), strict=True):
        ws = [np.zeros(5)]
        speeds = slots_for(ws)
        for _ in range(100):
            momentum(ws, speeds, [gradient], 0.1, mass)
            way.append(
                float(np.linalg.norm(speeds[0]) / np.linalg.norm(0.1 * gradient))
            )
    shown = Lines(
        x=np.arange(1, 101),
        ys=lengths,
        x_label="update",
        y_label="step over that of plain descent",
        marks={"1 / (1 - 0.9)": 10.0, "1 / (1 - 0.5)": 2.0},
    )
    other = Control(lengths["momentum 0.5"][-1] < 3, "Any momentum makes it as long.")
    return Measurement(
        measured=lengths["momentum 0.9"][-1],
        panels=(shown,),
        seen="Under a steady gradient the steps grow to 1 / (1 - momentum) times a "
        "plain step.",
        controls=(other,),
    )


def always_faster(seed: int) -> Measurement:
    """Updates with momentum 0.9 over those without, by the condition number.

    Without momentum at its best learning rate, with it at the best of a grid.
    """
    start = np.random.default_rng(seed).normal(size=20)
    conditions = np.array([2.0, 5.0, 20.0, 100.0, 500.0])
    ratios = []
    for kappa in conditions:
        curvature = np.geomspace(1, kappa, 20)
        plain = _updates(curvature, start, 2 / (1 + kappa), 0.0)
        # Stable up to 2 (1 + momentum) / largest curvature (Goh 2017).
        rates = 2 * 1.9 / kappa * np.geomspace(0.02, 0.95, 10)
        heavy = min(_updates(curvature, start, float(rate), 0.9) for rate in rates)
        ratios.append(heavy / plain)
    shown = Lines(
        x=conditions,
        ys={"momentum 0.9": ratios},
        x_label="condition number (largest over smallest curvature)",
        y_label="updates over those without momentum",
        log="xy",
        marks={"as many": 1.0},
    )
    helps = Control(ratios[-1] < 0.7, "It helps in narrow valleys neither.")
    return Measurement(
        measured=ratios[0],
        panels=(shown,),
        seen="Momentum of 0.9 saves updates in narrow valleys and costs updates in "
        "round ones.",
        controls=(helps,),
    )
