"""Regret: how much of what could be learned is lost at a rate, by the stored truth."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.finder.truth import PATH, SCHEDULES


@dataclass(frozen=True)
class Truth:
    """What each rate of the grid leads to on one task.

    Attributes:
        rates: The grid.
        reference: The loss of having learned nothing: the smaller of that at
            initialization and that of the best constant prediction.
        losses: Final validation losses by schedule, of shape (rates, seeds); None
            where one is not finite.
    """

    rates: list[float]
    reference: float
    losses: dict[str, list[list[float | None]]]

    def curve(self, schedule: str) -> Any:
        """Mean final loss at each rate."""
        return np.array([self.capped_mean(row) for row in self.losses[schedule]])

    def capped_mean(self, losses: Any) -> float:
        """Mean over trainings, none of which counts as worse than nothing learned."""
        lost = self.reference
        counted = [
            lost if loss is None or not np.isfinite(loss) else min(loss, lost)
            for loss in losses
        ]
        return float(np.mean(counted))

    def regret_of_losses(self, schedule: str, losses: Any) -> float:
        """Regret of final losses that another optimizer came to."""
        return self._share(schedule, self.capped_mean(losses))

    def regret(self, schedule: str, rate: float | None) -> float:
        """Regret of a rate, between two of the grid by its logarithm.

        No rate at all counts as nothing learned; one beyond an end, as that end.
        """
        if rate is None or not np.isfinite(rate):
            return 1.0
        curve = self.curve(schedule)
        return self._share(
            schedule, float(np.interp(np.log10(rate), np.log10(self.rates), curve))
        )

    def _share(self, schedule: str, loss: float) -> float:
        lowest = self.curve(schedule).min()
        return float(np.clip((loss - lowest) / (self.reference - lowest), 0, 1))


def stored_truths() -> dict[str, Truth]:
    """The truth of every task, by name."""
    stored = json.loads(PATH.read_text())
    return {
        name: Truth(
            stored["rates"],
            task["reference"],
            {schedule: task[schedule] for schedule in SCHEDULES},
        )
        for name, task in stored["tasks"].items()
    }
