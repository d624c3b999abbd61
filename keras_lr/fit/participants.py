"""The schedules that take part in a fit, and what they ask of its optimizers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from keras_lr.fit import keras_names
from keras_lr.fit.calendar import Counted
from keras_lr.fit.choice import Choice, chosen
from keras_lr.fit.notices import warn_of_no_effect
from keras_lr.fit.optimizer import LentOptimizer, attributes_of
from keras_lr.fit.past import Stretch
from keras_lr.fit.seams import continued, made_before, say_that_it_goes_on
from keras_lr.fit.step import LentStep
from keras_lr.fit.timetable import Claim, Facts, Request, Run, Timetable, lay
from keras_lr.plan.duration import Clock


@dataclass
class Participant:
    """What one request has in the fit.

    Attributes:
        request: The request.
        choices: The optimizers that it is for.
        done: Updates of its horizon that earlier fits have made, for each of them.
        has_warned: Whether the user has been told that it has no effect.
    """

    request: Request
    choices: Sequence[Choice]
    done: tuple[int, ...] = ()
    has_warned: bool = False

    def places_in(self, step: LentStep) -> list[int]:
        """Where its optimizers stand in the step."""
        return self.places_among(step.optimizers)

    def places_among(self, optimizers: Sequence[Counted]) -> list[int]:
        """Where its optimizers stand among some."""
        those = [id(each.optimizer) for each in optimizers]
        return [those.index(id(choice.optimizer)) for choice in self.choices]


class Participants:
    """All of a fit's.

    Attributes:
        own_rates: The own rate of each of their optimizers; None where it is a
            schedule.
    """

    def __init__(self) -> None:
        self._parts: list[Participant] = []
        # As they are before BackupAndRestore loads others.
        self.own_rates: dict[Any, float | None] = {}

    def join(self, requests: Sequence[Request], model: Any) -> None:
        """Have requests take part.

        Raises:
            ValueError: If one names an optimizer that is not there.
        """
        for request in requests:
            part = Participant(request, chosen(model, request.optimizer))
            self._parts.append(part)
        self._look_at_optimizers(model)

    def follow(self, model: Any) -> None:
        """Turn to the optimizers that the model has now."""
        self.own_rates = {}
        for part in self._parts:
            part.choices = chosen(model, part.request.optimizer)
        self._look_at_optimizers(model)

    def suppose(self, rate: float) -> None:
        """Take the highest own rate for another; the others keep their ratio to it."""
        highest = max((own for own in self.own_rates.values() if own), default=rate)
        for optimizer, own in self.own_rates.items():
            ratio = 1.0 if own is None else own / highest
            self.own_rates[optimizer] = rate * ratio

    def _look_at_optimizers(self, model: Any) -> None:
        for part in self._parts:
            for choice in part.choices:
                one = choice.optimizer
                self.own_rates.setdefault(one, keras_names.own_rate(one))
        keras_names.check_model(model, list(self.own_rates))

    def chosen_in(self, model: Any) -> list[Any]:
        """The optimizers that they are for, in the model as it is now."""
        return [
            choice.optimizer
            for part in self._parts
            for choice in chosen(model, part.request.optimizer)
        ]

    @property
    def schedules(self) -> list[Any]:
        """The schedules."""
        found = [part.request.schedule for part in self._parts]
        return list({id(one): one for one in found}.values())

    @property
    def wants_to_continue(self) -> bool:
        """Whether one goes over into another plan, where the fit goes on under one."""
        return any(part.request.on_extend == "continue" for part in self._parts)

    def check(self, epoch: int, stretches: Sequence[Stretch]) -> None:
        """Have one that wants it look all of them over.

        Args:
            epoch: The epoch that the fit begins with.
            stretches: What was made of the run under plans of other lengths.
        """
        checks = [part.request.check for part in self._parts if part.request.check]
        if checks:
            checks[0](epoch, stretches)

    def of(self, schedule: Any) -> list[Participant]:
        """Those of a schedule, one for each peak."""
        return [part for part in self._parts if part.request.schedule is schedule]

    def peaks(self, schedule: Any) -> list[float]:
        """The rates that factor 1 of a schedule stands for; 1 where nobody knows."""
        peaks = []
        for part in self.of(schedule):
            peak = part.request.courses[0].peak or self._highest(part)
            peaks.append(1.0 if peak is None else peak)
        return peaks

    # What optimizers read.

    def timetable(
        self, lent: LentOptimizer, run: Run, stretches: Sequence[Stretch]
    ) -> Timetable:
        """What an optimizer is to read.

        Args:
            lent: The optimizer.
            run: The run as it counts it.
            stretches: What was made of it under plans of other lengths.
        """
        claims, facts = self.asked_of(lent.optimizer, run, stretches)
        return lay(claims, facts, run)

    def asked_of(
        self, optimizer: Any, run: Run, stretches: Sequence[Stretch]
    ) -> tuple[list[Claim], Facts]:
        """What is asked of an optimizer, and what is known of it.

        Args:
            optimizer: The optimizer.
            run: The run as it counts it.
            stretches: What was made of it under plans of other lengths.
        """
        claims = []
        label = None
        for part in self._parts:
            for i, choice in enumerate(part.choices):
                if choice.optimizer is optimizer:
                    label = label or choice.label
                    done = part.done[i] if part.done else 0
                    request = continued(part.request, stretches, run.clock)
                    claims.append(Claim(request, self._highest(part), done))
        return claims, self._facts_of(optimizer, label)

    def claims(self) -> list[Claim]:
        """What each asks for, from the begin of the run."""
        return [Claim(part.request, self._highest(part)) for part in self._parts]

    def _highest(self, part: Participant) -> float | None:
        """The highest own rate of the optimizers that a request is for."""
        rates = [self.own_rates[choice.optimizer] for choice in part.choices]
        known = [rate for rate in rates if rate is not None]
        return max(known) if len(known) == len(rates) else None

    def _facts_of(self, optimizer: Any, label: str | None) -> Facts:
        own = {"learning_rate": self.own_rates.get(optimizer)}
        for name, attribute in attributes_of(optimizer).items():
            own[name] = float(vars(optimizer)[attribute])
        return Facts(type(optimizer).__name__, own, label)

    # Runs in pieces.

    def look_back(
        self, optimizers: Sequence[Counted], runs: Sequence[Clock], model: Any
    ) -> None:
        """Go on where the last fits with them have ended.

        Args:
            optimizers: All optimizers of the step.
            runs: The run as each of them counts it.
            model: The model.
        """
        for part in self._parts:
            of_part = [runs[i] for i in part.places_among(optimizers)]
            part.done = made_before(part.request, model, of_part)

    def begin_anew(self) -> None:
        """Begin where an epoch says, and not where a fit has ended."""
        for part in self._parts:
            part.done = ()

    def say_what_goes_on(self, run: Clock) -> None:
        """Tell the user of schedules that go on where a fit has ended."""
        for part in self._parts:
            if part.done:
                say_that_it_goes_on(part.request, part.done[0], run)

    def note_ends(self, step: LentStep, counts: Sequence[int], model: Any) -> None:
        """Note where those that have a horizon stand, for the next fit.

        Args:
            step: The lent step.
            counts: The batches with data that each of its optimizers has done.
            model: The model.
        """
        for part in self._parts:
            if part.request.ends is None:
                continue
            made = [step.next_update(counts, i) for i in part.places_in(step)]
            before = part.done or (0,) * len(made)
            ends = tuple(sum(both) for both in zip(made, before, strict=True))
            part.request.ends[model] = ends

    @property
    def have_horizons(self) -> bool:
        """Whether one has a horizon."""
        return any(part.request.ends is not None for part in self._parts)

    def warn_of_idle(self, busy: set[int], model: Any) -> None:
        """Say once of each whose optimizers make no update.

        Args:
            busy: The identities of optimizers that make some.
            model: The model.
        """
        for part in self._parts:
            optimizers = [choice.optimizer for choice in part.choices]
            if part.has_warned or any(id(one) in busy for one in optimizers):
                continue
            part.has_warned = True
            request = part.request
            warn_of_no_effect(request.schedule, request.optimizer, optimizers, model)
