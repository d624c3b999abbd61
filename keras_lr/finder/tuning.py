"""Every tuned number of the finder, and what chose it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Tuning:
    """The numbers."""

    share_held: float = 0.2
    most_rows_held: int = 1000
    most_batches_held: int = 16
    parts: int = 10
    larger: int = 4
    sure: float = 2.6
    sure_if_clear: float = 1.6
    clear_fall: float = 0.02
    surer_by_share: float = 1.2
    noisy: float = 0.1
    noisy_swap: float = 0.5


TUNING = Tuning()
