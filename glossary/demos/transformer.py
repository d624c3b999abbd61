"""Claims of *Transformer*: one block in NumPy, with the norm before each part."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from glossary.lab import Bars, Control, Lines, Measurement
from glossary.lab.attention import attend
from glossary.lab.data import Array
from glossary.lab.nets import counted


class Block(NamedTuple):
    """Weights of a block: of attention, and of the feed-forward layers."""

    query: Array
    key: Array
    value: Array
    output: Array
    widen: Array
    narrow: Array


def new_block(rng: np.random.Generator, width: int, factor: int = 4) -> Block:
    """Normal weights; the feed-forward layers are ``factor`` times as wide inside."""
    square = rng.normal(0, width**-0.5, (4, width, width))
    widen = rng.normal(0, width**-0.5, (width, factor * width))
    narrow = rng.normal(0, (factor * width) ** -0.5, (factor * width, width))
    query, key, value, output = square
    return Block(query, key, value, output, widen, narrow)


def _normal(x: Array) -> Array:
    """Each row with mean 0 and variance 1 (layer normalization)."""
    rows: Array = (x - x.mean(1, keepdims=True)) / x.std(1, keepdims=True)
    return rows


def attention(x: Array, block: Block, allowed: Array | None = None) -> Array:
    """Self-attention with one head."""
    read, _ = attend(x @ block.query, x @ block.key, x @ block.value, allowed)
    return read @ block.output


def feed_forward(x: Array, block: Block) -> Array:
    """Two dense layers, the same for each position."""
    return np.maximum(x @ block.widen, 0.0) @ block.narrow


def apply(
    x: Array, block: Block, allowed: Array | None = None, residual: float = 1.0
) -> Array:
    """Output of a block; with ``residual`` 0 its input is not added."""
    x = residual * x + attention(_normal(x), block, allowed)
    return residual * x + feed_forward(_normal(x), block)


def earlier_only(length: int) -> Array:
    """The causal mask: 1 where a row may see a column, itself and what is before."""
    return np.tril(np.ones((length, length)))


def causal(seed: int) -> Measurement:
    """Change of the outputs before a position whose input is changed."""
    rng = np.random.default_rng(seed)
    blocks = [new_block(rng, 16) for _ in range(2)]
    x = rng.normal(size=(24, 16))
    changed = x.copy()
    changed[12] = rng.normal(size=16)
    changes = {}
    for name, allowed in (("causal mask", earlier_only(24)), ("no mask", None)):
        outputs = []
        for rows in (x, changed):
            for block in blocks:
                rows = apply(rows, block, allowed)
            outputs.append(rows)
        changes[name] = np.linalg.norm(outputs[1] - outputs[0], axis=1)
    shown = Lines(
        x=range(24),
        ys=changes,
        x_label="position (the input at 12 is changed)",
        y_label="change of the output",
    )
    before = changes["no mask"][:12]
    return Measurement(
        measured=changes["causal mask"][:12].max(),
        panels=(shown,),
        seen="With the mask a changed input changes outputs from its own position on; "
        "without it, all outputs.",
        controls=(
            Control(
                before.min() > 1e-3, "Without a mask earlier outputs stay as well."
            ),
        ),
    )


def attention_share(seed: int) -> Measurement:
    """Share of the weights of a block that is in its attention."""
    rng = np.random.default_rng(seed)
    shares = {}
    for factor in (1, 2, 4, 8):
        block = new_block(rng, 64, factor)
        sizes = [w.size for w in block]
        shares[factor] = sum(sizes[:4]) / sum(sizes)
    shown = Bars(
        labels=[f"{factor} times" for factor in shares],
        ys={
            "attention": shares.values(),
            "feed-forward": [1 - share for share in shares.values()],
        },
        x_label="width inside the feed-forward layers, over the model's",
        y_label="share of the weights",
        marks={"half": 0.5},
    )
    return Measurement(
        measured=shares[4],
        panels=(shown,),
        seen="With the usual factor of 4, attention has a third of the weights; the "
        "feed-forward layers have two thirds.",
        controls=(
            Control(
                shares[1] > 0.5, "Narrow feed-forward layers have the most as well."
            ),
        ),
    )


def _apart(x: Array) -> float:
    """How far the rows differ from their mean, as a share of their size."""
    return float(np.linalg.norm(x - x.mean(0)) / np.linalg.norm(x))


def residual(seed: int) -> Measurement:
    """How different positions still are after 4 blocks, with residuals over without."""
    rng = np.random.default_rng(seed)
    blocks = [new_block(rng, 32) for _ in range(4)]
    start = rng.normal(size=(24, 32))
    ways = {}
    for name, added in (("with residual connections", 1.0), ("without", 0.0)):
        x = start
        ways[name] = [_apart(x)]
        for block in blocks:
            x = apply(x, block, residual=added)
            ways[name].append(_apart(x))
    dense = start
    for block in blocks:
        dense = feed_forward(_normal(dense), block)
    shown = Lines(
        x=range(5),
        ys=ways,
        x_label="blocks",
        y_label="difference between positions, as a share of their size",
        log="y",
    )
    return Measurement(
        measured=ways["with residual connections"][-1] / ways["without"][-1],
        panels=(shown,),
        seen="Without residual connections the outputs at all positions become alike; "
        "with them they stay different.",
        controls=(
            Control(
                _apart(dense) > 0.2, "Positions become alike without attention too."
            ),
        ),
    )


def _products(length: int, width: int) -> int:
    """Multiplications in the matrix products of a block."""
    x = counted(np.ones((length, width)))
    block = new_block(np.random.default_rng(0), width)
    attention(x, block)
    feed_forward(x, block)
    return x.tally["work"]


def square(seed: int) -> Measurement:
    """Growth of the products for twice the length, as a power of two."""
    del seed  # nothing is drawn: products are counted
    width = 16
    lengths = [width // 4 * 2**n for n in range(9)]
    products = [_products(length, width) for length in lengths]
    powers = np.log2(np.array(products[1:]) / products[:-1])
    relative = np.array(lengths[:-1]) / width
    shown = Lines(
        x=relative,
        ys={"a whole block": powers},
        x_label="length over the width of the model",
        y_label="growth for twice the length, as a power of two",
        log="x",
        marks={"linear": 1.0, "square": 2.0},
    )
    return Measurement(
        measured=powers[list(relative).index(1.0)],
        panels=(shown,),
        seen="Up to lengths of a few times the width the cost grows in proportion to "
        "the length; only far beyond does it grow with the square.",
        controls=(Control(powers[-1] > 1.8, "It never grows with the square."),),
    )
