"""Claims of *tanh*: (exp z - exp -z) / (exp z + exp -z)."""

from __future__ import annotations

import numpy as np

from glossary.lab import Bars, Control, Lines, Measurement
from glossary.lab.data import Array, digits
from glossary.lab.deep import descend, layer_outputs
from glossary.lab.nets import sigmoid, tanh, weights

DRAWN = np.linspace(-4, 4, 81)
LEARNING_RATES = np.array([0.03, 0.1, 0.3, 1.0, 3.0])


def _stretched(z: Array, inside: float) -> Array:
    """2 sigmoid(inside z) - 1: a sigmoid stretched to the range from -1 to 1."""
    return 2 * sigmoid(inside * z)[0] - 1


def is_a_sigmoid(seed: int) -> Measurement:
    """Tanh against the sigmoid of twice its input, stretched to -1 ... 1."""
    random = np.random.default_rng(seed).uniform(-20, 20, 400)
    z = np.concatenate([DRAWN, random])
    gap = float(abs(tanh(z)[0] - _stretched(z, 2.0)).max())
    other = float(abs(tanh(z)[0] - _stretched(z, 1.0)).max())
    shown = Lines(
        x=DRAWN,
        ys={
            "tanh(z)": tanh(DRAWN)[0],
            "2 sigmoid(2z) - 1": _stretched(DRAWN, 2.0),
            "2 sigmoid(z) - 1": _stretched(DRAWN, 1.0),
        },
        x_label="z",
        y_label="value",
    )
    return Measurement(
        measured=gap,
        panels=(shown,),
        seen="Tanh lies on the stretched sigmoid of 2z; without the 2 inside, the "
        "curve is too flat.",
        controls=(Control(other > 0.1, "The factor 2 inside makes no difference."),),
    )


def centred(seed: int) -> Measurement:
    """Mean output of each of four layers at the start of training."""
    rng = np.random.default_rng(seed)
    x, _ = digits()
    ws = weights(rng, [64, 128, 128, 128, 128, 10], 1.0)
    means = {
        name: [float(output.mean()) for output in layer_outputs(ws, x, function)]
        for name, function in (("tanh", tanh), ("sigmoid", sigmoid))
    }
    shown = Bars(
        labels=["1", "2", "3", "4"],
        ys=means,
        x_label="layer",
        y_label="mean output over all digits and units",
    )
    return Measurement(
        measured=float(abs(np.array(means["tanh"])).max()),
        panels=(shown,),
        seen="Outputs of tanh lie around 0, and outputs of the sigmoid around a half.",
        controls=(
            Control(
                min(means["sigmoid"]) > 0.4, "Outputs of sigmoids are centred too."
            ),
        ),
    )


def near_zero(seed: int) -> Measurement:
    """Relative distance of tanh z from z for small z."""
    z = np.random.default_rng(seed).uniform(-0.1, 0.1, 1000)
    z = np.append(z, 0.1)
    gap = float(abs(tanh(z)[0] / z - 1).max())
    far = float(abs(tanh(DRAWN[-1:])[0] / DRAWN[-1:] - 1).max())
    shown = Lines(
        x=DRAWN,
        ys={"tanh(z)": tanh(DRAWN)[0], "z": DRAWN},
        x_label="z",
        y_label="value",
    )
    return Measurement(
        measured=gap,
        panels=(shown,),
        seen="Near 0 tanh runs along the straight line z, and leaves it at about 0.5.",
        controls=(Control(far > 0.5, "Tanh is the identity far from 0 as well."),),
    )


def beats_sigmoid(seed: int) -> Measurement:
    """Loss after 200 updates of four layers at the best of five learning rates."""
    x, y = digits()
    losses: dict[str, list[float]] = {"tanh": [], "sigmoid": []}
    for name, function in (("tanh", tanh), ("sigmoid", sigmoid)):
        for learning_rate in LEARNING_RATES:
            rng = np.random.default_rng(seed)
            ws = weights(rng, [64, 32, 32, 32, 10], 1.0)
            losses[name].append(descend(ws, x, y, function, learning_rate, 200, rng))
    shown = Lines(
        x=LEARNING_RATES,
        ys={name: _gaps(values) for name, values in losses.items()},
        x_label="learning rate",
        y_label="loss after 200 updates, nats",
        log="xy",
        marks={"guessing": float(np.log(10))},
    )
    return Measurement(
        measured=min(losses["tanh"]) / min(losses["sigmoid"]),
        panels=(shown,),
        seen="From the same weights, tanh reaches a fraction of the loss of the "
        "sigmoid.",
        controls=(Control(min(losses["tanh"]) < 1, "The net of tanh does not train."),),
    )


def _gaps(losses: list[float]) -> Array:
    """What was lost leaves a gap in a picture."""
    return np.where(np.isfinite(losses), losses, np.nan)
