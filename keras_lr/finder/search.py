"""``find_lr``: a sweep, then short trainings that verify and correct its answer."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np

from keras_lr.finder.batches import batches_for
from keras_lr.finder.borrowed import Borrowed, optimizers_chosen
from keras_lr.finder.budget import planned_updates, updates_of
from keras_lr.finder.climb import Seen, lengths, search
from keras_lr.finder.judge import LEAST
from keras_lr.finder.lr_finder import divisor
from keras_lr.finder.plan import SweepPlan, check_schedule, comes_down, in_small
from keras_lr.finder.probe import Probe
from keras_lr.finder.progress import Progress
from keras_lr.finder.result import LRFinderResult
from keras_lr.finder.sweep import Sweep
from keras_lr.finder.trainings import Trainings
from keras_lr.finder.verdict import Evidence, verdict_of
from keras_lr.fit import keras_names
from keras_lr.fit.building import Building
from keras_lr.fit.choice import names_of
from keras_lr.fit.feed import Given
from keras_lr.fit.loan import end_or_refuse
from keras_lr.plan.duration import Duration
from keras_lr.schedule import Schedule


def find_lr(
    model: Any,
    x: Any,
    y: Any = None,
    *,
    batch_size: int | None = None,
    sample_weight: Any = None,
    class_weight: Any = None,
    schedule: Schedule | None = None,
    epochs: int | None = None,
    optimizer: str | None = None,
    validation_data: Any = None,
    budget: Duration = 800,
    seed: int = 0,
    set_rate: bool = False,
    memory_limit: float = 2**30,
    verbose: int = 1,
) -> LRFinderResult:
    """Find the learning rate to train a model at, and give the model back unchanged."""
    check_schedule(schedule)
    optimizers = optimizers_chosen(model, optimizer)
    end_or_refuse(model)
    own = _own_rates(optimizers, set_rate)
    each = optimizers[0].gradient_accumulation_steps or 1
    size = batch_size or 32
    given = Given(x, y, sample_weight, size, class_weight)
    spend = updates_of(budget, x, schedule, size, each)
    planned = planned_updates(epochs, x, schedule, size, each)
    swept_updates = max(LEAST, spend // 5)
    left = spend - swept_updates
    plan = SweepPlan(steps=swept_updates)
    longest = max(swept_updates, *lengths(left))
    progress = Progress(verbose)

    with ExitStack() as exits:
        exits.enter_context(_history_kept(model))
        building = Building(model)
        exits.callback(building.end)
        data = batches_for(
            model, given, longest * each, validation_data, seed, memory_limit, building
        )
        _check_trainable(model)
        borrowed = Borrowed(
            model,
            longest,
            memory_limit,
            lambda: True,
            alone=False,
            optimizer=optimizer,
            loss=_name_of_loss(optimizer),
        )
        exits.callback(borrowed.give_back)
        borrowed.begin(plan.values(plan.steps), quick=True)
        unused = _unused(model, optimizer)
        trainings = Trainings(model, borrowed, data, unused)
        is_trained = borrowed.begun_updates > 0
        progress.begin_sweep(swept_updates)
        start = trainings.begin()
        if not math.isfinite(start.loss):
            raise ValueError(
                "The loss must be finite before any training. Received: a held-out "
                f"loss of {start.loss}, with finite data. Look at the model and its "
                "loss."
            )
        sweep = Sweep(plan, borrowed, swept_updates)

        borrowed.again(plan.values(plan.steps), quick=True)
        trainings.fit(swept_updates, sweep.look)
        sweep.finish()
        over = divisor(schedule)
        swept = sweep.judge(over)
        fallen = swept.suggestions.get("zero_lag")
        probes = _Probes(trainings, schedule, left, progress)
        summit = search(
            probes,
            updates=left,
            start=start,
            first=None if fallen is None else fallen * over,
            looks_wide=swept.verdict != "trust",
            planned=planned,
            comes_down=comes_down(schedule),
        )
        verdict = verdict_of(
            Evidence(
                start=start,
                best=summit.seen,
                swapped=probes.swapped,
                rows=sum(data.held.rows),
                is_given=validation_data is not None,
                is_trained=is_trained,
                is_doubtful=swept.verdict in ("flat", "noisy") or data.is_constant,
                lowest_rate=min(probe.lr for probe in probes.seen),
            )
        )

    is_sure = verdict.name == "trust"
    result = dataclasses.replace(
        swept,
        suggestion=summit.rate if is_sure else None,
        interval=summit.interval if is_sure else None,
        verdict=verdict.name,
        reason=verdict.reason,
        probes=tuple(sorted(probes.seen, key=lambda one: (one.lr, one.updates))),
        steps=swept.steps + sum(probe.updates for probe in probes.seen),
        start=start.loss,
        batches_drawn=data.drawn,
    )
    if set_rate and result.suggestion is not None:
        _set_rates(optimizers, own, result.suggestion)
    progress.end(result)
    return result


class _Probes:
    """The trainings that a search asks for, as it asks for them.

    Attributes:
        seen: Each, in the order they were run.
        swapped: What is seen of the best long one with the targets of other rows.
    """

    def __init__(
        self,
        trainings: Trainings,
        schedule: Schedule | None,
        updates: int,
        progress: Progress,
    ) -> None:
        self._trainings = trainings
        self._schedule = schedule
        self._left = updates
        self._progress = progress
        self._lowest = math.inf
        self.seen: list[Probe] = []
        self.swapped: Seen | None = None

    def __call__(self, rate: float, updates: int, follows: bool) -> Seen:
        """Run one."""
        self._progress.begin_training(rate, updates, self._left)
        shape = in_small(self._schedule, updates) if follows else np.ones(updates)
        seen, spent = self._trainings.probe(rate * shape)
        if follows and seen.loss < self._lowest:
            self._lowest = seen.loss
            self.swapped = self._trainings.evaluate_swapped()
        is_scheduled = follows and self._schedule is not None
        probe = Probe(rate, seen.loss, spent, updates, is_scheduled)
        self.seen.append(probe)
        self._left -= updates
        self._progress.end_training(probe)
        return seen


def _unused(model: Any, optimizer: str | None) -> str:
    name = "model.optimizer" if optimizer is None else f"model.{optimizer}"
    others = ", ".join(repr(one) for one in names_of(model))
    step = f"Name the one that it uses: optimizer={others}." if others else ""
    return (
        f"The model's train_step must update weights by {name}, else its rate cannot "
        f"be searched. Received: {type(model).__name__}, whose train_step does not. "
        f"{step}"
    )


def _check_trainable(model: Any) -> None:
    if not model.trainable_variables:
        raise ValueError(
            "A model needs something to train. Received: "
            f"{type(model).__name__} {model.name!r} without trainable weights. Set "
            "`trainable` of its layers to True and compile it anew."
        )


def _name_of_loss(optimizer: str | None) -> str:
    """What the logs call the loss that an optimizer is to bring down."""
    return "loss" if optimizer is None else optimizer.replace("optimizer", "loss")


def _own_rates(optimizers: list[Any], set_rate: bool) -> list[float | None]:
    """The rates of optimizers, once it is sure that they can be searched."""
    own = [keras_names.own_rate(one) for one in optimizers]
    if set_rate and None in own:
        raise ValueError(
            "`set_rate` needs an optimizer whose rate is a number. Received: one that "
            "was compiled with a schedule. Compile it with a number."
        )
    return own


@contextmanager
def _history_kept(model: Any) -> Iterator[None]:
    """A context that leaves the model the history of its last fit."""
    had = hasattr(model, "history")
    history = getattr(model, "history", None)
    try:
        yield
    finally:
        if had:
            model.history = history
        elif hasattr(model, "history"):
            del model.history


def _set_rates(optimizers: list[Any], own: list[float | None], rate: float) -> None:
    """The highest rate gets the new one; the others keep their ratio to it."""
    highest = max(one or 0.0 for one in own) or 1.0
    for optimizer, one in zip(optimizers, own, strict=True):
        optimizer.learning_rate = rate * ((one or 0.0) / highest or 1.0)
