"""What is asked of a report to write it down or to draw it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from keras_lr.lints.finding import Finding
from keras_lr.plan.curves import FloatArray


class Shown(Protocol):
    """A report, whose attributes :class:`keras_lr.Report` explains."""

    @property
    def rates(self) -> FloatArray: ...  # noqa: D102
    @property
    def beside(self) -> Mapping[str, FloatArray]: ...  # noqa: D102
    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def others(self) -> Mapping[str, FloatArray]: ...  # noqa: D102
    @property
    def findings(self) -> Sequence[Finding]: ...  # noqa: D102
    @property
    def joins(self) -> Sequence[int]: ...  # noqa: D102
    @property
    def title(self) -> str: ...  # noqa: D102
    @property
    def about(self) -> str: ...  # noqa: D102
    @property
    def first(self) -> int: ...  # noqa: D102
    @property
    def steps_per_epoch(self) -> float: ...  # noqa: D102
    @property
    def plans(self) -> Mapping[str, FloatArray]: ...  # noqa: D102
    @property
    def extended(self) -> int | None: ...  # noqa: D102
