"""Claims of *self-attention*, in NumPy."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from glossary.lab import Control, Lines, Measurement
from glossary.lab.attention import attend
from glossary.lab.data import Array
from glossary.lab.nets import counted


def self_attend(x: Array, ws: Array) -> Array:
    """Attention whose queries, keys and values come from the same rows."""
    return attend(x @ ws[0], x @ ws[1], x @ ws[2])[0]


def _convolve(x: Array, kernel: Array) -> Array:
    """Each output row from the input rows around it, with zeros at both ends."""
    beyond = len(kernel) // 2
    padded = np.pad(x, ((beyond, beyond), (0, 0)))
    windows = sliding_window_view(padded, len(kernel), axis=0)
    output: Array = np.einsum("nik,kio->no", windows, kernel)
    return output


def reach(seed: int) -> Measurement:
    """Share of the outputs that one changed input changes, in a single layer."""
    rng = np.random.default_rng(seed)
    ws = rng.normal(0, 0.25, (3, 16, 16))
    kernel = rng.normal(0, 1 / 12, (9, 16, 16))
    x = rng.normal(size=(32, 16))
    changed = x.copy()
    changed[0] = rng.normal(size=16)
    changes = {
        "self-attention": self_attend(changed, ws) - self_attend(x, ws),
        "convolution of width 9": _convolve(changed, kernel) - _convolve(x, kernel),
    }
    sizes = {name: np.linalg.norm(rows, axis=1) for name, rows in changes.items()}
    shares = {name: float((size > 1e-9).mean()) for name, size in sizes.items()}
    shown = Lines(
        x=range(32),
        # Where nothing changes, a logarithmic axis has no place: a gap.
        ys={n: np.where(size > 0, size, np.nan) for n, size in sizes.items()},
        x_label="positions away from the changed input",
        y_label="change of the output",
        log="y",
    )
    return Measurement(
        measured=shares["self-attention"],
        panels=(shown,),
        seen="One layer of self-attention carries a change to all positions; a "
        "convolution of width 9 carries it four positions on, and no further.",
        controls=(
            Control(
                shares["convolution of width 9"] < 0.2, "A convolution reaches as far."
            ),
        ),
    )


def nonlinear(seed: int) -> Measurement:
    """How far twice the input is from giving twice the output."""
    rng = np.random.default_rng(seed)
    ws = rng.normal(0, 0.25, (3, 16, 16))
    kernel = rng.normal(0, 1 / 12, (9, 16, 16))
    x = rng.normal(size=(32, 16))
    factors = 2.0 ** np.arange(-3, 4)

    def apart(outputs: Array, scaled: Array) -> float:
        return float(np.linalg.norm(scaled - outputs) / np.linalg.norm(outputs))

    attended = self_attend(x, ws)
    convolved = _convolve(x, kernel)
    deviations = {
        "self-attention": [
            apart(attended, self_attend(f * x, ws) / f) for f in factors
        ],
        "convolution": [
            apart(convolved, _convolve(f * x, kernel) / f) for f in factors
        ],
    }
    shown = Lines(
        x=factors,
        ys=deviations,
        x_label="factor of the input",
        y_label="deviation from that factor in the output",
        log="x",
    )
    return Measurement(
        measured=deviations["self-attention"][4],
        panels=(shown,),
        seen="A convolution passes any factor of its input on; self-attention does "
        "not, since the input sets the weights as well.",
        controls=(
            Control(
                max(deviations["convolution"]) < 1e-9, "A convolution is not linear."
            ),
        ),
    )


_WIDTH = 32


def _attention_products(length: int, projections: bool) -> int:
    """Multiplications of a layer, with or without making queries, keys and values."""
    ws = np.ones((4, _WIDTH, _WIDTH))
    x = counted(np.ones((length, _WIDTH)))
    if not projections:
        attend(x, x, x)
        return x.tally["work"]
    read, _ = attend(x @ ws[0], x @ ws[1], x @ ws[2])
    read @ ws[3]  # only counted
    return x.tally["work"]


def _recurrent_products(length: int) -> int:
    """Multiplications of a plain recurrent layer, one position after another."""
    x = counted(np.ones((length, _WIDTH)))
    state = counted(np.ones(_WIDTH))
    state.tally = x.tally
    for row in x:
        state = np.tanh(
            row @ np.ones((_WIDTH, _WIDTH)) + state @ np.ones((_WIDTH, _WIDTH))
        )
    return x.tally["work"]


def cheaper(seed: int) -> Measurement:
    """Products of self-attention over those of a recurrent layer, at a short length."""
    del seed  # nothing is drawn: products are counted
    lengths = [_WIDTH // 8 * 2**n for n in range(7)]
    recurrent = np.array([_recurrent_products(length) for length in lengths])
    whole = np.array([_attention_products(length, True) for length in lengths])
    bare = np.array([_attention_products(length, False) for length in lengths])
    shown = Lines(
        x=np.array(lengths) / _WIDTH,
        ys={
            "whole layer": whole / recurrent,
            "scores and means only": bare / recurrent,
        },
        x_label="length over width",
        y_label="products over those of a recurrent layer",
        log="xy",
        marks={"as many": 1.0},
    )
    short = lengths.index(_WIDTH // 4)
    return Measurement(
        measured=whole[short] / recurrent[short],
        panels=(shown,),
        seen="Scores and means alone take fewer products than a recurrent layer in "
        "short sequences; the whole layer, with its projections, never does.",
        controls=(
            Control(
                bare[short] < recurrent[short],
                "Scores and means alone are not cheaper.",
            ),
        ),
    )
