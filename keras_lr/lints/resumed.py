"""Findings about a fit that is not a model's first one."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from keras_lr.lints.finding import Finding
from keras_lr.lints.scene import Lane, Plan
from keras_lr.plan.oddities import look

#: A floor lies below this share of what came before.
LOW = 0.1


def find(lane: Lane) -> Iterator[Finding]:
    """A fit that begins where everything is over, or anew, or under another plan."""
    yield from _anew(lane)
    if lane.other_plan is not None:
        message, _, advice = lane.other_plan.partition(". ")
        yield Finding(
            "new-plan", "warning", f"{message}.", advice, lane.first, lane.name
        )
    rates = lane.rates
    if not np.all(rates == rates[0]):
        return
    for plan in lane.rate_plans:
        here = lane.first + plan.shift
        if here <= 0 or not _is_over(plan, here):
            continue
        before = plan.values(lane.first - here, here).max()
        last = plan.values(lane.first, 1)[0]
        if last < LOW * before:
            yield _finding(lane, plan.name, f"has ended after {_end(plan)} updates")
    if lane.own_is_past_end and lane.own_schedule is not None:
        yield _finding(lane, lane.own_schedule, "in the optimizer is past its end")


def _anew(lane: Lane) -> Iterator[Finding]:
    for plan in lane.plans:
        if plan.begins_anew:
            yield Finding(
                "begins-anew",
                "note",
                f"Earlier fits have used up the horizon of {plan.name}: this one "
                f"begins it anew{lane.of}.",
                "Extend it, by .extend(done, total), if the run is to go on.",
                lane.first,
                plan.name,
            )


def _is_over(plan: Plan, update: int) -> bool:
    end = _end(plan)
    return end is not None and end <= update


def _end(plan: Plan) -> int | None:
    end = look(plan.course, plan.clock, expects_peak=False).end
    total = plan.clock.total
    if end is None:
        return total
    return end if total is None else min(end, total)


def _finding(lane: Lane, name: str, why: str) -> Finding:
    return Finding(
        "starts-at-floor",
        "warning",
        f"{name} {why}: this fit begins at its floor{lane.of} and stays there, at "
        f"{lane.rates[0]:.3g}.",
        "Begin a new run with another schedule, or extend this one by .extend(done, "
        "total).",
        lane.first,
        name,
    )
