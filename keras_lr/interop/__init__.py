"""Published schedules, carried over with the numbers and names of their libraries."""

from keras_lr.interop.importing import (
    from_composer,
    from_fastai,
    from_keras,
    from_optax,
    from_timm,
    from_torch,
    from_transformers,
)

__all__ = [
    "from_composer",
    "from_fastai",
    "from_keras",
    "from_optax",
    "from_timm",
    "from_torch",
    "from_transformers",
]
