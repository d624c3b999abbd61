"""Claims of *weight initialization* (Glorot and Bengio 2010; He 2015)."""

from __future__ import annotations

import numpy as np

from glossary.lab import Control, Lines, Measurement
from glossary.lab.data import Array, digits
from glossary.lab.deep import descend, layer_outputs
from glossary.lab.nets import gradients, relu, tanh, weights
from glossary.lab.steps import sgd
from glossary.lab.tape import cross_entropy

HE = 2.0  # variance of the weights, times the number of inputs
GLOROT = 1.0  # the same for as many outputs as inputs
DEPTH = 20
WIDTH = 256


def symmetry(seed: int) -> Measurement:
    """How far hidden units differ after 100 updates that began with equal weights."""
    x, y = digits()
    spreads: dict[str, list[float]] = {"equal at the start": [], "random": []}
    for name in spreads:
        rng = np.random.default_rng(seed)
        ws = weights(rng, [64, 16, 10], GLOROT)
        if name == "equal at the start":
            ws[0][:] = ws[0].mean(axis=1, keepdims=True)
            ws[1][:] = ws[1].mean(axis=0, keepdims=True)
        for update in range(101):
            if update % 10 == 0:
                spreads[name].append(float(ws[0].std(axis=1).mean()))
            rows = rng.integers(0, len(x), 32)
            sgd(ws, gradients(ws, x[rows], y[rows], tanh)[1], 0.5)
    shown = Lines(
        x=np.arange(0, 101, 10),
        ys=spreads,
        x_label="update",
        y_label="standard deviation of a weight over the units",
    )
    return Measurement(
        measured=spreads["equal at the start"][-1],
        panels=(shown,),
        seen="Units that start with equal weights stay equal; random ones stay apart.",
        controls=(Control(spreads["random"][-1] > 0.01, "Random units become equal."),),
    )


def _sizes(seed: int, gain: float, function: str) -> Array:
    """Root mean square of the outputs of each layer, over that of the first."""
    x, _ = digits()
    rng = np.random.default_rng(seed)
    ws = weights(rng, [64] + [WIDTH] * DEPTH + [10], gain)
    activation = {"relu": relu, "tanh": tanh}[function]
    outputs = layer_outputs(ws, x[:60], activation)
    sizes = np.array([np.sqrt((output**2).mean()) for output in outputs])
    relative: Array = sizes / sizes[0]
    return relative


def he_keeps(seed: int) -> Measurement:
    """Size of the outputs at layer 20 over that at the first."""
    sizes = {
        "2 / n (He)": _sizes(seed, HE, "relu"),
        "1 / n (Glorot)": _sizes(seed, GLOROT, "relu"),
        "4 / n": _sizes(seed, 4.0, "relu"),
    }
    shown = Lines(
        x=np.arange(1, DEPTH + 1),
        ys=sizes,
        x_label="layer of ReLU units",
        y_label="size of the outputs, relative",
        log="y",
    )
    lost = sizes["1 / n (Glorot)"][-1] < 0.01
    return Measurement(
        measured=sizes["2 / n (He)"][-1],
        panels=(shown,),
        seen="With weights of variance 2 / n the signal keeps its size; with half of "
        "it the signal fades, with twice of it the signal grows.",
        controls=(Control(lost, "Half the variance keeps the signal too."),),
    )


def glorot_halves(seed: int) -> Measurement:
    """Factor on the mean square of ReLU outputs from one layer to the next."""
    sizes = {
        "ReLU": _sizes(seed, GLOROT, "relu"),
        "tanh": _sizes(seed, GLOROT, "tanh"),
    }
    squares = {name: values**2 for name, values in sizes.items()}
    layers = np.arange(1, DEPTH + 1)
    factor = float(np.exp(np.polyfit(layers, np.log(squares["ReLU"]), 1)[0]))
    shown = Lines(
        x=layers,
        ys={**squares, "half in each layer": 0.5 ** (layers - 1.0)},
        x_label="layer",
        y_label="mean square of the outputs, relative",
        log="y",
    )
    kept = squares["tanh"][-1] > 0.01
    return Measurement(
        measured=factor,
        panels=(shown,),
        seen="Under Glorot's initialization ReLU halves the signal in each layer; "
        "tanh keeps far more of it.",
        controls=(Control(kept, "Tanh loses the signal as well."),),
    )


def too_large(seed: int) -> Measurement:
    """Loss of an untrained net over that of guessing, by the scale of the weights."""
    x, y = digits()
    factors = 2.0 ** np.arange(-2, 5)
    losses = []
    for factor in factors:
        rng = np.random.default_rng(seed)
        ws = weights(rng, [64, 64, 64, 64, 64, 64, 10], HE * factor**2)
        scores = layer_outputs(ws, x, relu)[-1] @ ws[-1]
        losses.append(float(cross_entropy(scores, y).value) / np.log(10))
    shown = Lines(
        x=factors,
        ys={"before training": losses},
        x_label="size of the weights over that of He",
        y_label="loss over the loss of guessing",
        log="xy",
        marks={"guessing": 1.0},
    )
    small = losses[list(factors).index(1.0)]
    return Measurement(
        measured=losses[list(factors).index(4.0)] / small,
        panels=(shown,),
        seen="Small weights start near the loss of guessing; weights four times too "
        "large start a thousand times above.",
        controls=(Control(small < 5, "The usual size starts far above as well."),),
    )


def zero_head(seed: int) -> Measurement:
    """Loss after 300 updates from a last layer of zeros, over that of guessing."""
    x, y = digits()
    updates = [0, 25, 50, 100, 200, 300]
    losses: dict[str, list[float]] = {}
    for name in ("all random", "last layer zero", "all zero"):
        losses[name] = []
        for count in updates:
            rng = np.random.default_rng(seed)
            ws = weights(rng, [64, 32, 32, 10], HE)
            zeros = {"all random": [], "last layer zero": ws[-1:], "all zero": ws}[name]
            for w in zeros:
                w[:] = 0.0
            losses[name].append(descend(ws, x, y, relu, 0.1, count, rng))
    shown = Lines(
        x=updates,
        ys=losses,
        x_label="update",
        y_label="cross-entropy, nats",
    )
    stuck = losses["all zero"][-1] / np.log(10)
    return Measurement(
        measured=losses["last layer zero"][-1] / np.log(10),
        panels=(shown,),
        seen="A net of nothing but zeros never learns; with zeros in the last layer "
        "alone it learns nearly as well.",
        controls=(Control(stuck > 0.99, "A net of zeros learns as well."),),
    )
