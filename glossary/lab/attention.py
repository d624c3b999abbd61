"""Scaled dot-product attention (Vaswani 2017, eq. 1), in NumPy and on a tape."""

from __future__ import annotations

import numpy as np

from glossary.lab import tape
from glossary.lab.data import Array
from glossary.lab.nets import softmax
from glossary.lab.tape import Variable


def attend(
    q: Array, k: Array, v: Array, allowed: Array | None = None
) -> tuple[Array, Array]:
    """Means of the values, weighted by how well each key fits the query.

    Args:
        q: Queries, shape (..., queries, size).
        k: Keys, shape (..., keys, size).
        v: Values, shape (..., keys, size of a value).
        allowed: A mask, 1 where a query may see a key and 0 elsewhere; or None.

    Returns:
        Outputs, shape (..., queries, size of a value), and weights, shape
        (..., queries, keys), whose rows sum to 1.

    Example:
        >>> import numpy as np
        >>> out, weights = attend(np.zeros((1, 2)), np.eye(2), np.array([[1.0], [3.0]]))
        >>> out.tolist(), weights.tolist()
        ([[2.0]], [[0.5, 0.5]])
    """
    scores = q @ k.swapaxes(-1, -2) / np.sqrt(q.shape[-1])
    if allowed is not None:
        scores = np.where(allowed > 0, scores, -np.inf)
    weights = softmax(scores)
    return weights @ v, weights


def attend_on_tape(q: Variable, k: Variable, v: Variable) -> tuple[Variable, Variable]:
    """The same without a mask, so that it can be trained."""
    scores = (q @ tape.swap(k, -1, -2)) * (1 / np.sqrt(q.shape[-1]))
    weights = tape.softmax(scores)
    return weights @ v, weights
