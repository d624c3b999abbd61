"""Claims of *optimizer*: the same task for each, from the same start."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from glossary.lab import Bars, Control, Lines, Measurement
from glossary.lab.data import Array, digits
from glossary.lab.nets import gradients, relu, weights
from glossary.lab.steps import adam, momentum, sgd, slots_for

#: Changes weights in place, given their gradients, the number of the update, the rate.
Step = Callable[[Sequence[Array], Sequence[Array], int, float], None]
#: The loss at these weights, and its gradients.
Task = Callable[[Sequence[Array]], tuple[float, Sequence[Array]]]
NAMES = ("SGD", "momentum", "Adam")
_RATES = 10.0 ** np.arange(-3.0, 0.75, 0.5)


def _step(name: str, ws: Sequence[Array]) -> Step:
    """An optimizer with fresh memory for these weights."""
    slots = slots_for(ws, each=2)
    speeds = slots_for(ws)

    def step(
        ws: Sequence[Array], grads: Sequence[Array], update: int, rate: float
    ) -> None:
        if name == "SGD":
            sgd(ws, grads, rate)
        elif name == "momentum":
            momentum(ws, speeds, grads, rate)
        else:
            adam(ws, slots, grads, update, rate)

    return step


def _losses(
    name: str, task: Task, start: Sequence[Array], rate: float, updates: int
) -> Array:
    """Loss before each update; once it is lost, it stays at 1e6."""
    ws = [w.copy() for w in start]
    step = _step(name, ws)
    losses = np.full(updates, 1e6)
    for update in range(updates):
        loss, grads = task(ws)
        if not loss < 1e6:
            break
        losses[update] = loss
        step(ws, grads, update + 1, rate)
    return losses


def _valley(curvatures: Array) -> Task:
    """The sum of curvature w^2 / 2, with its minimum of 0 at 0."""

    def task(ws: Sequence[Array]) -> tuple[float, Sequence[Array]]:
        w = ws[0]
        return float(curvatures @ w**2) / 2, [curvatures * w]

    return task


def long_valley(seed: int) -> Measurement:
    """Updates of gradient descent over those of momentum, each at its best rate."""
    start = [np.random.default_rng(seed).uniform(0.5, 1.5, 20)]
    task = _valley(np.geomspace(1e-3, 1, 20))
    goal = 1e-5 * task(start)[0]
    needed = {}
    ways = {}
    for name in ("SGD", "momentum"):
        runs = [_losses(name, task, start, rate, 2400) for rate in (0.3, 1.0, 1.9, 3.0)]
        counts = [int((run > goal).sum()) for run in runs]
        needed[name] = min(counts)
        ways[name] = runs[int(np.argmin(counts))]
    in_a_bowl = _losses("SGD", _valley(np.ones(20)), start, 1.0, 3)
    # A run ends once it is at the goal.
    ended = {name: np.where(way > goal, way, np.nan) for name, way in ways.items()}
    shown = Lines(
        x=np.arange(0, 1500, 10),
        ys={
            "gradient descent": ended["SGD"][:1500:10] / ways["SGD"][0],
            "momentum": ended["momentum"][:1500:10] / ways["momentum"][0],
        },
        x_label="update",
        y_label="loss, as a share of the first",
        log="y",
        marks={"goal": 1e-5},
    )
    return Measurement(
        measured=needed["SGD"] / needed["momentum"],
        panels=(shown,),
        seen="Momentum reaches the goal after a fraction of the updates.",
        controls=(
            Control(in_a_bowl[1] < goal, "Gradient descent is slow in a bowl as well."),
        ),
    )


def _digits_task(seed: int) -> tuple[Task, Sequence[Array]]:
    """Batches of 32 digits for a small net; the loss is that of all digits at last."""
    x, y = digits()
    rng = np.random.default_rng(seed)
    start = weights(rng, [64, 32, 10], 2.0)
    draws = np.random.default_rng(seed + 1)

    def task(ws: Sequence[Array]) -> tuple[float, Sequence[Array]]:
        rows = draws.integers(0, len(x), 32)
        loss, grads, _ = gradients(list(ws), x[rows], y[rows], relu)
        return loss, grads

    return task, start


def _noisy_task(seed: int) -> tuple[Task, Sequence[Array]]:
    """A round bowl whose gradients are buried in noise of the same size everywhere."""
    draws = np.random.default_rng(seed + 1)
    start = [np.random.default_rng(seed).normal(size=20)]

    def task(ws: Sequence[Array]) -> tuple[float, Sequence[Array]]:
        return float(ws[0] @ ws[0]) / 2, [ws[0] + draws.normal(0, 1, 20)]

    return task, start


def _tilted_task(seed: int) -> tuple[Task, Sequence[Array]]:
    """A long valley that runs aslant to the weights."""
    rng = np.random.default_rng(seed)
    axes, _ = np.linalg.qr(rng.normal(size=(20, 20)))
    hessian = axes @ np.diag(np.geomspace(1e-3, 1, 20)) @ axes.T
    start = [rng.normal(size=20)]

    def task(ws: Sequence[Array]) -> tuple[float, Sequence[Array]]:
        gradient = hessian @ ws[0]
        return float(ws[0] @ gradient) / 2, [gradient]

    return task, start


def _straight_task(seed: int) -> tuple[Task, Sequence[Array]]:
    """A long valley along the weights: each has a curvature of its own."""
    start = [np.random.default_rng(seed).normal(size=20)]
    return _valley(np.geomspace(1e-6, 1, 20)), start


def best_of_all(seed: int) -> Measurement:
    """Loss of each optimizer over the best, on its worst task; the least such loss."""
    tasks = {
        "net on digits": _digits_task,
        "noisy bowl": _noisy_task,
        "valley along the weights": _straight_task,
        "valley aslant": _tilted_task,
    }
    over_best: dict[str, list[float]] = {name: [] for name in NAMES}
    falls = []
    for make in tasks.values():
        ends = {}
        for name in NAMES:
            means = []
            for rate in _RATES:
                task, start = make(seed)
                losses = _losses(name, task, start, float(rate), 200)
                means.append(float(losses[-50:].mean()))
            ends[name] = min(means)
        task, start = make(seed)
        falls.append(task(start)[0] / min(ends.values()))
        for name in NAMES:
            over_best[name].append(ends[name] / min(ends.values()))
    shown = Bars(
        labels=list(tasks),
        ys=over_best,
        y_label="loss over that of the best optimizer",
        log="y",
        marks={"the best": 1.0},
    )
    return Measurement(
        measured=min(max(losses) for losses in over_best.values()),
        panels=(shown,),
        seen="Each of the three is beaten clearly on at least one of the four tasks.",
        controls=(Control(min(falls) > 2, "On one task no optimizer gets anywhere."),),
    )


def same_rate(seed: int) -> Measurement:
    """Advantage of Adam over SGD at the same learning rate, over that at the best."""
    ends: dict[str, list[float]] = {"SGD": [], "Adam": []}
    rates = 10.0 ** np.arange(-4.0, 0.25, 0.5)
    for name, losses_by_rate in ends.items():
        for rate in rates:
            task, start = _digits_task(seed)
            losses = _losses(name, task, start, float(rate), 300)
            losses_by_rate.append(min(float(losses[-50:].mean()), 10.0))
    same = ends["SGD"][4] / ends["Adam"][4]
    best = min(ends["SGD"]) / min(ends["Adam"])
    shown = Lines(
        x=rates,
        ys=ends,
        x_label="learning rate",
        y_label="cross-entropy of the last 50 of 300 updates, nats",
        log="xy",
    )
    return Measurement(
        measured=same / best,
        panels=(shown,),
        seen=(
            "At a learning rate of 0.01 Adam looks many times better; each at its own "
            "best learning rate, the two are near each other."
        ),
        controls=(Control(min(ends["SGD"]) < 1, "SGD learns at no learning rate."),),
    )
