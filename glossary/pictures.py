"""What a demo returns: a number, the pictures that explain it, and its controls.

Standard library alone, so that recorded evidence is read without NumPy. Demos import
these names from `glossary.lab`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

#: Which axes are logarithmic.
SCALES = ("", "x", "y", "xy")
_MOST_PANELS = 3


@dataclass(frozen=True, kw_only=True)
class Lines:
    """Curves over one horizontal axis.

    Args:
        x: Places of the points, in rising order; numbers or an array.
        ys: A curve for each name: as many numbers as ``x`` has. A gap is NaN.
        x_label: What ``x`` is, with its unit.
        y_label: What the curves are, with its unit.
        title: What sets this panel apart from others beside it; or empty.
        log: Which axes are logarithmic: ``""``, ``"x"``, ``"y"`` or ``"xy"``.
        marks: Levels to draw across, by name, such as ``{"bound": 0.447}``.

    Raises:
        ValueError: If a curve has another number of points, or no word is on an axis.

    Example:
        >>> from glossary.lab import Lines
        >>> Lines(x=[1, 2], ys={"loss": [0.5, 0.25]}, x_label="epoch", y_label="loss").x
        (1.0, 2.0)
    """

    x: tuple[float, ...]
    ys: Mapping[str, tuple[float, ...]]
    x_label: str
    y_label: str
    title: str = ""
    log: str = ""
    marks: Mapping[str, float] = field(default_factory=dict)

    def __init__(
        self,
        *,
        x: Iterable[float],
        ys: Mapping[str, Iterable[float]],
        x_label: str,
        y_label: str,
        title: str = "",
        log: str = "",
        marks: Mapping[str, float] | None = None,
    ) -> None:
        object.__setattr__(self, "x", numbers(x))
        object.__setattr__(self, "ys", {k: numbers(values) for k, values in ys.items()})
        object.__setattr__(self, "x_label", x_label)
        object.__setattr__(self, "y_label", y_label)
        object.__setattr__(self, "title", title)
        object.__setattr__(self, "log", log)
        object.__setattr__(self, "marks", _levels(marks))
        _check_series(self.ys, len(self.x), "points on the x axis")
        _check_words(x_label=x_label, y_label=y_label)
        _check_scale(log)


@dataclass(frozen=True, kw_only=True)
class Bars:
    """Bars side by side, all of one quantity.

    A value of exactly 0 on a logarithmic axis is drawn as no bar, with a 0 in its
    place: never put a small number there.

    Args:
        labels: What each place on the horizontal axis is.
        ys: For each name as many numbers as there are labels; bars of several names
            stand side by side.
        y_label: What the bars are, with its unit.
        x_label: What the labels are; or empty where they speak for themselves.
        title: What sets this panel apart from others beside it; or empty.
        log: ``"y"`` for a logarithmic axis; or empty.
        marks: Levels to draw across, by name.

    Raises:
        ValueError: If a name has another number of values, or no word is on the axis.

    Example:
        >>> from glossary.lab import Bars
        >>> Bars(labels=["SGD", "Adam"], ys={"loss": [0.5, 0.25]}, y_label="loss").ys
        {'loss': (0.5, 0.25)}
    """

    labels: tuple[str, ...]
    ys: Mapping[str, tuple[float, ...]]
    y_label: str
    x_label: str = ""
    title: str = ""
    log: str = ""
    marks: Mapping[str, float] = field(default_factory=dict)

    def __init__(
        self,
        *,
        labels: Iterable[str],
        ys: Mapping[str, Iterable[float]],
        y_label: str,
        x_label: str = "",
        title: str = "",
        log: str = "",
        marks: Mapping[str, float] | None = None,
    ) -> None:
        object.__setattr__(self, "labels", tuple(str(label) for label in labels))
        object.__setattr__(self, "ys", {k: numbers(values) for k, values in ys.items()})
        object.__setattr__(self, "y_label", y_label)
        object.__setattr__(self, "x_label", x_label)
        object.__setattr__(self, "title", title)
        object.__setattr__(self, "log", log)
        object.__setattr__(self, "marks", _levels(marks))
        _check_series(self.ys, len(self.labels), "labels")
        _check_words(y_label=y_label)
        if log not in ("", "y"):
            raise ValueError(f"`log` of bars must be '' or 'y'. Received: log={log!r}.")


@dataclass(frozen=True)
class Control:
    """The arm that must come out as known, or the measurement says nothing.

    Args:
        met: Whether it did.
        otherwise: What is said where it did not, as a sentence.

    Example:
        >>> from glossary.lab import Control
        >>> Control(met=0.3 > 0.1, otherwise="The net without it learns nothing.").met
        True
    """

    met: bool
    otherwise: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "met", bool(self.met))  # NumPy's bool is no JSON


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """What one seed of a demo measured.

    Args:
        measured: The number that is compared with the claim's threshold.
        panels: One to three pictures, side by side, for the learner.
        seen: What they show, as one sentence that holds for every seed.
        controls: Each must be met, or the verdict is inconclusive.

    Raises:
        ValueError: If there are no panels or more than three, or no sentence.
    """

    measured: float
    panels: tuple[Lines | Bars, ...]
    seen: str
    controls: tuple[Control, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "measured", float(self.measured))
        if not 1 <= len(self.panels) <= _MOST_PANELS:
            raise ValueError(
                f"`panels` must hold 1 to {_MOST_PANELS} pictures. "
                f"Received: {len(self.panels)}."
            )
        _check_words(seen=self.seen)

    @property
    def reason(self) -> str:
        """Why it says nothing: the first control that was not met; or empty."""
        for control in self.controls:
            if not control.met:
                return control.otherwise
        return ""


def numbers(values: Any) -> tuple[float, ...]:
    """Numbers of any kind as plain floats."""
    listed = values.tolist() if hasattr(values, "tolist") else values
    return tuple(float(value) for value in listed)


def _levels(marks: Mapping[str, float] | None) -> dict[str, float]:
    return {name: float(level) for name, level in (marks or {}).items()}


def _check_series(ys: Mapping[str, tuple[float, ...]], count: int, what: str) -> None:
    if not ys or count == 0:
        raise ValueError("A picture must show something. Received: no values.")
    for name, values in ys.items():
        if len(values) != count:
            raise ValueError(
                f"Each of `ys` must have as many values as there are {what}, "
                f"{count}. Received: {len(values)} in {name!r}."
            )
        if any(math.isinf(value) for value in values):
            raise ValueError(
                f"`ys` must be finite; NaN is a gap. Received: infinity in {name!r}."
            )


def _check_words(**words: str) -> None:
    for name, text in words.items():
        if not text:
            raise ValueError(f"`{name}` must say what is shown. Received: no text.")


def _check_scale(log: str) -> None:
    if log not in SCALES:
        listed = ", ".join(map(repr, SCALES))
        raise ValueError(f"`log` must be one of {listed}. Received: log={log!r}.")
