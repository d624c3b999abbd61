"""What schedules do to a loss with noisy gradients: a quadratic, seen through."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

import keras_lr
from glossary.lab import Control, Lines, Measurement
from glossary.lab.data import Array

UPDATES = 1000
#: Learning rate that the schedules scale.
RATE = 0.3


def _losses(seed: int, rates: Array) -> Array:
    """Losses of gradient descent on a quadratic whose gradients are noisy."""
    rng = np.random.default_rng(seed)
    curvature = np.geomspace(0.05, 1, 50)
    x = np.ones(50)
    losses = []
    for rate in rates:
        losses.append(0.5 * float(curvature @ x**2))
        x = x - rate * (curvature * x + rng.normal(size=50))
    return np.array(losses)


def _smoothed(losses: Array) -> Array:
    """Means of 20 updates each."""
    out: Array = losses.reshape(-1, 20).mean(1)
    return out


def _shown(runs: Mapping[str, Array]) -> Lines:
    return Lines(
        x=range(10, UPDATES, 20),
        ys={name: _smoothed(losses) for name, losses in runs.items()},
        x_label="update",
        y_label="loss, mean of 20 updates",
        log="y",
    )


def _end(losses: Array) -> float:
    return float(losses[-20:].mean())


def _settles(seed: int, schedule: keras_lr.Schedule, seen: str) -> Measurement:
    """A schedule against the learning rate it starts from, kept."""
    kept = _losses(seed, np.full(UPDATES, RATE))
    scheduled = _losses(seed, RATE * schedule.values(UPDATES))
    learns = Control(_end(kept) < 0.8 * kept[0], "Nothing is learned at the kept rate.")
    return Measurement(
        measured=_end(scheduled) / _end(kept),
        panels=(_shown({"kept": kept, "schedule": scheduled}),),
        seen=seen,
        controls=(learns,),
    )


def decay_settles(seed: int) -> Measurement:
    """A cosine to zero against the learning rate it starts from."""
    return _settles(
        seed,
        keras_lr.CosineDecay(),
        "At a kept learning rate the loss stays where the noise holds it; as the rate "
        "falls, so does the loss.",
    )


def stable_decay_settles(seed: int) -> Measurement:
    """The last fifth of warmup-stable-decay against staying at the learning rate."""
    return _settles(
        seed,
        keras_lr.WarmupStableDecay(warmup="5%", decay=0.2),
        "While the learning rate is held the loss stays where the noise holds it; in "
        "the last fifth it drops.",
    )


def like_cosine(seed: int) -> Measurement:
    """Final loss of warmup-stable-decay over that of a cosine of the same length."""
    lengths = [200, 400, 600, 1000]
    schedules = {
        "warmup-stable-decay": keras_lr.WarmupStableDecay(warmup="5%", decay=0.2),
        "cosine": keras_lr.CosineDecay(),
    }
    ends: dict[str, list[float]] = {"kept": []}
    for name, schedule in schedules.items():
        ends[name] = [
            float(_losses(seed, RATE * schedule.values(n))[-10:].mean())
            for n in lengths
        ]
    kept = _losses(seed, np.full(UPDATES, RATE))
    ends["kept"] = [float(kept[n - 20 : n].mean()) for n in lengths]
    shown = Lines(
        x=lengths,
        ys=ends,
        x_label="length of the run, updates",
        y_label="final loss",
        log="y",
    )
    ratio = float(np.mean(np.divide(ends["warmup-stable-decay"], ends["cosine"])))
    far = Control(ends["kept"][-1] > 4 * ends["cosine"][-1], "No decay does as well.")
    return Measurement(
        measured=ratio,
        panels=(shown,),
        seen="For each length of the run, holding the learning rate and decaying at "
        "the end comes near to a cosine made for that length; a kept rate stays far "
        "above.",
        controls=(far,),
    )


def loss_rises_at_restarts(seed: int) -> Measurement:
    """Loss after a restart over that before it, mean of three restarts."""
    restarts = keras_lr.CosineRestarts(first_cycle=250, t_mul=1.0).values(UPDATES)
    single = keras_lr.CosineDecay().values(UPDATES)
    runs = {
        "with restarts": _losses(seed, RATE * restarts),
        "one cosine": _losses(seed, RATE * single),
    }

    def rise(losses: Array) -> float:
        ratios = [
            losses[at + 20 : at + 60].mean() / losses[at - 20 : at].mean()
            for at in (250, 500, 750)
        ]
        return float(np.mean(ratios))

    steady = Control(rise(runs["one cosine"]) < 1.3, "It rises without a restart too.")
    return Measurement(
        measured=rise(runs["with restarts"]),
        panels=(_shown(runs),),
        seen="At each restart the loss jumps back up, and by the end of the cycle it "
        "has come down again.",
        controls=(steady,),
    )


def restarts_end_lower(seed: int) -> Measurement:
    """Final loss with restarts over that of one cosine of the same length."""
    restarts = keras_lr.CosineRestarts(first_cycle=250, t_mul=1.0).values(UPDATES)
    single = keras_lr.CosineDecay().values(UPDATES)
    runs = {
        "with restarts": _losses(seed, RATE * restarts),
        "one cosine": _losses(seed, RATE * single),
        "kept": _losses(seed, np.full(UPDATES, RATE)),
    }
    decays = Control(
        _end(runs["one cosine"]) < 0.5 * _end(runs["kept"]),
        "The cosine does not settle.",
    )
    return Measurement(
        measured=_end(runs["with restarts"]) / _end(runs["one cosine"]),
        panels=(_shown(runs),),
        seen="Four short cosines end no lower than a single long one.",
        controls=(decays,),
    )
