"""Learning-rate schedules and a finder for Keras 3: callbacks of ``model.fit``.

``model.fit(x, y, epochs=20, callbacks=[keras_lr.OneCycle(max_lr=1e-2)])``
"""

from keras_lr import curves, phases
from keras_lr.combined import combine
from keras_lr.finder import LRFinder, LRFinderResult, find_lr
from keras_lr.fit.keras_names import check_keras
from keras_lr.fit.loan import restored
from keras_lr.monitor import RateMonitor
from keras_lr.plateau import Plateau
from keras_lr.presets import (
    CosineDecay,
    CosineRestarts,
    CyclicalLR,
    ExponentialDecay,
    FlatCosine,
    Function,
    InverseSqrt,
    InverseTimeDecay,
    LinearDecay,
    OneCycle,
    PiecewiseConstant,
    PiecewiseLinear,
    PolynomialDecay,
    Rex,
    StepDecay,
    Warmup,
    WarmupCosine,
    WarmupLinear,
    WarmupStableDecay,
)
from keras_lr.schedule import Schedule

__version__ = "0.1.0"

__all__ = [
    "CosineDecay",
    "CosineRestarts",
    "CyclicalLR",
    "ExponentialDecay",
    "FlatCosine",
    "Function",
    "InverseSqrt",
    "InverseTimeDecay",
    "LRFinder",
    "LRFinderResult",
    "LinearDecay",
    "OneCycle",
    "PiecewiseConstant",
    "PiecewiseLinear",
    "Plateau",
    "PolynomialDecay",
    "RateMonitor",
    "Rex",
    "Schedule",
    "StepDecay",
    "Warmup",
    "WarmupCosine",
    "WarmupLinear",
    "WarmupStableDecay",
    "combine",
    "curves",
    "find_lr",
    "phases",
    "restored",
]

check_keras()
del check_keras
