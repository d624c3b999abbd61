"""Claims of *batch normalization* on training: nets with it beside nets without."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from glossary.lab import Control, Lines, Measurement
from glossary.lab.data import Array, Labels, digits
from glossary.lab.nets import softmax, weights

#: Units of the nets of five layers.
WIDTHS = (64, 32, 32, 32, 32, 10)
#: Loss of guessing one of ten digits, in nats.
GUESSING = float(np.log(10))


def _gradients(
    ws: Sequence[Array], x: Array, y: Labels, norm: bool
) -> tuple[float, list[Array]]:
    """Cross-entropy of a dense ReLU net, each layer normalized or not."""
    outs = [x]
    units = []
    scales = []
    for w in ws[:-1]:
        z = outs[-1] @ w
        scales.append(1 / np.sqrt(z.var(0) + 1e-5) if norm else np.ones(w.shape[1]))
        units.append((z - z.mean(0)) * scales[-1] if norm else z)
        outs.append(np.maximum(units[-1], 0))
    delta = softmax(outs[-1] @ ws[-1])
    rows = np.arange(len(x))
    loss = float(-np.log(delta[rows, y] + 1e-300).mean())
    delta[rows, y] -= 1
    delta = delta / len(x)
    grads = [outs[-1].T @ delta]
    for i in range(len(ws) - 2, -1, -1):
        delta = (delta @ ws[i + 1].T) * (units[i] > 0)
        if norm:
            # Mean and deviation depend on every example of the batch, so that each
            # gets its share of their gradients (Ioffe and Szegedy 2015, sec. 3).
            along = units[i] * (delta * units[i]).mean(0)
            delta = (delta - delta.mean(0) - along) * scales[i]
        grads.append(outs[i].T @ delta)
    return loss, grads[::-1]


def _moved(ws: Sequence[Array], grads: Sequence[Array], rate: float) -> list[Array]:
    return [w - rate * g for w, g in zip(ws, grads, strict=True)]


def _shift(
    seed: int, widths: Sequence[int], layer: int, updates: int, seen: str
) -> Measurement:
    """Change of a layer's gradient by the update of those below it, with over without.

    That is how internal covariate shift is measured by Santurkar et al. 2018,
    definition 2.1.
    """
    x, y = digits()
    shifts: dict[str, list[float]] = {}
    learned = {}
    for name, norm in (("without", False), ("with", True)):
        rng = np.random.default_rng(seed)
        changes = []
        losses = []
        ws = weights(rng, list(widths), 2.0)
        for step in range(updates):
            rows = rng.integers(0, len(x), 128)
            loss, grads = _gradients(ws, x[rows], y[rows], norm)
            losses.append(loss)
            moved = _moved(ws, grads, 0.1)
            if step % 10 == 0:
                below_moved = [*moved[:layer], *ws[layer:]]
                _, after = _gradients(below_moved, x[rows], y[rows], norm)
                change = np.linalg.norm(after[layer] - grads[layer])
                changes.append(float(change / np.linalg.norm(grads[layer])))
            ws = moved
        shifts[name] = changes
        learned[name] = float(np.mean(losses[-10:]))
    shown = Lines(
        x=range(0, updates, 10),
        ys={f"{name} batch normalization": changes for name, changes in shifts.items()},
        x_label="update",
        y_label="relative change of the gradient",
        log="y",
    )
    trains = Control(
        max(learned.values()) < GUESSING, "One of the nets does not train."
    )
    return Measurement(
        measured=float(np.mean(shifts["with"]) / np.mean(shifts["without"])),
        panels=(shown,),
        seen=seen,
        controls=(trains,),
    )


def covariate_shift_shallow(seed: int) -> Measurement:
    """In a net of five layers."""
    return _shift(
        seed,
        WIDTHS,
        layer=3,
        updates=200,
        seen="With batch normalization the gradient of a layer changes less when the "
        "layers below it are updated.",
    )


def covariate_shift_deep(seed: int) -> Measurement:
    """In a net of 17 layers at the same learning rate."""
    return _shift(
        seed,
        (64, *[32] * 16, 10),
        layer=12,
        updates=100,
        seen="In the deep net the gradient of a layer changes about as much with batch "
        "normalization as without when the layers below it are updated.",
    )


def smoother(seed: int) -> Measurement:
    """Change of the gradient by a step along it, with over without, by its length.

    That is the smoothness that Santurkar et al. 2018 measure in place of covariate
    shift.
    """
    x, y = digits()
    steps = [0.025, 0.05, 0.1, 0.2]
    ys = {}
    for name, norm in (("without", False), ("with", True)):
        by_place = []
        for ws in _visited(seed, norm):
            _, grads = _gradients(ws, x[:256], y[:256], norm)
            size = np.sqrt(sum(float((g**2).sum()) for g in grads))
            changes = []
            for step in steps:
                moved = _moved(ws, grads, step / size)
                _, after = _gradients(moved, x[:256], y[:256], norm)
                gaps = [((a - b) ** 2).sum() for a, b in zip(after, grads, strict=True)]
                changes.append(float(np.sqrt(sum(gaps))) / size)
            by_place.append(changes)
        ys[f"{name} batch normalization"] = np.median(by_place, axis=0)
    without, with_norm = ys.values()
    shown = Lines(
        x=steps,
        ys=ys,
        x_label="length of a step along the gradient",
        y_label="relative change of the gradient",
        log="xy",
    )
    grows = Control(without[-1] > 2 * without[0], "A longer step changes it no more.")
    return Measurement(
        measured=float(with_norm[2] / without[2]),
        panels=(shown,),
        seen="With batch normalization the gradient changes less along a step of the "
        "same length.",
        controls=(grows,),
    )


def _visited(seed: int, norm: bool) -> list[list[Array]]:
    """Weights of five layers at every 20th of 200 updates."""
    rng = np.random.default_rng(seed)
    x, y = digits()
    visited = []
    ws = weights(rng, list(WIDTHS), 2.0)
    for step in range(200):
        if step % 20 == 0:
            visited.append(ws)
        rows = rng.integers(0, len(x), 128)
        _, grads = _gradients(ws, x[rows], y[rows], norm)
        ws = _moved(ws, grads, 0.1)
    return visited


def _course(
    seed: int, norm: bool, rate: float, batch: int, updates: int, every: int
) -> tuple[float, ...]:
    """Loss of five layers on all digits after each so many updates; at most 10."""
    rng = np.random.default_rng(seed)
    x, y = digits()
    losses = []
    ws = weights(rng, list(WIDTHS), 2.0)
    with np.errstate(all="ignore"):
        for step in range(1, updates + 1):
            rows = rng.integers(0, len(x), batch)
            _, grads = _gradients(ws, x[rows], y[rows], norm)
            ws = _moved(ws, grads, rate)
            if step % every == 0:
                losses.append(_gradients(ws, x, y, norm)[0])
    return tuple(np.minimum(np.nan_to_num(losses, nan=10), 10).tolist())


def faster(seed: int) -> Measurement:
    """Loss after 200 updates at the best of four rates, with over without."""
    ys = {}
    for name, norm in (("without", False), ("with", True)):
        runs = [_course(seed, norm, rate, 64, 200, 20) for rate in (0.1, 0.2, 0.4, 0.8)]
        ys[f"{name} batch normalization"] = min(runs, key=lambda run: run[-1])
    without, with_norm = ys.values()
    shown = Lines(
        x=range(20, 201, 20),
        ys=ys,
        x_label="update",
        y_label="cross-entropy, nats",
        log="y",
    )
    trains = Control(without[-1] < 1.0, "The plain net does not train.")
    return Measurement(
        measured=with_norm[-1] / without[-1],
        panels=(shown,),
        seen="Each at its best learning rate, the net with batch normalization is at a "
        "lower loss all along.",
        controls=(trains,),
    )


def higher_rates(seed: int) -> Measurement:
    """Largest learning rate that trains, with over without."""
    rates = 0.1 * 2.0 ** np.arange(7)
    losses = {
        f"{name} batch normalization": [
            _course(seed, norm, float(rate), 64, 100, 100)[-1] for rate in rates
        ]
        for name, norm in (("without", False), ("with", True))
    }
    largest = []
    for ends in losses.values():
        trained = rates[np.less(ends, 1.5)]
        largest.append(float(trained.max()) if len(trained) else float("nan"))
    without, with_norm = largest
    shown = Lines(
        x=rates,
        ys={name: np.where(np.less(ys, 10), ys, np.nan) for name, ys in losses.items()},
        x_label="learning rate",
        y_label="cross-entropy after 100 updates, nats",
        log="xy",
        marks={"guessing": GUESSING},
    )
    trains = Control(bool(np.isfinite(without)), "The plain net trains at no rate.")
    return Measurement(
        measured=with_norm / without,
        panels=(shown,),
        seen="The plain net is back at guessing at learning rates at which the net "
        "with batch normalization still trains.",
        controls=(trains,),
    )


def poor_in_tiny_batches(seed: int) -> Measurement:
    """Loss with over without, each at its better rate, in batches of 2 and of 64."""
    batches = [2, 4, 16, 64]
    ys = {}
    for name, norm in (("without", False), ("with", True)):
        runs = [
            [_course(seed, norm, rate, batch, 200, 200)[-1] for rate in (0.02, 0.1)]
            for batch in batches
        ]
        ys[f"{name} batch normalization"] = [min(ends) for ends in runs]
    ratios = np.divide(
        ys["with batch normalization"], ys["without batch normalization"]
    )
    shown = Lines(
        x=batches,
        ys=ys,
        x_label="batch size",
        y_label="cross-entropy after 200 updates, nats",
        log="xy",
    )
    works = Control(
        bool(ratios[-1] < 1.25), "It is far behind in batches of 64 as well."
    )
    return Measurement(
        measured=float(ratios[0]),
        panels=(shown,),
        seen="In batches of 64 the net with batch normalization keeps up or is ahead, "
        "in batches of 2 it is behind.",
        controls=(works,),
    )
