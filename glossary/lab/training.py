"""Training whatever a tape computes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from glossary.lab.data import Array
from glossary.lab.steps import adam, slots_for
from glossary.lab.tape import Variable, backward


def fit(
    ws: Sequence[Variable], loss_of: Callable[[], Variable], updates: int, rate: float
) -> Array:
    """Train by Adam, and keep the loss before each update.

    Args:
        ws: Weights, changed in place.
        loss_of: Computes the loss, on a fresh batch if it draws one.
        updates: How many.
        rate: The learning rate.

    Returns:
        A loss for each update; NaN from the first that is not finite, where the
        training stops.

    Example:
        >>> import numpy as np
        >>> from glossary.lab import tape
        >>> w = tape.Variable(np.array([3.0]))
        >>> losses = fit([w], lambda: tape.total(w * w), 100, 0.1)
        >>> bool(losses[-1] < 0.01 * losses[0])
        True
    """
    values = [w.value for w in ws]
    slots = slots_for(values, each=2)
    losses = np.full(updates, np.nan)
    for step in range(1, updates + 1):
        loss = loss_of()
        if not np.isfinite(loss.value):
            break
        losses[step - 1] = float(loss.value)
        backward(loss)
        adam(values, slots, [w.grad for w in ws], step, rate)
    return losses


def smooth(losses: Array, width: int) -> tuple[Array, Array]:
    """Means of losses over groups of updates, and the update in each group's middle.

    Example:
        >>> import numpy as np
        >>> smooth(np.array([4.0, 2.0, 1.0, 1.0]), 2)
        (array([1., 3.]), array([3., 1.]))
    """
    groups = np.asarray(losses.reshape(-1, width).mean(axis=1), dtype=np.float64)
    middles = np.asarray(width * (np.arange(len(groups)) + 0.5), dtype=np.float64)
    return middles, groups
