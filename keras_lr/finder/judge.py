"""What a sweep says, and how sure it is: when to stop, the verdict, the suggestion.

All judgements are relative to the loss at the start of the sweep and to the noise, so
that they do not change when a constant is added to the losses (they may be negative) or
when they are scaled.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

import numpy as np

from keras_lr.finder import rules
from keras_lr.plan.curves import FloatArray

Verdict: TypeAlias = Literal[
    "trust", "noisy", "flat", "diverged early", "range too narrow"
]
Ending: TypeAlias = Literal["", "not finite", "rose", "left its minimum"]

#: Rates that a sweep needs at least.
LEAST = 20
#: Times its own standard error that a fall of the smoothed loss must have.
SURE = 5.0
#: Decades that the interval may have.
WIDEST = 1.5
#: Curves drawn for the interval.
DRAWS = 200
#: Points that a sweep is looked at by, or up to twice as many.
BLOCKS = 200


class Course(NamedTuple):
    """The course of a sweep's losses.

    Attributes:
        smoothed: The losses without noise.
        level: The loss at the start.
        lowest: Index of the lowest smoothed loss.
        fallen: Index from which on it is nearly reached.
        fall: How far the loss fell.
        noise: Standard deviation of one loss.
        sure: The fall that noise alone does not make.
    """

    smoothed: FloatArray
    level: float
    lowest: int
    fallen: int
    fall: float
    noise: float
    sure: float


def course(losses: FloatArray, points: int) -> Course:
    """Smooth the losses and measure how they fell.

    Args:
        losses: Finite losses, shape ``(n,)``, n at least 1.
        points: Rates of the whole sweep, of which these are the first.
    """
    width = rules.window(points)
    smoothed = rules.smooth(losses, width)
    level = float(rules.start(losses, points))
    # The curve is less smooth at its ends: they must not win by noise.
    edge = min((width - 1) // 4, (len(losses) - 1) // 2)
    inner = smoothed[edge : len(losses) - edge]
    lowest = edge + int(np.argmin(inner))
    # Noise as it was before the minimum: behind it the loss may jump.
    noise = rules.noise(losses[: max(lowest, LEAST)])
    scale = 1e-5 * float(np.max(np.abs(losses[: lowest + 1])))
    # Standard error of a median of `width`, and of that of the start.
    error = 1.25 * noise * np.sqrt(1 / width + 1 / max(3, points // 20))
    fall, sure = level - float(smoothed[lowest]), SURE * error + scale
    fallen = int(rules.fallen(smoothed, np.array(lowest), level))
    return Course(smoothed, level, lowest, fallen, fall, noise, sure)


def ending(losses: FloatArray, points: int) -> Ending:
    """Whether a sweep has seen enough, and why.

    * A loss is not finite.
    * The loss *rose*: the median of the last losses (a twentieth of the sweep) lies
      above the start by as much as the loss had fallen below it, and by what noise
      does not explain.
    * It *left its minimum*: for a tenth of the sweep it has been above its minimum by
      half of its fall. That is what losses do which cannot rise without bound, as
      those of a classifier that has collapsed.

    Args:
        losses: Losses so far, one for each rate.
        points: Rates of the whole sweep.

    Example:
        >>> ending(np.full(50, 2.0), 200), ending(np.array([2.0, np.inf]), 200)
        ('', 'not finite')
    """
    if not np.isfinite(losses).all():
        return "not finite"
    losses, points = _blocks(losses, points)
    last = max(5, points // 20)
    if len(losses) < LEAST:
        return ""
    seen = course(losses, points)
    rise = float(np.median(losses[-last:])) - seen.level
    if rise > max(2 * seen.sure, 5 * seen.noise, seen.fall):
        return "rose"
    since = min(2 * last, len(losses) - 1 - seen.lowest)
    if seen.fall > seen.sure and since >= 2 * last:
        above = rules.smooth(losses[-since:], last) - seen.smoothed[seen.lowest]
        if above.min() > max(seen.fall / 2, seen.sure):
            return "left its minimum"
    return ""


def _blocks(losses: FloatArray, points: int) -> tuple[FloatArray, int]:
    """Means of neighbours, where the medians of a long sweep would take longer than it.

    Returns:
        The means, along the last axis, and how many a whole sweep has.
    """
    each = max(1, points // BLOCKS)
    count = losses.shape[-1] // each
    whole = losses[..., : count * each]
    return whole.reshape(*losses.shape[:-1], count, each).mean(axis=-1), points // each


class Judgement(NamedTuple):
    """What a sweep says.

    Attributes:
        verdict: One of :data:`Verdict`.
        reason: The verdict in words.
        suggestion: The rate, or None where it is not to be trusted.
        interval: Where the suggestion may lie as well, or None.
        suggestions: What each rule says, by name.
        smoothed: The losses without noise, NaN from the first that is not finite.
    """

    verdict: Verdict
    reason: str
    suggestion: float | None
    interval: tuple[float, float] | None
    suggestions: dict[str, float]
    smoothed: FloatArray


def judge(
    lrs: FloatArray, losses: FloatArray, points: int, divisor: float
) -> Judgement:
    """Judge a sweep.

    Args:
        lrs: Rates that were tried, increasing.
        losses: Loss at each, as measured.
        points: Rates of the whole sweep.
        divisor: What the rate is divided by (see ``zero_lag``).
    """
    bad = ~np.isfinite(losses)
    end = int(np.argmax(bad)) if bad.any() else len(losses)
    smoothed = np.full(len(losses), np.nan)
    if end < LEAST // 2:
        reason = (
            f"the loss is not finite from update {end} on, at a rate of "
            f"{lrs[min(end, len(lrs) - 1)]:.2g}: begin lower, with a smaller `min_lr`"
        )
        return Judgement("diverged early", reason, None, None, {}, smoothed)
    lrs_seen, seen = lrs[:end], course(losses[:end], points)
    smoothed[:end] = seen.smoothed
    why = ending(losses, points)
    interval = _interval(lrs_seen, losses[:end], seen, points, divisor)
    verdict, reason = _verdict(lrs_seen, seen, why, points, interval)
    suggestions = _suggestions(lrs_seen, seen, divisor)
    if verdict != "trust":
        return Judgement(verdict, reason, None, None, suggestions, smoothed)
    suggestion = suggestions["zero_lag"]
    return Judgement(verdict, reason, suggestion, interval, suggestions, smoothed)


def _suggestions(lrs: FloatArray, seen: Course, divisor: float) -> dict[str, float]:
    """All rules on the smoothed losses, up to where they blow up."""
    high = seen.level + max(seen.fall, seen.sure)
    blown = seen.smoothed > high
    blown[: seen.lowest + 1] = False
    end = max(int(np.argmax(blown)) if blown.any() else len(blown), 2)
    rates, curve = lrs[:end], seen.smoothed[:end]
    found = {
        "zero_lag": float(lrs[seen.fallen] / divisor),
        "valley": rules.valley(rates, curve),
        "steepest": rules.steepest(rates, curve),
        "minimum": rules.minimum(rates, curve),
    }
    if len(rates) > 15:
        found["slide"] = rules.slide(rates, curve)
    return dict(sorted(found.items()))


def _interval(
    lrs: FloatArray, losses: FloatArray, seen: Course, points: int, divisor: float
) -> tuple[float, float]:
    """Where the suggestion lies if the noise had fallen otherwise: 5 to 95 %.

    Wild bootstrap: the residual of each loss keeps its size, which may change along the
    sweep, and gets another sign.
    """
    signs = np.random.default_rng(0).choice([-1.0, 1.0], (DRAWS, len(losses)))
    curves = seen.smoothed + signs * (losses - seen.smoothed)
    curves, fewer = _blocks(curves, points)
    width, count = rules.window(fewer), curves.shape[1]
    smoothed = rules.smooth(curves, width)
    edge = min((width - 1) // 4, (count - 1) // 2)
    lowest = edge + np.argmin(smoothed[:, edge : count - edge], axis=1)
    fallen = rules.fallen(smoothed, lowest, rules.start(curves, fewer))
    fallen = (2 * fallen + 1) * (points // fewer) // 2
    indices = np.quantile([*fallen, seen.fallen], [0.05, 0.95], method="nearest")
    low, high = min(indices[0], seen.fallen), max(indices[1], seen.fallen)
    return float(lrs[int(low)] / divisor), float(lrs[int(high)] / divisor)


def _verdict(
    lrs: FloatArray,
    seen: Course,
    why: Ending,
    points: int,
    interval: tuple[float, float],
) -> tuple[Verdict, str]:
    """Judge, from the plainest fault on."""
    diverged = why in ("not finite", "rose")
    if diverged and (len(lrs) < points // 5 or seen.lowest < points // 20):
        return "diverged early", (
            f"the loss rose almost from the start, at a rate of {lrs[seen.lowest]:.2g}:"
            " begin lower, with a smaller `min_lr`"
        )
    if seen.fall <= seen.sure:
        return _nothing(lrs, seen, diverged)
    if not why and seen.lowest >= len(lrs) - 1 - max(3, points // 20):
        return "range too narrow", (
            f"the loss was still falling at the last rate, {lrs[-1]:.2g}: "
            "the sweep must go higher, with a larger `max_lr` or more updates"
        )
    decades = float(np.log10(interval[1] / interval[0]))
    if decades > WIDEST:
        return "noisy", (
            f"the noise lets the minimum lie anywhere within {decades:.1f} decades: "
            "use larger batches or several `updates_per_rate`"
        )
    times = seen.fall / max(seen.noise, 1e-5 * abs(seen.level), 1e-30)
    clear = f"{times:.1f} times its noise" if times < 1000 else "with hardly any noise"
    return "trust", (
        f"the loss fell by {seen.fall:.3g}, {clear}, to a minimum at a rate of "
        f"{lrs[seen.lowest]:.2g}"
    )


def _nothing(lrs: FloatArray, seen: Course, diverged: bool) -> tuple[Verdict, str]:
    """No fall: because there is none, or because noise hides it."""
    then = " before it rose" if diverged else ""
    if seen.noise > 0.05 * abs(seen.level):
        return "noisy", (
            f"the loss has a noise of {seen.noise:.2g} and did not fall by more than "
            f"that explains{then}: use larger batches or several `updates_per_rate`"
        )
    return "flat", (
        f"the loss stayed at {seen.level:.4g} for all rates from {lrs[0]:.2g} to "
        f"{lrs[-1]:.2g}{then}: the model does not learn, or not within so few updates"
    )
