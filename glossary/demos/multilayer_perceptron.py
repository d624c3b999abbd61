"""Claims of *multilayer perceptron*."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from glossary.lab import Control, Lines, Measurement
from glossary.lab.data import Array, digits
from glossary.lab.nets import gradients, relu, weights
from glossary.lab.steps import sgd

Function = Callable[[Array], Array]


def activation(x: Array) -> Array:
    """The hidden layer's: tanh."""
    return np.tanh(x)


def _identity(x: Array) -> Array:
    return x


def _xor_errors(rng: np.random.Generator, hidden: Function, updates: int) -> Array:
    """Wrong rows of XOR on the way, for 20 nets with 8 hidden neurons at once."""
    inputs = np.array(
        [[0.0, 0.0, 1.0], [0.0, 1.0, 1.0], [1.0, 0.0, 1.0], [1.0, 1.0, 1.0]]
    )
    targets = np.array([0.0, 1.0, 1.0, 0.0])
    first = rng.normal(size=(20, 3, 8))  # the third input is 1: a bias
    last = rng.normal(0, 0.5, (20, 8))
    wrong = []
    for _ in range(updates):
        out = hidden(inputs @ first)
        answers = np.einsum("nrh,nh->nr", out, last)
        errors = 1 / (1 + np.exp(-answers)) - targets
        wrong.append(((answers > 0) != (targets > 0.5)).sum(axis=1))
        slope = 1 - out**2 if hidden is not _identity else np.ones_like(out)
        back = errors[:, :, None] * last[:, None, :] * slope
        last = last - 0.5 * np.einsum("nrh,nr->nh", out, errors)
        first = first - 0.5 * np.einsum("ri,nrh->nih", inputs, back)
    return np.array(wrong)


def xor(seed: int) -> Measurement:
    """Share of 20 nets with a hidden layer that have all four rows of XOR right."""
    wrong = _xor_errors(np.random.default_rng(seed), activation, 500)
    linear = _xor_errors(np.random.default_rng(seed), _identity, 500)
    shown = Lines(
        x=np.arange(0, 500, 10),
        ys={
            "without activation function": linear[::10].mean(axis=1),
            "hidden layer of 8, tanh": wrong[::10].mean(axis=1),
        },
        x_label="update",
        y_label="wrong rows of XOR, of 4 (mean of 20 nets)",
    )
    return Measurement(
        measured=(wrong[-1] == 0).mean(),
        panels=(shown,),
        seen=(
            "The nets with a hidden layer learn XOR; without an activation function "
            "the same layer is of no use."
        ),
        controls=(
            Control(linear[-1].min() >= 1, "A net without activation learns it, too."),
        ),
    )


def _random_layer(seed: int, width: int, hidden: Function) -> Function:
    """Outputs of a hidden layer with random weights, and a constant."""
    rng = np.random.default_rng(seed)
    slopes = rng.normal(0, 3, width)
    places = rng.uniform(-np.pi, np.pi, width)

    def layer(x: Array) -> Array:
        outputs = hidden(slopes * (x[:, None] - places))
        return np.concatenate([outputs, np.ones((len(x), 1))], axis=1)

    return layer


def _fit(layer: Function, goal: Function, x: Array) -> Array:
    """Output weights of least squares."""
    found = np.linalg.lstsq(layer(x), goal(x), rcond=1e-4)[0]
    return np.asarray(found, float)


def _wave(x: Array) -> Array:
    return np.sin(2 * x) + 0.5 * np.cos(3 * x)


def width(seed: int) -> Measurement:
    """Error of a fit with 64 hidden neurons, over that with 4."""
    x = np.linspace(-np.pi, np.pi, 400)
    widths = 2 ** np.arange(1, 8)
    errors: dict[str, list[float]] = {"tanh": [], "without activation function": []}
    for count in widths:
        for name, hidden in zip(errors, (activation, _identity), strict=True):
            layer = _random_layer(seed, int(count), hidden)
            rest = layer(x) @ _fit(layer, _wave, x) - _wave(x)
            errors[name].append(float(np.sqrt((rest**2).mean())))
    shown = Lines(
        x=widths,
        ys=errors,
        x_label="neurons in the hidden layer",
        y_label="root mean square error of the fit",
        log="xy",
    )
    linear = errors["without activation function"]
    return Measurement(
        measured=errors["tanh"][5] / errors["tanh"][1],
        panels=(shown,),
        seen=(
            "A wider hidden layer fits the wave ever better; without an activation "
            "function no width helps."
        ),
        controls=(
            Control(linear[5] > 0.9 * linear[1], "A linear layer does as well."),
        ),
    )


def goes_on(seed: int) -> Measurement:
    """Error beside the interval of the training data, over that within it."""
    inside = np.linspace(-np.pi, np.pi, 400)
    layer = _random_layer(seed, 64, activation)
    w = _fit(layer, np.sin, inside)
    x = np.linspace(-2 * np.pi, 2 * np.pi, 161)
    errors = layer(x) @ w - np.sin(x)
    is_inside = abs(x) <= np.pi
    within = float(np.sqrt((errors[is_inside] ** 2).mean()))
    beside = float(np.sqrt((errors[~is_inside] ** 2).mean()))
    shown = Lines(
        x=x,
        ys={"sine": np.sin(x), "net": layer(x) @ w},
        x_label="input; trained on -3.14 to 3.14",
        y_label="output",
    )
    return Measurement(
        measured=beside / within,
        panels=(shown,),
        seen=(
            "Where it was trained the net lies on the sine; outside that interval it "
            "goes somewhere else."
        ),
        controls=(Control(within < 0.05, "It does not fit where it was trained."),),
    )


def _trained(x: Array, seed: int, start: list[Array]) -> list[float]:
    """Loss on digits after each 15 of 150 updates, for images laid out in some way."""
    y = digits()[1][: len(x)]
    ws = [w.copy() for w in start]
    rng = np.random.default_rng(seed)
    losses = [gradients(ws, x, y, relu)[0]]
    for update in range(1, 151):
        rows = rng.integers(0, len(x), 32)
        sgd(ws, gradients(ws, x[rows], y[rows], relu)[1], 0.1)
        if update % 15 == 0:
            losses.append(gradients(ws, x, y, relu)[0])
    return losses


def pixels(seed: int) -> Measurement:
    """Change of the losses when the pixels of all images are shuffled alike."""
    rng = np.random.default_rng(seed)
    x = digits()[0][:800]
    ws = weights(rng, [64, 32, 10], 2.0)
    places = rng.permutation(64)
    shuffled = _trained(x[:, places], seed, [ws[0][places], ws[1]])
    each_its_own = np.array([row[rng.permutation(64)] for row in x])
    losses = {
        "pixels in place": _trained(x, seed, ws),
        "all images shuffled alike": shuffled,
        "each image in its own way": _trained(each_its_own, seed, ws),
    }
    shown = Lines(
        x=15 * np.arange(len(shuffled)),
        ys=losses,
        x_label="update",
        y_label="cross-entropy, nats",
    )
    before = np.array(losses["pixels in place"])
    apart = losses["each image in its own way"][-1] / before[-1]
    return Measurement(
        measured=float(abs(np.array(shuffled) / before - 1).max()),
        panels=(shown,),
        seen=(
            "With the pixels of all images shuffled alike the net learns as before, "
            "curve on curve; shuffled each in its own way, it learns little."
        ),
        controls=(Control(apart > 1.5, "Any shuffling leaves the loss as it is."),),
    )
