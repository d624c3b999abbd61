"""``find_lr``: a sweep, then short trainings that verify and correct its answer."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from concurrent.futures import Executor
from contextlib import ExitStack
from functools import partial
from typing import Any, overload

import numpy as np

from keras_lr.finder.batches import batches_for, batches_of_an_epoch
from keras_lr.finder.borrowed import Borrowed, optimizers_chosen
from keras_lr.finder.budget import planned_updates, updates_of
from keras_lr.finder.by_batch import BatchSizesResult, checked_sizes, search_each
from keras_lr.finder.climb import climb, lengths, sweep_updates
from keras_lr.finder.lr_finder import divisor
from keras_lr.finder.own_rates import own_rates, remember, set_rates
from keras_lr.finder.plan import (
    SweepPlan,
    check_schedule,
    check_trainable,
    comes_down,
)
from keras_lr.finder.progress import Progress
from keras_lr.finder.reasons import FOR_SEARCH
from keras_lr.finder.remote import Judging, pack_search
from keras_lr.finder.result import LRFinderResult
from keras_lr.finder.runners import Sent, check_runner, sent_to
from keras_lr.finder.sweep import Sweep
from keras_lr.finder.trainings import Here, Probes, Trainings, Work
from keras_lr.finder.verdict import Evidence, verdict_of
from keras_lr.fit import processes
from keras_lr.fit.building import Building
from keras_lr.fit.choice import names_of
from keras_lr.fit.feed import Given
from keras_lr.fit.loan import end_or_refuse
from keras_lr.fit.snapshot import history_kept
from keras_lr.plan.duration import Duration
from keras_lr.schedule import Schedule


@overload
def find_lr(
    model: Any,
    x: Any,
    y: Any = ...,
    *,
    batch_size: int | None = ...,
    sample_weight: Any = ...,
    class_weight: Any = ...,
    schedule: Schedule | None = ...,
    epochs: int | None = ...,
    optimizer: str | None = ...,
    validation_data: Any = ...,
    budget: Duration = ...,
    seed: int = ...,
    set_rate: bool = ...,
    memory_limit: float = ...,
    runner: Executor | None = ...,
    verbose: int = ...,
) -> LRFinderResult: ...


@overload
def find_lr(
    model: Any,
    x: Any,
    y: Any = ...,
    *,
    batch_size: Sequence[int],
    sample_weight: Any = ...,
    class_weight: Any = ...,
    schedule: Schedule | None = ...,
    epochs: int | None = ...,
    optimizer: str | None = ...,
    validation_data: Any = ...,
    budget: Duration = ...,
    seed: int = ...,
    set_rate: bool = ...,
    memory_limit: float = ...,
    runner: Executor | None = ...,
    verbose: int = ...,
) -> BatchSizesResult: ...


def find_lr(
    model: Any,
    x: Any,
    y: Any = None,
    *,
    batch_size: int | Sequence[int] | None = None,
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
    runner: Executor | None = None,
    verbose: int = 1,
) -> LRFinderResult | BatchSizesResult:
    """Find the learning rate to train a model at, and give the model back unchanged.

    One short sweep (:class:`LRFinder`) finds where the loss falls. Then short trainings
    look a decade to both sides of it, longer ones begin anew at the best of them and
    its neighbours and follow the course of the schedule in small, and what is lowest on
    rows that none was trained on decides (``keras_lr/finder/climb.py``). All
    start from the same weights and see the same batches. The answer is less than what
    they bear best, the less the longer the real training is: say how long, by
    ``epochs`` or the schedule's ``horizon``, if you know it.

    Processes that train one model together (torch.distributed, JAX) all call it, each
    with its own rows, and all get the same answer: what decides is the mean of their
    losses.

    The batches are those that the model's own ``fit`` would make of the data, and the
    step is the lent one that the model keeps: a later search, and a later fit with
    callbacks of this package, compile nothing anew. A fit without them compiles its
    own step, as it would have. It gives the weights, to the bit, that it would have
    given without the search. That is so for a model that was not built as well: the
    search builds it and takes care that the next fit draws as many random numbers.

    One copy of the state is held, the size of the model with its optimizers. Batch
    normalization follows its batches faster (momentum 0.9 at most) during the short
    trainings. Momentum stays where it is, also where the schedule cycles it. Moving
    averages of the weights are not used.

    There is a suggestion where the held-out loss falls by more than chance explains;
    where the sweep saw no fall, or all targets are the same, it must also be higher
    with the targets of other rows.

    Args:
        model: A compiled model, of any kind that ``fit`` trains; it may have been
            trained before. Where its ``train_step`` is your own and no test step knows
            its loss, what is held out is judged by the training step, at rates of 0.
            The loss is the metric ``"loss"``, or what the step returns by that name.
        x: Inputs, as ``fit`` takes them: arrays of any kind, or something that yields
            batches. As many batches are taken as the longest training needs and as are
            held out, 116 at the default budget and never more than it has updates; of a
            generator these are gone. ``result.batches_drawn`` tells how many.
        y: Targets; None where ``x`` yields them.
        batch_size: Rows of a batch of arrays; None for 32. A list of several sizes is
            searched size by size, each with the whole budget, so that the rates can be
            compared: a budget in updates is so many updates at each size.
        sample_weight: Weights of the rows, beside arrays.
        class_weight: Weights of the classes, as in ``fit``. What is held out is judged
            without them.
        schedule: The schedule to train with, which takes the answer as its ``max_lr``;
            None for a constant rate.
        epochs: Epochs that the real training is to have; None where it is not known,
            and the ``horizon`` of the schedule does not tell: then 700 updates are
            assumed, or as many as the search has.
        optimizer: Which optimizer's rate is to be found, for a model that has several:
            the name of an attribute of the model, as ``"d_optimizer"``, or of one of a
            MultiOptimizer. The others train as they are meanwhile. Its loss is then the
            one named alike (``"d_loss"``), if the step tells it. None for all that the
            model was compiled with.
        validation_data: What the trainings are judged on, as in ``fit``; None to hold
            out a fifth of the data, at most 1000 rows or 16 batches.
        budget: Optimizer updates to spend at most, at least 120; or ``"2 epochs"``
            where the data have a length; or ``0.1`` of the planned training where the
            schedule has a ``horizon``. Evaluations do not count.
        seed: Of the rows held out and the order of the others.
        set_rate: Whether the optimizer gets the suggestion, if there is one.
        memory_limit: Bytes up to which a copy of the state stays in memory (a larger
            one is written to a temporary folder of the system), and up to which batches
            are kept, beyond the first five. Batches that are not kept are drawn from
            the data anew for each training; those of a generator are fewer then, and
            repeated.
        runner: Where the trainings after the sweep are run: in this process, one after
            another (None), or side by side by the workers of an ``Executor`` of
            ``concurrent.futures``: a ``ProcessPoolExecutor`` whose processes are
            spawned, or :class:`RayRunner`. It is an executor since that is what Python
            has for it: you decide how many workers there are and where, keep them for
            the next search, and end them. The answer is the same; what a worker was
            doing when it died is done again by another. Workers need the model as Keras
            saves it, and batches that fit into ``memory_limit``.
        verbose: 0 is silent; 1 shows what is being tried, what is left at most, and the
            best so far.

    Returns:
        What was found; ``suggestion`` is None where nothing is to be trusted. Of
        several batch sizes what was found at each, and how the rate grows with them.

    Raises:
        ValueError: If the data, the budget, the loss or the model's step do not allow a
            search: nothing is trainable, the step does not use the optimizer; or if a
            worker cannot have the model as it is here.
        TypeError: If the model's ``fit`` is not that of Keras, or ``runner`` is no
            executor.
        RuntimeError: If three workers died in turn over the same training.

    Example:
        >>> import keras, keras_lr
        >>> keras.utils.set_random_seed(0)
        >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> x = np.linspace(-1, 1, 256).reshape(256, 1)
        >>> result = keras_lr.find_lr(model, x, 3 * x, budget=300, verbose=0)
        >>> result.verdict, result.steps <= 300
        ('trust', True)
    """
    check_schedule(schedule)
    processes.check_connected()
    check_runner(runner)
    optimizers = optimizers_chosen(model, optimizer)
    search = partial(
        _search,
        model,
        optimizers,
        Given(x, y, sample_weight, 32, class_weight),
        schedule=schedule,
        epochs=epochs,
        optimizer=optimizer,
        validation_data=validation_data,
        budget=budget,
        seed=seed,
        set_rate=set_rate,
        memory_limit=memory_limit,
        runner=runner,
        verbose=verbose,
    )
    if not isinstance(batch_size, Sequence | np.ndarray):
        result = search(batch_size or 32)
        remember(model, optimizers, result.suggestion)
        return result
    sizes = checked_sizes(
        batch_size,
        model,
        x,
        y,
        validation_data,
        budget=budget,
        epochs=epochs,
        schedule=schedule,
        each=optimizers[0].gradient_accumulation_steps or 1,
        set_rate=set_rate,
    )
    return search_each(sizes, search)


def _search(
    model: Any,
    optimizers: list[Any],
    data_of_any_size: Given,
    size: int,
    about: str = "",
    *,
    schedule: Schedule | None,
    epochs: int | None,
    optimizer: str | None,
    validation_data: Any,
    budget: Duration,
    seed: int,
    set_rate: bool,
    memory_limit: float,
    runner: Executor | None,
    verbose: int,
) -> LRFinderResult:
    """Search at one batch size."""
    end_or_refuse(model)
    own = own_rates(optimizers, set_rate)
    each = optimizers[0].gradient_accumulation_steps or 1
    given = dataclasses.replace(data_of_any_size, batch_size=size)
    x = given.x
    processes.check_alike("batches in an epoch", batches_of_an_epoch(x, size))
    spend = updates_of(budget, x, schedule, size, each)
    planned = planned_updates(epochs, x, schedule, size, each)
    swept_updates = sweep_updates(spend)
    left = spend - swept_updates
    plan = SweepPlan(steps=swept_updates)
    longest = max(swept_updates, *lengths(left))
    progress = Progress(verbose, about)

    with ExitStack() as exits:
        exits.enter_context(processes.explained())
        exits.enter_context(history_kept(model))
        building = Building(model)
        exits.callback(building.end)
        data = batches_for(
            model, given, longest * each, validation_data, seed, memory_limit, building
        )
        check_trainable(model)
        unused = _unused(model, optimizer)
        sent: Sent | None = None
        if runner is not None:
            pack = partial(
                pack_search,
                model,
                data,
                longest=longest,
                memory_limit=memory_limit,
                optimizer=optimizer,
                loss=_name_of_loss(optimizer),
                unused=unused,
            )
            sent = exits.enter_context(sent_to(runner, pack))
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
        if sent is not None:
            sent.check(start)
        sweep = Sweep(plan, borrowed, swept_updates, progress.look)
        borrowed.again(sweep.rates, quick=True)
        trainings.fit(swept_updates, sweep.look)
        sweep.finish()
        judgement = sweep.judgement(FOR_SEARCH)
        is_lost = judgement.verdict == "diverged early"
        is_doubtful = judgement.verdict in ("flat", "noisy") or data.is_constant
        work: Work = Here(trainings, schedule)
        if sent is not None:
            work = sent.trainings(schedule, Judging(start, is_doubtful))
        probes = Probes(work, schedule, start, is_doubtful, left, progress)
        summit = climb(
            probes,
            updates=left,
            start=start,
            first=None if is_lost else judgement.fallen_rate,
            looks_wide=judgement.verdict == "flat",
            planned=planned,
            comes_down=comes_down(schedule),
            ahead=probes.ahead,
        )
        verdict = verdict_of(
            Evidence(
                start=start,
                best=summit.seen,
                is_off_scale=summit.is_off_scale,
                swapped=probes.swapped,
                rows=data.rows_held,
                is_given=validation_data is not None,
                is_trained=is_trained,
                is_doubtful=is_doubtful,
                lowest_rate=min(probe.lr for probe in probes.seen),
            )
        )

    swept = sweep.result(judgement, divisor(schedule))
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
        set_rates(optimizers, own, result.suggestion)
    progress.end(result)
    return result


def _unused(model: Any, optimizer: str | None) -> str:
    name = "model.optimizer" if optimizer is None else f"model.{optimizer}"
    others = ", ".join(repr(one) for one in names_of(model))
    step = f"Name the one that it uses: optimizer={others}." if others else ""
    return (
        f"The model's train_step must update weights by {name}, else its rate cannot "
        f"be searched. Received: {type(model).__name__}, whose train_step does not. "
        f"{step}"
    )


def _name_of_loss(optimizer: str | None) -> str:
    """What the logs call the loss that an optimizer is to bring down."""
    return "loss" if optimizer is None else optimizer.replace("optimizer", "loss")
