"""Ctrl-C at random moments of a fit with a schedule, of a sweep, and of a search."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import Any

import keras
import numpy as np

import keras_lr
from tests.faults.counting import FAULT, WHOLE, Amounts, Outcome
from tests.faults.states import (
    BATCH,
    awaited,
    data,
    left_in,
    model_of,
    temporary_files,
)
from tests.kit.sweeps import everything, outside

#: So many interrupts fall into one model; then another one, whose step compiles anew.
LIVES = 4


@dataclass(frozen=True)
class Training:
    """What is interrupted.

    Attributes:
        kind: What the table calls it.
        run: Does it with a model.
        gives_back: Whether all comes back, weights as well.
    """

    kind: str
    run: Callable[[Any, random.Random], None]
    gives_back: bool


class Interrupt:
    """Ctrl-C at a moment, unless what it is for has ended before."""

    def __init__(self) -> None:
        self.has_hit = False
        self._is_armed = False

    def __enter__(self) -> Interrupt:
        self._former = signal.signal(signal.SIGINT, self._handle)
        return self

    def __exit__(self, *error: object) -> None:
        signal.signal(signal.SIGINT, self._former)

    def during(self, run: Callable[[], None], seconds: float) -> None:
        """Call a function, and interrupt it after so many seconds."""
        self.has_hit = False
        timer = threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGINT))
        timer.daemon = True
        try:
            self._is_armed = True
            timer.start()
            run()
        except KeyboardInterrupt:
            pass
        finally:
            self._is_armed = False
            timer.cancel()

    def _handle(self, number: int, frame: Any) -> None:
        if self._is_armed:
            self._is_armed = False
            self.has_hit = True
            raise KeyboardInterrupt


def _fit(model: Any, generator: random.Random) -> None:
    schedules = [keras_lr.OneCycle(max_lr=0.02), keras_lr.Plateau("loss")]
    x, y = data()
    callbacks = [generator.choice(schedules)]
    model.fit(x, y, batch_size=BATCH, epochs=4, verbose=0, callbacks=callbacks)


def _sweep(model: Any, generator: random.Random) -> None:
    finder = keras_lr.LRFinder(
        1e-4, 0.1, 60, memory_limit=generator.choice([10, 2**30]), verbose=0
    )
    x, y = data()
    model.fit(x, y, batch_size=BATCH, epochs=3, verbose=0, callbacks=[finder])


def _race(model: Any, generator: random.Random) -> None:
    x, y = data(25)
    limit = generator.choice([10, 2**30])
    keras_lr.find_lr(
        model, x, y, batch_size=BATCH, budget=150, verbose=0, memory_limit=limit
    )


TRAININGS = (
    Training("Ctrl-C in a fit", _fit, False),
    Training("Ctrl-C in a sweep", _sweep, True),
    Training("Ctrl-C in find_lr", _race, True),
)


def try_all(amounts: Amounts, generator: random.Random) -> Iterator[Outcome]:
    """Interrupt each of them so many times, and count those that were hit."""
    with Interrupt() as interrupt:
        # In turn: a run that is cut has some of each.
        rounds = zip(
            *[_try_often(training, interrupt, generator) for training in TRAININGS],
            strict=True,
        )
        for outcomes in islice(rounds, amounts.interrupts // len(TRAININGS)):
            yield from outcomes


def _try_often(
    training: Training, interrupt: Interrupt, generator: random.Random
) -> Iterator[Outcome]:
    """Interrupt it again and again; those that come too late do not count."""
    model = model_of()
    seconds = _seconds(training, model, generator)
    # Of a new model the step is compiled, which takes longer; this one has its own.
    longest = seconds[1]
    while True:
        for _ in range(LIVES):
            moment = generator.uniform(0.0, longest)
            longest = seconds[1]
            outcome = _try(training, model, interrupt, moment, generator)
            if outcome is not None:
                yield outcome
            if outcome is not None and outcome.verdict == FAULT:
                break
        model = model_of()
        longest = seconds[0]


def _seconds(
    training: Training, model: Any, generator: random.Random
) -> tuple[float, float]:
    """How long it takes the first time, and the next."""
    taken = []
    for _ in range(2):
        begun = time.monotonic()
        training.run(model, generator)
        taken.append(time.monotonic() - begun)
    return taken[0], taken[1]


def _try(
    training: Training,
    model: Any,
    interrupt: Interrupt,
    moment: float,
    generator: random.Random,
) -> Outcome | None:
    """What came of an interrupt; None if it came too late."""
    rate = float(model.optimizer.learning_rate)
    before = everything(model)
    shape = outside(model)
    with temporary_files() as folder:
        interrupt.during(lambda: training.run(model, generator), moment)
        if not interrupt.has_hit:
            return None
        if training.gives_back:
            lost = awaited(model, before, shape)
        else:
            lost = _lost_of_fit(model, rate, shape)
        lost += left_in(folder)
    place = f"after {moment:.3f} s"
    return Outcome(training.kind, place, FAULT if lost else WHOLE, "; ".join(lost))


def _lost_of_fit(model: Any, rate: float, shape: Any) -> list[str]:
    """What an interrupted fit has lost: all but the weights is as it was."""
    lost = awaited(model, {}, shape)
    if not lost and float(model.optimizer.learning_rate) != rate:
        lost.append(f"its rate is {float(model.optimizer.learning_rate)}")
    if not lost:
        lost += _lost_of_next_fit(model)
    return lost


def _lost_of_next_fit(model: Any) -> list[str]:
    """Whether the next fit is to the bit that of another model with the same state."""
    twin = _twin()
    for mine, its in zip(_variables(twin), _variables(model), strict=True):
        mine.assign(keras.ops.convert_to_numpy(its))
    x, y = data(5)
    for one in (model, twin):
        keras.utils.set_random_seed(1)
        one.fit(x, y, batch_size=BATCH, verbose=0, shuffle=False)
    pairs = zip(_variables(model), _variables(twin), strict=True)
    values = [tuple(map(keras.ops.convert_to_numpy, pair)) for pair in pairs]
    if all(np.array_equal(*pair) for pair in values):
        return []
    return ["the next fit is not that of a new model with the same state"]


@cache
def _twin() -> Any:
    """Another model of the same kind, which nobody interrupts."""
    return model_of()


def _variables(model: Any) -> list[Any]:
    """Its state, metrics aside, each once."""
    every = [*model.variables, *model.optimizer.variables]
    return list({id(one): one for one in every}.values())
