"""What a step writes down of each batch: named scalars, read when somebody wants."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from keras_lr.plan.curves import FloatArray
from keras_lr.plan.duration import IntArray


@dataclass(frozen=True)
class BeforeView:
    """What can be looked at inside of the step, before the model's own work.

    Attributes:
        model: The model; on TensorFlow and torch its variables have their values.
        state: The values of its variables on JAX, in groups; None elsewhere.
        data: The batch.
        count: The batches that the first optimizer has done.
    """

    model: Any
    state: Any
    data: Any
    count: Any


class Before(Protocol):
    """Works something out before the model's own work, and leaves all as it is.

    Equal ones are the same work.
    """

    @property
    def every(self) -> int:
        """Batches from one time to the next."""

    def __call__(self, view: BeforeView) -> Sequence[Any]:
        """What it gives: on JAX it is asked when it is due, elsewhere at each batch."""

    def __hash__(self) -> int: ...


@dataclass(frozen=True)
class StepView:
    """What a scalar is worked out from, inside of the step.

    Attributes:
        loss: The mean loss of the batch; NaN where the step reports none.
        data: The batch.
        logs: What the step returns: the running means of the metrics.
        in_force: For each optimizer the values that its update was made with.
        before: What the scalar has had worked out before; None if nothing.
    """

    loss: Any
    data: Any
    logs: Any
    in_force: Sequence[Mapping[str, Any]]
    before: Sequence[Any] | None = None


@dataclass(frozen=True)
class Scalar:
    """A number that the step writes down of each batch, besides loss and rates.

    Attributes:
        name: What it is called.
        value: Gives it, by the backend's own operations.
        before: What it is worked out from before the model's own work; scalars with the
            same one share what it gives. None for nothing.
    """

    name: str
    value: Callable[[StepView], Any]
    before: Before | None = None


@dataclass(frozen=True)
class Segment:
    """Rows of a record that are complete, where the step left them.

    Attributes:
        first: The count of batches that the first row is of.
        rows: How many rows.
        fetch: Brings them to the host: shape ``(rows, names)``.
    """

    first: int
    rows: int
    fetch: Callable[[], FloatArray]


@dataclass(frozen=True)
class Rows:
    """What has been written down of some batches in a row.

    Attributes:
        first: The first optimizer's count of batches before the first of them.
        columns: By name, one number a batch: ``loss``, ``learning_rate_0``, ..., and
            the scalars. A batch whose rate is NaN had no data.
    """

    first: int
    columns: Mapping[str, FloatArray]

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))


class Record:
    """The scalars of the batches since a moment, by name.

    The step writes them into a ring of rows. What the ring leaves is kept as it lies,
    on the device, until somebody reads it, so that nothing waits for the device before.

    Args:
        names: The scalars.
        first: The optimizer's count of batches at the moment.
    """

    def __init__(self, names: Sequence[str], first: int) -> None:
        self.names = tuple(names)
        self.first = first
        self._waiting: list[Segment] = []
        self._fetched: FloatArray = np.zeros((0, len(self.names)))

    def add(self, segment: Segment) -> None:
        """Take note of rows that the ring is about to lose."""
        self._waiting.append(segment)

    def read(self, current: Segment) -> dict[str, FloatArray]:
        """All that has been written down, and what the ring holds now."""
        for segment in self._waiting:
            self._fetched = self._with(segment)
        self._waiting.clear()
        rows = self._with(current)
        return {name: rows[:, i] for i, name in enumerate(self.names)}

    def forget(self, before: int) -> None:
        """Drop what has been read of the batches before a count."""
        dropped = max(before - self.first, 0)
        self._fetched = self._fetched[dropped:]
        self.first += dropped

    def _with(self, segment: Segment) -> FloatArray:
        """The rows so far, and those of a segment, which count where both have some."""
        if not segment.rows:
            return self._fetched
        begin = max(segment.first - self.first, 0)
        new = segment.fetch()[max(self.first - segment.first, 0) :]
        return np.concatenate([self._fetched[:begin], new])


class Reader:
    """Gives what a step has written down of each batch, each batch once.

    Args:
        read: Gives all rows that are kept.
        first: The count of batches from which on.
    """

    def __init__(self, read: Callable[[], Rows], first: int) -> None:
        self._read = read
        #: The count up to which all has been read.
        self.position = first

    def read(self) -> Rows:
        """What has been written down since the last time. It waits for the device."""
        rows = self._read()
        begin = self.position - rows.first
        columns = {name: column[begin:] for name, column in rows.columns.items()}
        new = Rows(self.position, columns)
        self.position += len(new)
        return new


def places_in_ring(first: int, batches: int, size: int) -> IntArray:
    """Where a ring of some size has the rows of so many batches from ``first`` on.

    Example:
        >>> places_in_ring(6, 3, size=8)
        array([6, 7, 0])
    """
    return (first + np.arange(batches)) % size
