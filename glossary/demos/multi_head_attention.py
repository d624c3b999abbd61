"""Claims of *multi-head attention*, in NumPy and on a tape."""

from __future__ import annotations

from functools import cache

import numpy as np

from glossary.lab import Bars, Control, Lines, Measurement, tape
from glossary.lab.attention import attend_on_tape
from glossary.lab.data import Array
from glossary.lab.tape import Variable
from glossary.lab.training import fit, smooth

_PLACES = 8
_WIDTH = 16
_UPDATES = 150


def attend_with_heads(x: Array, ws: list[Variable], heads: int) -> Variable:
    """Each head attends in its own share of the width (Vaswani 2017, sec. 3.2.2).

    Args:
        x: Rows, shape (batch, places, inputs).
        ws: For queries, keys and values, shape (inputs, width); for the output.
        heads: How many.
    """
    batch, places, _ = x.shape

    def split(w: Variable) -> Variable:
        rows = tape.variable(x) @ w
        shape = (batch, places, heads, w.shape[1] // heads)
        return tape.swap(tape.reshape(rows, shape), 1, 2)

    read, _ = attend_on_tape(*(split(w) for w in ws[:3]))
    joined = tape.reshape(tape.swap(read, 1, 2), (batch, places, ws[2].shape[1]))
    return joined @ ws[3]


@cache
def errors(seed: int, heads: int) -> Array:
    """Squared error at each update, asked for the numbers of both neighbours.

    The places form a ring; each row holds its place and two numbers.
    """
    rng = np.random.default_rng(seed)
    inputs = _PLACES + 2
    ws = [Variable(rng.normal(0, 0.3, (inputs, _WIDTH))) for _ in range(3)]
    ws.append(Variable(rng.normal(0, 0.3, (_WIDTH, 4))))
    rings = np.broadcast_to(np.eye(_PLACES), (16, _PLACES, _PLACES))

    def loss() -> Variable:
        numbers = rng.normal(size=(16, _PLACES, 2))
        neighbours = [np.roll(numbers, way, axis=1) for way in (1, -1)]
        x = np.concatenate([numbers, rings], axis=2)
        wrong = attend_with_heads(x, ws, heads) - np.concatenate(neighbours, axis=2)
        return tape.mean(wrong * wrong)

    return fit(ws, loss, _UPDATES, 0.05)


def _ways(seed: int, counts: tuple[int, ...]) -> tuple[Lines, list[float]]:
    ways = {}
    for heads in counts:
        name = "1 head" if heads == 1 else f"{heads} heads"
        x, ways[name] = smooth(errors(seed, heads), 10)
    shown = Lines(
        x=x, ys=ways, x_label="update", y_label="squared error", log="y",
        marks={"nothing learned": 1.0},
    )  # fmt: skip
    return shown, [float(way[-1]) for way in ways.values()]


def two_places(seed: int) -> Measurement:
    """Error of two heads over that of one as wide as both."""
    shown, (one, two) = _ways(seed, (1, 2))
    return Measurement(
        measured=two / one,
        panels=(shown,),
        seen="Two heads learn to give the numbers of both neighbours; one head, as "
        "wide as both together, can only mix them.",
        controls=(Control(one < 0.95, "One head learns nothing at all."),),
    )


def more_heads(seed: int) -> Measurement:
    """Error of sixteen heads over that of two, at the same width in all."""
    shown, (one, two, many) = _ways(seed, (1, 2, 16))
    return Measurement(
        measured=many / two,
        panels=(shown,),
        seen="The task needs two heads; sixteen heads of one number each do worse "
        "than two heads of eight.",
        controls=(Control(two < 0.5 * one, "Two heads do no better than one either."),),
    )


def new_weights(
    rng: np.random.Generator, width: int, heads: int, size: int
) -> list[Variable]:
    """For queries, keys and values of heads of this size, and for the output."""
    ws = [Variable(rng.normal(0, 0.1, (width, heads * size))) for _ in range(3)]
    return [*ws, Variable(rng.normal(0, 0.1, (heads * size, width)))]


def same_weights(seed: int) -> Measurement:
    """Weights of eight heads over those of one, at the same width in all."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(1, 4, 64))
    counts = {}
    for heads, size in ((1, 64), (8, 8), (8, 64)):
        ws = new_weights(rng, 64, heads, size)
        attend_with_heads(x, ws, heads)  # the shapes fit
        name = f"{heads} head{'s' if heads > 1 else ''} of {size}"
        counts[name] = sum(w.value.size for w in ws)
    shown = Bars(
        labels=list(counts), ys={"weights": counts.values()}, y_label="weights"
    )
    one, eight, wide = counts.values()
    return Measurement(
        measured=eight / one,
        panels=(shown,),
        seen="Eight heads that share the width have as many weights as one head; eight "
        "heads of the full width have eight times as many.",
        controls=(Control(wide == 8 * one, "Heads of the full width cost no more."),),
    )
