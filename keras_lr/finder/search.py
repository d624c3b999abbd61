"""``find_lr``: a sweep, then short trainings that verify and correct its answer."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from keras_lr.finder.batches import Batches, check_finite, draw
from keras_lr.finder.borrowed import Borrowed
from keras_lr.finder.budget import updates_of
from keras_lr.finder.climb import STEP, Summit, climb, lengths
from keras_lr.finder.judge import LEAST, Verdict
from keras_lr.finder.lr_finder import divisor
from keras_lr.finder.plan import SweepPlan, check_schedule, comes_down, in_small
from keras_lr.finder.result import LRFinderResult
from keras_lr.finder.sweep import Sweep
from keras_lr.finder.trainings import Trainings, is_real
from keras_lr.fit import keras_names
from keras_lr.fit.choice import optimizers_of
from keras_lr.fit.loan import end_or_refuse
from keras_lr.fit.snapshot import random_state
from keras_lr.plan.curves import FloatArray
from keras_lr.plan.duration import Duration
from keras_lr.schedule import Schedule

#: The rate where a sweep's loss has fallen over that of the first probe.
FIRST = 3.0
#: Of the best rate of the probes: what a long training bears, where the rate stays and
#: where it comes down (tuned on the tasks of ``benchmarks/finder`` that are marked so).
STAYS, COMES_DOWN = 0.47, 0.68


def find_lr(
    model: Any,
    x: Any,
    y: Any = None,
    *,
    batch_size: int | None = None,
    sample_weight: Any = None,
    schedule: Schedule | None = None,
    validation_data: Any = None,
    budget: Duration = 800,
    seed: int = 0,
    set_rate: bool = False,
    memory_limit: float = 2**30,
    verbose: int = 1,
) -> LRFinderResult:
    """Find the learning rate to train a model at, and give the model back unchanged.

    One sweep (:class:`LRFinder`) finds where the loss falls. Then short trainings look
    a decade and a third to both sides of it, the best goes on for three times as long
    beside its neighbours, and what is lowest on rows that none was trained on is the
    answer (:func:`~keras_lr.finder.climb.climb`). All start from the same weights and
    see the same batches. The long ones follow the course of the schedule in small; the
    answer is less than what they bear best, 0.47 of it for a rate that stays and 0.68
    for the peak of one that comes down, since the real training is longer.

    One copy of the state is held, the size of the model with its optimizer: going on
    means to train again from the start, over the same states. Batch normalization
    follows its batches faster (momentum 0.9 at most) while the probes run: they are too
    short for more. Momentum stays where it is, also where the schedule cycles it.

    There is no suggestion where the held-out loss falls by no more than chance; nor,
    where the sweep saw no fall, if it is as low with the targets of other rows.

    Args:
        model: A compiled model; it may have been trained.
        x: Inputs: arrays, or something that yields batches (a ``tf.data.Dataset``, a
            ``PyDataset``, a ``DataLoader``, a generator), of which as many as the
            longest training needs are kept in memory.
        y: Targets; None where ``x`` yields them.
        batch_size: Examples of a batch of arrays; None for 32.
        sample_weight: Weights of the rows, beside arrays.
        schedule: The schedule to train with, which takes the answer as its ``max_lr``;
            None for a constant rate.
        validation_data: What the probes are judged on, as in ``fit``; None to hold out
            a fifth of the data, at most 1000 rows or 32 batches.
        budget: Optimizer updates to spend at most, at least 120; or ``"2 epochs"``
            where the data have a length; or ``0.1`` of the planned training where the
            schedule has a ``horizon``. Evaluations do not count.
        seed: Of the rows held out and the order of the others.
        set_rate: Whether the optimizer gets the suggestion, if there is one.
        memory_limit: Bytes up to which a copy of the state stays in memory; a larger
            one is written to a temporary folder of the system.
        verbose: 0 is silent; 1 shows what is being done and how long it will take.

    Returns:
        What was found; ``suggestion`` is None where nothing is to be trusted.

    Raises:
        ValueError: If the data, the budget or the loss do not allow a search.

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
    optimizers_of(model)
    end_or_refuse(model)
    own = _own_rates(model, set_rate)
    batches_each = optimizers_of(model)[0].gradient_accumulation_steps or 1
    size = batch_size or 32
    given = tuple(part for part in (x, y, sample_weight) if part is not None)
    spend = updates_of(budget, x, schedule, size, batches_each)
    swept_updates = max(LEAST, spend // 5)
    left = spend - swept_updates
    plan = SweepPlan(steps=swept_updates)
    longest = max(swept_updates, *lengths(left))
    say = print if verbose else _silent
    begun = time.monotonic()

    with (
        _batches(model, given, size, longest * batches_each, validation_data, seed) as (
            train,
            held,
        ),
        _borrowed(model, plan, longest, memory_limit) as borrowed,
    ):
        trainings = Trainings(model, borrowed, train, held)
        say(f"find_lr: sweep of {swept_updates} updates ...")
        start, before = trainings.evaluate()
        if not math.isfinite(start):
            raise ValueError(
                "The loss must be finite before any training. Received: a held-out "
                f"loss of {start}, with finite data. Look at the model and its loss."
            )
        sweep = Sweep(plan, borrowed, swept_updates)
        trainings.fit(swept_updates, sweep.look)
        sweep.finish()
        over = divisor(schedule)
        swept = sweep.judge(over)
        fallen = swept.suggestions.get("zero_lag")
        if fallen is None or swept.verdict == "diverged early":
            say(f"find_lr: {swept}")
            return swept
        doubtful = swept.verdict in ("flat", "noisy")
        first = fallen * over / FIRST
        probes = _Probes(trainings, first, schedule, left, doubtful, say)
        summit = climb(probes, left, start)

    factor = COMES_DOWN if comes_down(schedule) else STAYS
    found = _found(probes, summit, factor, start, before)
    if set_rate and found["suggestion"] is not None:
        _set_rates(model, own, found["suggestion"])
    steps = swept.steps + sum(one["updates"] for one in probes.seen)
    order = sorted(probes.seen, key=lambda one: (one["lr"], one["updates"]))
    result = dataclasses.replace(swept, probes=tuple(order), steps=steps, **found)
    say(f"find_lr: {result} {time.monotonic() - begun:.0f} s.")
    return result


class _Probes:
    """The trainings that a climb asks for, as it asks for them: by point and length.

    Attributes:
        seen: Peak rate, held-out loss and updates of each, in the order they were run.
        batches: The held-out losses of the batches, of the best long one.
        swapped: Those with the targets of other rows, where the sweep was doubtful.
    """

    def __init__(
        self,
        trainings: Trainings,
        first: float,
        schedule: Schedule | None,
        updates: int,
        doubtful: bool,
        say: Any,
    ) -> None:
        self._trainings, self._first, self._say = trainings, first, say
        self._doubtful = doubtful
        self._shapes = {
            # Too short for a course of its own: how high may the rate be at all?
            False: np.ones(lengths(updates)[0]),
            True: in_small(schedule, lengths(updates)[1]),
        }
        self._updates, self._spent = updates, 0
        self._begun, self._lowest = time.monotonic(), math.inf
        self.seen: list[dict[str, Any]] = []
        self.batches: FloatArray = np.zeros(0)
        self.swapped: FloatArray | None = None

    def rate(self, place: float) -> float:
        """The rate at a point, or between two."""
        return self._first * float(STEP**place)

    def __call__(self, point: int, long: bool) -> float:
        """Run one."""
        rate, shape = self.rate(point), self._shapes[long]
        loss, losses, updates = self._trainings.probe(rate * shape)
        if long and loss < self._lowest:
            self._lowest, self.batches = loss, losses
            if self._doubtful:
                self.swapped = self._trainings.evaluate(swapped=True)[1]
        self.seen.append({"lr": rate, "loss": loss, "updates": updates})
        self._spent += len(shape)
        left = (time.monotonic() - self._begun) * (self._updates / self._spent - 1)
        self._say(
            f"find_lr: probe {len(self.seen)}, {updates} updates at {rate:.2e}, "
            f"held-out loss {loss:.4g}, at most {left:.0f} s left"
        )
        return loss


def _found(
    probes: _Probes, summit: Summit, factor: float, start: float, before: FloatArray
) -> dict[str, Any]:
    """Verdict, reason, suggestion and interval, from how far the held-out loss fell."""
    falls = f"the held-out loss from {start:.4g} to {summit.loss:.4g}"
    if not (summit.loss < start and is_real(before, probes.batches)):
        noisy = float(np.std(before)) > 0.05 * abs(start)
        return _nothing(
            "noisy" if noisy else "flat",
            f"the best probe brought {falls}, which noise explains as well: use larger "
            "batches or a larger budget",
        )
    if probes.swapped is not None and not is_real(probes.swapped, probes.batches):
        return _nothing(
            "flat",
            f"the best probe brought {falls}, and as low with the targets of other "
            "rows: it learned nothing of the inputs",
        )
    rate = probes.rate(summit.place) * factor
    # The tried rates that were nearly as good as the best, and the answer.
    near = [rate, *(probes.rate(k) * factor for k in summit.good)]
    return {
        "verdict": "trust",
        "reason": f"the best probe brought {falls}",
        "suggestion": rate,
        "interval": (min(near), max(near)),
    }


def _nothing(verdict: Verdict, reason: str) -> dict[str, Any]:
    none = {"suggestion": None, "interval": None}
    return {"verdict": verdict, "reason": reason, **none}


def _own_rates(model: Any, set_rate: bool) -> list[float | None]:
    """The rates of a model's optimizers, once it is sure that they can be searched."""
    own = [keras_names.own_rate(one) for one in optimizers_of(model)]
    if set_rate and None in own:
        raise ValueError(
            "`set_rate` needs an optimizer whose rate is a number. Received: one that "
            "was compiled with a schedule. Compile it with a number."
        )
    return own


@contextmanager
def _batches(
    model: Any, given: Any, size: int, count: int, validation: Any, seed: int
) -> Iterator[tuple[Batches, Batches]]:
    """Batches to train on and to judge on, and the random state as it was before."""
    again = random_state()
    try:
        train, held = draw(given, size, count, validation, seed)
        check_finite(train, held)
        keras_names.build(model, train[0])
        yield train, held
    finally:
        again()


@contextmanager
def _borrowed(
    model: Any, plan: SweepPlan, updates: int, memory_limit: float
) -> Iterator[Borrowed]:
    """A built model on loan for many fits, of which nothing is left."""
    had = hasattr(model, "history")
    history = getattr(model, "history", None)
    borrowed = Borrowed(model, updates, memory_limit, lambda: True, alone=False)
    try:
        borrowed.begin(plan.values(plan.steps), quick=True)
        yield borrowed
    finally:
        borrowed.give_back()
        if had:
            model.history = history
        elif hasattr(model, "history"):
            del model.history


def _set_rates(model: Any, own: list[float | None], rate: float) -> None:
    """The highest rate gets the new one; the others keep their ratio to it."""
    highest = max(one or 0.0 for one in own) or 1.0
    for optimizer, one in zip(optimizers_of(model), own, strict=True):
        optimizer.learning_rate = rate * ((one or 0.0) / highest or 1.0)


def _silent(text: str) -> None:
    """Say nothing."""
