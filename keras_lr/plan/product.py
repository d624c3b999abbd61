"""Courses of one hyperparameter that multiply, as they do in a fit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from keras_lr.plan.checks import check_momentum, check_values
from keras_lr.plan.course import Course
from keras_lr.plan.curves import FloatArray
from keras_lr.plan.duration import Clock, IntArray


class Planned(NamedTuple):
    """A course, and the run as its schedule counts it."""

    course: Course
    clock: Callable[[Clock], Clock]


def product(
    planned: Sequence[Planned], base: float, run: Clock, updates: IntArray
) -> FloatArray:
    """The product of courses of one hyperparameter at some updates.

    Args:
        planned: The courses; at most one has a peak of its own.
        base: The optimizer's own value, for want of such a peak.
        run: The run.
        updates: Updates counted from 0.
    """
    if not planned:
        return np.full(len(updates), base)
    peaks = [course.peak for course, _ in planned if course.peak is not None]
    peak = peaks[0] if peaks else base
    (first, clock), *others = planned
    values = first.values(peak, clock(run), updates)
    for course, clock in others:
        values = values * (course.values(peak, clock(run), updates) / peak)
    if any(course.is_shown_as_is for course, _ in planned):
        return values
    check_values(first.hyperparameter, values, updates)
    if first.hyperparameter == "momentum":
        check_momentum(values, updates)
    return values
