"""Claims of *parameter-efficient fine-tuning*: few weights trained, the rest frozen."""

from __future__ import annotations

import numpy as np

from glossary.lab import Bars, Control, Lines, Measurement
from glossary.lab.pretrained import base, errors, scores, task, train_on
from glossary.lab.tape import Variable

#: What is trained of matrix, bias, matrix, bias, matrix, bias: all, or biases and head.
ALL = (0, 1, 2, 3, 4, 5)
SMALL = (1, 3, 4, 5)


def _shares(
    width: int, inner: int, layers: int, rest: int, size: int
) -> dict[str, float]:
    """Share of the weights that each method trains, in a stack of Transformer blocks.

    Args:
        width: Of the model.
        inner: Width inside the feed-forward layers.
        layers: Number of blocks.
        rest: Weights outside of the blocks: embeddings and such.
        size: Of adapters; LoRA has rank 8.
    """
    matrices = 4 * width**2 + 2 * width * inner
    biases = 4 * width + inner + width + 2 * width  # of the norms as well
    scales = 2 * width
    whole = layers * (matrices + biases + scales) + rest
    trained = {
        "biases": biases,
        "LoRA, rank 8": 2 * 8 * (width + width),  # queries and values
        f"adapters of {size}": 2 * (2 * width * size + size + width),
    }
    return {name: layers * count / whole for name, count in trained.items()}


def share(seed: int) -> Measurement:
    """The largest share of the weights that three methods train in BERT base."""
    del seed  # nothing is drawn: weights are counted
    outside = (30522 + 512 + 2 + 2) * 768 + 768 * 768 + 768
    large = _shares(768, 3072, 12, outside, 64)
    small = _shares(32, 128, 2, 100 * 32, 64)
    shown = Bars(
        labels=list(large),
        ys={"BERT base": large.values(), "two blocks of width 32": small.values()},
        y_label="share of the weights that are trained",
        log="y",
    )
    return Measurement(
        measured=max(large.values()),
        panels=(shown,),
        seen="Each method trains between a thousandth and three hundredths of the "
        "weights of BERT base; in a small model the share is larger.",
        controls=(
            Control(
                max(small.values()) > 0.1, "In a small model the share is as small."
            ),
        ),
    )


def _tuned(
    seed: int, places: tuple[int, ...], count: int, updates: int
) -> list[Variable]:
    """The net for digits 0 to 4, some of its weights trained on the digits 5 to 9."""
    rng = np.random.default_rng(seed)
    ws = base(seed)
    new = task(seed, 5)
    trained = [ws[place] for place in places]
    train_on(rng, trained, ws, new.train_x[:count], new.train_y[:count], updates)
    return ws


def swap(seed: int) -> Measurement:
    """Change of the old task's outputs when the few old weights are put back."""
    old = task(seed, 0)
    new = task(seed, 5)
    before = base(seed)
    outputs = scores(old.test_x, before).value
    changes = {}
    right = {"old task": [1 - errors(old.test_x, old.test_y, before)]}
    right["new task"] = [1 - errors(new.test_x, new.test_y, before)]
    for name, places in (("few", SMALL), ("all", ALL)):
        ws = _tuned(seed, places, 600, 150)
        right["new task"].append(1 - errors(new.test_x, new.test_y, ws))
        for place in SMALL:
            ws[place].value[...] = before[place].value
        right["old task"].append(1 - errors(old.test_x, old.test_y, ws))
        changes[name] = float(abs(scores(old.test_x, ws).value - outputs).max())
    shown = Bars(
        labels=["pre-trained", "few trained", "all trained"],
        ys={"new task": right["new task"], "old task, few put back": right["old task"]},
        y_label="share of right answers",
    )
    return Measurement(
        measured=changes["few"],
        panels=(shown,),
        seen="After biases and head were trained, putting the old ones back gives the "
        "old task back; after all weights were trained it does not.",
        controls=(
            Control(
                changes["all"] > 0.1, "It does after training all weights as well."
            ),
            Control(right["new task"][1] > 0.5, "The few weights learn nothing."),
        ),
    )


def few_examples(seed: int) -> Measurement:
    """Errors with few trained weights over those with all, for 20 to 600 examples."""
    new = task(seed, 5)
    counts = (20, 50, 150, 600)
    wrong: dict[str, list[float]] = {"biases and head": [], "all weights": []}
    for name, places in (("biases and head", SMALL), ("all weights", ALL)):
        for count in counts:
            ws = _tuned(seed, places, count, 150)
            wrong[name].append(errors(new.test_x, new.test_y, ws))
    shown = Lines(
        x=counts,
        ys=wrong,
        x_label="examples of the new task",
        y_label="share of wrong answers, new images",
        log="x",
    )
    return Measurement(
        measured=wrong["biases and head"][1] / wrong["all weights"][1],
        panels=(shown,),
        seen="Training all weights leaves fewer errors for any number of examples.",
        controls=(
            Control(
                max(w[-1] for w in wrong.values()) < 0.4, "One of them learns nothing."
            ),
        ),
    )
