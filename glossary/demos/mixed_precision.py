"""Claims of *mixed precision* (Micikevicius 2017; Kalamkar 2019)."""

from __future__ import annotations

import numpy as np

from glossary.lab import Bars, Control, Lines, Measurement
from glossary.lab.data import Array, digits
from glossary.lab.deep import layer_outputs
from glossary.lab.nets import gradients, relu, sigmoid, softmax, weights

FORMATS = ("float32", "bfloat16", "float16")
LEARNING_RATE = 0.0002
#: In which formats mixed precision keeps the weights.
KEPT = (np.float16, np.float32)


def rounded(values: Array, name: str) -> Array:
    """The nearest numbers that a format has, as float64."""
    with np.errstate(over="ignore", under="ignore"):
        if name == "float16":
            return values.astype(np.float16).astype(float)
        single = values.astype(np.float32)
    if name == "float32":
        return single.astype(float)
    # bfloat16 is the upper half of a float32: add half of what is cut off, and a tie
    # goes to the even neighbour.
    bits = single.view(np.uint32)
    odd = (bits >> np.uint32(16)) & np.uint32(1)
    cut = (bits + np.uint32(0x7FFF) + odd) & np.uint32(0xFFFF0000)
    return cut.view(np.float32).astype(float)


def loss_scaling(seed: int) -> Measurement:
    """Share of a deep net's gradients that float16 turns to 0, by the loss scale."""
    x, y = digits()
    rng = np.random.default_rng(seed)
    ws = weights(rng, [64] + [64] * 10 + [10], 1.0)
    _, grads, _ = gradients(ws, x[:64], y[:64], sigmoid)
    all_of_them = np.concatenate([grad.ravel() for grad in grads])
    exact = all_of_them[all_of_them != 0]
    scales = 2.0 ** np.arange(0, 17, 2)
    lost = {
        name: [float((rounded(scale * exact, name) == 0).mean()) for scale in scales]
        for name in ("float16", "float32")
    }
    shown = Lines(
        x=scales,
        ys=lost,
        x_label="factor on the loss",
        y_label="share of the gradients that become 0",
        log="x",
    )
    return Measurement(
        measured=lost["float16"][0] - lost["float16"][-1],
        panels=(shown,),
        seen="Float16 turns many small gradients to 0; a factor on the loss saves "
        "them.",
        controls=(
            Control(max(lost["float32"]) == 0, "Float32 loses gradients as well."),
        ),
    )


def bfloat16_range(seed: int) -> Measurement:
    """Share of sizes from 1e-30 to 1e30 that a format turns to 0 or to infinity."""
    exponents = np.random.default_rng(seed).uniform(-30, 30, 4000)
    exact = 10.0**exponents
    edges = np.linspace(-30, 30, 31)
    lost = {}
    by_size = {}
    for name in FORMATS:
        kept = rounded(exact, name)
        gone = (kept == 0) | ~np.isfinite(kept)
        lost[name] = float(gone.mean())
        counts = np.histogram(exponents, edges)[0]
        by_size[name] = np.histogram(exponents[gone], edges)[0] / counts
    shown = Lines(
        x=(edges[1:] + edges[:-1]) / 2,
        ys=by_size,
        x_label="size of the number, power of ten",
        y_label="share that becomes 0 or infinite",
    )
    return Measurement(
        measured=lost["bfloat16"],
        panels=(shown,),
        seen="Float16 holds numbers from about 1e-7 to 1e5; bfloat16 and float32 "
        "hold all of these sizes.",
        controls=(Control(lost["float16"] > 0.5, "Float16 has this range as well."),),
    )


def bfloat16_digits(seed: int) -> Measurement:
    """Largest relative rounding error of bfloat16 over that of float16."""
    exact = np.random.default_rng(seed).uniform(1, 2, 20_000)
    errors = {name: abs(rounded(exact, name) / exact - 1) for name in FORMATS}
    worst = {name: float(error.max()) for name, error in errors.items()}
    shown = Bars(
        labels=list(worst),
        ys={"largest": list(worst.values())},
        y_label="largest relative error of rounding",
        log="y",
    )
    return Measurement(
        measured=worst["bfloat16"] / worst["float16"],
        panels=(shown,),
        seen="Bfloat16 rounds eight times as coarsely as float16: by up to 0.4 "
        "percent.",
        controls=(Control(worst["float32"] < 1e-6, "Float32 rounds as coarsely."),),
    )


def sum_stalls(seed: int) -> Measurement:
    """Sum of many small numbers in float16 over the true one."""
    rng = np.random.default_rng(seed)
    count = 20_000
    small = rng.uniform(0, 0.0009, count).astype(np.float16)
    # One after the other, each sum rounded to the format: that is what cumsum does.
    sums: dict[str, Array] = {
        "float32": np.cumsum(small, dtype=np.float32).astype(float),
        "float16": np.cumsum(small, dtype=np.float16).astype(float),
    }
    true = float(small.astype(float).sum())
    every = slice(0, count, 500)
    shown = Lines(
        x=np.arange(count)[every],
        ys={name: values[every] for name, values in sums.items()},
        x_label="numbers added",
        y_label="sum so far",
    )
    exact = abs(float(sums["float32"][-1]) / true - 1)
    return Measurement(
        measured=float(sums["float16"][-1]) / true,
        panels=(shown,),
        seen="In float16 the sum stops growing at 2, where one more number is less "
        "than half the distance to the next one.",
        controls=(Control(exact < 1e-3, "Float32 does not get the sum right either."),),
    )


def master_weights(seed: int) -> Measurement:
    """Share of the fall of the loss that is left when weights are float16 alone."""
    x, y = digits()
    updates = 400
    every = 20
    losses: dict[str, list[float]] = {
        "float32 copy of the weights": [],
        "float16 weights": [],
        "all in float64": [],
    }
    for name in losses:
        rng = np.random.default_rng(seed)
        (w,) = weights(rng, [64, 10], 1.0)
        for update in range(updates + 1):
            used = w if name == "all in float64" else rounded(w, "float16")
            if update % every == 0:
                scores = x @ used
                shares = softmax(scores)[np.arange(len(x)), y]
                losses[name].append(float(-np.log(shares).mean()))
            rows = rng.integers(0, len(x), 64)
            (gradient,) = gradients([used], x[rows], y[rows], relu)[1]
            w = w - LEARNING_RATE * gradient
            if name == "float32 copy of the weights":
                w = rounded(w, "float32")
            if name == "float16 weights":
                w = rounded(w, "float16")
    fall = {name: values[0] - values[-1] for name, values in losses.items()}
    shown = Lines(
        x=np.arange(0, updates + 1, every),
        ys={n: [values[0] - value for value in values] for n, values in losses.items()},
        x_label="update",
        y_label="fall of the cross-entropy since the start, nats",
    )
    full = fall["all in float64"]
    return Measurement(
        measured=fall["float16 weights"] / full,
        panels=(shown,),
        seen="Float16 weights round most small updates away; with a float32 copy "
        "that takes the updates, training goes on as in full precision.",
        controls=(
            Control(
                fall["float32 copy of the weights"] > 0.95 * full,
                "A float32 copy does not help.",
            ),
        ),
    )


def halves_weights(seed: int) -> Measurement:
    """Bytes for weights and for activations of a training step, mixed over float32."""
    rng = np.random.default_rng(seed)
    x, _ = digits()
    ws = weights(rng, [64, 256, 256, 10], 1.0)
    outputs = layer_outputs(ws, x[: rng.integers(100, 400)], relu)

    def count(arrays: list[Array], *kinds: type) -> int:
        """Bytes of the arrays, kept in each of these formats."""
        return sum(array.astype(kind).nbytes for array in arrays for kind in kinds)

    shares = {
        # The float16 copy is computed with, the float32 copy takes the updates.
        "weights": count(ws, *KEPT) / count(ws, np.float32),
        "activations": count(outputs, np.float16) / count(outputs, np.float32),
    }
    shown = Bars(
        labels=list(shares),
        ys={"mixed precision": list(shares.values())},
        y_label="bytes over those of float32",
        marks={"as in float32": 1.0},
    )
    return Measurement(
        measured=shares["weights"],
        panels=(shown,),
        seen="Mixed precision halves the memory of activations; weights take half as "
        "much again, since the float32 copy stays.",
        controls=(Control(shares["activations"] <= 0.5, "Activations take as much."),),
    )
