"""Phases: curves laid end to end over a run, so that every join is exact.

The conventions, once for all (``docs/conventions.md`` has them as a picture):

* Updates count from 0. A run of T updates has the updates 0 .. T-1.
* A phase of n updates is at exactly its end value at its last update.
* A phase that continues from the one before it moves at once: its k-th update
  (k = 1 .. n) is at progress k / n. So a warmup from zero never spends an update at
  zero, and the peak is held for no extra update.
* A phase with a ``start`` of its own, and no other, begins exactly there: its k-th
  update is at progress (k - 1) / (n - 1).
* ``endpoint=False`` stops one update short of the end value, as NumPy's ``linspace``
  does: the k-th update is at progress (k - 1) / n with a ``start``, at k / (n + 1) when
  it continues, and the next phase begins at the value that was left out. This is how
  torch, Keras, optax and transformers count.
* A function of one's own begins at time 0 at the first update of its phase.
* Past its end, a schedule holds its last value.
* A run that is too short for its phases sees their beginning.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras_lr.plan import curves
from keras_lr.plan.curves import Curve
from keras_lr.plan.duration import Duration
from keras_lr.plan.parts import FunctionPhase, Repeat
from keras_lr.plan.phase import Phase

__all__ = [
    "cosine",
    "curve",
    "exponential",
    "function",
    "hold",
    "inverse_sqrt",
    "inverse_time",
    "k_decay",
    "linear",
    "one_minus_sqrt",
    "one_minus_square",
    "polynomial",
    "repeat",
    "rex",
    "tanh",
]


def hold(duration: Duration | None = None, value: float | None = None) -> Phase:
    """Stay at a value, or at the end value of the phase before.

    Args:
        duration: How long; None takes the rest of the run.
        value: The value; None keeps the one reached.

    Example:
        >>> import keras_lr
        >>> keras_lr.Schedule(linear(1), hold()).values(3)
        array([1., 1., 1.])
    """
    return Phase(duration, to=value, start=value, curve=curves.constant)


def _shaped(curve: Curve) -> Callable[..., Phase]:
    def phase(
        duration: Duration | None = None,
        to: float = 1.0,
        start: float | None = None,
        *,
        endpoint: bool = True,
        **options: float,
    ) -> Phase:
        return Phase(duration, to, start, endpoint, curve, options)

    phase.__name__ = phase.__qualname__ = curve.__name__
    phase.__doc__ = f"""Phase along :func:`keras_lr.curves.{curve.__name__}`.

    Args:
        duration: How long; None takes what the other phases leave of the run.
        to: Value at the last update.
        start: Value at the first update; None continues from the phase before.
        endpoint: Whether the last update is at ``to``, or one short of it.
        **options: Further arguments of the curve.

    Returns:
        The phase.
    """
    return phase


linear = _shaped(curves.linear)
cosine = _shaped(curves.cosine)
polynomial = _shaped(curves.polynomial)
exponential = _shaped(curves.exponential)
inverse_time = _shaped(curves.inverse_time)
inverse_sqrt = _shaped(curves.inverse_sqrt)
one_minus_sqrt = _shaped(curves.one_minus_sqrt)
one_minus_square = _shaped(curves.one_minus_square)
rex = _shaped(curves.rex)
tanh = _shaped(curves.tanh)
k_decay = _shaped(curves.k_decay)


def curve(
    function: Curve,
    duration: Duration | None = None,
    to: float = 1.0,
    start: float | None = None,
    *,
    endpoint: bool = True,
) -> Phase:
    """Phase along one's own curve.

    Args:
        function: ``(start, end, progress) -> values``, of arrays.
        duration: How long; None takes what the other phases leave of the run.
        to: Value at the last update.
        start: Value at the first update; None continues from the phase before.
        endpoint: Whether the last update is at ``to``, or one short of it.

    Example:
        >>> import keras_lr
        >>> root = curve(lambda s, e, p: s + (e - s) * p**0.5, 4)
        >>> keras_lr.Schedule(root).values(4).round(3)
        array([0.5  , 0.707, 0.866, 1.   ])
    """
    return Phase(duration, to, start, endpoint, function)


def function(
    function: Callable[[Any], Any],
    duration: Duration | None = None,
    unit: Duration | None = None,
) -> FunctionPhase:
    """Phase along one's own function of the time since it began.

    The time is 0 at the phase's first update, whatever comes before it.

    Args:
        function: Receives a number, returns the value, finite and not negative.
        duration: How long; None takes what the other phases leave of the run.
        unit: A duration that counts as time 1; None means one update.

    Example:
        >>> import keras_lr
        >>> halving = function(lambda t: 0.5**t, unit=2)
        >>> keras_lr.Schedule(halving).values(5)[[0, 2, 4]]
        array([1.  , 0.5 , 0.25])
        >>> keras_lr.Schedule(hold(2, 0.5), function(lambda t: 1 / (1 + t))).values(4)
        array([0.5, 0.5, 1. , 0.5])
    """
    return FunctionPhase(function, duration, unit)


def repeat(
    *phases: Phase,
    duration: Duration | None = None,
    grow: float = 1.0,
    shrink: float = 1.0,
    fixed: int = 0,
) -> Repeat:
    """A cycle of phases, again and again.

    Args:
        *phases: The cycle; each with a duration and a value.
        duration: How long in all; None takes what the other phases leave of the run.
        grow: Growth of the length from cycle to cycle, above 0. Below 1 cycles become
            shorter, down to one update for each phase, at the phase's end value; so
            they stay.
        shrink: Factor on the height above the cycle's end value, from cycle to cycle.
        fixed: How many of the first phases keep their length in every cycle, as a
            warmup does; it leaves at least one that grows.

    Example:
        >>> import keras_lr
        >>> saw = repeat(linear(2, to=0.0, start=1.0), shrink=0.5)
        >>> keras_lr.Schedule(saw).values(6)
        array([1.  , 0.  , 0.5 , 0.  , 0.25, 0.  ])
        >>> warm = repeat(linear(1), linear(2, to=0.0), grow=2.0, fixed=1)
        >>> keras_lr.Schedule(warm).values(8)
        array([1.  , 0.5 , 0.  , 1.  , 0.75, 0.5 , 0.25, 0.  ])
    """
    return Repeat(phases, duration, grow, shrink, fixed)
