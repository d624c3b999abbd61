"""Drawing evidence. The only file of the glossary to import matplotlib.

The picture is for the learner: it takes nearly all the room. What each seed measured,
and the threshold, stand small beside it, for who wants to judge the verdict.
"""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import fill
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter
from numpy.typing import NDArray

from glossary.model import Evidence
from glossary.pictures import Bars, Lines

Array = NDArray[np.float64]

#: Told apart without seeing colours as well (Okabe and Ito 2008), and by their dashes.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
DASHES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (1, 1)))
_MARKED = 30  # more points than these are drawn without markers
_STRIP = 0.32  # width of the seeds beside a panel of width 1


def draw(evidence: Evidence, *, words: bool = True) -> Figure:
    """The panels of all seeds, and small beside them each seed and the threshold.

    Args:
        evidence: What was measured.
        words: Whether the sentences belong into the picture; a page has them beside it.
    """
    count = len(evidence.runs[0].panels)
    figure = Figure(figsize=(7.5, 3.6 if words else 3.0), layout="constrained")
    widths = [1.0] * count + [_STRIP * count**0.5]
    axes = np.atleast_1d(figure.subplots(1, count + 1, width_ratios=widths))
    for number in range(count):
        pictures = [run.panels[number] for run in evidence.runs]
        _panel(axes[number], pictures, narrow=count > 1)
    _seeds(axes[count], evidence)
    if words:
        title = f"{evidence.verdict}: {evidence.claim.sentence}"
        figure.suptitle(fill(title, 95), fontsize=9)
        figure.supxlabel(fill(evidence.seen, 110), fontsize=8)
    return figure


def _panel(axes: Axes, pictures: Sequence[Lines | Bars], narrow: bool) -> None:
    first = pictures[0]
    for number, name in enumerate(first.ys):
        rows = np.array([picture.ys[name] for picture in pictures])
        if isinstance(first, Bars):
            _bars(axes, first, rows, number)
        else:
            xs = np.array([one.x for one in pictures if isinstance(one, Lines)])
            _curve(axes, xs, rows, number, name)
    if isinstance(first, Bars):
        labels = [fill(label, 9 if narrow else 14) for label in first.labels]
        axes.set_xticks(range(len(labels)), labels, fontsize=8)
    elif all(float(value).is_integer() for value in first.x) and "x" not in first.log:
        axes.xaxis.get_major_locator().set_params(integer=True)
    for axis in first.log:
        getattr(axes, f"set_{axis}scale")("log")
        _plain_ticks(getattr(axes, f"{axis}axis"))
    if isinstance(first, Bars):
        _zeros(axes, first, pictures)
    _levels(axes, first)
    axes.set_xlabel(first.x_label, fontsize=8)
    axes.set_ylabel(fill(first.y_label, 40), fontsize=8)
    axes.set_title(fill(first.title, 34 if narrow else 70), fontsize=8)
    axes.tick_params(labelsize=8)
    axes.grid(alpha=0.3)
    if len(first.ys) > 1:
        axes.legend(fontsize=7)


def _bars(axes: Axes, first: Bars, rows: Array, number: int) -> None:
    """Medians as bars, and how far the seeds reach as a thin line."""
    width = 0.8 / len(first.ys)
    places = np.arange(rows.shape[1]) + width * (number - (len(first.ys) - 1) / 2)
    middle = np.nanmedian(rows, axis=0)
    name = list(first.ys)[number]
    axes.bar(places, middle, width, color=COLOURS[number % len(COLOURS)], label=name)
    if len(rows) > 1:
        reach = [middle - rows.min(axis=0), rows.max(axis=0) - middle]
        axes.errorbar(places, middle, reach, fmt="none", ecolor="0.3", elinewidth=1)


def _zeros(axes: Axes, first: Bars, pictures: Sequence[Lines | Bars]) -> None:
    """Exactly 0 has no place on a logarithmic axis, and no bar on any: write it."""
    width = 0.8 / len(first.ys)
    foot = axes.get_ylim()[0] if first.log else 0.0
    for number, name in enumerate(first.ys):
        middle = np.median([picture.ys[name] for picture in pictures], axis=0)
        for place in np.flatnonzero(middle == 0):
            at = place + width * (number - (len(first.ys) - 1) / 2)
            axes.annotate(
                "0",
                (at, foot),
                xytext=(0, 2),
                textcoords="offset points",
                ha="center",
                fontsize=8,
                color=COLOURS[number % len(COLOURS)],
            )


def _curve(axes: Axes, xs: Array, rows: Array, number: int, name: str) -> None:
    colour = COLOURS[number % len(COLOURS)]
    dashes = DASHES[number % len(DASHES)]
    marker = "." if xs.shape[1] <= _MARKED else ""
    if (xs != xs[0]).any():  # nothing to take a median over: each seed by itself
        drawn = axes.plot(
            xs.T, rows.T, dashes, marker=marker, color=colour, alpha=0.5, lw=1
        )
        drawn[0].set_label(name)
        return
    middle = np.median(rows, axis=0)
    # What comes later is thinner, so that a curve below an equal one is still seen.
    wide = max(2.6 - 0.5 * number, 1.2)
    axes.plot(xs[0], middle, dashes, marker=marker, color=colour, lw=wide, label=name)
    if len(rows) > 1:
        low = rows.min(axis=0)
        high = rows.max(axis=0)
        axes.fill_between(xs[0], low, high, color=colour, alpha=0.18, lw=0)


def _levels(axes: Axes, first: Lines | Bars) -> None:
    for name, level in first.marks.items():
        axes.axhline(level, color="0.35", lw=1, ls=(0, (4, 2)))
        axes.annotate(
            name,
            (1, level),
            xycoords=("axes fraction", "data"),
            xytext=(-2, 2),
            textcoords="offset points",
            ha="right",
            fontsize=7,
            color="0.25",
        )


def _plain_ticks(axis: Any) -> None:
    """Within two decades 0.2 and 5 instead of powers of ten that overlap."""
    low, high = sorted(axis.get_view_interval())
    if high > 100 * low:
        return
    few = (1, 2, 5) if high > 5 * low else (1, 1.5, 2, 3, 4, 5, 7)
    axis.set_major_locator(LogLocator(subs=few))
    axis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axis.set_minor_formatter(NullFormatter())


def _seeds(axes: Axes, evidence: Evidence) -> None:
    """Each seed as a dot, the threshold as a line, and where the claim holds in green."""
    count = len(evidence.seeds)
    places = np.linspace(-0.2, 0.2, count) if count > 1 else [0]
    axes.plot(places, evidence.by_seed, "o", color="#0072b2", markersize=3)
    bounds = np.atleast_1d(evidence.threshold)
    for bound in bounds:
        axes.axhline(bound, color="#d55e00", lw=1)
    values = np.array([*filter(np.isfinite, evidence.by_seed), *bounds])
    low = float(values.min())
    high = float(values.max())
    if low > 0 and high > 50 * low:
        axes.set_yscale("log")
        widened = (high / low) ** 0.1
        low = low / widened
        high = high * widened
    else:  # by hand, since lines alone do not widen an axis
        margin = 0.1 * (high - low) or 1.0
        low = low - margin
        high = high + margin
    start, end = _claimed(evidence)
    axes.axhspan(max(start, low), min(end, high), color="#009e73", alpha=0.12, lw=0)
    axes.set(ylim=(low, high), xlim=(-0.6, 0.6), xticks=[])
    seeds = f"{count} seeds" if count > 1 else f"seed {evidence.seeds[0]}"
    axes.set_xlabel(f"{seeds};\n{fill(evidence.claim.condition, 16)}", fontsize=7)
    axes.set_title(fill(evidence.claim.quantity, 20), fontsize=6)
    axes.tick_params(labelsize=6)
    axes.grid(alpha=0.3, axis="y")


def _claimed(evidence: Evidence) -> tuple[float, float]:
    """From where to where the claim holds."""
    threshold = evidence.threshold
    if isinstance(threshold, tuple):
        return threshold
    if evidence.claim.comparison.startswith("<"):
        return -np.inf, threshold
    return threshold, np.inf
