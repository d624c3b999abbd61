"""A fit that is only thought of, as findings look at it: from outlines to lanes."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import keras
import numpy as np

from keras_lr.extended import Extended
from keras_lr.fit.outline import Outline, values_of
from keras_lr.fit.past import past_of
from keras_lr.fit.timetable import Claim, Facts, Request, check_absolute, in_force
from keras_lr.interop.imported import Imported
from keras_lr.lints import resumed, sizes, writers
from keras_lr.lints.finding import Finding
from keras_lr.lints.scene import Lane, Plan
from keras_lr.plan.course import Course
from keras_lr.plan.curves import FloatArray
from keras_lr.plan.duration import Argument, Clock
from keras_lr.plan.parts import FunctionPhase, Points, Repeat
from keras_lr.plan.phase import Phase, as_argument
from keras_lr.plan.words import shown
from keras_lr.schedule import Schedule

#: A step that no schedule of Keras has anything more to say at.
VERY_LATE = 10**9
#: Arguments of other libraries' schedules that count steps.
STEPS = frozenset(
    {
        "T_0",
        "T_max",
        "step_size",
        "step_size_up",
        "step_size_down",
        "milestones",
        "total_iters",
        "total_steps",
        "first_decay_steps",
        "decay_steps",
        "warmup_steps",
        "transition_steps",
        "transition_begin",
        "boundaries",
        "num_warmup_steps",
        "num_stable_steps",
        "num_decay_steps",
        "num_training_steps",
        "timescale",
        "t_initial",
        "warmup_t",
        "decay_t",
    }
)


def lane_of(outline: Outline, model: Any, refusals: list[Finding]) -> Lane:
    """One optimizer of the fit, as findings look at it.

    Args:
        outline: What it would be asked.
        model: The model.
        refusals: Gets what a fit would refuse.
    """
    claims, facts = _accepted(outline, refusals)
    run = outline.run
    updates = run.first + np.arange(outline.updates)
    values = in_force(claims, facts, run, updates)
    own = replace(outline, facts=facts).own_rates()
    schedule = outline.own_schedule if facts.own["learning_rate"] is None else None
    optimizer = outline.optimizer
    peaks = {
        course.hyperparameter: course.peak
        for claim in claims
        for course in claim.request.courses
        if course.peak is not None
    }
    return Lane(
        label=facts.label,
        optimizer=None if optimizer is None else facts.name,
        clock=run.clock,
        first=run.first,
        rates=own * values.get("learning_rate", 1.0),
        momentum=values.get("momentum"),
        weight_decay=values.get("weight_decay"),
        own_rate=facts.own["learning_rate"],
        own_schedule=None if schedule is None else type(schedule).__name__,
        own_is_past_end=schedule is not None and _is_past_end(schedule, own, outline),
        counts_batches=schedule is not None and _counts_batches(schedule, outline),
        accumulation=outline.accumulation,
        plans=tuple(
            plan
            for claim in claims
            for plan in _plans(claim, facts, peaks, outline, model)
        ),
        beta_2=_beta_2(optimizer),
        usual=_usual(optimizer),
        found=None if model is None else past_of(model).found.get(optimizer),
        has_trained=outline.counted > 0,
        other_plan=outline.other_plan,
    )


def _accepted(
    outline: Outline, refusals: list[Finding]
) -> tuple[tuple[Claim, ...], Facts]:
    """What a fit could take: of several absolute values the first."""
    claims = outline.claims
    facts = outline.facts
    try:
        check_absolute(claims)
    except ValueError as error:
        refusals.append(writers.refused(error, _names(claims)))
        claims = _first_absolute(claims)
    absolute = [
        course.peak or course.floor
        for claim in claims
        for course in claim.request.courses
        if course.hyperparameter == "learning_rate" and course.is_absolute
    ]
    if facts.own["learning_rate"] is None and absolute:
        try:
            in_force(claims, facts, outline.run, np.array([outline.run.first]))
        except ValueError as error:
            refusals.append(writers.refused(error, _names(claims)))
        own = float(absolute[0] or 1.0)
        facts = replace(facts, own={**facts.own, "learning_rate": own})
        claims = tuple(replace(claim, highest=own) for claim in claims)
    return claims, facts


def _first_absolute(claims: Sequence[Claim]) -> tuple[Claim, ...]:
    kept = []
    taken: set[str] = set()
    for claim in claims:
        names = {
            course.hyperparameter
            for course in claim.request.courses
            if course.peak is not None
        }
        if not names & taken:
            kept.append(claim)
        taken |= names
    return tuple(kept)


def _names(claims: Sequence[Claim]) -> str:
    return " and ".join(dict.fromkeys(shown(one.request.schedule) for one in claims))


def _is_past_end(schedule: Any, rates: FloatArray, outline: Outline) -> bool:
    """Whether a schedule of Keras has come to its end before the fit."""
    if not outline.counted or not np.all(rates == rates[0]):
        return False
    begin, end = values_of(schedule, [0, VERY_LATE])
    before = values_of(schedule, np.arange(min(outline.counted, 1000))).max()
    return bool(rates[0] == end and rates[0] < resumed.LOW * max(begin, before))


def _counts_batches(schedule: Any, outline: Outline) -> bool:
    """Whether a schedule in the optimizer takes batches for updates."""
    known = getattr(schedule, "accumulation", 1)
    return outline.accumulation > 1 and known != outline.accumulation


def _beta_2(optimizer: Any) -> float | None:
    """The decay of second moments."""
    # Lion's is that of its momentum.
    is_lion = isinstance(optimizer, keras.optimizers.Lion)
    found = None if is_lion else getattr(optimizer, "beta_2", None)
    return found if isinstance(found, float) else None


def _usual(optimizer: Any) -> float | None:
    """The rate that is usual for an optimizer, if one is."""
    for cls in type(optimizer).__mro__:
        if cls.__module__.startswith("keras."):
            if cls.__name__ in sizes.USUAL:
                return sizes.USUAL[cls.__name__]
            parameter = inspect.signature(cls).parameters.get("learning_rate")
            default = None if parameter is None else parameter.default
            return default if isinstance(default, float) else None
    return None


# What a schedule asks of it.


def _plans(
    claim: Claim,
    facts: Facts,
    peaks: Mapping[str, float],
    outline: Outline,
    model: Any,
) -> Iterator[Plan]:
    """A plan for each hyperparameter that the optimizer has.

    Args:
        claim: What a schedule asks.
        facts: What is known of the optimizer.
        peaks: By hyperparameter, the value that factor 1 of all schedules stands for,
            where one of them sets it.
        outline: What the optimizer is asked in all.
        model: The model.
    """
    request = claim.request
    schedule = request.schedule
    run = outline.run
    clock = request.clock(run.clock)
    for course in request.courses:
        name = course.hyperparameter
        if name not in facts.own:
            continue
        own = claim.highest if name == "learning_rate" else facts.own[name]
        yield Plan(
            name=shown(schedule),
            course=course,
            peak=peaks.get(name) or own or course.some_peak,
            clock=clock,
            shift=-run.begun if course.since_fit else claim.done,
            arguments=tuple(_arguments(schedule, course)),
            knows_peak=schedule._has_peak and course is request.courses[0],
            warmup=_warmup(schedule, course, clock, run.clock),
            is_warmup=_is_warmup(course),
            begins_anew=_begins_anew(request, claim, model, run.first),
            library=schedule.peer if isinstance(schedule, Imported) else None,
        )


def _begins_anew(request: Request, claim: Claim, model: Any, first: int) -> bool:
    """Whether earlier fits of a model have used up the horizon of a schedule.

    Args:
        request: What the schedule asks for.
        claim: The same, as one optimizer sees it.
        model: The model.
        first: The first update of the fit: one that begins at an epoch looks at none.
    """
    if request.ends is None or model is None or first:
        return False
    return any(request.ends.get(model, ())) and not claim.done


def _arguments(schedule: Schedule, course: Course) -> list[Argument]:
    """The durations that a user gave a schedule, each once."""
    if isinstance(schedule, Extended):
        before = schedule.schedule
        found = [
            Argument.read(name, getattr(schedule, name)) for name in ("done", "total")
        ]
        _, single = before._singles()[0]
        return [*found, *_arguments(before, single._courses()[0])]
    found = []
    if schedule.horizon is not None:
        found.append(Argument.read("horizon", schedule.horizon))
    if isinstance(schedule, Imported):
        if schedule.per == "update":
            found += _lengths_in(schedule.arguments)
        return found
    # A preset has phases of its own making beside those that an argument is behind.
    are_own = hasattr(schedule, "_phases")
    for written in _durations(course):
        if isinstance(written, Argument) or are_own:
            found.append(as_argument(written))
    return list({(one.name, shown(one.written)): one for one in found}.values())


def _lengths_in(arguments: Any, name: str = "") -> Iterator[Argument]:
    """The lengths in steps among the arguments of another library's schedule.

    Args:
        arguments: Its arguments, or a part of them.
        name: What the part is called.
    """
    if isinstance(arguments, Mapping):
        for key, value in arguments.items():
            yield from _lengths_in(value, str(key))
    elif isinstance(arguments, list | tuple):
        for each in arguments:
            yield from _lengths_in(each, name)
    elif name in STEPS and isinstance(arguments, int) and arguments > 0:
        yield Argument.read(name, arguments)


def _durations(course: Course) -> list[Any]:
    """All durations of a course's parts."""
    found: list[Any] = []
    for part in course.parts(course.some_peak):
        found.append(part.duration)
        if isinstance(part, Repeat):
            found += [phase.duration for phase in part.phases]
        elif isinstance(part, FunctionPhase):
            found.append(part.unit)
        elif isinstance(part, Points):
            found += [position for position, _ in part.points if position != 0]
    return [each for each in found if each is not None]


def _warmup(schedule: Schedule, course: Course, clock: Clock, run: Clock) -> int:
    """Updates of a warmup: what an argument says, or a first phase that rises."""
    known = schedule._warmup_updates(run)
    if known or not hasattr(schedule, "_phases"):
        return known
    peak = course.some_peak
    first, *_ = course.place(peak, clock)
    part = first.part
    if not isinstance(part, Phase) or first.knot is None or first.length is None:
        return 0
    rises = part.to is not None and part.to > part.begins(first.knot)
    return first.length if rises else 0


def _is_warmup(course: Course) -> bool:
    """Whether a course rises to factor 1 and stays there."""
    peak = course.some_peak
    parts = course.parts(peak)
    last = parts[-1]
    is_level = isinstance(last, Phase) and last.to == peak and last.endless
    return is_level and all(isinstance(part, Phase) for part in parts)
