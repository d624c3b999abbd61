"""A loan: one fit's hold on a model and its optimizers, given back by one ``close``."""

from __future__ import annotations

import math
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

from keras import ops

from keras_lr.fit import callers, keras_names
from keras_lr.fit.optimizer import LentOptimizer, holder_of
from keras_lr.fit.rate import Rate, is_made_unasked
from keras_lr.fit.record import Scalar
from keras_lr.fit.step import LentStep, lent_step

_LOANS: weakref.WeakKeyDictionary[Any, Loan] = weakref.WeakKeyDictionary()


class Loan:
    """A model whose step is the lent one.

    Args:
        model: A compiled model.
        choose: Gives those optimizers of the model as it is now whose rates are to be
            controlled, unwrapped.
        is_wanted: Whether what the loan was taken for is still under way. A loan that
            is not wanted any more ends when somebody notices.
        scalars: What the step is to write down besides loss and rates.
        loss: What the logs call the loss.
        on_stranger: Called when something else asks for a step of the model meanwhile:
            ``fit`` or ``train_on_batch``; None to refuse a fit, and to give
            ``train_on_batch`` the plain step for once.
        on_failure: Called when the step raises; None to end the loan.
        on_plain_number: Called when a callback has read the rate and sets a number
            that has lost its ratio to it: with that number; None to let it pass.
        yields: Whether a fit that begins ends the loan, instead of being refused.
        at_last: Called when all else has been given back.

    Attributes:
        step: The lent step.
        is_open: Whether it has not been closed.

    Raises:
        ValueError: If the model or one of its optimizers is in another fit.
    """

    def __init__(
        self,
        model: Any,
        choose: Callable[[], list[Any]],
        is_wanted: Callable[[], bool],
        *,
        scalars: Sequence[Scalar] = (),
        loss: str = "loss",
        on_stranger: Callable[[str], None] | None = None,
        on_failure: Callable[[], None] | None = None,
        on_plain_number: Callable[[float], None] | None = None,
        yields: bool = False,
        at_last: Callable[[], None] | None = None,
    ) -> None:
        self._model = weakref.ref(model)
        self._choose = choose
        self._is_wanted = is_wanted
        self._on_stranger = on_stranger
        self._on_failure = on_failure or self.close
        self._on_plain_number = on_plain_number
        self._scalars = tuple(scalars)
        self._loss = loss
        self.yields = yields
        end_or_refuse(model)
        optimizers = choose()
        for optimizer in optimizers:
            end_or_refuse_of(optimizer)
        self.step: LentStep = lent_step(model, optimizers, scalars, loss)
        self.is_open = True
        # The rates that optimizers come back with, where a peak has been set meanwhile.
        self._compiled_rates: dict[LentOptimizer, float] = {}
        # Who has read the rate last: the frame, the batches before that, and the rate.
        self._reader: tuple[int, Any, int] | None = None
        self._read_rate: Rate | None = None
        # The garbage collector may end a loan in any thread, at any moment.
        self._giving_back = threading.RLock()
        self._exits = ExitStack()
        with ExitStack() as failing:
            # What has been lent so far comes back if the rest cannot be.
            failing.callback(self.close)
            # The very last: who finds no loan of the model may rely on all the rest.
            self._at_end(_LOANS.pop, model, None)
            if at_last is not None:
                self._at_end(at_last)
            self._lend(model)
            failing.pop_all()

    def _at_end(self, give_back: Callable[..., Any], *args: Any) -> None:
        """Have something come back when the loan ends."""
        self._exits.callback(_in_any_case, partial(give_back, *args))

    def _lend(self, model: Any) -> None:
        _LOANS[model] = self
        self._at_end(self._put_back_rates)
        self._at_end(self._put_back_function)
        self._take_optimizers()
        keras_names.set_function(model, self.step.function)
        self.override(model, keras_names.MAKES_FUNCTION, self._asked_for_function)

    def _take_optimizers(self) -> None:
        self.step.on_failure = self._on_failure
        self._at_end(setattr, self.step, "on_failure", None)
        self._at_end(setattr, self.step, "around", ())
        for lent in self.step.optimizers:
            lent.lend(self)
            self._at_end(lent.give_back)

    def end_with(self, owner: Any) -> None:
        """End when an object dies: a fit's list of callbacks ends with the fit."""
        end = weakref.finalize(owner, self._close_unless_closing)
        end.atexit = False

    def hear_of_pace(self, on_pace: Callable[[list[int]], None]) -> None:
        """Have somebody hear if a step makes several updates of an optimizer."""
        self.step.on_pace = on_pace
        self._at_end(setattr, self.step, "on_pace", None)

    def override(self, thing: Any, name: str, function: Callable[..., Any]) -> None:
        """Put a function in place of a method until the loan ends."""
        vars(thing)[name] = function
        self._at_end(vars(thing).pop, name, None)

    def close(self) -> None:
        """Give everything back, unless that is done, or await a thread that does so."""
        with self._giving_back:
            self.is_open = False
            self._exits.close()

    def _close_unless_closing(self) -> None:
        """Give everything back, unless another thread is about it."""
        # The garbage collector must not wait: what it has interrupted may hold a lock.
        if self._giving_back.acquire(blocking=False):
            try:
                self.close()
            finally:
                self._giving_back.release()

    def _put_back_function(self) -> None:
        model: Any = self._model()
        # None where the model was compiled meanwhile: it makes another.
        if model is not None and keras_names.function_at(model) is not None:
            keras_names.set_function(model, self.step.plain)

    def is_current(self) -> bool:
        """Whether the model still trains with the optimizers that the step controls."""
        return all(self.step.is_lent(one) for one in self._choose())

    def keep_rate(self, lent: LentOptimizer, rate: float) -> None:
        """Have an optimizer come back with this own rate, whatever is set meanwhile."""
        self._compiled_rates.setdefault(lent, rate)

    def _put_back_rates(self) -> None:
        for lent, rate in self._compiled_rates.items():
            self._set_own(lent, rate)

    def log_rates(self, rates: Callable[[], dict[str, float]] | None = None) -> None:
        """Have the logs of each epoch tell the rates of its last update.

        Args:
            rates: Gives them; None for all that the step knows.
        """
        model: Any = self._model()
        give = rates or (lambda: self.step.last_values(None))

        def with_rates(logs: Any) -> Any:
            told = keras_names.epoch_logs(model, logs)
            # Evaluation asks for its logs here, too.
            if callers.calling_method() == "fit":
                told = {**told, **give()}
            return told

        self.override(model, keras_names.GIVES_LOGS, with_rates)

    # Others that train the model meanwhile.

    def _asked_for_function(self, force: bool = False) -> Any:
        """What Keras asks for before it trains."""
        model: Any = self._model()
        asking = callers.calling_method()
        if not self.is_wanted():
            return keras_names.ask_for_function(model, force)
        if asking in ("fit", "train_on_batch"):
            if self._on_stranger is not None:
                self._on_stranger(asking)
            elif asking == "fit":
                end_or_refuse(model)
            elif not self.yields or callers.hook_of() is not None:
                # A loop of the user's own is what a loan that yields is for.
                self._lend_plain_once(model)
        elif force or keras_names.function_at(model) is None:
            self._make_anew(model)
        return keras_names.function_at(model)

    def _lend_plain_once(self, model: Any) -> None:
        """Have the next step be the plain one, at the optimizer's own rate."""
        function = keras_names.function_at(model)

        def once(*args: Any) -> Any:
            keras_names.set_function(model, function)
            return self.step.plain(*args)

        keras_names.set_function(model, once)

    def _make_anew(self, model: Any) -> None:
        """Make the step anew that somebody wants another of, in the middle of a fit."""
        before = self.step
        for lent in before.optimizers:
            lent.give_back()
        keras_names.set_function(model, None)
        if not self.is_current():
            # Compiled with another optimizer: whoever holds the loan takes a new one.
            self.close()
            keras_names.ask_for_function(model, True)
            return
        after = lent_step(model, self._choose(), self._scalars, self._loss)
        self.step = after
        self._take_optimizers()
        after.take_over(before)
        keras_names.set_function(model, after.function)

    # What an optimizer on loan asks (see `keras_lr.fit.optimizer.Host`).

    def is_wanted(self) -> bool:
        """Whether the loan goes on; it ends here if what it is for has ended."""
        with self._giving_back:
            if self.is_open and not self._is_wanted():
                # Somebody's step may be traced at this moment.
                with keras_names.outside_of_graphs():
                    self.close()
            return self.is_open

    def in_force(self, lent: LentOptimizer, hyperparameter: str) -> Any:
        """The value as callbacks read it; None if the loan has ended.

        At the begin of a fit, an epoch or a batch it is that of the coming update, else
        that of the last one, so that whoever logs it logs the rate that was used.
        """
        if not self.is_wanted():
            return None
        if hyperparameter != "learning_rate":
            return self._read(lent, hyperparameter)
        frame = callers.asking_frame()
        base = self._base(lent)
        if keras_names.is_writer(frame, "LearningRateScheduler"):
            # It hands the rate to a function of the user's, and sets what comes back.
            value = base
        else:
            value = self._read(lent, "learning_rate")
        rate = Rate(value, base, partial(self.set_rate, lent))
        if not callers.is_setter(frame):
            self._reader = (id(frame), frame.f_code, self.step.calls)
            self._read_rate = rate
        return rate

    def _read(
        self, lent: LentOptimizer, hyperparameter: str = "learning_rate"
    ) -> float:
        hook = callers.hook_of() or ""
        is_coming = hook.endswith("_begin")
        last = None if is_coming else self.step.last(lent, hyperparameter)
        return self.step.coming(lent, hyperparameter) if last is None else last

    def set_rate(
        self, lent: LentOptimizer, rate: Any, is_converted: bool | None = None
    ) -> None:
        """What an assignment to ``optimizer.learning_rate`` means on loan.

        A plain number is the rate that the schedule goes on multiplying: the
        optimizer's own, or the peak where that was given. What was read and scaled, and
        what ReduceLROnPlateau sets, scales what is in force.

        Args:
            lent: The optimizer.
            rate: What is assigned.
            is_converted: Whether who assigns it has made a number of the rate before;
                None to find out.
        """
        if not self.is_wanted() or callable(rate):
            lent.cls.learning_rate.fset(lent.optimizer, rate)
            return
        # It has lost its ratio where what was read was 0, and something was added.
        if isinstance(rate, Rate) and not math.isnan(rate.asked):
            base = rate.asked
        else:
            number = float(ops.convert_to_numpy(rate))
            is_unasked = is_made_unasked(rate)
            base = self._base_after(lent, number, is_converted, is_unasked)
        timetable = self.step.timetable_of(lent)
        if timetable.sets_peak:
            self.keep_rate(lent, self.step.own_rate(lent))
        self._set_own(lent, base / timetable.scale)
        self.step.sync(self.step.counts())

    def _base_after(
        self,
        lent: LentOptimizer,
        number: float,
        is_converted: bool | None,
        is_unasked: bool,
    ) -> float:
        """The rate that the schedule is to multiply after a plain number is set."""
        frame = callers.asking_frame(sets=True)
        if keras_names.is_writer(frame, "ReduceLROnPlateau"):
            return self._base(lent) * number / self._read(lent, "learning_rate")
        if is_converted is None:
            reader = (id(frame), frame.f_code, self.step.calls)
            rate = self._read_rate if self._reader == reader else None
            is_converted = rate is not None and (rate.is_converted or is_unasked)
        is_scheduler = keras_names.is_writer(frame, "LearningRateScheduler")
        if is_converted and not is_scheduler and self._on_plain_number is not None:
            self._on_plain_number(number)
        return number

    def _base(self, lent: LentOptimizer) -> float:
        """The rate that an optimizer's schedule multiplies: its own, or the peak."""
        return self.step.own_rate(lent) * self.step.timetable_of(lent).scale

    def _set_own(self, lent: LentOptimizer, rate: float) -> None:
        keras_names.sync_state(self._model())
        lent.cls.learning_rate.fset(lent.optimizer, rate)

    def own_changed(self) -> None:
        """Take note that an optimizer's own momentum or weight decay is another."""
        self.step.lay_anew()


def _in_any_case(give_back: Callable[[], Any]) -> None:
    """Give something back; Ctrl-C in the middle of that is raised when it is done."""
    try:
        give_back()
    except KeyboardInterrupt:
        give_back()
        raise


def while_in_fit(owner: Callable[[], Any]) -> Callable[[], bool]:
    """Asks whether the fit of a list of callbacks is under way, without keeping it.

    Args:
        owner: A weak reference to the list.
    """

    def is_in_fit() -> bool:
        callbacks = owner()
        return callbacks is not None and callers.is_in_fit(callbacks)

    return is_in_fit


def end_if_left(model: Any) -> None:
    """End a loan that an interrupted fit has left of a model."""
    loan = _LOANS.get(model)
    if loan is not None:
        loan.is_wanted()


def end_or_refuse(model: Any) -> None:
    """End a loan that an interrupted fit has left of a model.

    Raises:
        ValueError: If the fit is under way.
    """
    loan = _LOANS.get(model)
    if loan is not None and loan.yields:
        loan.close()
    elif loan is not None and loan.is_wanted():
        raise ValueError(
            "A model can be in one fit at a time while a schedule controls its "
            f"optimizer. Received: {type(model).__name__} {model.name!r}, whose fit is "
            "under way. Train it after that fit, or train a clone of it."
        )


def end_or_refuse_of(optimizer: Any) -> None:
    """The same for a loan that holds an optimizer, whichever model it is of."""
    loan = holder_of(optimizer)
    if loan is not None and loan.yields:
        loan.close()
    elif loan is not None and loan.is_wanted():
        raise ValueError(
            "An optimizer can follow the schedules of one fit at a time. Received: "
            f"{optimizer.name!r}, which another fit trains with at this moment. Give "
            "each model an optimizer of its own."
        )


@contextmanager
def restored(model: Any) -> Iterator[None]:
    """Give the optimizer back at the end of the block, whatever happens in it.

    Keras does not tell callbacks that a fit was interrupted. The optimizer comes back
    when the fit's list of callbacks dies, as a rule with the exception, and at the
    latest when the next fit begins of any model that uses it. With this context manager
    it does so at once.

    Args:
        model: A compiled Keras model.

    Yields:
        Nothing.

    Example:
        >>> import keras, keras_lr, numpy as np
        >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> with keras_lr.restored(model):
        ...     _ = model.fit(
        ...         np.ones((8, 1)), np.ones(8), verbose=0,
        ...         callbacks=[keras_lr.OneCycle()],
        ...     )
    """
    try:
        yield
    finally:
        loan = _LOANS.get(model)
        if loan is not None:
            loan.close()
