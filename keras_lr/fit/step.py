"""The lent step: a model's training step at rates that are handed to it.

A model has one for as long as it has its plain step (``compile`` gives it another), and
the two stand side by side: the plain function carries the lent step; a loan puts the
lent function in its place, and puts it back. Rates and all that is written down are
state of the lent step (:mod:`keras_lr.fit.tapes`), so that every schedule, sweep and
probe shares its one trace, and nothing of the plain step is ever traced because of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any, Protocol

import keras
import numpy as np
from keras import ops

from keras_lr.fit import keras_names, processes
from keras_lr.fit.control import Control
from keras_lr.fit.early import EarlyScalars
from keras_lr.fit.jax_tape import JaxTape
from keras_lr.fit.optimizer import (
    LentOptimizer,
    attributes_of,
)
from keras_lr.fit.program import Program
from keras_lr.fit.record import Record, Rows, Scalar, Segment, places_in_ring
from keras_lr.fit.tapes import TensorFlowTape, TorchTape
from keras_lr.fit.timetable import OWN, Timetable
from keras_lr.plan.curves import FloatArray

#: Rows of a tape, a power of two. JAX copies the tape at each step, so that more would
#: cost; rows are laid anew whenever they are used up, so that no run is too long for
#: them.
ROWS = 256

#: The attribute by which a plain function carries its lent step.
_KEPT = "_keras_lr_step"


def lent_step(
    model: Any,
    optimizers: Sequence[Any],
    scalars: Sequence[Scalar] = (),
    loss: str = "loss",
) -> LentStep:
    """The lent step of a model: the one it has, if that is still good, or a new one.

    Args:
        model: A compiled model.
        optimizers: Those whose rates are to be controlled, unwrapped.
        scalars: What is to be written down besides loss and rates.
        loss: What the logs call the loss.

    Raises:
        ValueError: If the model's step does not carry the state of an optimizer.
    """
    plain = keras_names.plain_function(model)
    kept: LentStep | None = getattr(plain, _KEPT, None)
    if kept is not None and kept.serves(model, optimizers, scalars, loss):
        return kept
    made = LentStep(model, plain, optimizers, scalars, loss)
    with suppress(AttributeError):  # A function of the user's may refuse attributes.
        setattr(plain, _KEPT, made)
    return made


def rate_name(i: int) -> str:
    """What the record calls the rate of an optimizer."""
    return f"learning_rate_{i}"


@dataclass(frozen=True)
class Row:
    """What a step has written down of a batch.

    Attributes:
        count: The batches that the first optimizer had done before.
        seen: The scalars.
    """

    count: int
    seen: FloatArray


@dataclass(frozen=True)
class Update:
    """An update that an optimizer has made.

    Attributes:
        count: The batches that it had done before.
        rate: The rate.
        program: What it has read.
    """

    count: int
    rate: float
    program: Program


class Around(Protocol):
    """What happens around a call of the step."""

    def before(self, args: tuple[Any, ...]) -> None:
        """The step is about to run, of state and data on JAX, elsewhere of data."""

    def after(self, result: Any) -> None:
        """The step has run, and returned logs and state on JAX, elsewhere logs."""

    def forget(self) -> None:
        """The step had no data, or failed."""


class LentStep:
    """A model's step at the rates of a timetable.

    Args:
        model: A compiled model.
        plain: The function that the model has without a loan.
        optimizers: Those whose rates are to be controlled, unwrapped.
        scalars: What is to be written down besides loss and rates.
        loss: What the logs call the loss.

    Attributes:
        plain: The function that the model has without a loan.
        optimizers: Those whose rates the step controls.
        names: What it writes down of each batch: ``loss``, the rate of each optimizer,
            and the scalars.
        control: What happens around the model's own step.
        on_failure: Called when the step raises; None if nobody wants to know.
        on_first_batch: Called with the first batch before it is trained on, while that
            is traced; None if nobody wants to know.
        program: What the optimizers are to do.
        calls: How often the function has been called since the timetables began.
        on_pace: Called before the second batch, with the optimizers' counts, if a step
            makes several updates of one; None if nobody wants to know.
        around: What happens around the next call.
    """

    def __init__(
        self,
        model: Any,
        plain: Any,
        optimizers: Sequence[Any],
        scalars: Sequence[Scalar],
        loss: str,
    ) -> None:
        self.plain = plain
        self.on_failure: Callable[[], None] | None = None
        self.on_first_batch: Callable[[Any], None] | None = None
        self.on_pace: Callable[[list[int]], None] | None = None
        self.around: tuple[Around, ...] = ()
        self._model = model
        self._scalars = tuple(scalars)
        self._loss = loss
        self._settings = _settings(model)
        self._is_torch = keras.backend.backend() == "torch"
        is_compiled = self._is_torch and bool(model.jit_compile)
        self.optimizers = [LentOptimizer(one, is_compiled) for one in optimizers]
        self.calls = 0
        self.control = Control(model, self.optimizers, scalars, loss)
        self.names = [
            "loss",
            *(rate_name(i) for i in range(len(self.optimizers))),
            *(scalar.name for scalar in scalars),
        ]
        self._own_step = keras_names.step_of(model)
        # What the step is to read.
        nothing = [OWN] * len(self.optimizers)
        self.program = self._program(nothing, [0] * len(self.optimizers))
        self._before: Program | None = None
        self._record: Record | None = None
        # The tape, the batch of each optimizer that its first row is of, and how many
        # of its rows are sure to be left.
        self._each = int(model.steps_per_execution or 1)
        self._rows = max(ROWS, 1 << (4 * self._each - 1).bit_length())
        self._base = [0] * len(self.optimizers)
        self._left = 0
        #: How many rows a call of the function uses up, as the last one did.
        self._used = self._each
        self._is_laid = False
        self._given = self.control.columns[-1] + 1
        self._is_entered = self._is_torch
        self._tape = self._make_tape()
        if isinstance(self._tape, JaxTape):
            first = len(self.names) - len(self._scalars)
            self._tape.work_early(
                EarlyScalars(self._scalars, first, lambda: self.control.is_recording)
            )
        self._inner = plain
        if not self._is_torch:
            with keras_names.one_more_sharding(model, self._rate_variable is None):
                self._inner = keras_names.function_of(model, self._train_step)

    def serves(
        self,
        model: Any,
        optimizers: Sequence[Any],
        scalars: Sequence[Scalar],
        loss: str,
    ) -> bool:
        """Whether the step is still the right one for the model as it is now."""
        own = [lent.optimizer for lent in self.optimizers]
        return (
            self._settings == _settings(model)
            and self._loss == loss
            # A trace is of these very ones, not of others like them.
            and all(any(one is other for other in own) for one in optimizers)
            and all(
                lent.attributes == attributes_of(lent.optimizer)
                for lent in self.optimizers
            )
            and set(scalars) <= set(self._scalars)
            # What is worked out before the step costs something: not for nobody.
            and _works(scalars) == _works(self._scalars)
        )

    # Before a fit, and between its epochs.

    def follow(
        self,
        timetables: Sequence[Timetable],
        statistics: float = 1.0,
        counts: list[int] | None = None,
    ) -> None:
        """Read these timetables from the next update on.

        Args:
            timetables: For each optimizer.
            statistics: The highest momentum of moving statistics.
            counts: The optimizers' counts, where they cannot be read: in a step.
        """
        counts = self.counts() if counts is None else counts
        self.program = self._program(timetables, counts, statistics)
        self._before = None
        self.calls = 0
        self._record = None
        self.control.is_recording = False
        self.lay_anew()
        self.sync(counts)

    def change(self, timetables: Sequence[Timetable], counts: list[int]) -> None:
        """Read other timetables in the middle of a run; the record goes on.

        Args:
            timetables: For each optimizer.
            counts: Their counts now.
        """
        if self.program.begun != tuple(counts):
            # The last update is looked up in what it has read.
            self._before = self.program
        self.program = self._program(timetables, counts, self.program.statistics)
        self.lay_anew()
        self.sync(counts)

    def _program(
        self,
        timetables: Sequence[Timetable],
        counts: Sequence[int],
        statistics: float = 1.0,
    ) -> Program:
        lents = tuple(self.optimizers)
        return Program(lents, tuple(timetables), tuple(counts), statistics)

    def take_over(self, other: LentStep) -> None:
        """Go on where another step of the same optimizers has stopped."""
        self.program = replace(other.program, lents=tuple(self.optimizers))
        self._before = other._before
        self.calls = other.calls
        counts = self.counts()
        if other._record is not None and self.names == other.names:
            self._record = other._record
            self._record.add(other._current(counts[0]))
            self.control.is_recording = True
        # The ring holds nothing of the batches before.
        self._base = counts
        self.lay_anew()
        self.sync(counts)

    def record(self) -> None:
        """Keep all that is written down from the next batch on."""
        self._record = Record(self.names, self.counts()[0])
        self.control.is_recording = True

    def sync(self, counts: list[int]) -> None:
        """Look at own rates and counters, which others may have set."""
        for i, lent in enumerate(self.optimizers):
            lent.counter = counts[i]
            if self._is_torch:
                # Elsewhere the step looks at it.
                self.control.own_rates[i] = self._rate_set(lent)
        # Between two batches the counters tell which rows are used up.
        used = [count - base for count, base in zip(counts, self._base, strict=True)]
        is_inside = self._is_laid and 0 <= min(used) <= max(used) < self._rows
        self._left = self._rows - max(used) if is_inside else 0

    def lay_anew(self) -> None:
        """Have the rows laid anew before the next batch."""
        self._is_laid = False
        self._left = 0

    @contextmanager
    def aside(self) -> Iterator[None]:
        """A context in which the step may do something else, and then goes on.

        Who opens it gives the counters back before it ends. If that something fails,
        who wants to know hears of it when all is as it was.
        """
        before = dict(vars(self))
        # That the step has been traced stays true.
        del before["_is_entered"]
        is_recording = self.control.is_recording
        counters = [(lent.counter, lent.applied) for lent in self.optimizers]
        put_back = self._tape.set_aside()
        self.on_failure = None
        self.on_pace = None
        has_failed = True
        try:
            yield
            has_failed = False
        finally:
            vars(self).update(before)
            self.control.is_recording = is_recording
            for lent, told in zip(self.optimizers, counters, strict=True):
                lent.counter, lent.applied = told
            put_back()
            if has_failed and self.on_failure is not None:
                self.on_failure()

    # What the host asks.

    def counts(self) -> list[int]:
        """The batches that each optimizer has done."""
        return [
            int(
                keras_names.read_in_fit(
                    self._model, keras_names.counter_of(lent.optimizer)
                )
            )
            for lent in self.optimizers
        ]

    def spent(self) -> int:
        """Updates of the first optimizer since the program began."""
        return self.next_update(self.counts()) - self.program.timetables[0].first

    def next_update(self, counts: Sequence[int], i: int = 0) -> int:
        """An optimizer's update of the run that comes next."""
        return self.program.update(i, counts[i])

    def is_lent(self, optimizer: Any) -> bool:
        """Whether the step controls an optimizer's rates."""
        return any(lent.optimizer is optimizer for lent in self.optimizers)

    def timetable_of(self, lent: LentOptimizer) -> Timetable:
        """What an optimizer reads."""
        return self.program.timetables[self.optimizers.index(lent)]

    def own_rate(self, lent: LentOptimizer) -> float:
        """An optimizer's own rate, or what its own schedule says now."""
        own = self._rate_set(lent)
        if own is None:
            own = float(ops.convert_to_numpy(lent.own("learning_rate")))
        return own

    def coming(self, lent: LentOptimizer, hyperparameter: str) -> float:
        """The value of an optimizer's next update."""
        i = self.optimizers.index(lent)
        count = lent.counter if self._is_torch else self.counts()[i]
        if hyperparameter == "learning_rate":
            return self.program.rate(i, count, self.own_rate(lent))
        return self.program.other(i, hyperparameter, count)

    def last(self, lent: LentOptimizer, hyperparameter: str) -> float | None:
        """The value of an optimizer's last update; None before the first one."""
        i = self.optimizers.index(lent)
        counts = self.counts()
        found = self._last_update(i, counts, self._last_made(counts))
        if found is None or hyperparameter == "learning_rate":
            return None if found is None else found.rate
        return found.program.other(i, hyperparameter, found.count)

    def last_values(
        self, counts: Sequence[int] | None = None, since: Sequence[int] | None = None
    ) -> dict[str, float]:
        """The rates of the last update, and what else was scheduled, for the logs.

        Args:
            counts: The counts now; None to look.
            since: The counts at a moment: of an optimizer that has made no update since
                then there is nothing to tell. None for all.
        """
        counts = self.counts() if counts is None else counts
        row = self._last_made(counts)
        told = {}
        for i, lent in enumerate(self.optimizers):
            each = lent.accumulation
            is_idle = since is not None and counts[i] // each == since[i] // each
            found = self._last_update(i, counts, row)
            if found is None or is_idle or not self.program.is_scheduled(i):
                continue
            told[self.program.log_name(i, "learning_rate")] = found.rate
            for name in lent.attributes:
                if name in self.program.timetables[i].head:
                    value = found.program.other(i, name, found.count)
                    told[self.program.log_name(i, name)] = value
        return told

    def unwritten(self, counts: Sequence[int]) -> int:
        """Batches that the first optimizer counts and that had no data.

        On TensorFlow the step that finds no more data counts as a batch, too.
        """
        if keras.backend.backend() != "tensorflow":
            return 0
        row = self._last_row(counts[0])
        if row is None:
            return 0
        return counts[0] - row.count - self.optimizers[0].pace

    def _leave_out_unwritten(self) -> None:
        """Have the batch after one that had no data read what that one was to read.

        Only where all is written down: a schedule looks at its place by itself. Where
        several batches make an update, Keras counts the empty one in, too.
        """
        if self._record is None or self.optimizers[0].accumulation > 1:
            return
        missing = self.unwritten(self.counts())
        if missing:
            begun = tuple(count + missing for count in self.program.begun)
            self.program = replace(self.program, begun=begun)
            self.lay_anew()

    def _last_row(self, count: int, each: int = 1) -> Row | None:
        """The row of the last batch that had data.

        Args:
            count: The first optimizer's count.
            each: Batches that make an update: the last one of these is asked for.
        """
        segment = self._current(count)
        # A fit may train with the plain step: the rows are then of an earlier one.
        if not segment.rows or not self.calls:
            return None
        seen = segment.fetch()
        rates = seen[:, self.names.index(rate_name(0))]
        counts = segment.first + np.arange(segment.rows)
        written = np.flatnonzero(~np.isnan(rates) & ((counts + 1) % each == 0))
        if not written.size:
            return None
        last = int(written[-1])
        return Row(segment.first + last, seen[last])

    def _last_made(self, counts: Sequence[int]) -> Row | None:
        """The row of the batch that made the first optimizer's last update."""
        return self._last_row(counts[0], self.optimizers[0].accumulation)

    def _last_update(
        self, i: int, counts: Sequence[int], row: Row | None
    ) -> Update | None:
        """The last update of an optimizer; None before the first one."""
        first = self.optimizers[0]
        lent = self.optimizers[i]
        done = [count - base for count, base in zip(counts, self._base, strict=True)]
        is_one_each = first.pace == lent.pace == 1
        is_alike = is_one_each and first.accumulation == lent.accumulation
        if row is not None and is_alike and done[i] == done[0]:
            # As the first one: its rate stands in the row.
            count = row.count - self._base[0] + self._base[i]
            rate = float(row.seen[self.names.index(rate_name(i))])
            program = self._program_of(i, count)
            # The ring may still have the rows of an earlier fit.
            return None if program is None else Update(count, rate, program)
        if row is not None and i == 0:
            count = row.count + lent.pace - 1
        else:
            # The last batch of the last update that is complete.
            count = counts[i] // lent.accumulation * lent.accumulation - 1
        program = self._program_of(i, count)
        if program is None:
            return None
        return Update(count, program.rate(i, count, self.own_rate(lent)), program)

    def _program_of(self, i: int, count: int) -> Program | None:
        """What an optimizer has read for a batch; None for one before the run."""
        for program in (self.program, self._before):
            if program is not None and count >= program.begun[i]:
                return program
        return None

    def recorded(self) -> dict[str, FloatArray]:
        """What has been written down of each batch since :meth:`record`, by name.

        It waits for the device.
        """
        if self._record is None:
            raise RuntimeError(
                "There is something to read only after `record`. Received: a step that "
                "keeps no record. Call record() before the fit."
            )
        return self._record.read(self._current(self.counts()[0]))

    def recorded_rows(self) -> Rows:
        """The same, with the count that it begins with."""
        columns = self.recorded()
        assert self._record is not None  # noqa: S101  `recorded` has seen to it
        return Rows(self._record.first, columns)

    def forget(self, before: int) -> None:
        """Drop what has been read of the batches before a count."""
        if self._record is not None:
            self._record.forget(before)

    def batches_of_call(self) -> int:
        """Batches that a call of the function counts."""
        return self._each * self.pace()

    def batches_until(self, update: int, counts: Sequence[int]) -> int:
        """Batches until so many updates of the run are made, if all are.

        Args:
            update: How many.
            counts: The optimizers' counts now.
        """
        each = self.optimizers[0].accumulation
        timetable = self.program.timetables[0]
        begun = self.program.begun[0] // each
        return (update - timetable.first + begun) * each - counts[0]

    # The function that the model has during a loan.

    def function(self, *args: Any) -> Any:
        """Run the step: on JAX of state and data, elsewhere of data."""
        if self.calls == 1 and self.on_pace is not None and self.pace() > 1:
            self.on_pace(self._tape.counts(*args))
        if self._tape.is_stale(*args) or self._left < self._used:
            self._lay(*args)
        around = self.around
        for each in around:
            each.before(args)
        try:
            result = self._tape.call(self._inner, *args)
            self.calls += 1
        except BaseException as error:
            for each in around:
                each.forget()
            if keras_names.is_end_of_data(error):
                self._leave_out_unwritten()
            elif self.on_failure is not None:
                self.on_failure()
            processes.explain(error)
            raise
        self._used = self.batches_of_call()
        self._left -= self._used
        for each in around:
            each.after(result)
        if not self._is_entered:
            raise RuntimeError(
                "A scheduled fit needs a training function that calls the model's "
                f"train_step. Received: {type(self._model).__name__}, whose "
                "make_train_function makes another. Have it call self.train_step."
            )
        return result

    def _train_step(self, *args: Any) -> Any:
        """The training step that is traced on TensorFlow and JAX."""
        self._is_entered = True
        if self.on_first_batch is not None:
            self.on_first_batch(args[-1])
        return self._tape.step(self._own_step, self.control, *args)

    def pace(self) -> int:
        """The most updates that a step makes of an optimizer."""
        # A step of the user's may apply gradients more than once.
        return max(lent.pace for lent in self.optimizers)

    # Rows.

    @property
    def _rate_variable(self) -> Any | None:
        """The variable of the first own rate that is one."""
        variables = [
            keras_names.rate_variable(lent.optimizer) for lent in self.optimizers
        ]
        return next((one for one in variables if one is not None), None)

    def _make_tape(self) -> Any:
        shape = (self._rows, self._given, len(self.names))
        if self._is_torch:
            return TorchTape(self.control, self.optimizers, shape)
        is_jax = keras.backend.backend() == "jax"
        kind: Any = JaxTape if is_jax else TensorFlowTape
        counters = [keras_names.counter_of(lent.optimizer) for lent in self.optimizers]
        return kind(self._model, counters, self._rate_variable, shape)

    def _lay(self, *args: Any) -> None:
        """Lay all rows from the next batch on."""
        counts = self._tape.counts(*args)
        if self._record is not None:
            self._record.add(self._current(counts[0]))
        given = np.empty((self._rows, self._given))
        for i, count in enumerate(counts):
            batches = count + np.arange(self._rows)
            begin, end = self.control.columns[i : i + 2]
            # In the order of the ring.
            given[batches % self._rows, begin:end] = self.program.given(i, batches)
        given[:, -1] = self.program.statistics
        self._tape.lay(given, *args)
        self._is_laid = True
        self._base = counts
        self._left = self._rows

    def _current(self, count: int) -> Segment:
        """What the ring holds of the batches before a count."""
        rows = min(max(count - self._base[0], 0), self._rows)
        first = count - rows
        fetch = self._tape.keep()
        places = places_in_ring(first, rows, self._rows)
        return Segment(first, rows, lambda: fetch()[places])

    def _rate_set(self, lent: LentOptimizer) -> float | None:
        """The own rate; None if that is itself a schedule."""
        variable = keras_names.rate_variable(lent.optimizer)
        if variable is None:
            return None
        return float(keras_names.read_in_fit(self._model, variable))


def _works(scalars: Sequence[Scalar]) -> set[Any]:
    """What scalars have worked out before the step."""
    return {scalar.before for scalar in scalars} - {None}


def _settings(model: Any) -> tuple[Any, ...]:
    """What a step depends on that can be set without ``compile``."""
    return (
        bool(model.run_eagerly),
        bool(model.jit_compile),
        int(model.steps_per_execution or 1),
        keras_names.set_step_of(model),
    )
