"""Claims of *adapter layers* (Houlsby 2019), on a net that knows the digits 0 to 4."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numpy as np

from glossary.lab import Bars, Control, Lines, Measurement
from glossary.lab.data import Array, digits
from glossary.lab.nets import counted, gradients, relu, softmax, weights
from glossary.lab.steps import adam, slots_for

SIZE = 8
#: Features of the net that is adapted.
WIDTH = 32


class Adapted(NamedTuple):
    """First layer, both matrices of an adapter behind it, and a head."""

    first: Array
    down: Array
    up: Array
    head: Array


@cache
def _base(seed: int) -> tuple[Array, Array]:
    """First layer and head of a net that has learned the digits 0 to 4."""
    rng = np.random.default_rng(seed)
    x, y = digits()
    ws = weights(rng, [64, WIDTH, 10], 2.0)
    rows = np.flatnonzero(y < 5)
    for _ in range(300):
        batch = rng.choice(rows, 32)
        for w, g in zip(ws, gradients(ws, x[batch], y[batch], relu)[1], strict=True):
            w -= 0.2 * g
    first, head = ws
    return first, head


def _features(
    first: Array, down: Array, up: Array, x: Array
) -> tuple[Array, Array, Array]:
    """Features behind an adapter, those before it, and the code inside of it."""
    hidden = np.maximum(x @ first, 0)
    inner = np.maximum(hidden @ down, 0)
    return hidden + inner @ up, hidden, inner


def identity(seed: int) -> Measurement:
    """Change of the features by an adapter whose second matrix is zero, or random."""
    rng = np.random.default_rng(seed)
    x = digits()[0]
    first = _base(seed)[0]
    down = rng.normal(0, 0.1, (WIDTH, SIZE))
    changes = []
    for scale in (0.0, 0.1):
        up = scale * rng.normal(size=(SIZE, WIDTH))
        out, hidden, _ = _features(first, down, up, x)
        changes.append(abs(out - hidden).max())
    zero, random = changes
    shown = Bars(
        labels=["zero", "random, spread 0.1"],
        ys={"change": changes},
        x_label="second matrix of the adapter",
        y_label="largest change of a feature",
    )
    return Measurement(
        measured=zero,
        panels=(shown,),
        seen="With a second matrix of zeros, every feature stays as it was.",
        controls=(Control(random > 1e-3, "A random adapter changes nothing either."),),
    )


def _trained(seed: int, first: bool, adapter: bool, rows: Any) -> Adapted:
    """What 1000 updates on new digits make of the net; a new head always learns.

    Args:
        seed: Of the net, the adapter and the batches.
        first: Whether the first layer learns.
        adapter: Whether the adapter learns; else it stays as it starts, at nothing.
        rows: Images to train on.
    """
    x, y = digits()
    rng = np.random.default_rng(seed)
    down = rng.normal(0, 0.3, (WIDTH, SIZE))
    up = np.zeros((SIZE, WIDTH))
    head = rng.normal(0, 0.1, (WIDTH, 10))
    net = Adapted(_base(seed)[0].copy(), down, up, head)
    slots = slots_for(net, each=2)
    learns = (first, adapter, adapter, True)
    for step in range(1, 1001):
        some = rng.choice(rows, 32)
        features, hidden, inner = _features(net.first, net.down, net.up, x[some])
        delta = softmax(features @ net.head)
        delta[np.arange(32), y[some]] -= 1
        back = delta @ net.head.T
        code = (back @ net.up.T) * (inner > 0)
        below = (back + code @ net.down.T) * (hidden > 0)
        grads = [x[some].T @ below, hidden.T @ code, inner.T @ back, features.T @ delta]
        # What does not learn gets a gradient of 0, which Adam turns into no step.
        grads = [g / 32 * on for g, on in zip(grads, learns, strict=True)]
        adam(net, slots, grads, step, 0.003)
    return net


def _new_digits() -> Any:
    return np.flatnonzero(digits()[1] >= 5)


def _old_outputs(seed: int, first: Array) -> Array:
    """Outputs for the old digits, of the old head on a first layer."""
    x, y = digits()
    out: Array = np.maximum(x[y < 5] @ first, 0) @ _base(seed)[1]
    return out


def forgets(seed: int) -> Measurement:
    """Errors on the old digits after a new task: all weights trained, or an adapter."""
    y = digits()[1]
    old = y[y < 5]
    new = _new_digits()
    firsts = {
        "before": _base(seed)[0],
        "adapter trained, then removed": _trained(seed, False, True, new).first,
        "all weights trained": _trained(seed, True, False, new).first,
    }
    errors = [
        float((_old_outputs(seed, first).argmax(1) != old).mean())
        for first in firsts.values()
    ]
    before, adapter, everything = errors
    shown = Bars(
        labels=list(firsts),
        ys={"errors": errors},
        y_label="share of errors, digits 0 to 4, old head",
    )
    return Measurement(
        # Where no image is wrong, one error is what can be told from none.
        measured=everything / max(adapter, 1 / len(old)),
        panels=(shown,),
        seen="Training all weights on the new digits spoils the old ones; an adapter "
        "does not.",
        controls=(Control(before < 0.1, "The net never knew the old digits."),),
    )


def removable(seed: int) -> Measurement:
    """Change of the old outputs by training an adapter and removing it, or all."""
    new = _new_digits()
    before = _old_outputs(seed, _base(seed)[0])
    changes = []
    for everything in (False, True):
        first = _trained(seed, everything, not everything, new).first
        changes.append(float(abs(_old_outputs(seed, first) - before).max()))
    removed, trained = changes
    shown = Bars(
        labels=["adapter trained, then removed", "all weights trained"],
        ys={"change": changes},
        y_label="largest change of an output for an old digit",
    )
    return Measurement(
        measured=removed,
        panels=(shown,),
        seen="Once the adapter is removed, not a bit of an output has changed.",
        controls=(
            Control(trained > 0.1, "Training all weights changes nothing either."),
        ),
    )


@cache
def _keras_adapter() -> Any:
    """A frozen layer, an adapter behind it, and a head: one model for all seeds."""
    import keras  # an extra; most demos here do without

    def dense(units: int, name: str, activation: str | None = None) -> Any:
        return keras.layers.Dense(
            units, activation, kernel_initializer="zeros", name=name
        )

    frozen = dense(32, "frozen", "relu")
    inputs = keras.Input((64,))
    hidden = frozen(inputs)
    inner = dense(4, "down", "relu")(hidden)
    adapted = hidden + dense(32, "up")(inner)
    model = keras.Model(inputs, dense(10, "head")(adapted))
    frozen.trainable = False
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.01), loss)
    model.optimizer.build(model.trainable_variables)
    return model


def frozen_stays(seed: int) -> Measurement:
    """Largest change of a frozen layer while Keras trains an adapter behind it."""
    import keras  # an extra; most demos here do without

    x, y = digits()
    order = np.random.default_rng(0).permutation(len(x))[:640]
    rng = np.random.default_rng(seed)
    model = _keras_adapter()
    for variable in model.optimizer.variables[2:]:  # after the count and the rate
        variable.assign(np.zeros(variable.shape))
    model.optimizer.iterations.assign(0)
    for weight in model.weights:
        weight.assign(np.zeros(weight.shape))
    for name in ("frozen", "down", "head"):
        kernel = model.get_layer(name).kernel
        kernel.assign(rng.normal(0, 0.2, kernel.shape))

    def kernels() -> list[Array]:
        layers = (model.get_layer(name) for name in ("frozen", "up"))
        return [np.array(keras.ops.convert_to_numpy(one.kernel)) for one in layers]

    before = kernels()
    changes: dict[str, list[float]] = {"frozen layer": [0.0], "adapter": [0.0]}
    updates = range(0, 21, 5)
    for end in updates[1:]:
        rows = order[32 * (end - 5) : 32 * end]
        inputs = x[rows].astype("float32")
        model.fit(inputs, y[rows], batch_size=32, verbose=0, shuffle=False)
        for one, start, now in zip(changes.values(), before, kernels(), strict=True):
            one.append(float(abs(now - start).max()))
    frozen, adapter = changes.values()
    shown = Lines(
        x=updates,
        ys=changes,
        x_label="update of Adam",
        y_label="largest change of a weight",
    )
    return Measurement(
        measured=frozen[-1],
        panels=(shown,),
        seen="The adapter learns, and no weight of the frozen layer moves.",
        controls=(Control(adapter[-1] > 1e-3, "The adapter did not learn either."),),
    )


def computes(seed: int) -> Measurement:
    """Multiply-adds of a forward pass with an adapter over those without, counted."""
    x = digits()[0][:100]
    rng = np.random.default_rng(seed)
    first, head = _base(seed)
    work = []
    for up in (None, rng.normal(size=(SIZE, WIDTH))):
        rows = counted(x)
        hidden = np.maximum(rows @ first, 0)
        if up is not None:
            hidden = hidden + np.maximum(hidden @ up.T, 0) @ up
        hidden @ head
        work.append(rows.tally["work"])
    without, adapted = work
    shown = Bars(
        labels=["without", "with an adapter"],
        ys={"work": [count / 100 for count in work]},
        y_label="multiply-adds for an image",
    )
    known = 100 * (64 * WIDTH + WIDTH * 10)
    return Measurement(
        measured=adapted / without,
        panels=(shown,),
        seen="The adapter's two matrices come on top of the net's own.",
        controls=(Control(without == known, "The work is not counted right."),),
    )


def few(seed: int) -> Measurement:
    """Parameters of adapters over those of the Transformer they are put in, counted.

    One block has the sizes of BERT base; two adapters go into it (Houlsby 2019).
    """
    import keras  # an extra; most demos here do without

    sizes = [8, 64, 256, 768]
    width = 768
    zeros = {"kernel_initializer": "zeros"}
    x = keras.Input((4, width))
    attended = keras.layers.MultiHeadAttention(12, width // 12, **zeros)(x, x)
    inner = keras.layers.Dense(4 * width, **zeros)(attended)
    block = keras.Model(x, keras.layers.Dense(width, **zeros)(inner))
    shares = []
    for size in sizes:
        code = keras.layers.Dense(size, **zeros)(x)
        adapter = keras.Model(x, keras.layers.Dense(width, **zeros)(code))
        shares.append(2 * adapter.count_params() / block.count_params())
    shown = Bars(
        labels=[str(size) for size in sizes],
        ys={"share": [100 * share for share in shares]},
        x_label="size of the adapter",
        y_label="share of the block's parameters, %",
        marks={"5 %": 5.0},
    )
    return Measurement(
        measured=shares[1],
        panels=(shown,),
        seen="Adapters of size 64 cost 3 % of the block; as wide as the block, 33 %.",
        controls=(Control(shares[3] > 0.05, "Wide adapters cost as little."),),
    )


class Learned(NamedTuple):
    """What a net has learned of the digits 5 to 9."""

    loss: float  # cross-entropy on the images that it was trained on
    errors: float  # share of errors on new images


def _learned(seed: int) -> dict[str, Learned]:
    """What was learned of the digits 5 to 9, by what was trained on 600 of them."""
    x, y = digits()
    new = np.random.default_rng(seed).permutation(_new_digits())
    train = new[:600]
    test = new[600:]
    arms = {
        "new head": (False, False),
        "new head and adapter": (False, True),
        "new head and first layer": (True, False),
    }
    learned = {}
    for name, (first, adapter) in arms.items():
        net = _trained(seed, first, adapter, train)
        outputs = _features(net.first, net.down, net.up, x)[0] @ net.head
        chance = softmax(outputs[train])[np.arange(len(train)), y[train]]
        wrong = outputs[test].argmax(1) != y[test]
        learned[name] = Learned(float(-np.log(chance).mean()), float(wrong.mean()))
    return learned


def _learned_shown(learned: dict[str, Learned]) -> tuple[Bars, Bars]:
    losses = Bars(
        labels=list(learned),
        ys={"loss": [arm.loss for arm in learned.values()]},
        x_label="what was trained on digits 5 to 9",
        y_label="cross-entropy, nats",
        title="images trained on",
    )
    errors = Bars(
        labels=list(learned),
        ys={"errors": [arm.errors for arm in learned.values()]},
        x_label="what was trained on digits 5 to 9",
        y_label="share of errors",
        title="new images",
    )
    return losses, errors


def recovers(seed: int) -> Measurement:
    """Loss on digits 5 to 9: a new head alone, over that with an adapter as well."""
    learned = _learned(seed)
    head, adapter, everything = learned.values()
    return Measurement(
        measured=head.loss / adapter.loss,
        panels=_learned_shown(learned),
        seen="With an adapter the loss on the images trained on is lower than with a "
        "new head alone.",
        controls=(
            Control(
                everything.loss < head.loss, "All weights do no better than a head."
            ),
        ),
    )


def below_full(seed: int) -> Measurement:
    """Errors on new images with the adapter over those with all weights."""
    learned = _learned(seed)
    head, adapter, everything = learned.values()
    return Measurement(
        measured=adapter.errors / everything.errors,
        panels=_learned_shown(learned)[::-1],
        seen="With all weights trained there are fewer errors than with an adapter.",
        controls=(
            Control(
                adapter.loss < head.loss, "The adapter learns no more than a head."
            ),
        ),
    )
