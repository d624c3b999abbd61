"""Claims of *backpropagation*: the gradient by hand, on small dense nets in float64."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from glossary.lab import Bars, Control, Lines, Measurement
from glossary.lab.data import Array, Labels, digits
from glossary.lab.nets import counted, gradients, relu, tanh, weights


class Task(NamedTuple):
    """A net of three layers, and the batch that its loss is of."""

    ws: list[Array]
    x: Array
    y: Labels


def _task(seed: int) -> Task:
    rng = np.random.default_rng(seed)
    x, y = digits()
    rows = rng.integers(0, len(x), 64)
    return Task(weights(rng, [64, 30, 20, 10], 1.0), x[rows], y[rows])


def _differences(task: Task, where: list[tuple[int, ...]], h: float) -> Array:
    """Central differences of the loss, (L(w + h) - L(w - h)) / 2 h, by weight."""
    slopes = []
    for layer, *place in where:
        w = task.ws[layer]
        kept = w[tuple(place)]
        w[tuple(place)] += h
        above = gradients(task.ws, task.x, task.y, tanh)[0]
        w[tuple(place)] -= h
        w[tuple(place)] -= h
        below = gradients(task.ws, task.x, task.y, tanh)[0]
        w[tuple(place)] = kept
        slopes.append((above - below) / (2 * h))
    return np.array(slopes)


def exact(seed: int) -> Measurement:
    """Against central differences; and without the slope of the activation."""
    task = _task(seed)
    rng = np.random.default_rng(seed + 1)
    where = [
        (layer, *(int(rng.integers(size)) for size in w.shape))
        for layer, w in enumerate(task.ws)
    ]
    where += [(0, int(rng.integers(64)), int(rng.integers(30))) for _ in range(40)]

    def by_hand(derivative: bool) -> Array:
        grads = gradients(task.ws, task.x, task.y, tanh, derivative)[1]
        return np.array([grads[layer][a, b] for layer, a, b in where])

    hs = 10.0 ** np.arange(-9, -1)
    differences = [_differences(task, where, h) for h in hs]
    errors = {}
    for name, derivative in (("backpropagation", True), ("slopes left out", False)):
        exact_ones = by_hand(derivative)
        length = np.linalg.norm(exact_ones)
        errors[name] = [
            float(np.linalg.norm(slopes - exact_ones) / length)
            for slopes in differences
        ]
    shown = Lines(
        x=hs,
        ys=errors,
        x_label="change of a weight in the finite difference",
        y_label="relative difference to finite differences",
        log="xy",
    )
    broken = min(errors["slopes left out"]) > 0.01
    return Measurement(
        measured=min(errors["backpropagation"]),
        panels=(shown,),
        seen="Backpropagation agrees with finite differences as far as they reach: "
        "their own error is rounding on the left and curvature on the right.",
        controls=(Control(broken, "Without the slopes of tanh it agrees as well."),),
    )


def cost(seed: int) -> Measurement:
    """Multiply-adds of a gradient over those of a forward pass, counted, by the size.

    Differences need one forward pass more for each weight, or two if they are central.
    """
    x, y = digits()
    rows = np.random.default_rng(seed).integers(0, len(x), 64)
    counts = []
    numbers = []
    for width in (8, 32, 128, 512):
        ws = weights(np.random.default_rng(seed), [64, width, width, 10], 1.0)
        forward = counted(x[rows])
        both = counted(x[rows])
        out: Any = forward
        for w in ws:
            out = np.tanh(out @ w)
        gradients(ws, both, y[rows], tanh)
        numbers.append(sum(w.size for w in ws))
        counts.append(both.tally["work"] / forward.tally["work"])
    differences = [2.0 * number for number in numbers]
    shown = Lines(
        x=numbers,
        ys={"backpropagation": counts, "central differences": differences},
        x_label="weights of the net",
        y_label="cost of the gradient in forward passes",
        log="xy",
    )
    return Measurement(
        measured=max(counts),
        panels=(shown,),
        seen="Backpropagation stays below three forward passes while the cost of "
        "differences grows with the number of weights.",
        controls=(Control(min(differences) > 30, "Differences cost no more."),),
    )


def changes_nothing(seed: int) -> Measurement:
    """Change of the weights by backpropagation, and by a step of an optimizer."""
    task = _task(seed)
    before = [w.copy() for w in task.ws]

    def change() -> float:
        pairs = zip(task.ws, before, strict=True)
        return float(max(abs(a - b).max() for a, b in pairs))

    _, grads, _ = gradients(task.ws, task.x, task.y, tanh)
    by_gradient = change()
    for w, g in zip(task.ws, grads, strict=True):
        w -= 0.1 * g
    by_step = change()
    shown = Bars(
        labels=["gradient computed", "step of gradient descent"],
        ys={"change": [by_gradient, by_step]},
        y_label="largest change of a weight",
    )
    moves = Control(by_step > 1e-4, "The optimizer changes nothing either.")
    return Measurement(
        measured=by_gradient,
        panels=(shown,),
        seen="The weights stand still while the gradient is computed, and move when an "
        "optimizer uses it.",
        controls=(moves,),
    )


def reverse_mode(seed: int) -> Measurement:
    """Gradient by hand against the automatic differentiation of Keras' backend.

    One update of SGD at a learning rate of 1 moves the weights by the gradient.
    """
    import keras  # one claim of many needs it

    task = _task(seed)
    zeros = {"kernel_initializer": "zeros", "use_bias": False}
    model = keras.Sequential([keras.Input((64,))])
    for width, activation in ((30, "tanh"), (20, "tanh"), (10, None)):
        model.add(keras.layers.Dense(width, activation, **zeros))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(1.0), loss)
    model.set_weights(task.ws)
    model.train_on_batch(task.x.astype("float32"), task.y)
    after = model.get_weights()
    moved = [w - new for w, new in zip(task.ws, after, strict=True)]

    def difference(derivative: bool) -> list[float]:
        """Relative, for each layer."""
        grads = gradients(task.ws, task.x, task.y, tanh, derivative)[1]
        pairs = zip(moved, grads, strict=True)
        return [float(np.linalg.norm(a - b) / np.linalg.norm(b)) for a, b in pairs]

    errors = {"backpropagation": difference(True), "slopes left out": difference(False)}
    shown = Bars(
        labels=["first layer", "second layer", "third layer"],
        ys=errors,
        y_label="relative difference to Keras' gradient",
        log="y",
    )
    broken = Control(
        max(errors["slopes left out"]) > 0.01,
        "Without the slopes of tanh it agrees as well.",
    )
    return Measurement(
        measured=max(errors["backpropagation"]),
        panels=(shown,),
        seen="Both gradients differ by the rounding of float32 alone; if the slopes of "
        "tanh are left out, only the last layer still agrees.",
        controls=(broken,),
    )


def descends(seed: int) -> Measurement:
    """Share of 50 small steps that lower the loss: against the gradient, and along."""
    changes: dict[str, list[float]] = {"against the gradient": [], "along it": []}
    for net in range(50):
        task = _task(1000 * seed + net)
        loss, grads, _ = gradients(task.ws, task.x, task.y, tanh)
        for name, sign in zip(changes, (1, -1), strict=True):
            moved = [w - sign * 1e-3 * g for w, g in zip(task.ws, grads, strict=True)]
            after = gradients(moved, task.x, task.y, tanh)[0]
            changes[name].append(after - loss)
    shown = Lines(
        x=np.arange(1, 51),
        ys=changes,
        x_label="net and batch",
        y_label="change of the loss by one step, nats",
        marks={"no change": 0.0},
    )
    falls = {name: float(np.mean(np.less(c, 0))) for name, c in changes.items()}
    return Measurement(
        measured=falls["against the gradient"],
        panels=(shown,),
        seen="A step against the gradient lowers the loss of every net; the same step "
        "along the gradient raises it.",
        controls=(Control(falls["along it"] < 0.5, "Any step lowers the loss."),),
    )


#: Variance of a weight times the number of inputs.
GAINS = (0.5, 2.0, 8.0)
_DEEP = [64] * 20 + [10]


def _signals(seed: int, gain: float) -> Array:
    """Length of the error signal at the output of each of 19 hidden layers."""
    x, y = digits()
    ws = weights(np.random.default_rng(seed), _DEEP, gain)
    signals = gradients(ws, x[:100], y[:100], relu)[2]
    return np.array([np.linalg.norm(signal) for signal in signals])


def _by_layer(seed: int) -> tuple[dict[float, float], Lines]:
    """First over last error signal for each gain, and all of them as a picture."""
    signals = {gain: _signals(seed, gain) for gain in GAINS}
    shown = Lines(
        x=np.arange(1, len(_DEEP) - 1),
        ys={
            f"variance {gain:g} / inputs": lengths / lengths[-1]
            for gain, lengths in signals.items()
        },
        x_label="hidden layer (the signal goes from right to left)",
        y_label="error signal over that of the last layer",
        log="y",
    )
    ratios = {
        gain: float(lengths[0] / lengths[-1]) for gain, lengths in signals.items()
    }
    return ratios, shown


def vanish_or_explode(seed: int) -> Measurement:
    """Error signal at the first of 20 layers over that at the last, by the scale."""
    ratios, shown = _by_layer(seed)
    steady = 0.05 < ratios[2.0] < 20
    return Measurement(
        measured=ratios[8.0] / ratios[0.5],
        panels=(shown,),
        seen="On its way back through 20 layers the error signal vanishes with small "
        "weights, explodes with large ones, and keeps its size between them.",
        controls=(Control(steady, "At a variance of 2 / inputs it does not stay."),),
    )


def always_vanishes(seed: int) -> Measurement:
    """The same at a variance of 2 over the inputs, where it stays (He et al. 2015)."""
    ratios, shown = _by_layer(seed)
    vanishes = Control(ratios[0.5] < 1e-3, "It vanishes with small weights neither.")
    return Measurement(
        measured=ratios[2.0],
        panels=(shown,),
        seen="At a variance of 2 / inputs the error signal reaches the first of 20 "
        "layers at about the size it had at the last.",
        controls=(vanishes,),
    )
