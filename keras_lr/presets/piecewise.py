"""Presets made of the user's own numbers or function."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Unpack

from keras_lr.arguments import Common, Peak
from keras_lr.plan.checks import check_choice, check_sequence, check_value
from keras_lr.plan.duration import Argument, Duration
from keras_lr.plan.parts import FunctionPhase, Part, Points
from keras_lr.plan.words import received
from keras_lr.presets._base import Preset
from keras_lr.schedule import registered


@registered
class PiecewiseConstant(Preset):
    r"""Holds one factor after another.

    .. math:: \eta(t) = \eta_{max} f_i, \quad b_i \le t < b_{i + 1}

    at update t, with ``max_lr`` :math:`\eta_{max}`, ``factors`` :math:`f_0, f_1`, ...,
    and ``boundaries`` :math:`b_1, b_2`, ...; before the first, at :math:`b_0 = 0`, the
    run begins, and after the last nothing changes any more.

    Args:
        boundaries: Positions in the run (durations from its start) where the factor
            changes: with a boundary of 10, update 10 is the first at the new one.
        factors: One more than boundaries.
        max_lr: The rate that factor 1 stands for; None for the optimizer's own.

    Example:
        >>> PiecewiseConstant([2, 4], [1.0, 0.5, 0.25]).values(6)
        array([1.  , 1.  , 0.5 , 0.5 , 0.25, 0.25])
    """

    def __init__(
        self,
        boundaries: Sequence[Duration],
        factors: Sequence[float],
        *,
        max_lr: Peak = None,
        **common: Unpack[Common],
    ) -> None:
        self.boundaries = boundaries
        self.factors = factors
        super().__init__(max_lr, **common)

    def _check(self) -> None:
        super()._check()
        check_sequence("boundaries", self.boundaries)
        check_sequence("factors", self.factors)
        if len(self.factors) != len(self.boundaries) + 1:
            raise ValueError(
                "`factors` must be one more than `boundaries`. Received: "
                f"{len(self.factors)} factors, {len(self.boundaries)} boundaries."
            )
        for i, factor in enumerate(self.factors):
            check_value(f"factors[{i}]", factor)
        self._parts(1.0)

    def _parts(self, peak: float) -> list[Part]:
        starts: list[Duration | Argument] = [0]
        for i, boundary in enumerate(self.boundaries):
            starts.append(Argument.read(f"boundaries[{i}]", boundary))
        pairs = zip(starts, self.factors, strict=True)
        return [Points(tuple(pairs), "hold").scaled(peak)]


@registered
class PiecewiseLinear(Preset):
    r"""Goes through points on straight lines, and holds the first and the last.

    .. math:: \eta(t) = \eta_{max} [f_i + (f_{i + 1} - f_i) p], \quad
        p = (t - b_i) / (b_{i + 1} - b_i)

    at update t from :math:`b_i` to :math:`b_{i + 1}`, with ``max_lr``
    :math:`\eta_{max}`, the factors :math:`f_i` of ``points``, and the updates
    :math:`b_i` at which they are reached.

    Args:
        points: Pairs of a position (a duration from the start of the run, or 0) and a
            factor. The factor of position b is reached exactly at the last of the
            first b updates, so that of ``"100%"`` at the last update of the run.
        max_lr: The rate that factor 1 stands for; None for the optimizer's own.

    Example:
        >>> PiecewiseLinear([(0, 0.0), (3, 1.0), ("100%", 0.5)]).values(5)
        array([0.  , 0.5 , 1.  , 0.75, 0.5 ])
    """

    def __init__(
        self,
        points: Sequence[tuple[Duration, float]],
        *,
        max_lr: Peak = None,
        **common: Unpack[Common],
    ) -> None:
        self.points = points
        super().__init__(max_lr, **common)

    def _check(self) -> None:
        super()._check()
        check_sequence("points", self.points)
        if len(self.points) == 0:
            raise ValueError("`points` must not be empty. Received: points=[].")
        for i, point in enumerate(self.points):
            name = f"points[{i}]"
            check_sequence(name, point)
            if len(point) != 2:
                raise ValueError(
                    f"`{name}` must be a pair of a position and a factor. "
                    f"{received(**{name: point})}"
                )
            check_value(name, point[1])
        self._parts(1.0)

    def _parts(self, peak: float) -> list[Part]:
        pairs: list[tuple[Duration | Argument, float]] = []
        for i, (position, factor) in enumerate(self.points):
            place = Argument.read(f"points[{i}]", position, may_be_zero=True)
            pairs.append((place, factor))
        return [Points(tuple(pairs)).scaled(peak)]


@registered
class Function(Preset):
    r"""Follows any function of one's own.

    .. math:: \eta(t) = \eta_{max} f(t) \quad\text{or}\quad \eta_{max} f(p)

    at update t, with ``max_lr`` :math:`\eta_{max}`, ``function`` f, and progress p, 0
    at the first update and 1 at the last.

    Args:
        function: Receives a number and returns the factor on the rate, finite and not
            negative. Plain Python: it is tabulated before the fit, never traced.
        of: ``"step"`` (the update, from 0) or ``"progress"`` (0 at the first update,
            1 at the last).
        max_lr: The rate that factor 1 stands for; None for the optimizer's own.

    Example:
        >>> Function(lambda step: 1.0 if step < 2 else 0.5).values(4)
        array([1. , 1. , 0.5, 0.5])
        >>> Function(lambda p: 1.0 - p**2, of="progress").values(3)
        array([1.  , 0.75, 0.  ])
    """

    def __init__(
        self,
        function: Callable[[Any], Any],
        *,
        of: str = "step",
        max_lr: Peak = None,
        **common: Unpack[Common],
    ) -> None:
        self.function = function
        self.of = of
        super().__init__(max_lr, **common)

    def _check(self) -> None:
        super()._check()
        check_choice("of", self.of, ("step", "progress"))
        if not callable(self.function):
            raise TypeError(
                "`function` must be callable, a number in and a factor out. "
                f"{received(function=self.function)}"
            )

    def _parts(self, peak: float) -> list[Part]:
        progress = self.of == "progress"
        return [FunctionPhase(self.function, progress=progress, gain=peak)]
