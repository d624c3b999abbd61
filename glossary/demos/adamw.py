"""Claims of *AdamW* (Loshchilov and Hutter, algorithm 2)."""

from __future__ import annotations

from typing import Any

import numpy as np

from glossary.lab import Control, Lines, Measurement
from glossary.lab.data import Array
from glossary.lab.steps import adam, slots_for

RATE = 0.001
DECAY = 0.5


def _decayed(g: Array, decoupled: bool, decay: float = DECAY) -> Array:
    """Weights after each update, all 1 at the start.

    Args:
        g: Gradients of the loss, one row an update.
        decoupled: Whether the decay stands apart (AdamW), or is added to the gradient
            as that of an L2 penalty.
        decay: Its coefficient.
    """
    ws = [np.ones(g.shape[1:])]
    slots = slots_for(ws, 2)
    way = []
    for step, row in enumerate(g, start=1):
        if decoupled:
            adam(ws, slots, [row], step, RATE, decay)
        else:
            adam(ws, slots, [row + decay * ws[0]], step, RATE)
        way.append(ws[0].copy())
    return np.array(way)


def evenly(seed: int) -> Measurement:
    """How far weights shrink whose gradients are noise of different sizes."""
    sizes = 10.0 ** np.arange(-1, 4)
    g = np.random.default_rng(seed).normal(size=(1000, 400, len(sizes))) * sizes
    shrunk = {}
    for name, decoupled in (("AdamW", True), ("Adam with an L2 penalty", False)):
        shrunk[name] = 1 - _decayed(g, decoupled)[-1].mean(axis=0)
    shown = Lines(
        x=sizes,
        ys={name: 100 * share for name, share in shrunk.items()},
        x_label="size of the gradients of a weight",
        y_label="% that it has shrunk after 1000 updates",
        log="x",
    )
    penalty = shrunk["Adam with an L2 penalty"]
    return Measurement(
        measured=shrunk["AdamW"].min() / shrunk["AdamW"].max(),
        panels=(shown,),
        seen="AdamW shrinks all weights alike; a penalty inside Adam hardly reaches "
        "weights with large gradients.",
        controls=(
            Control(
                penalty[-1] < 0.2 * penalty[0], "A penalty reaches all weights alike."
            ),
        ),
    )


def is_adam(seed: int) -> Measurement:
    """Distance of AdamW from Adam, by the decay."""
    decays = [0.0, 0.1, 0.3, 1.0]
    g = np.random.default_rng(seed).normal(size=(200, 50))
    plain = _decayed(g, decoupled=False, decay=0.0)
    differences = [
        abs(_decayed(g, decoupled=True, decay=decay) - plain).max(axis=1)
        for decay in decays
    ]
    shown = Lines(
        x=np.arange(1, 201),
        ys={
            f"decay {decay:g}": row
            for decay, row in zip(decays, differences, strict=True)
        },
        x_label="update",
        y_label="largest difference from Adam's weights",
    )
    return Measurement(
        measured=differences[0].max(),
        panels=(shown,),
        seen="Without decay the weights are Adam's; with it they part, the sooner the "
        "larger the decay is.",
        controls=(Control(differences[-1].max() > 0.05, "Decay changes nothing."),),
    )


def _keras_way(optimizer: Any, g: Array, penalty: float = 0.0) -> Array:
    """Weights of a Keras optimizer after each update, all 1 at the start."""
    import keras  # an extra: NumPy is enough for the other claims

    w = keras.Variable(np.ones(g.shape[1], dtype="float32"))
    way = []
    for row in g.astype("float32"):
        now = keras.ops.convert_to_numpy(w)
        optimizer.apply([keras.ops.convert_to_tensor(row + penalty * now)], [w])
        way.append(keras.ops.convert_to_numpy(w).astype(float))
    return np.array(way)


def keras_adam(seed: int) -> Measurement:
    """Keras' Adam with its own decay, against AdamW and against a penalty."""
    import keras  # an extra: NumPy is enough for the other claims

    optimizers = keras.optimizers
    g = np.random.default_rng(seed).normal(size=(30, 20)) * 3
    own = _keras_way(optimizers.Adam(0.01, weight_decay=1.0), g)
    decoupled = _keras_way(optimizers.AdamW(0.01, weight_decay=1.0), g)
    penalty = _keras_way(optimizers.Adam(0.01), g, penalty=1.0)
    bare = _keras_way(optimizers.Adam(0.01), g)
    shown = Lines(
        x=np.arange(1, 31),
        ys={
            "Adam(weight_decay=1)": own.mean(axis=1),
            "AdamW(weight_decay=1)": decoupled.mean(axis=1),
            "Adam with an L2 penalty": penalty.mean(axis=1),
        },
        x_label="update",
        y_label="mean weight",
    )
    # 0 where Adam's own decay is the penalty, 1 where it is that of AdamW.
    to_penalty = float(np.linalg.norm(own[-1] - penalty[-1]))
    apart = float(np.linalg.norm(decoupled[-1] - penalty[-1]))
    return Measurement(
        measured=to_penalty / apart,
        panels=(shown,),
        seen="In Keras the curve of Adam with weight_decay lies on that of AdamW, far "
        "from that of a penalty.",
        controls=(
            Control(apart > 0.1, "AdamW and a penalty are the same."),
            Control(abs(own - bare).max() > 0.1, "Adam's own decay does nothing."),
        ),
    )
