"""``NoiseScaleResult``: a measured noise scale, and what it says of batch and rate."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np

from keras_lr.plan.checks import check_at_least, check_int
from keras_lr.plan.curves import FloatArray
from keras_lr.plan.noise import LEAST, noise_of, rate_factor
from keras_lr.plot import new_figure

#: Points of a picture at most, and measurements in a row that each is of at least.
POINTS = 8
TOGETHER = 24
#: How far an interval without an upper end is drawn, over its lower one.
FAR = 8.0
CURVE = "#0072B2"
BATCH = "#D55E00"


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class NoiseScaleResult:
    """The gradient noise scale of a training, and what follows from it.

    Attributes:
        noise_scale: Rows of a batch whose gradient is as much noise as signal, of the
            last measurements; infinite where they show no signal.
        interval: Where it lies, with a certainty of 95 % if the measurements are
            independent; up to infinity where the signal cannot be told from none, and
            from 0 to infinity below 8 measurements.
        measurements: How many it is of, the last ones.
        batch_size: Rows that the fit's updates were of: those of all devices, and of
            all batches that were accumulated.
        learning_rate: The highest rate that was in force at any update.
        exponent: Of the law of :meth:`rate_at`: 1 for SGD, 1/2 for everything else.
        batches: Batches before each measurement of the training, shape ``(n,)``.
        covariances: What each has found for the trace of the covariance of single rows'
            gradients, shape ``(n,)``. Single ones may be below 0.
        squares: The same for the squared length of the mean gradient.
    """

    noise_scale: float
    interval: tuple[float, float]
    measurements: int
    batch_size: int
    learning_rate: float
    exponent: float
    batches: FloatArray
    covariances: FloatArray
    squares: FloatArray

    def __post_init__(self) -> None:
        for name in ("batches", "covariances", "squares"):
            array = np.array(getattr(self, name), np.float64)
            array.flags.writeable = False
            object.__setattr__(self, name, array)

    @property
    def critical_batch_size(self) -> int | None:
        """The batch size that is worth its cost: the noise scale, as whole rows.

        There a training needs twice the updates of one with huge batches, and twice the
        rows of one with tiny batches. It is an order of magnitude: the simple noise
        scale ignores how curved the loss is. At least 1; None where the noise scale is
        infinite.
        """
        if math.isinf(self.noise_scale):
            return None
        return max(1, round(self.noise_scale))

    def rate_at(self, batch_size: int) -> float:
        r"""The rate that the law of the noise scale implies at a batch size.

        .. math:: \eta' = \eta \left(\frac{1 + N / B}{1 + N / B'}\right)^p

        with :math:`\eta` the fit's highest rate (``learning_rate``), taken to be a good
        one at B rows (``batch_size``), N the noise scale, and p the ``exponent``. For
        SGD, p = 1, it is the rate that lowers a quadratic loss most in one step. For
        other optimizers no such law is known in general; with p = 1/2, it is the
        square-root rule far below the noise scale, and levels off beyond it as SGD's.
        What has been measured for Adam lies between p = 1/2 and p = 1.

        Args:
            batch_size: Rows of a batch, at least 1.

        Returns:
            The rate; by a plain power of the batch size where the noise scale is
            infinite, unchanged where it is 0.

        Raises:
            TypeError: If the batch size is no int.
            ValueError: If it is below 1.

        Source: McCandlish et al. 2018, arXiv:1812.06162, sec. 2.2; for Adam Malladi et
        al. 2022, arXiv:2205.10287.
        """
        check_int("batch_size", batch_size)
        check_at_least("batch_size", batch_size, 1)
        own = self.batch_size
        return self.learning_rate * rate_factor(
            self.noise_scale, own, batch_size, self.exponent
        )

    def plot(self, ax: Any = None) -> Any:
        """Draw the noise scale over the training; needs the extra ``plot``.

        Each point is the noise scale of some measurements in a row, with its interval
        (an arrow where that has no upper end); the line is the batch size.

        Args:
            ax: Matplotlib axes; None for a new figure of pyplot.

        Returns:
            The axes.

        Raises:
            ImportError: If matplotlib is not installed.
        """
        if ax is None:
            ax = new_figure(4.0).subplots()
        groups = min(POINTS, max(1, len(self.batches) // TOGETHER))
        for i, group in enumerate(np.array_split(np.arange(len(self.batches)), groups)):
            noise = noise_of(self.covariances[group], self.squares[group])
            label = "noise scale, with its interval of 95 %" if i == 0 else None
            _draw_point(ax, float(self.batches[group].mean()), noise, label)
        ax.axhline(
            self.batch_size, color=BATCH, ls="--", label=f"batch size {self.batch_size}"
        )
        ax.set_yscale("log", base=2)
        ax.yaxis.set_major_formatter("{x:g}")
        ax.set(xlabel="batches trained on", ylabel="rows")
        ax.set_title(_in_lines(str(self)), loc="left", fontsize=9)
        ax.grid(alpha=0.3)
        ax.legend(fontsize="small")
        return ax

    def __str__(self) -> str:
        low, high = self.interval
        count = f"{self.measurements} measurement{'s' * (self.measurements != 1)}"
        found = f"Gradient noise scale {_rows(self.noise_scale)} rows ({count}: "
        found += f"{_rows(low)} to {_rows(high)})."
        return f"{found} {self._advice()}"

    def _advice(self) -> str:
        """What to do, as the interval allows to say it."""
        low, high = self.interval
        own = self.batch_size
        if self.measurements < LEAST:
            return f"Too few to say more: measure {LEAST} times or more."
        if math.isinf(high) and low <= own:
            return (
                f"Batches of {own} rows show too little of the gradient to say whether "
                "larger ones pay: measure more often, or with larger batches."
            )
        if own < low:
            known = self.noise_scale if math.isfinite(self.noise_scale) else low
            left = (1 + known / (2 * own)) / (1 + known / own)
            return (
                f"Batches of {own} rows are below it: with {2 * own}, at a rate of "
                f"{self.rate_at(2 * own):.2g} instead of {self.learning_rate:.2g}, "
                f"about {left:.2f} times the updates do the same."
            )
        if own <= high:
            return (
                f"Batches of {own} rows are about as large as pays; keep the rate of "
                f"{self.learning_rate:.2g}."
            )
        half = max(1, own // 2)
        return (
            f"Batches of {own} rows are above it: with {half}, at a rate of "
            f"{self.rate_at(half):.2g} instead of {self.learning_rate:.2g}, hardly "
            "more updates do the same on half the rows."
        )

    def __repr__(self) -> str:
        return (
            f"NoiseScaleResult(noise_scale={self.noise_scale:.4g}, "
            f"interval=({self.interval[0]:.4g}, {self.interval[1]:.4g}), "
            f"measurements={self.measurements}, batch_size={self.batch_size})"
        )


def _draw_point(ax: Any, at: float, noise: Any, label: str | None) -> None:
    low, high = noise.interval
    if low > 0 and math.isfinite(high):
        ax.plot([at, at], [low, high], color=CURVE, alpha=0.6)
    elif low > 0:
        look = {"color": CURVE, "alpha": 0.6, "linestyle": ":"}
        ax.plot([at, at], [low, FAR * low], marker="^", markevery=[1], **look)
    if 0 < noise.scale < math.inf:
        ax.plot([at], [noise.scale], "o", color=CURVE, label=label)


def _in_lines(words: str) -> str:
    """A text in two or more lines, broken after its first sentence."""
    first, _, rest = words.partition("). ")
    middle = rest.find(": ")
    if middle < 0:
        return f"{first}).\n{rest}"
    return f"{first}).\n{rest[: middle + 1]}\n{rest[middle + 2 :]}"


def _rows(number: float) -> str:
    """A number of rows, to two digits or three.

    Example:
        >>> _rows(0.123), _rows(43.21), _rows(43210.0), _rows(float("inf"))
        ('0.12', '43', '43200', 'infinity')
    """
    if math.isinf(number):
        return "infinity"
    if number < 100:
        return f"{number:.2g}"
    return f"{float(f'{number:.3g}'):.0f}"
