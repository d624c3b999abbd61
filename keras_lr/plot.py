"""Drawing a schedule. The only file here that imports matplotlib, and late."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from keras_lr.schedule import Schedule


def plot_schedule(
    schedule: Schedule, epochs: float, steps_per_epoch: int, base_lr: float, ax: Any
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
    try:
        from matplotlib import pyplot as plt
    except ImportError:
        raise ImportError(
            "Plotting needs matplotlib: pip install 'keras-lr[plot]'."
        ) from None
    steps = max(1, round(epochs * steps_per_epoch))
    updates = range(steps)
    if ax is None:
        _, ax = plt.subplots(figsize=(7, 3.5), layout="constrained")
    name = schedule.hyperparameter.replace("_", " ")
    values = schedule.values(steps, base_lr, steps_per_epoch)
    (line,) = ax.plot(updates, values, label=name)
    ax.set(xlabel="update", ylabel=name, title=repr(schedule), ylim=(0, None))
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
