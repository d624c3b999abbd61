"""Claims of *positional encoding*: sinusoids (Vaswani 2017, sec. 3.5)."""

from __future__ import annotations

import numpy as np

from glossary.lab import Control, Lines, Measurement, tape
from glossary.lab.attention import attend_on_tape
from glossary.lab.data import Array
from glossary.lab.tape import Variable
from glossary.lab.training import fit, smooth


def sinusoids(length: int, size: int) -> Array:
    """Sine and cosine at wavelengths from 2 pi to almost 10000 * 2 pi.

    PE(p, 2i) = sin(p / 10000^(2i/d)), PE(p, 2i+1) = cos of the same.
    """
    angles = np.arange(length)[:, None] / 10000 ** (np.arange(0, size, 2) / size)
    return np.stack([np.sin(angles), np.cos(angles)], axis=2).reshape(length, size)


def offset(seed: int) -> Measurement:
    """Spread of the dot product over all pairs of positions with the same offset."""
    rng = np.random.default_rng(seed)
    fixed = sinusoids(64, 32)
    drawn = rng.normal(0, 0.5**0.5, (64, 32))  # as a learned encoding starts
    products = {
        "sinusoids": fixed @ fixed.T / 16,
        "random vectors": drawn @ drawn.T / 16,
    }
    spreads = {
        name: max(float(np.ptp(np.diagonal(table, k))) for k in range(40))
        for name, table in products.items()
    }
    panels = tuple(
        Lines(
            x=range(25),
            ys={
                f"from position {first}": table[first, first : first + 25]
                for first in (0, 13, 37)
            },
            x_label="offset",
            y_label="dot product over its largest",
            title=name,
        )
        for name, table in products.items()
    )
    return Measurement(
        measured=spreads["sinusoids"],
        panels=panels,
        seen="The dot product of two sinusoidal encodings is the same wherever the "
        "pair stands; of random vectors it is not.",
        controls=(
            Control(
                spreads["random vectors"] > 0.1, "Of random vectors it is as well."
            ),
        ),
    )


def rotation(steps: int, size: int) -> Array:
    """The matrix that moves every sinusoidal encoding on by the same number of steps.

    Each pair of sine and cosine is turned by its own angle, as cos(a + b) says.
    """
    matrix = np.zeros((size, size))
    for i in range(0, size, 2):
        angle = steps / 10000 ** (i / size)
        turn = [[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]
        matrix[i : i + 2, i : i + 2] = turn
    return matrix


def shift(seed: int) -> Measurement:
    """Error of one matrix that moves all encodings on by five positions."""
    rng = np.random.default_rng(seed)
    fixed = sinusoids(128, 32)
    drawn = rng.normal(0, 0.5**0.5, (128, 32))
    # No matrix does better than that of least squares.
    best = np.linalg.lstsq(drawn[:-5], drawn[5:], rcond=None)[0]
    # Four is the length of every sinusoidal encoding of 32 numbers.
    errors = {
        "sinusoids": fixed[:-5] @ rotation(5, 32).T - fixed[5:],
        "random vectors": drawn[:-5] @ best - drawn[5:],
    }
    sizes = {name: np.linalg.norm(rows, axis=1) / 4 for name, rows in errors.items()}
    shown = Lines(
        x=range(123),
        ys=sizes,
        x_label="position",
        y_label="error of the moved encoding, over its size",
    )
    return Measurement(
        measured=sizes["sinusoids"].max(),
        panels=(shown,),
        seen="One matrix moves every sinusoidal encoding on by five positions without "
        "an error; for random vectors even the best matrix fails.",
        controls=(
            Control(
                sizes["random vectors"].mean() > 0.1, "Random vectors are moved too."
            ),
        ),
    )


def order(seed: int) -> Measurement:
    """Loss with positions over that without, asked for the symbol that stands first."""
    rng = np.random.default_rng(seed)
    symbols = np.eye(4)
    losses = {}
    for name, table in (
        ("with positions", sinusoids(8, 8)),
        ("without", np.zeros((8, 8))),
    ):
        ws = [
            Variable(rng.normal(0, 0.3, (12, 8))),
            Variable(rng.normal(0, 0.3, (12, 8))),
            Variable(rng.normal(0, 0.3, (12, 4))),
        ]
        places = np.broadcast_to(table, (64, 8, 8))

        def loss(ws: list[Variable] = ws, places: Array = places) -> Variable:
            rows = rng.integers(0, 4, (64, 8))
            x = tape.variable(np.concatenate([symbols[rows], places], axis=2))
            read, _ = attend_on_tape(x @ ws[0], x @ ws[1], x @ ws[2])
            return tape.cross_entropy(tape.mean(read, axis=1), rows[:, 0])

        x, losses[name] = smooth(fit(ws, loss, 150, 0.05), 10)
    shown = Lines(
        x=x,
        ys=losses,
        x_label="update",
        y_label="loss in nats",
        marks={"a guess": np.log(4)},
    )
    return Measurement(
        measured=losses["with positions"][-1] / losses["without"][-1],
        panels=(shown,),
        seen="Told the positions, attention learns which symbol stands first; without "
        "them it can only guess among those that are there.",
        controls=(
            Control(
                losses["without"][-1] > 0.8, "Without positions it is learned too."
            ),
        ),
    )


_TRAINED = 16


def longer(seed: int) -> Measurement:
    """Error in sequences of 64 over that at the length of training, 16.

    The task: at each position, give the number of the position before.
    """
    rng = np.random.default_rng(seed)
    size = 16
    table = sinusoids(64, size)
    ws = [Variable(rng.normal(0, 0.3, (size, size))) for _ in range(2)]

    def error(length: int, batch: int) -> Variable:
        values = rng.normal(size=(batch, length, 1))
        places = tape.variable(table[:length])
        read, _ = attend_on_tape(places @ ws[0], places @ ws[1], tape.variable(values))
        wrong = read[:, 1:] - values[:, :-1]
        return tape.mean(wrong * wrong)

    fit(ws, lambda: error(_TRAINED, 16), 300, 0.02)
    lengths = [8, 16, 24, 32, 48, 64]
    errors = [float(error(length, 200).value) for length in lengths]
    shown = Lines(
        x=lengths,
        ys={"sinusoids": errors},
        x_label="length (trained at 16)",
        y_label="squared error",
        marks={"a guess": 1.0},
    )
    return Measurement(
        measured=errors[-1] / errors[1],
        panels=(shown,),
        seen="At the length of training the error is small; in longer sequences it "
        "grows.",
        controls=(
            Control(errors[1] < 0.2, "It is not learned at the length of training."),
        ),
    )
