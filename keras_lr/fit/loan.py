"""A loan: one fit's hold on a model and its optimizers, given back by one ``close``."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_lr.fit import keras_names
from keras_lr.fit.optimizer import LentOptimizer, holder_of, optimizers_of
from keras_lr.fit.record import Scalar
from keras_lr.fit.step import LentStep, lent_step

_LOANS: weakref.WeakKeyDictionary[Any, Loan] = weakref.WeakKeyDictionary()


class Loan:
    """A model whose step is the lent one.

    Args:
        model: A compiled model.
        is_wanted: Whether what the loan was taken for is still under way. A loan that
            is not wanted any more ends when somebody notices.
        scalars: What the step is to write down besides loss and rates.
        on_stranger: Called when something else asks for a step of the model meanwhile:
            ``fit`` or ``train_on_batch``; None to refuse a fit, and to give
            ``train_on_batch`` the plain step for once.
        on_failure: Called when the step raises; None to end the loan.
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
        is_wanted: Callable[[], bool],
        *,
        scalars: Sequence[Scalar] = (),
        on_stranger: Callable[[str], None] | None = None,
        on_failure: Callable[[], None] | None = None,
        at_last: Callable[[], None] | None = None,
    ) -> None:
        self._model = weakref.ref(model)
        self._is_wanted = is_wanted
        self._on_stranger = on_stranger
        self._on_failure = on_failure or self.close
        end_or_refuse(model)
        for optimizer in optimizers_of(model):
            end_or_refuse_of(optimizer)
        self.step: LentStep = lent_step(model, scalars)
        self.is_open = True
        self._exits = ExitStack()
        with ExitStack() as failing:
            # What has been lent so far comes back if the rest cannot be.
            failing.callback(self.close)
            if at_last is not None:
                self._exits.callback(at_last)
            self._lend(model)
            failing.pop_all()

    def _lend(self, model: Any) -> None:
        _LOANS[model] = self
        self._exits.callback(_LOANS.pop, model, None)
        self._exits.callback(self._put_back_function)
        self._take_optimizers()
        keras_names.set_function(model, self.step.function)
        self.override(model, keras_names.MAKES_FUNCTION, self._asked_for_function)

    def _take_optimizers(self) -> None:
        self.step.on_failure = self._on_failure
        self._exits.callback(setattr, self.step, "on_failure", None)
        for lent in self.step.optimizers:
            lent.lend(self)
            self._exits.callback(lent.give_back)

    def end_with(self, owner: Any) -> None:
        """End when an object dies: a fit's list of callbacks ends with the fit."""
        end = weakref.finalize(owner, self.close)
        end.atexit = False

    def override(self, model: Any, name: str, function: Callable[..., Any]) -> None:
        """Put a function in place of one of the model's until the loan ends."""
        vars(model)[name] = function
        self._exits.callback(vars(model).pop, name, None)

    def close(self) -> None:
        """Give everything back, if that has not been done."""
        self.is_open = False
        self._exits.close()

    def _put_back_function(self) -> None:
        model: Any = self._model()
        # None where the model was compiled meanwhile: it makes another.
        if model is not None and keras_names.function_at(model) is not None:
            keras_names.set_function(model, self.step.plain)

    def check_step(self) -> None:
        """Refuse to go on where the model has been compiled meanwhile.

        Raises:
            ValueError: If it has. Keras would fail a moment later, on JAX with all
                weights lost.
        """
        if keras_names.function_at(self._model()) is None:
            raise ValueError(
                "A model must not be compiled in the middle of its fit, which would "
                "have no step to go on with. Received: a model that a callback has "
                "compiled. Compile it between two fits, or call "
                "model.make_train_function() after it."
            )

    def log_rates(self) -> None:
        """Have the logs of each epoch tell the rates of its last update."""
        model: Any = self._model()
        self.override(model, keras_names.GIVES_LOGS, self._with_rates)

    def _with_rates(self, logs: Any) -> Any:
        model: Any = self._model()
        told = keras_names.epoch_logs(model, logs)
        # Evaluation asks for its logs here, too.
        if keras_names.calling_method() == "fit":
            told = {**told, **self.step.last_values()}
        return told

    # Others that train the model meanwhile.

    def _asked_for_function(self, force: bool = False) -> Any:
        """What Keras asks for before it trains."""
        model: Any = self._model()
        asking = keras_names.calling_method()
        if not self.is_wanted():
            return keras_names.ask_for_function(model, force)
        if asking in ("fit", "train_on_batch"):
            if self._on_stranger is not None:
                self._on_stranger(asking)
            elif asking == "fit":
                end_or_refuse(model)
            else:
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
        after = lent_step(model)
        if [lent.optimizer for lent in after.optimizers] != [
            lent.optimizer for lent in before.optimizers
        ]:
            # The model was compiled with another optimizer.
            self.close()
            return
        self.step = after
        self._take_optimizers()
        after.take_over(before)
        keras_names.set_function(model, after.function)

    # What an optimizer on loan asks (see `keras_lr.fit.optimizer.Host`).

    def is_wanted(self) -> bool:
        """Whether the loan goes on; it ends here if what it is for has ended."""
        if self.is_open and not self._is_wanted():
            # Somebody's step may be traced at this moment.
            with keras_names.outside_of_graphs():
                self.close()
        return self.is_open

    def in_force(self, lent: LentOptimizer, hyperparameter: str) -> Any:
        """The value of the coming update; None if the loan has ended."""
        if not self.is_wanted():
            return None
        value = self.step.in_force(lent, hyperparameter)
        if hyperparameter != "learning_rate" or keras.backend.backend() == "torch":
            return value
        return ops.convert_to_tensor(value, dtype="float32")

    def set_rate(self, lent: LentOptimizer, rate: Any) -> None:
        """What an assignment to ``optimizer.learning_rate`` means on loan.

        A value below the one in force is a reduction, as ReduceLROnPlateau makes it:
        the own rate falls by the same ratio. A higher one is the new peak, as
        LearningRateScheduler sets it, and the schedule goes on multiplying it.
        """
        set_own = lent.cls.learning_rate.fset
        own = keras_names.own_rate(lent.optimizer)
        is_wanted = self.is_wanted()
        factor = self.step.entry(lent, "learning_rate") if is_wanted else None
        if own is None or factor is None or callable(rate):
            set_own(lent.optimizer, rate)
            return
        rate = float(rate)
        if np.isclose(rate, own * factor, rtol=1e-6, atol=0.0):
            return
        is_cut = rate < own * factor
        set_own(lent.optimizer, rate / (factor if is_cut else self.step.scale(lent)))
        self.step.sync(self.step.counts())

    def own_changed(self) -> None:
        """Take note that an optimizer's own momentum or weight decay is another."""
        self.step.lay_anew()


def while_in_fit(owner: Callable[[], Any]) -> Callable[[], bool]:
    """Asks whether the fit of a list of callbacks is under way, without keeping it.

    Args:
        owner: A weak reference to the list.
    """

    def is_in_fit() -> bool:
        callbacks = owner()
        return callbacks is not None and keras_names.is_in_fit(callbacks)

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
    if loan is not None and loan.is_wanted():
        raise ValueError(
            "A model can be in one fit at a time while a schedule controls its "
            f"optimizer. Received: {type(model).__name__} {model.name!r}, whose fit is "
            "under way. Train it after that fit, or train a clone of it."
        )


def end_or_refuse_of(optimizer: Any) -> None:
    """The same for a loan that holds an optimizer, whichever model it is of."""
    loan = holder_of(optimizer)
    if loan is not None and loan.is_wanted():
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
        >>> import keras, keras_lr
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
