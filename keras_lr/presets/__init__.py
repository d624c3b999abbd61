"""The schedules people use, each a few lines over :mod:`keras_lr.phases`.

All of them are :class:`keras_lr.Schedule`: what is said there of ``max_lr``,
``horizon``, ``hyperparameter``, ``optimizer``, ``on_extend`` and ``check`` holds here.
``min_lr`` is a rate as well (not a fraction of the peak), and must not exceed the peak.
In the formulas p is progress: 0 at the first update of a phase, or at the last one of
the phase that it continues, and 1 at its last. ``warmup=0`` and ``decay=0`` (of any
unit) are none; all other durations are above 0. A run may have any length: one that
ends before a duration in updates or epochs does sees its beginning.
"""

from keras_lr.presets.cycles import CosineRestarts, CyclicalLR, OneCycle
from keras_lr.presets.decays import (
    CosineDecay,
    ExponentialDecay,
    InverseTimeDecay,
    LinearDecay,
    PolynomialDecay,
    Rex,
    StepDecay,
)
from keras_lr.presets.piecewise import Function, PiecewiseConstant, PiecewiseLinear
from keras_lr.presets.warmups import (
    FlatCosine,
    InverseSqrt,
    Warmup,
    WarmupCosine,
    WarmupLinear,
    WarmupStableDecay,
)

__all__ = [
    "CosineDecay",
    "CosineRestarts",
    "CyclicalLR",
    "ExponentialDecay",
    "FlatCosine",
    "Function",
    "InverseSqrt",
    "InverseTimeDecay",
    "LinearDecay",
    "OneCycle",
    "PiecewiseConstant",
    "PiecewiseLinear",
    "PolynomialDecay",
    "Rex",
    "StepDecay",
    "Warmup",
    "WarmupCosine",
    "WarmupLinear",
    "WarmupStableDecay",
]
