"""Claims of the *gradient noise scale* (McCandlish et al. 2018, sec. 2.2)."""

from __future__ import annotations

import numpy as np

from glossary.lab import Control, Lines, Measurement
from glossary.lab.data import Array, digits
from glossary.lab.nets import gradients, relu, softmax, weights
from glossary.lab.steps import sgd


def from_two_batches(seed: int) -> Measurement:
    """tr(S) / |G|^2 from gradients of two batch sizes, over the direct value.

    E |g_B|^2 = |G|^2 + tr(S) / B, so that two batch sizes give both unknowns. The
    control leaves out the correction: it takes the smaller batch's square for |G|^2.
    """
    rng = np.random.default_rng(seed)
    true = np.full(50, 0.3)
    sigma = np.linspace(0.5, 1.5, 50)
    direct = float((sigma**2).sum() / (true @ true))
    sizes = [16, 64, 256, 1024]
    estimates = []
    naive = []

    def mean_square(batch: int) -> float:
        draws = [rng.normal(true, sigma / np.sqrt(batch)) for _ in range(400)]
        return float(np.mean([(draw**2).sum() for draw in draws]))

    for big in sizes:
        small_square = mean_square(4)
        big_square = mean_square(big)
        signal = (big * big_square - 4 * small_square) / (big - 4)
        noise = (small_square - big_square) / (1 / 4 - 1 / big)
        estimates.append(noise / signal / direct)
        naive.append(noise / small_square / direct)
    shown = Lines(
        x=sizes,
        ys={"from both batch sizes": estimates, "without the correction": naive},
        x_label="larger batch size (the smaller is 4)",
        y_label="estimate over the true noise scale",
        log="x",
        marks={"the truth": 1.0},
    )
    wrong = Control(naive[1] < 0.6, "The correction makes no difference.")
    return Measurement(
        measured=estimates[1],
        panels=(shown,),
        seen="The estimate from two batch sizes lies at the true noise scale; without "
        "the correction it is far too low.",
        controls=(wrong,),
    )


def _noise_scale(ws: list[Array]) -> float:
    """Of a net of two layers, over all digits: variance of single gradients over |G|^2.

    The gradient of one example is an outer product of what goes into a layer and of
    the error signal behind it, so that its square is the product of their squares.
    """
    x, y = digits()
    hidden = np.maximum(x @ ws[0], 0)
    out_signal = softmax(hidden @ ws[1])
    out_signal[np.arange(len(x)), y] -= 1
    hidden_signal = (out_signal @ ws[1].T) * (hidden > 0)
    squares = (x**2).sum(1) * (hidden_signal**2).sum(1)
    squares = squares + (hidden**2).sum(1) * (out_signal**2).sum(1)
    mean = gradients(ws, x, y, relu)[1]
    signal = sum(float((g**2).sum()) for g in mean)
    return (float(squares.mean()) - signal) / signal


def grows(seed: int) -> Measurement:
    """Noise scale after 300 to 600 updates, mean of four, over that at the start."""
    rng = np.random.default_rng(seed)
    x, y = digits()
    ws = weights(rng, [64, 32, 10], 2.0)
    looks = [0, 10, 30, 100, 200, 300, 400, 500, 600]
    scales = []
    losses = []
    for update in range(looks[-1] + 1):
        if update in looks:
            scales.append(_noise_scale(ws))
            losses.append(gradients(ws, x, y, relu)[0])
        rows = rng.integers(0, len(x), 32)
        sgd(ws, gradients(ws, x[rows], y[rows], relu)[1], 0.3)
    noise = Lines(
        x=looks,
        ys={"noise scale": scales},
        x_label="update",
        y_label="gradient noise scale, examples",
        log="y",
    )
    loss = Lines(
        x=looks,
        ys={"loss": losses},
        x_label="update",
        y_label="cross-entropy, nats",
        log="y",
    )
    learns = Control(losses[-1] < 0.5 * losses[0], "The net does not learn.")
    return Measurement(
        measured=float(np.mean(scales[-4:])) / scales[0],
        panels=(noise, loss),
        seen="While the loss falls, the gradient noise scale grows many times over.",
        controls=(learns,),
    )
