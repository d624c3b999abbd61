"""Runs in pieces: a fit that goes on where an earlier one has ended."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_lr.fit.past import Past
from keras_lr.fit.timetable import Request
from keras_lr.plan.curves import FloatArray
from keras_lr.plan.duration import Clock, IntArray
from keras_lr.plan.words import shown

#: Updates at which two plans are compared.
LOOKS = 1000


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


def warn_of_another_plan(
    past: Past, requests: Sequence[Request], run: Clock, epochs: int | None
) -> None:
    """Warn, once for a model, where a run goes on under another plan.

    Args:
        past: What is known of the model's earlier fits.
        requests: What the schedules of the fit ask for.
        run: The run of the fit that begins, as planned now.
        epochs: Its epochs.
    """
    planned = past.planned
    if past.has_warned or planned is None or None in (planned.total, run.total):
        return
    moved = [one for one in requests if one.clock(planned) != one.clock(run)]
    if not moved:
        return
    # Past the end of the shorter one, its last value would stay.
    common = min(planned.total or 0, run.total or 0)
    updates = np.unique(np.linspace(0, common - 1, LOOKS).astype(int))
    changed = [one.schedule for one in moved if _differs(one, planned, run, updates)]
    if not changed:
        return
    past.has_warned = True
    names = " and ".join(map(shown, changed))
    warnings.warn(
        f"{names} is laid over {run.total} updates, and was over {planned.total} in "
        "the last fit of this model, so that the rate jumps where this fit goes on. "
        "Give it the length of the whole run, the same in every fit, such as "
        f"horizon='{epochs} epochs'.",
        UserWarning,
        stacklevel=2,
    )


def _differs(request: Request, before: Clock, after: Clock, updates: IntArray) -> bool:
    """Whether a schedule has other values under another plan."""
    was, now = (_values(request, clock, updates) for clock in (before, after))
    return not np.allclose(was, now, rtol=1e-9)


def _values(request: Request, run: Clock, updates: IntArray) -> FloatArray:
    course = request.courses[0]
    return course.values(course.peak or 1.0, request.clock(run), updates)
