"""Lines over a run, as small SVG that takes its colours from the page.

Lines differ in colour and in dashes, so that they can be told apart without colours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import NDArray

_WIDTH = 640
_HEIGHT = 230
_LEFT = 62
_RIGHT = 14
_TOP = 26
_BOTTOM = 42


@dataclass(frozen=True, eq=False)
class Line:
    """One value an update.

    Attributes:
        name: What the line is of.
        values: float64 array, finite.
    """

    name: str
    values: NDArray[np.float64]


@dataclass(frozen=True)
class Frame:
    """A rectangle of the picture, and the values at its edges.

    Attributes:
        left: Of the rectangle.
        top: Of the rectangle.
        width: Of the rectangle.
        height: Of the rectangle.
        lowest: The value at its lower edge.
        highest: The value at its upper edge, above the lowest.
    """

    left: float
    top: float
    width: float
    height: float
    lowest: float
    highest: float

    def path(self, values: NDArray[np.float64]) -> str:
        """A line through values at equal distances from edge to edge.

        Example:
            >>> Frame(0, 0, 10, 10, 0.0, 1.0).path(np.array([0.0, 1.0, 0.5]))
            'M0 10L5 0L10 5'
        """
        across = np.linspace(self.left, self.left + self.width, len(values))
        down = [self.y(value) for value in values]
        points = (
            f"{x:.5g} {y:.4g}" for x, y in zip(across.tolist(), down, strict=True)
        )
        return "M" + "L".join(points)

    def y(self, value: float) -> float:
        """Where a value is."""
        share = (value - self.lowest) / (self.highest - self.lowest)
        return float(self.top + self.height * (1 - share))


def chart(lines: Sequence[Line], epochs: int, quantity: str, label: str) -> str:
    """Lines with axes.

    Args:
        lines: From the first update of a run to its last.
        epochs: Of the run.
        quantity: What the values are.
        label: What a screen reader says in place of the picture.

    Returns:
        An ``svg`` element.
    """
    lowest = min(float(line.values.min()) for line in lines)
    highest = max(float(line.values.max()) for line in lines)
    # A rate is shown from zero; what lies far from it, as momentum, is not.
    lowest = 0.0 if lowest < highest / 2 else lowest
    frame = Frame(
        _LEFT,
        _TOP,
        _WIDTH - _LEFT - _RIGHT,
        _HEIGHT - _TOP - _BOTTOM,
        lowest,
        highest,
    )
    bottom = frame.top + frame.height
    parts = [_text(0, 14, quantity, "start")]
    for value in np.linspace(lowest, highest, 3).tolist():
        y = frame.y(value)
        right = frame.left + frame.width
        parts.append(f'<path class="grid" d="M{frame.left} {y:.4g}H{right}"/>')
        parts.append(_text(frame.left - 8, y + 4, f"{value:.3g}", "end"))
    for epoch in range(0, epochs + 1, 2):
        x = frame.left + frame.width * epoch / epochs
        parts.append(f'<path class="grid" d="M{x:.5g} {bottom}v5"/>')
        parts.append(_text(x, bottom + 19, str(epoch), "middle"))
    parts.append(_text(frame.left + frame.width / 2, bottom + 36, "epoch", "middle"))
    for place, line in enumerate(lines):
        drawn = frame.path(line.values)
        parts.append(f'<path class="line line-{place}" d="{drawn}"/>')
    return (
        f'<svg class="chart" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        f'aria-label="{escape(label)}">{"".join(parts)}</svg>'
    )


def sparkline(line: Line) -> str:
    """A line without axes, for a link whose text says what it is."""
    frame = Frame(3, 3, 114, 44, 0.0, float(line.values.max()))
    return (
        '<svg viewBox="0 0 120 50" aria-hidden="true">'
        f'<path class="line line-0" d="{frame.path(line.values)}"/></svg>'
    )


def _text(x: float, y: float, said: str, anchor: str) -> str:
    return f'<text x="{x:.5g}" y="{y:.5g}" text-anchor="{anchor}">{escape(said)}</text>'
