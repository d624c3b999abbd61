"""Torch's schedulers that swing the momentum against the rate."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from keras_lr.interop.numbers import called, length_of
from keras_lr.interop.torch_members import Limit, Member, setting
from keras_lr.interop.torch_numbers import check_start, one, power, whole
from keras_lr.plan.checks import (
    check_callable,
    check_choice,
    check_value,
    number,
)
from keras_lr.plan.curves import FloatArray
from keras_lr.plan.duration import IntArray
from keras_lr.plan.words import received

MODES = ("triangular", "triangular2", "exp_range")


def cyclic_lr(
    faithful: bool,
    /,
    base_lr: float,
    max_lr: float,
    step_size_up: int = 2000,
    step_size_down: int | None = None,
    mode: str = "triangular",
    gamma: float = 1.0,
    scale_fn: Callable[[float], float] | None = None,
    scale_mode: str = "cycle",
    cycle_momentum: bool = True,
    base_momentum: float = 0.8,
    max_momentum: float = 0.9,
    last_epoch: int = -1,
) -> Member:
    r"""Straight lines up and down between two rates.

    .. math:: \eta_{low} + (\eta_{max} - \eta_{low}) h(x) f, \quad
        h = \begin{cases} x / r & x \le r \\ (x - 1) / (r - 1) \end{cases}

    with the progress x in a cycle, the share r of its way up, and the scale f: 1, or
    :math:`2^{1-c}` in cycle c = 1, 2, ... (``"triangular2"``), or :math:`\gamma^t`
    (``"exp_range"``), or ``scale_fn`` of c or of t (``scale_mode="iterations"``). The
    momentum goes the other way.
    """
    check_start(last_epoch)
    low = number("base_lr", one("base_lr", base_lr))
    high = number("max_lr", one("max_lr", max_lr))
    down = step_size_up if step_size_down is None else step_size_down
    check_value("step_size_up", step_size_up, above=0)
    check_value("step_size_down", down)
    if scale_fn is None:
        check_choice("mode", mode, MODES)
        scale = _scale(mode, number("gamma", gamma))
    else:
        check_callable("scale_fn", scale_fn)
        check_choice("scale_mode", scale_mode, ("cycle", "iterations"))
        scale = _called_scale(scale_fn, scale_mode)
    total = float(step_size_up) + float(down)
    ratio = float(step_size_up) / total

    def height(steps: IntArray) -> FloatArray:
        cycle = np.floor(1.0 + steps / total)
        progress = 1.0 + steps / total - cycle
        # Where there is no way down, all progress is one up.
        fall = (progress - 1.0) / (ratio - 1.0 if ratio < 1 else -1.0)
        triangle = np.where(progress <= ratio, progress / ratio, fall)
        heights: FloatArray = triangle * scale(steps, cycle.astype(np.int64))
        return heights

    def at(steps: IntArray, base: float) -> FloatArray:
        return low + (high - low) * height(steps)

    least = number("base_momentum", one("base_momentum", base_momentum))
    most = number("max_momentum", one("max_momentum", max_momentum))

    def momentum(steps: IntArray) -> FloatArray:
        return most - (most - least) * height(steps)

    kept = {"base_momentum": least, "max_momentum": most}
    limit = None
    if faithful and scale_fn is None and mode == "triangular2":
        reason = "torch divides by 2.0 ** 1024 there, which is too large, and fails."
        limit = Limit(math.ceil(1024 * total) - 1, reason)
    peak = max(low, high)
    return setting(
        at,
        limit=limit,
        sets_rate=low,
        asks=scale_fn is not None,
        momentum=momentum if cycle_momentum else None,
        kept=kept if cycle_momentum else {},
        peak=peak if peak > 0 else 1.0,
        floor=min(low, high) or None,
    )


#: A factor on the height of cycles, given the steps and their cycles from 1 on.
Scale = Callable[[IntArray, IntArray], FloatArray]


def _scale(mode: str, gamma: float) -> Scale:
    def scale(steps: IntArray, cycle: IntArray) -> FloatArray:
        if mode == "triangular":
            return np.ones(steps.shape)
        if mode == "triangular2":
            return power(0.5, cycle - 1)
        return power(gamma, steps)

    return scale


def _called_scale(scale_fn: Callable[[float], float], scale_mode: str) -> Scale:
    def scale(steps: IntArray, cycle: IntArray) -> FloatArray:
        return called(scale_fn, cycle if scale_mode == "cycle" else steps)

    return scale


@dataclass(frozen=True)
class Way:
    """From corner to corner, as ``OneCycleLR`` goes.

    Attributes:
        ends: The steps at which the legs end, which may lie between two.
        anneal: From one corner to the next, with the progress on the leg.
    """

    ends: tuple[float, ...]
    anneal: Callable[[float, float, FloatArray], FloatArray]

    def follow(self, corners: Sequence[float], steps: IntArray) -> FloatArray:
        """The values at some steps.

        Args:
            corners: The value at the begin, and at the end of each leg.
            steps: The steps. Each lies on the first leg that does not end before it;
                on the last where all do.
        """
        found = np.empty(steps.shape)
        left = np.ones(steps.shape, bool)
        begin = 0.0
        for i, end in enumerate(self.ends):
            mine = left & ((steps <= end) | (i == len(self.ends) - 1))
            # Of a leg of no length only the end is there.
            progress: Any = np.ones(int(mine.sum()))
            if end != begin:
                progress = (steps[mine] - begin) / (end - begin)
            found[mine] = self.anneal(corners[i], corners[i + 1], progress)
            left &= ~mine
            begin = end
        return found


def one_cycle_lr(
    faithful: bool,
    /,
    max_lr: float,
    total_steps: int | None = None,
    epochs: int | None = None,
    steps_per_epoch: int | None = None,
    pct_start: float = 0.3,
    anneal_strategy: str = "cos",
    cycle_momentum: bool = True,
    base_momentum: float = 0.85,
    max_momentum: float = 0.95,
    div_factor: float = 25.0,
    final_div_factor: float = 1e4,
    three_phase: bool = False,
    last_epoch: int = -1,
) -> Member:
    r"""Up to a rate, and down to a small one, with the momentum against it.

    .. math:: \frac{\eta_{max}}{d} \to \eta_{max} \to \frac{\eta_{max}}{d \, d_{end}}

    with the peak at step :math:`p T - 1`, for ``pct_start`` p and the length T, and the
    end at :math:`T - 1`, past which it stays; with ``three_phase`` by way of
    :math:`\eta_{max} / d` at step :math:`2 p T - 2`.
    """
    check_start(last_epoch)
    total = _total(total_steps, epochs, steps_per_epoch)
    check_value("pct_start", pct_start)
    if pct_start > 1:
        raise ValueError(
            f"`pct_start` must be at most 1. {received(pct_start=pct_start)}"
        )
    check_choice("anneal_strategy", anneal_strategy, ("cos", "linear"))
    check_value("div_factor", div_factor, above=0)
    check_value("final_div_factor", final_div_factor, above=0)
    ends = _ends(total, pct_start, three_phase)
    if not faithful:
        ends = _mended(ends, total, pct_start)
    way = Way(ends, _cosine if anneal_strategy == "cos" else _line)
    top = number("max_lr", one("max_lr", max_lr))
    first = top / div_factor
    kept = {"max_lr": top, "initial_lr": first, "min_lr": first / final_div_factor}
    if cycle_momentum:
        kept["base_momentum"] = number(
            "base_momentum", one("base_momentum", base_momentum)
        )
        kept["max_momentum"] = number("max_momentum", one("max_momentum", max_momentum))

    def inside(steps: IntArray) -> IntArray:
        return steps if faithful else np.minimum(steps, total - 1)

    def keeping(kept: Mapping[str, float]) -> Member:
        turn = [kept["initial_lr"]] if three_phase else []
        rates = [kept["initial_lr"], kept["max_lr"], *turn, kept["min_lr"]]

        def at(steps: IntArray, base: float) -> FloatArray:
            return way.follow(rates, inside(steps))

        def momentum(steps: IntArray) -> FloatArray:
            high = kept["max_momentum"]
            momenta = [high, kept["base_momentum"], high, high]
            return way.follow(momenta, inside(steps))

        return setting(
            at,
            sets_initial=first,
            momentum=momentum if cycle_momentum else None,
            limit=_limit(ends, total) if faithful else None,
            kept=kept,
            keeping=keeping,
            peak=top if top > 0 else 1.0,
            length=length_of("total_steps", total),
            warmup=round(pct_start * total),
        )

    return keeping(kept)


def _total(total_steps: Any, epochs: Any, steps_per_epoch: Any) -> int:
    if total_steps is not None:
        return whole("total_steps", total_steps, 1)
    if epochs is None or steps_per_epoch is None:
        given = received(epochs=epochs, steps_per_epoch=steps_per_epoch)
        raise ValueError(
            "It needs its length: `total_steps`, or `epochs` and `steps_per_epoch`. "
            f"{given}"
        )
    return whole("epochs", epochs, 1) * whole("steps_per_epoch", steps_per_epoch, 1)


def _ends(total: int, share: float, three_phase: bool) -> tuple[float, ...]:
    """Where the legs of a one-cycle end."""
    peak = share * total - 1.0
    end = total - 1.0
    return (peak, 2.0 * share * total - 2.0, end) if three_phase else (peak, end)


def _mended(ends: tuple[float, ...], total: int, share: float) -> tuple[float, ...]:
    """The ends of legs where those of torch lead nowhere."""
    if share == 0:
        # Torch begins a step behind the peak, or two.
        return (*[0.0] * (len(ends) - 1), ends[-1])
    peak, *turn, end = ends
    if turn and turn[0] >= end:
        # Torch is still on its way down when the run is over.
        return peak, max(peak, total - 2.0), end
    return ends


def _limit(ends: tuple[float, ...], total: int) -> Limit:
    """The last step that torch can take."""
    if ends[0] == 0:
        reason = "torch divides by zero where the warmup is one step, and fails."
        return Limit(-1, reason)
    # It takes one step more than there are, unless that is on a leg of no length.
    last = total - 1 if ends[-1] == ends[-2] else total
    return Limit(last, f"torch has {last + 1} steps at most, and fails behind them.")


def _cosine(first: float, last: float, progress: FloatArray) -> FloatArray:
    values: FloatArray = last + (first - last) / 2.0 * (np.cos(np.pi * progress) + 1.0)
    return values


def _line(first: float, last: float, progress: FloatArray) -> FloatArray:
    return (last - first) * progress + first
