"""Claims of the *LR range test*: sweeps of the finder over models that Keras trains."""

from __future__ import annotations

from functools import cache
from typing import Any

import keras
import numpy as np

import keras_lr
from glossary.lab import Control, Lines, Measurement
from glossary.lab.data import Array
from glossary.lab.data import digits as all_digits

#: Rows that are trained on: whole batches.
ROWS = 1792
#: Updates of a range test.
STEPS = 150
#: Loss that stands for a run that was lost.
LOST = 10.0


@cache
def _digits() -> tuple[Any, Any]:
    """In an order that is drawn once, in single precision."""
    x, y = all_digits()
    order = np.random.default_rng(0).permutation(len(x))
    return x[order].astype("float32"), y[order]


def _dense(units: int, **options: Any) -> Any:
    """A layer that draws no random numbers: its weights are assigned."""
    return keras.layers.Dense(units, kernel_initializer="zeros", **options)


@cache  # compiling takes longer than training
def _net() -> Any:
    """One compiled model of three layers for all seeds."""
    model = keras.Sequential([keras.Input((64,))])
    for _ in range(2):
        model.add(_dense(32))
        model.add(keras.layers.ReLU())
    model.add(_dense(10))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(), loss)
    return model


def _fresh(seed: int) -> Any:
    """The model with the weights of a seed; plain SGD remembers nothing."""
    model = _net()
    rng = np.random.default_rng(seed)
    for variable in model.variables:
        if len(variable.shape) == 2:
            scale = np.sqrt(2 / variable.shape[0])
            variable.assign(rng.normal(0, scale, variable.shape))
        else:
            variable.assign(np.zeros(variable.shape))
    return model


def _train(seed: int, rate: float, epochs: int) -> Array:
    """Mean training loss of each epoch."""
    model = _fresh(seed)
    x, y = _digits()
    model.optimizer.learning_rate = rate
    order = np.random.default_rng(seed).permutation(len(x))[:ROWS]
    history = model.fit(
        x[order], y[order], batch_size=32, epochs=epochs, verbose=0, shuffle=False
    )
    losses = np.nan_to_num(np.array(history.history["loss"]), nan=LOST, posinf=LOST)
    cut: Array = np.minimum(losses, LOST)
    return cut


def _sweep(seed: int, draw: int = 0) -> Any:
    """Result of a range test in batches of 32, drawn in one of several orders."""
    model = _fresh(seed)
    x, y = _digits()
    finder = keras_lr.LRFinder(1e-4, 10.0, steps=STEPS, verbose=0)
    order = np.random.default_rng(seed + 1000 * draw).permutation(len(x))[:ROWS]
    rows = np.resize(order, STEPS * 32)  # more epochs would take longer
    model.fit(
        x[rows], y[rows], batch_size=32, verbose=0, callbacks=[finder], shuffle=False
    )
    return finder.result


def _regret(loss: float, best: float) -> float:
    """What is lost of what can be learned, from the loss of guessing down."""
    return (loss - best) / (float(np.log(10)) - best)


def trains(seed: int) -> Measurement:
    """Regret of the learning rate that one sweep of the finder suggests.

    Of 0.1, 0.3, 0.6 and 1, 0.3 is the best constant rate of this net.
    """
    result = _sweep(seed)
    if not result.suggestion:  # too noisy to say anything: swept once more
        result = _sweep(seed, draw=1)
    best = _train(seed, 0.3, 5)
    suggested = _train(seed, result.suggestion or 1e-9, 5)
    low = _train(seed, 0.003, 5)
    shown = Lines(
        x=np.arange(1, 6),
        ys={
            "best constant rate, 0.3": best,
            "rate of the range test": suggested,
            "a hundredth of the best": low,
        },
        x_label="epoch",
        y_label="cross-entropy, nats",
        log="y",
    )
    best_end = float(best[-1])
    suggests = Control(bool(result.suggestion), f"The sweep says: {result.verdict}.")
    matters = Control(
        _regret(float(low[-1]), best_end) > 0.6, "Any learning rate trains as much."
    )
    return Measurement(
        measured=_regret(float(suggested[-1]), best_end),
        panels=(shown,),
        seen="The learning rate of the range test comes near to the best constant one; "
        "a hundredth of the best is far behind.",
        controls=(suggests, matters),
    )


@cache
def _linear(size: int) -> Any:
    model = keras.Sequential([keras.Input((size,)), _dense(1, use_bias=False)])
    model.compile("sgd", "mse")
    return model


def finds_the_edge(seed: int) -> Measurement:
    """Learning rate of the lowest loss of a sweep, over that from which it diverges.

    Least squares in whole batches: the edge is 2 over the largest curvature.
    """
    rng = np.random.default_rng(seed)
    x = (rng.normal(size=(256, 32)) * np.geomspace(0.3, 3, 32)).astype("float32")
    y = x @ rng.normal(size=(32, 1)).astype("float32")
    edge = 2 / float(np.linalg.eigvalsh(2 * x.T @ x / len(x))[-1])
    model = _linear(32)
    model.layers[-1].kernel.assign(np.zeros((32, 1)))
    finder = keras_lr.LRFinder(edge / 1e4, 1e3 * edge, steps=STEPS, verbose=0)
    rows = np.tile(np.arange(256), STEPS)  # an epoch each would take longer
    model.fit(
        x[rows], y[rows], batch_size=256, verbose=0, callbacks=[finder], shuffle=False
    )
    result = finder.result
    losses = np.full(STEPS, np.nan)  # the sweep stops when the loss has risen
    losses[: len(result.losses)] = result.losses
    losses[losses > 4 * result.losses[0]] = np.nan
    lowest = float(result.lrs[np.nanargmin(result.smoothed)]) / edge
    shown = Lines(
        x=np.array(finder.values()) / edge,
        ys={"loss during the sweep": losses},
        x_label="learning rate over the edge",
        y_label="squared error",
        log="xy",
    )
    learns = Control(
        bool(np.nanmin(result.smoothed) < 0.95 * result.losses[0]),
        "The sweep learns at no rate.",
    )
    return Measurement(
        measured=lowest,
        panels=(shown,),
        seen="The loss falls until the learning rate has passed the edge at 1, and "
        "only then turns up: each rate lasts for one update alone.",
        controls=(learns,),
    )
