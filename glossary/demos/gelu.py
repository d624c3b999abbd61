"""Claims of *GELU*: z times the share of a standard normal distribution below z."""

from __future__ import annotations

import math

import numpy as np

from glossary.lab import Control, Lines, Measurement
from glossary.lab.data import Array, digits
from glossary.lab.nets import relu, weights

DRAWN = np.linspace(-4, 4, 81)


def below(z: Array) -> Array:
    """Share of a standard normal distribution that lies below z."""
    return 0.5 * (1 + np.array([math.erf(value / math.sqrt(2)) for value in z]))


def gelu(z: Array) -> Array:
    """The exact function (Hendrycks and Gimpel 2016, sec. 2)."""
    return z * below(z)


def gelu_by_tanh(z: Array) -> Array:
    """The approximation that the paper gives with it."""
    inner = math.sqrt(2 / math.pi) * (z + 0.044715 * z**3)
    value: Array = 0.5 * z * (1 + np.tanh(inner))
    return value


def gelu_by_sigmoid(z: Array) -> Array:
    """The faster and coarser approximation of the paper."""
    value: Array = z / (1 + np.exp(-1.702 * z))
    return value


def approximation(seed: int) -> Measurement:
    """Largest distance of the approximation by tanh from the exact function."""
    random = np.random.default_rng(seed).uniform(-8, 8, 2000)
    z = np.concatenate([DRAWN, random])
    by_tanh = abs(gelu_by_tanh(z) - gelu(z))
    by_sigmoid = abs(gelu_by_sigmoid(z) - gelu(z))
    curves = Lines(
        x=DRAWN,
        ys={"exact": gelu(DRAWN), "by tanh": gelu_by_tanh(DRAWN)},
        x_label="z",
        y_label="GELU",
    )
    few = len(DRAWN)
    errors = Lines(
        x=DRAWN,
        ys={"by sigmoid": 1000 * by_sigmoid[:few], "by tanh": 1000 * by_tanh[:few]},
        x_label="z",
        y_label="distance from the exact function, thousandths",
    )
    return Measurement(
        measured=float(by_tanh.max()),
        panels=(curves, errors),
        seen="The approximation by tanh cannot be told from GELU by eye; that by the "
        "sigmoid is 40 times as far away.",
        controls=(
            Control(by_sigmoid.max() > 0.01, "Any approximation is as good as this."),
        ),
    )


def not_monotonic(seed: int) -> Measurement:
    """How far the function falls before it rises."""
    random = np.random.default_rng(seed).uniform(-4, 4, 2000)
    z = np.sort(np.concatenate([DRAWN, random]))
    falls = {}
    for name, values in (("GELU", gelu(z)), ("ReLU", relu(z)[0])):
        highest_so_far = np.maximum.accumulate(values)
        falls[name] = float((highest_so_far - values).max())
    near = DRAWN[abs(DRAWN) <= 3]
    shown = Lines(
        x=near,
        ys={"ReLU": relu(near)[0], "GELU": gelu(near)},
        x_label="z",
        y_label="value",
    )
    return Measurement(
        measured=falls["GELU"],
        panels=(shown,),
        seen="GELU dips to -0.17 at about -0.75 before it rises; ReLU never falls.",
        controls=(Control(falls["ReLU"] == 0, "ReLU falls as well."),),
    )


def near_relu(seed: int) -> Measurement:
    """Largest distance from ReLU beyond 4; of z times the sigmoid of z as well."""
    random = np.random.default_rng(seed).uniform(4, 12, 400)
    far = np.concatenate([[-4.0, 4.0], random, -random])
    gap = float(abs(gelu(far) - relu(far)[0]).max())
    silu = far / (1 + np.exp(-far))
    other = float(abs(silu - relu(far)[0]).max())
    z = np.linspace(-6, 6, 81)
    shown = Lines(
        x=z,
        ys={
            "GELU": abs(gelu(z) - relu(z)[0]),
            "z times sigmoid": abs(z / (1 + np.exp(-z)) - relu(z)[0]),
        },
        x_label="z",
        y_label="distance from ReLU",
    )
    return Measurement(
        measured=gap,
        panels=(shown,),
        seen="Beyond 4 on either side GELU has become ReLU; between, they differ by "
        "at most 0.17.",
        controls=(Control(other > 0.01, "Any smooth ReLU is as close at 4."),),
    )


def random_mask(seed: int) -> Measurement:
    """Mean of inputs that are kept at random, against the function."""
    rng = np.random.default_rng(seed)
    draws = rng.random((10_000, len(DRAWN)))
    by_size = (draws < below(DRAWN)).mean(axis=0) * DRAWN
    by_coin = (draws < 0.5).mean(axis=0) * DRAWN
    exact = gelu(DRAWN)
    shown = Lines(
        x=DRAWN,
        ys={
            "GELU": exact,
            "kept by size, mean": by_size,
            "kept by a coin, mean": by_coin,
        },
        x_label="z",
        y_label="value",
    )
    return Measurement(
        measured=float(abs(by_size - exact).max()),
        panels=(shown,),
        seen="Inputs that are kept the likelier the larger they are average to GELU; "
        "a fair coin averages to a straight line.",
        controls=(
            Control(abs(by_coin - exact).max() > 0.5, "A coin averages to it as well."),
        ),
    )


def sparse(seed: int) -> Measurement:
    """Share of outputs of a fresh layer that are exactly 0, GELU and ReLU."""
    rng = np.random.default_rng(seed)
    x, _ = digits()
    (w,) = weights(rng, [64, 256], 2.0)
    z = (x[rng.permutation(len(x))[:40]] @ w).ravel()
    edges = np.linspace(-1, 2, 31)
    middles = (edges[1:] + edges[:-1]) / 2
    outputs = {"ReLU": relu(z)[0], "GELU": gelu(z)}
    shown = Lines(
        x=middles,
        ys={
            name: np.histogram(values, edges)[0] / len(values)
            for name, values in outputs.items()
        },
        x_label="output",
        y_label="share of the outputs, in bins of 0.1",
    )
    zero = {name: float((values == 0).mean()) for name, values in outputs.items()}
    return Measurement(
        measured=zero["GELU"],
        panels=(shown,),
        seen="ReLU piles half of the outputs up at 0; GELU spreads them just below it.",
        controls=(Control(zero["ReLU"] > 0.3, "ReLU has no zeros either."),),
    )
