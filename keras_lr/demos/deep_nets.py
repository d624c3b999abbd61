"""What warmup and one cycle are worth: nets trained from fresh weights."""

from __future__ import annotations

from typing import Any

import numpy as np

import keras_lr
from glossary.lab import Control, Lines, Measurement
from glossary.lab.data import Array
from keras_lr.demos import residual_net

GUESSING = float(np.log(10))


def warmup_trains_deep_nets(seed: int) -> Measurement:
    """Loss of twenty residual blocks at a high rate, with warmup over without.

    Each loss is the median of three nets, and at most that of guessing. The control is
    a low learning rate, which trains without warmup.
    """
    updates = 200
    widths = [64, *[32] * 21, 10]
    warmup = keras_lr.Warmup(updates // 2, max_lr=0.06).values(updates)
    arms = {
        "0.06 with warmup": warmup,
        "0.06 at once": np.full(updates, 0.06),
        "0.004 at once": np.full(updates, 0.004),
    }
    courses: dict[str, Array] = {}
    for name, rates in arms.items():
        runs = [
            residual_net.train(net, widths, rates, 0.0, 40)
            for net in range(3 * seed, 3 * seed + 3)
        ]
        courses[name] = np.minimum(np.median(runs, axis=0), GUESSING)
    warm, at_once, low = (float(course[-1]) for course in courses.values())
    shown = Lines(
        x=range(40, updates + 1, 40),
        ys=courses,
        x_label="update",
        y_label="cross-entropy, at most that of guessing, nats",
        log="y",
        marks={"guessing": GUESSING},
    )
    return Measurement(
        measured=warm / at_once,
        panels=(shown,),
        seen="At a high learning rate the deep net trains after a warmup, and stays "
        "near guessing if it starts at once.",
        controls=(Control(low < 0.95 * GUESSING, "It trains at no rate."),),
    )


def one_cycle_is_faster(seed: int) -> Measurement:
    """Updates of the best constant rate to the loss of one cycle, over its own.

    A constant rate is there once the mean of its last 200 updates is; at the longest
    it gets four times as many.
    """
    updates = 800
    widths = [64, 32, 10]
    cycles = []
    for peak in (0.03, 0.05):
        cycle = keras_lr.OneCycle(max_lr=peak)
        rates = cycle.values(updates)
        momenta = cycle.momentum_values(updates)
        cycles.append(residual_net.train(seed, widths, rates, momenta, 40, batch=4))
    best_cycle = min(cycles, key=lambda run: run[-1])
    courses: dict[str, Any] = {"one cycle": best_cycle + [np.nan] * 60}
    counts = []
    for rate in (0.005, 0.01, 0.02, 0.04):
        rates = np.full(4 * updates, rate)
        run = np.array(residual_net.train(seed, widths, rates, 0.9, 40, batch=4))
        means = np.convolve(run, np.full(5, 1 / 5))[: len(run)]
        there = np.flatnonzero(means[4:] <= best_cycle[-1])
        counts.append(40.0 * (there[0] + 5) if len(there) else 4.0 * updates)
        courses[f"constant {rate}"] = np.r_[np.full(4, np.nan), means[4:]]
    shown = Lines(
        x=range(40, 4 * updates + 1, 40),
        ys=courses,
        x_label="update",
        y_label="cross-entropy, nats",
        log="y",
        marks={"one cycle's end": best_cycle[-1]},
    )
    learns = Control(best_cycle[-1] < 0.5, "One cycle does not train the net.")
    return Measurement(
        measured=min(counts) / updates,
        panels=(shown,),
        seen="One cycle is at its final loss after 800 updates; every constant "
        "learning rate comes there later or not at all.",
        controls=(learns,),
    )
