"""What is known of the data of a search, of one process and of all together."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace

import numpy as np

from keras_lr.fit import processes


@dataclass(frozen=True)
class Known:
    """What a search decides by, besides losses.

    Attributes:
        batches: To train on.
        held: Batches that are held out.
        rows_held: Rows of those.
        alike: How many of them may swap targets; 0 where that says nothing.
        target: The targets of a row, where all rows have the same; else None.
    """

    batches: int
    held: int
    rows_held: int
    alike: int
    target: bytes | None


def known_together(own: Known) -> Known:
    """What is known of the data of all processes; of one, what is known of its own.

    Raises:
        ValueError: If they have other numbers of batches.
    """
    if processes.count() == 1:
        return own
    processes.check_alike("batches to train on", own.batches)
    processes.check_alike("batches to hold out", own.held)
    # Only whether it is the same in all of them matters.
    target = -1 if own.target is None else zlib.crc32(own.target)
    numbers = np.array([own.rows_held, own.alike, target], np.float64)
    rows, alike, targets = processes.gathered(numbers).T
    is_constant = len(set(targets)) == 1
    return replace(
        own,
        # On JAX a batch is that of all processes.
        rows_held=int(rows.mean() * processes.with_losses_of_their_own()),
        alike=int(alike.min()),
        target=own.target if is_constant else None,
    )
