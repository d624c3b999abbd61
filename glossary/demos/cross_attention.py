"""Claims of *cross-attention*, in NumPy and on a tape."""

from __future__ import annotations

import numpy as np

from glossary.lab import Control, Lines, Measurement, tape
from glossary.lab.attention import attend, attend_on_tape
from glossary.lab.data import Array
from glossary.lab.nets import counted
from glossary.lab.tape import Variable
from glossary.lab.training import fit, smooth


def cross_attend(x: Array, memory: Array, ws: Array) -> Array:
    """Queries from one sequence, keys and values from another."""
    return attend(x @ ws[0], memory @ ws[1], memory @ ws[2])[0]


def _reordered(rng: np.random.Generator) -> dict[str, tuple[Array, Array]]:
    """Outputs for rows in two orders: as they are, and with positions added."""
    ws = rng.normal(0, 0.25, (3, 16, 16))
    x = rng.normal(size=(5, 16))
    memory = rng.normal(size=(12, 16))
    places = rng.normal(size=(12, 16))  # what a positional encoding would add
    shuffled = memory[rng.permutation(12)]
    return {
        "rows as they are": (
            cross_attend(x, memory, ws),
            cross_attend(x, shuffled, ws),
        ),
        "rows with positions added": (
            cross_attend(x, memory + places, ws),
            cross_attend(x, shuffled + places, ws),
        ),
    }


def order(seed: int) -> Measurement:
    """Change of the outputs when the rows that are read come in another order."""
    bare, placed = (
        float(abs(second - first).max())
        for first, second in _reordered(np.random.default_rng(seed)).values()
    )
    # One draw is drawn for all seeds: ten on top of each other would show nothing.
    panels = tuple(
        Lines(
            x=range(16),
            ys={"one order": first[0], "another order": second[0]},
            x_label="place in the output",
            y_label="output for one query",
            title=name,
        )
        for name, (first, second) in _reordered(np.random.default_rng(0)).items()
    )
    return Measurement(
        measured=bare,
        panels=panels,
        seen="The order of the rows that are attended to changes nothing, until each "
        "row is marked with its position.",
        controls=(Control(placed > 0.01, "Marked with positions they do not either."),),
    )


def once(seed: int) -> Measurement:
    """Products of 32 decoding steps, with keys and values kept over made anew."""
    rng = np.random.default_rng(seed)
    ws = rng.normal(0, 0.25, (3, 16, 16))
    memory = rng.normal(size=(24, 16))
    steps = rng.normal(size=(32, 1, 16))
    anew = counted(memory)
    outputs = []
    products = {"made anew": [0], "kept": [0]}
    for x in steps:
        outputs.append(cross_attend(x.view(), anew, ws))
        # The query's own projection is the same in both arms, so it is left out.
        products["made anew"].append(anew.tally["work"])
    kept = counted(memory)
    keys = kept @ ws[1]
    values = kept @ ws[2]
    apart = 0.0
    for x, output in zip(steps, outputs, strict=True):
        out, _ = attend(x @ ws[0], keys, values)
        apart = max(apart, float(abs(np.asarray(out - output)).max()))
        products["kept"].append(kept.tally["work"])
    shown = Lines(
        x=range(33),
        ys=products,
        x_label="decoding steps",
        y_label="multiplications so far",
    )
    return Measurement(
        measured=products["kept"][-1] / products["made anew"][-1],
        panels=(shown,),
        seen="Keys and values of the other sequence are made once and serve all "
        "steps; making them anew for each step costs many times as much.",
        controls=(
            Control(apart < 1e-12, "Keys and values that are kept give others."),
        ),
    )


def aligns(seed: int) -> Measurement:
    """Weight on the position that an output copies, trained to turn a row around."""
    rng = np.random.default_rng(seed)
    length = 8
    places = np.broadcast_to(np.eye(length), (32, length, length))
    turned = places[0][::-1]
    ws = {
        "with queries": [Variable(rng.normal(0, 0.3, (length, 16))) for _ in range(2)],
        "all queries alike": [
            Variable(rng.normal(0, 0.3, (length, 16))) for _ in range(2)
        ],
    }
    asked = {
        "with queries": np.eye(length),
        "all queries alike": np.ones((length, length)),
    }
    found = {}
    for name, weights in ws.items():
        queries = tape.variable(asked[name])
        on_right: list[float] = []

        def loss(
            weights: list[Variable] = weights,
            queries: Variable = queries,
            on_right: list[float] = on_right,
        ) -> Variable:
            memory = rng.normal(size=(32, length, 4))
            keys = tape.variable(places) @ weights[1]
            read, attended = attend_on_tape(
                queries @ weights[0], keys, tape.variable(memory)
            )
            on_right.append(float((attended.value * turned).sum(-1).mean()))
            wrong = read - memory[:, ::-1]
            return tape.mean(wrong * wrong)

        fit(weights, loss, 150, 0.05)
        x, found[name] = smooth(np.array(on_right), 10)
    shown = Lines(
        x=x,
        ys=found,
        x_label="update",
        y_label="weight on the position to copy",
        marks={"even weights": 1 / length},
    )
    return Measurement(
        measured=length * found["with queries"][-1],
        panels=(shown,),
        seen="Trained by the error of its output alone, each output position learns "
        "to look at the input position that it has to copy.",
        controls=(
            Control(
                found["all queries alike"][-1] < 2 / length,
                "Without different queries it finds them as well.",
            ),
        ),
    )
