"""Timetable: what the updates of one optimizer read, at every update of a run.

Data's way: the courses of a fit's schedules -> float64 values at every update of the
run -> their product, one column a hyperparameter -> the rows that a step looks up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from keras_lr.plan.checks import check_momentum
from keras_lr.plan.course import HYPERPARAMETERS, Course
from keras_lr.plan.curves import FloatArray
from keras_lr.plan.duration import Clock, IntArray

#: Updates of a run that are worked out before it begins; of those beyond, so many more
#: places are looked at, so that a function that fails in the middle of a long run fails
#: before it, as a rule.
HEAD = 2**16
SAMPLE = 2**10


@dataclass(frozen=True)
class Request:
    """What one schedule asks of a fit.

    Attributes:
        schedule: The schedule, to name it in an error.
        courses: What it changes.
        clock: The run as the schedule counts it.
    """

    schedule: Any
    courses: tuple[Course, ...]
    clock: Callable[[Clock], Clock]


@dataclass(frozen=True)
class Facts:
    """What is known of an optimizer when a timetable is laid for it.

    Attributes:
        name: The optimizer's class.
        own: Its own values by hyperparameter; that of the rate is None where the
            optimizer was compiled with a schedule.
        highest: The highest own rate of the fit's optimizers, which an absolute rate
            is compared with: the others keep their ratio to it.
    """

    name: str
    own: Mapping[str, float | None]
    highest: float | None


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
    """

    first: int
    head: Mapping[str, FloatArray]
    beyond: Callable[[str, IntArray], FloatArray] | None = None
    absolute: bool = False
    scale: float = 1.0

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


def lay(
    requests: Sequence[Request], facts: Facts, run: Clock, first: int, least: int
) -> Timetable:
    """Lay all schedules of a fit over the run of one optimizer.

    Args:
        requests: What the schedules ask for; they multiply.
        facts: The optimizer.
        run: Length of the run and of its epochs, as far as known.
        first: The update of the run that comes next.
        least: Updates that are worked out where the run has no known end.

    Raises:
        ValueError: If two schedules set an absolute value, the optimizer lacks what is
            scheduled, or a value is none that an update can use.
    """
    _check_absolute(requests)
    products = {
        name: _Product(name, found, facts, run)
        for name in HYPERPARAMETERS
        if (found := _asking(requests, name, facts))
    }
    # Past the end of the run the last values stay.
    ends = run.total is not None and run.total - first <= HEAD
    left = least if run.total is None else max(run.total - first, 1)
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
    )


def _asking(
    requests: Sequence[Request], name: str, facts: Facts
) -> list[tuple[Request, Course]]:
    """The courses of a hyperparameter; none may demand one that is not there."""
    asking = [
        (request, course)
        for request in requests
        for course in request.courses
        if course.hyperparameter == name
    ]
    if name in facts.own:
        return asking
    for request, course in asking:
        if not course.optional:
            raise ValueError(
                f"An optimizer whose {name} is scheduled must have one that is not "
                f"zero. Received: {facts.name} without {name}, for "
                f"{request.schedule!r}. Compile it with one, or leave it out of the "
                "schedule."
            )
    return []


class _Product:
    """The product of all courses of one hyperparameter."""

    def __init__(
        self, name: str, asking: list[tuple[Request, Course]], facts: Facts, run: Clock
    ) -> None:
        self._name = name
        self._asking = asking
        self._run = run
        self._own = self._own_value(facts)
        peaks = [course.peak for _, course in asking if course.peak is not None]
        self._peak = peaks[0] if peaks else self._own

    @property
    def scale(self) -> float:
        """The peak over the own value."""
        return self._peak / self._own

    def values(self, updates: IntArray) -> FloatArray:
        """Factors on the own rate, or the values of another hyperparameter."""
        product: Any = 1.0
        for request, course in self._asking:
            clock = request.clock(self._run)
            product = product * (course.values(self._peak, clock, updates) / self._peak)
        if self._name == "learning_rate":
            factors: FloatArray = product * self.scale
            return factors
        values: FloatArray = product * self._peak
        if self._name == "momentum":
            check_momentum(values, updates)
        return values

    def _own_value(self, facts: Facts) -> float:
        """What factor 1 of a relative schedule stands for."""
        if self._name != "learning_rate":
            return float(facts.own[self._name] or 0.0)
        if facts.highest is None:
            self._refuse_absolute()
            return 1.0
        if facts.highest <= 0:
            raise ValueError(
                "The optimizer's own rate must be above 0 for a schedule to scale it. "
                f"Received: learning_rate={facts.highest:g}."
            )
        return facts.highest

    def _refuse_absolute(self) -> None:
        for request, course in self._asking:
            if course.is_absolute:
                raise ValueError(
                    "An absolute rate (`max_lr`, `min_lr`) needs an optimizer compiled "
                    f"with a float as its learning_rate. Received: {request.schedule!r}"
                    " and an optimizer whose learning_rate is a schedule. Leave one of "
                    "them out."
                )


def _check_absolute(requests: Sequence[Request]) -> None:
    for name in HYPERPARAMETERS:
        claims = [
            request.schedule
            for request in requests
            for course in request.courses
            if course.hyperparameter == name and course.peak is not None
        ]
        if len(claims) > 1:
            raise ValueError(
                f"Only one schedule of a fit can set an absolute {name}; the others "
                f"multiply it. Received: {' and '.join(map(repr, claims))}. Leave "
                "`max_lr` out of all but one."
            )
