"""What is odd about a schedule in a run: what a fit warns of, and ``lint``."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from keras_lr.plan.course import Course
from keras_lr.plan.duration import Argument, Clock
from keras_lr.plan.layout import Placed, evaluate, span
from keras_lr.plan.parts import Points, Repeat
from keras_lr.plan.phase import as_argument
from keras_lr.plan.recipe import Followed
from keras_lr.plan.words import shown

#: Largest run that is looked through for a peak, or for a rate that is not 0.
LARGEST_LOOK = 2**16


@dataclass(frozen=True)
class Look:
    """A course over a run, as far as it can be odd.

    Attributes:
        end: The update from which the value stays; None if it never does.
        has_peak: Whether the peak is reached.
        beyond: The argument that reaches beyond the end of the run, None if all fit.
        first: The first update whose value is above 0; None if there is none.
    """

    end: int | None
    has_peak: bool
    beyond: Argument | None
    first: int | None

    def is_zero(self, updates: int) -> bool:
        """Whether the value is 0 at each of the run's first updates, so many."""
        return self.first is None or self.first >= updates


def look(course: Course, clock: Clock, expects_peak: bool) -> Look:
    """Look a course over.

    Args:
        course: The course.
        clock: The run as the schedule counts it.
        expects_peak: Whether it is odd not to reach the peak.
    """
    peak = course.some_peak
    placed = course.place(peak, clock)
    has_peak = True
    if expects_peak and clock.total is not None and clock.total <= LARGEST_LOOK:
        values = evaluate(placed, np.arange(clock.total), clock)
        has_peak = bool(values.max() >= peak * (1 - 1e-9))
    first = _first_above_zero(placed, clock)
    return Look(_end(placed, clock), has_peak, _beyond(placed, clock), first)


def _end(placed: list[Placed], clock: Clock) -> int | None:
    """The update from which the value stays; None if it never does."""
    part, first, _, _ = placed[-1]
    if isinstance(part, Followed) and part.length is not None:
        return first + clock.updates(part.length)
    return span(placed)


def _beyond(placed: list[Placed], clock: Clock) -> Argument | None:
    """The first argument, given in updates or epochs, that the run is too short for."""
    total = clock.total
    if total is None:
        return None
    for part, first, count, _ in placed:
        ends: list[tuple[int, Argument]] = []
        if part.duration is not None and count is not None:
            ends.append((first + count, as_argument(part.duration)))
        elif isinstance(part, Repeat):
            end = first
            for phase in part.phases:
                argument = as_argument(phase.duration)
                end += clock.updates(argument)
                ends.append((end, argument))
        elif isinstance(part, Points):
            ends += [(first + clock.updates(each), each) for each in part.positions]
        elif isinstance(part, Followed) and part.length is not None:
            ends.append((first + clock.updates(part.length), part.length))
        for end, argument in ends:
            if end > total and argument.length.unit != "fraction":
                return argument
    return None


def _first_above_zero(placed: list[Placed], clock: Clock) -> int | None:
    """The first update whose value is above 0, as far as one looks."""
    total = LARGEST_LOOK if clock.total is None else min(clock.total, LARGEST_LOOK)
    # Nearly all schedules are told by one of these; the rest is for those that are not.
    for updates in (np.arange(min(total, 2)), np.arange(total)):
        above = np.flatnonzero(evaluate(placed, updates, clock))
        if above.size:
            return int(above[0])
    # Beyond, nobody looks.
    is_whole = clock.total is not None and clock.total <= LARGEST_LOOK
    return None if is_whole else LARGEST_LOOK


@dataclass(frozen=True)
class Oddity:
    """What is odd.

    Attributes:
        code: Its name: ``"zero-run"``, ``"ends-early"``, ``"no-peak"`` or
            ``"cut-short"``.
        says: The words, which follow the schedule's name.
        update: The update at which it shows; None where it is about the whole run.
    """

    code: str
    says: str
    update: int | None = None


def oddity(seen: Look, clock: Clock, run: Clock, is_all_zero: bool) -> Oddity | None:
    """What is odd; None if nothing is.

    Args:
        seen: The course over the run as the schedule counts it.
        clock: That run, which is longer or shorter where there is a horizon.
        run: The run of the fit, of known length.
        is_all_zero: Whether the rate is 0 at every update of the fit.
    """
    total = run.total
    assert total is not None  # noqa: S101  of known length
    if is_all_zero:
        return Oddity("zero-run", all_zero(total))
    end = seen.end
    if clock.total is not None and clock != run:
        end = min(clock.total, end or clock.total)
    if end is not None and end < total:
        return Oddity(
            "ends-early",
            f"ends after {end} of the run's {total} updates and holds its last value "
            "from there",
            end,
        )
    why = ""
    if seen.beyond is not None:
        length = "run" if clock == run else "horizon"
        why = (
            f": `{seen.beyond.name}` ({shown(seen.beyond.written)}) reaches beyond the "
            f"end of the {length} of {clock.total} updates"
        )
    if not seen.has_peak and clock == run:
        return Oddity(
            "no-peak", f"never reaches its peak in the run of {total} updates{why}"
        )
    if why:
        return Oddity(
            "cut-short", f"is cut short{why}, which sees only the beginning", total - 1
        )
    return None


def all_zero(updates: int) -> str:
    """The words for a rate that is 0 in all of a run."""
    return f"has a rate of 0 at every update of the run of {updates}: nothing trains"
