"""Drawing schedules, and figures. The only file to import matplotlib, and late."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from keras_lr.plan.curves import FloatArray
from keras_lr.plan.words import shown

#: Said where it is not installed.
MISSING = "Plotting needs matplotlib: pip install 'keras-lr[plot]'."


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
    if ax is None:
        ax = new_figure(3.5).subplots()
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


def mark_seam(ax: Any, plans: Mapping[str, FloatArray], done: int) -> None:
    """Draw beside a schedule what its plans would have been, and where they meet.

    Args:
        ax: The axes with the schedule.
        plans: Values at each update from the begin on, by what they are called.
        done: The update at which one is left for the other.
    """
    for (name, values), style in zip(plans.items(), ("--", ":"), strict=False):
        ax.plot(values, linestyle=style, color="0.5", zorder=1, label=name)
    ax.axvline(done, color="tab:red", linewidth=1, label=f"extended after {done}")
    ax.legend(fontsize="small")


def new_figure(height: float) -> Any:
    """A figure of pyplot, 7 inches wide and so many high, for pyplot to show.

    Raises:
        ImportError: If matplotlib is not installed.
    """
    try:
        from matplotlib import pyplot as plt
    except ImportError:
        raise ImportError(MISSING) from None
    return plt.figure(figsize=(7, height), layout="constrained")


def detached_figure(height: float) -> Any:
    """The same unknown to pyplot, for what is no more than saved: nobody closes it.

    Raises:
        ImportError: If matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise ImportError(MISSING) from None
    return Figure(figsize=(7, height), layout="constrained")
