"""Claims of *fine-tuning* and *pre-trained model*: small nets that know digits."""

from __future__ import annotations

from functools import cache

import numpy as np

from glossary.lab import Control, Lines, Measurement
from glossary.lab.data import Array, Split, digits
from glossary.lab.fitting import accuracy, fit, loss
from glossary.lab.nets import gradients, relu, weights
from glossary.lab.steps import adam, sgd, slots_for

WIDTHS = (64, 64, 32)


@cache
def _digits_task(seed: int) -> Split:
    """Which digit? 900 to train on, 300 held out."""
    x, y = digits()
    order = np.random.default_rng(seed).permutation(len(x))
    train = order[:900]
    test = order[900:1200]
    return Split(x[train], y[train], x[test], y[test])


def _smeared(x: Array) -> Array:
    """Images whose pixels are means of themselves and their left neighbours."""
    images = x.reshape(-1, 8, 8)
    left = np.roll(images, 1, axis=2)
    left[:, :, 0] = 0.0
    mixed: Array = (images + left) / 2
    return mixed.reshape(-1, 64)


def _on_their_side(x: Array) -> Array:
    """Images with rows and columns exchanged."""
    return x.reshape(-1, 8, 8).swapaxes(1, 2).reshape(-1, 64)


@cache
def _smeared_task(seed: int) -> Split:
    """Which smeared digit? 320 others to train on, 277 held out."""
    x, y = digits()
    order = np.random.default_rng(seed).permutation(len(x))
    train = order[1200:1520]
    test = order[1520:]
    return Split(_smeared(x[train]), y[train], _smeared(x[test]), y[test])


@cache
def _base(seed: int, shuffled: bool = False) -> list[Array]:
    """Weights trained to tell the ten digits, or the same with random labels."""
    task = _digits_task(seed)
    if shuffled:
        labels = np.random.default_rng([seed, 7]).permutation(task.train_y)
        task = task._replace(train_y=labels)
    return fit(seed, task, (*WIDTHS, 10), 400)[0]


def _fresh(seed: int, classes: int = 10) -> list[Array]:
    return weights(np.random.default_rng([seed, 8]), [*WIDTHS, classes], 2.0)


def _new_head(seed: int, ws: list[Array], classes: int) -> list[Array]:
    """The same layers with a fresh last one."""
    return [*ws[:-1], _fresh(seed, classes)[-1]]


def _tuned(
    seed: int,
    start: list[Array],
    task: Split,
    updates: int,
    rate: float,
    frozen: int = 0,
    plain: bool = False,
) -> list[list[Array]]:
    """Weights before the first and after every fifth update.

    Args:
        seed: Draws the batches.
        start: Weights to start from, which are copied.
        task: What to train on.
        updates: How many.
        rate: The learning rate.
        frozen: How many of the first layers stay as they are.
        plain: Whether plain SGD is used in place of Adam.
    """
    ws = [w.copy() for w in start]
    rng = np.random.default_rng([seed, 9])
    slots = slots_for(ws[frozen:], 2)
    kept = [[w.copy() for w in ws]]
    for step in range(1, updates + 1):
        rows = rng.integers(0, len(task.train_x), 32)
        grads = gradients(ws, task.train_x[rows], task.train_y[rows], relu)[1]
        if plain:
            sgd(ws[frozen:], grads[frozen:], rate)
        else:
            adam(ws[frozen:], slots, grads[frozen:], step, rate)
        if step % 5 == 0:
            kept.append([w.copy() for w in ws])
    return kept


def _few(task: Split, count: int) -> Split:
    return task._replace(train_x=task.train_x[:count], train_y=task.train_y[:count])


COUNTS = (10, 20, 40, 80, 160, 320)


def _errors(seed: int, start: list[Array], task: Split, frozen: int = 0) -> list[float]:
    """Held-out error after 120 updates, by the number of examples."""
    ends = [
        _tuned(seed, start, _few(task, count), 120, 0.003, frozen)[-1]
        for count in COUNTS
    ]
    return [1 - accuracy(ws, task.test_x, task.test_y) for ws in ends]


# Fine-tuning


def fewer_updates(seed: int) -> Measurement:
    """Updates until the loss is 0.3, from pre-trained weights and from scratch."""
    task = _smeared_task(seed)
    ways = {}
    for name, start in (("pre-trained", _base(seed)), ("from scratch", _fresh(seed))):
        kept = _tuned(seed, start, task, 200, 0.002)
        ways[name] = np.array([loss(ws, task.train_x, task.train_y) for ws in kept])
    shown = Lines(
        x=np.arange(0, 201, 5),
        ys=ways,
        x_label="update",
        y_label="training loss on smeared digits in nats",
        log="y",
        marks={"0.3": 0.3},
    )
    needed = {name: 5 * int(np.argmax(way < 0.3)) for name, way in ways.items()}
    return Measurement(
        measured=needed["pre-trained"] / needed["from scratch"],
        panels=(shown,),
        seen="From pre-trained weights the loss is down sooner than from fresh ones.",
        controls=(
            Control(ways["from scratch"][-1] < 0.3, "A fresh net never gets there."),
        ),
    )


def _side_task(seed: int) -> Split:
    """Which digit that lies on its side? 320 to train on, 277 held out."""
    x, y = digits()
    order = np.random.default_rng(seed).permutation(len(x))
    train = order[1200:1520]
    test = order[1520:]
    return Split(_on_their_side(x[train]), y[train], _on_their_side(x[test]), y[test])


def forgets(seed: int) -> Measurement:
    """Accuracy on upright digits after 100 updates on digits on their side."""
    rates = 10.0 ** np.array([-2.5, -2.0, -1.5, -1.0, -0.5])
    task = _side_task(seed)
    upright = _digits_task(seed)
    old = []
    new = []
    for rate in rates:
        ws = _tuned(seed, _base(seed), task, 100, rate, plain=True)[-1]
        old.append(accuracy(ws, upright.test_x, upright.test_y))
        new.append(accuracy(ws, task.test_x, task.test_y))
    shown = Lines(
        x=rates,
        ys={"upright digits": old, "digits on their side": new},
        x_label="learning rate of fine-tuning with SGD",
        y_label="accuracy on held-out digits after 100 updates",
        log="x",
    )
    before = accuracy(_base(seed), upright.test_x, upright.test_y)
    return Measurement(
        measured=100 * (old[0] - old[-1]),
        panels=(shown,),
        seen="The higher the learning rate of fine-tuning, the more is learned of the "
        "new digits, and the less is left of the old.",
        controls=(Control(before > 0.85, "The base knows nothing to forget."),),
    )


def frozen_layers(seed: int) -> Measurement:
    """Error with all layers tuned over that with the last one alone."""
    task = _side_task(seed)
    errors = {
        "all layers": _errors(seed, _base(seed), task),
        "last layer alone": _errors(seed, _base(seed), task, frozen=2),
    }
    shown = Lines(
        x=COUNTS,
        ys=errors,
        x_label="digits on their side to tune with",
        y_label="error on held-out digits on their side",
        log="xy",
    )
    return Measurement(
        measured=errors["all layers"][-1] / errors["last layer alone"][-1],
        panels=(shown,),
        seen="With hundreds of examples the net whose layers are all tuned makes fewer "
        "errors than the one whose last layer alone is.",
        controls=(Control(errors["all layers"][-1] < 0.3, "Neither learns the task."),),
    )


# Pre-trained model


@cache
def _gains(seed: int) -> dict[str, list[float]]:
    task = _smeared_task(seed)
    starts = {"pre-trained": _base(seed), "from scratch": _fresh(seed)}
    return {name: _errors(seed, start, task) for name, start in starts.items()}


def _gain_lines(seed: int) -> Lines:
    return Lines(
        x=COUNTS,
        ys=_gains(seed),
        x_label="smeared digits to train on",
        y_label="error on held-out smeared digits",
        log="x",
    )


def few_examples(seed: int) -> Measurement:
    """Error of the pre-trained net over that of a fresh one, with 10 to 40 digits."""
    errors = _gains(seed)
    few = {name: float(np.mean(row[:3])) for name, row in errors.items()}
    return Measurement(
        measured=few["pre-trained"] / few["from scratch"],
        panels=(_gain_lines(seed),),
        seen="With few digits the pre-trained net makes far fewer errors.",
        controls=(
            Control(
                errors["from scratch"][-1] < 0.2, "A fresh net never learns the task."
            ),
        ),
    )


def many_examples(seed: int) -> Measurement:
    """Points that pre-training saves with 320 digits over those with 10 to 40."""
    errors = _gains(seed)
    saved = np.array(errors["from scratch"]) - np.array(errors["pre-trained"])
    return Measurement(
        measured=saved[-1] / saved[:3].mean(),
        panels=(_gain_lines(seed),),
        seen="What pre-training saves shrinks as the digits become many.",
        controls=(
            Control(saved[:3].mean() > 0.05, "It saves nothing with few digits."),
        ),
    )


def features(seed: int) -> Measurement:
    """Error of a new last layer on frozen layers that were trained or not."""
    task = _smeared_task(seed)
    starts = {
        "trained on sharp digits": _base(seed),
        "trained on random labels": _base(seed, shuffled=True),
        "random weights": _fresh(seed),
    }
    errors = {
        name: _errors(seed, _new_head(seed, ws, 10), task, frozen=2)
        for name, ws in starts.items()
    }
    shown = Lines(
        x=COUNTS,
        ys=errors,
        x_label="smeared digits to train the last layer on",
        y_label="error on held-out smeared digits",
        log="x",
    )
    return Measurement(
        measured=errors["trained on sharp digits"][-1] / errors["random weights"][-1],
        panels=(shown,),
        seen="A last layer errs less on layers that were trained on sharp digits than "
        "on random ones.",
        controls=(
            Control(errors["random weights"][-1] < 0.8, "Random layers tell nothing."),
        ),
    )


def always_helps(seed: int) -> Measurement:
    """Errors on digits that lie on their side, pre-trained on upright ones or not."""
    task = _side_task(seed)
    errors = {
        "pre-trained on upright digits": _errors(seed, _base(seed), task),
        "from scratch": _errors(seed, _fresh(seed), task),
    }
    shown = Lines(
        x=COUNTS,
        ys=errors,
        x_label="digits on their side to train on",
        y_label="error on held-out digits on their side",
        log="x",
    )
    means = [float(np.mean(row)) for row in errors.values()]
    upright = _digits_task(seed)
    known = accuracy(_base(seed), upright.test_x, upright.test_y)
    return Measurement(
        measured=means[0] / means[1],
        panels=(shown,),
        seen="On digits that lie on their side the pre-trained net makes more errors "
        "than a fresh one.",
        controls=(Control(known > 0.85, "Pre-training has taught nothing."),),
    )
