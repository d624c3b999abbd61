"""What a fit would lay out, without one: for whoever looks before the training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from keras_lr.fit import keras_names
from keras_lr.fit.calendar import Calendar
from keras_lr.fit.choice import chosen, together
from keras_lr.fit.participants import Participants
from keras_lr.fit.past import Stretch, past_of
from keras_lr.fit.seams import stretches_before, words_of_jump
from keras_lr.fit.step import ROWS
from keras_lr.fit.timetable import Claim, Facts, Request, Run
from keras_lr.plan.curves import FloatArray
from keras_lr.plan.duration import Clock

#: The momentum of an optimizer that nobody has named: what Adam has as beta_1.
USUAL_MOMENTUM = 0.9

UNKNOWN = (
    "How long an epoch is must be known. Received: neither `steps_per_epoch` nor "
    "`data` that tell. Give one of them."
)


@dataclass(frozen=True)
class Length:
    """How long a fit is to be.

    Attributes:
        epochs: Its epochs, counted from 0.
        steps: Batches of an epoch; None where the data do not tell.
        epoch: The epoch that it begins with.
    """

    epochs: int
    steps: int | None
    epoch: int = 0


@dataclass(frozen=True)
class Outline:
    """What one optimizer of a fit would be asked.

    Attributes:
        claims: What the schedules ask of it.
        facts: What is known of it.
        run: The run as it counts it; ``run.first`` is the fit's first update.
        accumulation: Batches that make an update.
        optimizer: The optimizer; None without a model.
        counted: Batches that its counter has counted before.
        other_plan: What a fit says of a run that goes on under another plan, where
            something jumps.
    """

    claims: tuple[Claim, ...]
    facts: Facts
    run: Run
    accumulation: int = 1
    optimizer: Any = None
    counted: int = 0
    other_plan: str | None = None

    @property
    def updates(self) -> int:
        """Updates that the fit makes."""
        assert self.run.clock.total is not None  # noqa: S101  or there is no outline
        return max(self.run.clock.total - self.run.first, 0)

    @property
    def own_schedule(self) -> Any | None:
        """The schedule that the optimizer was compiled with, if it is one of Keras'."""
        if self.optimizer is None:
            return None
        return keras_names.rate_schedule(self.optimizer)

    def own_rates(self) -> FloatArray:
        """What the optimizer itself has at the fit's updates.

        A schedule is handed the number of batches, not of updates. Of a function of the
        user's, which takes no argument, nobody knows more than what it says now.
        """
        schedule = self.own_schedule
        own = self.facts.own["learning_rate"]
        if schedule is None and own is None:
            # On loan it has another class, which would answer for the schedule.
            cls = self.optimizer.__class__
            own = float(keras_names.rate_now(cls, self.optimizer))
        if own is not None:
            return np.full(self.updates, own)
        each = self.accumulation
        updates = self.counted // each + np.arange(self.updates)
        return values_of(schedule, (updates + 1) * each - 1)


def values_of(schedule: Any, steps: Sequence[int] | Any) -> FloatArray:
    """The rates of a schedule of Keras at some of its steps."""
    steps = np.asarray(steps)
    probes = steps[[0, len(steps) // 2, -1]]
    expected = [float(schedule(int(step))) for step in probes]
    try:
        # Most take an array, which is a thousand times as fast.
        rates = np.array(schedule(steps.astype("float32")), dtype=np.float64)
        found = rates[[0, len(steps) // 2, -1]]
        if rates.shape == steps.shape and np.allclose(found, expected, rtol=1e-6):
            return rates
    except Exception:
        pass
    return np.array([float(schedule(int(step))) for step in steps])


@dataclass(frozen=True)
class _Counted:
    """An optimizer and what makes an update of it."""

    optimizer: Any
    accumulation: int


def outlines(
    model: Any,
    requests: Sequence[Request],
    length: Length,
    base_lr: float | None = None,
    stretches: Sequence[Stretch] | None = None,
) -> list[Outline]:
    """What each optimizer of a model would be asked in a fit, those without any last.

    Args:
        model: A compiled model, which is left as it is.
        requests: What the schedules ask for.
        length: How long the fit is to be.
        base_lr: What to take the highest own rate for; None for what it is.
        stretches: What was made of the run under plans of other lengths; None to find
            out.

    Raises:
        ValueError: If a schedule names an optimizer that is not there, or nobody knows
            how long an epoch is.
    """
    participants = Participants()
    participants.join(requests, model)
    optimizers = together(model, participants.chosen_in(model))
    if not optimizers:
        optimizers = [choice.optimizer for choice in chosen(model)]
    every = [_Counted(one, one.gradient_accumulation_steps or 1) for one in optimizers]
    for one in optimizers:
        participants.own_rates.setdefault(one, keras_names.own_rate(one))
    if base_lr is not None:
        participants.suppose(base_lr)
    counts = [int(keras_names.read(keras_names.counter_of(one))) for one in optimizers]
    past = past_of(model)
    calendar = Calendar(length.epochs, length.steps, past)
    calendar.begin(length.epoch, counts[0])
    places = [
        calendar.place(one, count, length.epoch)
        for one, count in zip(every, counts, strict=True)
    ]
    clock, first = places[0]
    if clock.total is None:
        raise ValueError(UNKNOWN)
    if not length.epoch:
        participants.look_back(every, [clock for clock, _ in places], model)
    if stretches is None:
        wants = participants.wants_to_continue
        stretches = stretches_before(past, clock, first, None) if wants else ()
    other_plan = None
    if length.epoch:
        other_plan = words_of_jump(past, participants.claims(), clock, first)
    found = []
    for one, (clock, first), count in zip(every, places, counts, strict=True):
        if clock.total is None or clock.total <= first:
            raise ValueError(
                "A fit must make an update. Received: fewer batches in all than the "
                f"{one.accumulation} of an update (`gradient_accumulation_steps`). "
                "Give it more."
            )
        run = Run(clock, length.epochs, first, ROWS, True, first)
        claims, facts = participants.asked_of(one.optimizer, run, stretches)
        found.append(
            Outline(
                tuple(claims),
                facts,
                run,
                one.accumulation,
                one.optimizer,
                count,
                other_plan,
            )
        )
        # It is told once, for the first of them.
        other_plan = None
    return sorted(found, key=lambda each: not each.claims)


def outlines_alone(
    requests: Sequence[Request], length: Length, base_lr: float
) -> list[Outline]:
    """The same for optimizers of which no more is known than a rate.

    Args:
        requests: What the schedules ask for.
        length: How long the fit is to be.
        base_lr: The own rate of each.
    """
    steps = length.steps
    if steps is None:
        raise ValueError(UNKNOWN)
    first = length.epoch * steps
    clock = Clock(length.epochs * steps, steps)
    run = Run(clock, length.epochs, first, ROWS, True, first)
    named = dict.fromkeys(one.optimizer for one in requests if one.optimizer)
    names: list[str | None] = [*named]
    found = []
    for name in names or [None]:
        claims = [
            Claim(one, base_lr) for one in requests if one.optimizer in (None, name)
        ]
        own = {
            "learning_rate": base_lr,
            "momentum": USUAL_MOMENTUM,
            "weight_decay": 1.0,
        }
        facts = Facts("an optimizer", own, name)
        found.append(Outline(tuple(claims), facts, run))
    return found
