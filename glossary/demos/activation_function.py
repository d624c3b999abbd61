"""Claims of *activation function*."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from glossary.lab import Control, Lines, Measurement, nets
from glossary.lab.data import Array, digits
from glossary.lab.nets import Activation, gradients, weights

DEPTH = 20
#: Inputs that are drawn, over a limit; without 0, where ReLU has a corner.
GRID = np.linspace(-1, 1, 60)


def collapse(seed: int) -> Measurement:
    """Layers without a non-linear function, up to five, against their product."""
    x = digits()[0]
    ws = weights(np.random.default_rng(seed), [64, 50, 50, 50, 50, 10], 1.0)
    errors: dict[str, list[float]] = {}
    for name, bend in (("none", np.positive), ("tanh", np.tanh)):
        out = x
        errors[name] = []
        for depth, w in enumerate(ws, start=1):
            out = bend(out @ w)
            product = np.linalg.multi_dot([np.eye(64), *ws[:depth]])
            far = np.linalg.norm(out - x @ product) / np.linalg.norm(x @ product)
            errors[name].append(float(far))
    shown = Lines(
        x=range(1, len(ws) + 1),
        ys=errors,
        x_label="layers",
        y_label="relative distance from one linear map",
    )
    bent = errors["tanh"][-1] > 0.01
    return Measurement(
        measured=errors["none"][-1],
        panels=(shown,),
        seen="Without an activation function five layers are still one linear map.",
        controls=(Control(bent, "Layers with tanh collapse as well."),),
    )


def _inputs(seed: int, limit: float) -> Array:
    """Those that are drawn, and as random ones 400 more."""
    random = np.random.default_rng(seed).uniform(-limit, limit, 400)
    return np.concatenate([limit * GRID, random])


def _drawn(x: Array, ys: dict[str, Array], y_label: str, **marks: float) -> Lines:
    few = len(GRID)
    return Lines(
        x=x[:few],
        ys={name: y[:few] for name, y in ys.items()},
        x_label="input",
        y_label=y_label,
        marks=marks,
    )


def _slopes(function: Activation, x: Array) -> Array:
    """Central differences of the values: what the formulas of derivatives claim."""
    return (function(x + 1e-5)[0] - function(x - 1e-5)[0]) / 2e-5


def _steep(x: Array) -> tuple[Array, Array]:
    """The sigmoid of 2 x; its second value is not asked for."""
    return nets.sigmoid(2 * x)


def bounds(seed: int) -> Measurement:
    """Slopes at random inputs over their bounds; of a steeper sigmoid, as a control."""
    x = _inputs(seed, 6)
    sigmoid = _slopes(nets.sigmoid, x)
    tanh = _slopes(nets.tanh, x)
    relu = _slopes(nets.relu, x)
    steep = _slopes(_steep, x)
    error = max(
        sigmoid.max() - 0.25,
        tanh.max() - 1,
        np.minimum(abs(relu), abs(relu - 1)).max(),
        0.0,
    )
    ys = {"sigmoid": sigmoid, "tanh": tanh, "ReLU": relu, "sigmoid of 2 x": steep}
    shown = _drawn(x, ys, "slope", **{"1/4": 0.25})
    return Measurement(
        measured=error,
        panels=(shown,),
        seen="The slope of the sigmoid stays below 1/4, that of tanh below 1.",
        controls=(
            Control(steep.max() > 0.3, "A steeper sigmoid keeps the bound as well."),
        ),
    )


def saturates(seed: int) -> Measurement:
    """Slope of tanh far from 0 over that near 0; of ReLU, as a control."""
    x = _inputs(seed, 6)
    slopes = {"tanh": _slopes(nets.tanh, x), "ReLU": _slopes(nets.relu, x)}
    ratios = {
        name: slope[abs(x) > 3].max() / slope[abs(x) < 0.3].max()
        for name, slope in slopes.items()
    }
    return Measurement(
        measured=ratios["tanh"],
        panels=(_drawn(x, slopes, "slope"),),
        seen="Far from 0, the slope of tanh is next to nothing on both sides.",
        controls=(
            Control(ratios["ReLU"] > 0.9, "ReLU saturates at both ends as well."),
        ),
    )


def ranges(seed: int) -> Measurement:
    """How far the outputs of Keras' functions end from where they should."""
    import keras  # an extra; the other demos do without

    x = _inputs(seed, 40).astype("float32")
    names = {"ReLU": "relu", "sigmoid": "sigmoid", "tanh": "tanh", "none": "linear"}

    def outputs(inputs: Array) -> dict[str, Array]:
        of_keras = {
            name: getattr(keras.activations, own)(inputs.astype("float32"))
            for name, own in names.items()
        }
        return {
            name: np.array(keras.ops.convert_to_numpy(y), float)
            for name, y in of_keras.items()
        }

    ys = outputs(x)

    def off(name: str, low: float, high: float) -> float:
        return float(max(abs(ys[name].min() - low), abs(ys[name].max() - high)))

    kept = float(abs(ys["ReLU"] - np.maximum(x, 0)).max())
    error = max(off("sigmoid", 0, 1), off("tanh", -1, 1), kept)
    near = 4 * GRID  # so near to 0 that the curves can be told apart
    shown = Lines(x=near, ys=outputs(near), x_label="input", y_label="output")
    return Measurement(
        measured=error,
        panels=(shown,),
        seen="ReLU is 0 on the left and the input on the right; the sigmoid goes from "
        "0 to 1, tanh from -1 to 1.",
        controls=(
            Control(off("none", -1, 1) > 1, "The identity keeps to them as well."),
        ),
    )


def _flow(seed: int, activation: Activation, gain: float) -> Array:
    """Norm of the gradient for each layer's output, over that of the last layer.

    Args:
        seed: Of the weights.
        activation: Of each of the 20 layers.
        gain: Variance of the weights times the number of inputs of a layer.
    """
    x, y = digits()
    widths = [64] + [64] * DEPTH + [10]
    ws = weights(np.random.default_rng(seed), widths, gain)
    signals = gradients(ws, x[:200], y[:200], activation)[2]
    norms = np.array([np.linalg.norm(signal) for signal in signals])
    relative: Array = norms / norms[-1]
    return relative


def _linear(x: Array) -> tuple[Array, Array]:
    return x, np.ones_like(x)


def _layers(ys: dict[str, Array]) -> Lines:
    return Lines(
        x=np.arange(1, DEPTH + 1),
        ys=ys,
        x_label="layer, counted from the input",
        y_label="gradient over that of the last layer",
        log="y",
    )


def sigmoid_vanishes(seed: int) -> Measurement:
    """Gradient at the first over the last of 20 layers."""
    ys = {
        "sigmoid": _flow(seed, nets.sigmoid, 1.0),
        "tanh": _flow(seed, nets.tanh, 1.0),
        "ReLU, variance 2 / n": _flow(seed, nets.relu, 2.0),
    }
    keeps = ys["ReLU, variance 2 / n"][0] > 0.05
    return Measurement(
        measured=ys["sigmoid"][0],
        panels=(_layers(ys),),
        seen="Towards the input, the gradient shrinks at each sigmoid layer.",
        controls=(Control(keeps, "ReLU does not keep the gradients either."),),
    )


def relu_keeps(seed: int) -> Measurement:
    """The same for ReLU with two initializations, and without any function."""
    ys = {
        "ReLU, variance 2 / n": _flow(seed, nets.relu, 2.0),
        "ReLU, variance 1 / n": _flow(seed, nets.relu, 1.0),
        "no function, variance 2 / n": _flow(seed, _linear, 2.0),
    }
    kept, small, explodes = (flow[0] for flow in ys.values())
    return Measurement(
        measured=kept,
        panels=(_layers(ys),),
        seen="With a variance of 2 / n, ReLU layers keep the gradient as large.",
        controls=(
            Control(small < 0.02, "With a variance of 1 / n it stays so as well."),
            Control(explodes > 50, "Without ReLU it stays so as well."),
        ),
    )


def tanh_vanishes(seed: int) -> Measurement:
    """The same for tanh at three scales of the weights."""
    ys = {f"variance {g:g} / n": _flow(seed, nets.tanh, g) for g in (0.25, 1.0, 9.0)}
    small, kept, _ = (flow[0] for flow in ys.values())
    return Measurement(
        measured=kept,
        panels=(_layers(ys),),
        seen="Small weights let the gradient vanish, large ones explode; in between it "
        "stays.",
        controls=(Control(small < 0.01, "Small weights keep the gradients as well."),),
    )


class Killed(NamedTuple):
    """A net after a high learning rate, and the units that are 0 for all images."""

    ws: list[Array]
    dead: NDArray[np.bool_]


def _killed(seed: int) -> Killed:
    """One hidden layer of ReLU after 100 updates at a learning rate of 4."""
    x = digits()[0]
    rng = np.random.default_rng(seed)
    ws = weights(rng, [64, 64, 10], 2.0)
    for _ in range(100):
        rows = rng.integers(0, len(x), 32)
        _descend(ws, rows, nets.relu, 4.0)
    return Killed(ws, np.all(x @ ws[0] <= 0, axis=0))


def _descend(ws: list[Array], rows: Any, activation: Activation, rate: float) -> None:
    """One update; gradients are clipped, so that no weight becomes infinite."""
    x, y = digits()
    _, grads, _ = gradients(ws, x[rows], y[rows], activation)
    for w, g in zip(ws, grads, strict=True):
        w -= rate * np.clip(g, -1, 1)


def _moved(seed: int, killed: Killed, activation: Activation) -> list[float]:
    """How far weights of dead units have moved after each 20 of 300 more updates."""
    rng = np.random.default_rng(seed)
    ws = [w.copy() for w in killed.ws]
    moved = [0.0]
    for step in range(1, 301):
        _descend(ws, rng.integers(0, len(digits()[0]), 32), activation, 0.05)
        if step % 20 == 0:
            changes = abs(ws[0] - killed.ws[0])[:, killed.dead]
            moved.append(float(changes.max(initial=0.0)))
    return moved


def dead_stays(seed: int) -> Measurement:
    """Change of the weights of units that a high learning rate has killed."""
    killed = _killed(seed)
    moved = _moved(seed, killed, nets.relu)
    leaky = _moved(seed, killed, nets.leaky_relu)
    shown = Lines(
        x=range(0, 301, 20),
        ys={"ReLU": moved, "leaky ReLU from here on": leaky},
        x_label="update after the high learning rate",
        y_label="largest change of a dead unit's weight",
    )
    return Measurement(
        measured=moved[-1],
        panels=(shown,),
        seen="Dead units of ReLU do not move at all; as leaky units they would.",
        controls=(
            Control(bool(killed.dead.any()), "No unit was killed."),
            Control(leaky[-1] > 1e-3, "Units of a leaky ReLU do not move either."),
        ),
    )
