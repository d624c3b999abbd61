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


def _sweep(
    seed: int, made: Any, batch: int, low: float = 1e-4, updates_per_rate: int = 1
) -> Any:
    """A range test of the finder."""
    model, (x, y) = _fresh(seed, made), _digits()
    steps = STEPS if updates_per_rate == 1 else 100 * updates_per_rate
    finder = keras_lr.LRFinder(
        low, 10.0, steps=steps, updates_per_rate=updates_per_rate, verbose=0
    )
    order = np.random.default_rng(seed).permutation(len(x))[:ROWS]
    rows = np.resize(order, steps * batch)  # more epochs would take longer
    model.fit(
        x[rows], y[rows], batch_size=batch, verbose=0, callbacks=[finder], shuffle=False
    )
    return finder.result


def _regret(loss: float, best: float) -> float:
    """What is lost of what can be learned, from the loss of guessing down."""
    return (loss - best) / (float(np.log(10)) - best)


def warmup_on_an_easy_task(seed: int) -> dict[str, Any]:
    """Final loss of Adam on three layers at its default rate, with over without."""
    made = _net(3, "adam")
    runs = {
        "constant": _train(seed, made, 0.001, 4),
        "warmup": _train(seed, made, 0.001, 4, keras_lr.Warmup("5%")),
    }
    figure = _lines("epoch", np.arange(1, 5), runs, "cross-entropy, nats", "y")
    return {"measured": float(runs["warmup"][-1] / runs["constant"][-1]), **figure}


def cyclical_needs_no_tuning(seed: int) -> dict[str, Any]:
    """Regret of a rate that cycles below the edge, against the best constant rate."""
    made, rates = _net(3, "sgd"), (0.3, 0.6)
    ends = [float(_train(seed, made, rate, 6, batch=64)[-1]) for rate in rates]
    cyclical = keras_lr.CyclicalLR(max_lr=0.4, min_lr=0.02, half_cycle="0.5 epochs")
    end = float(_train(seed, made, 0.1, 6, cyclical, batch=64)[-1])
    ys = {"constant": ends, "cyclical from 0.02 to 0.4": [end] * len(rates)}
    figure = _lines("learning rate", rates, ys, "cross-entropy, nats", "xy")
    return {"measured": _regret(end, min(ends)), **figure}


def range_test_trains(seed: int) -> dict[str, Any]:
    """Regret of the rate that one sweep of the finder suggests.

    Of 0.1, 0.3, 0.6 and 1, 0.3 is the best constant rate of this net.
    """
    made, rates = _net(3, "sgd"), (0.3,)
    found = _sweep(seed, made, 32)
    runs = {f"constant, {rate}": _train(seed, made, rate, 5) for rate in rates}
    rate = found.suggestion or 1e-9
    runs["rate of the range test"] = _train(seed, made, rate, 5)
    *ends, own = (float(run[-1]) for run in runs.values())
    figure = _lines("epoch", np.arange(1, 6), runs, "cross-entropy, nats", "y")
    reason = "" if found.suggestion else f"The sweep says: {found.verdict}."
    return {"measured": _regret(own, min(ends)), "inconclusive": reason, **figure}


def _lowest(found: Any) -> float:
    """Rate at which the smoothed loss of a sweep was lowest."""
    return float(found.lrs[np.nanargmin(found.smoothed)])


def _curves(found: dict[str, Any], cap: float) -> dict[str, Any]:
    """Losses of sweeps by the rate. One that has ended is drawn at the cap."""
    low = min(float(one.lrs[0]) for one in found.values())
    rates = np.geomspace(low, 10.0, 60)
    ys = {
        name: np.interp(
            rates, one.lrs, np.nan_to_num(one.smoothed, nan=cap), right=cap
        ).clip(max=cap)
        for name, one in found.items()
    }
    label = f"loss, nats, cut at {cap:g}"
    return dict(_lines("learning rate", rates, ys, label, "x"))


def _learns(found: Any) -> bool:
    return bool(np.nanmin(found.smoothed) < 0.95 * found.losses[0])


def larger_batches_bear_more(seed: int) -> dict[str, Any]:
    """Rate of the range test's lowest loss, in batches of 128 over batches of 2."""
    made = _net(2, "sgd")
    found = {f"batch {size}": _sweep(seed, made, size, 0.01, 4) for size in (2, 128)}
    lowest = [_lowest(one) for one in found.values()]
    learns = all(map(_learns, found.values()))
    reason = "" if learns else "In one of the sweeps nothing is learned."
    ratio = lowest[1] / lowest[0]
    return {"measured": ratio, "inconclusive": reason, **_curves(found, 4.0)}


def range_test_finds_the_edge(seed: int) -> dict[str, Any]:
    """Rate of the lowest loss of a sweep, over the rate from which it diverges.

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
    found = finder.result
    rates, top = np.array(finder.values()) / edge, 4 * float(found.losses[0])
    losses = np.full(STEPS, top)
    losses[: len(found.losses)] = np.nan_to_num(found.losses, nan=top)
    ys = {"sweep": np.minimum(losses, top)}
    reason = "" if _learns(found) else "The sweep learns at no rate."
    figure = _lines("rate over the edge", rates, ys, "squared error", "xy")
    return {"measured": _lowest(found) / edge, "inconclusive": reason, **figure}


@cache
def _linear(size: int) -> Any:
    model = keras.Sequential([keras.Input((size,)), _dense(1, use_bias=False)])
    model.compile("sgd", "mse")
    return model


def norm_bears_more(seed: int) -> dict[str, Any]:
    """Rate of the range test's lowest loss with batch normalization, over without."""
    found = {
        name: _sweep(seed, _net(3, "sgd", norm=name == "with"), 128)
        for name in ("without", "with")
    }
    lowest = [_lowest(one) for one in found.values()]
    reason = "" if _learns(found["without"]) else "The plain net learns at no rate."
    ratio = lowest[1] / lowest[0]
    return {"measured": ratio, "inconclusive": reason, **_curves(found, 3.0)}


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
