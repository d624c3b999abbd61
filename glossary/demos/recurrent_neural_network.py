"""Claims of *recurrent neural network*, in NumPy and on a tape."""

from __future__ import annotations

from functools import cache

import numpy as np

from glossary.lab import Control, Lines, Measurement, tape
from glossary.lab.data import Array
from glossary.lab.tape import Variable
from glossary.lab.training import fit, smooth

_SIZE = 8  # numbers in a state
_SHORT = 4
_LONG = 40
_UPDATES = 100


def _sizes(matrix: Array, start: Array, steps: int) -> Array:
    """Length of a gradient on its way back through each of the steps."""
    gradient = start
    lengths = []
    for _ in range(steps + 1):
        lengths.append(np.linalg.norm(gradient))
        gradient = matrix.T @ gradient
    return np.array(lengths)


def power(seed: int) -> Measurement:
    """Growth of a gradient for each step back, for three spectral radii."""
    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(32, 32))
    matrix /= abs(np.linalg.eigvals(matrix)).max()
    start = rng.normal(size=32)
    lengths = {
        f"{radius:g}": _sizes(radius * matrix, start, 200) for radius in (0.9, 1.0, 1.1)
    }
    growth = {name: (way[200] / way[50]) ** (1 / 150) for name, way in lengths.items()}
    orthogonal = np.linalg.qr(matrix)[0]
    kept = _sizes(orthogonal, start, 200)
    shown = Lines(
        x=range(0, 201, 5),
        ys={
            **{f"largest eigenvalue {name}": way[::5] for name, way in lengths.items()},
            "orthogonal matrix": kept[::5],
        },
        x_label="steps back in time",
        y_label="size of the gradient",
        log="y",
    )
    return Measurement(
        measured=np.log(growth["1.1"] / growth["0.9"]) / np.log(1.1 / 0.9),
        panels=(shown,),
        seen="Each step back multiplies the gradient by the largest eigenvalue: below "
        "1 it vanishes, above 1 it explodes.",
        controls=(
            Control(
                abs(kept[-1] / kept[0] - 1) < 1e-9, "An orthogonal matrix changes it."
            ),
            Control(
                abs(growth["1"] - 1) < 0.05, "A radius of 1 makes it grow or shrink."
            ),
        ),
    )


def _step(x: Array, h: Variable, ws: list[Variable]) -> Variable:
    """A plain recurrent net: the new state is made anew (Elman 1990)."""
    return tape.tanh(tape.concatenate([x, h]) @ ws[0])


def _gated_step(x: Array, h: Variable, ws: list[Variable]) -> Variable:
    """A gate says how much of the state is replaced (Cho 2014, without its reset)."""
    both = tape.concatenate([x, h])
    gate = tape.sigmoid(both @ ws[1] + ws[2])
    return h + gate * (tape.tanh(both @ ws[0]) - h)


@cache
def losses(seed: int, span: int, gated: bool) -> Array:
    """Loss of a net that is to tell, after noise, which sign it was shown at first."""
    rng = np.random.default_rng(seed)
    step = _gated_step if gated else _step
    inputs = _SIZE + 2
    ws = [
        Variable(rng.normal(0, 0.6 * inputs**-0.5, (inputs, _SIZE))),
        Variable(rng.normal(0, 0.6 * inputs**-0.5, (inputs, _SIZE))),
        Variable(np.full(_SIZE, -2.0)),
        Variable(rng.normal(0, _SIZE**-0.5, (_SIZE, 2))),
    ]

    def loss() -> Variable:
        sign = rng.integers(0, 2, 32)
        x = np.zeros((span, 32, 2))
        x[:, :, 0] = rng.normal(size=(span, 32))
        x[0, :, 0] = 2 * sign - 1
        x[0, :, 1] = 1  # a flag: this one counts
        h = Variable(np.zeros((32, _SIZE)))
        for row in x:
            h = step(row, h, ws)
        return tape.cross_entropy(h @ ws[3], sign)

    return fit(ws, loss, _UPDATES, 0.01)


def _learned(losses: Array) -> float:
    """Share of the one bit that is known at the end."""
    return float(1 - losses[-20:].mean() / np.log(2))


def far(seed: int) -> Measurement:
    """Share of the bit that a plain net recalls after 40 steps."""
    short = losses(seed, _SHORT, False)
    long = losses(seed, _LONG, False)
    x, shown_short = smooth(short, 10)
    shown = Lines(
        x=x,
        ys={f"{_SHORT} steps": shown_short, f"{_LONG} steps": smooth(long, 10)[1]},
        x_label="update",
        y_label="loss in nats",
        marks={"a guess": np.log(2)},
    )
    return Measurement(
        measured=_learned(long),
        panels=(shown,),
        seen="The net learns to recall a sign over 4 steps; over 40 steps its loss "
        "stays that of a guess.",
        controls=(Control(_learned(short) > 0.5, "It does not learn over 4 steps."),),
    )


def gate(seed: int) -> Measurement:
    """Loss of a gated net over that of a plain one, for 40 steps."""
    plain = losses(seed, _LONG, False)
    gated = losses(seed, _LONG, True)
    x, shown_plain = smooth(plain, 10)
    shown = Lines(
        x=x,
        ys={"plain": shown_plain, "gated": smooth(gated, 10)[1]},
        x_label="update",
        y_label="loss in nats",
        marks={"a guess": np.log(2)},
    )
    learned = _learned(losses(seed, _SHORT, False))
    return Measurement(
        measured=gated[-20:].mean() / plain[-20:].mean(),
        panels=(shown,),
        seen="Over the same 40 steps the gated net learns to recall the sign that the "
        "plain one has lost.",
        controls=(Control(learned > 0.5, "The plain net does not learn at all."),),
    )
