"""Whose turn it is, and what paired times say: pure, and tested with closed forms.

Two times that were taken one after the other on one machine share what the machine did
just then, so that their ratio tells more than the ratio of two means. Who goes first
may have an advantage of its own; so each random order is followed by its reverse, and
after two rounds everyone has stood before everyone else exactly once.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

#: What is shown beside a median, in percent.
LOW = 10
HIGH = 90


@dataclass(frozen=True)
class Spread:
    """What several figures of the same thing have in common, and how they differ.

    Attributes:
        median: The middle one.
        low: The 10th percentile.
        high: The 90th percentile.
        pairs: How many there were.
    """

    median: float
    low: float
    high: float
    pairs: int


def orders(names: Sequence[str], rounds: int, seed: int = 0) -> list[list[str]]:
    """An order of all names for each round: a random one, then its reverse, and so on.

    Args:
        names: Who takes turns.
        rounds: How many orders, 0 or more.
        seed: Of the random ones.

    Returns:
        One list of names a round.
    """
    chance = random.Random(seed)
    made: list[list[str]] = []
    for number in range(rounds):
        again = number % 2 == 1
        new = chance.sample(list(names), len(names))
        made.append(made[-1][::-1] if again else new)
    return made


def spread(values: Sequence[float]) -> Spread:
    """Median, 10th and 90th percentile, interpolated between neighbours.

    Args:
        values: At least one, all finite.

    Returns:
        Their spread.

    Raises:
        ValueError: If there is no value, or one that is not finite.
    """
    if not len(values) or not np.isfinite(values).all():
        raise ValueError(
            "A spread needs at least one value, all finite. "
            f"Received: values={list(values)[:5]}. Count what failed apart from it."
        )
    low, median, high = np.percentile(values, [LOW, 50, HIGH])
    return Spread(float(median), float(low), float(high), len(values))


def ratios(values: Sequence[float], beside: Sequence[float]) -> list[float]:
    """Each value over its partner of the same round.

    Args:
        values: One a round.
        beside: As many, all above 0.

    Returns:
        One ratio a round.
    """
    return [value / partner for value, partner in zip(values, beside, strict=True)]


def differences(values: Sequence[float], beside: Sequence[float]) -> list[float]:
    """Each value less its partner of the same round."""
    return [value - partner for value, partner in zip(values, beside, strict=True)]
