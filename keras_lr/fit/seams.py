"""Runs in pieces: a fit that goes on where an earlier one has ended."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from keras_lr.fit.past import Past, Stretch
from keras_lr.fit.timetable import Claim, Request
from keras_lr.plan.course import Course
from keras_lr.plan.duration import Argument, Clock, Length
from keras_lr.plan.seam import Extension
from keras_lr.plan.words import shown

#: How long the way over into another plan is, in a fit that continues by itself.
WAY_OVER = Argument.read("warmup", "5%")


def made_before(request: Request, model: Any, runs: Sequence[Clock]) -> tuple[int, ...]:
    """Updates of a schedule's horizon that its earlier fits of a model have made.

    Once the horizon is used up, the next fit begins anew.

    Args:
        request: What the schedule asks for.
        model: The model.
        runs: The run of the fit that begins, as each of its optimizers counts it.

    Returns:
        For each optimizer; nothing where the fit begins anew.
    """
    done = () if request.ends is None else request.ends.get(model, ())
    if len(done) != len(runs) or not any(done):
        return ()
    totals = [request.clock(run).total for run in runs]
    is_used_up = all(
        total is not None and made >= total
        for made, total in zip(done, totals, strict=True)
    )
    return () if is_used_up else done


def say_that_it_goes_on(request: Request, done: int, run: Clock) -> None:
    """Tell the user that a schedule goes on where its last fit has ended.

    Args:
        request: What the schedule asks for.
        done: Updates of its horizon that have been made.
        run: The run of the fit that begins.
    """
    total = request.clock(run).total
    name = shown(request.schedule)
    print(f"{name} goes on at update {done} of its horizon of {total}.")


# Another plan.


def stretches_before(
    past: Past, run: Clock, first: int, asked: int | None
) -> tuple[Stretch, ...]:
    """What of a run that goes on has been made under plans of other lengths.

    Of a model without a past that the user has trained up to an epoch, the run is taken
    to have been planned to end there.

    Args:
        past: What is known of the model's earlier fits.
        run: The run of the fit that begins, as planned now.
        first: The update that it goes on with.
        asked: The epoch that the user asked for, where a callback has set another;
            None where they are one.
    """
    each = run.steps_per_epoch
    if not first or run.total is None or each is None:
        return ()
    here = first / each
    if past.planned is None:
        begun = here if asked is None else float(asked)
        return (Stretch(begun, begun),) if begun else ()
    planned = past.planned_in(run)
    if planned is None or planned.total is None or planned.steps_per_epoch is None:
        return ()
    kept = tuple(one for one in past.stretches if one.done < here)
    # A fit that begins earlier than the last one undoes what was changed since.
    undone = past.stretches[len(kept) :]
    length = planned.total / planned.steps_per_epoch
    if undone:
        length = undone[0].planned
    if math.isclose(length, run.total / each):
        return kept
    return (*kept, Stretch(here, length))


def continued(request: Request, stretches: Sequence[Stretch], run: Clock) -> Request:
    """A request whose courses go over from plan to plan, if it wants that.

    Args:
        request: What the schedule asks for.
        stretches: What was made under plans of other lengths.
        run: The run of the fit.
    """
    each = run.steps_per_epoch
    if request.on_extend != "continue" or not stretches or each is None:
        return request
    # Of one that brings its length along, as by a horizon, the plan does not change.
    now = request.clock(run)
    if now != run or now == request.clock(_planned_for(stretches[-1], each)):
        return request
    courses = [
        course if course.since_fit else _over(course, stretches)
        for course in request.courses
    ]
    return replace(request, courses=tuple(courses))


def _over(course: Course, stretches: Sequence[Stretch]) -> Course:
    """A course that goes over from plan to plan."""
    lengths = [_in_epochs("total", one.planned) for one in stretches[1:]]
    laid = course
    for stretch, total in zip(stretches, [*lengths, None], strict=True):
        done = _in_epochs("done", stretch.done)
        planned = _in_epochs("planned", stretch.planned)
        laid = course.after(laid, Extension(done, planned, total, WAY_OVER))
    return laid


def _planned_for(stretch: Stretch, steps_per_epoch: float) -> Clock:
    """The run that a stretch was planned for."""
    return Clock(round(stretch.planned * steps_per_epoch), steps_per_epoch)


def _in_epochs(name: str, epochs: float) -> Argument:
    return Argument(name, f"{epochs:g} epochs", Length("epochs", epochs))


@dataclass(frozen=True)
class Jump:
    """What another plan would do where a fit goes on.

    Attributes:
        hyperparameter: Of what.
        reached: Its value at the last update before.
        coming: Its value at the first one behind.
    """

    hyperparameter: str
    reached: float
    coming: float


def tell_of_another_plan(
    past: Past,
    claims: Sequence[Claim],
    run: Clock,
    first: int,
    stretches: Sequence[Stretch],
) -> None:
    """Say where a run goes on under another plan: warn of jumps, once for a model.

    Args:
        past: What is known of the model's earlier fits.
        claims: What the schedules of the fit ask for.
        run: The run of the fit that begins, as planned now.
        first: The update that it goes on with.
        stretches: What was made under plans of other lengths.
    """
    # One schedule may have a request for each of several optimizers.
    wants = [one for one in claims if one.request.on_extend == "continue"]
    for claim in {id(one.request.schedule): one for one in wants}.values():
        _say_that_it_goes_over(claim, run, first, stretches)
    if past.has_warned:
        return
    jumps = words_of_jump(past, claims, run, first)
    if jumps is not None:
        past.has_warned = True
        warnings.warn(jumps, UserWarning, stacklevel=2)


def words_of_jump(
    past: Past, claims: Sequence[Claim], run: Clock, first: int
) -> str | None:
    """What is said where a run goes on under another plan; None if nothing jumps.

    Args:
        past: What is known of the model's earlier fits.
        claims: What the schedules of the fit ask for.
        run: The run of the fit, as planned now.
        first: The update that it goes on with.
    """
    planned = past.planned_in(run)
    if planned is None or planned.total is None:
        return None
    warned = [one for one in claims if one.request.on_extend == "warn"]
    jumps = [(one, _jump(one, planned, run, first)) for one in warned]
    found = [(claim.request.schedule, jump) for claim, jump in jumps if jump]
    if not found:
        return None
    names = " and ".join(dict.fromkeys(shown(schedule) for schedule, _ in found))
    jump = found[0][1]
    length = "" if planned.total == first else f", planned={planned.total}"
    assert run.total is not None  # noqa: S101  else there were no jumps
    epochs = round(run.total / (run.steps_per_epoch or run.total))
    return (
        f"{names} is laid over {run.total} updates, and was over {planned.total} in "
        f"the last fit of this model: at update {first}, where this fit goes on, the "
        f"{jump.hyperparameter} jumps from {jump.reached:.3g} to {jump.coming:.3g}. "
        "To go over into the new plan, give it on_extend='continue', or extend it by "
        f".extend({first}, {run.total}{length}). To plan once for all, give it the "
        f"length of the whole run in every fit, such as horizon='{epochs} epochs'."
    )


def _say_that_it_goes_over(
    claim: Claim, run: Clock, first: int, stretches: Sequence[Stretch]
) -> None:
    """Tell the user that a schedule goes over into another plan here."""
    each = run.steps_per_epoch
    if not stretches or each is None or round(stretches[-1].done * each) != first:
        return
    planned = _planned_for(stretches[-1], each)
    if _jump(claim, planned, run, first) is None:
        return
    assert run.total is not None  # noqa: S101  else there were no stretches
    way = Clock(run.total - first).updates(WAY_OVER)
    print(
        f"{shown(claim.request.schedule)} goes on at update {first}: planned for "
        f"{planned.total} updates, it goes over into a plan for {run.total} within "
        f"{way}."
    )


def _jump(claim: Claim, planned: Clock, run: Clock, first: int) -> Jump | None:
    """The jump of a schedule from one plan to another; None if there is none."""
    request = claim.request
    if run.total is None or not first:
        return None
    before = request.clock(planned)
    after = request.clock(run)
    if before == after:
        return None
    for course in request.courses:
        if course.since_fit:
            continue
        own = claim.highest if course.hyperparameter == "learning_rate" else None
        peak = course.peak or own or 1.0
        last = first if before.total is None else min(first, before.total)
        reached = course.values(peak, before, np.array([last - 1]))[0]
        here, coming = course.values(peak, after, np.array([first - 1, first]))
        if not math.isclose(reached, here, rel_tol=1e-9, abs_tol=1e-9 * peak):
            name = course.hyperparameter.replace("_", " ")
            return Jump(name, float(reached), float(coming))
    return None
