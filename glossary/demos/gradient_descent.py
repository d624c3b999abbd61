"""Claims of *gradient descent*: on losses whose minima are known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from glossary.lab import Control, Lines, Measurement
from glossary.lab.data import Array

_MOST = 30_000


def descend(
    gradient: Callable[[Array], Array], start: Array, rate: float, updates: int
) -> Array:
    """All weights on the way: w <- w - rate * gradient(w); one row an update."""
    w = start.copy()
    way = [w]
    for _ in range(updates):
        w = w - rate * gradient(w)
        way.append(w)
    return np.array(way)


def _updates_needed(condition: float, start: Array) -> int:
    """Updates until the loss has fallen to a millionth, at the best learning rate.

    The loss is the sum of curvature w^2 / 2, with curvatures from 1 to the condition
    number; the best constant learning rate is 2 / (smallest + largest curvature).
    """
    curvatures = np.geomspace(1, condition, len(start))
    rate = 2 / (1 + condition)
    w = start.copy()
    goal = 1e-6 * float(curvatures @ w**2)
    for update in range(_MOST):
        if float(curvatures @ w**2) <= goal:
            return update
        w = descend(lambda at: curvatures * at, w, rate, 1)[-1]
    return _MOST


def condition(seed: int) -> Measurement:
    """Power with which the number of updates grows with the condition number."""
    start = np.random.default_rng(seed).normal(size=20)
    conditions = np.array([2, 5, 10, 20, 50, 100, 200, 500])
    updates = [_updates_needed(c, start) for c in conditions]
    power = np.polyfit(np.log(conditions[2:]), np.log(updates[2:]), 1)[0]
    in_a_bowl = _updates_needed(1.0, start)
    shown = Lines(
        x=conditions,
        ys={"gradient descent": updates},
        x_label="condition number (largest over smallest curvature)",
        y_label="updates until the loss is a millionth",
        log="xy",
    )
    return Measurement(
        measured=power,
        panels=(shown,),
        seen="Ten times the condition number costs ten times the updates.",
        controls=(Control(in_a_bowl == 1, "A round bowl takes many updates as well."),),
    )


def _sign_changes(way: Array) -> float:
    """Share of updates at which a weight changes its sign."""
    return float((np.sign(way[1:]) != np.sign(way[:-1])).mean())


def zigzag(seed: int) -> Measurement:
    """Share of updates that cross the valley, at two learning rates."""
    start = np.random.default_rng(seed).uniform(0.5, 1.5, 2)
    curvatures = np.array([1.0, 20.0])
    high = descend(lambda w: curvatures * w, start, 1.8 / 20, 30)
    low = descend(lambda w: curvatures * w, start, 0.5 / 20, 30)
    updates = np.arange(31)
    panels = tuple(
        Lines(
            x=updates,
            ys={"across the valley": way[:, 1], "along the valley": way[:, 0]},
            x_label="update",
            y_label="weight (the minimum is at 0)",
            title=title,
        )
        for title, way in (
            ("learning rate 1.8 / curvature", high),
            ("learning rate 0.5 / curvature", low),
        )
    )
    stays = _sign_changes(low[:10, 1]) == 0
    return Measurement(
        measured=_sign_changes(high[:, 1]),
        panels=panels,
        seen=(
            "At the high learning rate the steep weight jumps from one side of the "
            "valley to the other at each update; at the low one it does not."
        ),
        controls=(Control(stays, "A low learning rate crosses the valley as well."),),
    )


def _saddle_gradient(w: Array) -> Array:
    """Gradient of x^2 / 2 - y^2 / 2 + y^4 / 4: a saddle at 0, minima at y = 1, -1."""
    x, y = w
    return np.array([x, y**3 - y])


def saddle(seed: int) -> Measurement:
    """Distance from the saddle, on the line that leads into it and 1e-6 beside it."""
    x = np.random.default_rng(seed).uniform(0.5, 2.0)
    on_the_line = descend(_saddle_gradient, np.array([x, 0.0]), 0.1, 400)
    beside = descend(_saddle_gradient, np.array([x, 1e-6]), 0.1, 400)
    distance = np.linalg.norm(on_the_line, axis=1)
    distance_beside = np.linalg.norm(beside, axis=1)
    shown = Lines(
        x=np.arange(401),
        ys={"starts on the line": distance, "starts 1e-6 beside it": distance_beside},
        x_label="update",
        y_label="distance from the saddle",
    )
    return Measurement(
        measured=distance[-1],
        panels=(shown,),
        seen=(
            "From the line, descent runs into the saddle and stays; a millionth beside "
            "it, it waits there for over 100 updates and then leaves."
        ),
        controls=(
            Control(
                distance_beside[-1] > 0.9, "From beside the line it stays as well."
            ),
        ),
    )


def _valleys_gradient(w: Array) -> Array:
    """Gradient of w^4 / 4 - w^2 / 2 + 0.1 w: two valleys, the left one deeper."""
    return w**3 - w + 0.1


def global_minimum(seed: int) -> Measurement:
    """Share of 500 random starts that end in the deeper of two valleys."""
    starts = np.random.default_rng(seed).uniform(-2, 2, 500)
    ends = descend(_valleys_gradient, starts, 0.1, 500)[-1]
    bowl_ends = descend(lambda w: w, starts, 0.1, 500)[-1]
    fewer = np.linspace(-2, 2, 9)
    ways = descend(_valleys_gradient, fewer, 0.1, 60)
    places = np.linspace(-1.7, 1.7, 69)
    loss = Lines(
        x=places,
        ys={"loss": places**4 / 4 - places**2 / 2 + 0.1 * places},
        x_label="weight",
        y_label="loss",
        title="the loss",
    )
    shown = Lines(
        x=np.arange(61),
        ys={f"start {start:g}": ways[:, i] for i, start in enumerate(fewer) if i % 2},
        x_label="update",
        y_label="weight",
        title="where descent goes",
        marks={"deeper valley": float(ends.min())},
    )
    return Measurement(
        measured=(ends < 0).mean(),
        panels=(loss, shown),
        seen="Where descent starts decides in which valley it ends.",
        controls=(
            Control(bool((abs(bowl_ends) < 1e-6).all()), "It misses one in a bowl."),
        ),
    )
