"""What a worker does for a search: its trainings, of the model as it is sent.

A worker keeps the model of the last search that it worked for, with the step that it
has compiled, so that only its first training waits for that.
"""

from __future__ import annotations

import math
import pickle
import uuid
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_lr.finder.batches import Data
from keras_lr.finder.borrowed import Borrowed
from keras_lr.finder.climb import Seen
from keras_lr.finder.trainings import Trainings
from keras_lr.finder.verdict import is_clear
from keras_lr.fit import keras_names, processes
from keras_lr.fit.baggage import Baggage, pack_model, unpack_model
from keras_lr.fit.packing import PackedFeed, pack, unpack
from keras_lr.plan.curves import FloatArray

#: Of this process: a fork of it, and its threads, have the same.
PROCESS = uuid.uuid4().hex


@dataclass(frozen=True)
class Parcel:
    """What is sent to a worker with each training.

    Attributes:
        search: Which search it is of.
        process: Of the process that sends it.
        setup: What the numbers of a model depend on: a worker must have the same.
        flag: A file that is there as long as the search is under way; None where
            workers may not see the files of this machine.
        packed: The :class:`Contents`, pickled once.
    """

    search: str
    process: str
    setup: str
    flag: Path | None
    packed: bytes


@dataclass(frozen=True)
class Contents:
    """The model, and what it is trained on and judged by.

    Attributes:
        baggage: The model.
        train: Batches to train on.
        held: Batches to judge by.
        swapped: Those with the targets of other rows; None where that says nothing.
        longest: Updates of the longest training.
        optimizer: Which optimizer's rate is searched.
        loss: What the logs call the loss.
        unused: What to say where the model's step does not use the optimizer.
    """

    baggage: Baggage
    train: PackedFeed
    held: PackedFeed
    swapped: PackedFeed | None
    longest: int
    optimizer: str | None
    loss: str
    unused: str


@dataclass(frozen=True)
class Judging:
    """When to look at the targets of other rows as well, as a search does.

    Attributes:
        start: What is seen before any training.
        is_doubtful: Whether to look in any case.
    """

    start: Seen
    is_doubtful: bool

    def asks(self, seen: Seen) -> bool:
        """Whether to look, if this is the best training so far."""
        if not math.isfinite(seen.loss):
            return False
        return self.is_doubtful or not is_clear(self.start, seen)


@dataclass(frozen=True)
class Outcome:
    """What a training came to.

    Attributes:
        seen: What is seen of it.
        spent: Updates.
        swapped: The same with the targets of other rows, where that was looked at.
    """

    seen: Seen
    spent: int
    swapped: Seen | None


class NobodyWaits(Exception):
    """Ends a training whose search has ended."""


def setup() -> str:
    """What the numbers of a model depend on in any process."""
    return f"Keras {keras.__version__} on {keras.backend.backend()}"


def pack_search(
    model: Any,
    data: Data,
    flag: Path | None,
    *,
    longest: int,
    memory_limit: float,
    optimizer: str | None,
    loss: str,
    unused: str,
) -> Parcel:
    """Everything that a worker needs, before the model is borrowed.

    Args:
        model: The model.
        data: The batches.
        flag: A file that is there as long as somebody waits.
        longest: Updates of the longest training.
        memory_limit: For the message, where the batches are more.
        optimizer: As for :class:`Contents`, with what follows.
        loss: As above.
        unused: As above.

    Raises:
        ValueError: If the data are not in memory, or the model cannot be sent.
    """
    if not (data.train.is_kept and data.held.is_kept):
        raise ValueError(
            "A search in other processes needs batches that fit into memory, to be "
            f"sent. Received: more than memory_limit={memory_limit:.3g} bytes of them. "
            "Raise `memory_limit`, or leave `runner` out."
        )
    is_shared = keras_names.replicas(model) > 1 or processes.count() > 1
    if is_shared or keras.distribution.distribution() is not None:
        raise ValueError(
            "A search in other processes needs a model that one process trains on one "
            "device. Received: one whose batches are shared by several. Leave `runner` "
            "out."
        )
    swapped = data.swapped()
    contents = Contents(
        baggage=pack_model(model),
        train=pack(data.train),
        held=pack(data.held),
        swapped=None if swapped is None else pack(swapped),
        longest=longest,
        optimizer=optimizer,
        loss=loss,
        unused=unused,
    )
    packed = pickle.dumps(contents, pickle.HIGHEST_PROTOCOL)
    return Parcel(uuid.uuid4().hex, PROCESS, setup(), flag, packed)


# In a worker.


@dataclass(frozen=True)
class _Bench:
    """A search that this process works for.

    Attributes:
        search: Which one.
        borrowed: The model, at given rates and back.
        trainings: Of the model.
        start: What is seen before any training.
    """

    search: str
    borrowed: Borrowed
    trainings: Trainings
    start: Seen


#: The last one, if there is one: a worker has memory for one model.
_benches: list[_Bench] = []


def greet(parcel: Parcel) -> Seen:
    """Make the model ready; what is seen of it before any training.

    Raises:
        ValueError: If the model cannot be the same here.
    """
    return _bench_of(parcel).start


def train(parcel: Parcel, rates: FloatArray, judging: Judging | None) -> Outcome:
    """Train at given rates, from the state of the beginning.

    Args:
        parcel: What to train.
        rates: Of each update.
        judging: When to look at the targets of other rows; None for never.
    """
    trainings = _bench_of(parcel).trainings
    try:
        seen, spent = trainings.probe(rates)
        swapped = None
        if judging is not None and judging.asks(seen):
            swapped = trainings.evaluate_swapped()
    except BaseException:
        # In the middle of a step a model may be left without values.
        _clear()
        raise
    return Outcome(seen, spent, swapped)


def _bench_of(parcel: Parcel) -> _Bench:
    if parcel.process == PROCESS:
        raise ValueError(
            "`runner` must have its trainings done by processes that begin anew: "
            "threads and forks share what a backend holds. Received: one of those. "
            "Give ProcessPoolExecutor(mp_context=multiprocessing.get_context('spawn'))."
        )
    if parcel.setup != setup():
        raise ValueError(
            "The workers of `runner` must have the backend and the Keras of the "
            f"search. Received: {setup()} in a worker, and {parcel.setup} in the "
            "search. Set KERAS_BACKEND where workers begin."
        )
    if not _benches or _benches[0].search != parcel.search:
        _clear()
        _go_on(parcel.flag)
        _benches.append(_make_bench(parcel))
    return _benches[0]


def _clear() -> None:
    while _benches:
        _benches.pop().borrowed.give_back()


def _make_bench(parcel: Parcel) -> _Bench:
    contents: Contents = pickle.loads(parcel.packed)
    model = unpack_model(contents.baggage, contents.train)
    held = unpack(contents.held, model)
    swapped = None if contents.swapped is None else unpack(contents.swapped, model)
    train = unpack(contents.train, model)
    rows = sum(held.rows)
    data = Data(train, held, lambda: swapped, False, rows, drawn=0)
    borrowed = Borrowed(
        model,
        contents.longest,
        # A worker that is killed would leave a file of it.
        math.inf,
        lambda: True,
        alone=False,
        optimizer=contents.optimizer,
        loss=contents.loss,
    )
    borrowed.begin(np.zeros(contents.longest), quick=True)
    trainings = Trainings(
        model, borrowed, data, contents.unused, partial(_go_on, parcel.flag)
    )
    return _Bench(parcel.search, borrowed, trainings, trainings.begin())


def _go_on(flag: Path | None) -> None:
    if flag is not None and not flag.exists():
        raise NobodyWaits
