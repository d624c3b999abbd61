"""Findings about single values: none that trains, none that an update could use."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from keras_lr.lints.finding import Finding
from keras_lr.lints.scene import Lane, Plan
from keras_lr.plan.oddities import all_zero
from keras_lr.plan.parts import Repeat


def find(lane: Lane) -> Iterator[Finding]:
    """What single values tell."""
    yield from _zero(lane)
    yield from _negative(lane)
    yield from _momentum(lane)


def _zero(lane: Lane) -> Iterator[Finding]:
    rates = lane.rates
    if not rates.any():
        yield Finding(
            "zero-run",
            "error",
            f"{lane.name} {all_zero(len(rates))}{lane.of}.",
            "Look at the peak, at the floor and at where the run begins.",
            lane.first,
            lane.name,
        )
    elif rates[0] == 0 and not lane.goes_on:
        culprits = [
            plan for plan in lane.rate_plans if plan.values(lane.first, 1)[0] == 0
        ]
        name = " and ".join(plan.name for plan in culprits) or lane.name
        first = int(np.flatnonzero(rates)[0])
        which = "update has" if first == 1 else f"{first} updates have"
        # Cycles go up and down between their ends, of which 0 may be one.
        cycles = bool(culprits) and all(map(_is_cycle, culprits))
        yield Finding(
            "zero-first",
            "note" if cycles else "warning",
            f"The first {which} a rate of 0{lane.of}, which changes nothing: {name}.",
            "Begin above it: warmups of this package give the k-th of W updates k / W "
            "of the peak.",
            lane.first,
            name,
        )


def _is_cycle(plan: Plan) -> bool:
    return isinstance(plan.placed[-1].part, Repeat)


def _negative(lane: Lane) -> Iterator[Finding]:
    below = np.flatnonzero(lane.rates < 0)
    if below.size:
        at = int(below[0])
        yield Finding(
            "negative-rate",
            "error",
            f"{lane.name} has a rate of {lane.rates[at]:.3g}{lane.of} at update "
            f"{lane.first + at}: it would climb, and a fit refuses it.",
            "End it before that, by its length or by another `horizon`.",
            lane.first + at,
            lane.name,
        )


def _momentum(lane: Lane) -> Iterator[Finding]:
    if lane.momentum is None:
        return
    names = [
        plan.name for plan in lane.plans if plan.course.hyperparameter == "momentum"
    ]
    name = " and ".join(names)
    odd = np.flatnonzero((lane.momentum >= 1) | (lane.momentum < 0))
    if odd.size:
        at = int(odd[0])
        yield Finding(
            "momentum-range",
            "error",
            f"{name} has a momentum of {lane.momentum[at]:.3g}{lane.of} at update "
            f"{lane.first + at}, which must be below 1 and not negative: a fit "
            "refuses it.",
            "Keep it below 1, where nothing is ever forgotten.",
            lane.first + at,
            name,
        )
