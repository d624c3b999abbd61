"""``Seam``: one plan of a run up to a moment, and another one from there on.

The way over never jumps: what the two are apart at the moment is let go of in equal
shares.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np

from keras_lr.plan.curves import FloatArray
from keras_lr.plan.duration import Argument, Clock, IntArray
from keras_lr.plan.phase import Knot, Made
from keras_lr.plan.words import received

#: The values of a plan at some updates, laid over a run.
Values = Callable[[Clock, IntArray], FloatArray]


class Moment(NamedTuple):
    """An extension in updates of one run.

    Attributes:
        done: Updates under the plan so far.
        planned: Updates that this was laid over.
        total: Updates that the new one is laid over.
        warmup: Updates of the way over.
    """

    done: int
    planned: int
    total: int
    warmup: int


@dataclass(frozen=True)
class Extension:
    """When the plan of a run is changed, and from which length to which.

    Attributes:
        done: What has been made of the run under its plan so far.
        planned: The length that this was laid over.
        total: The length of the whole run now; None for what the clock says.
        warmup: How long the way over is; a fraction is one of what is left.
    """

    done: Argument
    planned: Argument
    total: Argument | None
    warmup: Argument

    @classmethod
    def read(cls, done: Any, planned: Any, total: Any, warmup: Any) -> Self:
        """What a user wrote, parsed and checked as far as it can be without a run.

        Raises:
            ValueError: If one is no duration, if one that says where the run stands is
                a fraction, or if nothing is left.
        """
        made = Argument.read("done", done)
        plan = Argument.read("planned", planned)
        whole = Argument.read("total", total)
        for each in (made, plan, whole):
            if each.length.unit == "fraction":
                raise ValueError(
                    f"`{each.name}` must be counted in updates or epochs, since the "
                    "run that a fraction would be of is what changes. "
                    f"{each.received}"
                )
        extension = cls(made, plan, whole, Argument.read("warmup", warmup))
        if made.length.unit == whole.length.unit:
            extension._check(made.length.amount, whole.length.amount)
        return extension

    def within(self, clock: Clock) -> Moment:
        """The extension in updates.

        Raises:
            ValueError: If nothing is left, or less than the way over takes.
        """
        done = clock.updates(self.done)
        planned = clock.updates(self.planned)
        total = clock.total if self.total is None else clock.updates(self.total)
        assert total is not None  # noqa: S101  a fit extends what has a length
        self._check(done, total)
        left = total - done
        warmup = Clock(left, clock.steps_per_epoch).updates(self.warmup)
        if warmup > left:
            raise ValueError(
                "`warmup` must not be longer than what is left of the run, which is "
                f"{left} updates. {self.warmup.received}"
            )
        return Moment(done, planned, total, warmup)

    def _check(self, done: float, total: float) -> None:
        if total > done:
            return
        given = {"done": self.done.written}
        given["total"] = done if self.total is None else self.total.written
        raise ValueError(
            "`total` must be longer than `done`: it is the length of the whole run, "
            f"with what has been made of it. {received(**given)}"
        )


class Seam(Made):
    r"""One plan up to a moment, and another from there on.

    .. math:: v(t) = n(t) + g (1 - j / W), \quad g = o(D - 1) - n(D - 1)

    at the j-th of W updates after the first D, with the old plan o and the new one n;
    before them v is o, behind them n. What would lie beyond both o(D - 1) and n(t) is
    the nearer of them, so that v can be neither negative nor above both. No step is
    larger than :math:`|g| / W` and that of n.

    Args:
        before: The values of the old plan.
        after: The values of the new one.
        extension: When, and over which lengths.
        gain: Factor on the values.
    """

    duration = None
    endless = False

    def __init__(
        self, before: Values, after: Values, extension: Extension, gain: float = 1.0
    ) -> None:
        self.before = before
        self.after = after
        self.extension = extension
        self.gain = gain

    def scaled(self, factor: float) -> Self:
        """The same with all its values multiplied."""
        return self._with(gain=self.gain * factor)

    def ends(self, knot: Knot | None, clock: Clock, count: int | None) -> Knot:
        """The knot that it leaves to the next phase."""
        last = self.extension.within(clock).total - 1
        return Knot(float(self.at(np.array([last]), count, knot, clock)[0]))

    def at(
        self, k: IntArray, count: int | IntArray | None, knot: Knot | None, clock: Clock
    ) -> FloatArray:
        """Values at some updates of the run."""
        moment = self.extension.within(clock)
        values = np.empty(k.shape)
        is_old = k < moment.done
        # Nothing is asked for in vain: of a plan that was changed again and again the
        # questions would multiply.
        if is_old.any():
            old = Clock(moment.planned, clock.steps_per_epoch)
            # Past the end of a plan its last value stays, also where it has phases that
            # would have gone on.
            values[is_old] = self.before(old, np.minimum(k[is_old], moment.planned - 1))
        if not is_old.all():
            values[~is_old] = self._go_over(moment, k[~is_old], clock.steps_per_epoch)
        return self.gain * values

    def _go_over(
        self, moment: Moment, updates: IntArray, steps_per_epoch: float | None
    ) -> FloatArray:
        """Values from the moment on."""
        old = Clock(moment.planned, steps_per_epoch)
        new = Clock(moment.total, steps_per_epoch)
        plan = self.after(new, np.minimum(updates, moment.total - 1))
        share = 1.0 - (updates - moment.done + 1) / moment.warmup
        on_the_way = share > 0
        if not on_the_way.any():
            return plan
        last = np.array([moment.done - 1])
        reached = self.before(old, np.minimum(last, moment.planned - 1))
        gap = reached - self.after(new, last)
        # As the new plan comes near to what was reached, or passes it, all of the gap
        # would be too much: the values would go beyond both.
        lowest = np.minimum(reached, plan)
        highest = np.maximum(reached, plan)
        joined = np.clip(plan + gap * share, lowest, highest)
        return np.where(on_the_way, joined, plan)
