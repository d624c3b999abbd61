"""Claims of *denoising autoencoder* (Vincent 2008), on digits and in one dimension."""

from __future__ import annotations

import numpy as np

from glossary.lab import Bars, Control, Lines, Measurement, tape
from glossary.lab.data import Array, digits_split
from glossary.lab.tape import Variable
from glossary.lab.training import fit

_NOISE = 0.5
_UPDATES = 400


def rebuild(x: Array, ws: list[Variable]) -> Variable:
    """One hidden layer with ReLU, wider than the input."""
    return tape.relu(tape.variable(x) @ ws[0] + ws[1]) @ ws[2] + ws[3]


def _train(
    rng: np.random.Generator, data: Array, noise: float, hidden: int, updates: int
) -> list[Variable]:
    """A net that is to give clean rows for rows with noise of this size."""
    size = data.shape[1]
    ws = [
        Variable(rng.normal(0, size**-0.5, (size, hidden))),
        Variable(rng.normal(0, 0.1, hidden)),
        Variable(rng.normal(0, hidden**-0.5, (hidden, size))),
        Variable(np.zeros(size)),
    ]

    def loss() -> Variable:
        clean = data[rng.integers(0, len(data), 64)]
        wrong = rebuild(clean + noise * rng.normal(size=clean.shape), ws) - clean
        return tape.mean(wrong * wrong)

    fit(ws, loss, updates, 0.01)
    return ws


def best_linear(train: Array, noise: float) -> tuple[Array, Array]:
    """Mean and matrix of the Wiener filter: no linear one has a smaller squared error.

    x_hat = m + C (C + noise^2 I)^-1 (y - m), for rows of mean m and covariance C.
    """
    covariance: Array = np.cov(train.T)
    noisy = covariance + noise**2 * np.eye(train.shape[1])
    matrix: Array = np.asarray(np.linalg.solve(noisy, covariance), dtype=float)
    mean: Array = train.mean(axis=0)
    return mean, matrix


def _circle(rng: np.random.Generator, count: int) -> Array:
    """Points on a circle of radius 1."""
    angle = rng.uniform(0, 2 * np.pi, count)
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


def beats_linear(seed: int) -> Measurement:
    """Error of the denoising autoencoder over that of the best linear filter."""
    rng = np.random.default_rng(seed)
    noise = 0.3
    train = _circle(rng, 2000)
    ws = _train(rng, train, noise, 32, 800)
    mean, matrix = best_linear(train, noise)
    clean = _circle(rng, 2000)
    noisy = clean + noise * rng.normal(size=clean.shape)
    cleaned = {
        "left as is": noisy,
        "linear filter": mean + (noisy - mean) @ matrix,
        "trained net": rebuild(noisy, ws).value,
    }
    errors = {name: float(((x - clean) ** 2).mean()) for name, x in cleaned.items()}
    bars = Bars(
        labels=list(errors),
        ys={"error": errors.values()},
        y_label="squared error of a coordinate",
    )
    radii = np.linspace(0.3, 1.8, 16)
    ring = _circle(rng, 60)
    outside: dict[str, list[float]] = {
        "best linear filter": [],
        "denoising autoencoder": [],
    }
    for radius in radii:
        filtered = mean + (radius * ring - mean) @ matrix
        rebuilt = rebuild(radius * ring, ws).value
        outside["best linear filter"].append(np.linalg.norm(filtered, axis=1).mean())
        outside["denoising autoencoder"].append(np.linalg.norm(rebuilt, axis=1).mean())
    curves = Lines(
        x=radii,
        ys=outside,
        x_label="distance of the noisy point from the centre",
        y_label="distance of the output from the centre",
        marks={"the data": 1.0},
    )
    linear = errors["linear filter"]
    return Measurement(
        measured=errors["trained net"] / linear,
        panels=(curves, bars),
        seen="The denoising autoencoder brings points from inside and outside to the "
        "circle that the data lie on; a linear filter can only shrink them all.",
        controls=(Control(linear < errors["left as is"], "The filter is a poor one."),),
    )


def from_clean(seed: int) -> Measurement:
    """Error left by a net trained on clean images over that of one trained on noise."""
    rng = np.random.default_rng(seed)
    split = digits_split(seed)
    clean = split.test_x
    noisy = clean + _NOISE * rng.normal(size=clean.shape)
    images = {"left as it is": noisy}
    rebuilds_clean = 0.0
    for name, noise in (("trained on clean", 0.0), ("trained on noisy", _NOISE)):
        ws = _train(rng, split.train_x, noise, 96, _UPDATES)
        images[name] = rebuild(noisy, ws).value
        if noise == 0:
            rebuilds_clean = float(((rebuild(clean, ws).value - clean) ** 2).mean())
    errors = {name: float(((x - clean) ** 2).mean()) for name, x in images.items()}
    shown = Bars(
        labels=list(errors),
        ys={"error": errors.values()},
        y_label="squared error of a pixel, noisy new images",
    )
    return Measurement(
        measured=errors["trained on clean"] / errors["trained on noisy"],
        panels=(shown,),
        seen="The net that was trained to copy clean images leaves most of the noise; "
        "trained on noisy images, the same net removes most of it.",
        controls=(
            Control(rebuilds_clean < 0.01, "The first does not rebuild clean images."),
            Control(
                errors["trained on noisy"] < 0.3 * errors["left as it is"],
                "Trained on noise it removes little either.",
            ),
        ),
    )


_CENTRES = np.array([-1.5, 1.5])
_WIDTH = 0.5
_SIGMA = 0.4


def score(y: Array) -> Array:
    """Derivative of the logarithm of the density of the noisy data: two bells."""
    variance = _WIDTH**2 + _SIGMA**2
    from_centres = y[:, None] - _CENTRES
    share = np.exp(-(from_centres**2) / (2 * variance))
    share /= share.sum(axis=1, keepdims=True)
    slope: Array = -(share * from_centres).sum(axis=1) / variance
    return slope


def _steps(seed: int, noise: float, grid: Array) -> Array:
    """(output - input) / variance of the noise, of a net trained with this noise."""
    rng = np.random.default_rng(seed)
    ws = [
        Variable(rng.normal(0, 1.0, (1, 24))),
        Variable(rng.normal(0, 1.0, 24)),
        Variable(rng.normal(0, 0.2, (24, 1))),
        Variable(np.zeros(1)),
    ]

    def output(x: Array) -> Variable:
        return tape.tanh(tape.variable(x) @ ws[0] + ws[1]) @ ws[2] + ws[3]

    def loss() -> Variable:
        centres = rng.choice(_CENTRES, (128, 1))
        clean = centres + _WIDTH * rng.normal(size=(128, 1))
        wrong = output(clean + noise * rng.normal(size=(128, 1))) - clean
        return tape.mean(wrong * wrong)

    fit(ws, loss, 800, 0.01)
    steps: Array = (output(grid[:, None]).value[:, 0] - grid) / _SIGMA**2
    return steps


def points_to_data(seed: int) -> Measurement:
    """Distance of (output - input) / noise^2 from the score, relative to the score."""
    grid = np.linspace(-3, 3, 49)
    exact = score(grid)
    steps = {
        "exact": exact,
        "trained on noise": _steps(seed, _SIGMA, grid),
        "trained without": _steps(seed, 0.0, grid),
    }
    apart = {
        name: float(np.linalg.norm(step - exact) / np.linalg.norm(exact))
        for name, step in steps.items()
    }
    shown = Lines(
        x=grid,
        ys=steps,
        x_label="input (the data lie around -1.5 and 1.5)",
        y_label="(output - input) / noise variance",
        marks={"no change": 0.0},
    )
    return Measurement(
        measured=apart["trained on noise"],
        panels=(shown,),
        seen="The trained net moves each input towards where data are denser, as far "
        "as the score says; a net trained without noise leaves it where it is.",
        controls=(
            Control(
                apart["trained without"] > 0.7, "Without noise it does so as well."
            ),
        ),
    )
