"""Draws docs/conventions.png: one request, as this package and five others read it.

Run it as ``python docs/conventions.py``; needs matplotlib.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")

import numpy as np
from matplotlib import pyplot as plt

from keras_lr import Schedule, WarmupCosine
from keras_lr.phases import cosine, function, hold, linear

RUN = 10
OURS = WarmupCosine(max_lr=1.0, warmup=3)
UP = linear(3, start=0.0, endpoint=False)

# Each peer's reading of "ten updates, three of them warmup, then a cosine to zero".
PEERS = {
    "transformers, optax\n(0, peak, warmup 3, total 10)": (
        Schedule(UP, cosine(8, to=0.0)),
        [
            (0, "an update at rate 0", (0.6, -0.02)),
            (3, "peak one update later", (3.6, 1.0)),
            (9, "floor not reached", (9.5, 0.08)),
        ],
    ),
    "Keras CosineDecay\n(warmup_steps=3, decay_steps=10)": (
        Schedule(UP, cosine(11, to=0.0)),
        [
            (0, "an update at rate 0", (0.6, -0.02)),
            (9, "decay_steps does\nnot include the\nwarmup", (9.5, 0.36)),
        ],
    ),
    "torch SequentialLR\n(LinearLR(1/3, 3), CosineAnnealingLR(7))": (
        Schedule(linear(3, start=1 / 3, endpoint=False), cosine(8, to=0.0)),
        [
            (3, "peak one update later", (3.6, 1.0)),
            (9, "floor not reached", (9.5, 0.08)),
        ],
    ),
    "timm CosineLRScheduler\n(t_initial=10, warmup_t=3)": (
        Schedule(UP, function(lambda t: (1 + np.cos(np.pi * (t + 3) / 10)) / 2)),
        [
            (0, "an update at rate 0", (0.6, -0.02)),
            (3, "peak not reached: the cosine\nran underneath the warmup", (4.3, 0.97)),
        ],
    ),
    "transformers past its end\n(the run has 14 updates)": (
        Schedule(UP, hold(1), cosine(7, to=0.0), cosine(7, to=1.0)),
        [(13, "rises again; ours\nholds its last value", (8.4, 0.5))],
    ),
}


def dots(ax: Any, schedule: Schedule, updates: int, **style: Any) -> Any:
    """One dot an update."""
    # What does not fit into the run is cut off, as it would be in training.
    values = schedule.values(20)[:updates]
    ax.plot(range(updates), values, "o-", linewidth=1, **style)
    return values


def ours(ax: Any) -> None:
    """Our own reading, with its knots."""
    values = OURS.values(RUN)
    ax.axvspan(-1, 2, color="tab:orange", alpha=0.08)
    ax.axvspan(2, 9, color="tab:blue", alpha=0.08)
    ax.plot([-1, 0], [0, values[0]], ":", color="tab:blue")
    ax.plot([9, 12], [0, 0], ":", color="tab:blue")
    ax.plot(range(RUN), values, "o-", color="tab:blue", linewidth=1)
    ax.plot([-1], [0], "o", mfc="white", color="tab:blue")
    ax.plot([2, 9], [1, 0], "o", ms=11, mfc="none", color="tab:red")
    for k in range(3):
        ax.annotate(
            f"{k + 1}/3",
            (k, values[k]),
            (-8, 6),
            textcoords="offset points",
            ha="right",
        )
    ax.annotate("start, before update 0", (-0.5, -0.02), fontsize=9)
    ax.annotate(
        "knot: the peak, at the\nlast update of the warmup", (2.6, 1.0), fontsize=9
    )
    ax.annotate("knot: the floor, at\nthe last update", (9.3, 0.08), fontsize=9)
    ax.annotate("held", (12.2, -0.02), fontsize=9)
    ax.annotate("progress 1/7, 2/7, ... 7/7", (5.4, 0.6), fontsize=9)
    ax.set_title("keras_lr: WarmupCosine(warmup=3)", fontweight="bold", fontsize=10)


def peer(ax: Any, title: str, schedule: Schedule, notes: Any) -> None:
    """Another's reading, over ours in grey."""
    updates = 14 if "past" in title else RUN
    grey = np.append(OURS.values(RUN), np.zeros(updates - RUN))
    ax.plot(range(updates), grey, "o-", color="0.8", linewidth=1, ms=5)
    values = dots(ax, schedule, updates, color="tab:green", ms=5)
    for update, text, place in notes:
        ax.plot([update], [values[update]], "o", ms=11, mfc="none", color="tab:red")
        ax.annotate(text, place, fontsize=9)
    ax.set_title(title, fontsize=10)


def main() -> None:
    """Draw all panels."""
    figure, axes = plt.subplots(
        2, 3, figsize=(13, 7), sharey=True, layout="constrained"
    )
    first, *others = axes.flat
    ours(first)
    for ax, (title, (schedule, notes)) in zip(others, PEERS.items(), strict=True):
        peer(ax, title, schedule, notes)
    for ax in axes.flat:
        ax.set(ylim=(-0.05, 1.15), xlim=(-1.6, 13.9))
        ax.set(xticks=range(0, 14, 2), xlabel="update")
        ax.grid(alpha=0.25)
    for ax in axes[:, 0]:
        ax.set_ylabel("factor on the rate")
    figure.suptitle(
        "Ten updates: warm up for three, then a cosine to zero (grey: keras_lr)"
    )
    figure.savefig(Path(__file__).with_suffix(".png"), dpi=90)


if __name__ == "__main__":
    main()
