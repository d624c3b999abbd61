"""A rate for each of several batch sizes, and how it grows with them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from keras_lr.finder.budget import planned_updates, updates_of
from keras_lr.finder.pictures import CURVE, LEVEL
from keras_lr.finder.result import LRFinderResult
from keras_lr.finder.result_file import plain
from keras_lr.fit import keras_data, keras_names
from keras_lr.fit.feed import count_rows
from keras_lr.plan.checks import check_int
from keras_lr.plan.duration import Duration
from keras_lr.plan.words import shown
from keras_lr.plot import new_figure
from keras_lr.schedule import Schedule

#: By name: the power of the batch size, and the line.
LAWS = {"linear": (1.0, "--"), "square root": (0.5, ":")}


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class BatchSizesResult:
    """What searches at several batch sizes found.

    Attributes:
        batch_sizes: Rows of a batch, increasing.
        results: What the search at each of them found.
        exponent: The power of the batch size that the suggestions grow with, by least
            squares of their logarithms: 1 for the linear rule, 1/2 for the square-root
            rule. None where fewer than two sizes have a suggestion.
        exponent_interval: The least and the largest exponent that suggestions within
            their intervals would have; None where there is no exponent.
    """

    batch_sizes: tuple[int, ...]
    results: tuple[LRFinderResult, ...]
    exponent: float | None
    exponent_interval: tuple[float, float] | None

    @property
    def suggestions(self) -> tuple[float | None, ...]:
        """The rate to train at with each batch size; None where none is to trust."""
        return tuple(result.suggestion for result in self.results)

    def plot(self, ax: Any = None) -> Any:
        """Draw the rate over the batch size; needs the extra ``plot``.

        Bars are where each suggestion may lie as well; the lines are the linear and the
        square-root rule from the smallest batch that has a suggestion.

        Args:
            ax: Matplotlib axes; None for a new figure of pyplot.

        Returns:
            The axes.

        Raises:
            ImportError: If matplotlib is not installed.
        """
        if ax is None:
            ax = new_figure(4.0).subplots()
        found = _found(self.batch_sizes, self.results)
        for size, rate, (low, high) in found:
            ax.plot([size, size], [low, high], color=CURVE, lw=6, alpha=0.25)
            ax.annotate(
                f"{rate:.2g}",
                (size, rate),
                xytext=(8, -3),
                textcoords="offset points",
                fontsize="small",
            )
        if found:
            label = "found, and where it may lie as well"
            sizes = [size for size, _, _ in found]
            rates = [rate for _, rate, _ in found]
            ax.plot(sizes, rates, "o-", color=CURVE, label=label)
            span = np.array([sizes[0], self.batch_sizes[-1]], float)
            for name, (power, style) in LAWS.items():
                line = rates[0] * (span / sizes[0]) ** power
                ax.plot(span, line, style, color=LEVEL, label=f"{name} rule")
        ax.set_xscale("log", base=2)
        ax.set_yscale("log")
        ax.yaxis.set_major_formatter("{x:g}")
        # Room for the number beside the last point.
        ax.margins(x=0.12)
        ax.set_xticks(self.batch_sizes, [str(size) for size in self.batch_sizes])
        ax.set(xlabel="batch size", ylabel="learning rate")
        ax.set_title(str(self), loc="left", fontsize=9, wrap=True)
        ax.grid(alpha=0.3)
        if found:
            ax.legend(fontsize="small")
        return ax

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values that JSON can hold."""
        return {
            "batch_sizes": list(self.batch_sizes),
            "results": [result.to_dict() for result in self.results],
            "suggestions": list(self.suggestions),
            "exponent": plain(self.exponent),
            "exponent_interval": plain(self.exponent_interval),
        }

    def __str__(self) -> str:
        rates = ", ".join(
            f"{'none' if rate is None else f'{rate:.2g}'} at {size}"
            for size, rate in zip(self.batch_sizes, self.suggestions, strict=True)
        )
        steps = sum(result.steps for result in self.results)
        text = f"Learning rates by batch size: {rates}"
        if self.exponent is not None and self.exponent_interval is not None:
            low, high = self.exponent_interval
            text += (
                f"; growing as the batch size to the power of {self.exponent:.2f} "
                f"({low:.2f} to {high:.2f})"
            )
        return f"{text}. {steps} updates."

    def __repr__(self) -> str:
        return (
            f"BatchSizesResult(batch_sizes={self.batch_sizes!r}, "
            f"suggestions={self.suggestions!r}, exponent={self.exponent!r})"
        )


class Search(Protocol):
    """A search at one batch size."""

    def __call__(self, batch_size: int, about: str) -> LRFinderResult:
        """Search; the progress calls it by what it is about."""


def search_each(sizes: Sequence[int], search: Search) -> BatchSizesResult:
    """Search at each batch size, from the smallest on.

    Args:
        sizes: Batch sizes that have been checked.
        search: Searches at one of them.
    """
    results = []
    for number, size in enumerate(sizes, 1):
        about = f"batch size {size} ({number} of {len(sizes)}): "
        results.append(search(size, about))
    exponent, interval = power_of(_found(sizes, results))
    return BatchSizesResult(tuple(sizes), tuple(results), exponent, interval)


#: A batch size, the rate that was found, and where it may lie as well.
Found = tuple[int, float, tuple[float, float]]


def _found(sizes: Sequence[int], results: Sequence[LRFinderResult]) -> list[Found]:
    """Those that have a suggestion."""
    return [
        (size, result.suggestion, result.interval)
        for size, result in zip(sizes, results, strict=True)
        if result.suggestion is not None and result.interval is not None
    ]


def power_of(
    found: Sequence[Found],
) -> tuple[float | None, tuple[float, float] | None]:
    r"""The power of the batch size that rates grow with, and where it may lie.

    .. math:: p = \sum_i c_i \log \eta_i, \quad
        c_i = (\log B_i - m) / \sum_j (\log B_j - m)^2

    with :math:`\eta_i` the rate at batch size :math:`B_i` and m the mean of the
    logarithms of the batch sizes: the slope of least squares. It is linear in each
    logarithm, so that it is least, and largest, with each rate at one of its ends.

    Args:
        found: Batch size, rate and interval of each that has a rate.

    Example:
        >>> power_of([(16, 0.1, (0.1, 0.2)), (64, 0.2, (0.1, 0.2))])
        (0.5, (-0.5, 0.5))
        >>> power_of([(16, 0.1, (0.1, 0.2))])
        (None, None)
    """
    if len(found) < 2:
        return None, None
    logs = np.log([size for size, _, _ in found])
    weights = (logs - logs.mean()) / np.sum((logs - logs.mean()) ** 2)
    rates = np.log([rate for _, rate, _ in found])
    lows, highs = np.log([ends for _, _, ends in found]).T
    least = np.sum(weights * np.where(weights > 0, lows, highs))
    most = np.sum(weights * np.where(weights > 0, highs, lows))
    # Noise in the last digit says nothing.
    power, low, high = (round(float(one), 12) for one in (weights @ rates, least, most))
    return power, (low, high)


def checked_sizes(
    sizes: Sequence[Any],
    model: Any,
    x: Any,
    y: Any,
    validation_data: Any,
    *,
    budget: Duration,
    epochs: int | None,
    schedule: Schedule | None,
    each: int,
    set_rate: bool,
) -> list[int]:
    """The batch sizes to search at, increasing, before the first search.

    Args:
        sizes: As the user gives them.
        model: A compiled model.
        x: Inputs.
        y: Targets.
        validation_data: What is held out; None if rows of ``x`` are.
        budget: Of each search.
        epochs: Of the training that is planned.
        schedule: To train with.
        each: Batches of an update.
        set_rate: Whether the optimizer is to get the rate.

    Raises:
        TypeError: If a batch size is no int.
        ValueError: If the sizes, the data or the budget do not allow the searches.
    """
    for size in sizes:
        check_int("batch_size", size)
    found = sorted({int(size) for size in sizes})
    if len(found) < 2 or found[0] < 1 or len(found) < len(sizes):
        raise ValueError(
            "`batch_size` as a list must name at least two different sizes of 1 or "
            f"more. Received: batch_size={shown(sizes)}. For a single one write an int."
        )
    if set_rate:
        raise ValueError(
            "`set_rate` needs one batch size, whose rate is to be set. Received: "
            f"batch_size={shown(sizes)}. Set the rate that you choose of the result."
        )
    if not keras_data.are_arrays(x, y):
        raise ValueError(
            "Several batch sizes can be searched only where fit makes the batches, of "
            f"arrays. Received: x={type(x).__name__} and batch_size={shown(sizes)}. "
            "Give arrays, or search each size by itself."
        )
    fixed = keras_names.fixed_batch(model)
    if fixed is not None:
        raise ValueError(
            "Several batch sizes need a model that takes batches of any size. "
            f"Received: one that takes batches of {fixed} rows, and "
            f"batch_size={shown(sizes)}. Build it without a batch size."
        )
    rows = count_rows(x)
    least = found[-1] if validation_data is not None else math.ceil(found[-1] * 1.25)
    if rows < least:
        raise ValueError(
            "A search needs a whole batch of the largest size to train on, beside what "
            f"is held out. Received: {rows} rows, and batch_size={shown(sizes)}, which "
            f"needs {least}. Give it more data, or leave the largest size out."
        )
    for size in found:
        updates_of(budget, x, schedule, size, each)
        planned_updates(epochs, x, schedule, size, each)
    return found
