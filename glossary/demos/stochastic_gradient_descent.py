"""Claims of *stochastic gradient descent*."""

from __future__ import annotations

import numpy as np

from glossary.lab import Control, Lines, Measurement
from glossary.lab.data import Array, Labels, digits
from glossary.lab.nets import gradients, relu, softmax, weights
from glossary.lab.steps import sgd


def _example_gradients(seed: int) -> tuple[Array, Labels]:
    """The gradient of each digit, one row an example, and the digits' labels.

    Of softmax regression, whose gradient for one example is x (p - one-hot(y)).
    """
    rng = np.random.default_rng(seed)
    x, y = digits()
    chances = softmax(x @ rng.normal(0, 0.1, (64, 10)))
    chances[np.arange(len(x)), y] -= 1
    each = x[:, :, None] * chances[:, None, :]
    return each.reshape(len(x), -1), y


def _distances(rng: np.random.Generator, each: Array, draws: Labels) -> list[float]:
    """Distance of the mean of so many random batches of 8 from the full gradient."""
    full = each.mean(axis=0)
    even = np.full(len(each), 1 / len(each))
    distances = []
    for batches in draws:
        counts = rng.multinomial(8 * batches, even, size=20)
        means = counts @ each / (8 * batches)
        distances.append(float(np.linalg.norm(means - full, axis=1).mean()))
    return distances


def unbiased(seed: int) -> Measurement:
    """Power with which the mean of batch gradients nears the full gradient."""
    rng = np.random.default_rng(seed)
    each, labels = _example_gradients(seed)
    full = each.mean(axis=0)
    length = float(np.linalg.norm(full))
    draws = 4 ** np.arange(7)
    fair = [gap / length for gap in _distances(rng, each, draws)]
    # Batches that leave out every 9 are biased: their mean nears something else.
    even = np.flatnonzero(labels < 9)
    share = np.full(len(even), 1 / len(even))
    unfair = []
    for batches in draws:
        counts = rng.multinomial(8 * batches, share, size=20)
        means = counts @ each[even] / (8 * batches)
        unfair.append(np.linalg.norm(means - full, axis=1).mean() / length)
    shown = Lines(
        x=draws,
        ys={"batches of all digits": fair, "batches without the nines": unfair},
        x_label="number of batches averaged",
        y_label="distance from the full gradient, relative",
        log="xy",
    )
    power = np.polyfit(np.log(draws), np.log(fair), 1)[0]
    return Measurement(
        measured=power,
        panels=(shown,),
        seen=(
            "The mean of more and more batch gradients comes ever nearer to the full "
            "gradient; that of one-sided batches stops short of it."
        ),
        controls=(
            Control(
                unfair[-1] > 5 * fair[-1], "One-sided batches have no bias either."
            ),
        ),
    )


def _hovering(seed: int, rate: float, updates: int, far: float) -> Array:
    """Loss above the minimum at each update, mean of 200 runs of SGD, batches of 1.

    Linear regression with 10 features and noise; ``far`` from the minimum at first.
    """
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(500, 10))
    y = x @ rng.normal(size=10) + rng.normal(0, 0.5, 500)
    best = np.linalg.lstsq(x, y, rcond=None)[0]
    hessian = x.T @ x / len(x)
    w = best + far * rng.normal(size=(200, 10))
    above = []
    for _ in range(updates):
        rows = rng.integers(0, len(x), len(w))
        errors = (w * x[rows]).sum(axis=1) - y[rows]
        w = w - rate * errors[:, None] * x[rows]
        away = w - best
        above.append(float(((away @ hessian) * away).sum(axis=1).mean() / 2))
    return np.array(above)


def noise_floor(seed: int) -> Measurement:
    """Power with which the height of the floor grows with the learning rate."""
    rates = 0.0025 * 2.0 ** np.arange(4)
    # From the minimum itself, so that nothing but the noise lifts the loss.
    floors = []
    for rate in rates:
        updates = int(4 / rate)
        floors.append(_hovering(seed, rate, updates, far=0.0)[updates // 2 :].mean())
    falls = {f"learning rate {r:g}": _hovering(seed, r, 1200, 1.0) for r in rates[1:]}
    way = Lines(
        x=np.arange(0, 1200, 20),
        ys={name: fall[::20] for name, fall in falls.items()},
        x_label="update",
        y_label="loss above the minimum",
        title="the fall ends at a floor",
        log="y",
    )
    shown = Lines(
        x=rates,
        ys={"floor": floors},
        x_label="learning rate",
        y_label="loss above the minimum, at the end",
        title="height of the floor",
        log="xy",
    )
    fell = falls["learning rate 0.02"]
    return Measurement(
        measured=np.polyfit(np.log(rates), np.log(floors), 1)[0],
        panels=(way, shown),
        seen=(
            "The loss falls and then hovers; half the learning rate takes longer and "
            "hovers half as high."
        ),
        controls=(Control(fell[0] > 10 * fell[-1], "SGD does not come near at all."),),
    )


_PASSES = 40
_GOAL = 0.3


def _losses(seed: int, rate: float, batch: int, goal: float = 0.0) -> list[float]:
    """Loss on 600 digits after each pass over them, until it is below the goal."""
    rng = np.random.default_rng(seed)
    x, y = digits()
    x = x[:600]
    y = y[:600]
    ws = weights(rng, [64, 32, 10], 2.0)
    losses = [gradients(ws, x, y, relu)[0]]
    for _ in range(_PASSES):
        order = rng.permutation(600)
        for begin in range(0, 600, batch):
            rows = order[begin : begin + batch]
            sgd(ws, gradients(ws, x[rows], y[rows], relu)[1], rate)
        losses.append(gradients(ws, x, y, relu)[0])
        if not losses[-1] < 1e3 or losses[-1] < goal:
            break
    return losses


def fewer_examples(seed: int) -> Measurement:
    """Passes over the data for the same loss, batches of all 600 over batches of 10."""
    passes = {}
    ways = {}
    for batch, rates in ((600, (0.4, 0.8, 1.2)), (10, (0.1, 0.2, 0.4))):
        runs = {rate: _losses(seed, rate, batch, _GOAL) for rate in rates}
        reached = [rate for rate in rates if runs[rate][-1] < _GOAL] or [rates[0]]
        best = min(reached, key=lambda rate: len(runs[rate]))
        passes[batch] = len(runs[best]) - 1
        ways[batch] = _losses(seed, best, batch)
    shown = Lines(
        x=np.arange(_PASSES + 1),
        ys={
            "all 600 at each update": ways[600],
            "10 at each update": ways[10],
        },
        x_label="passes over the 600 examples",
        y_label="cross-entropy, nats",
        log="y",
        marks={"goal": _GOAL},
    )
    learned = min(ways[600]) < _GOAL
    return Measurement(
        measured=passes[600] / passes[10],
        panels=(shown,),
        seen=(
            "With 10 examples an update the goal is reached after a few passes over "
            "the data, with all of them after many more."
        ),
        controls=(Control(learned, "The full batch never reaches the goal."),),
    )


def _one_pass(seed: int, order: Labels) -> list[float]:
    """Loss on all digits on the way of one pass in this order, batches of 16."""
    x, y = digits()
    ws = weights(np.random.default_rng(seed), [64, 32, 10], 2.0)
    losses = [gradients(ws, x, y, relu)[0]]
    for number, begin in enumerate(range(0, len(x), 16)):
        rows = order[begin : begin + 16]
        sgd(ws, gradients(ws, x[rows], y[rows], relu)[1], 0.1)
        if number % 8 == 7:
            losses.append(gradients(ws, x, y, relu)[0])
    return losses


def shuffling(seed: int) -> Measurement:
    """Loss after a pass in the order of the classes, over that after a shuffled one."""
    rng = np.random.default_rng(seed)
    labels = digits()[1]
    shuffled = rng.permutation(len(labels))
    # Within a class the order stays random.
    by_class = shuffled[np.argsort(labels[shuffled], kind="stable")]
    again = rng.permutation(len(labels))
    losses = {
        "sorted by class": _one_pass(seed, by_class),
        "shuffled": _one_pass(seed, shuffled),
    }
    same = _one_pass(seed, again)[-1] / losses["shuffled"][-1]
    shown = Lines(
        x=128 * np.arange(len(losses["shuffled"])),
        ys=losses,
        x_label="examples seen",
        y_label="cross-entropy on all digits, nats",
        log="y",
    )
    return Measurement(
        measured=losses["sorted by class"][-1] / losses["shuffled"][-1],
        panels=(shown,),
        seen=(
            "Shuffled, the loss falls; sorted by class, each class is learned at the "
            "cost of those before it."
        ),
        controls=(
            Control(0.5 < same < 2, "Another shuffled order changes it as much."),
        ),
    )
