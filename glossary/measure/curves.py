"""Fewer points for curves that have more of them than can be seen."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
_MOST_POINTS = 200  # of a curve: more than a panel can show
_MOST_BLOCKS = 50  # of a band


def seen(values: Array) -> NDArray[np.intp]:
    """Which points of a curve to draw: of a long one, the ends of each stretch's range.

    Every n-th point would make a curve that swings from one update to the next flat.

    Args:
        values: Of the curve; a gap is NaN.

    Returns:
        Their places, in rising order.

    Example:
        >>> seen(np.arange(1000.0))[:4]
        array([ 0,  9, 10, 19])
    """
    if len(values) <= _MOST_POINTS:
        return np.arange(len(values))
    edges = np.linspace(0, len(values), _MOST_POINTS // 2 + 1).astype(int)
    known = np.nan_to_num(values)
    kept = {0, len(values) - 1}
    for start, end in pairwise(edges):
        stretch = known[start:end]
        gaps = np.flatnonzero(np.isnan(values[start:end]))[:1]
        for place in (stretch.argmin(), stretch.argmax(), *gaps):
            kept.add(int(start + place))
    return np.array(sorted(kept))


def bands(x: Array, low: Array, high: Array) -> Iterator[tuple[Array, Array]]:
    """Outlines of how far the seeds of a curve reach.

    Args:
        x: Places of the points.
        low: The lowest seed at each; a gap is NaN.
        high: The highest.

    Yields:
        Places and values around each stretch without a gap; nothing where all seeds
        agree.
    """
    if not (high > low).any():
        return
    known = np.concatenate([[False], np.isfinite(low), [False]])
    edges = np.flatnonzero(np.diff(known))
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        # Blocks of points, of which the band shows how far they reach.
        blocks = np.arange(start, end, max(1, len(x) // _MOST_BLOCKS))
        ends = np.append(x[blocks], x[end - 1])
        below = np.append(np.minimum.reduceat(low[:end], blocks), low[end - 1])
        above = np.append(np.maximum.reduceat(high[:end], blocks), high[end - 1])
        around = np.concatenate([ends, ends[::-1]])
        yield around, np.concatenate([below, above[::-1]])
