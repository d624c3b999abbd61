"""Claims of *ReLU*: max(0, z), and its derivative, 0 or 1."""

from __future__ import annotations

from functools import cache

import numpy as np

from glossary.lab import Bars, Control, Lines, Measurement
from glossary.lab.data import digits_split
from glossary.lab.deep import descend, layer_outputs
from glossary.lab.nets import leaky_relu, relu, tanh, weights

LEARNING_RATES = np.array([0.03, 0.1, 0.3, 1.0, 3.0, 10.0])
GOOD = 1  # index of 0.1
HIGH = 5  # index of 10, at which the loss of ReLU is lost


def half_zero(seed: int) -> Measurement:
    """Share of outputs that are exactly 0, in four layers of fresh weights."""
    rng = np.random.default_rng(seed)
    x = digits_split(seed).test_x
    ws = weights(rng, [64, 256, 256, 256, 256, 10], 2.0)
    shares = {
        name: [float((output == 0).mean()) for output in layer_outputs(ws, x, function)]
        for name, function in (("ReLU", relu), ("tanh", tanh))
    }
    shown = Bars(
        labels=["1", "2", "3", "4"],
        ys=shares,
        x_label="layer",
        y_label="share of outputs that are exactly 0",
        marks={"half": 0.5},
    )
    return Measurement(
        measured=float(np.mean(shares["ReLU"])),
        panels=(shown,),
        seen="In each layer about half of the ReLU outputs are 0, and none of tanh's.",
        controls=(Control(max(shares["tanh"]) < 0.01, "Outputs of tanh are 0 too."),),
    )


def scales(seed: int) -> Measurement:
    """Outputs of a net for inputs times a factor, against its outputs times it."""
    rng = np.random.default_rng(seed)
    x = digits_split(seed).test_x[:100]
    ws = weights(rng, [64, 32, 32, 32, 10], 2.0)
    factors = 10.0 ** np.linspace(-2, 2, 9)
    sizes: dict[str, list[float]] = {}
    errors: dict[str, float] = {}
    for name, function in (("ReLU", relu), ("tanh", tanh)):
        plain = layer_outputs(ws, x, function)[-1]
        scaled = [layer_outputs(ws, factor * x, function)[-1] for factor in factors]
        size = np.linalg.norm(plain)
        sizes[name] = [float(np.linalg.norm(output) / size) for output in scaled]
        gaps = [
            np.linalg.norm(output - factor * plain) / (factor * size)
            for output, factor in zip(scaled, factors, strict=True)
        ]
        errors[name] = float(max(gaps))
    shown = Lines(
        x=factors,
        ys=sizes,
        x_label="factor on the inputs",
        y_label="size of the outputs, relative",
        log="xy",
    )
    return Measurement(
        measured=errors["ReLU"],
        panels=(shown,),
        seen="The outputs of ReLU layers grow exactly as their inputs; those of tanh "
        "level off.",
        controls=(Control(errors["tanh"] > 0.1, "A net of tanh scales as well."),),
    )


@cache
def _sweep(seed: int, name: str) -> tuple[list[float], list[float]]:
    """Held-out accuracy, and share of dead units, at each learning rate.

    Training stops when it is lost, and what is left then is judged.
    """
    functions = {"ReLU": relu, "leaky ReLU": leaky_relu}
    split = digits_split(seed)
    accuracies = []
    dead = []
    for learning_rate in LEARNING_RATES:
        rng = np.random.default_rng(seed)
        ws = weights(rng, [64, 64, 64, 10], 2.0)
        x = split.train_x
        y = split.train_y
        descend(ws, x, y, functions[name], learning_rate, 150, rng)
        with np.errstate(all="ignore"):
            outputs = layer_outputs(ws, split.test_x, functions[name])
            guesses = (outputs[-1] @ ws[-1]).argmax(axis=1)
        # A unit is dead where no example brings it above 0.
        silent = (outputs[-1] == 0).all(axis=0)
        accuracies.append(float((guesses == split.test_y).mean()))
        dead.append(float(silent.mean()))
    return accuracies, dead


def dies(seed: int) -> Measurement:
    """Share of units of the last hidden layer that no held-out image brings above 0."""
    _, dead = _sweep(seed, "ReLU")
    _, leaky = _sweep(seed, "leaky ReLU")
    shown = Lines(
        x=LEARNING_RATES,
        ys={"ReLU": dead, "leaky ReLU": leaky},
        x_label="learning rate",
        y_label="share of units that are dead after 150 updates",
        log="x",
    )
    return Measurement(
        measured=dead[HIGH] - dead[GOOD],
        panels=(shown,),
        seen="ReLU units die where the learning rate is too high; leaky units never "
        "do.",
        controls=(Control(max(leaky) < 0.1, "Leaky units die as well."),),
    )


def leaky_cures(seed: int) -> Measurement:
    """What leaky ReLU learns at a learning rate that is lost, against at a good one."""
    plain, dead = _sweep(seed, "ReLU")
    leaky, leaky_dead = _sweep(seed, "leaky ReLU")
    accuracy = Lines(
        x=LEARNING_RATES,
        ys={"ReLU": plain, "leaky ReLU": leaky},
        x_label="learning rate",
        y_label="held-out accuracy",
        log="x",
        marks={"guessing": 0.1},
    )
    alive = Lines(
        x=LEARNING_RATES,
        ys={"ReLU": dead, "leaky ReLU": leaky_dead},
        x_label="learning rate",
        y_label="share of units that are dead",
        log="x",
    )
    return Measurement(
        measured=(leaky[HIGH] - 0.1) / (leaky[GOOD] - 0.1),
        panels=(accuracy, alive),
        seen="Where the learning rate is too high, leaky units survive, and the net "
        "guesses all the same.",
        controls=(
            Control(leaky[GOOD] > 0.6, "The leaky net learns at no learning rate."),
            Control(dead[HIGH] > 0.2, "ReLU units do not die at this learning rate."),
            Control(leaky_dead[HIGH] < 0.1, "Leaky units die at this learning rate."),
        ),
    )
