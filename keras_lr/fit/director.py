"""The director of a fit: which schedules take part, and where the run stands."""

from __future__ import annotations

import weakref
from collections.abc import Mapping, Sequence
from typing import Any

import keras

from keras_lr.fit import backups, callers, keras_names
from keras_lr.fit.calendar import Calendar
from keras_lr.fit.choice import all_of, together
from keras_lr.fit.guests import Attendance, Guest, Progress
from keras_lr.fit.loan import Loan, end_if_left, while_in_fit
from keras_lr.fit.notices import warn_of_plain_number
from keras_lr.fit.participants import Participants
from keras_lr.fit.past import Stretch, past_of
from keras_lr.fit.record import Reader
from keras_lr.fit.restoring import ledgers_for, watch_restores
from keras_lr.fit.seams import stretches_before, tell_of_another_plan
from keras_lr.fit.step import ROWS, LentStep
from keras_lr.fit.timetable import Request, Run, Timetable
from keras_lr.plan.duration import Clock
from keras_lr.plan.words import shown

_DIRECTORS: weakref.WeakKeyDictionary[Any, Director] = weakref.WeakKeyDictionary()


def director_of(model: Any, callback: Any) -> Director:
    """The director of the fit that is calling a callback, made for its first one.

    Args:
        model: The model.
        callback: A schedule, or another callback of this package.
    """
    callbacks, _ = callers.list_of_fit()
    # Without a list, where a callback is called by hand, each is a fit of its own.
    director = None if callbacks is None else _DIRECTORS.get(callbacks)
    if director is None or director.model is not model:
        director = Director(model, callback if callbacks is None else callbacks)
        if callbacks is not None:
            _DIRECTORS[callbacks] = director
    return director


class Director:
    """One fit's schedules, laid over its run once, and again where the run has moved.

    Guests take part as well, beside the schedules or without any
    (:class:`~keras_lr.fit.guests.Fit` says what they may ask).

    Args:
        model: A compiled model, before anything of the fit has changed it.
        owner: What lives as long as the fit: its list of callbacks.

    Attributes:
        runs: The run as each optimizer that is scheduled counts it, once it has begun.
        run: The run as the first optimizer counts it.
        epoch: The epoch that the fit is in, or has ended last.
    """

    def __init__(self, model: Any, owner: Any) -> None:
        # What an interrupted fit has left behind.
        end_if_left(model)
        self._model = weakref.ref(model)
        self._owner = weakref.ref(owner)
        self._is_in_fit = while_in_fit(self._owner)
        #: Whether a loop of the user's own runs the list of callbacks.
        self._is_by_hand = False
        self._has_ended = False
        self._admitted: list[Any] = []
        self._participants = Participants()
        self._attendance = Attendance(self)
        watch_restores(owner)
        self._attendance.guests += ledgers_for(owner)
        self._loan: Loan | None = None
        self._calendar = Calendar(None, None, past_of(model))
        self.epoch = 0
        self._counts: list[int] = []
        #: The counts when the epoch began.
        self._since: list[int] = []
        self._is_located = False
        self._is_in_epoch = False
        #: The epoch that the user asked for, before BackupAndRestore has another.
        self._asked_epoch: int | None = None
        #: What was made of the run under plans of other lengths.
        self._stretches: tuple[Stretch, ...] = ()
        #: The update that each optimizer has begun with under a loan.
        self._begun: tuple[Loan | None, dict[int, int]] = (None, {})
        self._has_said_plain_number = False
        self.run = Clock()
        self.runs: list[Clock] = []

    @property
    def model(self) -> Any:
        """The model."""
        return self._model()

    def is_under_way(self) -> bool:
        """Whether the fit is at work at this moment, in any thread."""
        if self._is_by_hand:
            return self._owner() is not None and not self._has_ended
        return self._is_in_fit()

    def gives_way(self) -> bool:
        """End, if the fit is not at work, or if nobody can tell that it is."""
        if self._is_by_hand:
            self.end()
        return not self.is_under_way()

    def admit(self, callback: Any) -> None:
        """Have a callback take part, once.

        Raises:
            ValueError: If it takes part already.
        """
        if any(callback is one for one in self._admitted):
            raise ValueError(
                "A callback of this package can be in a fit once; schedules would "
                f"multiply. Received: {shown(callback)} twice in the list of "
                "callbacks. Leave one out."
            )
        self._admitted.append(callback)

    def join(self, requests: Sequence[Request]) -> None:
        """Have a schedule take part.

        Args:
            requests: What it asks for.

        Raises:
            ValueError: If it names an optimizer that is not there.
        """
        self._participants.join(requests, self.model)

    def join_guest(self, guest: Guest) -> None:
        """Have a guest take part."""
        self._attendance.guests.append(guest)
        keras_names.check_model(self.model, self._choose())

    # As the fit goes on. Each callback that takes part calls these; the first counts.

    def begin(self, params: Mapping[str, Any]) -> None:
        """Lay the schedules over the run, and take the optimizers.

        Args:
            params: What Keras tells callbacks: ``epochs``, and ``steps`` of an epoch.
        """
        if self._loan is not None:
            return
        epochs = params.get("epochs")
        self._calendar = Calendar(epochs, params.get("steps"), past_of(self.model))
        self.epoch = keras_names.first_epoch(self.model)
        if epochs is not None and self.epoch >= epochs:
            return  # BackupAndRestore found the run finished: there is nothing to do.
        self._has_ended = False
        self._is_by_hand = not self._is_in_fit()
        self._loan = self._take_loan(self.epoch)

    def begin_epoch(self, epoch: int) -> None:
        """Find the place in the run, which is known for certain only now."""
        loan = self._loan
        if loan is None or self._is_in_epoch:
            return
        self._is_in_epoch = True
        is_compiled_anew = keras_names.function_at(self.model) is None
        if not loan.is_open or not loan.is_current() or is_compiled_anew:
            loan = self._follow_model(loan, epoch)
        counts = loan.step.counts()
        has_moved = (epoch, counts) != (self.epoch, self._counts)
        self.epoch = epoch
        if not self._is_located and has_moved:
            # BackupAndRestore has gone to another epoch.
            self._calendar.begin(epoch, counts[0])
            self._look_back(loan, epoch, counts)
            self._lay(loan, epoch, counts)
        elif self._is_located and self._calendar.counts_batches:
            self._lay(loan, epoch, counts)
        else:
            loan.step.sync(counts)
        self._since = counts
        if not self._is_located:
            backups.check_alike(self.callbacks, epoch)
            self._is_located = True
            self._participants.check(epoch, self._stretches)
            self._tell_of_seams(epoch)
            self._attendance.begin()

    def end_epoch(self, epoch: int, logs: Mapping[str, Any]) -> dict[str, float]:
        """Await the next epoch.

        Args:
            epoch: The epoch that has ended.
            logs: Its logs.

        Returns:
            What logs are to tell, in a loop of the user's own; a fit's are told.
        """
        if self._loan is None or not self._is_in_epoch:
            return {}
        if not self._attendance.hears_list:
            self._attendance.end_epoch(epoch, logs)
        self._is_in_epoch = False
        if self._calendar.counts_batches:
            self._measure(self._loan)
        self._note_places()
        return self._rates_of_epoch() if self._is_by_hand else {}

    def end(self) -> None:
        """Give the optimizers back."""
        self._has_ended = True
        if self._loan is not None:
            self._loan.close()
            self._loan = None

    # The loan.

    def _take_loan(self, epoch: int) -> Loan:
        loan = Loan(
            self.model,
            self._choose,
            self.is_under_way,
            on_plain_number=self._say_plain_number,
            yields=self._is_by_hand,
            at_last=self._note_places,
            scalars=self._attendance.scalars,
        )
        try:
            counts = loan.step.counts()
            self._calendar.begin(epoch, counts[0])
            if not self._is_located:
                self._look_back(loan, epoch, counts)
            self._lay(loan, epoch, counts, begins=True)
            loan.hear_of_pace(self._follow_pace)
            loan.log_rates(self._rates_of_epoch)
            self._spare_csv(loan)
            self._attendance.listen(self._owner, loan)
        except BaseException:
            loan.close()
            raise
        owner = self._owner()
        if owner is not None:
            loan.end_with(owner)
        return loan

    def _follow_model(self, loan: Loan, epoch: int) -> Loan:
        """Go on with the optimizers that the model trains with now."""
        loan.close()
        self._participants.follow(self.model)
        # Else the step would go on with the optimizer that it was traced with.
        keras_names.set_function(self.model, None)
        keras_names.build(self.model)
        self._loan = self._take_loan(epoch)
        self._is_located = True
        self._attendance.begin()
        return self._loan

    def _choose(self) -> list[Any]:
        """The optimizers whose rates the step is to control."""
        model = self.model
        named = self._participants.chosen_in(model)
        if self._attendance.guests and not named:
            return all_of(model)
        return together(model, named)

    def _spare_csv(self, loan: Loan) -> None:
        """Have no CSVLogger make a column for rates in validation."""
        for callback in self.callbacks:
            if isinstance(callback, keras.callbacks.CSVLogger):
                names = loan.step.program.log_names()
                spare = keras_names.leave_out_of_csv(callback, names)
                loan.override(callback, "on_epoch_end", spare)

    # Guests.

    @property
    def step(self) -> LentStep:
        """The lent step."""
        assert self._loan is not None  # noqa: S101  guests ask while the fit goes on
        return self._loan.step

    def is_open(self) -> bool:
        """Whether the step is still the fit's, and can be asked."""
        return self._loan is not None and self._loan.is_open

    def updates_made(self) -> int:
        """Updates of the run that the first optimizer has made."""
        return self.step.next_update(self.step.counts())

    def progress_of(self, schedule: Any) -> Progress:
        """Where the run of a schedule stands."""
        step = self.step
        (part, *_) = self._participants.of(schedule)
        i = part.places_in(step)[0]
        first = step.optimizers[0]
        own = step.optimizers[i]
        pace = own.pace * first.accumulation / (first.pace * own.accumulation)
        made = step.next_update(step.counts(), i) + self.made_before(schedule)
        return Progress(made, pace)

    def reader(self) -> Reader:
        """Gives what is written down of each batch from now on."""
        return self._attendance.reader()

    def lay_again(self) -> None:
        """Lay the schedules anew from now on: one of them has changed its plan."""
        loan = self._loan
        assert loan is not None  # noqa: S101  guests ask while the fit goes on
        counts = loan.step.counts()
        self._lay(loan, self.epoch, counts, self._made(counts))

    def _made(self, counts: Sequence[int]) -> list[int]:
        """What each optimizer has done since the epoch began."""
        return [now - then for now, then in zip(counts, self._since, strict=True)]

    @property
    def schedules(self) -> list[Any]:
        """All schedules of the fit."""
        return self._participants.schedules

    def peaks(self, schedule: Any) -> list[float]:
        """The rates that factor 1 of a schedule stands for; 1 where nobody knows."""
        return self._participants.peaks(schedule)

    def made_before(self, schedule: Any) -> int:
        """Updates of a schedule's horizon that earlier fits have made."""
        (part, *_) = self._participants.of(schedule)
        return part.done[0] if part.done else 0

    @property
    def callbacks(self) -> list[Any]:
        """All callbacks of the fit, as far as known."""
        return list(getattr(self._owner(), "callbacks", ()))

    # The run.

    def _lay(
        self,
        loan: Loan,
        epoch: int,
        counts: list[int],
        made: Sequence[int] | None = None,
        *,
        begins: bool = False,
    ) -> None:
        """Lay all schedules over the run, from an epoch on or some batches after."""
        self.epoch = epoch
        self._counts = counts
        timetables = self._timetables(loan, epoch, made)
        if begins or not self._is_located:
            loan.step.follow(timetables, counts=counts)
        else:
            loan.step.change(timetables, counts)

    def _follow_pace(self, counts: list[int]) -> None:
        """Lay the schedules anew: a step makes several updates of an optimizer.

        The first step has shown it; later fits know it from their begin.
        """
        loan = self._loan
        assert loan is not None  # noqa: S101  its step calls
        paces = past_of(self.model).paces
        found = {lent.optimizer: lent.pace for lent in loan.step.optimizers}
        if all(paces.get(one, 1) == pace for one, pace in found.items()):
            return
        paces.update(found)
        # Its updates are others than were counted.
        self._begun = (None, {})
        self._lay(loan, self.epoch, counts, self._made(counts))
        past_of(self.model).planned = self.run

    def _timetables(
        self, loan: Loan, epoch: int, made: Sequence[int] | None
    ) -> list[Timetable]:
        """What each optimizer reads from an epoch on, or some batches after that."""
        self.runs = []
        timetables = []
        for i, lent in enumerate(loan.step.optimizers):
            clock, first = self._calendar.place(lent, self._counts[i], epoch)
            begun = self._begun_with(loan, i, first)
            if made is not None:
                first += made[i] // lent.accumulation
            is_certain = not self._calendar.counts_batches
            run = Run(clock, self._calendar.epochs, first, ROWS, is_certain, begun)
            if not i:
                self.run = clock
            timetable = self._participants.timetable(lent, run, self._stretches)
            timetables.append(timetable)
            if timetable.head:
                self.runs.append(clock)
            own = self._participants.own_rates.get(lent.optimizer)
            if timetable.sets_peak and own not in (None, loan.step.own_rate(lent)):
                # BackupAndRestore has loaded the peak of the run that it resumes.
                loan.keep_rate(lent, own)
        return timetables

    def _begun_with(self, loan: Loan, i: int, first: int) -> int:
        """The update that an optimizer has begun with under a loan.

        Args:
            loan: The loan, another one where the model was compiled anew.
            i: The optimizer's number.
            first: The update that the epoch begins with.
        """
        if self._begun[0] is not loan:
            self._begun = (loan, {})
        return self._begun[1].setdefault(i, first)

    def _measure(self, loan: Loan) -> None:
        """Count the batches of the epoch that has ended, where the data do not tell."""
        counts = loan.step.counts()
        made = counts[0] - self._since[0] - loan.step.unwritten(counts)
        self._calendar.add(made // loan.step.optimizers[0].pace)

    # Runs in pieces.

    def _look_back(self, loan: Loan, epoch: int, counts: Sequence[int]) -> None:
        """Go on where the last fit has ended, unless an epoch says where to begin."""
        lent = loan.step.optimizers[0]
        self.run, first = self._calendar.place(lent, counts[0], epoch)
        self._begun = (None, {})
        if self._asked_epoch is None:
            self._asked_epoch = keras_names.asked_epoch(self.model)
        self._stretches = ()
        if self._participants.wants_to_continue:
            asked = None if self._asked_epoch == epoch else self._asked_epoch
            past = past_of(self.model)
            self._stretches = stretches_before(past, self.run, first, asked)
        if epoch:
            self._participants.begin_anew()
            return
        optimizers = zip(loan.step.optimizers, counts, strict=True)
        runs = [self._calendar.place(one, count, epoch)[0] for one, count in optimizers]
        self._participants.look_back(loan.step.optimizers, runs, self.model)

    def _tell_of_seams(self, epoch: int) -> None:
        """Say what goes on, or that the plan is another one."""
        self._participants.say_what_goes_on(self.run)
        if not self.schedules:
            return
        past = past_of(self.model)
        if epoch:
            claims = self._participants.claims()
            first = self._begun[1][0]
            tell_of_another_plan(past, claims, self.run, first, self._stretches)
        past.planned = self.run
        past.epochs = self._calendar.epochs
        past.stretches = self._stretches

    def _note_places(self) -> None:
        """Note where the schedules that have a horizon stand, for the next fit."""
        loan = self._loan
        if loan is None or not self._participants.have_horizons:
            return
        try:
            counts = loan.step.counts()
        except RuntimeError:
            return  # What a step that failed has used up cannot be read.
        if self._calendar.counts_batches:
            missing = loan.step.unwritten(counts)
            counts = [count - missing for count in counts]
        self._participants.note_ends(loan.step, counts, self.model)

    # What the user is told.

    def _rates_of_epoch(self) -> dict[str, float]:
        """What logs are to tell of the epoch."""
        loan = self._loan
        if loan is None or not loan.is_open or not loan.is_current():
            return {}
        counts = loan.step.counts()
        self._look_for_effect(loan, counts)
        return loan.step.last_values(counts, self._since or None)

    def _look_for_effect(self, loan: Loan, counts: Sequence[int]) -> None:
        """Say once of each schedule whose optimizers make no update."""
        busy = set()
        if loan.step.calls:
            rows = zip(loan.step.optimizers, counts, self._since, strict=False)
            busy = {id(lent.optimizer) for lent, now, then in rows if now != then}
        self._participants.warn_of_idle(busy, self.model)

    def _say_plain_number(self, number: float) -> None:
        if not self._has_said_plain_number:
            self._has_said_plain_number = True
            warn_of_plain_number(number, self.schedules)
