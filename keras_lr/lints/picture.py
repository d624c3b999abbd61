"""A report as a picture: what will be in force, and where findings lie."""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from keras_lr.lints.finding import SEVERITIES
from keras_lr.lints.shown import Shown
from keras_lr.plot import detached_figure, mark_seam, new_figure

#: Of Okabe and Ito's colours, which the colour-blind tell apart as well.
RATES = ("#0072B2", "#009E73", "#CC79A7", "#56B4E9")
#: Of the first lines, of those that have their colours again, and so on.
STYLES = ("-", "--", ":", "-.")
BESIDE = "#E69F00"
#: Share of the run within which marks would overlap.
NEAR = 0.02
COLOURS = {"error": "#B00020", "warning": "#D55E00", "note": "0.45"}


def plot(report: Shown, ax: Any) -> Any:
    """Draw a report on given axes, or on a new figure of pyplot.

    Raises:
        ImportError: If matplotlib is not installed.
    """
    if ax is None:
        ax = new_figure(_height(report)).subplots()
    _draw(report, ax)
    ax.set_title(report.title, fontsize="medium", wrap=True)
    return ax


def png(report: Shown) -> bytes:
    """The picture without its title, for notebooks, which show the words as text.

    Raises:
        ImportError: If matplotlib is not installed.
    """
    figure = detached_figure(_height(report))
    _draw(report, figure.subplots())
    data = io.BytesIO()
    figure.savefig(data, format="png", dpi=100)
    return data.getvalue()


def _height(report: Shown) -> float:
    """Inches, with room for the list below the axes."""
    lines = 1 + len(report.others) if report.others else 0
    if report.extended is not None:
        lines += 1 + len(report.plans)
    return 3.5 + 0.2 * (lines + len(report.findings))


def _draw(report: Shown, ax: Any) -> None:
    updates = report.first + np.arange(len(report.rates))
    lines = {report.name: report.rates, **report.others}
    for number, (name, rates) in enumerate(lines.items()):
        style, colour = divmod(number, len(RATES))
        ax.plot(
            updates,
            rates,
            color=RATES[colour],
            linestyle=STYLES[style % len(STYLES)],
            label=_spaced(name),
            zorder=2,
        )
    if report.extended is not None:
        mark_seam(ax, report.plans, report.extended)
    for update in report.joins:
        ax.axvline(update, color="0.85", linewidth=1, zorder=0)
    _mark(report, ax)
    ax.set(xlabel="update", ylabel="learning rate")
    highest = max(lines[name].max() for name in lines)
    if report.rates.min() >= 0 and highest > 0:
        # With room above for the numbers of findings.
        ax.set_ylim(0, 1.12 * highest)
    ax.grid(alpha=0.3)
    for number, (name, values) in enumerate(report.beside.items()):
        right = ax.twinx()
        right.spines["right"].set_position(("axes", 1 + 0.12 * number))
        right.plot(updates, values, color=BESIDE, linestyle="--", zorder=1)
        right.set_ylabel(name.replace("_", " "), color=BESIDE)
        least = 1.0 if name == "momentum" else 0.0
        right.set_ylim(min(0.0, values.min()), max(least, values.max()) or 1.0)
    if len(report.rates) > report.steps_per_epoch:
        each = report.steps_per_epoch
        above = ax.secondary_xaxis(
            "top", functions=(lambda u: u / each, lambda e: e * each)
        )
        above.set_xlabel("epoch")
    _list(report, ax)


def _spaced(name: str) -> str:
    """What logs call a rate, as a label."""
    label = name.removeprefix("learning_rate").removeprefix("_")
    return f"learning rate {label}".rstrip()


def _mark(report: Shown, ax: Any) -> None:
    """A number at each place that findings lie at."""
    last = len(report.rates) - 1
    for update, numbers in _together(report).items():
        at = update - report.first
        is_late = at > 0.9 * last
        severities = [report.findings[number - 1].severity for number in numbers]
        colour = COLOURS[min(severities, key=SEVERITIES.index)]
        ax.plot(
            [update],
            [report.rates[at]],
            marker="o",
            markersize=5,
            color=colour,
            clip_on=False,
            zorder=3,
        )
        ax.annotate(
            ", ".join(map(str, sorted(numbers))),
            (update, report.rates[at]),
            xytext=(-7, 5) if is_late else (7, 5),
            textcoords="offset points",
            ha="right" if is_late else "left",
            fontsize="small",
            fontweight="bold",
            color=colour,
            annotation_clip=False,
        )


def _together(report: Shown) -> dict[int, list[int]]:
    """The numbers of the findings at an update, or so near that they would overlap."""
    placed = [
        (finding.update, number)
        for number, finding in enumerate(report.findings, 1)
        if finding.update is not None
    ]
    found: dict[int, list[int]] = {}
    for update, number in sorted(placed):
        near = [one for one in found if update - one <= NEAR * len(report.rates)]
        found.setdefault(near[0] if near else update, []).append(number)
    return found


def _list(report: Shown, ax: Any) -> None:
    """What the lines are, and what the numbers stand for, below the axes."""
    handles, labels = ax.get_legend_handles_labels()
    if len(handles) < 2:
        handles = []
        labels = []
    for number, finding in enumerate(report.findings, 1):
        (mark,) = ax.plot([], [], "o", markersize=5, color=COLOURS[finding.severity])
        handles.append(mark)
        where = "" if finding.update is None else f" at update {finding.update}"
        labels.append(f"{number}  {finding.severity}: {finding.code}{where}")
    if handles:
        ax.legend(
            handles,
            labels,
            loc="upper left",
            bbox_to_anchor=(0, -0.18),
            borderaxespad=0,
            frameon=False,
            fontsize="small",
        )
