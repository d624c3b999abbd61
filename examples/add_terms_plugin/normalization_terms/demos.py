"""The claims of these terms, measured. Imported only where a demo is run."""

from __future__ import annotations

from typing import Any

import numpy as np

EPSILON = 1e-3


def normalized(x: Any, axis: int) -> Any:
    """Mean 0 and variance 1 along an axis: 1 is a layer's, 0 a batch's."""
    centred = x - x.mean(axis, keepdims=True)
    return centred / np.sqrt(x.var(axis, keepdims=True) + EPSILON)


def alone(seed: int) -> dict[str, Any]:
    """Change of the output for one example when the others are exchanged."""
    rng = np.random.default_rng(seed)
    batch, others = rng.normal(size=(2, 16, 32))
    mixed = np.vstack([batch[:1], others[1:]])
    layer, control = (
        float(abs(normalized(batch, axis)[0] - normalized(mixed, axis)[0]).max())
        for axis in (1, 0)
    )
    changes = np.array([layer, control])
    return {
        "measured": layer,
        "inconclusive": "" if control > 0.01 else "Nothing depends on the others.",
        "data": {"change": np.maximum(changes, 1e-17)},
        "figure": {
            "kind": "bars",
            "y": ["change"],
            "labels": ["layer", "batch"],
            "x_label": "",
            "y_label": "change of the output",
            "log": "y",
        },
    }
