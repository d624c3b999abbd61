"""A small net that was trained on one task, and another task to adapt it to."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import pairwise

import numpy as np

from glossary.lab import tape
from glossary.lab.data import Array, Labels, Split, digits_split
from glossary.lab.tape import Variable
from glossary.lab.training import fit

_WIDTHS = (64, 48, 48, 5)


def task(seed: int, first: int) -> Split:
    """The five digits from ``first`` on, with labels from 0 to 4."""
    split = digits_split(seed)
    train = (split.train_y >= first) & (split.train_y < first + 5)
    test = (split.test_y >= first) & (split.test_y < first + 5)
    return Split(
        split.train_x[train],
        split.train_y[train] - first,
        split.test_x[test],
        split.test_y[test] - first,
    )


def scores(x: Array, ws: Sequence[Variable]) -> Variable:
    """Output of three dense layers, given as matrix, bias, matrix, ..., with ReLU."""
    out = tape.variable(x)
    for place in range(0, len(ws), 2):
        out = out @ ws[place] + ws[place + 1]
        if place < len(ws) - 2:
            out = tape.relu(out)
    return out


def train_on(
    rng: np.random.Generator,
    trained: Sequence[Variable],
    ws: Sequence[Variable],
    x: Array,
    y: Labels,
    updates: int,
) -> None:
    """Adam with a learning rate of 0.005 on some of the weights of the net."""

    def loss() -> Variable:
        rows = rng.integers(0, len(x), 32)
        return tape.cross_entropy(scores(x[rows], ws), y[rows])

    fit(trained, loss, updates, 0.005)


@cache
def _trained(seed: int) -> tuple[Array, ...]:
    rng = np.random.default_rng(seed)
    ws = []
    for inputs, outputs in pairwise(_WIDTHS):
        ws.append(Variable(rng.normal(0, (2 / inputs) ** 0.5, (inputs, outputs))))
        ws.append(Variable(np.zeros(outputs)))
    old = task(seed, 0)
    train_on(rng, ws, ws, old.train_x, old.train_y, 200)
    return tuple(w.value for w in ws)


def base(seed: int) -> list[Variable]:
    """Fresh copies of the weights of a net that knows the digits 0 to 4."""
    return [Variable(value.copy()) for value in _trained(seed)]


def errors(x: Array, y: Labels, ws: Sequence[Variable]) -> float:
    """Share of wrong answers."""
    return float((scores(x, ws).value.argmax(1) != y).mean())
