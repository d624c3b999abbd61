"""The picture of what a monitor has seen: loss and rate, and how far updates went."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_lr.fit.moves import RATIO
from keras_lr.plan.curves import FloatArray
from keras_lr.plot import new_figure
from keras_lr.watching.samples import Samples

#: A rate whose largest value is so many times its smallest is drawn on a log scale.
DECADES = 30.0

#: Lines of layers that get a name in the legend; where there are more, all are grey.
MOST_NAMED = 8

#: Samples that a mean of the loss reaches back over, as a share of all.
SHARE = 0.03


def draw_samples(samples: Samples, ax: Any = None, figure: Any = None) -> Any:
    """Draw loss and rate over updates, and below them the ratios, if there are any.

    Args:
        samples: What was seen.
        ax: Axes for loss and rate alone; None for a figure with all.
        figure: That figure; None for a new one of pyplot.

    Returns:
        The axes of the loss.
    """
    ratios = [name for name in samples.columns if name.startswith(RATIO)]
    has_ratios = any(np.isfinite(samples.column(name)).any() for name in ratios)
    if ax is not None:
        _draw_loss_and_rate(samples, ax)
        ax.set_xlabel("update")
        return ax
    if figure is None:
        figure = new_figure(5.5 if has_ratios else 3.5)
    if not has_ratios:
        return draw_samples(samples, figure.subplots())
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    _draw_loss_and_rate(samples, upper)
    _draw_ratios(samples, ratios, lower)
    lower.set_xlabel("update")
    return upper


def smoothed(values: FloatArray, reach: float) -> FloatArray:
    r"""A running mean that forgets, of the values so far.

    .. math:: m_i = \sum_{j \le i} q^{i-j} v_j \Big/ \sum_{j \le i} q^{i-j}

    with the values :math:`v`, and :math:`q = 1 - 1/r` for a reach of r values. What is
    not finite is left out.

    Example:
        >>> smoothed(np.array([1.0, np.nan, 4.0]), reach=2)
        array([1. , 1. , 3.4])
    """
    q = 1 - 1 / reach
    total = 0.0
    weight = 0.0
    means = np.full(len(values), np.nan)
    for i, value in enumerate(values.tolist()):
        total *= q
        weight *= q
        if np.isfinite(value):
            total += value
            weight += 1
        if weight > 0:
            means[i] = total / weight
    return means


def _draw_loss_and_rate(samples: Samples, ax: Any) -> None:
    updates = samples.column("update")
    loss = samples.column("loss")
    reach = max(SHARE * len(samples), 1.0)
    ax.plot(updates, loss, color="tab:blue", alpha=0.3, linewidth=1)
    mean = smoothed(loss, reach)
    (line,) = ax.plot(updates, mean, color="tab:blue", label="loss")
    ax.set_ylabel("loss of the batch", color="tab:blue")
    ax.grid(alpha=0.3)
    _leave_out_outliers(ax, mean)
    right = ax.twinx()
    lines = [line]
    styles = ("-", "--", ":", "-.")
    rates = [name for name in samples.columns if name.startswith("learning_rate")]
    seen = [np.zeros(0)]
    for i, name in enumerate(rates):
        rate = samples.column(name)
        seen.append(rate[rate > 0])
        lines += right.plot(
            updates,
            rate,
            color="tab:orange",
            linestyle=styles[i % len(styles)],
            label=name.replace("_", " ", 2),
        )
    right.set_ylabel("learning rate", color="tab:orange")
    positive = np.concatenate(seen)
    spans_decades = positive.size and positive.max() > DECADES * positive.min()
    if spans_decades:
        right.set_yscale("log")
    else:
        right.set_ylim(0, None)
    ax.legend(handles=lines, loc="upper right", framealpha=0.9)


def _leave_out_outliers(ax: Any, mean: FloatArray) -> None:
    """Have a few losses far above all others not press the rest flat."""
    finite = mean[np.isfinite(mean)]
    if finite.size < 20:
        return
    low, middle, high = np.percentile(finite, [0, 50, 98])
    if finite.max() > middle + 10 * max(high - middle, middle - low):
        margin = 0.1 * (high - low)
        ax.set_ylim(low - margin, high + 3 * margin)


def _draw_ratios(samples: Samples, ratios: list[str], ax: Any) -> None:
    updates = samples.column("update")
    parts = [name for name in ratios if name != RATIO]
    is_many = len(parts) > MOST_NAMED
    for name in parts:
        ratio = samples.column(name)
        is_measured = np.isfinite(ratio) & (ratio > 0)
        label = None if is_many else name.removeprefix(RATIO).lstrip("/_")
        color = "0.75" if is_many else None
        seen = (updates[is_measured], ratio[is_measured])
        ax.plot(*seen, linewidth=1, color=color, label=label)
    ratio = samples.column(RATIO)
    is_measured = np.isfinite(ratio) & (ratio > 0)
    ax.plot(
        updates[is_measured], ratio[is_measured], color="black", label="all weights"
    )
    if is_many:
        ax.plot([], [], color="0.75", label=f"{len(parts)} groups")
    ax.set_yscale("log")
    ax.set_ylabel("|change| / |weights|")
    ax.grid(alpha=0.3)
    ax.legend(loc="upper right", fontsize="small", ncols=3, framealpha=0.9)
