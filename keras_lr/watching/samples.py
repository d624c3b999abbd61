"""Samples: what a monitor has seen of single updates, a row each (pure)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from keras_lr.plan.curves import FloatArray

#: The columns that every table begins with: the update of the run, from 0, and the
#: epoch that it is in.
PLACE = ("update", "epoch")


@dataclass(frozen=True)
class Samples:
    """Rows of numbers, by update.

    Attributes:
        columns: What each is called; they begin with those of :data:`PLACE`.
        rows: Shape ``(samples, columns)``; NaN where there was nothing to measure.
    """

    columns: tuple[str, ...]
    rows: FloatArray

    @classmethod
    def none(cls, columns: Sequence[str] = PLACE) -> Self:
        """No samples, of some columns."""
        return cls(tuple(columns), np.zeros((0, len(columns))))

    def __len__(self) -> int:
        return len(self.rows)

    def column(self, name: str) -> FloatArray:
        """One column."""
        values: FloatArray = self.rows[:, self.columns.index(name)]
        return values

    def by_name(self) -> dict[str, FloatArray]:
        """All columns."""
        return {name: self.rows[:, i].copy() for i, name in enumerate(self.columns)}

    def before(self, update: int) -> Samples:
        """Those of the updates before one; where there are none, no columns either."""
        is_before = self.column("update") < update
        if not is_before.any():
            return Samples.none()
        return Samples(self.columns, self.rows[is_before])

    def with_columns(self, columns: Sequence[str]) -> Samples:
        """The same with further columns behind its own, where there are others."""
        more = [name for name in columns if name not in self.columns]
        blank = np.full((len(self), len(more)), np.nan)
        return Samples((*self.columns, *more), np.hstack([self.rows, blank]))

    def then(self, later: Samples) -> Samples:
        """These rows and later ones, with the columns of both."""
        whole = self.with_columns(later.columns)
        fitting = later.with_columns(whole.columns)
        order = [fitting.columns.index(name) for name in whole.columns]
        rows = np.concatenate([whole.rows, fitting.rows[:, order]])
        return Samples(whole.columns, rows)

    def summary(self, columns: Sequence[str]) -> dict[str, float]:
        """What these samples, those of an epoch, come to in its logs.

        Args:
            columns: Those of all samples of the run, which later epochs may have.

        Returns:
            The mean of the ratio of all weights, and of the rest but the loss, of which
            logs have a mean of their own, the last value; NaN where there is none.
        """
        told = {}
        for name in columns:
            is_layer = name.startswith("ratio/") and name != "ratio/all"
            if is_layer or name in (*PLACE, "loss"):
                continue
            values = self.column(name) if name in self.columns else np.zeros(0)
            known = values[~np.isnan(values)]
            if not len(known):
                told[name] = float("nan")
            elif name.startswith("ratio"):
                told[name] = float(known.mean())
            else:
                told[name] = float(known[-1])
        return told

    def told(self) -> Iterator[tuple[int, dict[str, float]]]:
        """The update of each row, and what there is to tell of it.

        The loss is told whatever it is: that it is not a number is what somebody who
        watches a run wants to know. Of the rest NaN means that nothing was measured.
        """
        for row in self.rows.tolist():
            named = dict(zip(self.columns, row, strict=True))
            update = int(named.pop("update"))
            epoch = int(named.pop("epoch"))
            measured = {
                name: value
                for name, value in named.items()
                if value == value or name == "loss"
            }
            yield update, {"epoch": epoch, **measured}


def next_sample(update: int, every: int) -> int:
    """The first update to be sampled that is not before one.

    Example:
        >>> next_sample(0, 50), next_sample(1, 50), next_sample(100, 50)
        (0, 50, 100)
    """
    return -(-update // every) * every
