"""Every tuned number of the finder, and what chose it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Tuning:
    """The numbers."""

    share_held: float = 0.2
    most_rows_held: int = 1000
    most_batches_held: int = 16
    parts: int = 8
    larger: int = 4


TUNING = Tuning()
