"""``LRFinderResult``: what a finder found, how sure it is, and what it saw."""

from __future__ import annotations

import base64
import csv
import dataclasses
import html
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np

from keras_lr.finder import rules
from keras_lr.finder.judge import Verdict
from keras_lr.plan.curves import FloatArray
from keras_lr.plot import picture_of_sweep, plot_sweep


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class LRFinderResult:
    """What a finder found.

    Attributes:
        suggestion: The rate to train at, for the schedule that was asked for; None
            where the sweep does not support one.
        verdict: ``"trust"``, ``"noisy"``, ``"flat"``, ``"diverged early"`` or ``"range
            too narrow"``; there is a suggestion only with ``"trust"``.
        reason: The verdict in words.
        interval: Rates between which the suggestion may lie as well, given the noise;
            None where there is no suggestion.
        lrs: Rates that were tried, shape ``(rates,)``, increasing.
        losses: Mean loss of the updates at each rate, measured before each of them;
            not finite where it was not.
        smoothed: The losses without noise or lag, NaN from where they are not finite.
        suggestions: What each rule says, by name, whatever the verdict:
            ``zero_lag`` (ours), ``minimum``, ``slide``, ``steepest``, ``valley``; see
            :mod:`keras_lr.finder.rules`.
        probes: Trainings that were run to verify the answer; empty for a sweep alone.
        steps: Optimizer updates that were spent.
    """

    suggestion: float | None
    verdict: Verdict
    reason: str
    interval: tuple[float, float] | None
    lrs: FloatArray
    losses: FloatArray
    smoothed: FloatArray
    suggestions: Mapping[str, float]
    probes: tuple[Any, ...]
    steps: int

    def __post_init__(self) -> None:
        for name in ("lrs", "losses", "smoothed"):
            array = np.array(getattr(self, name), dtype=np.float64)
            array.flags.writeable = False
            object.__setattr__(self, name, array)

    def plot(self, ax: Any = None) -> Any:
        """Draw the sweep and what was made of it (needs matplotlib, extra ``plot``).

        Args:
            ax: Matplotlib axes to draw on; None makes a figure.

        Returns:
            The axes.
        """
        return plot_sweep(self, rules.start(self.losses, len(self.losses)), ax)

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values that JSON can hold.

        Numbers that are not finite are written as ``"nan"``, ``"inf"``, ``"-inf"``.
        """
        return {
            "suggestion": self.suggestion,
            "verdict": self.verdict,
            "reason": self.reason,
            "interval": None if self.interval is None else list(self.interval),
            "lrs": [_plain(x) for x in self.lrs.tolist()],
            "losses": [_plain(x) for x in self.losses.tolist()],
            "smoothed": [_plain(x) for x in self.smoothed.tolist()],
            "suggestions": dict(self.suggestions),
            "probes": [{**one, "loss": _plain(one["loss"])} for one in self.probes],
            "steps": self.steps,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """A result from what ``to_dict`` wrote.

        Raises:
            ValueError: If a field is missing or unknown.
        """
        names = {field.name for field in dataclasses.fields(cls)}
        if set(values) != names:
            wrong = ", ".join(sorted(names ^ set(values)))
            raise ValueError(
                f"A result has the fields {', '.join(sorted(names))}. Received: a "
                f"dictionary that differs in {wrong}."
            )
        arrays = {
            name: np.array([float(value) for value in values[name]])
            for name in ("lrs", "losses", "smoothed")
        }
        interval = values["interval"]
        return cls(
            **{
                **values,
                **arrays,
                "interval": None if interval is None else tuple(interval),
                "probes": tuple(
                    {**one, "loss": float(one["loss"])} for one in values["probes"]
                ),
            }
        )

    def to_csv(self, path: str | Path) -> None:
        """Write rate, loss and smoothed loss, one line for each rate."""
        with open(path, "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["learning_rate", "loss", "smoothed"])
            columns = (self.lrs, self.losses, self.smoothed)
            writer.writerows(zip(*(column.tolist() for column in columns), strict=True))

    def __str__(self) -> str:
        if self.suggestion is None or self.interval is None:
            head = f"No learning rate to trust ({self.verdict})"
        else:
            low, high = self.interval
            head = f"Learning rate {self.suggestion:.2g} ({low:.2g} to {high:.2g})"
        return f"{head}: {self.reason}. {self.steps} updates."

    def __repr__(self) -> str:
        return (
            f"LRFinderResult(suggestion={self.suggestion!r}, verdict={self.verdict!r}, "
            f"interval={self.interval!r}, steps={self.steps})"
        )

    def _repr_html_(self) -> str:
        """The verdict in words and the picture, for notebooks."""
        words = html.escape(str(self))
        start = rules.start(self.losses, len(self.losses))
        try:
            picture = base64.b64encode(picture_of_sweep(self, start)).decode()
        except ImportError:
            return f"<p>{words}</p>"
        return (
            f'<p>{words}</p><img width="700" alt="{words}" '
            f'src="data:image/png;base64,{picture}">'
        )


def _plain(number: float) -> float | str:
    return number if math.isfinite(number) else str(number)
