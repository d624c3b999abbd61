"""Draws docs/lint.png: a schedule with faults, and one that was extended."""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib as mpl

import keras_lr
from keras_lr.phases import cosine, hold, linear

mpl.use("Agg")
from matplotlib import pyplot as plt

RUN = {"epochs": 20, "steps_per_epoch": 100}
FAULTY = keras_lr.Schedule(
    linear(10), hold("30%"), cosine(900, to=0.0, start=0.4), max_lr=0.1
)
EXTENDED = keras_lr.CosineDecay(max_lr=0.1).extend(1000, 2000, warmup="2 epochs")


def draw() -> plt.Figure:
    """The picture."""
    figure, axes = plt.subplots(2, 1, figsize=(8, 7.6), layout="constrained")
    for schedule, ax in zip((FAULTY, EXTENDED), axes, strict=True):
        keras_lr.lint(schedule, **RUN).plot(ax)
    return figure


if __name__ == "__main__":
    place = Path(sys.argv[1] if len(sys.argv) > 1 else __file__).with_suffix(".png")
    draw().savefig(place, dpi=100)
