"""Claims of *automatic differentiation*, on the tape of `glossary.lab`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from glossary.lab import Control, Lines, Measurement, tape
from glossary.lab.data import Array
from glossary.lab.nets import counted, weights


def by_tape(function: Callable[[tape.Variable], tape.Variable], x: Array) -> Array:
    """Derivative of a function, element by element, in reverse mode."""
    start = tape.Variable(x)
    tape.backward(tape.total(function(start)))
    return start.grad


def _curve(x: tape.Variable) -> tape.Variable:
    """f(x) = exp(-x^2) tanh(3x)."""
    return tape.exp(-(x * x)) * tape.tanh(x * 3.0)


def _curve_values(x: Array) -> Array:
    values: Array = np.exp(-(x**2)) * np.tanh(3 * x)
    return values


def _curve_slope(x: Array) -> Array:
    """f'(x) = exp(-x^2) (3 (1 - tanh^2 3x) - 2x tanh 3x), by hand."""
    wave = np.tanh(3 * x)
    slope: Array = np.exp(-(x**2)) * (3 * (1 - wave**2) - 2 * x * wave)
    return slope


def exact(seed: int) -> Measurement:
    """Error of the best finite difference, over that of automatic differentiation."""
    x = np.random.default_rng(seed).uniform(-1.5, 1.5, 50)
    truth = _curve_slope(x)
    size = abs(truth).max()
    steps = 10.0 ** np.arange(-12.0, 0.25, 0.5)
    errors = []
    for step in steps:
        differences = (_curve_values(x + step) - _curve_values(x - step)) / (2 * step)
        errors.append(float(abs(differences - truth).max() / size))
    automatic = float(abs(by_tape(_curve, x) - truth).max() / size)
    shown = Lines(
        x=steps,
        ys={
            "central differences": errors,
            "automatic differentiation": [automatic] * len(steps),
        },
        x_label="step of the differences",
        y_label="largest error of the derivative, relative",
        log="xy",
    )
    return Measurement(
        measured=min(errors) / max(automatic, 2.0**-53),
        panels=(shown,),
        seen=(
            "A large step of the differences is inexact and a small one drowns in "
            "rounding; automatic differentiation needs no step and stays below both."
        ),
        controls=(Control(min(errors) < 1e-6, "The differences find no derivative."),),
    )


def _root(x: tape.Variable, rounds: int) -> tape.Variable:
    """Heron's way to the square root: a loop, no formula."""
    guess = tape.variable(np.ones(x.shape))
    for _ in range(rounds):
        guess = (guess + x / guess) * 0.5
    return guess


def loops(seed: int) -> Measurement:
    """Derivative of a loop that computes a square root, against 1 / (2 sqrt x)."""
    x = np.random.default_rng(seed).uniform(0.5, 4, 50)
    truth = 1 / (2 * np.sqrt(x))
    rounds = np.arange(1, 9)
    errors = []
    for count in rounds:
        slope = by_tape(partial(_root, rounds=int(count)), x)
        errors.append(float(abs(slope / truth - 1).max()))
    shown = Lines(
        x=rounds,
        ys={"derivative of the loop": errors},
        x_label="rounds of the loop",
        y_label="largest relative error against 1 / (2 sqrt x)",
        log="y",
    )
    return Measurement(
        measured=errors[-1],
        panels=(shown,),
        seen=(
            "As the loop comes near the square root, its derivative comes near that of "
            "the square root, down to rounding."
        ),
        controls=(Control(errors[0] > 0.1, "One round of the loop is enough."),),
    )


def forward_cost(ws: list[Array], x: Array) -> tuple[Array, int]:
    """Gradient of the last output by the input in forward mode, and its cost.

    One pass an input: each carries the derivative by that input along (a tangent).
    """
    tally = counted(x)
    gradient = []
    for i in range(x.shape[1]):
        value: Array = tally
        unit = counted(np.eye(x.shape[1])[i : i + 1])
        unit.tally = tally.tally
        tangent: Array = unit
        for w in ws:
            value = np.tanh(value @ w)
            tangent = (tangent @ w) * (1 - value**2)
        gradient.append(float(np.asarray(tangent)[0, 0]))
    return np.array(gradient), int(tally.tally["work"])


def reverse_cost(ws: list[Array], x: Array) -> tuple[Array, int]:
    """The same gradient in reverse mode: once forward, once backward."""
    tally = counted(x)
    value: Array = tally
    outputs = []
    for w in ws:
        value = np.tanh(value @ w)
        outputs.append(value)
    back = 1 - outputs[-1] ** 2
    for place in range(len(ws) - 1, 0, -1):
        back = (back @ ws[place].T) * (1 - outputs[place - 1] ** 2)
    gradient = np.asarray(back @ ws[0].T)[0]
    return gradient, int(tally.tally["work"])


def modes(seed: int) -> Measurement:
    """Power with which forward over reverse mode's cost grows with the inputs."""
    rng = np.random.default_rng(seed)
    inputs = 2 ** np.arange(1, 8)
    costs: dict[str, list[float]] = {"forward mode": [], "reverse mode": []}
    apart = []
    for count in inputs:
        ws = weights(rng, [int(count), 32, 32, 1], 1.0)
        x = rng.normal(size=(1, int(count)))
        forward, forward_work = forward_cost(ws, x)
        reverse, reverse_work = reverse_cost(ws, x)
        once = sum(w.size for w in ws)
        costs["forward mode"].append(forward_work / once)
        costs["reverse mode"].append(reverse_work / once)
        apart.append(float(abs(forward - reverse).max() / abs(reverse).max()))
    ratios = np.array(costs["forward mode"]) / np.array(costs["reverse mode"])
    shown = Lines(
        x=inputs,
        ys=costs,
        x_label="inputs of a net with one output",
        y_label="work for the gradient, in passes through the net",
        log="xy",
    )
    return Measurement(
        measured=np.polyfit(np.log(inputs), np.log(ratios), 1)[0],
        panels=(shown,),
        seen=(
            "Forward mode needs a pass for each input and more; reverse mode needs the "
            "same two however many inputs there are."
        ),
        controls=(Control(max(apart) < 1e-9, "The modes find different gradients."),),
    )


def _pieces(x: tape.Variable, slope: float) -> tape.Variable:
    """relu(s x) - relu(-s x): nothing else than s x, written with two kinks at 0."""
    return tape.relu(x * slope) - tape.relu(x * -slope)


def kinks(seed: int) -> Measurement:
    """Relative error at 0 of the derivative of s x, written as two pieces."""
    slope = float(np.random.default_rng(seed).uniform(0.5, 2))
    x = np.linspace(-1, 1, 21)
    x[10] = 0.0
    found = by_tape(lambda at: _pieces(at, slope), x)
    values = _pieces(tape.Variable(x), slope).value
    panels = (
        Lines(
            x=x,
            ys={"relu(s x) - relu(-s x)": values / slope},
            x_label="x",
            y_label="value over s",
            title="a straight line",
        ),
        Lines(
            x=x,
            ys={"true": np.ones(21), "automatic": found / slope},
            x_label="x",
            y_label="derivative over s",
            title="its derivative",
        ),
    )
    elsewhere = np.delete(abs(found / slope - 1), 10).max()
    return Measurement(
        measured=abs(found[10] / slope - 1),
        panels=panels,
        seen=(
            "The function is a straight line, and its automatic derivative is right "
            "everywhere but at 0, where both pieces have their kink."
        ),
        controls=(Control(elsewhere < 1e-12, "It is wrong elsewhere as well."),),
    )
