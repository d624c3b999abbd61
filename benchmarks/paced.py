"""Fits that stand still at the begin of every epoch until they are let on.

So a round compares epochs of one moment on one machine, all of them compiled. Two fits
of the same thing can differ for good by some percent (where their memory lies); hence
several fits of each way, and a second one of the baseline, which shows what is noise.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

import keras

from benchmarks.turns import (
    Clock,
    Prepare,
    Turns,
    joined,
    message_of,
    now,
    take_turns,
)

#: Called at the begin of each epoch; returns when that may begin.
Pause = Callable[[], None]
#: A whole training, which calls what it is given at the begin of each epoch.
Work = Callable[[Pause], None]
#: Makes a training of so many epochs.
Start = Callable[[int], Work]
#: Epochs that compile and fill the caches. One more, the last, ends the fit.
WARM_UP = 2
LAST = 1


class Paced:
    """A training in a thread of its own, which runs while an epoch is asked for."""

    def __init__(self, work: Work) -> None:
        self._arrived = threading.Semaphore(0)
        self._go = threading.Semaphore(0)
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, args=(work,), daemon=True)
        self._thread.start()
        self._wait()

    def epoch(self) -> None:
        """Run one epoch, from its begin to the begin of the next."""
        self._go.release()
        self._wait()

    def _pause(self) -> None:
        self._arrived.release()
        self._go.acquire()

    def _run(self, work: Work) -> None:
        try:
            work(self._pause)
        except BaseException as error:
            self._error = error
        self._arrived.release()

    def _wait(self) -> None:
        self._arrived.acquire()
        if self._error is not None:
            raise self._error


class Gate(keras.callbacks.Callback):
    """Has a fit of Keras pause before each epoch."""

    def __init__(self, pause: Pause) -> None:
        super().__init__()
        self._pause = pause

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Wait to be let on."""
        self._pause()


def in_turns(
    starts: Mapping[str, Start], rounds: int, fits: int, clock: Clock = now
) -> tuple[Turns, Turns]:
    """Time the epochs of trainings that take turns.

    Args:
        starts: By name of the way.
        rounds: Epochs of each fit that count.
        fits: Of each way; each begins anew.
        clock: Read before and after each epoch.

    Returns:
        The epochs that count, and the first ones, which compile.
    """
    whole = [_one_fit_each(starts, rounds, clock, seed) for seed in range(fits)]
    counted = joined([turns.between(WARM_UP, LAST) for turns in whole])
    first = joined([turns.between(0, WARM_UP + rounds + LAST - 1) for turns in whole])
    return counted, first


def _one_fit_each(
    starts: Mapping[str, Start], rounds: int, clock: Clock, seed: int
) -> Turns:
    epochs = WARM_UP + rounds + LAST
    prepares: dict[str, Prepare] = {}
    errors: dict[str, str] = {}
    for name, start in starts.items():
        try:
            prepares[name] = _epochs_of(Paced(start(epochs)))
        except Exception as error:
            errors[name] = message_of(error)
    turns = take_turns(prepares, epochs, clock, seed)
    return Turns(turns.readings, {**errors, **turns.errors})


def _epochs_of(fit: Paced) -> Prepare:
    return lambda: fit.epoch
