"""Claims of *low-rank adaptation* (Hu 2021, sec. 4): W + (r numbers wide) A B."""

from __future__ import annotations

import numpy as np

from glossary.lab import Bars, Control, Lines, Measurement, tape
from glossary.lab.data import Array
from glossary.lab.nets import counted
from glossary.lab.pretrained import base, errors, scores, task, train_on
from glossary.lab.tape import Variable
from glossary.lab.training import fit


def factors(
    rng: np.random.Generator, inputs: int, outputs: int, rank: int
) -> tuple[Variable, Variable]:
    """A random, and B zero, so that the product is zero at the start (sec. 4.1)."""
    down = Variable(rng.normal(0, inputs**-0.5, (inputs, rank)))
    return down, Variable(np.zeros((rank, outputs)))


def beside(x: Array, w: Array, down: Array, up: Array) -> Array:
    """The adapted layer as it is trained: the frozen matrix, and both factors."""
    out: Array = x @ w + (x @ down) @ up
    return out


def merged(w: Array, down: Array, up: Array) -> Array:
    """One matrix for both."""
    return w + down @ up


def _started(rng: np.random.Generator) -> dict[str, Array]:
    """Outputs of a layer without factors, with those at the start, and with random."""
    x = rng.normal(size=(20, 48))
    w = rng.normal(0, 48**-0.5, (48, 48))
    down, up = factors(rng, 48, 48, 4)
    random = rng.normal(0, 0.5, up.value.shape)
    return {
        "without": x @ w,
        "with, B = 0": beside(x, w, down.value, up.value),
        "with, B random": beside(x, w, down.value, random),
    }


def start(seed: int) -> Measurement:
    """Change of the outputs by factors that are not trained yet."""
    before, zero, random = _started(np.random.default_rng(seed)).values()
    # One draw is drawn for all seeds: ten on top of each other would show nothing.
    drawn = _started(np.random.default_rng(0))
    shown = Lines(
        x=range(24),
        ys={name: rows[0, :24] for name, rows in drawn.items()},
        x_label="place in the output",
        y_label="output",
    )
    return Measurement(
        measured=abs(zero - before).max(),
        panels=(shown,),
        seen="With B at zero the adapted layer gives what the pre-trained one gave; "
        "with B at random it does not.",
        controls=(
            Control(
                abs(random - before).max() > 0.1, "A random B changes nothing either."
            ),
        ),
    )


def _three_ways(rng: np.random.Generator) -> tuple[dict[str, Array], list[int]]:
    """Outputs of the layer before, adapted side by side, and merged; their products."""
    x = rng.normal(size=(20, 48))
    w = rng.normal(0, 48**-0.5, (48, 48))
    down = rng.normal(0, 48**-0.5, (48, 4))
    up = rng.normal(0, 0.5, (4, 48))
    rows = [counted(x) for _ in range(3)]
    outputs = {
        "pre-trained": rows[0] @ w,
        "side by side": beside(rows[1], w, down, up),
        "merged": rows[2] @ merged(w, down, up),
    }
    plain = {name: np.asarray(output) for name, output in outputs.items()}
    return plain, [row.tally["work"] // len(x) for row in rows]


def merge(seed: int) -> Measurement:
    """Outputs of the merged matrix against those of matrix and factors side by side."""
    outputs, products = _three_ways(np.random.default_rng(seed))
    before, side_by_side, together = outputs.values()
    # One draw is drawn for all seeds: ten on top of each other would show nothing.
    drawn, _ = _three_ways(np.random.default_rng(0))
    curves = Lines(
        x=range(24),
        ys={
            name: drawn[name][0, :24]
            for name in ("side by side", "merged", "pre-trained")
        },
        x_label="place in the output",
        y_label="output",
    )
    counts = Bars(
        labels=list(outputs),
        ys={"products": products},
        y_label="multiplications for one row",
    )
    return Measurement(
        measured=abs(together - side_by_side).max(),
        panels=(curves, counts),
        seen="The merged matrix gives the outputs of matrix and factors side by side, "
        "for as many multiplications as before the adaptation.",
        controls=(
            Control(products[2] == products[0], "Merged costs more than before."),
            Control(products[1] > products[0], "Side by side costs nothing either."),
            Control(abs(together - before).max() > 0.1, "The factors change nothing."),
        ),
    )


def rank(seed: int) -> Measurement:
    """Error that factors of rank 2 leave of a change of full rank."""
    size = 24
    left: dict[str, list[float]] = {}
    for name, wanted in (("change of rank 2", 2), ("change of full rank", size)):
        rng = np.random.default_rng(seed)
        change = rng.normal(size=(size, wanted)) @ rng.normal(size=(wanted, size))
        change *= size / np.linalg.norm(change)  # both changes are of one size
        left[name] = []
        for r in (1, 2, 4, 8, 16, 24):
            down, up = factors(rng, size, size, r)

            def loss(
                down: Variable = down, up: Variable = up, change: Array = change
            ) -> Variable:
                wrong = down @ up - change
                return tape.mean(wrong * wrong)

            left[name].append(float(fit([down, up], loss, 300, 0.03)[-1]))
    shown = Lines(
        x=(1, 2, 4, 8, 16, 24),
        ys=left,
        x_label="rank of the trained factors",
        y_label="squared error that is left (1 at the start)",
    )
    low, full = left.values()
    return Measurement(
        measured=full[1],
        panels=(shown,),
        seen="Factors of rank 2 learn a change of rank 2 completely, and only a small "
        "part of a change of full rank.",
        controls=(
            Control(low[1] < 0.05, "Rank 2 does not learn a change of rank 2."),
            Control(full[-1] < 0.05, "Even full rank does not learn it."),
        ),
    )


def _adapted(seed: int, r: int) -> list[Variable]:
    """The net for digits 0 to 4, its matrices adapted to 5 to 9 with a rank; merged."""
    rng = np.random.default_rng(seed)
    ws = base(seed)
    new = task(seed, 5)
    sizes = {place: ws[place].shape for place in (0, 2, 4)}
    pairs = [factors(rng, size[0], size[1], r) for size in sizes.values()]
    trained = [factor for pair in pairs for factor in pair]

    def together() -> list[Variable]:
        adapted = list(ws)
        for place, (down, up) in zip(sizes, pairs, strict=True):
            adapted[place] = tape.variable(ws[place].value) + down @ up
        return adapted

    def loss() -> Variable:
        rows = rng.integers(0, len(new.train_x), 32)
        return tape.cross_entropy(
            scores(new.train_x[rows], together()), new.train_y[rows]
        )

    fit(trained, loss, 200, 0.005)
    return together()


def as_good(seed: int) -> Measurement:
    """Errors on a new task with rank 1 minus those with all weights trained."""
    new = task(seed, 5)
    ranks = (1, 2, 4, 8)
    wrong = [errors(new.test_x, new.test_y, _adapted(seed, r)) for r in ranks]
    full = base(seed)
    train_on(np.random.default_rng(seed), full, full, new.train_x, new.train_y, 200)
    wrong_full = errors(new.test_x, new.test_y, full)
    shown = Lines(
        x=ranks,
        ys={"low-rank adaptation": wrong, "all weights trained": [wrong_full] * 4},
        x_label="rank",
        y_label="share of wrong answers, new task",
    )
    return Measurement(
        measured=wrong[0] - wrong_full,
        panels=(shown,),
        seen="With a small rank more answers stay wrong than when all weights are "
        "trained; with rank 8 nearly as few.",
        controls=(
            Control(wrong_full < 0.2, "All weights learn nothing either."),
            Control(wrong[0] < 0.5, "Rank 1 learns nothing at all."),
        ),
    )
