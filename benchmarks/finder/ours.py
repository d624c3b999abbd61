"""What our own finders say, and how long they take beside a training."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

import keras_lr
from benchmarks.finder.short import swept
from benchmarks.finder.tasks import Task
from benchmarks.finder.train import Trainer
from keras_lr.finder.judge import judge
from keras_lr.finder.lr_finder import divisor

ALONE = "LRFinder, sweep alone"
FULL = "find_lr"
TOLD = "find_lr, told the `epochs`"
PLANS = {"constant": None, "one-cycle": keras_lr.OneCycle()}


def sweep_alone(trainer: Trainer, seed: int) -> dict[str, float | None]:
    """What ``LRFinder`` suggests after a sweep of its own, by schedule.

    Trained by the benchmark's own loop, which is faster, and judged as ever.
    """
    rates = keras_lr.LRFinder().values()
    losses = swept(trainer, seed, rates)
    fallen = judge(rates, losses, len(rates)).fallen_rate
    return {
        schedule: None if fallen is None else fallen / divisor(plan)
        for schedule, plan in PLANS.items()
    }


def found_by_find_lr(
    trainer: Trainer, seed: int, *, knows_length: bool
) -> dict[str, Any]:
    """The result of the real ``find_lr`` with its defaults, by schedule.

    Args:
        trainer: Of the task.
        seed: Of the weights, and of what is held out.
        knows_length: Whether it is told how long the task's training is.
    """
    task = trainer.task
    x, y = trainer.data[:2]
    model = compiled(task, seed)
    return {
        schedule: keras_lr.find_lr(
            model,
            x,
            y,
            batch_size=task.batch_size,
            schedule=plan,
            epochs=planned_epochs(task, len(x)) if knows_length else None,
            seed=seed,
            verbose=0,
        )
        for schedule, plan in PLANS.items()
    }


def planned_epochs(task: Task, rows: int) -> int:
    """Length of the task's whole training, over all training rows."""
    return max(1, round(task.updates / (rows // task.batch_size)))


def compiled(task: Task, seed: int) -> Any:
    """A model of the task as a user would have it, with the weights of a seed."""
    keras.utils.set_random_seed(seed)
    model = task.model()
    model.compile(task.optimizer(), task.loss())
    return model


def relative_times(trainer: Trainer) -> dict[str, float]:
    """Time of our two over that of the whole training, each compiled anew."""
    task = trainer.task
    x, y = trainer.data[:2]
    given: dict[str, Any] = {"batch_size": task.batch_size, "verbose": 0}

    def timed(train: Callable[[Any], Any]) -> float:
        model = compiled(task, 0)
        begun = time.perf_counter()
        train(model)
        return time.perf_counter() - begun

    def fit(model: Any, updates: int, *callbacks: Any) -> None:
        rows = np.resize(np.arange(len(x)), updates * task.batch_size)
        model.fit(x[rows], y[rows], callbacks=list(callbacks), **given)

    finder = keras_lr.LRFinder(verbose=0)
    whole = timed(lambda model: fit(model, task.updates))
    sweep = timed(lambda model: fit(model, finder.steps, finder))
    search = timed(lambda model: keras_lr.find_lr(model, x, y, **given))
    return {ALONE: sweep / whole, FULL: search / whole}
