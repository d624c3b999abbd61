"""Claims of *embedding*, in NumPy and on a tape."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np

from glossary.lab import Bars, Control, Lines, Measurement, tape
from glossary.lab.data import Array, Labels, text
from glossary.lab.tape import Variable
from glossary.lab.training import fit


def look_up(table: Array, ids: Labels) -> Array:
    """The row of the table for each id."""
    rows: Array = table[ids]
    return rows


def one_hot(seed: int) -> Measurement:
    """Rows looked up, against a one-hot row times the table."""
    rng = np.random.default_rng(seed)
    table = rng.normal(size=(50, 16))
    ids = rng.integers(0, 50, 12)
    hot = np.zeros((12, 50))
    hot[np.arange(12), ids] = 1.0
    found = look_up(table, ids)
    apart = abs(found - hot @ table).max()
    shifted = abs(found - np.roll(hot, 1, axis=1) @ table).max()
    # One draw is drawn for all seeds: ten on top of each other would show nothing.
    drawn = np.random.default_rng(0).normal(size=(50, 16))
    curves = Lines(
        x=range(16),
        ys={
            "looked up": look_up(drawn, np.array([7]))[0],
            "one-hot row times the table": np.eye(50)[7] @ drawn,
        },
        x_label="place in the vector",
        y_label="vector of one word",
    )
    products = Bars(
        labels=["look-up", "product"],
        ys={"multiplications": [0, hot.size * 16]},
        y_label="multiplications for 12 words",
    )
    return Measurement(
        measured=apart,
        panels=(curves, products),
        seen="Looking a row up gives the same vector as multiplying a one-hot row by "
        "the table, without a multiplication.",
        controls=(Control(shifted > 0.1, "One-hot rows of other words do the same."),),
    )


def rows(seed: int) -> Measurement:
    """Rows with a gradient that belong to no word of the batch."""
    rng = np.random.default_rng(seed)
    table = Variable(rng.normal(size=(40, 8)))
    out = Variable(rng.normal(0, 0.3, (8, 40)))
    ids = rng.permutation(40)[:10]
    loss = tape.cross_entropy(table[ids] @ out, rng.integers(0, 40, 10))
    tape.backward(loss)
    sizes = {
        "embedding": np.linalg.norm(table.grad, axis=1),
        "softmax layer": np.linalg.norm(out.grad, axis=0),
    }
    absent = np.setdiff1d(np.arange(40), ids)
    shown = Bars(
        labels=["in the batch", "not in it"],
        ys={n: [size[ids].mean(), size[absent].mean()] for n, size in sizes.items()},
        x_label="words",
        y_label="mean size of the gradient of a word's weights",
    )
    return Measurement(
        measured=(sizes["embedding"][absent] != 0).sum(),
        panels=(shown,),
        seen="In an embedding only the words of the batch get a gradient; in a "
        "softmax layer all words do.",
        controls=(
            Control(
                (sizes["softmax layer"][absent] > 0).all(),
                "In a dense layer absent words get none either.",
            ),
        ),
    )


_SPLIT = 12


def _pairs_of_names(rng: np.random.Generator) -> tuple[Array, int]:
    """Counts of neighbours, where frequent words got one of two names at random.

    Returns:
        How often each word stands within two places of each other, and how many
        words there are. The names of the k-th split word are 2k and 2k + 1.
    """
    words = re.findall(r"[a-z]+", text().lower())
    counts = Counter(words)
    ranked = [word for word, count in counts.most_common() if count >= 4]
    numbers = {word: number for number, word in enumerate(ranked)}
    ids = []
    for word in words:
        if word in numbers:
            number = numbers[word]
            split = number < _SPLIT
            ids.append(2 * number + int(rng.integers(2)) if split else _SPLIT + number)
    total = len(ranked) + _SPLIT
    near = np.zeros((total, total))
    for distance in (1, 2):
        np.add.at(near, (ids[distance:], ids[:-distance]), 1.0)
        np.add.at(near, (ids[:-distance], ids[distance:]), 1.0)
    return near, total


def _ranks(vectors: Array) -> Array:
    """Among all words by cosine, the place of each split word's other name."""
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = unit @ unit.T
    np.fill_diagonal(cosines, -np.inf)
    names = np.arange(2 * _SPLIT)
    others = cosines[names, names ^ 1]
    ranks: Array = 1.0 + (cosines[names] > others[:, None]).sum(1)
    return ranks


def context(seed: int) -> Measurement:
    """Rank of a word's other name among the neighbours of its trained vector."""
    rng = np.random.default_rng(seed)
    near, total = _pairs_of_names(rng)
    share = near / near.sum()
    table = Variable(rng.normal(0, 0.1, (total, 16)))
    contexts = Variable(rng.normal(0, 0.1, (16, total)))
    start = _ranks(table.value)

    def loss() -> Variable:
        """Cross-entropy of the neighbours of each word (skip-gram, Mikolov 2013)."""
        chances = tape.softmax(table @ contexts)
        return -tape.total(tape.log(chances) * share)

    fit([table, contexts], loss, 60, 0.1)
    end = _ranks(table.value)
    shown = Lines(
        x=range(1, 2 * _SPLIT + 1),
        ys={"trained": np.sort(end), "at the start": np.sort(start)},
        x_label="words with two names, sorted by rank",
        y_label="rank of the other name among all words",
        log="y",
    )
    return Measurement(
        measured=np.median(start) / np.median(end),
        panels=(shown,),
        seen="After training, the vector of a word's other name is among the nearest "
        "of all words; at the start it is anywhere.",
        controls=(
            Control(
                bool(np.median(start) > total / 5), "The names are near at the start."
            ),
        ),
    )
