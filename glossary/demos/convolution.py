"""Claims of *convolution*, in NumPy."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from glossary.lab import Bars, Control, Lines, Measurement, tape
from glossary.lab.data import Array, Labels, digits
from glossary.lab.tape import Variable
from glossary.lab.training import fit


def convolve(signal: Array, kernel: Array) -> Array:
    """Sums of products under a window that moves along the last axis.

    The kernel is not flipped, as in Keras and most libraries: mathematicians call
    that cross-correlation (Goodfellow 2016, sec. 9.1).
    """
    output: Array = sliding_window_view(signal, len(kernel), axis=-1) @ kernel
    return output


def _moved(rng: np.random.Generator) -> dict[str, tuple[Array, Array]]:
    """Outputs for a pattern, and for the same pattern twelve places on, by layer."""
    kernel = rng.normal(size=5)
    dense = rng.normal(size=(40, 36)) / np.sqrt(8)
    here = np.zeros(40)
    here[8:16] = rng.normal(size=8)
    there = np.roll(here, 12)
    return {
        "convolution": (convolve(here, kernel), convolve(there, kernel)),
        "dense layer": (here @ dense, there @ dense),
    }


def moves(seed: int) -> Measurement:
    """Output for a moved input, against the moved output for the input."""
    apart = {
        name: float(abs(np.roll(first, 12) - second).max())
        for name, (first, second) in _moved(np.random.default_rng(seed)).items()
    }
    # One draw is drawn for all seeds: ten on top of each other would show nothing.
    panels = tuple(
        Lines(
            x=range(36),
            ys={"pattern at 8": first, "pattern at 20": second},
            x_label="position",
            y_label="output",
            title=name,
        )
        for name, (first, second) in _moved(np.random.default_rng(0)).items()
    )
    return Measurement(
        measured=apart["convolution"],
        panels=panels,
        seen="When the pattern moves, the output of the convolution moves with it; "
        "the dense layer gives something else.",
        controls=(
            Control(apart["dense layer"] > 0.1, "A dense layer moves along as well."),
        ),
    )


def _matrix(kernel: Array, inputs: int) -> Array:
    """The dense layer that a convolution is: the kernel, one place on in each row."""
    places = inputs - len(kernel) + 1
    matrix = np.zeros((inputs, places))
    for place in range(places):
        matrix[place : place + len(kernel), place] = kernel
    return matrix


def shared(seed: int) -> Measurement:
    """Output of a convolution against that of a dense layer with its weights."""
    rng = np.random.default_rng(seed)
    signal = rng.normal(size=64)
    kernel = rng.normal(size=5)
    matrix = _matrix(kernel, 64)
    unshared = np.where(matrix != 0, rng.normal(size=matrix.shape), 0.0)
    output = convolve(signal, kernel)
    apart = abs(output - signal @ matrix).max()
    apart_unshared = abs(output - signal @ unshared).max()
    # One draw is drawn for all seeds: ten on top of each other would show nothing.
    drawn = np.random.default_rng(0).normal(size=64)
    edge = np.array([-1.0, -2.0, 0.0, 2.0, 1.0])
    curves = Lines(
        x=range(60),
        ys={
            "convolution": convolve(drawn, edge),
            "dense layer": drawn @ _matrix(edge, 64),
        },
        x_label="position",
        y_label="output",
        title="kernel of 5 over 64 inputs",
    )
    counts = Bars(
        labels=["all", "not zero", "different"],
        ys={"weights": [matrix.size, (matrix != 0).sum(), len(set(kernel))]},
        y_label="weights of the dense layer",
        log="y",
    )
    return Measurement(
        measured=apart,
        panels=(curves, counts),
        seen="A dense layer with 3840 weights gives the same output when 3540 of them "
        "are 0 and the others repeat the same five numbers.",
        controls=(
            Control(
                apart_unshared > 0.1, "Weights that are not shared do the same as well."
            ),
        ),
    )


_PLACES = 32
Net = Callable[[Array, list[Variable]], Variable]


def _patterns(
    rng: np.random.Generator, shapes: Array, first: int, count: int
) -> tuple[Array, Labels]:
    """Noise with one of two shapes in it, at one of twelve places from ``first``."""
    x = rng.normal(0, 0.3, (count, _PLACES))
    y = rng.integers(0, 2, count)
    places = first + rng.integers(0, 12, count)
    for row, label, place in zip(x, y, places, strict=True):
        row[place : place + 5] += shapes[label]
    return x, y


def _convolutional(x: Array, ws: list[Variable]) -> Variable:
    windows = tape.variable(sliding_window_view(x, 5, axis=-1))
    return tape.mean(tape.relu(windows @ ws[0] + ws[1]), axis=1) @ ws[2]


def _dense(x: Array, ws: list[Variable]) -> Variable:
    return tape.relu(tape.variable(x) @ ws[0] + ws[1]) @ ws[2]


def _fitted(
    rng: np.random.Generator, net: Net, inputs: int, x: Array, y: Labels
) -> list[Variable]:
    """Weights of a net with 16 units that each see so many inputs."""
    ws = [
        Variable(rng.normal(0, inputs**-0.5, (inputs, 16))),
        Variable(np.zeros(16)),
        Variable(rng.normal(0, 0.25, (16, 2))),
    ]
    fit(ws, lambda: tape.cross_entropy(net(x, ws), y), 120, 0.03)
    return ws


def elsewhere(seed: int) -> Measurement:
    """Errors at places where no pattern stood in training."""
    rng = np.random.default_rng(seed)
    # At right angles, so that no draw makes two patterns that are hard to tell apart.
    shapes = 3 * np.linalg.qr(rng.normal(size=(5, 2)))[0].T
    x, y = _patterns(rng, shapes, 0, 300)
    tests = {
        "trained places": _patterns(rng, shapes, 0, 300),
        "new places": _patterns(rng, shapes, 15, 300),
    }
    right = {}
    for name, net, inputs in (
        ("convolution", _convolutional, 5),
        ("dense layer", _dense, _PLACES),
    ):
        ws = _fitted(rng, net, inputs, x, y)
        right[name] = [
            float((net(rows, ws).value.argmax(1) == labels).mean())
            for rows, labels in tests.values()
        ]
    shown = Bars(
        labels=list(tests),
        ys=right,
        y_label="share of right answers",
        marks={"chance": 0.5},
    )
    learned = min(shares[0] for shares in right.values())
    return Measurement(
        measured=right["convolution"][1] - right["dense layer"][1],
        panels=(shown,),
        seen="Both learn the patterns where they stood in training; where they never "
        "stood, the convolution still knows them and the dense layer guesses.",
        controls=(Control(learned > 0.8, "One of them did not learn."),),
    )


def _features(images: Array, kernels: list[Array], stride: int) -> Array:
    """Two convolutions with ReLU, and the mean over all places: one row an image."""
    x = images[:, None]
    for kernel in kernels:
        windows = sliding_window_view(x, (3, 3), axis=(2, 3))[:, :, ::stride, ::stride]
        x = np.maximum(np.einsum("bcijkl,ockl->boij", windows, kernel), 0.0)
    means: Array = x.mean(axis=(2, 3))
    return means


def strides(seed: int) -> Measurement:
    """Change of the features of digits as they move over an empty canvas."""
    rng = np.random.default_rng(seed)
    images = digits()[0][rng.integers(0, 1797, 20)].reshape(-1, 8, 8)
    kernels = [rng.normal(0, 0.3, (8, 1, 3, 3)), rng.normal(0, 0.1, (8, 8, 3, 3))]
    changes: dict[str, list[float]] = {"stride 1": [], "stride 2": []}
    for stride, change in enumerate(changes.values(), 1):
        features = []
        for shift in range(9):
            canvas = np.zeros((len(images), 18, 28))
            canvas[:, 5:13, 6 + shift : 14 + shift] = images
            features.append(_features(canvas, kernels, stride))
        size = np.linalg.norm(features[0], axis=1)
        change += [
            float((np.linalg.norm(f - features[0], axis=1) / size).mean())
            for f in features
        ]
    shown = Lines(
        x=range(9),
        ys=changes,
        x_label="pixels that the digit is moved by",
        y_label="relative change of the features",
    )
    return Measurement(
        measured=changes["stride 2"][1],
        panels=(shown,),
        seen="With a stride of 2 in both layers the features change for each shift "
        "that is no multiple of 4; with a stride of 1 they stay.",
        controls=(
            Control(
                max(changes["stride 1"]) < 1e-9, "They change without strides too."
            ),
        ),
    )
