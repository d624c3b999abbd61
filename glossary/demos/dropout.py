"""Claims of *dropout*."""

from __future__ import annotations

import numpy as np

from glossary.lab import Bars, Control, Lines, Measurement
from glossary.lab.data import Array, Split
from glossary.lab.fitting import few_digits, loss
from glossary.lab.nets import relu, softmax, weights
from glossary.lab.steps import adam, slots_for


def dropped(rng: np.random.Generator, x: Array, rate: float) -> Array:
    """Inverted dropout: each value 0 by chance ``rate``, the others made larger."""
    kept: Array = x * (rng.random(x.shape) >= rate) / (1 - rate)
    return kept


def keeps_mean(seed: int) -> Measurement:
    """Mean of a unit over many masks, over its value, by the rate."""
    rng = np.random.default_rng(seed)
    rates = np.array([0.1, 0.3, 0.5, 0.7, 0.9])
    x = rng.uniform(0.5, 2, 40)
    means = []
    without = []
    for rate in rates:
        many = dropped(rng, np.tile(x, (20_000, 1)), rate)
        means.append(float((many.mean(axis=0) / x).mean()))
        unscaled = many * (1 - rate)
        without.append(float((unscaled.mean(axis=0) / x).mean()))
    shown = Lines(
        x=rates,
        ys={"scaled by 1 / (1 - rate)": means, "without scaling": without},
        x_label="dropout rate",
        y_label="mean over 20,000 masks, over the value itself",
    )
    ratios = np.array(means)
    return Measurement(
        measured=ratios[np.argmax(abs(ratios - 1))],
        panels=(shown,),
        seen="With scaling the mean stays at the value itself, at any rate; without, "
        "it falls with the rate.",
        controls=(
            Control(without[2] < 0.6, "The mean stays without scaling as well."),
        ),
    )


def _all_masks(units: int) -> Array:
    """Each way to keep or drop so many units, one a row."""
    numbers = np.arange(2**units)
    masks: Array = (numbers[:, None] >> np.arange(units) & 1).astype(float)
    return masks


def scaled_to_one(logs: Array) -> Array:
    """Chances from their logarithms, scaled to add up to 1."""
    return softmax(logs)


def _averages(seed: int, hidden: bool) -> tuple[Array, Array, Array]:
    """Chances of five classes for 40 inputs, averaged over all 256 masks of 8 units.

    Args:
        seed: Draws the weights and the inputs.
        hidden: Whether a hidden layer with ReLU lies behind the dropped units.

    Returns:
        Chances of the whole net (inputs halved instead of dropped), and the geometric
        and the arithmetic mean of all masks.
    """
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(40, 1, 8))
    first = rng.normal(0, 1, (8, 16)) if hidden else np.eye(8)
    last = rng.normal(0, 0.7, (16 if hidden else 8, 5))

    def chances(inputs: Array) -> Array:
        inner = inputs @ first
        return softmax((relu(inner)[0] if hidden else inner) @ last)

    each = chances(x * _all_masks(8))
    whole = chances(x / 2)[:, 0]
    geometric = scaled_to_one(np.log(each).mean(axis=1))
    return whole, geometric, each.mean(axis=1)


def _average_lines(seed: int, hidden: bool) -> tuple[Lines, float, float]:
    whole, geometric, arithmetic = _averages(seed, hidden)
    order = np.argsort(geometric[:, 0])
    level = geometric[order, 0]
    shown = Lines(
        x=level,
        ys={
            "one net with halved inputs": whole[order, 0],
            **({} if hidden else {"arithmetic mean of all 256": arithmetic[order, 0]}),
            "equal": level,
        },
        x_label="chance of the first class, geometric mean of all 256 nets",
        y_label="chance of the first class",
    )
    return shown, abs(whole - geometric).max(), abs(whole - arithmetic).max()


def linear_ensemble(seed: int) -> Measurement:
    """One softmax layer with halved inputs against the mean of all its thinned ones."""
    shown, geometric, arithmetic = _average_lines(seed, hidden=False)
    return Measurement(
        measured=geometric,
        panels=(shown,),
        seen="One layer with halved inputs lies on the diagonal: it gives the "
        "geometric mean of all 256 thinned layers. Their arithmetic mean is another.",
        controls=(Control(arithmetic > 0.01, "It gives the arithmetic mean as well."),),
    )


def deep_ensemble(seed: int) -> Measurement:
    """The same with a hidden layer between the dropped units and the softmax."""
    shown, geometric, _ = _average_lines(seed, hidden=True)
    _, exact, _ = _average_lines(seed, hidden=False)
    return Measurement(
        measured=geometric,
        panels=(shown,),
        seen="With a hidden layer the net with halved inputs lies near the diagonal, "
        "but not on it.",
        controls=(
            Control(exact < 1e-9, "It is not exact without a hidden layer either."),
        ),
    )


def _trained(seed: int, data: Split, width: int, rate: float, updates: int) -> float:
    """Held-out loss of a net trained with dropout on its hidden layer."""
    rng = np.random.default_rng([seed, 6])
    ws = weights(rng, [64, width, 10], 2.0)
    slots = slots_for(ws, 2)
    for step in range(1, updates + 1):
        rows = rng.integers(0, len(data.train_x), 32)
        x = data.train_x[rows]
        inner = x @ ws[0]
        mask = dropped(rng, np.ones_like(inner), rate)
        hidden = np.maximum(inner, 0) * mask
        delta = softmax(hidden @ ws[1])
        delta[np.arange(32), data.train_y[rows]] -= 1
        delta /= 32
        back = (delta @ ws[1].T) * mask * (inner > 0)
        adam(ws, slots, [x.T @ back, hidden.T @ delta], step, 0.005)
    return loss(ws, data.test_x, data.test_y)


RATES = np.array([0.0, 0.2, 0.4, 0.6, 0.8])


def _by_rate(seed: int, data: Split, width: int, updates: int) -> Array:
    return np.array([_trained(seed, data, width, rate, updates) for rate in RATES])


def large_net(seed: int) -> Measurement:
    """Held-out loss at rate 0.6 over that without, large net and few digits."""
    data = few_digits(seed, 100, wrong=0.2)
    losses = _by_rate(seed, data, 128, 300)
    shown = Lines(
        x=RATES,
        ys={"128 hidden units, 100 digits": losses},
        x_label="dropout rate",
        y_label="held-out loss in nats",
    )
    return Measurement(
        measured=losses[3] / losses[0],
        panels=(shown,),
        seen="The loss of a large net on held-out digits falls with the dropout rate.",
        controls=(Control(losses[0] < 2.0, "The net learns nothing without dropout."),),
    )


def small_net(seed: int) -> Measurement:
    """Held-out loss at rate 0.4 over that without, small net and many digits."""
    losses = _by_rate(seed, few_digits(seed, 1300), 12, 300)
    shown = Lines(
        x=RATES,
        ys={"12 hidden units, 1300 digits": losses},
        x_label="dropout rate",
        y_label="held-out loss in nats",
    )
    return Measurement(
        measured=losses[2] / losses[0],
        panels=(shown,),
        seen="The loss of a small net on held-out digits rises with the dropout rate.",
        controls=(Control(losses[0] < 1.0, "The net learns nothing without dropout."),),
    )


def keras_inference(seed: int) -> Measurement:
    """What Keras' layer changes, outside of training and in it."""
    import keras  # an extra: NumPy is enough for the other claims

    x = np.random.default_rng(seed).uniform(0.5, 2, (1, 12)).astype("float32")
    layer = keras.layers.Dropout(0.5, seed=3)  # one mask, so that seeds can be compared
    convert = keras.ops.convert_to_numpy
    outside = convert(layer(x, training=False))[0]
    inside = convert(layer(x, training=True))[0]
    shown = Bars(
        labels=[str(unit) for unit in range(1, 13)],
        ys={"training=False": outside / x[0], "training=True": inside / x[0]},
        x_label="unit",
        y_label="output over input",
    )
    return Measurement(
        measured=abs(outside - x[0]).max(),
        panels=(shown,),
        seen="Outside of training each unit passes as it is; in training it is dropped "
        "or doubled.",
        controls=(Control(abs(inside - x[0]).max() > 0.1, "Nothing is ever dropped."),),
    )
