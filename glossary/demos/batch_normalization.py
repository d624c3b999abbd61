"""Claims of *batch normalization* itself (Ioffe and Szegedy 2015).

What it does to training is measured in `batch_normalization_training`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from glossary.lab import Bars, Control, Lines, Measurement
from glossary.lab.data import Array, digits
from glossary.lab.nets import softmax


def normal(x: Array) -> Array:
    """Over the batch, with the usual epsilon of 1e-5."""
    out: Array = (x - x.mean(0)) / np.sqrt(x.var(0) + 1e-5)
    return out


def _loss(w: Array, head: Array, seed: int, norm: bool, bias: float = 0.0) -> float:
    """Cross-entropy of one hidden layer on 128 digits, normalized or not."""
    x, y = digits()
    rows = np.random.default_rng(seed).integers(0, len(x), 128)
    hidden = x[rows] @ w + bias
    chance = softmax(np.maximum(normal(hidden) if norm else hidden, 0) @ head)
    return float(-np.log(chance[np.arange(128), y[rows]]).mean())


def unit(seed: int) -> Measurement:
    """Mean and variance of each feature afterwards."""
    rng = np.random.default_rng(seed)
    x, _ = digits()
    hidden = x[rng.integers(0, len(x), 128)] @ rng.normal(size=(64, 32)) + 5
    out = normal(hidden)

    def deviation(values: Array) -> float:
        return float(max(abs(values.mean(0)).max(), abs(values.var(0) - 1).max()))

    features = np.arange(1, 33)
    means = Lines(
        x=features,
        ys={"before": hidden.mean(0), "after": out.mean(0)},
        x_label="feature",
        y_label="mean over the batch",
    )
    variances = Lines(
        x=features,
        ys={"before": hidden.var(0), "after": out.var(0)},
        x_label="feature",
        y_label="variance over the batch",
        log="y",
    )
    far = Control(deviation(hidden) > 1, "The features are normal before it.")
    return Measurement(
        measured=deviation(out),
        panels=(means, variances),
        seen="Before it means and variances differ from feature to feature; after it "
        "all means are 0 and all variances are 1.",
        controls=(far,),
    )


def _weights(seed: int) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    return rng.normal(0, 0.2, (64, 32)), rng.normal(0, 0.2, (32, 10))


def scale_free(seed: int) -> Measurement:
    """Change of the loss when the weights are scaled, with and without."""
    w, head = _weights(seed)
    scales = 10.0 ** np.linspace(-0.5, 1.5, 9)
    losses = {}
    changes = {}
    for name, norm in (("normalized", True), ("not normalized", False)):
        losses[name] = [_loss(scale * w, head, seed, norm) for scale in scales]
        base = _loss(w, head, seed, norm)
        changes[name] = max(abs(loss / base - 1) for loss in losses[name])
    shown = Lines(
        x=scales,
        ys=losses,
        x_label="factor on the weights in front",
        y_label="cross-entropy, nats",
        log="xy",
    )
    matters = Control(changes["not normalized"] > 0.1, "Scaling never matters here.")
    return Measurement(
        measured=changes["normalized"],
        panels=(shown,),
        seen="With normalization the loss does not depend on the scale of the weights; "
        "without it, it does.",
        controls=(matters,),
    )


def gradient_shrinks(seed: int) -> Measurement:
    """Directional derivative at weights ten times as large, over that before."""
    rng = np.random.default_rng(seed)
    w = rng.normal(0, 0.2, (64, 32))
    head = rng.normal(0, 0.2, (32, 10))
    way = rng.normal(size=w.shape)

    def slope(scale: float, norm: bool) -> float:
        h = 1e-5 * scale
        up = _loss(scale * w + h * way, head, seed, norm)
        down = _loss(scale * w - h * way, head, seed, norm)
        return abs(up - down) / (2 * h)

    scales = [1.0, 2.0, 5.0, 10.0, 20.0]
    slopes = {
        "normalized": [slope(scale, True) for scale in scales],
        "not normalized": [slope(scale, False) for scale in scales],
    }
    shown = Lines(
        x=scales,
        ys={name: np.divide(ones, ones[0]) for name, ones in slopes.items()},
        x_label="factor on the weights in front",
        y_label="slope of the loss, over that at a factor of 1",
        log="xy",
    )
    plain = 10 * slopes["not normalized"][3] / slopes["not normalized"][0]
    return Measurement(
        measured=10 * slopes["normalized"][3] / slopes["normalized"][0],
        panels=(shown,),
        seen="With normalization ten times the weights have a tenth of the slope; "
        "without it larger weights have no smaller one.",
        controls=(Control(abs(plain - 1) > 0.1, "It shrinks without it as well."),),
    )


def bias_redundant(seed: int) -> Measurement:
    """Change of the loss by a bias in front, with and without normalization."""
    w, head = _weights(seed)
    biases = [-2.0, -1.0, -0.5, 0.5, 1.0, 2.0]
    changes = {
        name: [
            abs(_loss(w, head, seed, norm, bias) - _loss(w, head, seed, norm))
            for bias in biases
        ]
        for name, norm in (("normalized", True), ("not normalized", False))
    }
    shown = Bars(
        labels=[f"{bias:g}" for bias in biases],
        ys=changes,
        x_label="bias in front",
        y_label="change of the loss, nats",
    )
    matters = Control(
        min(changes["not normalized"]) > 1e-3, "A bias never matters here."
    )
    return Measurement(
        measured=max(changes["normalized"]),
        panels=(shown,),
        seen="Without normalization a bias changes the loss; in front of batch "
        "normalization it changes nothing, since the mean is taken off again.",
        controls=(matters,),
    )


def _company_changes(call: Callable[[Array], Array], seed: int) -> float:
    """Largest change of one example's output over nine batches with it."""
    x, _ = digits()
    others = np.random.default_rng(seed).integers(1, len(x), (9, 31))
    outs = [call(x[np.r_[0, row]].astype("float32"))[0] for row in others]
    return float(np.abs(np.array(outs) - outs[0]).max())


def inference(seed: int) -> Measurement:
    """Change of one example's output with its company, at inference and in training."""
    import keras  # two claims of many need it

    layer = keras.layers.BatchNormalization()
    layer.build((None, 64))

    def change(training: bool) -> float:
        return _company_changes(
            lambda batch: np.array(
                keras.ops.convert_to_numpy(layer(batch, training=training))
            ),
            seed,
        )

    at_inference = change(False)
    in_training = change(True)
    shown = Bars(
        labels=["training = False", "training = True"],
        ys={"change": [at_inference, in_training]},
        y_label="largest change of one example's output",
    )
    depends = Control(in_training > 0.1, "It does not depend on it in training either.")
    return Measurement(
        measured=at_inference,
        panels=(shown,),
        seen="At inference the output for an example is the same in any company; in "
        "training it changes with the rest of the batch.",
        controls=(depends,),
    )


def frozen(seed: int) -> Measurement:
    """The same with ``training=True``, for a layer that is not trainable."""
    import keras

    layer = keras.layers.BatchNormalization()
    layer.build((None, 64))

    def change() -> float:
        return _company_changes(
            lambda batch: np.array(
                keras.ops.convert_to_numpy(layer(batch, training=True))
            ),
            seed,
        )

    free = change()
    layer.trainable = False
    fixed = change()
    shown = Bars(
        labels=["trainable = True", "trainable = False"],
        ys={"change": [free, fixed]},
        y_label="largest change of one example's output",
        title="called with training = True",
    )
    depends = Control(free > 0.1, "It does not depend on it while it is trainable.")
    return Measurement(
        measured=fixed,
        panels=(shown,),
        seen="Once the layer is frozen it uses its running averages, even where it is "
        "called for training.",
        controls=(depends,),
    )


def _first_of(batch: Array) -> Array:
    """The first example, by mean and variance of its batch."""
    out: Array = (batch[0] - batch.mean(0)) / np.sqrt(batch.var(0) + 1e-3)
    return out


def tiny_batches(seed: int) -> Measurement:
    """How much the output for one example varies with its company, batch 2 over 64."""
    rng = np.random.default_rng(seed)
    x, _ = digits()
    x = x[:, x.std(0) > 0.2]
    rng_of_order = np.random.default_rng(seed + 1)
    sizes = [2, 4, 8, 16, 32, 64]
    spreads = []
    shuffled = []
    for size in sizes:
        outs = []
        again = []
        for _ in range(300):
            batch = x[np.r_[0, rng.integers(1, len(x), size - 1)]]
            outs.append(_first_of(batch))
            same = batch[np.r_[0, rng_of_order.permutation(size - 1) + 1]]
            again.append(_first_of(same) - outs[-1])
        spreads.append(float(np.std(outs, axis=0).mean()))
        shuffled.append(float(np.abs(again).max()))
    shown = Lines(
        x=sizes,
        ys={"statistics of the batch": spreads},
        x_label="batch size",
        y_label="spread of one example's output",
        log="xy",
    )
    steady = Control(max(shuffled) < 1e-9, "It varies with the same company as well.")
    return Measurement(
        measured=spreads[0] / spreads[-1],
        panels=(shown,),
        seen="The smaller the batch, the more the output for one example depends on "
        "which others happen to be in it.",
        controls=(steady,),
    )
