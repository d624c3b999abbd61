"""How often fits in a row trace the step, and whether their rates are those asked for.

The model has one weight, and its loss is that weight times its input, 1, 2, 3, ...:
update t of plain SGD lowers it by exactly t times the rate in force. So a fit tells by
how much it went down whether its updates had the rates that were asked for. Five fits
of one model: under three schedules, without one, and under the first once more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

import keras_lr
from benchmarks.figures import BACKENDS, Figure
from benchmarks.nets import Counted
from benchmarks.turns import message_of
from keras_lr import phases

OURS = "schedules of keras_lr"
COMPILED_ANEW = "Keras' schedules, compiled anew for each fit"
ASSIGNED = "Keras' schedules, assigned to the optimizer"
NAIVE = "callback that sets the rate at each batch"
PEAK = 0.01
SIZES = {"quick": 4, "default": 16, "full": 16}
#: Relative; a schedule that is ignored is far off.
EXACT = 1e-4


@dataclass(frozen=True)
class Asked:
    """What a fit is asked to train at.

    Attributes:
        name: Of the schedule, or of none.
        rates: Of each update.
        ours: Callbacks that do so.
        theirs: What Keras' optimizer takes for it.
    """

    name: str
    rates: Any
    ours: list[Any]
    theirs: Any


def weights(updates: int) -> Any:
    """What each update counts; else courses of the same mean would look the same."""
    return np.arange(1.0, updates + 1)


class Loss(keras.losses.Loss):
    """What the model gives, whatever is wanted."""

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """The prediction."""
        return y_pred


class FromList(keras.callbacks.Callback):
    """Sets the rate of each batch from a list."""

    def __init__(self, rates: Any) -> None:
        super().__init__()
        self.rates = rates

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Set the rate of this batch."""
        self.model.optimizer.learning_rate = float(self.rates[batch])


def asked_of(updates: int) -> list[Asked]:
    """Five fits of so many updates."""
    own = keras.optimizers.schedules
    steps = np.arange(updates)
    cosine = Asked(
        "cosine",
        PEAK * 0.5 * (1 + np.cos(np.pi * steps / updates)),
        [
            keras_lr.Schedule(
                phases.cosine(start=1.0, to=0.0, endpoint=False), max_lr=PEAK
            )
        ],
        own.CosineDecay(PEAK, updates),
    )
    line = Asked(
        "linear",
        PEAK * (1 - steps / updates),
        [
            keras_lr.Schedule(
                phases.linear(start=1.0, to=0.0, endpoint=False), max_lr=PEAK
            )
        ],
        own.PolynomialDecay(PEAK, updates, end_learning_rate=0.0),
    )
    exponential = Asked(
        "exponential",
        PEAK * 0.1 ** (steps / updates),
        [keras_lr.ExponentialDecay(max_lr=PEAK, rate=0.1, every=updates)],
        own.ExponentialDecay(PEAK, updates, 0.1),
    )
    plain = Asked("none", np.full(updates, PEAK), [], PEAK)
    return [cosine, line, exponential, plain, cosine]


def probe() -> Any:
    """One weight, which plain SGD lowers by the rate times the input."""
    layer = keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")
    model = Counted([keras.Input((1,)), layer])
    model.compile(keras.optimizers.SGD(PEAK), Loss())
    model.optimizer.build(model.trainable_variables)
    return model


def lowered(model: Any, updates: int, callbacks: Sequence[Any]) -> float:
    """By how much a fit lowers the weight."""
    rows = weights(updates).astype("float32")[:, None]
    before = float(model.get_weights()[0][0, 0])
    model.fit(
        rows,
        rows,
        batch_size=1,
        shuffle=False,
        verbose=0,
        callbacks=list(callbacks),
    )
    return before - float(model.get_weights()[0][0, 0])


def by_callbacks(model: Any, asked: Asked) -> float:
    """Under ours."""
    return lowered(model, len(asked.rates), asked.ours)


def by_compiling(model: Any, asked: Asked) -> float:
    """With a new optimizer, which begins anew with everything."""
    model.compile(keras.optimizers.SGD(asked.theirs), Loss())
    model.optimizer.build(model.trainable_variables)
    return lowered(model, len(asked.rates), [])


def by_assigning(model: Any, asked: Asked) -> float:
    """With the same optimizer, whose count is set back, since schedules read it."""
    model.optimizer.learning_rate = asked.theirs
    model.optimizer.iterations.assign(0)
    return lowered(model, len(asked.rates), [])


def by_naive_callback(model: Any, asked: Asked) -> float:
    """From a list."""
    return lowered(model, len(asked.rates), [FromList(asked.rates)])


WAYS: dict[str, Callable[[Any, Asked], float]] = {
    OURS: by_callbacks,
    COMPILED_ANEW: by_compiling,
    ASSIGNED: by_assigning,
    NAIVE: by_naive_callback,
}


def measure(size: str) -> list[Figure]:
    """A row for each way."""
    updates = SIZES[size]
    table = f"five fits of one model, {BACKENDS[keras.backend.backend()]}"
    return [
        figure
        for name, fit in WAYS.items()
        for figure in _row(table, name, fit, updates)
    ]


def _row(
    table: str, name: str, fit: Callable[[Any, Asked], float], updates: int
) -> list[Figure]:
    model = probe()
    traces: list[str] = []
    wrong: list[str] = []
    errors: list[str] = []
    for number, asked in enumerate(asked_of(updates), start=1):
        before = model.traced
        try:
            total = fit(model, asked)
        except Exception as error:
            traces.append("-")
            errors.append(f"fit {number}: {message_of(error)}")
            continue
        traces.append(str(model.traced - before))
        wanted = float(weights(updates) @ asked.rates)
        if abs(total - wanted) > EXACT * wanted:
            wrong.append(f"{number} ({asked.name}: off by {total / wanted - 1:+.0%})")
    if keras.backend.backend() == "torch":
        traces = ["nothing is compiled"]
    right = f"no: fits {', '.join(wrong)}" if wrong else "yes"
    figures = [
        Figure(table, name, "traces of fits 1 to 5", text=", ".join(traces)),
        Figure(table, name, "trained at the rates asked for", text=right),
    ]
    if errors:
        figures.append(Figure(table, name, "failed", error="; ".join(errors)))
    return figures
