"""Drawing schedules and sweeps. The only file here to import matplotlib, and late."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from keras_lr.plan.curves import FloatArray
from keras_lr.plan.words import shown


class DrawnSchedule(Protocol):
    """What is asked of a schedule to draw it."""

    hyperparameter: str

    def values(
        self, steps: int, base_lr: float = 1.0, steps_per_epoch: float | None = None
    ) -> FloatArray:
        """The value at each update."""

    def momentum_values(
        self, steps: int, base: float = 0.9, steps_per_epoch: float | None = None
    ) -> FloatArray:
        """The momentum at each update."""


class DrawnSweep(Protocol):
    """What is asked of a finder's result to draw it."""

    @property
    def suggestion(self) -> float | None: ...  # noqa: D102
    @property
    def verdict(self) -> str: ...  # noqa: D102
    @property
    def reason(self) -> str: ...  # noqa: D102
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
    def probes(self) -> tuple[Any, ...]: ...  # noqa: D102


def plot_schedule(
    schedule: DrawnSchedule,
    epochs: float,
    steps_per_epoch: int,
    base_lr: float,
    ax: Any,
) -> Any:
    """Draw a schedule's values, and its momentum on a second axis.

    Args:
        schedule: The schedule.
        epochs: Epochs of the run.
        steps_per_epoch: Updates of an epoch.
        base_lr: The optimizer's own rate.
        ax: Matplotlib axes, or None for new ones.

    Returns:
        The axes with the rate.

    Raises:
        ImportError: If matplotlib is not installed.
    """
    ax = _axes(ax)
    steps = max(1, round(epochs * steps_per_epoch))
    updates = range(steps)
    name = schedule.hyperparameter.replace("_", " ")
    values = schedule.values(steps, base_lr, steps_per_epoch)
    (line,) = ax.plot(updates, values, label=name)
    ax.set(xlabel="update", ylabel=name, title=shown(schedule), ylim=(0, None))
    ax.title.set_fontsize("medium")
    ax.title.set_wrap(True)
    ax.grid(alpha=0.3)
    if epochs > 1:
        top = ax.secondary_xaxis(
            -0.22,
            functions=(lambda u: u / steps_per_epoch, lambda e: e * steps_per_epoch),
        )
        top.set_xlabel("epoch")
    momentum = schedule.momentum_values(steps, steps_per_epoch=steps_per_epoch)
    if momentum.min() < momentum.max():
        right = ax.twinx()
        (swing,) = right.plot(updates, momentum, color="tab:orange", label="momentum")
        right.set(ylabel="momentum (beta_1)", ylim=(0, 1))
        ax.legend(handles=[line, swing], loc="lower center")
    return ax


def plot_sweep(result: DrawnSweep, start: float, ax: Any) -> Any:
    """Draw a sweep: losses over the rate, and what each rule made of them.

    Args:
        result: The result.
        start: The loss that the sweep began with, without noise.
        ax: Matplotlib axes, or None for new ones.

    Returns:
        The axes.

    Raises:
        ImportError: If matplotlib is not installed.
    """
    ax = _axes(ax)
    lrs, losses, smoothed = result.lrs, result.losses, result.smoothed
    ax.plot(lrs, losses, ".", color="0.6", markersize=3, label="loss")
    ax.plot(lrs, smoothed, color="tab:blue", label="without noise")
    for i, (name, rate) in enumerate(result.suggestions.items()):
        at = np.interp(rate, lrs, smoothed, left=np.nan)
        if np.isfinite(at):
            ax.plot(rate, at, "osD^v"[i % 5], color="k", markersize=4, label=name)
    if result.interval is not None:
        ax.axvspan(*result.interval, color="tab:orange", alpha=0.2, lw=0)
    if result.suggestion is not None:
        label = f"suggestion {result.suggestion:.2g}"
        ax.axvline(result.suggestion, color="tab:orange", lw=2, label=label)
    if len(lrs) > 2 and np.isclose(lrs[1] / lrs[0], lrs[2] / lrs[1], rtol=1e-3):
        ax.set_xscale("log")
    # What the loss does once it blows up must not flatten the rest.
    seen = smoothed[np.isfinite(smoothed)]
    if len(seen):
        low = seen.min()
        before = slice(max(5, int(np.argmin(seen))))
        spread = 1.4826 * np.median(np.abs(losses[before] - smoothed[before]))
        low = min([low, *(probe["loss"] for probe in result.probes)])
        height = max(start - low, 4 * spread, 1e-6 * abs(start), 1e-12)
        ax.set_ylim(low - 0.3 * height, start + 0.6 * height)
    _draw_probes(ax, result.probes)
    title = f"{result.verdict}: {result.reason}"
    ax.set(xlabel="learning rate", ylabel="loss", title=title)
    ax.title.set_fontsize("medium")
    ax.title.set_wrap(True)
    ax.grid(alpha=0.3)
    ax.legend(fontsize="small", loc="center left", bbox_to_anchor=(1.0, 0.5))
    return ax


def _draw_probes(ax: Any, probes: Any) -> None:
    """The held-out loss at each probe's rate; arrows for those that lie above."""
    top = ax.get_ylim()[1]
    kept = [probe for probe in probes if np.isfinite(probe["loss"])]
    lengths = sorted({probe["updates"] for probe in kept})
    for updates in lengths:
        these = [probe for probe in kept if probe["updates"] == updates]
        ax.plot(
            [probe["lr"] for probe in these],
            [min(probe["loss"], top) for probe in these],
            "x:",
            color="tab:green",
            alpha=1 if updates == lengths[-1] else 0.4,
            label=f"held-out, {updates} updates",
        )
    above = [probe["lr"] for probe in probes if not probe["loss"] <= top]
    ax.plot(above, [top] * len(above), "^", color="tab:green", clip_on=False)


def picture_of_sweep(result: DrawnSweep, start: float) -> bytes:
    """The same as a PNG, for notebooks."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 3.8), layout="constrained")
    file = io.BytesIO()
    plot_sweep(result, start, figure.subplots())
    figure.savefig(file, format="png", dpi=120)
    return file.getvalue()


def _axes(ax: Any) -> Any:
    """The axes, or new ones."""
    if ax is not None:
        return ax
    try:
        from matplotlib import pyplot as plt
    except ImportError:
        raise ImportError(
            "Plotting needs matplotlib: pip install 'keras-lr[plot]'."
        ) from None
    return plt.subplots(figsize=(7, 3.5), layout="constrained")[1]
