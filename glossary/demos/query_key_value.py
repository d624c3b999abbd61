"""Claims of *query, key and value*."""

from __future__ import annotations

import numpy as np

from glossary.lab import Bars, Control, Lines, Measurement, tape
from glossary.lab.attention import attend, attend_on_tape
from glossary.lab.data import Array
from glossary.lab.nets import softmax
from glossary.lab.tape import Variable
from glossary.lab.training import fit, smooth


def _changed(rng: np.random.Generator) -> dict[str, Array]:
    """Weights for queries and keys as they are, both changed, and one of both."""
    q = rng.normal(size=(4, 8))
    k = rng.normal(size=(12, 8))
    v = rng.normal(size=(12, 8))
    # Well conditioned: a rotation, and factors from 1/2 to 2.
    change = np.linalg.qr(rng.normal(size=(8, 8)))[0] * rng.uniform(0.5, 2.0, 8)
    inverse = np.linalg.inv(change)
    return {
        "as they are": attend(q, k, v)[1],
        "both changed": attend(q @ change, k @ inverse.T, v)[1],
        "queries alone changed": attend(q @ change, k, v)[1],
    }


def trade(seed: int) -> Measurement:
    """Change of the weights when queries and keys are changed against each other."""
    weights, both, queries = _changed(np.random.default_rng(seed)).values()
    # One draw is drawn for all seeds: ten on top of each other would show nothing.
    drawn = _changed(np.random.default_rng(0))
    shown = Lines(
        x=range(12),
        ys={name: rows[0] for name, rows in drawn.items()},
        x_label="position of the key",
        y_label="weight for one query",
    )
    return Measurement(
        measured=abs(both - weights).max(),
        panels=(shown,),
        seen="With the queries times a matrix and the keys times its inverse, the "
        "weights are the same; with the queries alone changed they are others.",
        controls=(
            Control(
                abs(queries - weights).max() > 0.01, "Changed queries change nothing."
            ),
        ),
    )


def tied(seed: int) -> Measurement:
    """Error of one matrix for queries and keys over that of two, at the same task.

    The task: give the numbers of the position before, in a ring of eight.
    """
    rng = np.random.default_rng(seed)
    places = tape.variable(np.eye(8))
    start = rng.normal(0, 0.3, (2, 8, 8))
    errors = {}
    weights = {}
    for name in ("two matrices", "one matrix"):
        to_query = Variable(start[0].copy())
        to_key = to_query if name == "one matrix" else Variable(start[1].copy())
        ws = [to_query] if name == "one matrix" else [to_query, to_key]

        def read(values: Array, ws: list[Variable] = ws) -> tuple[Variable, Variable]:
            return attend_on_tape(
                places @ ws[0], places @ ws[-1], tape.variable(values)
            )

        def loss(read=read) -> Variable:  # type: ignore[no-untyped-def]
            values = rng.normal(size=(16, 8, 4))
            wrong = read(values)[0] - np.roll(values, 1, axis=1)
            return tape.mean(wrong * wrong)

        x, errors[name] = smooth(fit(ws, loss, 200, 0.1), 10)
        weights[name] = read(np.zeros((1, 8, 4)))[1].value[4]
    curves = Lines(
        x=x, ys=errors, x_label="update", y_label="squared error", title="training"
    )
    bars = Bars(
        labels=[str(place) for place in range(8)],
        ys=weights,
        x_label="position",
        y_label="weight",
        title="where position 4 looks; asked for is 3",
    )
    return Measurement(
        measured=errors["one matrix"][-1] / errors["two matrices"][-1],
        panels=(curves, bars),
        seen="With two matrices each position learns to look at the one before; with "
        "one the scores are the same in both directions, and few can.",
        controls=(
            Control(errors["two matrices"][-1] < 0.1, "Two matrices do not learn it."),
        ),
    )


def table(seed: int) -> Measurement:
    """Distance of the output from the best key's value, for scores ever sharper."""
    rng = np.random.default_rng(seed)
    k = rng.normal(size=(16, 32))
    k /= np.linalg.norm(k, axis=1, keepdims=True)
    v = rng.normal(size=(16, 8))
    asked = rng.integers(0, 16, 50)
    q = k[asked] + 0.05 * rng.normal(size=(50, 32))
    factors = 2.0 ** np.arange(0, 8)
    size = np.linalg.norm(v[asked], axis=1)
    distance = [
        (np.linalg.norm(softmax(f * q @ k.T) @ v - v[asked], axis=1) / size).mean()
        for f in factors
    ]
    shown = Lines(
        x=factors,
        ys={"output": distance},
        x_label="factor of the scores",
        y_label="distance from the value that is asked for, over its size",
        log="x",
    )
    return Measurement(
        measured=distance[6],
        panels=(shown,),
        seen="The larger the scores, the nearer the output is to the one value whose "
        "key fits: a look-up in a table.",
        controls=(
            Control(distance[0] > 0.5, "Small scores look up one value as well."),
        ),
    )
