"""Fine-tune a small backbone: one rate, a tenth for the backbone, layer-wise decay.

A net of dense layers learns scikit-learn's digits 0 to 4. Then it gets a new head and
learns 5 to 9 from a few rows, in four ways: all at one rate, the backbone at a tenth
of it, a rate that falls from layer to layer, and the head alone. Each way has its peak
rate chosen from the same grid, on seeds of its own; ten other seeds tell how the ways
compare, each of them with the same backbone, the same new head and the same few rows.

``python examples/fine_tune.py`` prints tables and draws ``out/fine_tune.png``, in some
ten minutes. It needs ``keras-lr[demos]``, and Keras 3.15 or newer.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Nets this small train faster on one thread.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import keras
import numpy as np
from matplotlib.figure import Figure
from sklearn.datasets import load_digits

import keras_lr

CLASSES = 5
BATCH = 5
#: Seeds on which rates are chosen come after those that are compared.
APART = 1000


@dataclass(frozen=True)
class Plan:
    """How much is trained.

    Attributes:
        seeds: Beginnings that the ways are compared on.
        tuning_seeds: Beginnings that rates are chosen on.
        rates: The grid of peak rates.
        pretraining: Epochs on the first half of the digits.
        epochs: Epochs on the few rows of the second half.
        rows: How many these are of each class; everything is done for each number.
        ways: The ways that are compared.
    """

    seeds: int
    tuning_seeds: int
    rates: tuple[float, ...]
    pretraining: int
    epochs: int
    rows: tuple[int, ...]
    ways: tuple[str, ...]


@dataclass(frozen=True)
class Digits:
    """Images as rows of 64 numbers in [0, 1], and classes 0 to 4."""

    x: Any
    y: Any


@dataclass(frozen=True)
class Task:
    """One beginning: a trained net with a new head, and rows of the second half.

    Attributes:
        weights: Those of the net.
        few: The rows to train on, by their number.
        held: Rows that none is trained on.
    """

    weights: list[Any]
    few: dict[int, Digits]
    held: Digits


def one_rate(model: Any) -> Any:
    return keras.optimizers.Adam()


def tenth(model: Any) -> Any:
    return keras_lr.groups(model, {"backbone": 0.1}, optimizer="adam")


def layer_wise(model: Any) -> Any:
    return keras_lr.groups(model, optimizer="adam", decay=0.75)


def head_alone(model: Any) -> Any:
    model.get_layer("backbone").trainable = False
    return keras.optimizers.Adam()


WAYS: dict[str, Callable[[Any], Any]] = {
    "one rate": one_rate,
    "backbone at 0.1": tenth,
    "decay of 0.75 a layer": layer_wise,
    "head alone": head_alone,
}


def halves() -> tuple[Digits, Digits]:
    """Digits 0 to 4, and digits 5 to 9."""
    x, y = load_digits(return_X_y=True)
    x = (x / 16.0).astype("float32")
    is_first = y < CLASSES
    # Whole batches: another size would be compiled for once more.
    first = np.flatnonzero(is_first)[:900]
    return Digits(x[first], y[first]), Digits(x[~is_first], y[~is_first] - CLASSES)


def network() -> Any:
    layers = keras.layers
    backbone = keras.Sequential([keras.Input((64,))], name="backbone")
    for number in range(3):
        backbone.add(layers.Dense(64, activation="relu", name=f"dense_{number}"))
    head = layers.Dense(CLASSES, name="head")
    return keras.Sequential([keras.Input((64,)), backbone, head])


def fit(
    model: Any, optimizer: Any, rows: Digits, epochs: int, rate: float, seed: int
) -> None:
    """Train along a warmup and a cosine whose peak is the rate of the head."""
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer, loss)
    keras.utils.set_random_seed(seed)
    schedule = keras_lr.WarmupCosine(warmup="10%", max_lr=rate)
    model.fit(
        rows.x, rows.y, batch_size=BATCH, epochs=epochs, callbacks=[schedule], verbose=0
    )


def begin(plan: Plan, seed: int) -> Task:
    """Train a net on the first half, give it a new head, and draw the few rows."""
    first, second = halves()
    keras.utils.set_random_seed(seed)
    model = network()
    new_head = model.get_layer("head").get_weights()
    model.get_layer("head").set_weights([np.zeros_like(one) for one in new_head])
    fit(model, one_rate(model), first, plan.pretraining, 3e-3, seed)
    model.get_layer("head").set_weights(new_head)
    generator = np.random.default_rng(seed)
    of_classes = [
        generator.permutation(np.flatnonzero(second.y == each))
        for each in range(CLASSES)
    ]
    most = max(plan.rows)
    held = np.concatenate([rows[most:] for rows in of_classes])
    few = {}
    for number in plan.rows:
        rows = np.concatenate([each[:number] for each in of_classes])
        few[number] = Digits(second.x[rows], second.y[rows])
    return Task(model.get_weights(), few, Digits(second.x[held], second.y[held]))


def fine_tune(
    plan: Plan, way: str, rate: float, task: Task, rows: int, seed: int
) -> float:
    """Train on the few rows, one way: how many percent of held-out rows are right."""
    model = network()
    model.set_weights(task.weights)
    fit(model, WAYS[way](model), task.few[rows], plan.epochs, rate, seed)
    # A single batch: not worth compiling anything for it.
    logits = keras.ops.convert_to_numpy(model(task.held.x))
    return 100 * float(np.mean(logits.argmax(axis=1) == task.held.y))


def tune(plan: Plan) -> dict[int, dict[str, Any]]:
    """The mean accuracy at each rate, by rows and way, on the seeds apart."""
    found = {
        rows: {way: np.zeros(len(plan.rates)) for way in plan.ways}
        for rows in plan.rows
    }
    for seed in range(APART, APART + plan.tuning_seeds):
        task = begin(plan, seed)
        for rows in plan.rows:
            for way in plan.ways:
                for number, rate in enumerate(plan.rates):
                    accuracy = fine_tune(plan, way, rate, task, rows, seed)
                    found[rows][way][number] += accuracy / plan.tuning_seeds
    return found


def compare(plan: Plan, tuned: dict[int, dict[str, Any]]) -> dict[int, dict[str, Any]]:
    """The accuracy of each seed, by rows and way, at the rates that are best."""
    found: dict[int, dict[str, Any]] = {
        rows: {way: np.zeros(plan.seeds) for way in plan.ways} for rows in plan.rows
    }
    for seed in range(plan.seeds):
        task = begin(plan, seed)
        for rows in plan.rows:
            for way in plan.ways:
                rate = best_rate(plan, tuned[rows][way])
                accuracy = fine_tune(plan, way, rate, task, rows, seed)
                found[rows][way][seed] = accuracy
    return found


def best_rate(plan: Plan, accuracies: Any) -> float:
    return plan.rates[int(np.argmax(accuracies))]


def error_of(values: Any) -> float:
    """The standard error of a mean; 0 where there is one value."""
    if len(values) < 2:
        return 0.0
    return float(np.std(values, ddof=1) / np.sqrt(len(values)))


def table(plan: Plan, rows: int, tuned: dict[str, Any], scores: dict[str, Any]) -> str:
    lines = [f"{rows} rows of each class       rate  accuracy    against one rate"]
    for way, each in scores.items():
        line = f"{way:23}  {best_rate(plan, tuned[way]):6g}  {each.mean():6.1f} %"
        if way != "one rate":
            gains = each - scores["one rate"]
            line += f"    {gains.mean():+.1f} +- {error_of(gains):.1f} points"
            line += f", better in {(gains > 0).sum()} of {len(gains)}"
        lines.append(line)
    return "\n".join(lines)


def draw_rates(axes: Any, plan: Plan, tuned: dict[str, Any]) -> None:
    for number, (way, accuracies) in enumerate(tuned.items()):
        color = f"C{number}"
        axes.plot(plan.rates, accuracies, marker=".", color=color, label=way)
        best = best_rate(plan, accuracies)
        axes.plot(best, accuracies.max(), "o", color=color, markersize=9)
    axes.set(xscale="log", xlabel="peak rate of the head", ylim=(15, 100))
    axes.grid(alpha=0.3)


def draw_gains(axes: Any, scores: dict[str, Any]) -> None:
    others = [way for way in scores if way != "one rate"]
    for place, way in enumerate(others):
        color = f"C{place + 1}"
        gains = scores[way] - scores["one rate"]
        beside = place + np.linspace(-0.25, 0.15, len(gains))
        axes.plot(beside, gains, "o", color=color, alpha=0.5, markersize=5)
        axes.errorbar(
            place + 0.3, gains.mean(), error_of(gains), fmt="s", color=color, capsize=4
        )
    axes.axhline(0, color="0.4", linewidth=1)
    axes.set_xticks(range(len(others)), others, fontsize="small")
    axes.set_xlim(-0.5, len(others) - 0.5)
    axes.grid(alpha=0.3, axis="y")


def draw(plan: Plan, tuned: Any, scores: Any, path: Path) -> None:
    figure = Figure(figsize=(9, 7), layout="constrained")
    above, below = figure.subplots(2, len(plan.rows), squeeze=False, sharey="row")
    for rates, gains, rows in zip(above, below, plan.rows, strict=True):
        draw_rates(rates, plan, tuned[rows])
        draw_gains(gains, scores[rows])
        rates.set_title(f"{rows} rows of each class to train on")
    above[0].set_ylabel("accuracy on seeds apart, %")
    below[0].set_ylabel("points of accuracy over one rate")
    below[0].set_title(f"{plan.seeds} seeds, mean and its standard error", loc="left")
    above[0].legend(fontsize="small")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=100)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fast", action="store_true", help="one seed, two of the ways")
    parser.add_argument("--out", type=Path, default=Path("out"), help="for the picture")
    options = parser.parse_args()
    rates = (1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1, 1.0)
    plan = Plan(10, 5, rates, pretraining=15, epochs=60, rows=(2, 8), ways=tuple(WAYS))
    if options.fast:
        plan = Plan(1, 0, (3e-3,), 1, epochs=2, rows=(2,), ways=tuple(WAYS)[:2])
    tuned = tune(plan)
    scores = compare(plan, tuned)
    for rows in plan.rows:
        print(table(plan, rows, tuned[rows], scores[rows]))
    picture = options.out / "fine_tune.png"
    draw(plan, tuned, scores, picture)
    print(f"Picture: {picture}")


if __name__ == "__main__":
    main()
