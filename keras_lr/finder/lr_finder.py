"""``LRFinder``: the Keras callback that sweeps the rate over a fit of its own."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from functools import partial
from typing import Any

import keras

from keras_lr.companion import Companion
from keras_lr.finder import guard
from keras_lr.finder.borrowed import Borrowed
from keras_lr.finder.plan import (
    SweepPlan,
    check_schedule,
    check_trainable,
    comes_down,
)
from keras_lr.finder.progress import is_rewritten, sweep_text
from keras_lr.finder.reasons import FOR_SWEEP
from keras_lr.finder.result import LRFinderResult
from keras_lr.finder.sweep import Sweep, planned
from keras_lr.finder.tuning import TUNING
from keras_lr.fit import callers, keras_names, processes
from keras_lr.fit.loan import end_if_left, while_in_fit
from keras_lr.plan.curves import FloatArray
from keras_lr.schedule import Schedule

#: Callbacks that a sweep would mislead, or that would keep its weights or figures.
MISPLACED = (
    keras.callbacks.BackupAndRestore,
    keras.callbacks.CSVLogger,
    keras.callbacks.EarlyStopping,
    keras.callbacks.LearningRateScheduler,
    keras.callbacks.ModelCheckpoint,
    keras.callbacks.ReduceLROnPlateau,
    keras.callbacks.RemoteMonitor,
    keras.callbacks.SwapEMAWeights,
    keras.callbacks.TensorBoard,
    Companion,
)


class LRFinder(keras.callbacks.Callback):  # type: ignore[misc]
    r"""Sweeps the learning rate over a fit of its own and says what it saw.

    .. math:: \eta_i = \eta_{min} (\eta_{max} / \eta_{min})^{i / (n - 1)}

    with n the number of rates. The rate is exact at every update, and so is the loss
    that is recorded: the one the update was computed from, not the running mean of the
    logs. The sweep stops by itself when it is done or when the loss has risen, and
    gives everything back bit for bit: weights, optimizer, metrics, random state.

    It wants a fit to itself: callbacks that stop, save or schedule a training are
    refused, others (of your own) are called and see the swept model. Give it an epoch,
    or as many as the sweep has updates; a shorter fit gets a shorter sweep. Under
    ``steps_per_execution`` it ends with the execution that makes its last update.

    The state is given back when the fit ends, and at once when a step, a callback or
    the data raise or Ctrl-C hits one of them. Should it hit the few lines of ``fit`` in
    between, the state is back when the exception has been handled, at the latest when
    the model is trained again; inside ``with keras_lr.restored(model):`` at the end of
    the block. What ``fit`` does before it calls its callbacks (building a model that is
    not built, with random numbers) is no part of the sweep.

    Args:
        min_lr: First rate, above 0.
        max_lr: Last rate, above ``min_lr``. With several optimizers it is that of the
            one with the highest rate, and the others keep their ratio to it.
        steps: Updates of the sweep, at least 20 for each of ``updates_per_rate``.
        spacing: ``"exponential"`` or ``"linear"``.
        updates_per_rate: Updates at each rate; their losses are averaged.
        schedule: The schedule that the suggestion is for, which takes it as its
            ``max_lr``; None for a constant rate. A rate that comes down in the end can
            peak higher than one that stays.
        stop_early: Whether to stop when the loss has risen (see
            ``keras_lr.finder.judge.ending``); one that is not finite always stops.
        memory_limit: Bytes up to which the copy of the state (the size of the model
            with its optimizer) stays in host memory; a larger one is written to a
            temporary folder of the system.
        verbose: 0 is silent; 1 shows one line with the current rate and loss where
            ``fit`` itself shows none (``verbose=0``), and the verdict.

    Raises:
        ValueError: If an argument is out of range; from ``fit``, before any update, if
            nothing in the model is trainable or the fit has too few updates.

    Example:
        >>> import keras
        >>> import numpy as np
        >>> from keras_lr import LRFinder
        >>> keras.utils.set_random_seed(0)
        >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> x = np.linspace(-1, 1, 256).reshape(256, 1)
        >>> finder = LRFinder(steps=100, verbose=0)
        >>> _ = model.fit(x, 3 * x, batch_size=8, epochs=4, verbose=0,
        ...               callbacks=[finder])
        >>> finder.result.verdict
        'trust'

    Source: Smith 2015, Cyclical Learning Rates, arXiv:1506.01186, sec. 3.3.
    """

    def __init__(
        self,
        min_lr: float = 1e-7,
        max_lr: float = 10.0,
        steps: int = 200,
        *,
        spacing: str = "exponential",
        updates_per_rate: int = 1,
        schedule: Schedule | None = None,
        stop_early: bool = True,
        memory_limit: float = 2**30,
        verbose: int = 1,
    ) -> None:
        super().__init__()
        check_schedule(schedule)
        self._plan = SweepPlan(
            min_lr, max_lr, steps, spacing, updates_per_rate, stop_early
        )
        self.schedule = schedule
        self.memory_limit = memory_limit
        self.verbose = verbose
        self._result: LRFinderResult | None = None
        self._sweep: Sweep | None = None
        self._fit: Callable[[], Any] = _no_fit
        self._told: Callable[[], Any] | None = None

    @property
    def min_lr(self) -> float:
        """First rate."""
        return float(self._plan.min_lr)

    @property
    def max_lr(self) -> float:
        """Last rate."""
        return float(self._plan.max_lr)

    @property
    def steps(self) -> int:
        """Updates of the sweep."""
        return self._plan.steps

    @property
    def spacing(self) -> str:
        """How the rates are spaced."""
        return self._plan.spacing

    @property
    def updates_per_rate(self) -> int:
        """Updates at each rate."""
        return self._plan.updates_per_rate

    @property
    def stop_early(self) -> bool:
        """Whether to stop when the loss has risen."""
        return self._plan.stop_early

    @property
    def result(self) -> LRFinderResult:
        """What the last sweep found.

        Raises:
            RuntimeError: If there has been none, or it failed.
        """
        if self._result is None:
            raise RuntimeError(
                "There is a result only after a sweep. Received: none so far. Call "
                "model.fit(x, y, callbacks=[finder])."
            )
        return self._result

    def values(self, steps: int | None = None) -> FloatArray:
        """The rate of each update of a sweep.

        Args:
            steps: Updates of the sweep; None for what was given.

        Returns:
            float64 array of shape ``(steps,)``.

        Example:
            >>> LRFinder(1.0, 4.0, 40, updates_per_rate=2).values()[[0, 1, 38, 39]]
            array([1., 1., 4., 4.])
        """
        return self._plan.values(self.steps if steps is None else steps)

    def __getstate__(self) -> dict[str, Any]:
        """Arguments and result: a copy takes no part in the fit that this one is in."""
        outside = {"_sweep": None, "_fit": _no_fit, "_told": None}
        return {**vars(self), **outside, "_model": None}

    # Callback hooks.

    def set_model(self, model: Any) -> None:
        """Called by Keras as a fit begins."""
        super().set_model(model)
        processes.check_connected()
        # What an interrupted fit has left behind.
        end_if_left(model)
        self._told = None
        callbacks, held = callers.list_of_fit()
        if callbacks is None:
            return
        for other in callbacks.callbacks:
            if other is not self and isinstance(other, (*MISPLACED, LRFinder)):
                raise ValueError(
                    "A sweep needs a fit of its own. Received: callbacks with a "
                    f"{type(other).__name__} beside the LRFinder. Run the sweep first, "
                    "then train."
                )
        self._fit = weakref.ref(callbacks)
        guard.guard_hooks(callbacks, self._give_back)
        failed = partial(self._give_back, True)
        guarded = partial(guard.guarded, give_back=failed)
        self._told = keras_names.guard_data(held, guarded)

    def on_train_begin(self, logs: Any = None) -> None:
        """Borrow the model."""
        self._result = None
        check_trainable(self.model)
        borrowed = Borrowed(
            self.model,
            self.steps,
            self.memory_limit,
            while_in_fit(self._fit),
            alone=True,
            told=self._told,
        )
        updates = planned(borrowed, self.params, keras_names.first_epoch(self.model))
        processes.check_alike("updates in the fit", updates)
        steps = min(self.steps, updates or self.steps)
        if steps < self._plan.least_updates:
            raise ValueError(
                f"A sweep needs at least {self._plan.least_updates} updates. "
                "Received: a fit of "
                f"{updates}. Give it more epochs or smaller batches."
            )
        shows = bool(self.verbose) and not self.params.get("verbose")
        tells = partial(_tell, steps) if shows else None
        self._sweep = Sweep(self._plan, borrowed, steps, tells)
        try:
            borrowed.begin(self._sweep.rates)
            borrowed.log_rates()
            if self._fit() is not None:
                # The list ends with the fit, however that ends.
                borrowed.end_with(self._fit())
        except BaseException:
            borrowed.give_back()
            raise

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Await the epoch's logs."""
        if self._sweep is not None:
            self._sweep.begin_epoch()

    # Not at the end of a batch: a callback that has that hook makes Keras fetch the
    # logs of every step, which stalls an accelerator.
    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Look at the losses now and then, and stop the fit when they say enough."""
        if self._sweep is not None and self._sweep.look(batch):
            self.model.stop_training = True

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Let the fit go on where the epoch had fewer batches than an execution."""
        if self._sweep is not None and self._sweep.was_cut_short():
            self.model.stop_training = False

    def on_train_end(self, logs: Any = None) -> None:
        """Give everything back and judge."""
        sweep = self._sweep
        self._sweep = None
        if sweep is None:
            return
        try:
            sweep.finish()
        finally:
            sweep.borrowed.give_back()
        judgement = sweep.judgement(FOR_SWEEP)
        self._result = sweep.result(judgement, divisor(self.schedule))
        if self.verbose:
            # In place of the line that was rewritten.
            begin = "\r" if is_rewritten() else ""
            print(f"{begin}{self._result}")

    def _give_back(self, inside: bool) -> None:
        if self._sweep is not None:
            self._sweep.borrowed.fail(inside)


def _tell(steps: int, update: int, rate: float, loss: float) -> None:
    """Show how far the sweep is, on one line that is rewritten."""
    if is_rewritten():
        print(f"\r{sweep_text(update, steps, rate, loss)}", end="   ", flush=True)


def _no_fit() -> None:
    """The list of callbacks of no fit."""


def divisor(schedule: Schedule | None) -> float:
    """What our rule divides by, for a schedule's peak or a constant rate."""
    return TUNING.divisor_down if comes_down(schedule) else TUNING.divisor_stays
