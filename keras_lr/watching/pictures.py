"""The picture of what a monitor has seen: loss and rate, and how far updates went."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_lr.fit.moves import RATIO, RATIO_OF_ALL
from keras_lr.plan.curves import FloatArray
from keras_lr.plot import new_figure
from keras_lr.watching.samples import Samples

#: Values of which the largest is so many times that of the lowest tenth are drawn on a
#: log scale.
DECADES = 100.0

#: Lines of layers that get a name in the legend; where there are more, all are grey.
MOST_NAMED = 8

#: Samples that a mean of the loss reaches back over, as a share of all.
SHARE = 0.03

#: How the lines of several rates differ.
STYLES = ("-", "--", ":", "-.")


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
    mean = smoothed(loss, max(SHARE * len(samples), 1.0))
    ax.plot(updates, loss, color="tab:blue", alpha=0.3, linewidth=1)
    ax.plot(updates, mean, color="tab:blue")
    ax.set_ylabel("loss of the batch", color="tab:blue")
    ax.grid(alpha=0.3)
    if spans_decades(loss):
        ax.set_yscale("log")
    else:
        _leave_out_outliers(ax, mean)
    right = ax.twinx()
    names = [name for name in samples.columns if name.startswith("learning_rate")]
    for i, name in enumerate(names):
        style = STYLES[i % len(STYLES)]
        label = name.removeprefix("learning_rate").lstrip("_")
        rate = samples.column(name)
        right.plot(updates, rate, color="tab:orange", linestyle=style, label=label)
    right.set_ylabel("learning rate", color="tab:orange")
    rates = np.concatenate([samples.column(name) for name in names])
    if spans_decades(rates[rates != 0]):
        right.set_yscale("log")
    else:
        right.set_ylim(0, None)
    if len(names) > 1:
        right.legend(loc="upper right")


def spans_decades(values: FloatArray) -> bool:
    """Whether most of some positive values lie decades apart.

    Not so for a few at the end of a decay, which logarithms would make the whole
    picture of.

    Example:
        >>> spans_decades(np.geomspace(1e-4, 1.0)), spans_decades(np.linspace(0.1, 1))
        (True, False)
    """
    finite = values[np.isfinite(values)]
    if not finite.size or finite.min() <= 0:
        return False
    low, high = np.percentile(finite, [10, 100])
    return bool(high > DECADES * low)


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
    parts = [name for name in ratios if name != RATIO_OF_ALL]
    is_many = len(parts) > MOST_NAMED
    style = {"color": "black", "linewidth": 2.5, "label": "all weights"}
    _draw_ratio(samples, RATIO_OF_ALL, ax, **style)
    for i, name in enumerate(parts):
        label = name.removeprefix(RATIO).lstrip("/_")
        if is_many:
            # Behind the line of all; one of them names the rest.
            is_first = name == parts[0]
            label = f"{len(parts)} groups" if is_first else "_"
            _draw_ratio(samples, name, ax, color="0.7", zorder=1, label=label)
        else:
            # Not in the colors of loss and rate.
            color = f"C{2 + i}"
            _draw_ratio(samples, name, ax, linewidth=1, color=color, label=label)
    ax.set_yscale("log")
    ax.set_ylabel("|change| / |weights|")
    ax.grid(alpha=0.3)
    # Above the panel, where no line is.
    above = {"loc": "lower left", "bbox_to_anchor": (0, 1), "borderaxespad": 0.2}
    ax.legend(fontsize="small", ncols=5, frameon=False, **above)


def _draw_ratio(samples: Samples, name: str, ax: Any, **style: Any) -> None:
    ratio = samples.column(name)
    # Where none was measured there is no gap; a rate of 0 moves nothing.
    is_measured = np.isfinite(ratio) & (ratio > 0)
    ax.plot(samples.column("update")[is_measured], ratio[is_measured], **style)
