"""Claims of *loss scaling*: what 16-bit numbers keep of small gradients."""

from __future__ import annotations

import numpy as np

from glossary.lab import Bars, Control, Lines, Measurement
from glossary.lab.data import Array


def _gradients(seed: int) -> Array:
    """2000 gradients whose sizes lie around 10^-9 to 10^-5."""
    rng = np.random.default_rng(seed)
    out: Array = rng.normal(size=2000) * 10.0 ** rng.uniform(-9, -5, 2000)
    return out


def _in_half(values: Array) -> Array:
    with np.errstate(over="ignore"):
        return values.astype(np.float16).astype(np.float64)


def saves_gradients(seed: int) -> Measurement:
    """Share of small gradients that float16 loses, by the scale of the loss."""
    exact = _gradients(seed)
    scales = 2.0 ** np.arange(0, 17, 2)
    lost = [float(np.mean(_in_half(exact * scale) == 0)) for scale in scales]
    shown = Lines(
        x=scales,
        ys={"float16": lost},
        x_label="scale of the loss",
        y_label="share of the gradients that become 0",
        log="x",
    )
    underflows = Control(lost[0] > 0.05, "Nothing is lost without scaling.")
    return Measurement(
        measured=lost[-1] / lost[0] if lost[0] else float("nan"),
        panels=(shown,),
        seen="Without scaling float16 rounds many small gradients to 0; the larger the "
        "scale, the fewer.",
        controls=(underflows,),
    )


def exact_in_powers(seed: int) -> Measurement:
    """Change of gradients that float16 can hold, scaled and divided again."""
    rng = np.random.default_rng(seed)
    kept = _in_half(rng.normal(size=2000) * 1e-3)
    kept = kept[np.abs(kept) > 1e-4]  # above what float16 holds with fewer digits

    def change(scale: float) -> float:
        return float(np.abs(_in_half(kept * scale) / scale / kept - 1).max())

    scales = [256.0, 1000.0, 1024.0, 3000.0, 4096.0]
    changes = [change(scale) for scale in scales]
    shown = Bars(
        labels=[f"{scale:g}" for scale in scales],
        ys={"change": changes},
        x_label="scale of the loss",
        y_label="largest relative change of a gradient",
    )
    rounds = Control(changes[1] > 1e-5, "Any scale does as well.")
    return Measurement(
        measured=max(changes[0], changes[2], changes[4]),
        panels=(shown,),
        seen="Scales that are powers of two (256, 1024, 4096) change no digit; others "
        "round.",
        controls=(rounds,),
    )


def larger_is_better(seed: int) -> Measurement:
    """Share that float16 cannot hold at the largest scale: 0 or infinite."""
    exact = np.concatenate([_gradients(seed), 1e4 * _gradients(seed)])
    scales = 2.0 ** np.arange(0, 33, 4)
    zero = []
    infinite = []
    for scale in scales:
        held = _in_half(exact * scale)
        zero.append(float(np.mean(held == 0)))
        infinite.append(float(np.mean(np.isinf(held))))
    shown = Lines(
        x=scales,
        ys={"become 0": zero, "become infinite": infinite},
        x_label="scale of the loss",
        y_label="share of the gradients",
        log="x",
    )
    unusable = np.add(zero, infinite)
    helps = Control(bool(unusable.min() < 0.5 * unusable[0]), "No scale helps here.")
    return Measurement(
        measured=float(unusable[-1] - unusable.min()),
        panels=(shown,),
        seen="Up to some scale fewer gradients become 0; beyond it more and more "
        "become infinite, and the update must be skipped.",
        controls=(helps,),
    )


def bfloat16_needs_none(seed: int) -> Measurement:
    """Share of the same gradients that bfloat16 loses without any scaling."""
    exact = _gradients(seed)
    # A bfloat16 is the upper half of a float32; cut off here instead of rounded.
    bits = exact.astype(np.float32).view(np.uint32) & np.uint32(0xFFFF0000)
    in_bfloat16 = bits.view(np.float32)
    lost = {
        "float16": float(np.mean(_in_half(exact) == 0)),
        "bfloat16": float(np.mean(in_bfloat16 == 0)),
    }
    shown = Bars(
        labels=list(lost),
        ys={"lost": list(lost.values())},
        y_label="share of the gradients that become 0",
    )
    underflows = Control(lost["float16"] > 0.05, "float16 loses nothing either.")
    return Measurement(
        measured=lost["bfloat16"],
        panels=(shown,),
        seen="float16 loses many of the small gradients, bfloat16 none.",
        controls=(underflows,),
    )
