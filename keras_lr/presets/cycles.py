"""Presets that rise and fall, once or again and again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Unpack

from keras_lr.arguments import Common, Peak
from keras_lr.fit.guests import Guest
from keras_lr.phases import hold
from keras_lr.plan import curves
from keras_lr.plan.checks import (
    check_at_least,
    check_choice,
    check_flag,
    check_fraction,
    check_value,
    number,
)
from keras_lr.plan.course import Course
from keras_lr.plan.duration import Argument, Duration, DurationOrZero, IntArray
from keras_lr.plan.parts import Part, Repeat
from keras_lr.plan.phase import Phase
from keras_lr.plan.words import received
from keras_lr.presets._base import Preset
from keras_lr.presets._cycle_ends import CycleEnds, OnCycleEnd, check_cycle_end
from keras_lr.schedule import Schedule, registered

Momentum = tuple[float, float] | str | None


class Cycling(Preset):
    """A cycle of the rate with momentum, where there is any, swinging against it."""

    #: What "auto" stands for.
    _usual = (0.85, 0.95)
    _has_peak = True

    def __init__(
        self,
        max_lr: Peak,
        *,
        momentum: Momentum,
        **common: Unpack[Common],
    ) -> None:
        self.momentum = momentum
        super().__init__(max_lr, **common)

    def _check(self) -> None:
        super()._check()
        if self.momentum is not None:
            self._range()

    def _range(self) -> tuple[float, float]:
        """Lowest and highest momentum."""
        pair: Any = self.momentum
        if isinstance(pair, str) and pair == "auto":
            pair = self._usual
        given = received(momentum=self.momentum)
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            raise TypeError(
                f"`momentum` must be a pair (low, high), 'auto' or None. {given}"
            )
        low = number("momentum", pair[0])
        high = number("momentum", pair[1])
        if not 0 <= low <= high < 1:
            raise ValueError(
                f"`momentum` must be a pair with 0 <= low <= high < 1. {given}"
            )
        return low, high

    def _momentum_parts(self, low: float, high: float) -> list[Part]:
        raise NotImplementedError

    def _courses(self) -> list[Course]:
        courses = super()._courses()
        if self.momentum is not None and self.hyperparameter == "learning_rate":
            low, high = self._range()
            courses.append(
                Course(
                    "momentum",
                    1.0,
                    lambda _: self._momentum_parts(low, high),
                    optional=self.momentum == "auto",
                    owner=self,
                )
            )
        return courses


@registered
class OneCycle(Cycling):
    r"""One rise and one fall of the rate, while momentum falls and rises.

    With ``phases="two"`` the rate goes from :math:`\eta_{max}/d` up to ``max_lr``
    :math:`\eta_{max}` in ``warmup``, then down to the floor in the rest of the run;
    with ``"three"`` it goes down to :math:`\eta_{max}/d` as fast as it went up, then to
    the floor; d is ``div_factor``. Each phase goes from s to e along

    .. math:: v(p) = e + (s - e) \tfrac12 (1 + \cos \pi p) \quad\text{or}\quad
        v(p) = s + (e - s) p

    with progress p from 0 to 1: the first with ``annealing="cosine"``, the second with
    ``"linear"``. The first update is at exactly :math:`\eta_{max}/d`, the last of the
    warmup at the peak, the last of the run at the floor, whatever the rounding.

    Args:
        max_lr: The peak; None for the optimizer's own rate.
        warmup: How long it rises; 0 for no warmup.
        annealing: ``"cosine"`` or ``"linear"``.
        phases: ``"two"`` or ``"three"``.
        momentum: Pair (low, high): momentum (beta_1 in Adam and its kin) goes from high
            to low as the rate rises, and back as it falls. ``"auto"`` is (0.85, 0.95)
            where the optimizer has momentum, nothing where it has none. None leaves it
            alone.
        div_factor: The peak over the first rate (d), at least 1.
        final_div_factor: The first rate over the floor, where ``min_lr`` is None.
        min_lr: The floor.

    Example:
        >>> OneCycle(max_lr=1.0, warmup=2, div_factor=4.0, min_lr=0.0).values(4)
        array([0.25, 1.  , 0.5 , 0.  ])

    Source: Smith and Topin 2017, arXiv:1708.07120; Smith 2018, arXiv:1803.09820;
    defaults and values as torch's ``OneCycleLR``.
    """

    def __init__(
        self,
        max_lr: Peak = None,
        *,
        warmup: DurationOrZero = 0.3,
        annealing: str = "cosine",
        phases: str = "two",
        momentum: Momentum = "auto",
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        min_lr: float | None = None,
        **common: Unpack[Common],
    ) -> None:
        self.warmup = warmup
        self.annealing = annealing
        self.phases = phases
        self.div_factor = div_factor
        self.final_div_factor = final_div_factor
        self.min_lr = min_lr
        super().__init__(max_lr, momentum=momentum, **common)

    def _check(self) -> None:
        super()._check()
        check_choice("annealing", self.annealing, ("cosine", "linear"))
        check_choice("phases", self.phases, ("two", "three"))
        check_at_least("div_factor", self.div_factor, 1)
        check_at_least("final_div_factor", self.final_div_factor, 1)

    def _parts(self, peak: float) -> list[Part]:
        first = peak / self.div_factor
        floor = self._floor(peak)
        if self.min_lr is None:
            floor = first / self.final_div_factor
        return self._cycle(first, peak, floor)

    def _momentum_parts(self, low: float, high: float) -> list[Part]:
        return self._cycle(high, low, high)

    def _cycle(self, first: float, peak: float, last: float) -> list[Part]:
        curve = curves.cosine if self.annealing == "cosine" else curves.linear
        warmup = self._argument("warmup")
        if warmup is None:
            return [Phase(to=last, start=peak, curve=curve)]
        parts: list[Part] = [Phase(warmup, to=peak, start=first, curve=curve)]
        if self.phases == "three":
            # From the first value to the peak it is one step less than updates.
            back = replace(warmup, length=warmup.length._replace(offset=-1))
            parts.append(Phase(back, to=first, curve=curve))
        return [*parts, Phase(to=last, curve=curve)]


@registered
class CyclicalLR(Cycling):
    r"""Climbs and falls between two rates in straight lines, again and again.

    .. math:: \eta(t) = \eta_{min} + (\eta_{max} - \eta_{min}) \, a(c) \, u

    with ``max_lr`` :math:`\eta_{max}` and ``min_lr`` :math:`\eta_{min}`, where u rises
    from 0 to 1 in ``half_cycle`` updates and falls back in ``half_cycle_down``, and the
    height a in cycle c = 0, 1, ... is 1 (``"triangular"``), :math:`2^{-c}`
    (``"triangular2"``), :math:`\gamma^t` at update t (``"exp_range"``, ``gamma``
    :math:`\gamma`), or what ``scale_fn`` says. Update 0 is at ``min_lr``.

    Args:
        max_lr: The upper rate; None for the optimizer's own.
        min_lr: The lower rate.
        half_cycle: How long it rises.
        half_cycle_down: How long it falls; None for as long as it rises.
        mode: ``"triangular"``, ``"triangular2"`` or ``"exp_range"``.
        gamma: Base of ``"exp_range"``, in (0, 1].
        scale_fn: The height as a function of a number, instead of ``mode``.
        scale_by: What ``scale_fn`` receives: ``"cycle"`` (1, 2, ...) or ``"step"``.
        momentum: Pair (low, high): momentum falls as the rate rises. ``"auto"`` is
            (0.8, 0.9) where the optimizer has momentum; None leaves it alone.
        on_cycle_end: Function ``(model, cycle, update)`` that a fit calls after the
            last update of each complete cycle (from 0), at the cycle's lowest rate,
            with the updates made so far; where several steps are one execution, after
            that. The model can be saved there, and its weights read.

    Example:
        >>> CyclicalLR(half_cycle=2, mode="triangular2").values(9)
        array([0.  , 0.5 , 1.  , 0.5 , 0.  , 0.25, 0.5 , 0.25, 0.  ])

    Source: Smith 2015, arXiv:1506.01186, sec. 3.
    """

    _usual = (0.8, 0.9)

    def __init__(
        self,
        max_lr: Peak = None,
        *,
        min_lr: float = 0.0,
        half_cycle: Duration = "2 epochs",
        half_cycle_down: Duration | None = None,
        mode: str = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable[[Any], Any] | None = None,
        scale_by: str = "cycle",
        momentum: Momentum = "auto",
        on_cycle_end: OnCycleEnd | None = None,
        **common: Unpack[Common],
    ) -> None:
        self.on_cycle_end = on_cycle_end
        self.min_lr = min_lr
        self.half_cycle = half_cycle
        self.half_cycle_down = half_cycle_down
        self.mode = mode
        self.gamma = gamma
        self.scale_fn = scale_fn
        self.scale_by = scale_by
        super().__init__(max_lr, momentum=momentum, **common)

    def _check(self) -> None:
        super()._check()
        check_choice("mode", self.mode, ("triangular", "triangular2", "exp_range"))
        check_choice("scale_by", self.scale_by, ("cycle", "step"))
        check_fraction("gamma", self.gamma)
        check_cycle_end(self.on_cycle_end)
        if self.scale_fn is not None and not callable(self.scale_fn):
            raise TypeError(
                "`scale_fn` must be callable, a number in and a height out. "
                f"{received(scale_fn=self.scale_fn)}"
            )

    def _guests_for(self, callback: Schedule) -> Sequence[Guest]:
        if self.on_cycle_end is None:
            return []
        return [CycleEnds(callback, self, self.on_cycle_end)]

    def _parts(self, peak: float) -> list[Part]:
        return self._triangles(self._floor(peak), peak)

    def _momentum_parts(self, low: float, high: float) -> list[Part]:
        return self._triangles(high, low)

    def _triangles(self, base: float, top: float) -> list[Part]:
        up = self._argument("half_cycle")
        down = self._argument("half_cycle_down") or up
        triangle = (Phase(up, to=top), Phase(down, to=base))
        return [hold(1, base), Repeat(triangle, shrink=self._height)]

    def _height(self, cycle: IntArray, update: IntArray) -> Any:
        # The hold before the triangles takes update 0.
        step = update + 1
        if self.scale_fn is not None:
            numbers = cycle + 1 if self.scale_by == "cycle" else step
            return [float(self.scale_fn(n)) for n in numbers.tolist()]
        if self.mode == "triangular2":
            return 0.5 ** cycle.astype(float)
        return self.gamma ** step.astype(float) if self.mode == "exp_range" else 1.0


@registered
class CosineRestarts(Preset):
    r"""Falls along half a cosine, jumps back up, and again (SGDR).

    .. math:: \eta(p) = \eta_{min} + m^c (\eta_{max} - \eta_{min})
        \tfrac12 (1 + \cos \pi p)

    in cycle c = 0, 1, ... of length :math:`n k^c`, with ``max_lr`` :math:`\eta_{max}`,
    ``min_lr`` :math:`\eta_{min}`, ``first_cycle`` n, ``t_mul`` k, ``m_mul`` m, and
    progress p from 0 to 1 in the cycle. Each begins at its peak, and its last update is
    at the floor.
    With a ``warmup`` of W updates it rises to its peak first, from the floor in a
    straight line, in each cycle as long: cycle c lasts :math:`W + (n - W) k^c`.

    Args:
        max_lr: The first peak; None for the optimizer's own rate.
        first_cycle: Length of the first cycle.
        t_mul: Growth of the length from cycle to cycle, above 0. Below 1 the cycles
            become shorter, until the fall lasts one update, at the floor; so they stay,
            and without a warmup the rate stays at the floor.
        m_mul: Factor on the height from cycle to cycle, in (0, 1].
        min_lr: The floor.
        endpoint: Whether a cycle's last update is at the floor, or one short of it (as
            in torch and Keras, which never reach it).
        warmup: How long each cycle rises first, within ``first_cycle``: in updates, or
            in its unit; 0 for no rise.
        on_cycle_end: Function ``(model, cycle, update)`` that a fit calls after the
            last update of each complete cycle (from 0), at the cycle's lowest rate,
            with the updates made so far; where several steps are one execution, after
            that. The model can be saved there, and its weights read.

    Example:
        >>> CosineRestarts(max_lr=1.0, first_cycle=3, t_mul=1.0, m_mul=0.5).values(6)
        array([1.  , 0.5 , 0.  , 0.5 , 0.25, 0.  ])
        >>> CosineRestarts(max_lr=1.0, first_cycle=4, warmup=2, t_mul=1.0).values(8)
        array([0.5, 1. , 0.5, 0. , 0.5, 1. , 0.5, 0. ])

    Source: Loshchilov and Hutter 2016, SGDR, arXiv:1608.03983.
    """

    def __init__(
        self,
        max_lr: Peak = None,
        *,
        first_cycle: Duration = "10%",
        t_mul: float = 2.0,
        m_mul: float = 1.0,
        min_lr: float = 0.0,
        endpoint: bool = True,
        warmup: DurationOrZero = 0,
        on_cycle_end: OnCycleEnd | None = None,
        **common: Unpack[Common],
    ) -> None:
        self.on_cycle_end = on_cycle_end
        self.first_cycle = first_cycle
        self.t_mul = t_mul
        self.m_mul = m_mul
        self.min_lr = min_lr
        self.endpoint = endpoint
        self.warmup = warmup
        super().__init__(max_lr, **common)

    def _check(self) -> None:
        super()._check()
        check_flag("endpoint", self.endpoint)
        check_fraction("m_mul", self.m_mul)
        check_value("t_mul", self.t_mul, above=0)
        check_cycle_end(self.on_cycle_end)
        self._fall_of_first_cycle()

    def _guests_for(self, callback: Schedule) -> Sequence[Guest]:
        if self.on_cycle_end is None:
            return []
        return [CycleEnds(callback, self, self.on_cycle_end)]

    def _parts(self, peak: float) -> list[Part]:
        rise = self._rise(peak)
        fall = Phase(
            self._fall_of_first_cycle(),
            to=self._floor(peak),
            start=None if rise else peak,
            endpoint=self.endpoint,
            curve=curves.cosine,
        )
        cycle = (*rise, fall)
        return [Repeat(cycle, grow=self.t_mul, shrink=self.m_mul, fixed=len(rise))]

    def _fall_of_first_cycle(self) -> Argument:
        """What the warmup leaves of the first cycle."""
        cycle = Argument.read("first_cycle", self.first_cycle)
        warmup = self._argument("warmup")
        if warmup is None:
            return cycle
        given = received(warmup=self.warmup, first_cycle=self.first_cycle)
        unit, amount, _ = warmup.length
        if unit == cycle.length.unit:
            left = cycle.length.amount - amount
            if left <= 0:
                raise ValueError(
                    f"`warmup` must be shorter than `first_cycle`. {given}"
                )
            return replace(cycle, length=cycle.length._replace(amount=left))
        if unit == "updates":
            return replace(cycle, length=cycle.length._replace(offset=-int(amount)))
        raise ValueError(
            "`warmup` must be in updates, or in the same unit as `first_cycle`. "
            f"{given}"
        )
