"""What rates, schedules and the finder do to nets that Keras trains, on the digits."""

from __future__ import annotations

from functools import cache
from typing import Any

import keras
import numpy as np

import keras_lr
from keras_lr.demos.mechanisms import _lines

#: Rows that are trained on: whole batches.
ROWS = 1792
#: Updates of a range test.
STEPS = 150


def _numpy(value: Any) -> Any:
    return np.array(keras.ops.convert_to_numpy(value))


@cache
def _digits() -> tuple[Any, Any]:
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(x))
    return (x[order] / 16).astype("float32"), y[order]


def _dense(units: int, **options: Any) -> Any:
    """A layer that draws no random numbers: its weights are assigned."""
    return keras.layers.Dense(units, kernel_initializer="zeros", **options)


@cache
def _net(layers: int, optimizer: str, norm: bool = False) -> tuple[Any, Any]:
    """One compiled model for all seeds: compiling takes longer than training."""
    model = keras.Sequential([keras.Input((64,))])
    for _ in range(layers - 1):
        model.add(_dense(32, use_bias=not norm))
        if norm:
            model.add(keras.layers.BatchNormalization())
        model.add(keras.layers.ReLU())
    model.add(_dense(10))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    made = {
        "adam": keras.optimizers.Adam(),
        "momentum": keras.optimizers.SGD(momentum=0.9),
        "sgd": keras.optimizers.SGD(),
    }[optimizer]
    model.compile(made, loss)
    made.build(model.trainable_variables)
    return model, [np.array(one) for one in made.variables]


def _fresh(seed: int, made: Any) -> Any:
    """The model with the weights of a seed and an optimizer at its beginning."""
    (model, slots), rng = made, np.random.default_rng(seed)
    for variable in model.variables:
        if len(variable.shape) == 2:
            scale = np.sqrt(2 / variable.shape[0])
            variable.assign(rng.normal(0, scale, variable.shape))
        else:
            ones = variable.name in ("gamma", "moving_variance")
            variable.assign(np.full(variable.shape, float(ones)))
    for variable, value in zip(model.optimizer.variables, slots, strict=True):
        variable.assign(value)
    return model


def _train(
    seed: int, made: Any, rate: float, epochs: int, *callbacks: Any, batch: int = 32
) -> Any:
    """Mean training loss of each epoch, at most 10, which stands for a lost run."""
    model, (x, y) = _fresh(seed, made), _digits()
    model.optimizer.learning_rate = rate
    order = np.random.default_rng(seed).permutation(len(x))[:ROWS]
    history = model.fit(
        x[order], y[order], batch_size=batch, epochs=epochs, verbose=0,
        callbacks=list(callbacks), shuffle=False,
    )  # fmt: skip
    losses = np.nan_to_num(np.array(history.history["loss"]), nan=10, posinf=10)
    return np.minimum(losses, 10.0)


def _sweep(seed: int, made: Any, batch: int = 32) -> Any:
    """A range test of the finder."""
    model, (x, y) = _fresh(seed, made), _digits()
    order = np.random.default_rng(seed).permutation(len(x))
    finder = keras_lr.LRFinder(1e-5, 10.0, steps=STEPS, verbose=0)
    epochs = -(-STEPS // (len(x) // batch))
    model.fit(
        x[order], y[order], batch_size=batch, epochs=epochs, verbose=0,
        callbacks=[finder], shuffle=False,
    )  # fmt: skip
    return finder.result


def _regret(loss: float, best: float) -> float:
    """What is lost of what can be learned, from the loss of guessing down."""
    return (loss - best) / (float(np.log(10)) - best)


def _warmed(seed: int, layers: int, rate: float, length: str) -> dict[str, Any]:
    made = _net(layers, "adam")
    runs = {
        "constant": _train(seed, made, rate, 5),
        "warmup": _train(seed, made, rate, 5, keras_lr.Warmup(length)),
    }
    figure = _lines("epoch", np.arange(1, 6), runs, "loss", "y")
    return {"measured": float(runs["warmup"][-1] / runs["constant"][-1]), **figure}


def warmup_helps_deep_nets(seed: int) -> dict[str, Any]:
    """Final loss of Adam on ten layers at a rate near the edge, with over without."""
    return _warmed(seed, 10, 0.03, "2 epochs")


def warmup_on_an_easy_task(seed: int) -> dict[str, Any]:
    """The same on three layers at the default rate."""
    return _warmed(seed, 3, 0.001, "5%")


def one_cycle_is_lower(seed: int) -> dict[str, Any]:
    """Final loss of the better of two peaks over that of the best constant rate."""
    made, nothing = _net(3, "momentum"), float("nan")
    rates = (0.02, 0.05, 0.1)
    constant = [float(_train(seed, made, rate, 5)[-1]) for rate in rates]
    cycle = [
        float(_train(seed, made, rate, 5, keras_lr.OneCycle(max_lr=rate))[-1])
        for rate in rates[1:]
    ]
    ends = {"constant": constant, "one-cycle": [nothing, *cycle]}
    figure = _lines("rate, or peak", rates, ends, "loss after 5 epochs", "xy")
    return {"measured": min(cycle) / min(constant), **figure}


def cyclical_needs_no_tuning(seed: int) -> dict[str, Any]:
    """Regret of a rate that cycles below the edge, against the best constant rate."""
    made, rates = _net(3, "sgd"), (0.03, 0.1, 0.3)
    ends = [float(_train(seed, made, rate, 6)[-1]) for rate in rates]
    cyclical = keras_lr.CyclicalLR(max_lr=0.3, min_lr=0.01, half_cycle="0.5 epochs")
    end = float(_train(seed, made, 0.1, 6, cyclical)[-1])
    ys = {"constant": ends, "cyclical from 0.01 to 0.3": [end] * len(rates)}
    figure = _lines("learning rate", rates, ys, "loss after 6 epochs", "xy")
    return {"measured": _regret(end, min(ends)), **figure}


def range_test_trains(seed: int) -> dict[str, Any]:
    """Regret of the rate that one sweep of the finder suggests."""
    made, rates = _net(3, "sgd"), (0.03, 0.1, 0.3)
    found = _sweep(seed, made)
    rate = found.suggestion or float("nan")
    ends = [float(_train(seed, made, one, 6)[-1]) for one in rates]
    own = float(_train(seed, made, found.suggestion or 1e-9, 6)[-1])
    ys = {"constant": ends, "at the rate of the range test": [own] * len(rates)}
    figure = _lines("learning rate", rates, ys, "loss after 6 epochs", "xy")
    reason = "" if np.isfinite(rate) else f"The sweep says: {found.verdict}."
    return {"measured": _regret(own, min(ends)), "inconclusive": reason, **figure}


def norm_bears_more(seed: int) -> dict[str, Any]:
    """Rate of the range test's lowest loss with batch normalization, over without."""
    found = {
        name: _sweep(seed, _net(5, "sgd", norm=name == "with"), 128)
        for name in ("without", "with")
    }
    lowest = [one.suggestions.get("zero_lag", np.nan) for one in found.values()]
    # A sweep that has ended is drawn at the cap.
    rates = keras_lr.LRFinder(1e-5, 10.0, steps=STEPS).values()
    ys = {name: np.full(STEPS, 3.0) for name in found}
    for name, one in found.items():
        ys[name][: len(one.losses)] = np.minimum(np.nan_to_num(one.losses, nan=3), 3)
    plain = found["without"]
    learns = np.nanmin(plain.smoothed) < 0.95 * plain.losses[0]
    reason = "" if learns else "The plain net learns at no rate."
    figure = _lines("learning rate", rates, ys, "loss, at most 3", "x")
    return {"measured": lowest[1] / lowest[0], "inconclusive": reason, **figure}


def _bars(labels: list[str], changes: list[float]) -> dict[str, Any]:
    figure = {
        "kind": "bars", "y": ["change"], "labels": labels, "x_label": "",
        "y_label": "largest change", "log": "y",
    }  # fmt: skip
    return {"data": {"change": np.maximum(changes, 1e-9)}, "figure": figure}


def norm_at_inference(seed: int) -> dict[str, Any]:
    """Change of one example's output with its company, at inference and in training."""
    x, _ = _digits()
    layer = keras.layers.BatchNormalization()
    others = np.random.default_rng(seed).integers(1, len(x), (9, 31))
    rows = [np.r_[0, one] for one in others]
    layer.build((None, 64))

    def change(training: bool) -> float:
        outs = [_numpy(layer(x[row], training=training))[0] for row in rows]
        return float(np.abs(np.array(outs) - outs[0]).max())

    changes = [change(False), change(True)]
    figure = _bars(["inference", "training"], changes)
    reason = "" if changes[1] > 0.1 else "It does not depend on it in training either."
    return {"measured": changes[0], "inconclusive": reason, **figure}


def adapter_leaves_the_base(seed: int) -> dict[str, Any]:
    """Largest change of a frozen layer while an adapter is trained behind it."""
    (x, y), width = _digits(), 32
    base = _dense(width, activation="relu")
    inputs = keras.Input((64,))
    hidden = base(inputs)
    down = _dense(4, activation="relu")
    up = _dense(width)
    head = _dense(10)
    model = keras.Model(inputs, head(hidden + up(down(hidden))))
    base.trainable = False
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.01), loss)
    rng = np.random.default_rng(seed)
    for layer in (base, down, head):
        layer.kernel.assign(rng.normal(0, 0.2, layer.kernel.shape))
    layers = {"frozen": base.kernel, "adapter": up.kernel}
    before = {k: _numpy(v) for k, v in layers.items()}
    model.fit(x[:640], y[:640], batch_size=32, verbose=0, shuffle=False)
    changes = [float(np.abs(_numpy(v) - before[k]).max()) for k, v in layers.items()]
    figure = _bars(list(layers), changes)
    reason = "" if changes[1] > 1e-3 else "The adapter did not learn either."
    return {"measured": changes[0], "inconclusive": reason, **figure}
