"""What a search says of its trainings, and how sure it is."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from keras_lr.finder.climb import Seen
from keras_lr.finder.judge import Verdict
from keras_lr.finder.tuning import TUNING
from keras_lr.plan.curves import FloatArray

#: Degrees of freedom below which the series for Student's t is no good.
LEAST_DEGREES = 3


@dataclass(frozen=True)
class Finding:
    """A verdict.

    Attributes:
        name: One of :data:`Verdict`.
        reason: The verdict in words.
    """

    name: Verdict
    reason: str


@dataclass(frozen=True)
class Evidence:
    """What a search has seen of the rows that are held out.

    Attributes:
        start: Before any training.
        best: After the best of the long trainings.
        is_off_scale: Whether the model begins so far off that the rate hardly matters.
        swapped: After the same one, with the targets of other rows; None where that
            says nothing, or was not looked at since the fall is clear.
        rows: How many rows are held out.
        is_given: Whether the user has held them out.
        is_trained: Whether the model had been trained before.
        is_doubtful: Whether nothing but these trainings says that the model learns: the
            sweep saw no fall, or all targets are the same.
        lowest_rate: Of all trainings.
    """

    start: Seen
    best: Seen
    is_off_scale: bool
    swapped: Seen | None
    rows: int
    is_given: bool
    is_trained: bool
    is_doubtful: bool
    lowest_rate: float


def verdict_of(evidence: Evidence) -> Finding:
    """Judge a search by the loss on the rows that are held out.

    There is a rate to trust where the loss has fallen, by more than chance explains.
    Where that is in doubt, the targets of other rows must fit worse, too: else what was
    learned owes nothing to the inputs, as the mean of the targets does not. (Where it
    is not, they need not: some nets learn the mean for a hundred updates, and then go
    on to the inputs.)
    """
    start = evidence.start
    best = evidence.best
    if not math.isfinite(best.loss):
        return Finding(
            "diverged early",
            "the loss was not finite after any training, down to a rate of "
            f"{evidence.lowest_rate:.2g}: look at the data (columns that are constant "
            "or far from a scale of 1) and at the optimizer",
        )
    falls = f"the held-out loss from {start.loss:.4g} to {best.loss:.4g}"
    fall = Difference(start.losses, best.losses)
    spread = float(np.std(start.losses)) / max(abs(start.loss), 1e-30)
    is_noisy = spread > TUNING.noisy_spread and not evidence.is_trained
    if best.loss >= start.loss:
        return Finding("noisy" if is_noisy else "flat", _nothing_better(evidence))
    swap = None
    if evidence.swapped is not None:
        # A last part of fewer rows has none to take the targets of.
        count = len(evidence.swapped.losses)
        swap = Difference(evidence.swapped.losses, best.losses[:count])
    owes_to_inputs = swap is not None and swap.is_real(TUNING.sure_of_inputs)
    less_will_do = owes_to_inputs and fall.relative > TUNING.clear_fall
    if evidence.is_doubtful and swap is not None and not owes_to_inputs:
        if swap.highest_share(TUNING.sure) < TUNING.nothing:
            return Finding(
                "flat",
                f"the best training brought {falls}, and as low with the targets of "
                "other rows: it learned nothing of the inputs",
            )
        return Finding(
            "noisy",
            f"the best training brought {falls}, but noise hides whether that owes "
            f"anything to the inputs on {_rows(evidence)}",
        )
    if evidence.is_off_scale:
        return Finding(
            "noisy",
            f"the held-out loss begins at {start.loss:.4g}, so far off that about any "
            "rate brings it down and nothing tells which is best: scale the inputs "
            "(each column to a mean of 0 and a standard deviation of 1), and the "
            "targets, too, if they are far from 1",
        )
    if not fall.is_real(TUNING.sure_if_clear if less_will_do else TUNING.sure):
        is_noisy = is_noisy or fall.hides(TUNING.noisy * abs(start.loss))
        return Finding(
            "noisy" if is_noisy else "flat",
            f"the best training brought {falls}, which chance explains as well on "
            f"{_rows(evidence)}",
        )
    return Finding("trust", f"the best training brought {falls}{_caveat(evidence)}")


def is_clear(start: Seen, best: Seen) -> bool:
    """Whether the loss has fallen by more than chance explains."""
    if not math.isfinite(best.loss):
        return False
    return Difference(start.losses, best.losses).is_real(TUNING.sure)


def _nothing_better(evidence: Evidence) -> str:
    words = (
        "no training brought the held-out loss below "
        f"{evidence.start.loss:.4g}, where it began"
    )
    if evidence.is_trained:
        return (
            f"{words}: the model has learned what it can, or was trained on the rows "
            "held out; give `validation_data` that it has not seen"
        )
    return (
        f"{words}: look at the data (are they in an order? then shuffle them) and at "
        "the model"
    )


def _rows(evidence: Evidence) -> str:
    rows = "1 row" if evidence.rows == 1 else f"{evidence.rows} rows"
    if evidence.is_given:
        return f"the {rows} of `validation_data`: give more of them"
    if evidence.is_trained:
        return (
            f"the {rows} held out, which the model may have been trained on before: "
            "give `validation_data` that it has not seen"
        )
    return (
        f"the {rows} held out: give more data, `validation_data` or a larger `budget`"
    )


def _caveat(evidence: Evidence) -> str:
    if not evidence.is_trained or evidence.is_given:
        return ""
    return (
        " (the model was trained before, perhaps on the rows held out: "
        "`validation_data` would tell)"
    )


class Difference:
    """The difference of two trainings, by the parts of the rows held out.

    Twice: in its own unit, and relative to each part, where parts of quite different
    losses count alike. A few rows that lie far off decide neither.
    """

    def __init__(self, before: FloatArray, after: FloatArray) -> None:
        falls = before - after
        sizes = np.maximum(np.abs(before) + np.abs(after), 1e-30)
        self._parts = len(falls)
        self._mean, self._error = _mean_and_error(falls)
        self._floor = 1e-5 * float(sizes.mean())
        self._share, self._share_error = _mean_and_error(falls / sizes)

    @property
    def relative(self) -> float:
        """The relative difference, from -1 to 1."""
        return self._share

    def is_real(self, sure: float) -> bool:
        """Whether the losses fell by more than chance explains.

        Args:
            sure: Standard deviations of a normal distribution.
        """
        needed = student(sure, self._parts - 1)
        # Relative falls of parts vary less than they should where all fell far.
        needed_share = student(sure + TUNING.surer_by_share, self._parts - 1)
        return (
            self._mean > needed * self._error + self._floor
            or self._share > needed_share * self._share_error + 1e-5
        )

    def highest_share(self, sure: float) -> float:
        """The highest relative difference that chance may have hidden."""
        return self._share + student(sure, self._parts - 1) * self._share_error

    def hides(self, fall: float) -> bool:
        """Whether a fall of this size would not have been told from chance."""
        needed = student(TUNING.sure, self._parts - 1)
        return needed * self._error > fall


def _mean_and_error(values: FloatArray) -> tuple[float, float]:
    count = len(values)
    if count < 2:
        return float(np.mean(values)), math.inf
    return float(np.mean(values)), float(np.std(values, ddof=1)) / math.sqrt(count)


def student(sure: float, degrees: int) -> float:
    r"""The quantile of Student's t that is as rare as a normal deviate.

    .. math:: t \approx z + \frac{z^3 + z}{4 \nu}
        + \frac{5 z^5 + 16 z^3 + 3 z}{96 \nu^2}

    with z the normal deviate and nu the degrees of freedom. A few parts tell their own
    spread badly: for 7 degrees and z = 3 t is 4.4.

    Args:
        sure: The normal deviate.
        degrees: Degrees of freedom; infinite below 3, where the series is no good.

    Example:
        >>> round(student(3.0, 7), 1), round(student(3.0, 1000), 2)
        (4.4, 3.01)

    Source: Abramowitz and Stegun 1964, Handbook of Mathematical Functions, 26.7.5.
    """
    if degrees < LEAST_DEGREES:
        return math.inf
    first = (sure**3 + sure) / 4
    second = (5 * sure**5 + 16 * sure**3 + 3 * sure) / 96
    return sure + first / degrees + second / degrees**2
