"""Claims of *iteration*: one update, counted."""

from __future__ import annotations

import numpy as np

from glossary.lab import Control, Lines, Measurement
from glossary.lab.data import Array, Labels, digits
from glossary.lab.nets import counted, gradients, relu, tanh, weights
from glossary.lab.steps import sgd

_BATCH = 32


def _trained(seed: int, x: Array, y: Labels, epochs: int) -> list[float]:
    """Loss on the data after each 30 updates of SGD, batches of 32, shuffled epochs."""
    rng = np.random.default_rng(seed)
    ws = weights(rng, [64, 32, 10], 2.0)
    losses = [gradients(ws, x, y, relu)[0]]
    updates = 0
    for _ in range(epochs):
        order = rng.permutation(len(x))
        for begin in range(0, len(x), _BATCH):
            rows = order[begin : begin + _BATCH]
            sgd(ws, gradients(ws, x[rows], y[rows], relu)[1], 0.05)
            updates += 1
            if updates % 30 == 0:
                losses.append(gradients(ws, x, y, relu)[0])
    return losses


def copies(seed: int) -> Measurement:
    """Loss on the data stored twice, for half the epochs, over that on the data."""
    x, y = digits()
    rows = np.random.default_rng(seed).choice(len(x), 960, replace=False)
    one = _trained(seed, x[rows], y[rows], 6)
    twice = np.concatenate([rows, rows])
    half_epochs = _trained(seed, x[twice], y[twice], 3)
    same_epochs = _trained(seed, x[twice], y[twice], 6)
    by_epochs = Lines(
        x=np.arange(7),
        ys={"each example once": one, "each stored twice": same_epochs[::2]},
        x_label="epochs",
        y_label="cross-entropy, nats",
        title="by epochs",
        log="y",
    )
    by_updates = Lines(
        x=30 * np.arange(7),
        ys={"each example once": one, "each stored twice": half_epochs},
        x_label="updates",
        y_label="cross-entropy, nats",
        title="by updates",
        log="y",
    )
    more = same_epochs[-1] / one[-1]
    return Measurement(
        measured=half_epochs[-1] / one[-1],
        panels=(by_epochs, by_updates),
        seen=(
            "By epochs the copied data seem to train faster; by updates both curves "
            "are one."
        ),
        controls=(Control(more < 0.85, "Twice the updates bring nothing."),),
    )


def _work(ws: list[Array], x: Array, y: Labels) -> int:
    """Multiplications of one forward and one backward pass."""
    batch = counted(x)
    gradients(ws, batch, y, relu)
    return batch.tally["work"]


def work(seed: int) -> Measurement:
    """Multiplications of one update with a batch of 64, over those with one example."""
    rng = np.random.default_rng(seed)
    x, y = digits()
    ws = weights(rng, [64, 32, 10], 2.0)
    sizes = 2 ** np.arange(8)
    works = [_work(ws, x[:size], y[:size]) for size in sizes]
    wider = weights(rng, [64, 64, 10], 2.0)
    shown = Lines(
        x=sizes,
        ys={"one update": works},
        x_label="examples in the batch",
        y_label="multiplications for one update",
        log="xy",
    )
    return Measurement(
        measured=works[6] / works[0],
        panels=(shown,),
        seen="Twice the examples in a batch are twice the work of one iteration.",
        controls=(
            Control(
                _work(wider, x[:1], y[:1]) == 2 * works[0],
                "A net twice as wide costs the same.",
            ),
        ),
    )


def _after_two(
    ws: list[Array], batches: list[tuple[Array, Labels]], rate: float
) -> Array:
    """The weights after one update on each of the batches, as one long vector."""
    moved = [w.copy() for w in ws]
    for x, y in batches:
        sgd(moved, gradients(moved, x, y, tanh)[1], rate)
    return np.concatenate([w.ravel() for w in moved])


def order(seed: int) -> Measurement:
    """Power with which the order of two updates comes to matter."""
    rng = np.random.default_rng(seed)
    x, y = digits()
    ws = weights(rng, [64, 16, 10], 1.0)
    rows = rng.choice(len(x), 64, replace=False)
    first = (x[rows[:32]], y[rows[:32]])
    second = (x[rows[32:]], y[rows[32:]])
    start = np.concatenate([w.ravel() for w in ws])
    rates = 10.0 ** np.arange(-4.0, 0.25, 0.5)
    gaps = []
    ways = []
    for rate in rates:
        end = _after_two(ws, [first, second], rate)
        other = _after_two(ws, [second, first], rate)
        gaps.append(float(np.linalg.norm(end - other)))
        ways.append(float(np.linalg.norm(end - start)))
    shown = Lines(
        x=rates,
        ys={"moved by both updates": ways, "between both orders": gaps},
        x_label="learning rate",
        y_label="distance of the weights",
        log="xy",
    )
    power = np.polyfit(np.log(rates[:5]), np.log(gaps[:5]), 1)[0]
    way_power = np.polyfit(np.log(rates[:5]), np.log(ways[:5]), 1)[0]
    return Measurement(
        measured=power,
        panels=(shown,),
        seen=(
            "With ten times the learning rate two updates move ten times as far, and "
            "their two orders end a hundred times as far apart."
        ),
        controls=(
            Control(0.9 < way_power < 1.1, "The updates themselves grow otherwise."),
        ),
    )
