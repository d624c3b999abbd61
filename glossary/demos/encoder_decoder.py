"""Claims of *encoder-decoder*: nets that read a row of symbols and write it anew.

The whole row is written at once, which needs no recurrence: what is lost between the
two halves is then lost in the code, and nowhere else.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from glossary.lab import Control, Lines, Measurement, tape
from glossary.lab.attention import attend_on_tape
from glossary.lab.data import Array
from glossary.lab.tape import Variable
from glossary.lab.training import fit

_SYMBOLS = 4
_LENGTHS = (2, 4, 8, 16, 24)
_UPDATES = 120


def through_code(rows: Array, ws: list[Variable]) -> Variable:
    """Scores for each symbol, from one code of fixed size (Sutskever 2014)."""
    batch, length, _ = rows.shape
    code = tape.tanh(tape.variable(rows.reshape(batch, -1)) @ ws[0])
    return tape.reshape(code @ ws[1], (batch, length, _SYMBOLS))


def through_attention(rows: Array, ws: list[Variable]) -> Variable:
    """Scores for each symbol, from the states that the decoder attends to.

    The encoder keeps a state for each symbol (Bahdanau 2014, sec. 3.1).
    """
    symbols, places, queries, out = ws
    states = tape.variable(rows) @ symbols + places
    read, _ = attend_on_tape(queries, states, states)
    return read @ out


def _normal(rng: np.random.Generator, *shape: int) -> Variable:
    return Variable(rng.normal(0, shape[0] ** -0.5, shape))


@cache
def loss_at(seed: int, length: int, size: int, attends: bool) -> float:
    """Loss for a symbol in nats, after training on rows of one length.

    Args:
        seed: Of weights and rows.
        length: Symbols in a row.
        size: Numbers in the code, or in each state.
        attends: Whether the decoder sees the encoder's states.
    """
    rng = np.random.default_rng(seed)
    if attends:
        net = through_attention
        ws = [
            _normal(rng, _SYMBOLS, size),
            _normal(rng, length, size),
            _normal(rng, length, size),
            _normal(rng, size, _SYMBOLS),
        ]
    else:
        net = through_code
        ws = [
            _normal(rng, length * _SYMBOLS, size),
            _normal(rng, size, length * _SYMBOLS),
        ]

    def loss() -> Variable:
        labels = rng.integers(0, _SYMBOLS, (32, length))
        scores = net(np.eye(_SYMBOLS)[labels], ws)
        return tape.cross_entropy(
            tape.reshape(scores, (32 * length, _SYMBOLS)), labels.ravel()
        )

    return float(fit(ws, loss, _UPDATES, 0.1)[-20:].mean())


def _over_lengths(seed: int, size: int, attends: bool) -> list[float]:
    return [loss_at(seed, length, size, attends) for length in _LENGTHS]


_GUESS = float(np.log(_SYMBOLS))


def fixed_code(seed: int) -> Measurement:
    """Share of 24 symbols that is lost in a code of 8 numbers."""
    lost = np.array(_over_lengths(seed, 8, False)) / _GUESS
    shown = Lines(
        x=_LENGTHS,
        ys={"code of 8 numbers": lost},
        x_label="symbols in the input",
        y_label="loss for a symbol, over that of a guess",
        marks={"a guess": 1.0},
    )
    return Measurement(
        measured=lost[-1],
        panels=(shown,),
        seen="Four symbols go through a code of eight numbers unharmed; of "
        "twenty-four nearly everything is lost.",
        controls=(Control(lost[1] < 0.2, "Four symbols are lost as well."),),
    )


def attends(seed: int) -> Measurement:
    """Loss with attention over that with a code of fixed size, for 24 symbols."""
    through = {
        "code of 8 numbers": _over_lengths(seed, 8, False),
        "attention to states of 8 numbers": _over_lengths(seed, 8, True),
    }
    code, attention = through.values()
    shown = Lines(
        x=_LENGTHS,
        ys=through,
        x_label="symbols in the input",
        y_label="loss for a symbol in nats",
        marks={"a guess": _GUESS},
    )
    return Measurement(
        measured=attention[-1] / code[-1],
        panels=(shown,),
        seen="With one code for the whole input the loss grows with the length; with "
        "attention to a state for each symbol it stays near 0.",
        controls=(
            Control(code[1] < 0.2 * _GUESS, "The code fails for four symbols as well."),
        ),
    )


def code_size(seed: int) -> Measurement:
    """Symbols that go through a code of 16 numbers, over those through one of 4."""
    carried = {}
    for size in (4, 8, 16):
        lost = np.array(_over_lengths(seed, size, False)) / _GUESS
        carried[f"code of {size}"] = np.array(_LENGTHS) * (1 - lost)
    shown = Lines(
        x=_LENGTHS,
        ys=carried,
        x_label="symbols in the input",
        y_label="symbols carried (length times share not lost)",
    )
    most = [float(way.max()) for way in carried.values()]
    return Measurement(
        measured=most[2] / most[0],
        panels=(shown,),
        seen="Each code carries all symbols up to a limit that grows with its size, "
        "and fewer beyond it.",
        controls=(
            Control(carried["code of 4"][0] > 1.5, "The small code carries nothing."),
        ),
    )
