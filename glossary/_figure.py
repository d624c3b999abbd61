"""Drawing evidence. The only file here to import matplotlib."""

from __future__ import annotations

import io
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

if TYPE_CHECKING:
    from glossary.evidence import Evidence

_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
#: More points than these are drawn as a plain line.
_DOTS = 60


def draw(evidence: Evidence) -> Figure:
    """Left the data of all seeds, right each seed against the threshold."""
    figure = Figure(figsize=(7.5, 3.4), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=[2.6, 1])
    _data(left, evidence)
    _verdict(right, evidence)
    figure.suptitle(f"{evidence.verdict}: {evidence.sentence}", fontsize=9, wrap=True)
    return figure


def svg(evidence: Evidence) -> str:
    """The picture as the text of an SVG element."""
    file = io.StringIO()
    draw(evidence).savefig(file, format="svg", metadata={"Date": None})
    text = file.getvalue()
    return text[text.index("<svg") :]


def _data(axes: Any, evidence: Evidence) -> None:
    how, data = evidence.drawing, evidence.data
    for number, name in enumerate(how["y"]):
        runs = np.array(data[name], dtype=float)
        middle, colour = np.median(runs, axis=0), _COLOURS[number % len(_COLOURS)]
        if how["kind"] == "bars":
            places = np.arange(len(middle)) + 0.8 * number / len(how["y"])
            axes.bar(places, middle, 0.8 / len(how["y"]), color=colour, label=name)
            continue
        xs = np.array(data[how["x"]], dtype=float)
        if (xs != xs[0]).any():  # nothing to take a median over: each seed by itself
            drawn = axes.plot(xs.T, runs.T, ".-", color=colour, alpha=0.5, lw=1)
            drawn[0].set_label(name)
            continue
        x = xs[0]
        axes.plot(x, middle, ".-" if len(x) <= _DOTS else "-", color=colour, label=name)
        if len(runs) > 1:
            low, high = runs.min(axis=0), runs.max(axis=0)
            axes.fill_between(x, low, high, color=colour, alpha=0.2, lw=0)
    if how["kind"] == "bars":
        axes.set_xticks(range(len(how["labels"])), how["labels"])
    elif all(float(one).is_integer() for one in data[how["x"]][0]):
        axes.xaxis.get_major_locator().set_params(integer=True)
    for axis in how.get("log", ""):
        getattr(axes, f"set_{axis}scale")("log")
        _plain_ticks(getattr(axes, f"{axis}axis"))
    axes.set(xlabel=how["x_label"], ylabel=how["y_label"])
    if len(how["y"]) > 1:
        axes.legend(fontsize="small")
    axes.grid(alpha=0.3)


def _plain_ticks(axis: Any) -> None:
    """Within two decades 0.2 and 5 instead of powers of ten that overlap."""
    low, high = sorted(axis.get_view_interval())
    if high > 100 * low:
        return
    few = (1, 2, 5) if high > 5 * low else (1, 1.5, 2, 3, 4, 5, 7)
    axis.set_major_locator(LogLocator(subs=few))
    axis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axis.set_minor_formatter(NullFormatter())


def _verdict(axes: Any, evidence: Evidence) -> None:
    seeds = np.linspace(-0.2, 0.2, len(evidence.by_seed)) if evidence.seeds[1:] else [0]
    axes.plot(seeds, evidence.by_seed, "o", color="#0072b2", markersize=5)
    bounds = np.atleast_1d(evidence.threshold)
    for bound in bounds:
        axes.axhline(bound, color="#d55e00", lw=1.5)
    values = np.array([*filter(np.isfinite, evidence.by_seed), *bounds])
    low, high = float(values.min()), float(values.max())
    if low > 0 and high > 50 * low:
        axes.set_yscale("log")
        low, high = low / (high / low) ** 0.1, high * (high / low) ** 0.1
    else:  # by hand, since lines alone do not widen an axis
        margin = 0.1 * (high - low) or 1.0
        low, high = low - margin, high + margin
    start, end = _claimed(evidence)
    axes.axhspan(max(start, low), min(end, high), color="#009e73", alpha=0.12, lw=0)
    axes.set_ylim(low, high)
    label = f"{_seeds(evidence)};\n" + fill(f"claimed {evidence.condition}", 22)
    axes.set(xlim=(-0.6, 0.6), xticks=[])
    axes.set_xlabel(label, fontsize=8)
    axes.set_title(fill(evidence.quantity, 26), fontsize=8)
    axes.grid(alpha=0.3, axis="y")


def _claimed(evidence: Evidence) -> tuple[float, float]:
    """From where to where the claim holds: the part of the panel that is green."""
    if isinstance(evidence.threshold, tuple):
        return evidence.threshold
    if evidence.comparison.startswith("<"):
        return -np.inf, evidence.threshold
    return evidence.threshold, np.inf


def _seeds(evidence: Evidence) -> str:
    count = len(evidence.seeds)
    return f"{count} seeds" if count > 1 else f"seed {evidence.seeds[0]}"
