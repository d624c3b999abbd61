"""Findings about joins: where one part of a schedule gives way to the next one.

A join is a place where the user, and not the kind of a schedule, has put two values
side by side. What a kind announces is no join: the restarts of cycles, the steps of a
staircase, the values at points. A phase without a ``start`` goes on from what is there,
so it cannot jump. A schedule of another library is one function, so that its joins must
be told by its values: a step many times as large as those around it that is neither a
stair (flat before and after) nor a restart (falling before and after, and up between).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from keras_lr.lints.finding import Finding
from keras_lr.lints.scene import Lane, Plan
from keras_lr.plan.curves import FloatArray
from keras_lr.plan.layout import Placed
from keras_lr.plan.parts import Repeat
from keras_lr.plan.phase import Phase
from keras_lr.plan.recipe import Followed

#: A jump is larger than this share of the peak, and so many times as large as the
#: steps beside it. The first step down along 1 - sqrt(p) is 2.4 times the second.
LEAST = 0.05
TIMES = 3.0
#: The same among the steps around it, where values are all that is known.
LEAST_AMONG = 0.01
AMONG = 8.0
#: Steps to each side that such a one is compared with.
BESIDE = 4
#: Below this share of the peak a step is none.
FLAT = 1e-9


def find(lane: Lane) -> Iterator[Finding]:
    """Jumps at joins."""
    for plan in lane.plans:
        values = plan.values(lane.first, len(lane.rates))
        for at in _jumps(plan, lane, values):
            before = values[at - 1]
            after = values[at]
            update = lane.first + at
            what = plan.course.hyperparameter.replace("_", " ")
            yield Finding(
                "jump",
                "warning",
                f"{plan.name} jumps{lane.of} from {before:.3g} to {after:.3g} at "
                f"update {update}, where one part gives way to the next: "
                f"{_times(before, after)} the {what} in one update.",
                "Begin the part where the one before it ends, by leaving out its "
                "`start` or `value`, or go over in a phase between them.",
                update,
                plan.name,
            )


def _jumps(plan: Plan, lane: Lane, values: FloatArray) -> list[int]:
    """Where a plan jumps, as places in its values in the fit, from 1."""
    placed = plan.placed
    if isinstance(placed[0].part, Followed):
        return _odd_steps_of(placed[0].part, plan, lane, values)
    found = []
    for each in placed[1:]:
        if not _goes_on(each):
            found.append(each.first)
    if plan.extended is not None:
        found.append(plan.extended)
    here = dict.fromkeys(update - plan.shift - lane.first for update in found)
    return [at for at in here if 1 <= at < len(values) and _is_jump(values, at)]


def _goes_on(placed: Placed) -> bool:
    """Whether a part begins where the one before it has ended, whatever that is."""
    part = placed.part
    if isinstance(part, Repeat) and placed.knot is not None:
        first = part.phases[0]
        last = part.phases[-1]
        # A cycle goes on from the end of a cycle.
        return first.start is None and last.to == placed.knot.value
    return isinstance(part, Phase) and part.start is None


def parts_of(plan: Plan, lane: Lane) -> list[int]:
    """The updates of the run at which a part of a plan begins, or a seam."""
    found = [each.first for each in plan.placed[1:]]
    if plan.extended is not None:
        found.append(plan.extended)
    here = [update - plan.shift for update in found]
    return [update for update in here if lane.first < update < lane.total]


def _is_jump(values: FloatArray, at: int) -> bool:
    """Whether a step is much larger than those beside it."""
    step = abs(values[at] - values[at - 1])
    beside = [0.0]
    if at > 1:
        beside.append(abs(values[at - 1] - values[at - 2]))
    if at + 1 < len(values):
        beside.append(abs(values[at + 1] - values[at]))
    return bool(step > LEAST * np.abs(values).max() and step > TIMES * max(beside))


def _odd_steps_of(
    part: Followed, plan: Plan, lane: Lane, values: FloatArray
) -> list[int]:
    """Odd steps of another library's schedule, by its own steps."""
    if not part.is_by_epoch:
        return _odd_steps(values)
    # Between the epochs that it counts it stays as it is.
    updates = lane.first + plan.shift + np.arange(len(values))
    epochs = plan.clock.epochs(updates)
    begins = np.flatnonzero(np.diff(epochs, prepend=epochs[0] - 1))
    return [int(begins[at]) for at in _odd_steps(values[begins])]


def _odd_steps(values: FloatArray) -> list[int]:
    """Steps that are neither stairs nor restarts, nor like those around them."""
    steps = np.diff(values)
    peak = np.abs(values).max()
    found = []
    for i in np.flatnonzero(np.abs(steps) > LEAST_AMONG * peak):
        before = steps[max(i - BESIDE, 0) : i]
        after = steps[i + 1 : i + 1 + BESIDE]
        if not before.size or not after.size:
            continue
        around = np.abs(np.concatenate([before, after]))
        if abs(steps[i]) <= AMONG * around.max():
            continue
        is_stair = around.max() <= FLAT * peak
        falls = before[-1] < 0 and after[0] < 0
        if not is_stair and not (steps[i] > 0 and falls):
            found.append(int(i) + 1)
    return found


def _times(before: float, after: float) -> str:
    """How many times as large."""
    if not before or not after:
        return "all of"
    ratio = after / before
    return f"{ratio:.3g} times"
