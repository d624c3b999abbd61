"""From a number and a threshold to a verdict."""

from __future__ import annotations

import math

COMPARISONS = ("<", "<=", ">", ">=", "between")
OUTCOMES = ("held", "failed", "inconclusive")
Threshold = float | tuple[float, float]


def judge(measured: float, comparison: str, threshold: Threshold) -> tuple[str, float]:
    """Verdict and margin of a number.

    Args:
        measured: What was measured; where it is not finite, nothing can be said.
        comparison: One of `COMPARISONS`.
        threshold: The number to compare with; a pair for ``between``.

    Returns:
        The verdict, and how far the number lies on the side that holds, as a share of
        the threshold (of 1 where that is 0), for ``between`` of the width.

    Example:
        >>> judge(0.25, "<", 0.5), judge(3.0, ">=", 4.0), judge(1.5, "between", (1, 2))
        (('held', 0.5), ('failed', -0.25), ('held', 0.5))
    """
    if not math.isfinite(measured):
        return "inconclusive", math.nan
    if isinstance(threshold, tuple):
        low, high = threshold
        margin = min(measured - low, high - measured) / (high - low)
        return ("held" if low <= measured <= high else "failed"), margin
    sign = 1 if comparison.startswith(">") else -1
    margin = sign * (measured - threshold) / (abs(threshold) or 1.0)
    equal = comparison.endswith("=") and measured == threshold
    return ("held" if margin > 0 or equal else "failed"), margin


def in_words(comparison: str, threshold: Threshold) -> str:
    """The comparison in words.

    Example:
        >>> in_words("<", 0.5), in_words("between", (1, 2))
        ('< 0.5', 'between 1 and 2')
    """
    if isinstance(threshold, tuple):
        return f"between {threshold[0]:g} and {threshold[1]:g}"
    return f"{comparison} {threshold:g}"
