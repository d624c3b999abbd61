"""Whether attention weights explain an output: a small model, trained on digits.

Jain and Wallace (2019) look for other weights that give the same output; Wiegreffe and
Pinter (2019) answer that it depends on the task and on what is called an explanation.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numpy as np

from glossary.lab import Bars, Control, Measurement, tape
from glossary.lab.data import Array, digits
from glossary.lab.nets import softmax
from glossary.lab.steps import adam, slots_for

IMAGES = 8
CLASSES = 5
FEATURES = 16
UPDATES = 150
#: Largest total variation distance at which two outputs count as the same.
SAME = 0.05


class Model(NamedTuple):
    """Weights of the model: scores, values, and output."""

    keys: Array
    query: Array
    values: Array
    output: Array


class Attended(NamedTuple):
    """Weights for the images of each row, and what each image votes for."""

    weights: Array
    votes: Array


def _rows(rng: Any, count: int, images: Any, relevant: int) -> tuple[Array, Any]:
    """Rows of eight images: some show one of the digits 0 to 4, the rest 5 to 9.

    Returns:
        The rows, and which of 0 to 4 each of them holds.
    """
    x, y = digits()
    labels = rng.integers(0, CLASSES, count)
    chosen = rng.choice(images[y[images] >= CLASSES], (count, IMAGES))
    for row, label in zip(chosen, labels, strict=True):
        row[:relevant] = rng.choice(images[y[images] == label], relevant)
        rng.shuffle(row)
    return x[chosen] - 0.3, labels


def _run(ws: Any, rows: Array) -> tuple[Any, Any, Any]:
    """Weights, values and class scores of each row, as variables of the tape."""
    keys, query, values, output = ws
    scores = tape.tanh(tape.variable(rows) @ keys) @ query
    weights = tape.softmax(tape.reshape(scores, rows.shape[:2]))
    value = tape.tanh(tape.variable(rows) @ values)
    mean = tape.total(tape.reshape(weights, (*rows.shape[:2], 1)) * value, axis=1)
    return weights, value, mean @ output


@cache
def _attended(seed: int, relevant: int) -> Attended:
    """What the trained model does with 200 new rows.

    Args:
        seed: Of rows and weights.
        relevant: How many of the eight images show the class that is asked for.
    """
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(digits()[0]))
    ws = Model(
        keys=rng.normal(0, 0.125, (64, FEATURES)),
        query=rng.normal(0, 0.1, (FEATURES, 1)),
        values=rng.normal(0, 0.25, (64, FEATURES)),
        output=rng.normal(0, 0.25, (FEATURES, CLASSES)),
    )
    slots = slots_for(ws, each=2)
    rows, labels = _rows(rng, 600, order[:1200], relevant)
    new_rows, _ = _rows(rng, 200, order[1200:], relevant)
    for step in range(1, UPDATES + 1):
        some = rng.choice(600, 100, replace=False)
        variables = [tape.variable(w) for w in ws]
        loss = tape.cross_entropy(_run(variables, rows[some])[2], labels[some])
        tape.backward(loss)
        adam(ws, slots, [w.grad for w in variables], step, 0.01)
    weights, value, _ = _run(ws, new_rows)
    # The output is linear in the weights: each image's value has a vote by itself.
    return Attended(weights.value, value.value @ ws.output)


def _output(weights: Array, votes: Array) -> Array:
    """Probabilities of the classes under any weights."""
    return softmax(np.einsum("bn,bnk->bk", weights, votes))


def _distance(a: Array, b: Array) -> Array:
    """Total variation distance of probabilities: from 0 for equal to 1."""
    distance: Array = abs(a - b).sum(axis=1) / 2
    return distance


def other_weights(attended: Attended) -> Array:
    """Weights that leave out the image of the largest weight, for the same output.

    Exponentiated gradient descent on the squared change of the class scores: it keeps
    weights positive, their sum at 1, and a weight of 0 at 0.
    """
    weights, votes = attended
    rows = np.arange(len(weights))
    wanted = np.einsum("bn,bnk->bk", weights, votes)
    others = weights + 0.02  # so that no image starts at nothing
    others[rows, weights.argmax(axis=1)] = 0.0
    others /= others.sum(axis=1, keepdims=True)
    rate = 4 / (votes**2).sum(axis=2).max(axis=1, keepdims=True)
    for _ in range(500):
        error = np.einsum("bn,bnk->bk", others, votes) - wanted
        others *= np.exp(-rate * np.einsum("bnk,bk->bn", votes, error))
        others /= others.sum(axis=1, keepdims=True)
    return others


def _unexplained(attended: Attended, others: Array) -> Array:
    """Whether the other weights change the output of each row."""
    weights, votes = attended
    moved = _distance(_output(weights, votes), _output(others, votes))
    return np.asarray(moved > SAME)


def explains(seed: int) -> Measurement:
    """Share of rows in which no other weights give the same output."""
    shares = []
    for relevant in (1, 3):
        attended = _attended(seed, relevant)
        others = other_weights(attended)
        changed = _unexplained(attended, others)
        shares.append(float(changed.mean()))
    single, several = shares
    # Of the rows with three such images whose output stays, the least certain one.
    certainty = _output(*attended).max(axis=1)
    row = int(np.argmin(np.where(changed, 1.0, certainty)))
    weights, votes = (part[row : row + 1] for part in attended)
    places = np.argsort(-weights[0])
    learned = _output(weights, votes)[0]
    classes = np.argsort(-learned)
    profiles = Bars(
        labels=[str(place) for place in range(1, IMAGES + 1)],
        ys={"learned": weights[0][places], "others": others[row][places]},
        x_label="image, by its learned weight",
        y_label="weight",
        title="two sets of weights for one row",
    )
    same = _output(others[row : row + 1], votes)[0]
    outputs = Bars(
        labels=[str(place) for place in range(1, CLASSES + 1)],
        ys={"learned": learned[classes], "others": same[classes]},
        x_label="class, by its probability",
        y_label="probability",
        title="their outputs",
    )
    compared = Bars(
        labels=["1 image of the class", "3 images of the class"],
        ys={"share": shares},
        y_label="share of rows without such others",
        title="all rows",
    )
    return Measurement(
        measured=several,
        panels=(profiles, outputs, compared),
        seen="Weights that leave the first image out give the same output, where other "
        "images show the same digit.",
        controls=(
            Control(single > 0.5, "Where one image matters, others do as well."),
        ),
    )


def leaving_out(seed: int) -> Measurement:
    """Share of rows in which the largest weight is on the image that matters most.

    What matters most is the image whose removal changes the output most.
    """
    shares = []
    for relevant in (1, 3):
        weights, votes = _attended(seed, relevant)
        before = _output(weights, votes)
        changes = []
        for place in range(IMAGES):
            kept = weights.copy()
            kept[:, place] = 0.0
            kept /= kept.sum(axis=1, keepdims=True)
            changes.append(_distance(_output(kept, votes), before))
        most = np.argmax(changes, axis=0)
        shares.append(float((most == weights.argmax(axis=1)).mean()))
    # The same for a largest weight that is drawn by lot.
    lot = np.random.default_rng(seed).integers(0, IMAGES, len(most))
    by_lot = float((most == lot).mean())
    shown = Bars(
        labels=["1 image of the class", "3 images of the class", "chosen by lot"],
        ys={"share": [*shares, by_lot]},
        y_label="share of rows in which both name the same image",
    )
    return Measurement(
        measured=shares[0],
        panels=(shown,),
        seen="The image with the largest weight is mostly the one whose removal "
        "matters most.",
        controls=(Control(by_lot < 0.3, "An image drawn by lot is it as often."),),
    )
