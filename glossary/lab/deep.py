"""What happens inside a deep dense net: signals, gradients, and training.

>>> import numpy as np
>>> from glossary.lab import deep, nets
>>> ws = [np.array([[1.0, -1.0]]), np.array([[1.0], [1.0]])]
>>> deep.layer_outputs(ws, np.array([[2.0]]), nets.relu)
[array([[2., 0.]])]
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from glossary.lab.data import Array, Labels
from glossary.lab.nets import Activation, gradients
from glossary.lab.steps import sgd

#: A loss beyond this, of classifiers that guess at 2.3, will not come back.
LOST = 1e6


def layer_outputs(ws: Sequence[Array], x: Array, activation: Activation) -> list[Array]:
    """Outputs of every hidden layer, the first one first."""
    outputs = []
    for w in ws[:-1]:
        x = activation(x @ w)[0]
        outputs.append(x)
    return outputs


def gradient_sizes(
    ws: list[Array], x: Array, y: Labels, activation: Activation
) -> Array:
    """Norm of the gradient with respect to the output of every hidden layer."""
    _, _, signals = gradients(ws, x, y, activation)
    return np.array([np.linalg.norm(signal) for signal in signals])


def descend(
    ws: list[Array],
    x: Array,
    y: Labels,
    activation: Activation,
    learning_rate: float,
    updates: int,
    rng: np.random.Generator,
    batch: int = 32,
) -> float:
    """Train in place by SGD, and return the loss on all examples.

    Returns:
        Cross-entropy in nats; infinity as soon as a batch shows that training is lost.
    """
    with np.errstate(all="ignore"):
        for _ in range(updates):
            rows = rng.integers(0, len(x), batch)
            loss, grads, _ = gradients(ws, x[rows], y[rows], activation)
            if not loss < LOST:
                return float("inf")
            sgd(ws, grads, learning_rate)
        loss = gradients(ws, x, y, activation)[0]
    return loss if loss < LOST else float("inf")
