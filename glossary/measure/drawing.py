"""Drawing evidence. The only file of the glossary to import matplotlib.

The picture is for the learner: its panels take nearly all the room. What each seed
measured, and the threshold, lie in a strip below, for who wants to judge the verdict.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from textwrap import fill
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator
from numpy.typing import NDArray

from glossary.measure import curves
from glossary.model import Evidence
from glossary.pictures import Bars, Lines

Array = NDArray[np.float64]

#: Seen apart by nearly everybody (Okabe and Ito 2008, darkened), and dashed as well.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#b84f8a", "#6a51a3", "#8a6d00")
DASHES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (1, 1)))
# A panel on a phone is 300 pixels wide: letters of 9 points in 4.2 inches stay legible.
_WIDTH = 4.2
_BODY = 2.2  # inches; lines of letters above and below come on top
_STRIP_BODY = 0.45
_LINE = 0.16
_SIZE = 9  # of letters, in points
_COLUMNS = 54  # so many letters fit into a panel
_MARKED = 30  # more points than these are drawn without markers
_VALUED = 8  # more bars than these have no numbers on them
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def draw(evidence: Evidence) -> Figure:
    """One figure: the panels side by side, the strip below, and the sentences."""
    panels = list(_panels(evidence))
    width = _WIDTH * max(len(panels), 1.6)
    columns = round(width * 14)
    title = fill(f"{evidence.verdict}: {evidence.claim.sentence}", columns)
    seen = fill(evidence.seen, columns)
    heights = [max(map(_height, panels)), _strip_height(evidence)]
    words = _LINE * (title.count("\n") + seen.count("\n") + 4)
    figure = Figure(figsize=(width, sum(heights) + words), layout="constrained")
    rows = figure.add_gridspec(2, len(panels), height_ratios=heights)
    for place, pictures in enumerate(panels):
        _panel(figure.add_subplot(rows[0, place]), pictures)
    _strip(figure.add_subplot(rows[1, :]), evidence)
    figure.suptitle(title, fontsize=_SIZE + 1)
    figure.supxlabel(seen, fontsize=_SIZE)
    return figure


def parts(evidence: Evidence) -> Iterator[Figure]:
    """The panels and the strip as figures, for a page that places them itself.

    Args:
        evidence: What was measured.
    """
    for pictures in _panels(evidence):
        figure = Figure(figsize=(_WIDTH, _height(pictures)), layout="constrained")
        _panel(figure.subplots(), pictures)
        yield figure
    figure = Figure(figsize=(_WIDTH, _strip_height(evidence)), layout="constrained")
    _strip(figure.subplots(), evidence)
    yield figure


def _panels(evidence: Evidence) -> Iterator[list[Lines | Bars]]:
    """For each panel the pictures of all seeds."""
    for place in range(len(evidence.runs[0].panels)):
        yield [run.panels[place] for run in evidence.runs]


def _height(pictures: Sequence[Lines | Bars]) -> float:
    """Of a panel in inches: what is written around it takes no room from it."""
    first = pictures[0]
    lines = fill(first.title, _COLUMNS).count("\n") + bool(first.title)
    lines += fill(first.x_label, _COLUMNS).count("\n") + 2
    lines += _rows(first)
    return _BODY + _LINE * lines


def _strip_height(evidence: Evidence) -> float:
    return _STRIP_BODY + 0.8 * _LINE * (_claimed_in_words(evidence).count("\n") + 1)


def _rows(first: Lines | Bars) -> int:
    """Of the legend."""
    if len(first.ys) < 2:
        return 0
    lines = max(fill(name, _COLUMNS - 8).count("\n") + 1 for name in first.ys)
    return lines * -(-len(first.ys) // _legend_columns(list(first.ys)))


def _legend_columns(names: Sequence[str]) -> int:
    longest = max(len(line) for name in names for line in name.split("\n")) + 7
    return max(1, min(len(names), _COLUMNS // longest))


def _panel(axes: Axes, pictures: Sequence[Lines | Bars]) -> None:
    first = pictures[0]
    lies = isinstance(first, Bars) and _too_long(first.labels)
    if isinstance(first, Bars):
        _bars(axes, first, pictures, lies)
    else:
        _curves(axes, [one for one in pictures if isinstance(one, Lines)])
    _levels(axes, first, lies)
    along = fill(first.x_label, _COLUMNS)
    across = fill(first.y_label, 32 if lies else 34)
    axes.set_xlabel(across if lies else along, fontsize=_SIZE)
    axes.set_ylabel(along if lies else across, fontsize=_SIZE)
    _plain(axes)
    title = fill(first.title, _COLUMNS)
    if len(first.ys) > 1:
        _legend(axes, title)
    else:
        axes.set_title(title, fontsize=_SIZE, loc="left")


def _legend(axes: Axes, title: str) -> None:
    """Above the panel, where it covers no curve."""
    handles, names = axes.get_legend_handles_labels()
    names = [fill(name, _COLUMNS - 8) for name in names]
    axes.legend(
        handles,
        names,
        title=title or None,
        alignment="left",
        loc="lower left",
        bbox_to_anchor=(0, 1),
        ncols=_legend_columns(names),
        frameon=False,
        fontsize=_SIZE,
        title_fontsize=_SIZE,
        borderaxespad=0.2,
        handlelength=2.4,
        columnspacing=1.5,
    )


def _plain(axes: Axes) -> None:
    """Nothing that only decorates: each line is paid for in every page."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=_SIZE - 0.5, length=0)
    axes.grid(color="#808080", alpha=0.25, lw=0.6, clip_on=False)
    axes.set_axisbelow(True)


def _curves(axes: Axes, pictures: Sequence[Lines]) -> None:
    first = pictures[0]
    xs = np.array([picture.x for picture in pictures])
    for number, name in enumerate(first.ys):
        rows = np.array([picture.ys[name] for picture in pictures])
        _curve(axes, xs, rows, number, name)
    axes.margins(0.03)
    for axis in first.log:
        getattr(axes, f"set_{axis}scale")("log")
        _log_ticks(getattr(axes, f"{axis}axis"))
    if "x" not in first.log:
        _round_ticks(axes.xaxis, 6, _is_whole(first.x))
    if "y" not in first.log:
        values = [value for ys in first.ys.values() for value in ys]
        _round_ticks(axes.yaxis, 5, _is_whole(values))


def _is_whole(values: Iterable[float]) -> bool:
    return all(float(value).is_integer() for value in values)


def _round_ticks(axis: Axis, most: int, whole: bool = False) -> None:
    """Ticks such as 0, 20, 40."""
    steps = [1, 2, 2.5, 5, 10]
    axis.set_major_locator(MaxNLocator(most, steps=steps, integer=whole))
    axis.set_major_formatter(FuncFormatter(lambda value, _: _number(value)))


def _curve(axes: Axes, xs: Array, rows: Array, number: int, name: str) -> None:
    style: dict[str, Any] = {
        "color": COLOURS[number % len(COLOURS)],
        "linestyle": DASHES[number % len(DASHES)],
        "marker": "o" if xs.shape[1] <= _MARKED else "",
        "markersize": 4.5,
        "clip_on": False,
    }
    if (xs != xs[0]).any():  # nothing to take a median over: each seed by itself
        style["marker"] = ""
        drawn = axes.plot(xs.T, rows.T, alpha=0.6, lw=1, **style)
        drawn[0].set_label(name)
        return
    x = xs[0]
    middle = np.median(rows, axis=0)
    kept = curves.seen(middle)
    # What comes later is thinner, so that a curve below an equal one is still seen.
    wide = max(2.8 - 0.6 * number, 1.2)
    axes.plot(x[kept], middle[kept], lw=wide, label=name, **style)
    for outline in curves.bands(x, rows.min(axis=0), rows.max(axis=0)):
        axes.fill(*outline, color=style["color"], alpha=0.18, lw=0, clip_on=False)


def _too_long(labels: Sequence[str]) -> bool:
    """Whether labels are too long to stand below bars: the bars then lie."""
    lines = [line for label in labels for line in _below(label, labels).split("\n")]
    tall = max(_below(label, labels).count("\n") for label in labels) > 2
    return tall or max(map(len, lines)) > _COLUMNS / len(labels)


def _below(label: str, labels: Sequence[str]) -> str:
    return fill(label, max(5, _COLUMNS // len(labels) - 1), break_long_words=False)


def _bars(
    axes: Axes, first: Bars, pictures: Sequence[Lines | Bars], lies: bool
) -> None:
    """Medians as bars, how far the seeds reach as thin lines, and the numbers."""
    width = 0.8 / len(first.ys)
    places = np.arange(len(first.labels))
    rows = {name: np.array([one.ys[name] for one in pictures]) for name in first.ys}
    foot = 0.0
    if first.log:  # where the axis begins
        values = np.concatenate([values.ravel() for values in rows.values()])
        foot = float(min(values[values > 0], default=1.0)) / 3
    draw_bars = (
        partial(axes.barh, left=foot) if lies else partial(axes.bar, bottom=foot)
    )
    for number, (name, values) in enumerate(rows.items()):
        at = places + width * (number - (len(first.ys) - 1) / 2)
        colour = COLOURS[number % len(COLOURS)]
        middle = np.nanmedian(values, axis=0)
        long = np.maximum(middle - foot, 0) if first.log else middle
        draw_bars(at, long, 0.92 * width, color=colour, label=name)
        reach = np.array([values.min(axis=0), values.max(axis=0)])
        if len(values) > 1:
            for spot, (low, high) in zip(at, reach.T, strict=True):
                line = ([low, high], [spot, spot])
                axes.plot(*(line if lies else line[::-1]), color="0.5", lw=1)
    axis = axes.xaxis if lies else axes.yaxis
    if first.log:
        (axes.set_xscale if lies else axes.set_yscale)("log")
        (axes.set_xlim if lies else axes.set_ylim)(foot)
        _log_ticks(axis)
    else:
        _round_ticks(axis, 5)
    if lies:
        axes.set_yticks(places, [fill(label, 22) for label in first.labels])
        axes.invert_yaxis()
        axes.margins(x=0.12)
    else:
        axes.set_xticks(places, [_below(label, first.labels) for label in first.labels])
        axes.margins(y=0.12)
    _values(axes, first, rows, lies, foot)


def _values(
    axes: Axes, first: Bars, rows: dict[str, Array], lies: bool, foot: float
) -> None:
    """Numbers on few bars. Exactly 0, which has no bar at all, is written on any."""
    width = 0.8 / len(first.ys)
    many = len(first.ys) * len(first.labels) > _VALUED
    for number, values in enumerate(rows.values()):
        for place, middle in enumerate(np.median(values, axis=0)):
            if not np.isfinite(middle) or (many and middle != 0):
                continue
            end = values[:, place].min() if middle < 0 else values[:, place].max()
            at = place + width * (number - (len(first.ys) - 1) / 2)
            level = max(float(end), foot) if first.log else float(end)
            side = -1 if middle < 0 else 1
            axes.annotate(
                _number(float(f"{middle:.3g}")),
                (level, at) if lies else (at, level),
                xytext=(3 * side, 0) if lies else (0, 3 * side),
                textcoords="offset points",
                ha=("left" if side > 0 else "right") if lies else "center",
                va="center" if lies else ("bottom" if side > 0 else "top"),
                fontsize=_SIZE - 1,
            )


def _levels(axes: Axes, first: Lines | Bars, lies: bool) -> None:
    """Marks as lines across, each named at the end from which the curves keep away."""
    for name, level in first.marks.items():
        (axes.axvline if lies else axes.axhline)(level, color="0.5", lw=1, ls="--")
        right = lies or not isinstance(first, Lines) or _is_free(first, level)
        # Below a line at the top: the legend is above.
        _, height = axes.transAxes.inverted().transform(
            axes.transData.transform((axes.get_xlim()[1], level))
        )
        below = lies or height > 0.9
        axes.annotate(
            fill(name, 40),
            (level, 1) if lies else (1 if right else 0, level),
            xycoords=("data", "axes fraction") if lies else ("axes fraction", "data"),
            xytext=(-2 if right else 2, -2 if below else 2),
            textcoords="offset points",
            ha="right" if right else "left",
            va="top" if below else "bottom",
            fontsize=_SIZE - 1,
            in_layout=False,  # it lies inside, and must not push the axes together
        )


def _is_free(first: Lines, level: float) -> bool:
    """Whether there is more room above a level at the right than at the left."""

    def room(place: int) -> float:
        values = [ys[place] for ys in first.ys.values()]
        return min((abs(v - level) for v in values if v >= level), default=np.inf)

    return room(-1) >= room(0)


def _log_ticks(axis: Axis) -> None:
    """Within two decades 0.2 and 5 beside the powers of ten; beyond, those alone."""
    low, high = sorted(axis.get_view_interval())
    few = (1.0, 2.0, 5.0) if high > 5 * low else (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0)
    subs = (1.0,) if high > 100 * low else few
    axis.set_major_locator(LogLocator(subs=subs, numticks=7))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: _number(value, 4)))


def _number(value: float, digits: int = 5) -> str:
    """A number on an axis, such as 0.01 or, beyond so many digits, 10⁻⁷.

    Example:
        >>> _number(0.05), _number(1e-7), _number(2e6), _number(1000.0, 3)
        ('0.05', '10⁻⁷', '2·10⁶', '10³')
    """
    exponent = int(np.floor(np.log10(abs(value)) + 1e-9)) if value else 0
    if -3 <= exponent < digits:
        written = f"{value:.6g}"
    else:
        digit = f"{value / 10.0**exponent:.3g}"
        power = f"10{str(exponent).translate(_SUPERSCRIPT)}"
        written = f"{digit}·{power}" if digit.strip("-") != "1" else power
        written = "-" + power if digit == "-1" else written
    return written.replace("-", "\N{MINUS SIGN}")


def _strip(axes: Axes, evidence: Evidence) -> None:
    """Each seed as a dot, thresholds as lines, and where the claim holds in green."""
    seeds = [value for value in evidence.by_seed if np.isfinite(value)]
    axes.plot(seeds, [0] * len(seeds), "o", color=COLOURS[0], ms=4.5, clip_on=False)
    bounds = np.atleast_1d(evidence.threshold)
    for bound in bounds:
        axes.axvline(bound, color=COLOURS[1], lw=1.5)
    values = np.array([*seeds, *bounds])
    low = float(values.min())
    high = float(values.max())
    if low > 0 and high > 50 * low:
        axes.set_xscale("log")
        widened = (high / low) ** 0.08
        low = low / widened
        high = high * widened
    else:  # by hand, since lines alone do not widen an axis
        margin = 0.08 * (high - low) or 1.0
        low = low - margin
        high = high + margin
    start, end = _claimed(evidence)
    axes.axvspan(max(start, low), min(end, high), color=COLOURS[2], alpha=0.15, lw=0)
    axes.set(xlim=(low, high), ylim=(-1, 1), yticks=[])
    if axes.get_xscale() == "log":
        _log_ticks(axes.xaxis)
    else:
        _round_ticks(axes.xaxis, 5)
    _plain(axes)
    axes.spines["left"].set_visible(False)
    axes.tick_params(labelsize=_SIZE - 1.5)
    axes.set_xlabel(_claimed_in_words(evidence), fontsize=_SIZE - 1.5)


def _claimed_in_words(evidence: Evidence) -> str:
    count = len(evidence.seeds)
    told = f"{count} seeds" if count > 1 else f"seed {evidence.seeds[0]}"
    claim = evidence.claim
    # Blanks that do not break keep a number beside its sign.
    claimed = f"claimed {claim.condition}".replace(" ", "\N{NO-BREAK SPACE}")
    words = f"{claim.quantity} ({told}; {claimed})"
    return fill(words, _COLUMNS + 8)


def _claimed(evidence: Evidence) -> tuple[float, float]:
    """From where to where the claim holds."""
    threshold = evidence.threshold
    if isinstance(threshold, tuple):
        return threshold
    if evidence.claim.comparison.startswith("<"):
        return -np.inf, threshold
    return threshold, np.inf
