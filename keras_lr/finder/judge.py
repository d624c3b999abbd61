"""What a sweep says, and how sure it is: when to stop, the verdict, the suggestion.

All judgements are relative to the loss at the start of the sweep and to the noise, so
that they do not change when a constant is added to the losses (they may be negative) or
when they are scaled.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

import numpy as np

from keras_lr.finder import reasons, rules
from keras_lr.finder.reasons import FOR_SWEEP, HARMLESS, Advice
from keras_lr.finder.tuning import TUNING
from keras_lr.plan.curves import FloatArray

Verdict: TypeAlias = Literal[
    "trust", "noisy", "flat", "diverged early", "range too narrow"
]
Ending: TypeAlias = Literal["", "not finite", "rose", "left its minimum"]

#: Rates that a sweep needs at least.
LEAST = 20
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
    fall, sure = level - float(smoothed[lowest]), TUNING.sweep_sure * error + scale
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


@dataclass(frozen=True)
class Judgement:
    """What a sweep says.

    Attributes:
        verdict: One of :data:`Verdict`.
        reason: The verdict in words.
        fallen_rate: The rate from which on the loss has nearly reached its minimum,
            whatever the verdict; None where no course of the losses can be seen.
        interval: Where that rate may lie as well, or None.
        suggestions: What each published rule says, by name.
        smoothed: The losses without noise, NaN from the first that is not finite.
    """

    verdict: Verdict
    reason: str
    fallen_rate: float | None
    interval: tuple[float, float] | None
    suggestions: dict[str, float]
    smoothed: FloatArray


def judge(
    lrs: FloatArray, losses: FloatArray, points: int, advice: Advice = FOR_SWEEP
) -> Judgement:
    """Judge a sweep.

    Args:
        lrs: Rates that were tried, increasing.
        losses: Loss at each, as measured; the first one is that of the model as it was.
        points: Rates of the whole sweep.
        advice: What the caller can do about it.
    """
    bad = ~np.isfinite(losses)
    end = int(np.argmax(bad)) if bad.any() else len(losses)
    smoothed = np.full(len(losses), np.nan)
    if end < LEAST // 2:
        rate = float(lrs[min(max(end - 1, 0), len(lrs) - 1)])
        reason = reasons.not_finite(rate, end, advice)
        return Judgement("diverged early", reason, None, None, {}, smoothed)
    tried = lrs[:end]
    seen = course(losses[:end], points)
    smoothed[:end] = seen.smoothed
    why = ending(losses, points)
    interval = _interval(tried, losses[:end], seen, points)
    sweep = _Sweep(tried, losses[:end], seen, points)
    verdict, reason = _verdict(sweep, why, interval, advice)
    fallen_rate = float(tried[seen.fallen])
    suggestions = _suggestions(tried, seen)
    return Judgement(verdict, reason, fallen_rate, interval, suggestions, smoothed)


class _Sweep(NamedTuple):
    """A sweep up to the last finite loss.

    Attributes:
        lrs: Rates that were tried.
        losses: Loss at each.
        seen: Their course.
        points: Rates of the whole sweep.
    """

    lrs: FloatArray
    losses: FloatArray
    seen: Course
    points: int


def is_ruined(lrs: FloatArray, losses: FloatArray, seen: Course, points: int) -> bool:
    """Whether the very first updates destroyed the model.

    The first loss is measured before any update: it tells what the model was, but for
    the noise of one loss. The model is ruined if the losses behind it lie higher by
    more than the loss ever falls below the first one, and by more than noise explains.
    What noise is must be told from a ruin's own losses, which can be so wild that they
    hide the jump. So there are three signs: a jump above the noise; a sure fall
    from there, and yet hardly any loss as low as the first one (noise that put that
    there would have had to beat the fall, too); no sure fall, a first rate that can do
    harm, and a loss that is several times the first.

    Args:
        lrs: Rates that were tried.
        losses: Finite losses, one for each rate.
        seen: Their course.
        points: Rates of the whole sweep.
    """
    first = float(losses[0])
    jump = float(np.median(_behind(losses, points))) - first
    if jump <= first - float(seen.smoothed[seen.lowest]):
        return False
    if jump > max(seen.sure, TUNING.ruined * seen.noise):
        return True
    if seen.fall > seen.sure:
        return jump > seen.sure and float(np.mean(losses[1:] <= first)) <= TUNING.as_low
    can_harm = bool(lrs[0] > HARMLESS)
    return can_harm and float(losses.min()) >= 0 and jump > TUNING.several * first


def _behind(losses: FloatArray, points: int) -> FloatArray:
    """The losses right behind the first one."""
    return losses[1 : 1 + max(3, points // 20)]


def _has_moved_at_once(sweep: _Sweep) -> bool:
    """Whether the first update moved the loss, and nothing did after it.

    Ftrl at a very low rate sets all weights to 0: the loss need not rise by that.
    """
    moves = np.abs(sweep.losses - np.median(_behind(sweep.losses, sweep.points)))
    half = max(2, len(moves) // 2)
    others = max(TUNING.ruined * sweep.seen.noise, sweep.seen.fall, moves[1:half].max())
    return bool(sweep.lrs[0] <= HARMLESS and moves[0] > others)


def _is_in_order(sweep: _Sweep) -> bool:
    """Whether losses at rates too low to change them differ by more than by noise.

    Neighbours are then more alike than others: the rows are sorted, say.
    """
    still = sweep.losses[sweep.lrs <= HARMLESS]
    if len(still) < LEAST // 2:
        return False
    spread = 1.4826 * float(np.median(np.abs(still - np.median(still))))
    return spread > TUNING.ordered * rules.noise(still)


def _in_order(sweep: _Sweep) -> tuple[Verdict, str]:
    """Verdict and reason where the batches come in an order."""
    still = sweep.losses[sweep.lrs <= HARMLESS]
    return "noisy", reasons.in_order(float(still.min()), float(still.max()))


def _suggestions(lrs: FloatArray, seen: Course) -> dict[str, float]:
    """The published rules on the smoothed losses, up to where they blow up."""
    high = seen.level + max(seen.fall, seen.sure)
    blown = seen.smoothed > high
    blown[: seen.lowest + 1] = False
    end = max(int(np.argmax(blown)) if blown.any() else len(blown), 2)
    rates = lrs[:end]
    curve = seen.smoothed[:end]
    found = {
        "minimum": rules.minimum(rates, curve),
        "steepest": rules.steepest(rates, curve),
        "valley": rules.valley(rates, curve),
    }
    if len(rates) > 15:
        found["slide"] = rules.slide(rates, curve)
    return found


def _interval(
    lrs: FloatArray, losses: FloatArray, seen: Course, points: int
) -> tuple[float, float]:
    """Where the fallen rate lies if the noise had fallen otherwise: 5 to 95 %.

    Wild bootstrap: the residual of each loss keeps its size, which may change along the
    sweep, and gets another sign.
    """
    signs = np.random.default_rng(0).choice([-1.0, 1.0], (DRAWS, len(losses)))
    curves = seen.smoothed + signs * (losses - seen.smoothed)
    curves, fewer = _blocks(curves, points)
    width = rules.window(fewer)
    count = curves.shape[1]
    smoothed = rules.smooth(curves, width)
    edge = min((width - 1) // 4, (count - 1) // 2)
    lowest = edge + np.argmin(smoothed[:, edge : count - edge], axis=1)
    fallen = rules.fallen(smoothed, lowest, rules.start(curves, fewer))
    fallen = (2 * fallen + 1) * (points // fewer) // 2
    indices = np.quantile([*fallen, seen.fallen], [0.05, 0.95], method="nearest")
    low = min(indices[0], seen.fallen)
    high = max(indices[1], seen.fallen)
    return float(lrs[int(low)]), float(lrs[int(high)])


def _verdict(
    sweep: _Sweep, why: Ending, interval: tuple[float, float], advice: Advice
) -> tuple[Verdict, str]:
    """Judge, from the plainest fault on."""
    lrs = sweep.lrs
    seen = sweep.seen
    points = sweep.points
    lowest = float(lrs[seen.lowest])
    if is_ruined(lrs, sweep.losses, seen, points):
        return _ruined(sweep, advice)
    diverged = why in ("not finite", "rose")
    if diverged and (len(lrs) < points // 5 or seen.lowest < points // 20):
        if _is_in_order(sweep):
            return _in_order(sweep)
        return "diverged early", reasons.rose(lowest, advice)
    if seen.fall <= max(seen.sure, TUNING.least_fall * abs(seen.level)):
        return _nothing(sweep, diverged, advice)
    if not why and seen.lowest >= len(lrs) - 1 - max(3, points // 20):
        return "range too narrow", reasons.still_falling(float(lrs[-1]), advice)
    decades = float(np.log10(interval[1] / interval[0]))
    if decades > TUNING.widest:
        if _is_in_order(sweep):
            return _in_order(sweep)
        return "noisy", reasons.anywhere(seen.fall, seen.noise, decades, advice)
    noise = max(seen.noise, 1e-5 * abs(seen.level), 1e-30)
    return "trust", reasons.trusted(seen.fall, noise, lowest)


def _ruined(sweep: _Sweep, advice: Advice) -> tuple[Verdict, str]:
    """Verdict and reason where the first updates changed the loss for good."""
    if _is_in_order(sweep):
        return _in_order(sweep)
    behind = float(np.median(_behind(sweep.losses, sweep.points)))
    first = float(sweep.losses[0])
    reason = reasons.ruined(first, behind, float(sweep.lrs[0]), advice)
    return "diverged early", reason


def _nothing(sweep: _Sweep, rises: bool, advice: Advice) -> tuple[Verdict, str]:
    """No fall: because there is none, or because noise hides it."""
    seen = sweep.seen
    if seen.noise <= TUNING.hides * abs(seen.level):
        if _has_moved_at_once(sweep):
            return _ruined(sweep, advice)
        ends = float(sweep.lrs[0]), float(sweep.lrs[-1])
        return "flat", reasons.flat(seen.level, seen.sure, *ends, rises)
    if _is_in_order(sweep):
        return _in_order(sweep)
    cannot_fall = bool(sweep.losses.min() >= 0 and seen.sure > seen.level)
    reason = reasons.hidden(
        seen.level, seen.noise, seen.sure, rises, cannot_fall, advice
    )
    return "noisy", reason
