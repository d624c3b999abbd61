"""Claims of *weight*."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import numpy as np

from glossary.lab import Control, Lines, Measurement
from glossary.lab.data import Array, Labels, digits_split, tables
from glossary.lab.nets import gradients, relu, weights
from glossary.lab.steps import sgd

_ALONG = np.linspace(-3, 3, 61)


def number_of_weights(widths: list[int]) -> int:
    """Of a dense net: the product of the widths on both sides of each layer."""
    return sum(before * after for before, after in pairwise(widths))


def square(seed: int) -> Measurement:
    """Power with which the weights between hidden layers grow with their width."""
    rng = np.random.default_rng(seed)
    widths = 2 ** np.arange(4, 11)
    nets = {
        "64 - width - width - 10": [[64, int(w), int(w), 10] for w in widths],
        "64 - width - 10": [[64, int(w), 10] for w in widths],
    }
    counts = {
        name: [number_of_weights(net) for net in layers]
        for name, layers in nets.items()
    }
    made = weights(rng, nets["64 - width - width - 10"][0], 1.0)
    is_counted = sum(w.size for w in made) == counts["64 - width - width - 10"][0]
    power = np.log2(
        counts["64 - width - width - 10"][-1] / counts["64 - width - width - 10"][-2]
    )
    single = np.log2(counts["64 - width - 10"][-1] / counts["64 - width - 10"][-2])
    shown = Lines(
        x=widths,
        ys=counts,
        x_label="width of the hidden layers",
        y_label="weights of the net",
        log="xy",
    )
    return Measurement(
        measured=power,
        panels=(shown,),
        seen=(
            "Twice the width of two hidden layers brings nearly four times the "
            "weights, of one hidden layer twice as many."
        ),
        controls=(
            Control(is_counted, "A net that is made has another number of weights."),
            Control(single < 1.1, "With one hidden layer they grow as fast."),
        ),
    )


def symmetry(seed: int) -> Measurement:
    """Change of the output when two hidden neurons change places, with all weights."""
    rng = np.random.default_rng(seed)
    inputs = rng.normal(size=(50, 8))
    first, second = weights(rng, [8, 16, 3], 2.0)

    def output(into: Array, out_of: Array) -> Array:
        outputs: Array = relu(inputs @ into)[0] @ out_of
        return outputs

    places = rng.permutation(16)
    before = output(first, second)
    size = float(np.linalg.norm(before))
    exchanged = output(first[:, places], second[places])
    halved = output(first[:, places], second)
    together = float(np.linalg.norm(exchanged - before)) / size
    alone = float(np.linalg.norm(halved - before)) / size
    # The picture shows one net, the same for all seeds, along a line of inputs.
    picture_rng = np.random.default_rng(0)
    inputs = picture_rng.normal(size=8) + _ALONG[:, None] * picture_rng.normal(size=8)
    first, second = weights(picture_rng, [8, 16, 3], 2.0)
    places = picture_rng.permutation(16)
    shown = Lines(
        x=_ALONG,
        ys={
            "as it was": output(first, second)[:, 0],
            "neurons exchanged, with all weights": output(
                first[:, places], second[places]
            )[:, 0],
            "only the weights into them": output(first[:, places], second)[:, 0],
        },
        x_label="place on a line of inputs",
        y_label="output",
    )
    return Measurement(
        measured=together,
        panels=(shown,),
        seen=(
            "With the hidden neurons in another order the output is the same, as long "
            "as each neuron keeps all its weights."
        ),
        controls=(
            Control(alone > 0.1, "Moving half of the weights changes nothing either."),
        ),
    )


@cache
def _trained(seed: int) -> tuple[list[Array], Array, Labels]:
    """A net after 600 updates of SGD on digits, and examples it has not seen."""
    split = digits_split(seed)
    rng = np.random.default_rng(seed)
    ws = weights(rng, [64, 64, 10], 2.0)
    for _ in range(600):
        rows = rng.integers(0, len(split.train_x), 32)
        sgd(ws, gradients(ws, split.train_x[rows], split.train_y[rows], relu)[1], 0.2)
    return ws, split.test_x, split.test_y


def _pruned(ws: list[Array], share: float, rank: list[Array]) -> list[Array]:
    """In each layer the share of weights that ranks lowest becomes 0."""
    return [
        np.where(r > np.quantile(r, share), w, 0.0)
        for w, r in zip(ws, rank, strict=True)
    ]


def small_ones(seed: int) -> Measurement:
    """Held-out loss without a random half of the weights, over without the smallest."""
    ws, x, y = _trained(seed)
    rng = np.random.default_rng(seed)
    smallest = [abs(w) for w in ws]
    at_random = [rng.random(w.shape) for w in ws]
    shares = np.linspace(0, 0.9, 10)
    losses = {
        "at random": [
            gradients(_pruned(ws, s, at_random), x, y, relu)[0] for s in shares
        ],
        "the smallest": [
            gradients(_pruned(ws, s, smallest), x, y, relu)[0] for s in shares
        ],
    }
    start = gradients(ws, x, y, relu)[0]
    shown = Lines(
        x=shares,
        ys=losses,
        x_label="share of the weights set to 0",
        y_label="held-out cross-entropy, nats",
        log="y",
    )
    return Measurement(
        measured=losses["at random"][5] / losses["the smallest"][5],
        panels=(shown,),
        seen=(
            "Half of the weights, the smallest, can go nearly unnoticed; a random half "
            "is missed at once."
        ),
        controls=(Control(start < 0.5, "The net has learned nothing to lose."),),
    )


def _ranks(values: Array) -> Array:
    return np.argsort(np.argsort(values)).astype(float)


def _units(rng: np.random.Generator, count: int, decades: float) -> Array:
    """A unit for each input, up to so many powers of ten above and below 1."""
    units: Array = 10.0 ** (decades * rng.uniform(-1, 1, count))
    return units


def _correlation(x: Array, target: Array) -> float:
    """Rank correlation of the sizes of weights with what their inputs are worth.

    Least squares; what an input is worth is the rise of the squared error when the
    input is replaced by its mean, which is 0.
    """
    scales = x.std(axis=0)
    w = np.linalg.lstsq(x / scales, target, rcond=None)[0] / scales
    errors = x @ w - target
    worth = [
        float(((errors - x[:, i] * w[i]) ** 2).mean() - (errors**2).mean())
        for i in range(len(w))
    ]
    return float(np.corrcoef(_ranks(abs(w)), _ranks(np.array(worth)))[0, 1])


def largest_matters(seed: int) -> Measurement:
    """Rank correlation of weights and worth, with inputs in units of their own."""
    inputs, labels = tables()["breast cancer"]
    target = labels - labels.mean()
    decades = [0, 0.25, 0.5, 1, 1.5, 2, 2.5, 3]
    correlations = []
    for width in decades:
        units = _units(np.random.default_rng(seed), inputs.shape[1], width)
        correlations.append(_correlation(inputs * units, target))
    shown = Lines(
        x=decades,
        ys={"30 inputs": correlations},
        x_label="units differ by up to so many powers of ten",
        y_label="rank correlation of weight and worth of its input",
        marks={"same order": 1.0},
    )
    return Measurement(
        measured=correlations[-1],
        panels=(shown,),
        seen=(
            "At equal scales the larger weight belongs to the more useful input; the "
            "more the units differ, the less the size of a weight says."
        ),
        controls=(
            Control(correlations[0] > 0.95, "It fails at equal scales as well."),
        ),
    )
