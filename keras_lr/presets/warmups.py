"""Presets that warm up, or stay up for a while."""

from __future__ import annotations

from typing import Unpack

import numpy as np

from keras_lr.arguments import Common, Peak
from keras_lr.phases import hold
from keras_lr.plan import curves
from keras_lr.plan.checks import check_choice, check_value
from keras_lr.plan.course import Course
from keras_lr.plan.curves import Curve
from keras_lr.plan.duration import Duration, DurationOrZero
from keras_lr.plan.parts import FunctionPhase, Part
from keras_lr.plan.phase import Phase
from keras_lr.plan.words import received
from keras_lr.presets._base import Preset
from keras_lr.schedule import registered

COOLDOWNS: dict[str, Curve] = {
    "linear": curves.linear,
    "cosine": curves.cosine,
    "1-sqrt": curves.one_minus_sqrt,
    "1-square": curves.one_minus_square,
}


@registered
class Warmup(Preset):
    r"""Rises to the full rate, then leaves it alone.

    .. math:: f(k) = c(s, 1, k / W), \quad k = 1 \dots W

    of the full rate, at the k-th update, with ``warmup`` W, ``start`` s, and the curve
    c from s to 1: ``"linear"`` :math:`s + (1 - s) p`, ``"cosine"``
    :math:`1 - (1 - s) \tfrac12 (1 + \cos \pi p)`, ``"exponential"``
    :math:`s^{1 - p}`, at p = k / W. So the first update is already at 1 / W (linear,
    from 0), and the W-th at exactly 1. Put it beside any other schedule: they multiply.

    Args:
        warmup: How long; 0 for no warmup, a factor of 1.
        start: Factor before the first update, in [0, 1].
        curve: ``"linear"``, ``"cosine"`` or ``"exponential"`` (``start`` above 0).
        since: ``"run"``: it is over once and for all. ``"fit"``: it begins anew with
            each fit, also with one that goes on (``initial_epoch``, or a ``horizon``),
            and in a fit where a callback compiles the model anew, as to unfreeze
            layers. A fraction is one of the whole run all the same.

    Example:
        >>> Warmup(4).values(6)
        array([0.25, 0.5 , 0.75, 1.  , 1.  , 1.  ])

    Source: Goyal et al. 2017, arXiv:1706.02677, sec. 2.2.
    """

    def __init__(
        self,
        warmup: DurationOrZero = "5%",
        *,
        start: float = 0.0,
        curve: str = "linear",
        since: str = "run",
        max_lr: Peak = None,
        **common: Unpack[Common],
    ) -> None:
        self.warmup = warmup
        self.start = start
        self.curve = curve
        self.since = since
        super().__init__(max_lr, **common)

    def _check(self) -> None:
        super()._check()
        check_choice("curve", self.curve, ("linear", "cosine", "exponential"))
        check_choice("since", self.since, ("run", "fit"))
        if not 0 <= self.start <= 1:
            raise ValueError(
                f"`start` must lie in [0, 1]. {received(start=self.start)}"
            )
        if self.curve == "exponential" and self.start == 0:
            raise ValueError(
                "An exponential warmup needs a `start` above 0. Received: start=0."
            )

    def _courses(self) -> list[Course]:
        since_fit = self.since == "fit"
        return [one._replace(since_fit=since_fit) for one in super()._courses()]

    def _parts(self, peak: float) -> list[Part]:
        curve: Curve = getattr(curves, self.curve)
        return [*self._rise(peak, curve), hold(value=peak)]


@registered
class WarmupCosine(Preset):
    r"""Warms up in a straight line, then falls along half a cosine.

    .. math:: \eta = \eta_{max} k / W \;(k = 1 \dots W), \quad\text{then}\quad
        \eta_{min} + (\eta_{max} - \eta_{min}) [\tfrac12 (1 + \cos \pi p)]^a

    at the k-th update, with ``max_lr`` :math:`\eta_{max}`, ``min_lr``
    :math:`\eta_{min}`, ``warmup`` W, ``exponent`` a, and progress p = 0 at update W - 1
    (the peak) and 1 at the last one.

    Args:
        max_lr: The peak; None for the optimizer's own rate.
        warmup: How long it rises; 0 for no warmup.
        min_lr: The floor, reached exactly at the last update.
        decay: How long it falls; None for the rest of the run, 0 for no fall.
        exponent: Power of the cosine, above 0.

    Example:
        >>> WarmupCosine(max_lr=1.0, warmup=2).values(4)
        array([0.5, 1. , 0.5, 0. ])

    Source: Goyal et al. 2017, arXiv:1706.02677, sec. 2.2; Loshchilov and Hutter 2016,
    arXiv:1608.03983, eq. 5.
    """

    def __init__(
        self,
        max_lr: Peak = None,
        *,
        warmup: DurationOrZero = "5%",
        min_lr: float = 0.0,
        decay: DurationOrZero | None = None,
        exponent: float = 1.0,
        **common: Unpack[Common],
    ) -> None:
        self.warmup = warmup
        self.min_lr = min_lr
        self.decay = decay
        self.exponent = exponent
        super().__init__(max_lr, **common)

    def _check(self) -> None:
        super()._check()
        check_value("exponent", self.exponent, above=0)

    def _parts(self, peak: float) -> list[Part]:
        floor = self._floor(peak)
        fall = self._fall(peak, floor, curves.cosine, exponent=self.exponent)
        return [*self._rise(peak), fall]


@registered
class WarmupLinear(Preset):
    r"""Warms up in a straight line, then falls in one (a slanted triangle).

    .. math:: \eta = \eta_{max} k / W \;(k = 1 \dots W), \quad\text{then}\quad
        \eta_{max} + (\eta_{min} - \eta_{max}) p

    at the k-th update, with ``max_lr`` :math:`\eta_{max}`, ``min_lr``
    :math:`\eta_{min}`, ``warmup`` W, and progress p = 0 at update W - 1 (the peak) and
    1 at the last one.

    Args:
        max_lr: The peak; None for the optimizer's own rate.
        warmup: How long it rises; 0 for no warmup.
        min_lr: The floor, reached exactly at the last update.
        decay: How long it falls; None for the rest of the run, 0 for no fall.

    Example:
        >>> WarmupLinear(max_lr=1.0, warmup=2).values(4)
        array([0.5, 1. , 0.5, 0. ])

    Source: Howard and Ruder 2018, ULMFiT, arXiv:1801.06146, sec. 3.2.
    """

    def __init__(
        self,
        max_lr: Peak = None,
        *,
        warmup: DurationOrZero = "5%",
        min_lr: float = 0.0,
        decay: DurationOrZero | None = None,
        **common: Unpack[Common],
    ) -> None:
        self.warmup = warmup
        self.min_lr = min_lr
        self.decay = decay
        super().__init__(max_lr, **common)

    def _parts(self, peak: float) -> list[Part]:
        return [
            *self._rise(peak),
            self._fall(peak, self._floor(peak), curves.linear),
        ]


@registered
class WarmupStableDecay(Preset):
    r"""Warms up, stays, cools down (WSD, a trapezoid).

    .. math:: \eta = \eta_{max} k / W \;(k = 1 \dots W), \quad\text{then}\quad
        \eta_{max}, \quad\text{then}\quad
        \eta_{min} + (\eta_{max} - \eta_{min}) h(p)

    at the k-th update, with ``max_lr`` :math:`\eta_{max}`, ``min_lr``
    :math:`\eta_{min}`, ``warmup`` W, progress p = 0 at the last stable update and 1 at
    the last of the run, and the height h by ``shape``: ``"linear"`` :math:`1 - p`,
    ``"cosine"`` :math:`\tfrac12 (1 + \cos \pi p)`, ``"1-sqrt"`` :math:`1 - \sqrt{p}`,
    ``"1-square"`` :math:`1 - p^2`.

    Args:
        max_lr: The plateau; None for the optimizer's own rate.
        warmup: How long it rises; 0 for no warmup.
        decay: How long it cools down; 0 for no cooldown.
        shape: Shape of the cooldown.
        min_lr: The floor, reached exactly at the last update.

    Example:
        >>> WarmupStableDecay(max_lr=1.0, warmup=2, decay=4).values(8)[[0, 1, 3, 4, 7]]
        array([0.5, 1. , 1. , 0.5, 0. ])

    Source: Hu et al. 2024, MiniCPM, arXiv:2404.06395; cooldown shapes Hägele et al.
    2024, arXiv:2405.18392.
    """

    def __init__(
        self,
        max_lr: Peak = None,
        *,
        warmup: DurationOrZero = "5%",
        decay: DurationOrZero = "20%",
        shape: str = "1-sqrt",
        min_lr: float = 0.0,
        **common: Unpack[Common],
    ) -> None:
        self.warmup = warmup
        self.decay = decay
        self.shape = shape
        self.min_lr = min_lr
        super().__init__(max_lr, **common)

    def _check(self) -> None:
        super()._check()
        check_choice("shape", self.shape, tuple(COOLDOWNS))

    def _parts(self, peak: float) -> list[Part]:
        curve = COOLDOWNS[self.shape]
        floor = self._floor(peak)
        stable = hold(value=peak)
        if self._argument("decay") is None:
            return [*self._rise(peak), stable]
        return [
            *self._rise(peak),
            stable,
            Phase(self._argument("decay"), to=floor, curve=curve),
        ]


@registered
class FlatCosine(Preset):
    r"""Stays at the peak, then falls along half a cosine.

    .. math:: \eta = \eta_{max}, \quad\text{then}\quad \eta_{min} +
        (\eta_{max} - \eta_{min}) \tfrac12 (1 + \cos \pi p)

    with ``max_lr`` :math:`\eta_{max}`, ``min_lr`` :math:`\eta_{min}`, and progress
    p = 0 at the last update of the plateau and 1 at the last of the run.

    Args:
        max_lr: The plateau; None for the optimizer's own rate.
        decay: How long it falls, at the end of the run; 0 for no fall.
        min_lr: The floor, reached exactly at the last update.

    Example:
        >>> FlatCosine(max_lr=1.0, decay=2).values(4)
        array([1. , 1. , 0.5, 0. ])

    Source: fastai, ``fit_flat_cos`` (its flat part is 75 % of the run).
    """

    def __init__(
        self,
        max_lr: Peak = None,
        *,
        decay: DurationOrZero = "25%",
        min_lr: float = 0.0,
        **common: Unpack[Common],
    ) -> None:
        self.decay = decay
        self.min_lr = min_lr
        super().__init__(max_lr, **common)

    def _parts(self, peak: float) -> list[Part]:
        floor = self._floor(peak)
        decay = self._argument("decay")
        if decay is None:
            return [hold(value=peak)]
        return [hold(value=peak), Phase(decay, to=floor, curve=curves.cosine)]


@registered
class InverseSqrt(Preset):
    r"""Warms up, then falls as one over the root of the time.

    .. math:: \eta(t) = \eta_{max} / \sqrt{1 + (t - t_0) / n}

    at update t, with ``max_lr`` :math:`\eta_{max}`, the last update :math:`t_0` of the
    warmup (0 without one), and ``timescale`` n; during a warmup of W updates the k-th
    is at k / W of the peak. It has no end, so it suits runs of unknown length.

    Args:
        max_lr: The peak; None for the optimizer's own rate.
        warmup: How long; None or 0 for no warmup.
        timescale: A duration after which the rate is down to 0.707 of the peak; None
            takes that of the warmup, or 10000 updates.

    Example:
        >>> InverseSqrt(max_lr=1.0, warmup=2).values(8)[[0, 1, 7]]
        array([0.5, 1. , 0.5])

    Source: Vaswani et al. 2017, arXiv:1706.03762, eq. 3; with a timescale as in Zhai et
    al. 2021, arXiv:2106.04560.
    """

    def __init__(
        self,
        max_lr: Peak = None,
        *,
        warmup: DurationOrZero | None = None,
        timescale: Duration | None = None,
        **common: Unpack[Common],
    ) -> None:
        self.warmup = warmup
        self.timescale = timescale
        super().__init__(max_lr, **common)

    def _parts(self, peak: float) -> list[Part]:
        warmup = self._argument("warmup")
        decay = FunctionPhase(
            lambda time: peak / np.sqrt(1.0 + time),
            unit=self._argument("timescale") or warmup or 10_000,
            vectorized=True,
            # The last update of the warmup is at time 0.
            ahead=0 if warmup is None else 1,
        )
        return [*self._rise(peak), decay]
