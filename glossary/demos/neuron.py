"""Claims of *neuron*: a weighted sum, a bias, an activation function."""

from __future__ import annotations

import numpy as np

from glossary.lab import Bars, Control, Lines, Measurement
from glossary.lab.data import Array
from glossary.lab.nets import sigmoid

_ALONG = np.linspace(-5, 5, 201)
INPUTS = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])


def weighted_sum(x: Array, w: Array) -> Array:
    """What a neuron makes of its inputs before bias and activation function."""
    sums: Array = x @ w
    return sums


def neuron(x: Array, w: Array, b: float) -> Array:
    """Sigmoid of w x + b."""
    return sigmoid(weighted_sum(x, w) + b)[0]


def _hidden_layer(x: Array, first: Array, b: Array, last: Array) -> Array:
    """A neuron on top of a layer of neurons, for comparison."""
    hidden = np.tanh(x @ first + b)
    return sigmoid(hidden @ last)[0]


def _crossings(outputs: Array) -> int:
    """How often the outputs along a line pass 1/2."""
    return int((np.diff(outputs > 0.5) != 0).sum())


def _outputs_on_lines(
    rng: np.random.Generator, count: int
) -> tuple[list[Array], list[Array]]:
    """Outputs of a neuron, and of a net, along random lines through 5 inputs."""
    w = rng.normal(size=5)
    b = float(rng.normal())
    first = 2 * rng.normal(size=(5, 20))
    biases = rng.normal(size=20)
    last = rng.normal(size=20)
    single = []
    layered = []
    for _ in range(count):
        line = rng.normal(size=5) + _ALONG[:, None] * rng.normal(size=5)
        single.append(neuron(line, w, b))
        layered.append(_hidden_layer(line, first, biases, last))
    return single, layered


def straight(seed: int) -> Measurement:
    """Most crossings of 1/2 along any of 500 straight lines through the inputs."""
    single, layered = _outputs_on_lines(np.random.default_rng(seed), 500)
    crossings = [_crossings(outputs) for outputs in layered]
    # The picture shows one line, the same for all seeds.
    one_neuron, on_top = _outputs_on_lines(np.random.default_rng(0), 100)
    bends = [
        _crossings(outputs) * _crossings(alone)
        for outputs, alone in zip(on_top, one_neuron, strict=True)
    ]
    chosen = int(np.argmax(bends))  # a line on which both pass 1/2
    shown = Lines(
        x=_ALONG,
        ys={
            "one neuron": one_neuron[chosen],
            "on top of 20 neurons": on_top[chosen],
        },
        x_label="place on a straight line through the space of inputs",
        y_label="output",
        marks={"boundary of the classes": 0.5},
    )
    return Measurement(
        measured=max(_crossings(outputs) for outputs in single),
        panels=(shown,),
        seen=(
            "Along a straight line one neuron passes from one class to the other at "
            "most once; with a layer below it does so several times."
        ),
        controls=(Control(max(crossings) > 1, "A hidden layer crosses once as well."),),
    )


def _most_right(rng: np.random.Generator, targets: Array) -> float:
    """Largest share of the four rows of a truth table that 20 trained neurons get."""
    best = 0.0
    for _ in range(20):
        w = rng.normal(size=2)
        b = float(rng.normal())
        for _ in range(300):
            # Gradient of the cross-entropy: (output - target) times the input.
            errors = neuron(INPUTS, w, b) - targets
            w = w - 1.0 * errors @ INPUTS
            b = b - 1.0 * float(errors.sum())
        right = (neuron(INPUTS, w, b) > 0.5) == (targets > 0.5)
        best = max(best, float(right.mean()))
    return best


def xor(seed: int) -> Measurement:
    """Rows of XOR that the best of 20 trained neurons has right."""
    rng = np.random.default_rng(seed)
    tables = {
        "AND": np.array([0.0, 0.0, 0.0, 1.0]),
        "OR": np.array([0.0, 1.0, 1.0, 1.0]),
        "NAND": np.array([1.0, 1.0, 1.0, 0.0]),
        "XOR": np.array([0.0, 1.0, 1.0, 0.0]),
    }
    right = {name: _most_right(rng, targets) for name, targets in tables.items()}
    shown = Bars(
        labels=list(right),
        ys={"right": [4 * share for share in right.values()]},
        x_label="function of two inputs that are 0 or 1",
        y_label="rows of the truth table that are right, of 4",
    )
    learns = min(right["AND"], right["OR"], right["NAND"]) == 1
    return Measurement(
        measured=right["XOR"],
        panels=(shown,),
        seen="One neuron learns AND, OR and NAND, and of XOR at most three rows.",
        controls=(Control(learns, "It does not learn AND either."),),
    )


def template(seed: int) -> Measurement:
    """Weighted sum for the input that looks like the weights, over 1000 others."""
    rng = np.random.default_rng(seed)
    sizes = [2, 4, 8, 16, 32, 64]
    ratios = []
    for size in sizes:
        w = rng.normal(size=size)
        others = rng.normal(size=(1000, size))
        others /= np.linalg.norm(others, axis=1, keepdims=True)
        alike = w / np.linalg.norm(w)
        ratios.append(float(weighted_sum(alike, w) / weighted_sum(others, w).max()))
    shown = Lines(
        x=sizes,
        ys={"neuron": ratios},
        x_label="number of inputs",
        y_label="answer to its own weights over best of 1000 others",
        log="x",
        marks={"equal": 1.0},
    )
    return Measurement(
        measured=ratios[-1],
        panels=(shown,),
        seen="The more inputs, the more the one like the weights stands out.",
        controls=(Control(ratios[0] < 1.1, "With two inputs others lie as far off."),),
    )
