"""Presets that only fall."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Unpack

import numpy as np

from keras_lr.arguments import Common, Peak
from keras_lr.plan import curves
from keras_lr.plan.checks import check_fraction, check_rate, check_value
from keras_lr.plan.curves import Curve
from keras_lr.plan.duration import Duration, DurationOrZero
from keras_lr.plan.parts import FunctionPhase, Part
from keras_lr.plan.words import received
from keras_lr.presets._base import Preset
from keras_lr.schedule import registered


class Decay(Preset):
    """Falls from the peak to the floor along one curve."""

    def __init__(
        self,
        max_lr: Peak = None,
        *,
        min_lr: float = 0.0,
        decay: DurationOrZero | None = None,
        **common: Unpack[Common],
    ) -> None:
        self.min_lr = min_lr
        self.decay = decay
        super().__init__(max_lr, **common)

    def _shape(self) -> tuple[Curve, Mapping[str, Any]]:
        raise NotImplementedError

    def _parts(self, peak: float) -> list[Part]:
        curve, options = self._shape()
        return [self._fall(peak, self._floor(peak), curve, **options)]


@registered
class CosineDecay(Decay):
    r"""Falls along half a cosine.

    .. math:: \eta(p) = \eta_{min} + (\eta_{max} - \eta_{min})
        [\tfrac12 (1 + \cos \pi p)]^a

    with ``max_lr`` :math:`\eta_{max}`, ``min_lr`` :math:`\eta_{min}`, ``exponent`` a,
    and progress p, 0 at the first update and 1 at the last.

    Args:
        max_lr: The peak; None for the optimizer's own rate.
        min_lr: The floor, reached exactly at the last update.
        decay: How long; None for the whole run, 0 to stay at the peak.
        exponent: Power of the cosine, above 0.

    Example:
        >>> CosineDecay(max_lr=0.5).values(3)
        array([0.5 , 0.25, 0.  ])

    Source: Loshchilov and Hutter 2016, SGDR, arXiv:1608.03983, eq. 5.
    """

    def __init__(
        self,
        max_lr: Peak = None,
        *,
        min_lr: float = 0.0,
        decay: DurationOrZero | None = None,
        exponent: float = 1.0,
        **common: Unpack[Common],
    ) -> None:
        self.exponent = exponent
        super().__init__(max_lr, min_lr=min_lr, decay=decay, **common)

    def _check(self) -> None:
        super()._check()
        check_value("exponent", self.exponent, above=0)

    def _shape(self) -> tuple[Curve, Mapping[str, Any]]:
        return curves.cosine, {"exponent": self.exponent}


@registered
class LinearDecay(Decay):
    r"""Falls along a straight line.

    .. math:: \eta(p) = \eta_{max} + (\eta_{min} - \eta_{max}) p

    with ``max_lr`` :math:`\eta_{max}`, ``min_lr`` :math:`\eta_{min}`, and progress p,
    0 at the first update and 1 at the last.

    Args:
        max_lr: The peak; None for the optimizer's own rate.
        min_lr: The floor, reached exactly at the last update.
        decay: How long; None for the whole run, 0 to stay at the peak.

    Example:
        >>> LinearDecay(max_lr=0.5).values(3)
        array([0.5 , 0.25, 0.  ])

    Source: Li et al. 2020, budgeted training, arXiv:1905.04753.
    """

    def _shape(self) -> tuple[Curve, Mapping[str, Any]]:
        return curves.linear, {}


@registered
class PolynomialDecay(Decay):
    r"""Falls as a power of what is left of the run.

    .. math:: \eta(p) = \eta_{min} + (\eta_{max} - \eta_{min}) (1 - p)^a

    with ``max_lr`` :math:`\eta_{max}`, ``min_lr`` :math:`\eta_{min}`, ``power`` a, and
    progress p, 0 at the first update and 1 at the last.

    Args:
        max_lr: The peak; None for the optimizer's own rate.
        power: The power, above 0; 1 is a straight line.
        min_lr: The floor, reached exactly at the last update.
        decay: How long; None for the whole run, 0 to stay at the peak.

    Example:
        >>> PolynomialDecay(max_lr=1.0, power=2.0).values(3)
        array([1.  , 0.25, 0.  ])

    Source: Liu et al. 2015, ParseNet, arXiv:1506.04579.
    """

    def __init__(
        self,
        max_lr: Peak = None,
        *,
        power: float = 2.0,
        min_lr: float = 0.0,
        decay: DurationOrZero | None = None,
        **common: Unpack[Common],
    ) -> None:
        self.power = power
        super().__init__(max_lr, min_lr=min_lr, decay=decay, **common)

    def _check(self) -> None:
        super()._check()
        check_value("power", self.power, above=0)

    def _shape(self) -> tuple[Curve, Mapping[str, Any]]:
        return curves.polynomial, {"power": self.power}


@registered
class Rex(Decay):
    r"""Falls slowly first and fast at the end (reflected exponential).

    .. math:: \eta(p) = \eta_{min} + (\eta_{max} - \eta_{min}) (1 - p) / (1 - p / 2)

    with ``max_lr`` :math:`\eta_{max}`, ``min_lr`` :math:`\eta_{min}`, and progress p,
    0 at the first update and 1 at the last.

    Args:
        max_lr: The peak; None for the optimizer's own rate.
        min_lr: The floor, reached exactly at the last update.
        decay: How long; None for the whole run, 0 to stay at the peak.

    Example:
        >>> Rex(max_lr=1.0).values(4).round(4)
        array([1. , 0.8, 0.5, 0. ])

    Source: Chen et al. 2021, REX, arXiv:2107.04197.
    """

    def _shape(self) -> tuple[Curve, Mapping[str, Any]]:
        return curves.rex, {}


class RatedDecay(Decay):
    """Falls to the floor by the end, or at a given rate for each ``every``."""

    def __init__(
        self,
        max_lr: Peak = None,
        *,
        min_lr: float = 0.0,
        decay: DurationOrZero | None = None,
        rate: float | None = None,
        every: Duration | None = None,
        **common: Unpack[Common],
    ) -> None:
        self.rate = rate
        self.every = every
        super().__init__(max_lr, min_lr=min_lr, decay=decay, **common)

    def _check(self) -> None:
        super()._check()
        check_rate("rate", self.rate, above=0)
        if (self.rate is None) != (self.every is None):
            raise ValueError(
                "`rate` and `every` go together: one is the rate of each other. "
                f"{received(rate=self.rate, every=self.every)}"
            )
        if self.rate is not None and self.decay is not None:
            raise ValueError(
                "`decay` has no meaning beside `rate`, which sets the pace. "
                f"{received(rate=self.rate, decay=self.decay)}"
            )

    def _law(self, time: Any, rate: float) -> Any:
        """Factor after a time counted in ``every``."""
        raise NotImplementedError

    def _parts(self, peak: float) -> list[Part]:
        floor = self._floor(peak)
        rate = self.rate
        if rate is not None:
            return [
                FunctionPhase(
                    lambda time: np.maximum(peak * self._law(time, rate), floor),
                    unit=self._argument("every"),
                    vectorized=True,
                )
            ]
        # These curves never reach zero.
        end = floor or peak / 100
        curve, _ = self._shape()
        return [self._fall(peak, end, curve)]


@registered
class ExponentialDecay(RatedDecay):
    r"""Falls by equal factors in equal times.

    .. math:: \eta(p) = \eta_{max} (\eta_{min} / \eta_{max})^p \quad\text{or}\quad
        \eta(t) = \max(\eta_{max} \, r^{t / n}, \eta_{min})

    the second where ``rate`` r is given; with ``max_lr`` :math:`\eta_{max}`, ``min_lr``
    :math:`\eta_{min}`, progress p, 0 at the first update and 1 at the last, update t,
    and ``every`` n.

    Args:
        max_lr: The peak; None for the optimizer's own rate.
        min_lr: The floor; without ``rate``, 0 means a hundredth of the peak.
        decay: How long until the floor; None for the whole run, 0 to stay at the
            peak.
        rate: Factor on the rate for each ``every``, in (0, 1].
        every: A duration.

    Example:
        >>> ExponentialDecay(max_lr=1.0, min_lr=0.25).values(3)
        array([1.  , 0.5 , 0.25])
        >>> ExponentialDecay(max_lr=1.0, rate=0.5, every=2).values(5)[[0, 2, 4]]
        array([1.  , 0.5 , 0.25])
    """

    def _check(self) -> None:
        super()._check()
        if self.rate is not None:
            check_fraction("rate", self.rate)

    def _shape(self) -> tuple[Curve, Mapping[str, Any]]:
        return curves.exponential, {}

    def _law(self, time: Any, rate: float) -> Any:
        return rate**time


@registered
class InverseTimeDecay(RatedDecay):
    r"""Falls as one over the time.

    .. math:: \eta(t) = \max(\eta_{max} / (1 + r t / n), \eta_{min})

    at update t, with ``max_lr`` :math:`\eta_{max}`, ``min_lr`` :math:`\eta_{min}`,
    ``rate`` r and ``every`` n; without a rate, with the one that brings it to exactly
    ``min_lr`` at the end of ``decay``.

    Args:
        max_lr: The peak; None for the optimizer's own rate.
        min_lr: The floor; without ``rate``, 0 means a hundredth of the peak.
        decay: How long until the floor; None for the whole run, 0 to stay at the
            peak.
        rate: Added to the divisor for each ``every``, above 0.
        every: A duration.

    Example:
        >>> InverseTimeDecay(max_lr=1.0, rate=1.0, every=2).values(7)[[0, 2, 6]]
        array([1.  , 0.5 , 0.25])

    Source: Robbins and Monro 1951, doi:10.1214/aoms/1177729586.
    """

    def _shape(self) -> tuple[Curve, Mapping[str, Any]]:
        return curves.inverse_time, {}

    def _law(self, time: Any, rate: float) -> Any:
        return 1.0 / (1.0 + rate * time)


@registered
class StepDecay(Preset):
    r"""Drops by a factor in regular intervals.

    .. math:: \eta(t) = \max(\eta_{max} \, r^{\lfloor t / n \rfloor}, \eta_{min})

    at update t, with ``max_lr`` :math:`\eta_{max}`, ``min_lr`` :math:`\eta_{min}`,
    ``rate`` r and ``every`` n: update n is the first at the lower rate.

    Args:
        max_lr: The first rate; None for the optimizer's own.
        every: How long each rate is held.
        rate: The factor, in (0, 1].
        min_lr: The floor.

    Example:
        >>> StepDecay(max_lr=1.0, every=2, rate=0.5).values(5)
        array([1.  , 1.  , 0.5 , 0.5 , 0.25])
    """

    def __init__(
        self,
        max_lr: Peak = None,
        *,
        every: Duration = "30%",
        rate: float = 0.1,
        min_lr: float = 0.0,
        **common: Unpack[Common],
    ) -> None:
        self.every = every
        self.rate = rate
        self.min_lr = min_lr
        super().__init__(max_lr, **common)

    def _check(self) -> None:
        super()._check()
        check_fraction("rate", self.rate)

    def _parts(self, peak: float) -> list[Part]:
        floor = self._floor(peak)
        return [
            FunctionPhase(
                # The margin is for intervals that are not whole updates.
                lambda time: np.maximum(
                    peak * self.rate ** np.floor(time + 1e-9), floor
                ),
                unit=self._argument("every"),
                vectorized=True,
            )
        ]
