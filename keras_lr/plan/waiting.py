"""When a metric has stopped getting better: pure numbers behind ``Plateau``."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

CONVENTIONS = ("keras", "torch")
THRESHOLDS = ("absolute", "relative")


@dataclass(frozen=True)
class Rule:
    """What counts as better, and for how long one waits for it.

    Attributes:
        patience: Observations without a better one.
        cooldown: Observations after a cut that do not count.
        rises: Whether more is better.
        min_delta: By how much a better one must be better.
        is_relative: Whether that is a share of the best.
        waits_beyond: Whether more than ``patience`` observations are waited for, as
            torch does; Keras cuts at the last of them.
        smoothing: Weight of the past in a moving mean of the observations, in [0, 1).
    """

    patience: int
    cooldown: int = 0
    rises: bool = False
    min_delta: float = 1e-4
    is_relative: bool = False
    waits_beyond: bool = False
    smoothing: float = 0.0

    @property
    def waits(self) -> int:
        """Observations in a row, none of them better, after which there is a cut."""
        return self.patience + 1 if self.waits_beyond else self.patience

    def is_better(self, value: float, best: float | None) -> bool:
        """Whether a value is better than the best so far by enough."""
        if best is None:
            return not math.isnan(value)
        delta = self.min_delta * abs(best) if self.is_relative else self.min_delta
        return value > best + delta if self.rises else value < best - delta


@dataclass(frozen=True)
class Standing:
    """Where the waiting stands.

    Attributes:
        best: The best value so far; None before the first.
        wait: Observations since then, or since the last cut, that count.
        rest: Observations of the cooldown that are left.
        cuts: Cuts so far.
        mean: Moving mean of the observations, times ``weight``.
        weight: The weight of all observations in it.
        is_best: Whether the last observation was the best.
        is_waited_out: Whether a cut is due that cannot be made any more.
    """

    best: float | None = None
    wait: int = 0
    rest: int = 0
    cuts: int = 0
    mean: float = 0.0
    weight: float = 0.0
    is_best: bool = False
    is_waited_out: bool = False


def observe(standing: Standing, value: float, rule: Rule, may_cut: bool) -> Standing:
    """Where the waiting stands after one more observation.

    Args:
        standing: Where it stood.
        value: The observation; one that is not a number is no better than any.
        rule: The rule.
        may_cut: Whether the rate is above its floor.

    Example:
        >>> standing = Standing()
        >>> for loss in (1.0, 0.5, 0.6, 0.7):
        ...     standing = observe(standing, loss, Rule(patience=2), may_cut=True)
        >>> standing.best, standing.cuts
        (0.5, 1)
    """
    mean = standing.mean
    weight = standing.weight
    if not math.isnan(value):
        mean = rule.smoothing * mean + (1 - rule.smoothing) * value
        weight = rule.smoothing * weight + (1 - rule.smoothing)
        value = mean / weight
    is_better = rule.is_better(value, standing.best)
    rest = max(standing.rest - 1, 0)
    # Keras counts the last observation of a cooldown, torch does not.
    is_resting = standing.rest > 0 if rule.waits_beyond else rest > 0
    wait = 0 if standing.rest > 0 else standing.wait
    if is_better or is_resting:
        wait = 0
    else:
        wait += 1
    after = replace(
        standing,
        best=value if is_better else standing.best,
        wait=wait,
        rest=rest,
        mean=mean,
        weight=weight,
        is_best=is_better,
        is_waited_out=False,
    )
    if wait < rule.waits:
        return after
    if not may_cut:
        return replace(after, is_waited_out=True)
    return replace(after, wait=0, rest=rule.cooldown, cuts=standing.cuts + 1)
