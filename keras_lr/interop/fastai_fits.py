r"""The schedules of fastai's ways to fit, and its annealers by themselves.

The rate of update i of N is that of the position i / N: it begins at the first value
and does not get to the last one, which would be at update N. N is ``n_epoch`` epochs,
or the run where that is left out. ``lr_max`` (``lr``) is a rate; None for the
optimizer's own. Behind the last update its value stays.

What ``faithful`` keeps: a segment can begin an update late
(:mod:`keras_lr.interop.fastai_anneals`); cycles whose fractions add up to 1 but for
rounding, and cycles of equal length, are refused.

Source: fastai 2.8.12, ``callback/schedule.py``.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from keras_lr.interop.fastai_anneals import ANNEALS, Anneal, combined_cos, cosines_down
from keras_lr.plan.checks import (
    check_at_least,
    check_int,
    check_rate,
    check_sequence,
    check_value,
)
from keras_lr.plan.curves import FloatArray
from keras_lr.plan.duration import LONGEST, Argument, Clock, IntArray, Length
from keras_lr.plan.recipe import Recipe
from keras_lr.plan.words import received

#: Cycles of a training, each of which is laid out by itself.
MOST_CYCLES = 1000

#: fastai's momenta: of the first update, of the peak, and at the end.
MOMENTA = (0.95, 0.85, 0.95)


def fit_one_cycle(
    faithful: bool,
    /,
    n_epoch: int | None = None,
    lr_max: float | None = None,
    div: float = 25.0,
    div_final: float = 1e5,
    pct_start: float = 0.25,
    moms: Sequence[float] | None = MOMENTA,
) -> Recipe:
    r"""Half a cosine up to the peak, and half a one down; momenta go the other way.

    From :math:`\eta / d` in ``pct_start`` of the run to the peak :math:`\eta`, and
    towards :math:`\eta / e`, with ``div`` d and ``div_final`` e.
    """
    length = _length(n_epoch)
    check_rate("lr_max", lr_max, above=0)
    check_value("div", div, above=0)
    check_value("div_final", div_final, above=0)
    _check_share("pct_start", pct_start)
    first, middle, last = _momenta(moms)

    def rate(steps: IntArray, base: float, run: Clock) -> FloatArray:
        peak = base if lr_max is None else lr_max
        up_and_down = combined_cos(
            faithful, pct_start, peak / div, peak, peak / div_final
        )
        return up_and_down.values(_positions(steps, length, run))

    def momentum(steps: IntArray, run: Clock) -> FloatArray:
        down_and_up = combined_cos(faithful, pct_start, first, middle, last)
        return down_and_up.values(_positions(steps, length, run))

    return Recipe(rate, peak=lr_max, momentum=momentum, length=length)


def fit_flat_cos(
    faithful: bool,
    /,
    n_epoch: int | None = None,
    lr: float | None = None,
    div_final: float = 1e5,
    pct_start: float = 0.75,
) -> Recipe:
    r"""A plateau for ``pct_start`` of the run, then half a cosine towards a fraction.

    From :math:`\eta` towards :math:`\eta / e`, with ``div_final`` e.
    """
    length = _length(n_epoch)
    check_rate("lr", lr, above=0)
    check_value("div_final", div_final, above=0)
    _check_share("pct_start", pct_start)

    def rate(steps: IntArray, base: float, run: Clock) -> FloatArray:
        peak = base if lr is None else lr
        flat_and_down = combined_cos(faithful, pct_start, peak, peak, peak / div_final)
        return flat_and_down.values(_positions(steps, length, run))

    return Recipe(rate, peak=lr, length=length)


def fit_sgdr(
    faithful: bool,
    /,
    n_cycles: int,
    cycle_len: int,
    lr_max: float | None = None,
    cycle_mult: int = 2,
) -> Recipe:
    """Half cosines to zero that begin anew, each ``cycle_mult`` times as long.

    The first has ``cycle_len`` epochs. All ``n_cycles`` of them are laid over the run
    where the updates of an epoch are not known.
    """
    for name, value in (
        ("n_cycles", n_cycles),
        ("cycle_len", cycle_len),
        ("cycle_mult", cycle_mult),
    ):
        check_int(name, value)
        check_at_least(name, value, 1)
    if n_cycles > MOST_CYCLES:
        raise ValueError(
            f"`n_cycles` must be at most {MOST_CYCLES}. {received(n_cycles=n_cycles)}"
        )
    check_rate("lr_max", lr_max, above=0)
    if faithful and cycle_mult == 1:
        raise ValueError(
            "fastai divides by zero where cycles do not grow. "
            f"{received(cycle_mult=cycle_mult)} Leave `faithful` out."
        )
    lengths = [cycle_len * cycle_mult**i for i in range(n_cycles)]
    whole = sum(lengths)
    if whole > LONGEST:
        given = received(n_cycles=n_cycles, cycle_len=cycle_len, cycle_mult=cycle_mult)
        raise ValueError(f"The cycles must take at most 10**15 epochs. {given}")
    shares = [each / whole for each in lengths]
    length = Argument("n_cycles", n_cycles, Length("epochs", whole))
    # What is refused is refused here, and not in a fit.
    cosines_down(faithful, shares, 1.0)

    def rate(steps: IntArray, base: float, run: Clock) -> FloatArray:
        peak = base if lr_max is None else lr_max
        cycles = cosines_down(faithful, shares, peak)
        return cycles.values(_positions(steps, length, run))

    return Recipe(rate, peak=lr_max, length=length)


def _annealer(make: Callable[..., Anneal]) -> Callable[..., Recipe]:
    """The recipe of an annealer of rates, which fastai's ``ParamScheduler`` takes."""

    def recipe(faithful: bool, /, **arguments: Any) -> Recipe:
        anneal = make(faithful, **arguments)

        def rate(steps: IntArray, base: float, run: Clock) -> FloatArray:
            return anneal.values(_positions(steps, None, run))

        return Recipe(rate, peak=anneal.highest if anneal.highest > 0 else 1.0)

    recipe.__signature__ = inspect.signature(make)  # type: ignore[attr-defined]
    return recipe


def _positions(steps: IntArray, length: Argument | None, run: Clock) -> FloatArray:
    """How much of the training lies before each update."""
    if length is not None and run.steps_per_epoch is not None:
        total = run.updates(length)
    elif run.total is not None:
        total = run.total
    else:
        raise ValueError(
            "The schedule is laid over the run, whose length is not known: the data "
            "set does not tell its size. Give `steps_per_epoch=` to fit, or `horizon=` "
            "to the schedule. Received: no length."
        )
    positions: FloatArray = np.minimum(steps, total - 1) / total
    return positions


def _length(n_epoch: int | None) -> Argument | None:
    """The epochs of the training, checked."""
    if n_epoch is None:
        return None
    check_int("n_epoch", n_epoch)
    check_at_least("n_epoch", n_epoch, 1)
    return Argument("n_epoch", n_epoch, Length("epochs", n_epoch))


def _check_share(name: str, share: float) -> None:
    check_value(name, share)
    if share > 1:
        raise ValueError(f"`{name}` must lie in [0, 1]. {received(**{name: share})}")


def _momenta(moms: Sequence[float] | None) -> tuple[float, float, float]:
    """Three momenta, checked."""
    if moms is None:
        return MOMENTA
    check_sequence("moms", moms)
    if len(moms) != 3:
        raise ValueError(
            "`moms` must be three momenta: of the first update, of the peak, and at "
            f"the end. {received(moms=moms)}"
        )
    for momentum in moms:
        check_value("moms", momentum)
    first, middle, last = moms
    return first, middle, last


RECIPES: dict[str, Callable[..., Recipe]] = {
    "fit_one_cycle": fit_one_cycle,
    "fit_flat_cos": fit_flat_cos,
    "fit_sgdr": fit_sgdr,
    **{name: _annealer(make) for name, make in ANNEALS.items()},
}

REFUSED = {
    "fine_tune": (
        "it is two trainings, the first of them with frozen layers. Take "
        "'fit_one_cycle' for each."
    )
}
