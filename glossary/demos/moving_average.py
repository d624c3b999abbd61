"""Claims of *moving average*: m <- beta m + (1 - beta) x, from m = 0."""

from __future__ import annotations

from functools import cache

import numpy as np

from glossary.lab import Control, Lines, Measurement
from glossary.lab.data import Array, digits
from glossary.lab.nets import gradients, relu, weights
from glossary.lab.steps import sgd


def average(values: Array, beta: float, correct: bool = True) -> Array:
    """The exponential moving average after each value.

    Args:
        values: A series, the first value first; further axes are averaged apart.
        beta: Share of the old average that is kept.
        correct: Whether it is divided by 1 - beta^t, the weight that it has gathered
            (Kingma and Ba 2014, sec. 3).
    """
    mean = np.zeros_like(values[0])
    out = []
    for count, value in enumerate(values, start=1):
        mean = beta * mean + (1 - beta) * value
        out.append(mean / (1 - beta**count) if correct else mean)
    return np.array(out)


def window(seed: int) -> Measurement:
    """Largest distance from 1 - 1/e of the weight on the last 1 / (1 - beta) values."""
    rng = np.random.default_rng(seed)
    windows = np.sort(rng.integers(10, 200, 8))
    off = []
    half = []
    for length in windows:
        pulse = np.zeros(1000)
        pulse[0] = 1.0
        # What a value counts for after so many more: the average of a single pulse.
        weight = average(pulse, 1 - 1 / length, correct=False)
        off.append(float(weight[:length].sum()) - (1 - np.exp(-1)))
        half.append(float(weight[: length // 2].sum()))
    ages = np.arange(40)
    pulse = np.zeros(40)
    pulse[0] = 1.0
    shown = Lines(
        x=ages,
        ys={
            "exponential, beta 0.9": average(pulse, 0.9, correct=False),
            "plain mean of the last 10": np.where(ages < 10, 0.1, 0.0),
        },
        x_label="age of a value, in steps",
        y_label="its weight in the average",
    )
    return Measurement(
        measured=max(abs(np.array(off))),
        panels=(shown,),
        seen="An exponential moving average weighs recent values most and never "
        "quite forgets; a plain mean of ten drops a value at once.",
        controls=(Control(max(half) < 0.5, "Half as many values have this weight."),),
    )


def noise(seed: int) -> Measurement:
    """Variance of the average of noise over that of a plain mean of as many values."""
    rng = np.random.default_rng(seed)
    betas = np.array([0.5, 0.8, 0.9, 0.95, 0.98])
    draws = rng.normal(size=(400, 4000))
    moving = [float(average(draws, beta)[-1].var()) for beta in betas]
    counts = (1 + betas) / (1 - betas)
    plain = [float(draws[: round(count)].mean(axis=0).var()) for count in counts]
    ratio = np.array(moving) / np.array(plain)
    shown = Lines(
        x=counts,
        ys={"plain mean of so many": plain, "moving average": moving},
        x_label="(1 + beta) / (1 - beta)",
        y_label="variance, noise of variance 1",
        log="xy",
    )
    return Measurement(
        measured=float(max(ratio, key=lambda r: abs(np.log(r)))),
        panels=(shown,),
        seen="A moving average scatters as little as a plain mean of (1 + beta) / (1 "
        "- beta) values.",
        controls=(Control(moving[0] > 5 * moving[-1], "Averaging changes nothing."),),
    )


def start(seed: int) -> Measurement:
    """Relative error of the corrected average of a constant series, at its worst."""
    value = float(np.random.default_rng(seed).uniform(1, 5))
    series: Array = np.full(60, value)
    corrected = average(series, 0.95) / value
    plain = average(series, 0.95, correct=False) / value
    shown = Lines(
        x=np.arange(1, 61),
        ys={"corrected": corrected, "not corrected": plain},
        x_label="step",
        y_label="average over the constant value",
        marks={"the value": 1.0},
    )
    return Measurement(
        measured=float(abs(corrected - 1).max()),
        panels=(shown,),
        seen="An average that starts at 0 is far too low at first; divided by the "
        "weight it has gathered, it is right from the first step.",
        controls=(Control(plain[0] < 0.1, "It is right without correction too."),),
    )


def lag(seed: int) -> Measurement:
    """Steps by which the average of a rising series is late, over beta / (1 - beta)."""
    rng = np.random.default_rng(seed)
    slope = float(rng.uniform(0.5, 2))
    steps: Array = np.arange(1000.0)
    betas = np.array([0.5, 0.8, 0.9, 0.95, 0.98])
    late = [
        float((slope * steps[-1] - average(slope * steps, beta)[-1]) / slope)
        for beta in betas
    ]
    expected = betas / (1 - betas)
    shown_steps = steps[:100:4]
    curves = Lines(
        x=shown_steps,
        ys={
            "series": shown_steps,
            "average, beta 0.9": average(steps[:100], 0.9)[::4],
            "average, beta 0.95": average(steps[:100], 0.95)[::4],
        },
        x_label="step",
        y_label="value",
    )
    ratio = np.array(late) / expected
    return Measurement(
        measured=float(max(ratio, key=lambda r: abs(np.log(r)))),
        panels=(curves,),
        seen="The average runs behind a rising series, the further the closer beta "
        "is to 1.",
        controls=(Control(late[-1] > 20 * late[0], "Every average is as late."),),
    )


UPDATES = 600
BETAS = np.array([0.0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.998, 0.9995])


@cache
def _averaged(seed: int, learning_rate: float) -> Array:
    """Loss of averaged weights over the last ten hundredths of a run, for each beta."""
    x, y = digits()
    rng = np.random.default_rng(seed)
    ws = weights(rng, [64, 16, 10], 2.0)
    means = [[w.copy() for w in ws] for _ in BETAS]
    late = []
    for update in range(1, UPDATES + 1):
        rows = rng.integers(0, len(x), 8)
        sgd(ws, gradients(ws, x[rows], y[rows], relu)[1], learning_rate)
        for beta, mean in zip(BETAS, means, strict=True):
            for w, m in zip(ws, mean, strict=True):
                m += (1 - beta) * (w - m)
        if update > UPDATES - 100 and update % 20 == 0:
            late.append([gradients(mean, x, y, relu)[0] for mean in means])
    losses: Array = np.mean(late, axis=0)
    return losses


def _over_window(curves: dict[str, Array]) -> Lines:
    return Lines(
        x=1 / (1 - BETAS),
        ys=curves,
        x_label="1 / (1 - beta): updates that are averaged, about",
        y_label="loss of the averaged weights, nats",
        log="xy",
    )


def of_weights(seed: int) -> Measurement:
    """Loss of averaged weights over that of the last ones, late in a noisy run."""
    noisy = _averaged(seed, 0.3)
    calm = _averaged(seed, 0.01)
    place = list(BETAS).index(0.98)
    shown = _over_window(
        {"learning rate 0.3": noisy, "learning rate 0.01": calm},
    )
    gain = {"noisy": noisy[place] / noisy[0], "calm": calm[place] / calm[0]}
    return Measurement(
        measured=float(gain["noisy"]),
        panels=(shown,),
        seen="Where SGD is noisy, weights averaged over some 50 updates have a lower "
        "loss than the last ones; where it is calm, averaging does not help.",
        controls=(
            Control(gain["calm"] > 0.95, "Averaging helps without noise as well."),
        ),
    )


def longer_is_better(seed: int) -> Measurement:
    """Loss of weights averaged over 2000 updates over that of 50, after 600 updates."""
    losses = _averaged(seed, 0.3)
    short = losses[list(BETAS).index(0.98)]
    shown = _over_window({"after 600 updates": losses})
    return Measurement(
        measured=float(losses[-1] / short),
        panels=(shown,),
        seen="The loss falls as more updates are averaged, and then rises steeply: "
        "the average still holds the weights of the start.",
        controls=(Control(short < losses[0], "A short average does not help either."),),
    )
