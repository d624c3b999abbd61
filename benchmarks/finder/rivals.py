"""What a user would pick instead of a finder: a folk rate, or a plain search.

The searches ask for the held-out loss of short trainings, spend about as many updates
as ``find_lr`` does, and take the rate of the lowest one. They are plain on purpose: no
range that fits the task, no factor for the length of the real training.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.finder.short import LENGTH, PIECE

#: Seven decades, from 1e-5 to 10.
DECADES = 10.0 ** np.arange(-5, 2)
#: Where those who do not know the task draw rates from.
LOWEST = 1e-6
HIGHEST = 10.0
#: Updates of every search.
BUDGET = LENGTH * len(DECADES)
#: By what a rate that wins a short training is too high for a long one: the factors of
#: ``find_lr`` at budget 800, tuned on the tasks marked so. A user does not know them.
FACTORS = {"constant": 0.47, "one-cycle": 0.68}


@dataclass(frozen=True)
class Found:
    """What a search found.

    Attributes:
        rate: Of the lowest held-out loss; None where every training was lost.
        updates: That were spent.
    """

    rate: float | None
    updates: int


def folk_rate(optimizer: Any) -> float:
    """The rate that is advised for an optimizer, whatever the task.

    1e-3 for Adam and its kin and RMSprop (Kingma and Ba 2014; every library's default),
    0.1 for plain SGD, and 0.01 for SGD with momentum, that of the first large vision
    nets: with a momentum of 0.9 the same step in the long run.
    """
    if type(optimizer).__name__ != "SGD":
        return 1e-3
    return 1e-2 if optimizer.momentum else 1e-1


def grid(loss_of: Callable[[float], float]) -> Found:
    """Seven decades, one short training each."""
    return _lowest((float(rate), loss_of(float(rate))) for rate in DECADES)


def random_search(loss_of: Callable[[float], float], seed: int) -> Found:
    """As many rates, drawn evenly in their logarithm."""
    rng = np.random.default_rng(seed)
    low, high = np.log10([LOWEST, HIGHEST])
    rates = 10.0 ** rng.uniform(low, high, len(DECADES))
    return _lowest((float(rate), loss_of(float(rate))) for rate in rates)


def scaled(found: Found, schedule: str) -> Found:
    """What a search found, times what ``find_lr`` knows of longer trainings."""
    rate = None if found.rate is None else found.rate * FACTORS[schedule]
    return Found(rate, found.updates)


def optuna_search(losses_of: Callable[[float], Iterator[float]], seed: int) -> Found:
    """Optuna's TPE with its Hyperband pruner.

    A trial is a short training, whose held-out loss is reported after each tenth of it;
    Hyperband ends it after 3 or 9 of them where others did better. The last trial is
    the one in which the updates run out; it is let finish.

    Two settings are not the defaults, in its favour: 4 trials at random to begin with
    instead of 10, since each bracket counts its own and would come to the end before
    the 11th; and no trial ends before 30 updates. Together they brought its regret from
    .124 to .084 and from .101 to .081 (eight of the tasks that are reported on).

    Args:
        losses_of: Gives the held-out losses at a rate, as a training goes on.
        seed: Of the rates that are drawn.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        # The bracket of a trial is decided by the name, which is random if not given.
        study_name=f"seed {seed}",
        sampler=optuna.samplers.TPESampler(seed=seed, n_startup_trials=4),
        pruner=optuna.pruners.HyperbandPruner(
            min_resource=3, max_resource=LENGTH // PIECE, reduction_factor=3
        ),
    )
    finished: list[tuple[float, float]] = []
    updates = 0
    while updates < BUDGET:
        trial = study.ask()
        rate = trial.suggest_float("rate", LOWEST, HIGHEST, log=True)
        loss = math.inf
        pruned = False
        for step, loss in enumerate(losses_of(rate), start=1):
            updates += PIECE
            trial.report(loss, step)
            pruned = trial.should_prune()
            if pruned:
                break
        if pruned:
            study.tell(trial, state=optuna.trial.TrialState.PRUNED)
        else:
            study.tell(trial, loss)
            finished.append((rate, loss))
    return Found(_lowest(finished).rate, updates)


def _lowest(tried: Iterable[tuple[float, float]]) -> Found:
    """The rate of the lowest of some short trainings; of equals, the first."""
    seen = list(tried)
    rate, loss = min(seen, key=lambda one: one[1], default=(None, math.inf))
    updates = LENGTH * len(seen)
    return Found(rate if math.isfinite(loss) else None, updates)
