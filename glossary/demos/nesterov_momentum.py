"""Claims of *Nesterov momentum*, in float64."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from glossary.lab import Control, Lines, Measurement
from glossary.lab.data import Array, digits
from glossary.lab.nets import softmax
from glossary.lab.steps import momentum

#: Gradient of a loss at a place.
Slope = Callable[[Array], Array]


def _way(
    gradient: Slope,
    start: Array,
    rate: float,
    mass: float,
    nesterov: bool,
    updates: int,
) -> Array:
    """Weights before the first and after each update."""
    w = start.copy()
    speed = np.zeros_like(w)
    way = [w.copy()]
    for _ in range(updates):
        momentum([w], [speed], [gradient(w)], rate, mass, nesterov)
        way.append(w.copy())
    return np.array(way)


def _ahead(
    gradient: Slope, start: Array, rate: float, mass: Array | float, updates: int
) -> tuple[Array, Array]:
    """Nesterov's method as Sutskever writes it: the gradient is taken ahead.

    Returns:
        Weights, and the places ahead, w + mass v, at which each gradient is taken.
    """
    w = start.copy()
    speed = np.zeros_like(w)
    way = [w]
    places = [w]
    for _ in range(updates):
        speed = mass * speed - rate * gradient(w + mass * speed)
        w = w + speed
        way.append(w)
        places.append(w + mass * speed)
    return np.array(way), np.array(places)


def _bowl(curvature: Array | float) -> Slope:
    """Gradient of the bowl curvature w^2 / 2."""
    return lambda w: curvature * w


def same_places(seed: int) -> Measurement:
    """Both ways to write the method, on softmax regression of 300 digits."""
    x, y = digits()
    rng = np.random.default_rng(seed)
    rows = rng.permutation(len(x))[:300]
    images = x[rows]
    goal = np.eye(10)[y[rows]]

    def gradient(w: Array) -> Array:
        slope: Array = images.T @ (softmax(images @ w) - goal) / len(images)
        return slope

    start = rng.normal(0, 0.1, (64, 10))
    _, ahead = _ahead(gradient, start, 1.5, 0.9, 100)
    ways = {
        "Nesterov as Keras writes it": _way(gradient, start, 1.5, 0.9, True, 100),
        "classical momentum": _way(gradient, start, 1.5, 0.9, False, 100),
    }
    length = np.linalg.norm(ahead - start)
    apart = {name: abs(way - ahead).max() for name, way in ways.items()}

    away = {name: abs(way - ahead).max(axis=(1, 2)) for name, way in ways.items()}
    shown = Lines(
        x=np.arange(101),
        ys={name: np.where(row == 0, np.nan, row) for name, row in away.items()},
        x_label="update",
        y_label="difference of a weight from the places ahead",
        log="y",
    )
    return Measurement(
        measured=apart["Nesterov as Keras writes it"] / length,
        panels=(shown,),
        seen="Nesterov's method as Keras writes it keeps to the places ahead but for "
        "rounding; classical momentum leaves them at once.",
        controls=(
            Control(
                apart["classical momentum"] > 0.01, "Classical momentum is the same."
            ),
        ),
    )


def overshoot(seed: int) -> Measurement:
    """How far each swings beyond the minimum of a bowl, by its curvature."""
    steepness = np.geomspace(0.005, 0.7, 16)  # learning rate times curvature
    start = np.random.default_rng(seed).uniform(0.5, 2, len(steepness))
    beyond = {}
    for name, nesterov in (("classical momentum", False), ("Nesterov", True)):
        way = _way(_bowl(steepness), start, 1.0, 0.9, nesterov, 300)
        beyond[name] = np.maximum(0.0, -(way / start).min(axis=0))
    shown = Lines(
        x=steepness,
        ys={name: 100 * share for name, share in beyond.items()},
        x_label="learning rate times curvature",
        y_label="swing beyond the minimum, % of the start",
        log="x",
    )
    steep = int(np.argmin(abs(steepness - 0.5)))
    swings = beyond["classical momentum"][steep]
    return Measurement(
        measured=beyond["Nesterov"][steep] / swings,
        panels=(shown,),
        seen="The steeper the bowl, the more Nesterov's method damps the swing; in a "
        "flat one both swing alike.",
        controls=(Control(swings > 0.3, "Classical momentum does not swing."),),
    )


def lower_mass(seed: int) -> Measurement:
    """Nesterov's way against classical momentum with mass (1 - rate curvature)."""
    steepness = np.array([0.01, 0.1, 0.5, 0.9])
    start = np.random.default_rng(seed).uniform(0.5, 2, len(steepness))
    ahead, _ = _ahead(_bowl(steepness), start, 1.0, 0.9, 100)
    plain = _way(_bowl(steepness), start, 1.0, 0.9, False, 100)
    lowered = np.zeros_like(ahead)
    for i, steep in enumerate(steepness):
        mass = 0.9 * (1 - steep)
        one = start[i : i + 1]
        lowered[:, i] = _way(_bowl(steep), one, 1.0, mass, False, 100)[:, 0]
    ways = {
        "Nesterov, 0.9": ahead,
        "classical, 0.9 x (1 - 0.5)": lowered,
        "classical, 0.9": plain,
    }
    shown = Lines(
        x=np.arange(41),
        ys={name: way[:41, 2] / start[2] for name, way in ways.items()},
        x_label="update (learning rate times curvature is 0.5)",
        y_label="place, over that of the start",
    )
    return Measurement(
        measured=abs(ahead - lowered).max(),
        panels=(shown,),
        seen="Nesterov's curve is that of classical momentum with a lower coefficient.",
        controls=(
            Control(
                abs(plain - ahead).max() > 0.1,
                "Classical momentum with the same coefficient is the same.",
            ),
        ),
    )


def _needed(way: Array) -> int:
    """Updates until the distance from 0 stays below a millionth of the start."""
    distance = np.linalg.norm(way, axis=1)
    late = np.flatnonzero(distance > 1e-6 * distance[0])
    return int(late[-1]) + 1


def always_faster(seed: int) -> Measurement:
    """Updates on quadratic bowls, each method at the settings that are best for it.

    Best for the worst start (Lessard, Recht and Packard 2016, proposition 1).
    """
    conditions = np.array([10.0, 30.0, 100.0, 300.0, 1000.0])
    rng = np.random.default_rng(seed)
    needed: dict[str, list[int]] = {"classical momentum": [], "Nesterov": []}
    plain = []
    for condition in conditions:
        curvature = np.geomspace(1, condition, 20)
        start = rng.normal(size=20)
        root = np.sqrt(condition)
        rate = 4 / (1 + root) ** 2
        mass = ((root - 1) / (root + 1)) ** 2
        way = _way(_bowl(curvature), start, rate, mass, False, 800)
        needed["classical momentum"].append(_needed(way))
        far = np.sqrt(3 * condition + 1)
        rate = 4 / (3 * condition + 1)
        mass = (far - 2) / (far + 2)
        way = _way(_bowl(curvature), start, rate, mass, True, 800)
        needed["Nesterov"].append(_needed(way))
        shrink = (condition - 1) / (condition + 1)
        plain.append(np.log(1e-6) / np.log(shrink))
    shown = Lines(
        x=conditions,
        ys={**needed, "gradient descent (bound)": plain},
        x_label="largest over smallest curvature",
        y_label="updates until a millionth of the distance is left",
        log="xy",
    )
    helps = needed["Nesterov"][-1] < 0.3 * plain[-1]
    return Measurement(
        measured=needed["Nesterov"][-1] / needed["classical momentum"][-1],
        panels=(shown,),
        seen="On quadratic bowls classical momentum needs fewer updates than "
        "Nesterov's method; both need far fewer than gradient descent.",
        controls=(Control(helps, "Momentum saves no updates at all."),),
    )


def changing_curvature(seed: int) -> Measurement:
    """A convex function on which well-tuned classical momentum goes in a circle.

    Its slope is 25 w below 1, w + 24 up to 2 and 25 w - 24 beyond (Lessard, Recht and
    Packard 2016, eq. 4.11); the settings are the best for quadratic bowls between
    its curvatures 1 and 25.
    """
    start = np.array([np.random.default_rng(seed).uniform(3.1, 3.4)])

    def bent(w: Array) -> Array:
        slope: Array = np.where(w < 1, 25 * w, np.where(w < 2, w + 24, 25 * w - 24))
        return slope

    root = np.sqrt(3 * 25 + 1)
    classical = _way(bent, start, 1 / 9, 4 / 9, False, 200)[:, 0]
    nesterov = _way(bent, start, 4 / 76, (root - 2) / (root + 2), True, 200)[:, 0]
    bowl = _way(_bowl(25.0), start, 1 / 9, 4 / 9, False, 200)[:, 0]
    shown = Lines(
        x=np.arange(41),
        ys={"classical momentum": classical[:41], "Nesterov": nesterov[:41]},
        x_label="update",
        y_label="w (the minimum lies at 0)",
    )
    return Measurement(
        measured=abs(nesterov[-20:]).max() / abs(classical[-20:]).max(),
        panels=(shown,),
        seen="Classical momentum goes round and round; Nesterov's method arrives.",
        controls=(
            Control(
                abs(bowl[-20:]).max() < 1e-9, "It goes in a circle in a bowl as well."
            ),
        ),
    )
