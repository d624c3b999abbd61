"""What a search says of its trainings, and how sure it is."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from keras_lr.finder.climb import Seen
from keras_lr.finder.judge import SURE, Verdict
from keras_lr.plan.curves import FloatArray

#: Times its standard error that the fall of the mean held-out loss must have.
SURE_OF_MEAN = 3.0


@dataclass(frozen=True)
class Finding:
    """A verdict.

    Attributes:
        name: One of :data:`Verdict`.
        reason: The verdict in words.
    """

    name: Verdict
    reason: str


def verdict_of(
    start: Seen, best: Seen, swapped: Seen | None, rate: float, *, held: int
) -> Finding:
    """Judge a search by how far the loss fell on the rows that are held out."""
    falls = f"the held-out loss from {start.loss:.4g} to {best.loss:.4g}"
    if not math.isfinite(best.loss):
        return Finding("diverged early", "lost")
    if not (best.loss < start.loss and is_real(start.losses, best.losses)):
        noisy = float(np.std(start.losses)) > 0.05 * abs(start.loss)
        return Finding(
            "noisy" if noisy else "flat",
            f"the best training brought {falls}, which noise explains as well",
        )
    if swapped is not None and not is_real(swapped.losses, best.losses):
        return Finding(
            "flat",
            f"the best training brought {falls}, and as low with the targets of other "
            "rows: it learned nothing of the inputs",
        )
    return Finding("trust", f"the best training brought {falls}")


def is_real(before: FloatArray, after: FloatArray) -> bool:
    """Whether the losses of the batches held out fell, and not by chance.

    By the fall of each batch and its standard error: the relative fall, where batches
    of quite different losses count alike, or the fall itself, where batches that began
    near 0 do not hide it. A few rows that lie far off decide neither.
    """
    sizes = np.maximum(np.abs(before) + np.abs(after), 1e-30)
    for falls, sure in (
        ((before - after) / sizes, SURE),
        ((before - after) / sizes.mean(), SURE_OF_MEAN),
    ):
        error = np.std(falls) / math.sqrt(max(1, len(falls) - 1))
        if falls.mean() > sure * error + 1e-5:
            return True
    return False
