"""Drawing what a finder saw: its sweep, and the short trainings beside it."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from keras_lr.finder.judge import Course, course
from keras_lr.finder.probe import Probe
from keras_lr.plan.curves import FloatArray
from keras_lr.plot import detached_figure, new_figure

#: Of Okabe and Ito's colours, which the colour-blind tell apart as well.
CURVE = "#0072B2"
SUGGESTION = "#D55E00"
#: Of the trainings of each length, from the shortest on.
LENGTHS = ("#56B4E9", "#0072B2", "#009E73", "#CC79A7")
MARKERS = "osD^"
#: Of what is measured and of what it is compared with: seen on white and on black.
DOTS = "0.6"
LEVEL = "0.45"
LOST = "0.45"

#: How often the highest loss shown holds the lowest for the axis to be logarithmic.
WIDE = 20.0
#: Width of a letter over its size.
LETTER = 0.5


class DrawnResult(Protocol):
    """What is asked of a finder's result to draw it."""

    @property
    def suggestion(self) -> float | None: ...  # noqa: D102
    @property
    def interval(self) -> tuple[float, float] | None: ...  # noqa: D102
    @property
    def lrs(self) -> FloatArray: ...  # noqa: D102
    @property
    def losses(self) -> FloatArray: ...  # noqa: D102
    @property
    def smoothed(self) -> FloatArray: ...  # noqa: D102
    @property
    def suggestions(self) -> Mapping[str, float]: ...  # noqa: D102
    @property
    def probes(self) -> tuple[Probe, ...]: ...  # noqa: D102
    @property
    def start(self) -> float | None: ...  # noqa: D102


def plot(result: DrawnResult, ax: Any) -> Any:
    """Draw a result on given axes (its sweep alone), or on a new figure of pyplot.

    Args:
        result: The result.
        ax: Matplotlib axes, or None for new ones.

    Returns:
        The axes of the sweep.

    Raises:
        ImportError: If matplotlib is not installed.
    """
    if ax is None:
        ax = _draw_all(result, new_figure(_height(result)))
    else:
        _draw_sweep(result, ax)
    _write_title(ax, str(result))
    return ax


def png(result: DrawnResult) -> bytes:
    """The same without its title, for notebooks, which show the words as text.

    Raises:
        ImportError: If matplotlib is not installed.
    """
    figure = detached_figure(_height(result))
    _draw_all(result, figure)
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=120)
    return file.getvalue()


def _height(result: DrawnResult) -> float:
    return 5.6 if result.probes else 4.0


def _draw_all(result: DrawnResult, figure: Any) -> Any:
    """Draw sweep and trainings, where there are any; the axes of the sweep."""
    if not result.probes:
        axes = figure.subplots()
        _draw_sweep(result, axes)
        return axes
    above, below = figure.subplots(2, sharex=True)
    _draw_sweep(result, above)
    _draw_trainings(result, below)
    above.set_xlabel("")
    return above


# The sweep.


def _draw_sweep(result: DrawnResult, ax: Any) -> None:
    """The training loss of each update, the same without noise, and the answer."""
    lrs = result.lrs
    losses = result.losses
    smoothed = result.smoothed
    is_finite = np.isfinite(losses)
    end = len(losses) if is_finite.all() else int(np.argmin(is_finite))
    ax.plot(lrs, losses, ".", color=DOTS, markersize=3, label="loss at each rate")
    _mark_edge(ax, lrs[~is_finite], "x", "diverged")
    if end and np.isfinite(smoothed[:end]).all():
        ax.plot(lrs, smoothed, color=CURVE, label="without noise")
        seen = course(losses[:end], len(losses))
        _fit_to_sweep(ax, losses[:end], seen)
        if seen.fall > seen.sure:
            at = seen.fallen
            ax.plot(
                lrs[at], smoothed[at], "o", color=CURVE, label="where it has fallen"
            )
        if not result.probes:
            _mark_rules(ax, result)
    elif is_finite.any():
        # Too few losses to smooth: how fast they grew is all there is to see.
        _fit(ax, losses[is_finite].min(), losses[is_finite].max())
    _shade(ax, result, None if result.probes else "suggestion")
    if _are_powers(result):
        ax.set_xscale("log")
    _finish(ax, "sweep", "training loss")


def _fit_to_sweep(ax: Any, losses: FloatArray, seen: Course) -> None:
    """Choose the heights by the fall: what blows up must not flatten the rest."""
    before = slice(seen.lowest + 1)
    noise = 1.4826 * float(np.median(np.abs(losses - seen.smoothed)[before]))
    # Of a few outliers at the start the first losses may consist.
    high = float(np.quantile(seen.smoothed[before], 0.8))
    _fit(ax, float(seen.smoothed[seen.lowest]), high, 2 * noise)


def _mark_rules(ax: Any, result: DrawnResult) -> None:
    """What the published rules make of a sweep that is all there is."""
    rules = {
        name: rate for name, rate in result.suggestions.items() if name != "zero_lag"
    }
    bottom, top = ax.get_ylim()
    for (name, rate), marker in zip(rules.items(), "sD^vP", strict=False):
        at = np.interp(rate, result.lrs, result.smoothed, left=np.nan)
        if bottom <= at <= top:
            ax.plot(rate, at, marker, color=LEVEL, markersize=4, label=name)


def _are_powers(result: DrawnResult) -> bool:
    """Whether the rates of a sweep grow by a factor, and by more than 2 in all."""
    lrs = result.lrs
    rates = [*lrs, *(probe.lr for probe in result.probes)]
    if len(lrs) < 3 or max(rates) < 2 * min(rates):
        return False
    return bool(np.isclose(lrs[1] / lrs[0], lrs[2] / lrs[1], rtol=1e-3))


# The trainings.


def _draw_trainings(result: DrawnResult, ax: Any) -> None:
    """The held-out loss that each short training came to, a line for each length."""
    lasted = [probe for probe in result.probes if probe.lasted]
    lengths = sorted({(probe.planned, probe.follows) for probe in lasted})
    for i, (planned, follows) in enumerate(lengths):
        these = [one for one in lasted if (one.planned, one.follows) == lengths[i]]
        these.sort(key=lambda probe: probe.lr)
        ax.plot(
            [probe.lr for probe in these],
            [probe.loss for probe in these],
            marker=MARKERS[i % len(MARKERS)],
            markersize=5,
            color=LENGTHS[i % len(LENGTHS)],
            label=_after(planned, follows),
        )
    if result.start is not None:
        ax.axhline(result.start, ls="--", color=LEVEL, label="before any training")
    _fit_to_trainings(ax, [probe.loss for probe in lasted], result.start)
    top = ax.get_ylim()[1]
    higher = [probe.lr for probe in lasted if probe.loss > top]
    lost = [probe.lr for probe in result.probes if not probe.lasted]
    _mark_edge(ax, higher, "^", "higher than shown")
    _mark_edge(ax, lost, "x", "diverged")
    _shade(ax, result, "suggestion, for a longer training")
    _finish(ax, "short trainings", "held-out loss")
    if any(probe.follows for probe in result.probes):
        ax.set_xlabel("learning rate, or its peak where it follows the schedule")


def _after(updates: int, follows: bool) -> str:
    """How long trainings were, in words.

    Example:
        >>> _after(98, True)
        'after 98 updates, following the schedule'
    """
    return f"after {updates} updates" + ", following the schedule" * follows


def _fit_to_trainings(ax: Any, losses: list[float], start: float | None) -> None:
    """Choose the heights by what was learned; the higher half may lie above them."""
    if losses:
        middle = float(np.median(losses))
        _fit(ax, min(losses), middle if start is None else max(start, middle))


# What both share.


def _fit(ax: Any, low: float, high: float, noise: float = 0.0) -> None:
    """Show all from one loss to another, and something around."""
    if 0 < WIDE * low < high:
        margin = (high / low) ** 0.15
        ax.set_yscale("log")
        ax.set_ylim(low / margin, high * margin)
        return
    height = max(high - low, 1e-4 * abs(high), 1e-12)
    ax.set_ylim(low - max(0.15 * height, noise), high + max(0.3 * height, noise))
    # Not as an offset beside the axis, where it would meet the title.
    ax.yaxis.set_major_formatter(lambda loss, _: f"{loss:.6g}")


def _mark_edge(ax: Any, rates: Any, marker: str, label: str) -> None:
    """Mark rates at the upper edge, whose losses lie above it or are not finite."""
    if len(rates):
        edge = np.ones(len(rates))
        look = {"color": LOST, "clip_on": False, "label": label}
        ax.plot(rates, edge, marker, transform=ax.get_xaxis_transform(), **look)


def _shade(ax: Any, result: DrawnResult, label: str | None) -> None:
    """Suggestion and interval, from the lower edge to the upper."""
    if result.suggestion is not None:
        ax.axvline(result.suggestion, color=SUGGESTION, lw=2, label=label)
    if result.interval is not None:
        within = None if label is None else "where it may lie as well"
        ax.axvspan(*result.interval, color=SUGGESTION, alpha=0.15, lw=0, label=within)


def _finish(ax: Any, name: str, loss: str) -> None:
    """Say what is shown."""
    ax.set(xlabel="learning rate", ylabel=loss)
    ax.grid(alpha=0.3)
    ax.legend(title=name, fontsize="small", title_fontsize="small", alignment="left")


def _write_title(ax: Any, words: str) -> None:
    """Write a title in lines as long as the axes are wide."""
    size = 9.0
    inches = ax.get_figure(root=True).get_figwidth() * ax.get_position().width
    letters = max(20, int(inches * 72 / (LETTER * size)))
    lines = textwrap.wrap(words, letters, break_on_hyphens=False)
    ax.set_title("\n".join(lines), loc="left", fontsize=size)
