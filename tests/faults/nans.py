"""NaN in a random batch: a fit trains as it would without us, a sweep gives back."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np

import keras_lr
from tests.faults.counting import ERROR, FAULT, WHOLE, Amounts, Outcome
from tests.faults.states import BATCH, awaited, data, left_in, model_of, temporary_files
from tests.kit.sweeps import everything, outside

#: What errors say that are meant to be read.
CLEAR = "Received: "


def try_all(amounts: Amounts, generator: random.Random) -> Iterator[Outcome]:
    """A value that is not a number in a random row, of the inputs or the targets."""
    model = model_of()
    for _ in range(amounts.rounds):
        for run in (_fit, _sweep, _search):
            x, y = data(25)
            spoilt = generator.choice([x, y])
            row = generator.randrange(len(spoilt))
            spoilt[row] = generator.choice([np.nan, np.inf])
            name = "inputs" if spoilt is x else "targets"
            outcome = run(model, x, y, f"batch {row // BATCH} of the {name}")
            yield outcome
            if outcome.verdict == FAULT:
                model = model_of()


def _fit(model: Any, x: Any, y: Any, place: str) -> Outcome:
    """Beside a fit without a schedule, and one whose factor is 1."""
    states = []
    for callbacks in ([], [keras_lr.Function(lambda step: 1.0)]):
        trained = model_of()
        keras.utils.set_random_seed(1)
        trained.fit(x, y, batch_size=BATCH, verbose=0, callbacks=callbacks)
        states.append(everything(trained))
    # Names count the models of a process.
    changed = [
        name
        for (name, value), other in zip(
            states[0].items(), states[1].values(), strict=True
        )
        if not np.array_equal(value, other, equal_nan=True)
    ]
    said = f"not as in a plain fit: {changed}" if changed else ""
    return Outcome("NaN in a fit", place, FAULT if changed else WHOLE, said)


def _sweep(model: Any, x: Any, y: Any, place: str) -> Outcome:
    def run() -> None:
        finder = keras_lr.LRFinder(1e-4, 0.1, 40, verbose=0)
        options = {"batch_size": BATCH, "epochs": 2, "verbose": 0, "shuffle": False}
        model.fit(x, y, callbacks=[finder], **options)

    return given_back(model, "NaN in a sweep", place, run)


def _search(model: Any, x: Any, y: Any, place: str) -> Outcome:
    def run() -> None:
        keras_lr.find_lr(model, x, y, batch_size=BATCH, budget=200, verbose=0)

    return given_back(model, "NaN in find_lr", place, run)


def given_back(
    model: Any, kind: str, place: str, run: Callable[[], None], clear: str = CLEAR
) -> Outcome:
    """What came of something that gives all back, or raises in words and gives back.

    Args:
        model: The model.
        kind: What the table calls it.
        place: Where it was hit.
        run: Does it.
        clear: What an error says that is meant to be read.
    """
    before = everything(model)
    shape = outside(model)
    verdict = WHOLE
    said = ""
    with temporary_files() as folder:
        try:
            run()
        except Exception as error:
            said = f"{type(error).__name__}: {error}"
            verdict = ERROR if clear in said else FAULT
        lost = awaited(model, before, shape) + left_in(folder)
    if lost:
        return Outcome(kind, place, FAULT, "; ".join([said, *lost]))
    return Outcome(kind, place, verdict, said)
