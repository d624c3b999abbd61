"""What schedules do to small nets that read digits."""

from __future__ import annotations

import numpy as np

import keras_lr
from glossary.lab import Control, Lines, Measurement
from glossary.lab.data import Array, digits
from glossary.lab.nets import gradients, relu, weights
from glossary.lab.steps import adam, sgd, slots_for

GUESSING = float(np.log(10))
WIDTHS = [64, 32, 32, 10]


def _course(
    seed: int, rates: Array, *, with_adam: bool = False, batch: int = 32
) -> list[float]:
    """Loss on all digits at ten places of a training; at most 10, which is lost."""
    rng = np.random.default_rng(seed)
    x, y = digits()
    ws = weights(rng, WIDTHS, 2.0)
    slots = slots_for(ws, 2)
    losses: list[float] = []
    with np.errstate(all="ignore"):
        for step, rate in enumerate(rates, start=1):
            rows = rng.integers(0, len(x), batch)
            loss, grads, _ = gradients(ws, x[rows], y[rows], relu)
            if not np.isfinite(loss):
                return [*losses, *[10.0] * (10 - len(losses))]
            if with_adam:
                adam(ws, slots, grads, step, float(rate))
            else:
                sgd(ws, grads, float(rate))
            if step % (len(rates) // 10) == 0:
                losses.append(min(gradients(ws, x, y, relu)[0], 10.0))
    return losses


def warmup_on_an_easy_task(seed: int) -> Measurement:
    """Final loss of Adam at its default learning rate, with warmup over without.

    The control shows that the learning rate matters: a tenth of it is behind.
    """
    updates = 230
    full = np.full(updates, 0.001)
    runs = {
        "constant": _course(seed, full, with_adam=True),
        "warmup": _course(
            seed, 0.001 * keras_lr.Warmup("5%").values(updates), with_adam=True
        ),
        "a tenth": _course(seed, 0.1 * full, with_adam=True),
    }
    shown = Lines(
        x=np.arange(1, 11) * (updates // 10),
        ys=runs,
        x_label="update",
        y_label="cross-entropy, nats",
        log="y",
    )
    matters = Control(
        runs["a tenth"][-1] > 1.5 * runs["constant"][-1],
        "No learning rate matters here.",
    )
    return Measurement(
        measured=runs["warmup"][-1] / runs["constant"][-1],
        panels=(shown,),
        seen="With a short warmup the loss comes to the same place as without; a tenth "
        "of the learning rate is far behind.",
        controls=(matters,),
    )


def _regret(loss: float, best: float) -> float:
    """What is lost of what can be learned, from the loss of guessing down."""
    return (loss - best) / (GUESSING - best)


def cyclical_needs_no_tuning(seed: int) -> Measurement:
    """Regret of a rate that cycles below the edge, against the best constant rate."""
    updates = 170
    cycle = keras_lr.CyclicalLR(max_lr=0.4, min_lr=0.02, half_cycle=17)
    cyclical = _course(seed, cycle.values(updates), batch=64)
    constant = {
        rate: _course(seed, np.full(updates, rate), batch=64)
        for rate in (0.02, 0.1, 0.2, 0.4, 0.8)
    }
    best = min(constant, key=lambda rate: constant[rate][-1])
    shown = Lines(
        x=np.arange(1, 11) * (updates // 10),
        ys={
            "cycles from 0.02 to 0.4": cyclical,
            "best constant rate": constant[best],
            "constant 0.02": constant[0.02],
        },
        x_label="update",
        y_label="cross-entropy, nats",
        log="y",
    )
    low = Control(
        _regret(constant[0.02][-1], constant[best][-1]) > 0.3,
        "The lowest learning rate is as good.",
    )
    return Measurement(
        measured=_regret(cyclical[-1], constant[best][-1]),
        panels=(shown,),
        seen="A learning rate that cycles over a wide range comes close to the best "
        "constant one; a constant one at the lower end does not.",
        controls=(low,),
    )


def base_rate_still_matters(seed: int) -> Measurement:
    """Loss with a cosine at the lowest of six base rates, over that at the best."""
    updates = 200
    cosine = keras_lr.CosineDecay().values(updates)
    bases = [0.003, 0.01, 0.03, 0.1, 0.3, 1.0]
    losses = [_course(seed, base * cosine)[-1] for base in bases]
    shown = Lines(
        x=bases,
        ys={"cosine from the base rate": losses},
        x_label="base learning rate",
        y_label="cross-entropy after 200 updates, nats",
        log="xy",
        marks={"guessing": GUESSING},
    )
    learns = Control(min(losses) < 0.5, "The net learns at no base rate.")
    return Measurement(
        measured=losses[0] / min(losses),
        panels=(shown,),
        seen="With a schedule the base learning rate still decides what is learned.",
        controls=(learns,),
    )
