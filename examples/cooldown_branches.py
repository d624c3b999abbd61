"""One training, three models: branches of a stable trunk against three whole runs.

A run for a budget of updates is a warmup, a constant rate, and a cooldown at its end.
Runs for several budgets share all but that: so one trunk is trained here, and
``Cooldown`` makes a branch for each budget. Beside it each budget has a run of its own.

``python examples/cooldown_branches.py`` trains on scikit-learn's digits, from three
random beginnings, and draws a picture. It needs ``keras-lr[demos]``.
"""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Nets this small are faster on one thread.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import keras
import numpy as np
from matplotlib.figure import Figure
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import keras_lr

BATCH = 16
RATE = 0.05
WARMUP = 20


@dataclass(frozen=True)
class Plan:
    """Epochs: of each budget, and of the cooldown that ends it."""

    budgets: tuple[int, ...]
    cooldown: int
    seeds: int


@dataclass(frozen=True)
class Outcome:
    """What one random beginning has come to: losses and accuracies on held-out images.

    The trunk has one after each epoch, the branches and whole runs one for each budget.
    """

    trunk: Any
    branches: list[dict[str, float]]
    whole: list[dict[str, float]]


def digits() -> Any:
    """1000 images to train on and 797 to judge by, 64 pixels, in [0, 1]."""
    x, y = load_digits(return_X_y=True)
    pixels = (x / 16.0).astype("float32")
    return train_test_split(pixels, y, train_size=1000, random_state=0, stratify=y)


def network(seed: int) -> Any:
    keras.utils.set_random_seed(seed)
    model = keras.Sequential([keras.Input((64,))])
    model.add(keras.layers.Dense(64, activation="relu"))
    model.add(keras.layers.Dropout(0.2))
    model.add(keras.layers.Dense(10))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(RATE, momentum=0.9), loss, metrics=["accuracy"])
    return model


def compare(plan: Plan, seed: int, data: Any) -> Outcome:
    """Train a trunk with its branches, then a whole run for each budget."""
    x, held_x, y, held_y = data
    held = (held_x, held_y)
    options = {"batch_size": BATCH, "verbose": 0}
    cooldown = keras_lr.Cooldown(
        at=[f"{budget - plan.cooldown} epochs" for budget in plan.budgets],
        duration=f"{plan.cooldown} epochs",
        save=None,
        verbose=0,
    )
    trunk = network(seed).fit(
        x,
        y,
        epochs=plan.budgets[-1],
        validation_data=held,
        callbacks=[keras_lr.Warmup(WARMUP), cooldown],
        **options,
    )
    whole = []
    for budget in plan.budgets:
        schedule = keras_lr.WarmupStableDecay(
            warmup=WARMUP, decay=f"{plan.cooldown} epochs"
        )
        model = network(seed)
        model.fit(x, y, epochs=budget, callbacks=[schedule], **options)
        whole.append(model.evaluate(*held, return_dict=True, **options))
    branches = [dict(one.metrics) for one in cooldown.results]
    return Outcome(trunk.history["val_loss"], branches, whole)


def mean(outcomes: list[Outcome], kind: str, number: int, metric: str) -> float:
    """A metric of the branch or whole run for a budget, over the beginnings."""
    return float(np.mean([getattr(one, kind)[number][metric] for one in outcomes]))


def table(plan: Plan, each: int, outcomes: list[Outcome]) -> str:
    lines = ["budget        held-out loss            held-out accuracy"]
    lines += ["(updates)     branch   whole run      branch   whole run"]
    for number, budget in enumerate(plan.budgets):
        cells = f"{budget * each:9}"
        for metric, form in (("loss", "10.4f"), ("accuracy", "10.1%")):
            branch = mean(outcomes, "branches", number, metric)
            whole = mean(outcomes, "whole", number, metric)
            cells += f"{branch:{form}}  {whole:{form}}  "
        lines.append(cells.rstrip())
    trunk = plan.budgets[-1] * each
    branches = len(plan.budgets) * plan.cooldown * each
    runs = sum(plan.budgets) * each
    lines.append(f"updates spent: {trunk} on the trunk and {branches} on its branches,")
    lines.append(f"{trunk + branches} in all, against {runs} on whole runs.")
    return "\n".join(lines)


def draw(plan: Plan, each: int, outcomes: list[Outcome], path: Path) -> None:
    figure = Figure(figsize=(7, 6.5), layout="constrained")
    rates, losses = figure.subplots(2, 1, sharex=True)
    total = plan.budgets[-1] * each
    trunk = keras_lr.Warmup(WARMUP).values(total, RATE)
    rates.plot(np.arange(1, total + 1), trunk, color="0.6", label="trunk")
    for number, budget in enumerate(plan.budgets):
        whole = keras_lr.WarmupStableDecay(
            warmup=WARMUP, decay=plan.cooldown * each
        ).values(budget * each, RATE)
        begin = (budget - plan.cooldown) * each
        updates = np.arange(begin, budget * each + 1)
        branch = whole[begin - 1 :]
        rates.plot(updates, branch, color=f"C{number}", label=f"branch {number + 1}")
    ends = each * np.arange(1, plan.budgets[-1] + 1)
    every = np.array([one.trunk for one in outcomes])
    losses.plot(ends, every.mean(axis=0), color="0.6", label="trunk, after each epoch")
    for number, budget in enumerate(plan.budgets):
        color = f"C{number}"
        # Beside each other: they lie at the same budget.
        for kind, marker, shift in (("branches", "o", -0.01), ("whole", "s", 0.01)):
            values = [getattr(one, kind)[number]["loss"] for one in outcomes]
            at = budget * each + shift * total
            losses.plot([at, at], [min(values), max(values)], color=color)
            filled = color if kind == "branches" else "white"
            name = {"branches": "branch", "whole": "whole run of that length"}[kind]
            losses.plot(
                at,
                np.mean(values),
                marker,
                color=color,
                markerfacecolor=filled,
                label=name if number == 0 else None,
            )
    rates.set(title="Learning rate of each update", ylabel="rate", ylim=(0, None))
    losses.set_title(
        f"Loss on held-out images: mean of {len(outcomes)} beginnings, and their range"
    )
    losses.set(xlabel=f"updates (batches of {BATCH})", ylabel="cross-entropy (nats)")
    losses.set_ylim(0, 3 * np.median(every))
    for axes in (rates, losses):
        axes.grid(alpha=0.3)
    rates.legend(loc="center", bbox_to_anchor=(0.62, 0.35))
    losses.legend()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=100)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fast", action="store_true", help="one of each, 2 epochs")
    parser.add_argument("--out", type=Path, default=Path("out"), help="for the picture")
    options = parser.parse_args()
    plan = Plan((6, 12, 24), cooldown=3, seeds=3)
    if options.fast:
        plan = Plan((2,), cooldown=1, seeds=1)
    data = digits()
    each = -(-len(data[0]) // BATCH)
    outcomes = [compare(plan, seed, data) for seed in range(plan.seeds)]
    print(table(plan, each, outcomes))
    picture = options.out / "cooldown_branches.png"
    draw(plan, each, outcomes, picture)
    print(f"Picture: {picture}")


if __name__ == "__main__":
    main()
