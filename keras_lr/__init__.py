"""Learning-rate schedules and a finder for Keras 3: callbacks of ``model.fit``.

``model.fit(x, y, epochs=20, callbacks=[keras_lr.OneCycle(max_lr=1e-2)])``
"""

# First, since Keras reads its backend as it is imported.
import keras_lr.starting
from keras_lr import curves, extended, interop, phases
from keras_lr.batch_size import scale_length, scale_lr
from keras_lr.combined import combine
from keras_lr.cooldowns import Cooldown, cooldown
from keras_lr.finder import (
    BatchSizesResult,
    LRFinder,
    LRFinderResult,
    RayRunner,
    find_lr,
)
from keras_lr.fit.keras_names import check_keras
from keras_lr.fit.loan import restored
from keras_lr.grouping import groups
from keras_lr.linting import lint
from keras_lr.lints.finding import Finding
from keras_lr.lints.report import Report
from keras_lr.monitor import RateMonitor
from keras_lr.noise_result import NoiseScaleResult
from keras_lr.noise_scale import GradientNoiseScale
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
from keras_lr.rate_table import GroupRates, group_rates
from keras_lr.schedule import Schedule

__version__ = "0.2.0"

__all__ = [
    "BatchSizesResult",
    "Cooldown",
    "CosineDecay",
    "CosineRestarts",
    "CyclicalLR",
    "ExponentialDecay",
    "Finding",
    "FlatCosine",
    "Function",
    "GradientNoiseScale",
    "GroupRates",
    "InverseSqrt",
    "InverseTimeDecay",
    "LRFinder",
    "LRFinderResult",
    "LinearDecay",
    "NoiseScaleResult",
    "OneCycle",
    "PiecewiseConstant",
    "PiecewiseLinear",
    "Plateau",
    "PolynomialDecay",
    "RateMonitor",
    "RayRunner",
    "Report",
    "Rex",
    "Schedule",
    "StepDecay",
    "Warmup",
    "WarmupCosine",
    "WarmupLinear",
    "WarmupStableDecay",
    "combine",
    "cooldown",
    "curves",
    "find_lr",
    "group_rates",
    "groups",
    "interop",
    "lint",
    "phases",
    "restored",
    "scale_length",
    "scale_lr",
]

check_keras()
# What `extend` makes is public through it alone.
del check_keras, extended, keras_lr
