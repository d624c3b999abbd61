"""``LRFinderResult``: what a finder found, how sure it is, and what it saw."""

from __future__ import annotations

import base64
import csv
import dataclasses
import html
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np

from keras_lr.finder import pictures, result_file
from keras_lr.finder.judge import Verdict
from keras_lr.finder.probe import Probe
from keras_lr.plan.curves import FloatArray


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
            ``keras_lr.finder.rules``.
        probes: Short trainings that were run to verify the answer, by rate; empty for a
            sweep alone.
        steps: Optimizer updates that were spent.
        start: The held-out loss before any training; None for a sweep alone.
        batches_drawn: Batches that were taken from what yields them, and that a
            generator will not yield again; 0 for arrays.
    """

    suggestion: float | None
    verdict: Verdict
    reason: str
    interval: tuple[float, float] | None
    lrs: FloatArray
    losses: FloatArray
    smoothed: FloatArray
    suggestions: Mapping[str, float]
    probes: tuple[Probe, ...]
    steps: int
    start: float | None = None
    batches_drawn: int = 0

    def __post_init__(self) -> None:
        for name in ("lrs", "losses", "smoothed"):
            array = np.array(getattr(self, name), dtype=np.float64)
            array.flags.writeable = False
            object.__setattr__(self, name, array)

    def plot(self, ax: Any = None) -> Any:
        """Draw what was seen and what was made of it; needs the extra ``plot``.

        Above, the sweep: the training loss at each rate, the same without noise, and
        where it has fallen. Below, over the same rates, where there are ``probes``: the
        held-out loss after each short training, a line for each length, beside the loss
        before any training. Losses that blow up do not flatten the rest: what lies
        above the picture, or is not finite, is marked at its upper edge. Suggestion and
        interval run through both; the title says them in words, or why there is none.

        Args:
            ax: Matplotlib axes to draw the sweep on, without the trainings; None for a
                new figure of pyplot, with both.

        Returns:
            The axes of the sweep. Those of the trainings are the second of its figure,
            ``result.plot().figure.axes[1]``.

        Raises:
            ImportError: If matplotlib is not installed.
        """
        return pictures.plot(self, ax)

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values that JSON can hold.

        Numbers that are not finite are written as ``"nan"``, ``"inf"``, ``"-inf"``, and
        each of ``probes`` as a dict.
        """
        return {
            field.name: result_file.plain(getattr(self, field.name))
            for field in dataclasses.fields(self)
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """A result from what ``to_dict`` wrote, also in an older version.

        Raises:
            ValueError: If it is not that: no mapping, a field is missing, unknown or of
                another kind, or the lists of rates and losses differ in length.
        """
        fields = dataclasses.fields(cls)
        defaults = {
            field.name: field.default
            for field in fields
            if field.default is not dataclasses.MISSING
        }
        names = [field.name for field in fields]
        return cls(**result_file.read(values, names, defaults))

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
        spent = f"{self.steps} updates"
        if self.batches_drawn:
            spent += f", {self.batches_drawn} batches taken from the data"
        return f"{head}: {self.reason}. {spent}."

    def __repr__(self) -> str:
        return (
            f"LRFinderResult(suggestion={self.suggestion!r}, verdict={self.verdict!r}, "
            f"interval={self.interval!r}, steps={self.steps})"
        )

    def _repr_html_(self) -> str:
        """The verdict in words and the picture, for notebooks."""
        words = html.escape(str(self))
        try:
            picture = base64.b64encode(pictures.png(self)).decode()
        except ImportError:
            return f"<p>{words}</p>"
        return (
            f'<p>{words}</p><img width="700" alt="{words}" '
            f'src="data:image/png;base64,{picture}">'
        )
