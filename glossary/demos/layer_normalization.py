"""Claims of *layer normalization* (Ba 2016, "Layer Normalization")."""

from __future__ import annotations

import numpy as np

from glossary.lab import Bars, Control, Lines, Measurement
from glossary.lab.data import Array, digits
from glossary.lab.nets import weights
from glossary.lab.norms import (
    Norm,
    as_it_is,
    loss_and_gradients,
    over_batch,
    over_example,
    scaled_only,
)
from glossary.lab.steps import sgd
from glossary.lab.tape import Variable

UPDATES = 120
EVERY = 10


def _outputs(norm: Norm, z: Array) -> Array:
    return norm(Variable(z)).value


def moments(seed: int) -> Measurement:
    """Mean and variance of each example afterwards; of batch normalization as well."""
    rng = np.random.default_rng(seed)
    scales = rng.uniform(1, 10, (24, 1))
    z = rng.normal(size=(24, 64)) * scales + rng.normal(0, 5, (24, 1))
    off = {}
    order = z.std(axis=1).argsort()
    spreads = {"before": z.std(axis=1)[order]}
    for name, norm in (("layer norm", over_example), ("batch norm", over_batch)):
        out = _outputs(norm, z)
        means = abs(out.mean(axis=1)).max()
        variances = abs(out.var(axis=1) - 1).max()
        off[name] = float(max(means, variances))
        spreads[name] = out.std(axis=1)[order]
    shown = Lines(
        x=np.arange(1, 25),
        ys=spreads,
        x_label="example, by its spread before",
        y_label="standard deviation of its 64 features",
        log="y",
    )
    return Measurement(
        measured=off["layer norm"],
        panels=(shown,),
        seen="After layer normalization the features of every example have a "
        "standard deviation of 1; after batch normalization they do not.",
        controls=(
            Control(off["batch norm"] > 0.1, "Batch normalization does it too."),
        ),
    )


def alone(seed: int) -> Measurement:
    """Change of the output for one example, in company of fewer and fewer others."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(64, 32)) * 2 + 1
    sizes = [64, 32, 16, 8, 4, 2, 1]
    changes: dict[str, list[float]] = {}
    for name, norm in (("batch norm", over_batch), ("layer norm", over_example)):
        whole = _outputs(norm, z)[0]
        parts = [_outputs(norm, z[:size])[0] for size in sizes]
        changes[name] = [float(abs(part - whole).max()) for part in parts]
    shown = Lines(
        x=sizes[::-1],
        ys={name: values[::-1] for name, values in changes.items()},
        x_label="batch size",
        y_label="change of the first example's output, against a batch of 64",
        log="x",
    )
    return Measurement(
        measured=max(changes["layer norm"]),
        panels=(shown,),
        seen="The output of layer normalization for one example is the same in any "
        "batch, and even alone; that of batch normalization moves.",
        controls=(
            Control(max(changes["batch norm"]) > 0.1, "Nothing depends on the batch."),
        ),
    )


def scale_of_all_weights(seed: int) -> Measurement:
    """Change of the outputs when a layer's weights are scaled, all or one unit's."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(50, 32))
    w = rng.normal(size=(32, 16))
    plain = _outputs(over_example, x @ w)
    factors = 2.0 ** np.arange(0, 7)
    changes: dict[str, list[float]] = {"all weights": [], "weights of one unit": []}
    for factor in factors:
        one = w.copy()
        one[:, 0] *= factor
        for name, scaled in zip(changes, (factor * w, one), strict=True):
            changes[name].append(
                float(abs(_outputs(over_example, x @ scaled) - plain).max())
            )
    shown = Lines(
        x=factors,
        ys=changes,
        x_label="factor on the weights",
        y_label="largest change of an output",
        log="x",
    )
    return Measurement(
        measured=max(changes["all weights"]),
        panels=(shown,),
        seen="Scaling all weights of the layer leaves the output alone; scaling "
        "those of one unit does not.",
        controls=(
            Control(max(changes["weights of one unit"]) > 0.1, "No scale matters."),
        ),
    )


def same_at_inference(seed: int) -> Measurement:
    """Output of Keras' layers in training against that at inference."""
    import keras

    x = np.random.default_rng(seed).normal(3, 2, (32, 16)).astype("float32")
    gaps = {}
    for name, layer in (
        ("layer norm", keras.layers.LayerNormalization()),
        ("batch norm", keras.layers.BatchNormalization()),
    ):
        training = keras.ops.convert_to_numpy(layer(x, training=True))
        inference = keras.ops.convert_to_numpy(layer(x, training=False))
        gaps[name] = float(abs(training - inference).max())
    shown = Bars(
        labels=list(gaps),
        ys={"difference": list(gaps.values())},
        y_label="largest difference of an output, training against inference",
    )
    return Measurement(
        measured=gaps["layer norm"],
        panels=(shown,),
        seen="Layer normalization computes the same in training and at inference; "
        "batch normalization does not.",
        controls=(
            Control(gaps["batch norm"] > 0.1, "Batch norm is the same as well."),
        ),
    )


def _course(
    seed: int, norm: Norm, batch: int, learning_rate: float, gain: float = 2.0
) -> list[float]:
    """Loss of 300 digits, in their own batches, while three layers are trained."""
    x, y = digits()
    rng = np.random.default_rng(seed)
    ws = weights(rng, [64, 32, 32, 32, 10], gain)
    losses = []
    for update in range(UPDATES + 1):
        if update % EVERY == 0:
            losses.append(loss_and_gradients(ws, x[:300], y[:300], norm)[0])
        rows = rng.integers(0, len(x), batch)
        sgd(ws, loss_and_gradients(ws, x[rows], y[rows], norm)[1], learning_rate)
    return losses


def _late(losses: list[float]) -> float:
    """Mean of the last five: one alone depends on the last few examples."""
    return float(np.mean(losses[-5:]))


def _drawn(courses: dict[str, list[float]]) -> Lines:
    return Lines(
        x=np.arange(0, UPDATES + 1, EVERY),
        ys=courses,
        x_label="update",
        y_label="cross-entropy, nats",
        log="y",
    )


def small_batches(seed: int) -> Measurement:
    """Loss after training in batches of two, layer over batch normalization."""
    courses = {
        name: _course(seed, norm, 2, 0.03)
        for name, norm in (("batch norm", over_batch), ("layer norm", over_example))
    }
    large = {
        name: _course(seed, norm, 64, 0.03)[-1]
        for name, norm in (("batch norm", over_batch), ("layer norm", over_example))
    }
    return Measurement(
        measured=_late(courses["layer norm"]) / _late(courses["batch norm"]),
        panels=(_drawn(courses),),
        seen="In batches of two a net with layer normalization learns, and one with "
        "batch normalization hardly does.",
        controls=(
            Control(
                large["batch norm"] < 1.2,
                "Batch norm does no better in larger batches.",
            ),
        ),
    )


def needs_mean(seed: int) -> Measurement:
    """Loss without subtracting the mean, over that of layer normalization."""
    courses = {
        name: _course(seed, norm, 32, 0.3, gain=8.0)
        for name, norm in (
            ("no normalization", as_it_is),
            ("layer norm", over_example),
            ("without the mean", scaled_only),
        )
    }
    ends = {name: _late(losses) for name, losses in courses.items()}
    return Measurement(
        measured=ends["without the mean"] / ends["layer norm"],
        panels=(_drawn(courses),),
        seen="Without normalization this net learns slowly; with it the net learns "
        "as fast whether the mean is subtracted or not.",
        controls=(
            Control(
                ends["no normalization"] > 2 * ends["layer norm"],
                "Without normalization the net learns as well.",
            ),
        ),
    )
