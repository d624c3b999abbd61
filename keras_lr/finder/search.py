"""``find_lr``: a sweep, then short trainings that verify and correct its answer."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np

from keras_lr import _optimizer, _trainer
from keras_lr.duration import Duration, parse
from keras_lr.finder._batches import (
    Batches,
    batches_of_an_epoch,
    check_finite,
    draw,
)
from keras_lr.finder._borrowed import Borrowed
from keras_lr.finder._run import LEAST_APART, Sweep
from keras_lr.finder.judge import LEAST, SURE
from keras_lr.finder.result import LRFinderResult
from keras_lr.finder.rules import FloatArray
from keras_lr.finder.sweep import LRFinder, divisor
from keras_lr.schedule import Schedule

#: Updates of the sweep at most, and probes at most.
SWEEP, PROBES = 200, 10
#: Step of the search: a third of a decade.
STEP = 10 ** (1 / 3)
#: The rate of the sweep's minimum over that of the first probe.
FIRST = 6.0
#: Of the best probe: what lasts, when the rate stays where it is (tuned on the tasks of
#: ``benchmarks/finder`` that are marked so; a short training bears a higher rate than a
#: long one, unless the rate comes down at the end).
STAYS, COMES_DOWN = 0.4, 1.0


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

    One sweep (:class:`LRFinder`) finds where the loss is lowest. Then short trainings
    at constant rates, all from the same weights and on the same batches, look a decade
    and a third to both sides, and further while the edge wins; the parabola through the
    best and its neighbours at a third of a decade, judged on rows that none was trained
    on, gives the rate. A rate that
    stays where it is gets 0.4 of it, since what a long training bears is less; the peak
    of a schedule that comes down gets all of it.

    One copy of the state is held: the size of the model with its optimizer. Batch
    normalization follows its batches faster (momentum 0.9 at most) while the probes
    run: they are too short for more.

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
    own = _own_rates(model, schedule, set_rate)
    batches_each = _optimizer.optimizers_of(model)[0].gradient_accumulation_steps or 1
    size = batch_size or 32
    given = tuple(part for part in (x, y, sample_weight) if part is not None)
    spend = _budget(budget, x, schedule, (size, batches_each))
    sweep_updates = min(SWEEP, max(LEAST, spend // 4))
    probe_updates = (spend - sweep_updates) // PROBES
    finder = LRFinder(steps=sweep_updates, schedule=schedule, verbose=0)
    count = max(sweep_updates, probe_updates)
    say = print if verbose else _silent
    begun = time.monotonic()

    with (
        _batches(model, given, size, count * batches_each, validation_data, seed) as (
            train,
            held,
        ),
        _borrowed(model, finder, count, memory_limit) as borrowed,
    ):

        def fit(updates: int, look: Callable[[int], bool]) -> None:
            data = train.first(updates * batches_each)
            model.fit(data, shuffle=False, verbose=0, callbacks=[_Watch(look)])

        say(f"find_lr: sweep of {sweep_updates} updates ...")
        start, before = _evaluate(model, held)
        if not math.isfinite(start):
            raise ValueError(
                "The loss must be finite before any training. Received: a held-out "
                f"loss of {start}, with finite data. Look at the model and its loss."
            )
        sweep = Sweep(finder, borrowed, sweep_updates)
        fit(sweep_updates, sweep.look)
        sweep.finish()
        swept = sweep.judge(divisor(schedule))
        lowest = swept.suggestions.get("zero_lag")
        if lowest is None or swept.verdict in ("flat", "diverged early"):
            say(f"find_lr: {swept}")
            return swept
        first = lowest * divisor(schedule) / FIRST
        probes: list[dict[str, float]] = []
        after: dict[float, FloatArray] = {}
        clock = time.monotonic()

        def lost(batch: int) -> bool:
            # Now and then: each look waits for the device.
            due = batch % LEAST_APART == 0
            return due and not np.isfinite(borrowed.seen()[0]).all()

        def probe(k: int) -> float:
            rate = first * STEP**k
            borrowed.again(np.full(probe_updates, rate))
            fit(probe_updates, lost)
            updates = borrowed.spent()
            loss, losses = _evaluate(model, held)
            if updates < probe_updates or not math.isfinite(loss):
                loss = math.inf
            after[loss] = losses
            probes.append({"lr": rate, "loss": loss, "updates": updates})
            each = (time.monotonic() - clock) / len(probes)
            left = each * (PROBES - len(probes))
            say(
                f"find_lr: probe {len(probes)} at {rate:.2e}, held-out loss "
                f"{loss:.4g}, at most {left:.0f} s left"
            )
            return loss

        factor = COMES_DOWN if divisor(schedule) < 10 else STAYS
        place, best, near = climb(probe, PROBES)
        rate = first * STEP**place * factor
        steps = swept.steps + int(sum(one["updates"] for one in probes))
        real = best < start and _is_real(before, after[best])
        noisy = float(np.std(before)) > 0.05 * abs(start)
        found = _found(rate, start, best, real, noisy)
        if found["suggestion"] is not None:
            # The tried rates that kept nine tenths of the best fall, and the answer.
            good = [first * STEP**k * factor for k in near(best + (start - best) / 10)]
            found["interval"] = (min([*good, rate]), max([*good, rate]))
    if set_rate and found["suggestion"] is not None:
        _set_rates(model, own, found["suggestion"])
    probes.sort(key=lambda one: one["lr"])
    result = dataclasses.replace(swept, probes=tuple(probes), steps=steps, **found)
    say(f"find_lr: {result} {time.monotonic() - begun:.0f} s.")
    return result


def climb(
    probe: Callable[[int], float], most: int
) -> tuple[float, float, Callable[[float], list[int]]]:
    """Find the lowest value on a grid by asking for few of its points.

    Points 0, -2, 2, -4 and 4 first, since there may be more than one valley; then two
    further while an edge wins, then the neighbours of the best; then the vertex of the
    parabola through the best and its neighbours.

    Args:
        probe: Value of a point; infinite where there is none.
        most: Points to ask for at most, at least 5.

    Returns:
        The place of the lowest value, the value, and a function that gives the asked
        points whose value is at most a bound.

    Example:
        >>> place, best, near = climb(lambda k: (k - 3.2) ** 2, 10)
        >>> round(place, 6), round(best, 2), near(1.0)
        (3.2, 0.04, [3, 4])
    """
    seen = {k: probe(k) for k in (0, -2, 2, -4, 4)}
    while len(seen) < most:
        best = min(seen, key=lambda k: seen[k])
        edge = {max(seen): best + 2, min(seen): best - 2}
        if best in edge and math.isfinite(seen[best]):
            ask = edge[best]
        elif not math.isfinite(seen[best]):
            ask = min(seen) - 2
        else:
            missing = [k for k in (best - 1, best + 1) if k not in seen]
            if not missing:
                break
            ask = missing[0]
        seen[ask] = probe(ask)
    best = min(seen, key=lambda k: seen[k])
    place, low = float(best), seen[best]
    left, right = seen.get(best - 1, math.inf), seen.get(best + 1, math.inf)
    if math.isfinite(left) and math.isfinite(right) and left + right > 2 * low:
        place += 0.5 * (left - right) / (left - 2 * low + right)
    return place, low, lambda bound: sorted(k for k in seen if seen[k] <= bound)


def _is_real(before: FloatArray, after: FloatArray) -> bool:
    """Whether the losses of the batches held out fell, and not by chance.

    By the relative fall of each batch and its standard error: batches of quite
    different losses count alike, and a few rows that lie far off cannot decide.
    """
    sizes = np.maximum(np.abs(before) + np.abs(after), 1e-30)
    falls = (before - after) / sizes
    error = np.std(falls) / math.sqrt(max(1, len(falls) - 1))
    return bool(falls.mean() > SURE * error + 1e-5)


def _found(
    rate: float, start: float, best: float, real: bool, noisy: bool
) -> dict[str, Any]:
    """Verdict, reason and suggestion, from how far the held-out loss fell."""
    if not real:
        verdict = "noisy" if noisy else "flat"
        reason = (
            f"no probe brought the held-out loss from {start:.4g} down by more than "
            f"noise explains (best {best:.4g}): use larger batches or a larger budget"
        )
        return {
            "verdict": verdict,
            "reason": reason,
            "suggestion": None,
            "interval": None,
        }
    reason = f"the best probe brought the held-out loss from {start:.4g} to {best:.4g}"
    return {"verdict": "trust", "reason": reason, "suggestion": rate}


def _own_rates(model: Any, schedule: Any, set_rate: bool) -> list[float | None]:
    """The rates of a model's optimizers, once it is sure that they can be searched."""
    optimizers = _optimizer.optimizers_of(model)
    _optimizer.release(model)
    own = [_optimizer.Lent(one, True, False).own_rate for one in optimizers]
    if set_rate and None in own:
        raise ValueError(
            "`set_rate` needs an optimizer whose rate is a number. Received: one that "
            "was compiled with a schedule. Compile it with a number."
        )
    if schedule is not None and not isinstance(schedule, Schedule):
        raise TypeError(
            "`schedule` must be a keras_lr schedule, as OneCycle(), or None for a "
            f"constant rate. Received: schedule={schedule!r}."
        )
    return own


def _budget(budget: Duration, x: Any, schedule: Schedule | None, each: Any) -> int:
    """Updates that may be spent; ``each`` is the batch size and batches an update."""
    unit, amount, _ = parse(budget, "budget")
    if unit == "fraction":
        horizon = None if schedule is None else schedule.horizon
        if horizon is None:
            raise ValueError(
                "`budget` can be a fraction only of a training whose length is known. "
                f"Received: budget={budget!r} and no `horizon`. Give a number of "
                "updates, or the length, as schedule=OneCycle(horizon='20 epochs')."
            )
        planned = parse(horizon, "horizon")
        unit, amount = planned.unit, amount * planned.amount
    if unit == "epochs":
        batches = batches_of_an_epoch(x, each[0])
        if batches is None:
            raise ValueError(
                "`budget` can be in epochs only where the data have a length. "
                f"Received: budget={budget!r} and x={type(x).__name__}. Give a number "
                "of updates."
            )
        amount *= max(1, batches // each[1])
    least = LEAST + 10 * PROBES
    if amount < least:
        raise ValueError(
            f"`budget` must be at least {least} updates. Received: budget={budget!r}, "
            f"{amount:.0f} updates."
        )
    return int(amount)


@contextmanager
def _batches(
    model: Any, given: Any, size: int, count: int, validation: Any, seed: int
) -> Iterator[tuple[Batches, Batches]]:
    """Batches to train on and to judge on, and the random state as it was before."""
    random_state = _trainer.random_state()
    try:
        train, held = draw(given, size, count, validation, seed)
        check_finite(train, held)
        _trainer.build(model, train[0])
        yield train, held
    finally:
        random_state()


@contextmanager
def _borrowed(
    model: Any, finder: LRFinder, updates: int, memory_limit: float
) -> Iterator[Borrowed]:
    """A built model on loan for many fits, of which nothing is left."""
    had, history = hasattr(model, "history"), getattr(model, "history", None)
    borrowed = Borrowed(model, updates, memory_limit)
    try:
        with _trainer.quick_statistics(model):
            try:
                borrowed.begin(finder.values(), lasting=True)
                yield borrowed
            finally:
                borrowed.give_back()
    finally:
        if had:
            model.history = history
        elif hasattr(model, "history"):
            del model.history


class _Watch(keras.callbacks.Callback):  # type: ignore[misc]
    """Stops a fit before a batch at which a function says so."""

    def __init__(self, look: Callable[[int], bool]) -> None:
        super().__init__()
        self._look = look

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Ask it."""
        if self._look(batch):
            self.model.stop_training = True


def _evaluate(model: Any, held: Batches) -> tuple[float, FloatArray]:
    """The mean loss of what is held out, and the loss of each batch of it."""
    running = _Running()
    model.evaluate(held, verbose=0, callbacks=[running])
    rows = np.cumsum(held.sizes())[[batch for batch, _ in running.seen]]
    means = np.array([loss for _, loss in running.seen])
    with np.errstate(invalid="ignore"):  # A lost probe has infinite losses.
        sums: FloatArray = np.diff(means * rows, prepend=0)
    return float(means[-1]), sums / np.diff(rows, prepend=0)


class _Running(keras.callbacks.Callback):  # type: ignore[misc]
    """Keeps the running mean of the loss after each batch of an evaluation."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[int, float]] = []

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        """Keep it."""
        self.seen.append((batch, float(logs["loss"])))


def _set_rates(model: Any, own: list[float | None], rate: float) -> None:
    """The highest rate gets the new one; the others keep their ratio to it."""
    highest = max(one or 0.0 for one in own) or 1.0
    for optimizer, one in zip(_optimizer.optimizers_of(model), own, strict=True):
        optimizer.learning_rate = rate * ((one or 0.0) / highest or 1.0)


def _silent(text: str) -> None:
    """Say nothing."""
