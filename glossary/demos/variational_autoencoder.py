"""Claims of *variational autoencoder* (Kingma and Welling 2013)."""

from __future__ import annotations

from functools import cache

import numpy as np

from glossary.lab import Bars, Control, Lines, Measurement, tape
from glossary.lab.data import Array, digits_split
from glossary.lab.tape import Variable
from glossary.lab.training import fit


def divergence(mean: Array, deviation: Array) -> Array:
    """KL divergence of normal distributions from the standard normal (appendix B).

    KL = sum of (mean^2 + deviation^2 - 1 - log deviation^2) / 2.
    """
    each = (mean**2 + deviation**2 - 1 - np.log(deviation**2)) / 2
    total: Array = each.sum(axis=-1)
    return total


def kl(seed: int) -> Measurement:
    """The closed form of the KL divergence against a mean over draws."""
    rng = np.random.default_rng(seed)
    mean = rng.normal(size=4)
    deviation = rng.uniform(0.3, 0.7, 4)
    noise = rng.normal(size=(200_000, 4))
    z = mean + deviation * noise
    # log q(z) - log p(z); what both densities have in common cancels.
    each = (z**2 / 2 - noise**2 / 2 - np.log(deviation)).sum(axis=1)
    closed = float(divergence(mean, deviation))
    counts = np.array([100, 500, 2000, 10_000, 50_000, 200_000])
    estimates = np.cumsum(each)[counts - 1] / counts
    # The other way round: the divergence of the standard normal from q.
    swapped = ((1 + mean**2) / deviation**2 - 1 + np.log(deviation**2)).sum() / 2
    shown = Lines(
        x=counts,
        ys={"mean over draws": estimates / closed},
        x_label="draws",
        y_label="divergence over its closed form",
        log="x",
        marks={"closed form": 1.0},
    )
    return Measurement(
        measured=abs(estimates[-1] / closed - 1),
        panels=(shown,),
        seen="The more draws are averaged, the nearer the mean comes to the closed "
        "form.",
        controls=(
            Control(abs(swapped / closed - 1) > 0.05, "Any order of both does."),
        ),
    )


def through_draw(x: Array, z: Array, decoder: Array, score: Array) -> Array:
    """Gradient for the mean of the code from each draw: the slope at what was drawn.

    z = mean + deviation * noise moves with the mean (sec. 2.4), so that the gradient
    is that of log p(x | z) for z.
    """
    slopes: Array = (x - z @ decoder) @ decoder.T
    return slopes


def by_score(x: Array, z: Array, decoder: Array, score: Array) -> Array:
    """The same gradient from log p(x | z) alone, times the score of each draw.

    The mean over the draws is subtracted: a baseline, without which it scatters more.
    """
    log_likelihood = -((x - z @ decoder) ** 2).sum(axis=1) / 2
    slopes: Array = (log_likelihood - log_likelihood.mean())[:, None] * score
    return slopes


def variance(seed: int) -> Measurement:
    """Variance of two estimates of one gradient, that of scores over reparametrized."""
    rng = np.random.default_rng(seed)
    decoder = rng.normal(size=(8, 16)) / 4
    x = rng.normal(size=16)
    mean = rng.normal(size=8)
    deviation = 0.5
    noise = rng.normal(size=(20_000, 8))
    z = mean + deviation * noise
    score = noise / deviation  # slope of log q(z) for the mean
    draws = {
        "reparametrization": through_draw(x, z, decoder, score),
        "score function": by_score(x, z, decoder, score),
    }
    exact = (x - mean @ decoder) @ decoder.T
    counts = 2 ** np.arange(9)
    scatter = {}
    wrong = 0.0
    for name, gradients in draws.items():
        spread = gradients.var(axis=0).sum()
        scatter[name] = np.sqrt(spread / counts) / np.linalg.norm(exact)
        standard_error = np.sqrt(gradients.var(axis=0) / len(gradients))
        gap = abs(gradients.mean(axis=0) - exact) / standard_error
        wrong = max(wrong, float(gap.max()))
    shown = Lines(
        x=counts,
        ys=scatter,
        x_label="draws",
        y_label="standard deviation of the gradient over its size",
        log="xy",
    )
    ratio = scatter["score function"][0] / scatter["reparametrization"][0]
    return Measurement(
        measured=ratio**2,
        panels=(shown,),
        seen="For the same scatter the score function needs many times as many draws "
        "as reparametrization.",
        controls=(Control(wrong < 6, "One estimate is not of the exact gradient."),),
    )


def bound(seed: int) -> Measurement:
    """Lower bound minus log-likelihood, for codes that are one number.

    With p(z) = N(0, 1) and p(x | z) = N(w z, s^2) everything has a closed form.
    """
    rng = np.random.default_rng(seed)
    w = rng.normal(size=4)
    x = rng.normal(size=4)
    square = 0.5  # s^2
    covariance = np.outer(w, w) + square * np.eye(4)
    quadratic = x @ np.linalg.solve(covariance, x)
    log_likelihood = -(np.log(np.linalg.det(2 * np.pi * covariance)) + quadratic) / 2
    posterior_deviation = (1 + w @ w / square) ** -0.5
    posterior_mean = posterior_deviation**2 * (w @ x) / square

    def gap(mean: Array, deviation: Array) -> Array:
        """What the bound lacks: E log p(x | z) - KL(q | p(z)) - log p(x)."""
        off = ((x - np.multiply.outer(mean, w)) ** 2).sum(-1) + deviation**2 * (w @ w)
        expected = -off / square / 2 - 2 * np.log(2 * np.pi * square)
        lower = expected - divergence(mean[:, None], deviation[:, None])
        short: Array = lower - log_likelihood
        return short

    shifts = np.linspace(-3, 3, 13)
    factors = 2.0 ** np.linspace(-2, 2, 9)
    by_mean = gap(
        posterior_mean + shifts * posterior_deviation, np.full(13, posterior_deviation)
    )
    by_deviation = gap(np.full(9, posterior_mean), factors * posterior_deviation)
    means = Lines(
        x=shifts,
        ys={"lower bound": by_mean},
        x_label="shift of the mean of q, in deviations",
        y_label="bound minus log-likelihood, nats",
        marks={"log-likelihood": 0.0},
    )
    deviations = Lines(
        x=factors,
        ys={"lower bound": by_deviation},
        x_label="factor of the deviation of q",
        y_label="bound minus log-likelihood, nats",
        log="x",
        marks={"log-likelihood": 0.0},
    )
    others = np.r_[by_mean[shifts != 0], by_deviation[factors != 1]]
    meets = max(abs(by_mean[6]), abs(by_deviation[4]))
    return Measurement(
        measured=others.max(),
        panels=(means, deviations),
        seen="The bound touches the log-likelihood where q is the posterior and lies "
        "below it everywhere else.",
        controls=(Control(meets < 1e-9, "It does not touch it at the posterior."),),
    )


_CODE = 6
_HIDDEN = 48
_PIXEL_VARIANCE = 0.02
_UPDATES = 200


def encode(x: Array, ws: list[Variable]) -> tuple[Variable, Variable]:
    """Mean and logarithm of the variance of the code of each image."""
    hidden = tape.relu(tape.variable(x) @ ws[0] + ws[1])
    return hidden @ ws[2] + ws[3], hidden @ ws[4] + ws[5]


def decode(z: Variable, ws: list[Variable]) -> Variable:
    """Images of codes."""
    return tape.relu(z @ ws[6] + ws[7]) @ ws[8] + ws[9]


@cache
def trained(seed: int, weight: float) -> list[Variable]:
    """A variational autoencoder of digits; with a weight of 0 an ordinary one.

    Args:
        seed: Of everything that is drawn.
        weight: Of noise in the codes and of the KL divergence.
    """
    rng = np.random.default_rng(seed)
    x = digits_split(seed).train_x
    ws = []
    for a, b in (
        (64, _HIDDEN),
        (_HIDDEN, _CODE),
        (_HIDDEN, _CODE),
        (_CODE, _HIDDEN),
        (_HIDDEN, 64),
    ):
        ws += [Variable(rng.normal(0, a**-0.5, (a, b))), Variable(np.zeros(b))]

    def loss() -> Variable:
        """Minus the lower bound for a batch, up to a constant."""
        images = x[rng.integers(0, len(x), 64)]
        mean, log_variance = encode(images, ws)
        noise = weight * rng.normal(size=mean.shape)
        wrong = decode(mean + tape.exp(log_variance * 0.5) * noise, ws) - images
        rebuilt = tape.total(wrong * wrong) * (0.5 / _PIXEL_VARIANCE)
        each = mean * mean + tape.exp(log_variance) - log_variance - 1.0
        return (rebuilt + tape.total(each) * (0.5 * weight)) * (1 / 64)

    fit(ws, loss, _UPDATES, 0.005)
    return ws


def _rebuilt(seed: int, weight: float) -> float:
    """Squared error on new images, from the means of their codes."""
    x = digits_split(seed).test_x
    ws = trained(seed, weight)
    return float(((decode(encode(x, ws)[0], ws).value - x) ** 2).mean())


def price(seed: int) -> Measurement:
    """Error of reconstruction on new images, variational over ordinary."""
    split = digits_split(seed)
    found = {
        "variational": _rebuilt(seed, 1.0),
        "ordinary": _rebuilt(seed, 0.0),
        "mean image": float(((split.test_x - split.train_x.mean(0)) ** 2).mean()),
    }
    shown = Bars(
        labels=list(found),
        ys={"error": found.values()},
        y_label="squared error of a pixel",
    )
    return Measurement(
        measured=found["variational"] / found["ordinary"],
        panels=(shown,),
        seen="With as many numbers in the code, the variational autoencoder rebuilds "
        "new images less exactly than the ordinary one.",
        controls=(
            Control(
                found["variational"] < 0.7 * found["mean image"], "It did not learn."
            ),
        ),
    )
