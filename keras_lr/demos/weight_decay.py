"""Claims of *weight decay*: against a penalty on the squares of the weights."""

from __future__ import annotations

import numpy as np

from glossary.lab import Control, Lines, Measurement
from glossary.lab.data import Array
from glossary.lab.steps import adam, slots_for

_RATE = 0.1
_DECAY = 0.05


def _decayed(w: Array, g: Array) -> Array:
    """One update of SGD with weight decay."""
    return (1 - _RATE * _DECAY) * w - _RATE * g


def _penalized(w: Array, g: Array) -> Array:
    """One update of SGD on the loss plus decay / 2 times the squares."""
    return w - _RATE * (g + _DECAY * w)


def l2_for_sgd(seed: int) -> Measurement:
    """Weights of SGD with decay, against a penalty on their squares."""
    goal = np.random.default_rng(seed).normal(size=10)
    decayed = np.zeros(10)
    penalized = np.zeros(10)
    plain = np.zeros(10)
    lengths: dict[str, list[float]] = {"weight decay": [], "penalty": [], "neither": []}
    differences = []
    for _ in range(100):
        decayed = _decayed(decayed, decayed - goal)
        penalized = _penalized(penalized, penalized - goal)
        plain = plain - _RATE * (plain - goal)
        differences.append(float(abs(decayed - penalized).max()))
        for way, w in zip(lengths.values(), (decayed, penalized, plain), strict=True):
            way.append(float(np.linalg.norm(w)))
    neither = np.array(lengths.pop("neither"))
    shown = Lines(
        x=np.arange(1, 101),
        ys={name: np.divide(way, neither) for name, way in lengths.items()},
        x_label="update",
        y_label="length of the weights over that with neither",
        marks={"neither": 1.0},
    )
    changed = Control(
        bool(abs(decayed - plain).max() > 1e-3), "The decay changes nothing."
    )
    return Measurement(
        measured=max(differences),
        panels=(shown,),
        seen="Weight decay and the penalty draw one and the same curve; with them the "
        "weights stay shorter than with neither.",
        controls=(changed,),
    )


def _adam_run(goal: Array, decay: float, penalty: float) -> tuple[Array, list[float]]:
    """Weights after 300 updates, and their length after each."""
    ws = [np.zeros(10)]
    slots = slots_for(ws, 2)
    lengths = []
    for t in range(1, 301):
        g = ws[0] - goal + penalty * ws[0]
        adam(ws, slots, [g], t, 0.01, decay)
        lengths.append(float(np.linalg.norm(ws[0])))
    return ws[0], lengths


def l2_for_adam(seed: int) -> Measurement:
    """Distance of Adam's weights with decay and with a penalty, relative."""
    goal = np.random.default_rng(seed).normal(size=10)
    decayed, decayed_lengths = _adam_run(goal, 0.5, 0.0)
    penalized, penalized_lengths = _adam_run(goal, 0.0, 0.5)
    again, _ = _adam_run(goal, 0.5, 0.0)
    _, plain_lengths = _adam_run(goal, 0.0, 0.0)
    shown = Lines(
        x=np.arange(1, 301),
        ys={
            "weight decay (AdamW)": np.divide(decayed_lengths, plain_lengths),
            "penalty": np.divide(penalized_lengths, plain_lengths),
        },
        x_label="update of Adam",
        y_label="length of the weights over that with neither",
        marks={"neither": 1.0},
    )
    same = Control(bool((again == decayed).all()), "Two equal runs differ as well.")
    apart = np.linalg.norm(decayed - penalized) / np.linalg.norm(decayed)
    return Measurement(
        measured=float(apart),
        panels=(shown,),
        seen="With Adam, weight decay and a penalty of the same size lead to different "
        "weights.",
        controls=(same,),
    )
