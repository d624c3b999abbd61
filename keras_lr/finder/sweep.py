"""One sweep of a fit: when it is over, and what it says."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from keras_lr.finder.borrowed import Borrowed
from keras_lr.finder.judge import LEAST, Judgement, ending, judge
from keras_lr.finder.plan import SweepPlan
from keras_lr.finder.reasons import Advice
from keras_lr.finder.result import LRFinderResult
from keras_lr.plan.curves import FloatArray

#: Looks at the losses in a sweep, and updates between two of them at least: each look
#: waits for the device, which costs as much as some updates of a small model.
LOOKS = 10
LEAST_APART = 10

Tells = Callable[[int, float, float], None]


class Sweep:
    """One sweep of a fit.

    Args:
        plan: What to sweep.
        borrowed: The model.
        steps: Updates.
        tells: Is told at each look the updates so far, and the rate and the loss of
            the last of them; None if nobody wants to know.

    Attributes:
        rates: The rate of each update.
        borrowed: The model.
    """

    def __init__(
        self,
        plan: SweepPlan,
        borrowed: Borrowed,
        steps: int,
        tells: Tells | None = None,
    ) -> None:
        self._plan = plan
        self.borrowed = borrowed
        self._steps = steps
        self._tells = tells
        self._each = borrowed.accumulation
        self.rates = plan.values(steps)
        self._apart = max(LEAST_APART, steps // LOOKS)
        self._before = 0
        self._next = self._apart
        self._table: FloatArray = np.zeros((3, steps))
        self._spent = 0
        self._stopped = False
        self._awaits_last = False

    # Looking.

    def begin_epoch(self) -> None:
        """Count the batches of the epochs before."""
        self._check_active()
        self._before = int(self._read()[1].sum())

    def look(self, batch: int) -> bool:
        """Whether the sweep is over, before a batch of the epoch."""
        self._check_active()
        updates = self._after(self._before + batch)
        if updates < min(self._next, self._steps):
            return False
        self._next = updates + self._apart
        table = self._read()
        losses = self._losses(table)
        self._tell(losses)
        means = self._means(losses)
        # An update that loss scaling skips is tried again: it counts once.
        batches = int(np.minimum(table[1], self._each).sum())
        self._awaits_last = self._after(batches) >= self._steps
        self._stopped = (
            self._awaits_last
            or not np.isfinite(losses).all()
            or (self._plan.stop_early and self._has_risen(means))
        )
        return self._stopped

    def was_cut_short(self) -> bool:
        """Whether the sweep was to end with the epoch's last step, and did not.

        At the end of an epoch a step has fewer batches than `steps_per_execution`, or
        on TensorFlow none, and nobody knows beforehand where the data do not tell.
        """
        if not self._awaits_last or not self.borrowed.is_open:
            return False
        self._awaits_last = False
        self._stopped = len(self._losses(self._read())) >= self._steps
        return not self._stopped

    def _has_risen(self, means: FloatArray) -> bool:
        return bool(ending(means, self._plan.points(self._steps)))

    def _after(self, batches: int) -> int:
        """Updates of the fit after the next step, if that is a full one."""
        return (
            self.borrowed.begun + batches + self.borrowed.batches_a_step
        ) // self._each

    def _check_active(self) -> None:
        if not self.borrowed.is_open:
            raise RuntimeError(
                "A sweep needs the model to itself. Received: another training of it "
                "from a callback. Leave that callback out of the sweep's fit."
            )

    def _read(self) -> FloatArray:
        self._table = self.borrowed.seen()[:, : self._steps]
        return self._table

    def _losses(self, table: FloatArray) -> FloatArray:
        """Loss of each update that is complete: the mean of its batches' losses."""
        sums, counts, bad = table
        done = int(np.argmin(counts > 0)) if (counts == 0).any() else len(counts)
        if done > 1 and counts[done - 1] < self._each:
            done -= 1
        losses: FloatArray = sums[:done] / counts[:done]
        if np.isnan(bad[:done]).any():
            # The loss may be finite all the same: on TensorFlow relu(NaN) is 0.
            batch = int(counts[: np.argmax(np.isnan(bad))].sum())
            raise ValueError(
                "The data must be finite. Received: NaN or infinity in batch "
                f"{batch} of the sweep, counted from 0. Leave those rows out."
            )
        if done and not np.isfinite(losses[0]):
            # No matter of the rate.
            raise ValueError(
                "The loss must be finite at the first update. Received: a loss of "
                f"{losses[0]} at a rate of {self.rates[0]:.2g}, with finite data. "
                "Look at the model and its loss."
            )
        return losses

    def _means(self, losses: FloatArray) -> FloatArray:
        """Loss of each rate."""
        each = self._plan.updates_per_rate
        whole = len(losses) // each
        means: FloatArray = losses[: whole * each].reshape(whole, each).mean(axis=1)
        return means

    def _tell(self, losses: FloatArray) -> None:
        done = len(losses)
        if self._tells is not None and done:
            self._tells(done, float(self.rates[done - 1]), float(losses[-1]))

    # Judging.

    def finish(self) -> None:
        """Look for the last time, while the model is still borrowed."""
        if not self.borrowed.is_open:
            return  # No epoch was run.
        self._read()
        self._spent = self.borrowed.spent()
        self._tell(self._losses(self._table))

    def judgement(self, advice: Advice) -> Judgement:
        """What the sweep says.

        Args:
            advice: What the caller can do about it.

        Raises:
            ValueError: If it saw too little.
        """
        losses = self._losses(self._table)
        if not self._table[1].any() and self._spent:
            self.borrowed.check_loss()
        means = self._means(losses)
        if len(means) < LEAST and np.isfinite(means).all():
            raise ValueError(
                f"A sweep needs at least {LEAST} rates. Received: a fit that ended "
                f"after {len(losses)} updates. Give it more data or epochs."
            )
        points = self._plan.points(self._steps)
        found = judge(self._rates_of(means), means, points, advice)
        reason = found.reason + self._shortened(len(losses))
        return dataclasses.replace(found, reason=reason)

    def result(self, judgement: Judgement, divisor: float) -> LRFinderResult:
        """The sweep and what it says, as users get it.

        Args:
            judgement: What it says.
            divisor: Of the rate where the loss has fallen, the suggestion is this part.
        """
        means = self._means(self._losses(self._table))
        rates = self._rates_of(means)
        return as_result(judgement, divisor, rates, means, self._spent)

    def _rates_of(self, means: FloatArray) -> FloatArray:
        """The rates that the losses are of."""
        return self.rates[:: self._plan.updates_per_rate][: len(means)]

    def _shortened(self, updates: int) -> str:
        if updates < self._steps and not self._stopped:
            return (
                f" (the fit ended after {updates} of the sweep's {self._steps} updates)"
            )
        if self._steps < self._plan.steps:
            return (
                f" (the fit had only {self._steps} updates for the sweep instead of "
                f"{self._plan.steps})"
            )
        return ""


def as_result(
    judgement: Judgement,
    divisor: float,
    lrs: FloatArray,
    losses: FloatArray,
    steps: int,
) -> LRFinderResult:
    """What was seen and judged, as users get it.

    Args:
        judgement: What the sweep says.
        divisor: Of the rate where the loss has fallen, the suggestion is this part.
        lrs: Rates that were tried.
        losses: Loss at each.
        steps: Updates that were spent.
    """
    suggestions = dict(judgement.suggestions)
    suggestion = None
    interval = None
    if judgement.fallen_rate is not None:
        suggestions["zero_lag"] = judgement.fallen_rate / divisor
    if judgement.verdict == "trust" and judgement.interval is not None:
        low, high = judgement.interval
        suggestion = suggestions["zero_lag"]
        interval = (low / divisor, high / divisor)
    return LRFinderResult(
        suggestion=suggestion,
        verdict=judgement.verdict,
        reason=judgement.reason,
        interval=interval,
        lrs=lrs,
        losses=losses,
        smoothed=judgement.smoothed,
        suggestions=dict(sorted(suggestions.items())),
        probes=(),
        steps=steps,
    )


def planned(
    borrowed: Borrowed, params: Mapping[str, Any], first_epoch: int
) -> int | None:
    """Updates of a fit, if they are known.

    Args:
        borrowed: The model.
        params: What Keras tells the callbacks of the fit.
        first_epoch: The epoch that it begins with.
    """
    batches = params.get("steps")
    epochs = params.get("epochs")
    if not batches or not epochs:
        return None
    left = (epochs - first_epoch) * batches
    return int((borrowed.begun + left) // borrowed.accumulation)
