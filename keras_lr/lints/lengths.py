"""Findings about lengths: longer or shorter than the run, or in another unit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from keras_lr.lints.finding import Finding
from keras_lr.lints.scene import Lane, Plan, Scene
from keras_lr.plan.duration import Argument, Clock
from keras_lr.plan.layout import Placed
from keras_lr.plan.oddities import look, oddity
from keras_lr.plan.parts import FunctionPhase, Points, Repeat
from keras_lr.plan.phase import Phase
from keras_lr.plan.words import shown

#: Updates of an epoch from which a number of epochs is hardly one of updates.
MANY = 10
#: Below this share of the peak a product of schedules does not come near it.
NEAR = 0.9
#: The same for one of another library, and for one that warms up to its peak.
CLOSE = 0.95
CLOSE_AFTER_WARMUP = 0.99
#: Below this it has not hit that exactly, as where the peak falls between two steps.
HIT = 0.999

#: Libraries whose schedules may be stepped once an epoch.
STEPS_AN_EPOCH = ("torch", "timm")

ADVICE = {
    "ends-early": "Give it the length of the run, or leave its own out: a schedule "
    "without one fills the run.",
    "cut-short": "Give it no more than the run has, a share of it such as '5%', or "
    "the fit more epochs.",
    "no-peak": "Give its way up no more than the run has.",
}


def find(lane: Lane, scene: Scene) -> Iterator[Finding]:
    """What is odd about lengths."""
    for plan in _first_of_each(lane):
        yield from _oddities(plan, lane)
        yield from _epochs(plan, lane, scene)
        yield from _batches(plan, lane)
        yield from _floor(plan, lane)
    yield from _own_schedule(lane)
    yield from _product(lane)


def _first_of_each(lane: Lane) -> list[Plan]:
    """The first plan of each schedule, which its arguments are about."""
    first: dict[str, Plan] = {}
    for plan in lane.plans:
        first.setdefault(plan.name, plan)
    return list(first.values())


def _oddities(plan: Plan, lane: Lane) -> Iterator[Finding]:
    """What a fit warns of by itself, in its words."""
    clock = plan.clock
    total = lane.total + max(plan.shift, 0)
    run = Clock(total, lane.clock.steps_per_epoch)
    seen = look(plan.course, clock, plan.knows_peak)
    odd = oddity(seen, clock, run, plan.is_rate and seen.is_zero(total))
    if odd is None and plan.is_rate:
        seen = look(plan.course, clock, expects_peak=_names_peak(plan))
        odd = oddity(seen, clock, run, False)
    # Of rates that are all 0 the values tell, also those of a product.
    if odd is not None and odd.code != "zero-run":
        yield Finding(
            odd.code,
            "warning",
            f"{plan.name} {odd.says}.",
            ADVICE[odd.code],
            None if odd.update is None else odd.update - max(plan.shift, 0),
            plan.name,
        )
    if odd is None and plan.is_rate:
        yield from _missed_peak(plan, lane)


def _missed_peak(plan: Plan, lane: Lane) -> Iterator[Finding]:
    """Another library's schedule that stays below its own peak.

    It has one where it sets rates itself, or warms up to the optimizer's own.
    """
    if plan.library is None or lane.first or not (plan.warmup or plan.course.peak):
        return
    values = plan.values(0, lane.total)
    reached = values.max() / plan.peak
    is_far = reached < (CLOSE_AFTER_WARMUP if plan.warmup else CLOSE)
    if is_far or (plan.warmup and reached < HIT):
        yield Finding(
            "no-peak",
            "warning" if is_far else "note",
            f"{plan.name} never reaches its peak{lane.of} of {plan.peak:.3g}: its "
            f"highest rate is {values.max():.4g}.",
            "Look whether its decay has begun under the warmup (timm's `warmup_prefix`)"
            ", or falls between two steps.",
            int(np.argmax(values)),
            plan.name,
        )


def _names_peak(plan: Plan) -> bool:
    """Whether one of a plan's own numbers is its peak: then it is meant to be there."""
    return any(
        value is not None and value >= plan.course.some_peak * (1 - 1e-9)
        for placed in plan.course.place(plan.course.some_peak, plan.clock)
        for value in _numbers(placed)
    )


def _numbers(placed: Placed) -> list[float | None]:
    """The values that a part names."""
    part = placed.part
    if isinstance(part, Phase):
        return [part.to, part.start]
    if isinstance(part, Points):
        return [value for _, value in part.points]
    if isinstance(part, Repeat):
        return [value for each in part.phases for value in (each.to, each.start)]
    return []


def _epochs(plan: Plan, lane: Lane, scene: Scene) -> Iterator[Finding]:
    """Durations that were meant as epochs, and count updates."""
    each = lane.clock.steps_per_epoch
    if each is None or each < MANY:
        return
    # Whoever writes "5 steps" means it.
    odd = [
        one
        for one in plan.arguments
        if one.length.unit == "updates"
        and not isinstance(one.written, str)
        and 0 < one.length.amount <= scene.epochs
    ]
    if not odd:
        return
    one = odd[0]
    share = one.length.amount / lane.total
    yield Finding(
        "epochs-as-updates",
        "warning",
        f"{plan.name} counts {_named(odd)} in updates, {share:.2g} of the run of "
        f"{lane.total}; a number no larger than that of the epochs ({scene.epochs}) "
        "may be meant in epochs.",
        _in_epochs(one, plan, each),
        _end_of(one, plan, lane),
        plan.name,
    )


def _named(arguments: Sequence[Argument]) -> str:
    """Arguments and what was written for them, those of a list together."""
    written: dict[str, list[str]] = {}
    for one in arguments:
        written.setdefault(one.name, []).append(shown(one.written))
    return " and ".join(f"`{name}` ({', '.join(of)})" for name, of in written.items())


def _in_epochs(argument: Argument, plan: Plan, each: float) -> str:
    """How to say epochs.

    Args:
        argument: What was given.
        plan: Of what.
        each: Updates of an epoch.
    """
    amount = int(argument.length.amount)
    epochs = f"{amount} epoch" if amount == 1 else f"{amount} epochs"
    if plan.library is None:
        return f"Write {argument.name}='{epochs}' if so, else '{amount} steps'."
    either = " or give per='epoch'" if plan.library in STEPS_AN_EPOCH else ""
    return (
        f"If so, count it in updates ({epochs} are {amount * each:.0f}){either}; else "
        "leave it as it is."
    )


def _batches(plan: Plan, lane: Lane) -> Iterator[Finding]:
    """Durations that were meant as batches, several of which make an update."""
    each = lane.accumulation
    if each == 1:
        return
    batches = lane.total * each
    odd = [
        one
        for one in plan.arguments
        if one.length.unit == "updates" and lane.total < one.length.amount <= batches
    ]
    if odd:
        one = odd[0]
        amount = int(one.length.amount)
        yield Finding(
            "batches-as-updates",
            "warning",
            f"{plan.name} counts `{one.name}` ({shown(one.written)}) in updates, of "
            f"which the run has {lane.total}; it has {batches} batches, {each} of "
            "which make an update (`gradient_accumulation_steps`).",
            f"Write {one.name}={max(1, round(amount / each))}, or a share of the run.",
            None,
            plan.name,
        )


def _own_schedule(lane: Lane) -> Iterator[Finding]:
    """A schedule in the optimizer, which Keras hands batches."""
    if lane.own_schedule is not None and lane.counts_batches:
        yield Finding(
            "batches-as-updates",
            "warning",
            f"{lane.own_schedule} in the optimizer is handed batches, "
            f"{lane.accumulation} of which make an update "
            f"(`gradient_accumulation_steps`): it runs {lane.accumulation} times as "
            "fast as updates are made.",
            "Use a schedule of this package as a callback, which counts updates, or "
            f"as_keras_schedule(..., accumulation={lane.accumulation}).",
            None,
            lane.own_schedule,
        )


def _floor(plan: Plan, lane: Lane) -> Iterator[Finding]:
    """A floor that was given, and that no update is at."""
    floor = plan.course.floor
    # A function that stops falling at its floor need not get there.
    falls_to_floor = not isinstance(plan.placed[-1].part, FunctionPhase)
    if not floor or not plan.is_rate or not falls_to_floor:
        return
    values = plan.values(lane.first, len(lane.rates))
    lowest = values.min()
    if lowest > floor * (1 + 1e-6) and values[-1] < values[0]:
        yield Finding(
            "no-floor",
            "note",
            f"{plan.name} never reaches its floor of {floor:.3g} in the run of "
            f"{lane.total} updates: its lowest is {lowest:.3g}.",
            "Leave out its own length, or `endpoint=False`, if it is to be there at "
            "the last update.",
            lane.first + int(np.argmin(values)),
            plan.name,
        )


def _product(lane: Lane) -> Iterator[Finding]:
    """Schedules that keep each other from the peak."""
    plans = lane.rate_plans
    if len(plans) < 2 or lane.first or lane.own_rate is None:
        return
    highest = [plan.values(0, lane.total).max() for plan in plans]
    peaks = [plan.peak for plan in plans]
    reached = lane.rates.max()
    peak = max(peaks)
    is_alone = all(one >= NEAR * each for one, each in zip(highest, peaks, strict=True))
    if is_alone and 0 < reached < NEAR * peak:
        yield Finding(
            "no-peak",
            "note",
            f"{lane.name} together never reach the peak{lane.of} of {peak:.3g}: one "
            f"falls while another rises, and the highest rate is {reached:.3g}, "
            f"{reached / peak:.0%} of it.",
            "Use one schedule with a `warmup` of its own, as WarmupCosine, if the "
            "peak is to be reached.",
            int(np.argmax(lane.rates)),
            None,
        )


def _end_of(argument: Argument, plan: Plan, lane: Lane) -> int | None:
    """The update at which a duration is over, where it is about the begin of a run."""
    update = int(argument.length.amount) - plan.shift
    return update if lane.first <= update < lane.total else None
