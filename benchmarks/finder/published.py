"""What published finders say, imitated on the losses of their own default sweep.

fastai 2.8 (from 1e-7 to 10, then valley, slide, minimum/10, steepest), Lightning 2.6
(from 1e-8 to 1), torch-lr-finder 0.2 (from the optimizer's rate to 10; ignite differs
by little more than the count). Each sweep has 100 updates.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from keras_lr.finder import rules

UPDATES = 100
RULES = (
    *("fastai valley", "fastai slide", "fastai minimum/10", "fastai steep"),
    *("Lightning", "torch-lr-finder"),
)


def suggestions(sweep: Callable[[Any], Any], default: float) -> dict[str, float | None]:
    """What each rule says, or None where it says nothing.

    Args:
        sweep: Trains at given rates, and gives the loss of each update.
        default: The optimizer's own rate.
    """
    sweeps = {
        fastai: np.geomspace(1e-7, 10, UPDATES),
        lightning: np.geomspace(1e-8, 1, UPDATES),
        torch_lr_finder: np.geomspace(default, 10, UPDATES),
    }
    said: dict[str, float] = {}
    for rule, rates in sweeps.items():
        said |= rule(sweep(rates), rates)
    return {name: said.get(name) for name in RULES}


def fastai(losses: Any, rates: Any) -> dict[str, float]:
    """What fastai's rules say: smoothed by 0.98, stopped at four times the best."""
    curve = exponential(losses, 0.98, 0, 4.0)
    # It leaves out the first tenth and the last five.
    cut = slice(len(losses) // 10, len(curve) - 5)
    rates, curve = rates[: len(curve)][cut], curve[cut]
    if len(curve) < 17:
        return {}
    return {
        "fastai valley": rules.valley(rates, curve),
        "fastai slide": rules.slide(rates, curve),
        "fastai minimum/10": rules.minimum(rates, curve),
        "fastai steep": rules.steepest(rates, curve),
    }


def lightning(losses: Any, rates: Any) -> dict[str, float]:
    """What Lightning says: the steepest fall per rate, not per its logarithm.

    Its correction of the smoothed losses counts one update too many.
    """
    curve = exponential(losses, 0.98, 1, 4.0)
    if len(curve) < 13:
        return {}
    slopes = np.gradient(curve[10:-1], rates[10 : len(curve) - 1])
    return {"Lightning": float(rates[10 + int(np.argmin(slopes))])}


def torch_lr_finder(losses: Any, rates: Any) -> dict[str, float]:
    """What torch-lr-finder says: the steepest fall of what is smoothed by 0.95."""
    curve = [losses[0]]
    for loss in losses[1:]:
        curve.append(0.05 * loss + 0.95 * curve[-1])
        if curve[-1] > 5 * min(curve):
            break
    if len(curve) < 17:
        return {}
    slopes = np.gradient(np.array(curve)[10:-5])
    return {"torch-lr-finder": float(rates[10 + int(np.argmin(slopes))])}


def exponential(losses: Any, beta: float, more: int, stop: float) -> Any:
    """Exponentially smoothed losses, up to ``stop`` times the lowest of them."""
    mean = 0.0
    smoothed: list[float] = []
    for i, loss in enumerate(losses):
        mean = beta * mean + (1 - beta) * loss
        smoothed.append(mean / (1 - beta ** (i + 1 + more)))
        if not np.isfinite(smoothed[-1]) or smoothed[-1] > stop * min(smoothed):
            break
    return np.array(smoothed)
