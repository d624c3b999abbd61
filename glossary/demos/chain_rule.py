"""Claims of *chain rule*."""

from __future__ import annotations

from functools import reduce

import numpy as np

from glossary.lab import Control, Lines, Measurement
from glossary.lab.data import Array
from glossary.lab.nets import counted, tanh, weights


def _outputs(ws: list[Array], x: Array) -> list[Array]:
    """Input and output of each layer: tanh of weights times what comes in."""
    outputs = [x]
    for w in ws:
        outputs.append(np.tanh(outputs[-1] @ w))
    return outputs


def jacobians(ws: list[Array], places: list[Array]) -> list[Array]:
    """Derivative of each layer's output by its input, at the places given.

    Of out = tanh(x w) it is w times the slope of tanh, 1 - tanh^2.
    """
    return [w * tanh(x @ w)[1] for w, x in zip(ws, places, strict=True)]


def _numeric(ws: list[Array], x: Array, step: float) -> Array:
    """Derivative of the last output by the input, by central differences."""
    rows = []
    for i in range(len(x)):
        move = np.zeros_like(x)
        move[i] = step
        ahead = _outputs(ws, x + move)[-1]
        back = _outputs(ws, x - move)[-1]
        rows.append((ahead - back) / (2 * step))
    return np.array(rows)


def _distance(a: Array, b: Array) -> float:
    return float(np.linalg.norm(a - b) / np.linalg.norm(b))


def product(seed: int) -> Measurement:
    """Product of the layers' derivatives, against differences of the whole net."""
    rng = np.random.default_rng(seed)
    depths = range(1, 9)
    errors: dict[str, list[float]] = {
        "all at the net's input": [],
        "each at its own input": [],
    }
    for depth in depths:
        ws = weights(rng, [6] * (depth + 1), 1.5)
        x = rng.normal(size=6)
        places = _outputs(ws, x)[:-1]
        truth = _numeric(ws, x, 1e-5)
        right = reduce(np.matmul, jacobians(ws, places))
        wrong = reduce(np.matmul, jacobians(ws, [x] * depth))
        errors["each at its own input"].append(_distance(right, truth))
        errors["all at the net's input"].append(_distance(wrong, truth))
    shown = Lines(
        x=depths,
        ys=errors,
        x_label="layers",
        y_label="relative difference from the derivative of the whole",
        log="y",
    )
    return Measurement(
        measured=max(errors["each at its own input"]),
        panels=(shown,),
        seen=(
            "The product of the layers' derivatives is that of the whole, if each is "
            "taken where its own input is; else it is far off."
        ),
        controls=(
            Control(
                min(errors["all at the net's input"][1:]) > 0.01,
                "The place at which a derivative is taken does not matter.",
            ),
        ),
    )


def _cost(matrices: list[Array], from_the_end: bool) -> tuple[Array, int]:
    """Product of matrices, one after the other from either end, and its cost."""
    tally = counted(matrices[0]).tally
    chain: list[Array] = []
    for matrix in matrices:
        link = counted(matrix)
        link.tally = tally
        chain.append(link)
    if from_the_end:
        result = reduce(lambda done, before: before @ done, chain[::-1])
    else:
        result = reduce(lambda done, after: done @ after, chain)
    return np.asarray(result), tally["work"]


def order(seed: int) -> Measurement:
    """Multiplications from the input's end, over those from the loss's end."""
    rng = np.random.default_rng(seed)
    widths = 2 ** np.arange(2, 9)
    costs: dict[str, list[int]] = {"from the input": [], "from the loss": []}
    apart = []
    for width in widths:
        size = int(width)
        # Four layers as wide as the input, then one number, the loss.
        layers = weights(rng, [size, size, size, size, size, 1], 1.0)
        forward, forward_cost = _cost(layers, from_the_end=False)
        backward, backward_cost = _cost(layers, from_the_end=True)
        costs["from the input"].append(forward_cost)
        costs["from the loss"].append(backward_cost)
        apart.append(_distance(backward, forward))
    shown = Lines(
        x=widths,
        ys=costs,
        x_label="width of the layers",
        y_label="multiplications",
        log="xy",
    )
    return Measurement(
        measured=costs["from the input"][-1] / costs["from the loss"][-1],
        panels=(shown,),
        seen=(
            "Both orders give the same derivative; multiplied from the loss it costs "
            "far less, and the more so the wider the layers."
        ),
        controls=(Control(max(apart) < 1e-10, "The orders give different results."),),
    )


def _ways(x: Array) -> tuple[Array, Array, Array]:
    """Derivative of tanh(x) sin(3x): by differences, through tanh, through sin."""

    def product_at(place: Array) -> Array:
        values: Array = np.tanh(place) * np.sin(3 * place)
        return values

    differences = (product_at(x + 1e-5) - product_at(x - 1e-5)) / 2e-5
    through_tanh = (1 - np.tanh(x) ** 2) * np.sin(3 * x)
    through_sin = np.tanh(x) * 3 * np.cos(3 * x)
    return differences, through_tanh, through_sin


def paths(seed: int) -> Measurement:
    """Sum over both ways from x to f(x) = a(x) b(x), against differences.

    With a = tanh x and b = sin 3x: f' = a' b + a b'.
    """
    x = np.random.default_rng(seed).uniform(-1, 1, 41)
    truth, through_a, through_b = _ways(x)
    places = np.linspace(-1, 1, 41)
    differences, first, second = _ways(places)
    shown = Lines(
        x=places,
        ys={
            "by small differences": differences,
            "sum of both ways": add(first, second),
            "way through tanh alone": first,
        },
        x_label="x",
        y_label="derivative of tanh(x) sin(3x)",
    )
    return Measurement(
        measured=_distance(add(through_a, through_b), truth),
        panels=(shown,),
        seen="The sum of both ways lies on the derivative; one way alone does not.",
        controls=(
            Control(_distance(through_a, truth) > 0.1, "One way alone is enough."),
        ),
    )


def add(first: Array, second: Array) -> Array:
    """What several ways to the same result bring together."""
    return first + second
