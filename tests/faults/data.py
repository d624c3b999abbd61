"""Data that end early, change their shape, or raise, at a random batch."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

import keras_lr
from tests.faults.counting import ERROR, FAULT, WHOLE, Amounts, Outcome
from tests.faults.nans import given_back
from tests.faults.states import BATCH, awaited, data, model_of
from tests.kit.sweeps import outside

#: Batches that an epoch is to have.
STEPS = 20
BROKEN = "the data broke off"


class Broken(Exception):
    """What data raise here."""


@dataclass(frozen=True)
class Trouble:
    """What happens to the data.

    Attributes:
        name: What it is called.
        change: Makes other rows of a batch, or raises.
        errors: What errors say that it may lead to: ours, or what the same fit without
            us says.
    """

    name: str
    change: Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
    errors: tuple[str, ...]


def _end(x: np.ndarray, y: np.ndarray) -> Any:
    raise StopIteration


def _break(x: np.ndarray, y: np.ndarray) -> Any:
    raise Broken(BROKEN)


TROUBLES = (
    Trouble("end", _end, ("Received: ",)),
    Trouble("raise", _break, (BROKEN,)),
    Trouble("have fewer rows", lambda x, y: (x[:1], y[:1]), ("Received: ",)),
    Trouble(
        "have other columns",
        lambda x, y: (x[:, :3], y),
        # Of Keras, and of TensorFlow for what a generator may give.
        ("incompatible", "expected axis -1", "shape"),
    ),
)


def try_all(amounts: Amounts, generator: random.Random) -> Iterator[Outcome]:
    """Each trouble in a fit, in a sweep and in a search, at a random batch."""
    model = model_of()
    for _ in range(amounts.rounds):
        for trouble in TROUBLES:
            at = generator.randrange(2 * STEPS)
            for run in (_fit, _sweep, _search):
                outcome = run(model, trouble, at)
                yield outcome
                if outcome.verdict == FAULT:
                    model = model_of()


class Feed:
    """Batches as a generator, one of which has its trouble; from there on, all have."""

    def __init__(self, trouble: Trouble, at: int) -> None:
        self._trouble = trouble
        self._at = at

    def __iter__(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        x, y = data(STEPS)
        for number in range(100 * STEPS):
            rows = slice(BATCH * (number % STEPS), BATCH * (number % STEPS + 1))
            batch = (x[rows], y[rows])
            if number == self._at:
                try:
                    batch = self._trouble.change(*batch)
                except StopIteration:
                    return
            yield batch


def _fit(model: Any, trouble: Trouble, at: int) -> Outcome:
    kind = "data that change or end, in a fit"
    place = f"{trouble.name} at batch {at}"
    shape = outside(model)
    verdict = WHOLE
    said = ""
    try:
        model.fit(
            iter(Feed(trouble, at)),
            steps_per_epoch=STEPS,
            epochs=2,
            verbose=0,
            shuffle=False,
            callbacks=[keras_lr.OneCycle(max_lr=0.02)],
        )
    except Exception as error:
        said = f"{type(error).__name__}: {error}"
        verdict = ERROR if any(one in said for one in trouble.errors) else FAULT
    lost = awaited(model, {}, shape)
    if lost:
        return Outcome(kind, place, FAULT, "; ".join([said, *lost]))
    return Outcome(kind, place, verdict, said)


def _sweep(model: Any, trouble: Trouble, at: int) -> Outcome:
    def run() -> None:
        finder = keras_lr.LRFinder(1e-4, 0.1, 30, verbose=0)
        options = {"steps_per_epoch": STEPS, "epochs": 2, "verbose": 0}
        batches = iter(Feed(trouble, at))
        model.fit(batches, callbacks=[finder], shuffle=False, **options)

    return _given_back(model, "data that change or end, in a sweep", trouble, at, run)


def _search(model: Any, trouble: Trouble, at: int) -> Outcome:
    def run() -> None:
        keras_lr.find_lr(model, iter(Feed(trouble, at)), budget=200, verbose=0)

    return _given_back(model, "data that change or end, in find_lr", trouble, at, run)


def _given_back(
    model: Any, kind: str, trouble: Trouble, at: int, run: Callable[[], None]
) -> Outcome:
    place = f"{trouble.name} at batch {at}"
    outcome = given_back(model, kind, place, run)
    is_clear = any(one in outcome.said for one in trouble.errors)
    # What it says of its own, all given back, may be Keras' own words.
    if outcome.verdict == FAULT and is_clear and "; " not in outcome.said:
        return Outcome(kind, place, ERROR, outcome.said)
    return outcome
