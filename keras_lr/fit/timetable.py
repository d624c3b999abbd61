"""Timetable: what the updates of one optimizer read, at every update of a run.

Data's way: the courses of a fit's schedules -> float64 values at every update of the
run -> their product, one column a hyperparameter -> the rows that a step looks up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from keras_lr.fit.past import Stretch
from keras_lr.plan.checks import check_momentum, check_values
from keras_lr.plan.course import HYPERPARAMETERS, Course
from keras_lr.plan.curves import FloatArray
from keras_lr.plan.duration import Clock, IntArray
from keras_lr.plan.words import naming, shown

#: Updates of a run that are worked out before it begins; of those beyond, so many more
#: places are looked at, so that a function that fails in the middle of a long run fails
#: before it, as a rule.
HEAD = 2**16
SAMPLE = 2**10

#: Lengths of an epoch that a first epoch of unknown length is tried with: all powers of
#: two up to the first, and one that no epoch has.
LONGEST_EPOCH = 2**20
ENDLESS_EPOCH = 2**40


@dataclass(frozen=True)
class Request:
    """What one schedule asks of a fit.

    Attributes:
        schedule: The schedule, to name it in an error.
        courses: What it changes.
        clock: The run as the schedule counts it.
        optimizer: The name of the optimizer that it is for; None for all that the
            model was compiled with.
        ends: Where its fits of each model have ended, in updates of its horizon, for
            each of the optimizers; None where it has no horizon.
        on_extend: What it wants of a fit that goes on under a plan of another length:
            ``"warn"`` or ``"continue"``.
        check: Looks all schedules of the fit over, before its first update, given the
            epoch that it begins with and what was made of the run under plans of other
            lengths; None where the schedule does not want it.
    """

    schedule: Any
    courses: tuple[Course, ...]
    clock: Callable[[Clock], Clock]
    optimizer: str | None = None
    ends: MutableMapping[Any, tuple[int, ...]] | None = None
    on_extend: str = "warn"
    check: Callable[[int, Sequence[Stretch]], None] | None = None


@dataclass(frozen=True)
class Claim:
    """A request, as one of the optimizers that it is for sees it.

    Attributes:
        request: The request.
        highest: The highest own rate of the optimizers that it is for, which an
            absolute rate is compared with: the others keep their ratio to it. None
            where one of them was compiled with a schedule.
        done: Updates of the schedule's horizon that earlier fits have made.
    """

    request: Request
    highest: float | None
    done: int = 0


@dataclass(frozen=True)
class Facts:
    """What is known of an optimizer when a timetable is laid for it.

    Attributes:
        name: The optimizer's class.
        own: Its own values by hyperparameter; that of the rate is None where the
            optimizer was compiled with a schedule.
        label: What logs call it behind ``learning_rate``; None for the only one.
    """

    name: str
    own: Mapping[str, float | None]
    label: str | None = None


@dataclass(frozen=True)
class Run:
    """A run as one optimizer counts it.

    Attributes:
        clock: Its length and that of its epochs, as far as known.
        epochs: Its epochs, as far as known.
        first: The update that comes next.
        least: Updates that are worked out where the run has no known end.
        is_certain: Whether the length is that of this run's data, and not of an epoch
            that has been measured.
        begun: The update that the fit has begun with, or went on with when the model
            was compiled anew.
    """

    clock: Clock
    epochs: int | None
    first: int
    least: int
    is_certain: bool = True
    begun: int = 0


@dataclass(frozen=True)
class Timetable:
    """The values of an optimizer's hyperparameters at the updates of a run.

    Attributes:
        first: The update of the run that ``head`` begins with.
        head: By hyperparameter, the values at updates ``first``, ``first + 1``, ...;
            of the learning rate it is the factor on the optimizer's own.
        beyond: Gives the values at later updates; None where the last ones stay.
        absolute: Whether the learning rate's values are rates, and the optimizer's own
            does not count.
        scale: The rate at the schedule's peak over the optimizer's own.
        sets_peak: Whether that peak was given, and not only the factors on the own
            rate.
        label: What logs call the optimizer behind ``learning_rate``; None for the only
            one.
    """

    first: int
    head: Mapping[str, FloatArray]
    beyond: Callable[[str, IntArray], FloatArray] | None = None
    absolute: bool = False
    scale: float = 1.0
    sets_peak: bool = False
    label: str | None = None

    def values(self, hyperparameter: str, updates: IntArray) -> FloatArray:
        """The values at some updates; before the first one that of the first."""
        head = self.head[hyperparameter]
        index = updates - self.first
        values = head.take(index, mode="clip")
        if self.beyond is not None:
            late = index >= len(head)
            if late.any():
                values[late] = self.beyond(hyperparameter, updates[late])
        return values


#: Of an optimizer that is left alone.
OWN = Timetable(0, {})


def lay(claims: Sequence[Claim], facts: Facts, run: Run) -> Timetable:
    """Lay all schedules of a fit over the run of one optimizer.

    Args:
        claims: What the schedules ask of it; they multiply.
        facts: The optimizer.
        run: Where its run stands.

    Raises:
        ValueError: If two schedules set an absolute value, the optimizer lacks what is
            scheduled, a value is none that an update can use, or values of the first
            epoch depend on a length that nobody knows.
    """
    if not claims:
        # The optimizer's own values; where the run stands is known all the same.
        return Timetable(run.first, {})
    check_absolute(claims)
    products = {
        name: _Product(name, found, facts, run)
        for name in HYPERPARAMETERS
        if (found := _asking(claims, name, facts))
    }
    first = run.first
    total = run.clock.total
    # Past the end of the run the last values stay.
    ends = run.is_certain and total is not None and total - first <= HEAD
    left = run.least if total is None else max(total - first, 1)
    updates = first + np.arange(min(left, HEAD))
    head = {name: product.values(updates) for name, product in products.items()}
    if left > HEAD:
        sample = np.unique(
            np.linspace(first + HEAD, first + left - 1, SAMPLE, dtype=int)
        )
        for product in products.values():
            product.values(sample)
    rate = products.get("learning_rate")
    return Timetable(
        first,
        head,
        None if ends else lambda name, later: products[name].values(later),
        scale=1.0 if rate is None else rate.scale,
        sets_peak=rate is not None and rate.sets_peak,
        label=facts.label,
    )


def in_force(
    claims: Sequence[Claim], facts: Facts, run: Run, updates: IntArray
) -> dict[str, FloatArray]:
    """What updates of an optimizer would be made with, also what none of them could.

    Args:
        claims: What the schedules ask of it; they multiply.
        facts: The optimizer.
        run: Where its run stands.
        updates: The updates.

    Returns:
        By hyperparameter that is scheduled; of the learning rate the factor on the
        optimizer's own.

    Raises:
        ValueError: As :func:`lay` does, but for values that no update can use.
    """
    check_absolute(claims)
    return {
        name: _Product(name, found, facts, run).values(updates, as_is=True)
        for name in HYPERPARAMETERS
        if (found := _asking(claims, name, facts))
    }


def _asking(
    claims: Sequence[Claim], name: str, facts: Facts
) -> list[tuple[Claim, Course]]:
    """The courses of a hyperparameter; none may demand one that is not there."""
    asking = [
        (claim, course)
        for claim in claims
        for course in claim.request.courses
        if course.hyperparameter == name
    ]
    if name in facts.own:
        return asking
    for claim, course in asking:
        if not course.optional:
            raise ValueError(
                f"An optimizer whose {name} is scheduled must have one that is not "
                f"zero. Received: {facts.name} without {name}, for "
                f"{shown(claim.request.schedule)}. Compile it with one, or leave it "
                "out of the schedule."
            )
    return []


class _Product:
    """The product of all courses of one hyperparameter.

    Attributes:
        sets_peak: Whether one of them is absolute.
        scale: The peak over the own value.
    """

    def __init__(
        self, name: str, asking: list[tuple[Claim, Course]], facts: Facts, run: Run
    ) -> None:
        self._name = name
        self._asking = asking
        self._run = run
        self._owns = [self._own_value(claim, facts) for claim, _ in asking]
        pairs = zip(asking, self._owns, strict=True)
        peaks = [
            (course.peak, own) for (_, course), own in pairs if course.peak is not None
        ]
        self.sets_peak = bool(peaks)
        peak, own = peaks[0] if peaks else (1.0, 1.0)
        self.scale = peak / own
        # What factor 1 of each course stands for.
        self._peaks = [peak] * len(asking) if peaks else self._owns
        self._clocks = [
            _clock(claim, course, peak, run)
            for (claim, course), peak in zip(asking, self._peaks, strict=True)
        ]

    def values(self, updates: IntArray, *, as_is: bool = False) -> FloatArray:
        """Factors on the own rate, or the values of another hyperparameter.

        Args:
            updates: The updates.
            as_is: Whether values that no update can use are given, and not refused.
        """
        product: Any = 1.0
        rows = zip(self._asking, self._peaks, self._clocks, strict=True)
        for (claim, course), peak, clock in rows:
            places = _counted(claim, course, self._run, updates)
            course_values = course.values(peak, clock, places)
            if course.is_shown_as_is and not as_is:
                # What can be looked at is not what an update can use.
                with naming(course.owner):
                    check_values(self._name, course_values, places)
            product = product * (course_values / peak)
        if self._name == "learning_rate":
            factors: FloatArray = product * self.scale
            return factors
        values: FloatArray = product * self._peaks[0]
        if self._name == "momentum" and not as_is:
            check_momentum(values, updates)
        return values

    def _own_value(self, claim: Claim, facts: Facts) -> float:
        """What factor 1 of a relative schedule stands for."""
        if self._name != "learning_rate":
            return float(facts.own[self._name] or 0.0)
        if claim.highest is None:
            self._refuse_absolute()
            return 1.0
        if claim.highest <= 0:
            raise ValueError(
                "The optimizer's own rate must be above 0 for a schedule to scale it. "
                f"Received: learning_rate={claim.highest:g}, for "
                f"{shown(claim.request.schedule)}."
            )
        return claim.highest

    def _refuse_absolute(self) -> None:
        for claim, course in self._asking:
            if course.is_absolute:
                raise ValueError(
                    "An absolute rate (`max_lr`, `min_lr`) needs an optimizer compiled "
                    "with a float as its learning_rate. Received: "
                    f"{shown(claim.request.schedule)} and an optimizer whose "
                    "learning_rate is a schedule. Leave one of them out."
                )


def _counted(claim: Claim, course: Course, run: Run, updates: IntArray) -> IntArray:
    """Updates of a run as a course counts them."""
    if course.since_fit:
        return updates - run.begun
    return updates + claim.done


def _clock(claim: Claim, course: Course, peak: float, run: Run) -> Clock:
    """The run as a schedule counts it.

    Where nobody knows how long the first epoch is, it counts as endless, if the values
    in it do not depend on that.
    """
    counted = claim.request.clock
    if run.clock.total is not None:
        return counted(run.clock)
    try:
        clock = counted(run.clock)
        first = np.array([run.first])
        course.values(peak, clock, _counted(claim, course, run, first))
        return clock
    except ValueError:
        if _depends(claim, course, peak, run.epochs):
            raise
        return counted(_assumed(run.epochs, ENDLESS_EPOCH))


def _depends(claim: Claim, course: Course, peak: float, epochs: int | None) -> bool:
    """Whether values of the first epoch depend on its length."""
    length = 1
    while length <= LONGEST_EPOCH:
        updates = np.unique(np.linspace(0, length - 1, 9).astype(int)) + claim.done
        # These updates are in the first epoch if it has one of these lengths.
        try:
            tried = [
                course.values(
                    peak, claim.request.clock(_assumed(epochs, each)), updates
                )
                for each in (length, 2 * length + 1, ENDLESS_EPOCH)
            ]
        except ValueError:
            return True
        if not all(np.allclose(one, tried[0], rtol=1e-12, atol=0) for one in tried):
            return True
        length *= 2
    return False


def _assumed(epochs: int | None, length: int) -> Clock:
    """A run whose epochs have an assumed length."""
    return Clock(None if epochs is None else epochs * length, length)


def check_absolute(claims: Sequence[Claim]) -> None:
    """Raise where two schedules set one value."""
    for name in HYPERPARAMETERS:
        absolute = [
            claim.request.schedule
            for claim in claims
            for course in claim.request.courses
            if course.hyperparameter == name and course.peak is not None
        ]
        if len(absolute) > 1:
            raise ValueError(
                f"Only one schedule of a fit can set an absolute {name} of an "
                "optimizer; the others multiply it. Received: "
                f"{' and '.join(map(shown, absolute))}. Leave `max_lr` out of all but "
                "one."
            )
