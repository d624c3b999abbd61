"""Trainings of a search in other processes: sent, waited for, sent again if lost."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from keras_lr.finder import remote
from keras_lr.finder.climb import Seen
from keras_lr.finder.remote import Judging, Outcome, Parcel
from keras_lr.finder.trainings import Errand
from keras_lr.fit import processes
from keras_lr.plan.words import shown
from keras_lr.schedule import Schedule

#: Workers that a training may lose: what kills the third kills the fourth.
TRIES = 3
#: Times that the model is sent before the sweep, so that workers get ready during it:
#: as many as there are trainings side by side. A worker that is ready answers at once.
GREETINGS = 7
#: Of the loss before any training, here and in a worker: devices round differently.
ALIKE = 0.01


def check_runner(runner: Any) -> None:
    """Refuse what cannot run trainings.

    Raises:
        TypeError: If it is no executor.
        ValueError: If its processes would be forks of this one, or several processes
            search together already.
    """
    if runner is None:
        return
    if not isinstance(runner, Executor):
        raise TypeError(
            "`runner` must be an Executor of concurrent.futures, keras_lr.RayRunner(), "
            f"or None for this process. Received: runner={shown(runner)}."
        )
    if isinstance(runner, ProcessPoolExecutor) and _start_method(runner) == "fork":
        raise ValueError(
            "`runner` must begin its processes anew: a fork of one in which a backend "
            "runs can hang. Received: a ProcessPoolExecutor that forks. Give it "
            "mp_context=multiprocessing.get_context('spawn')."
        )
    if processes.count() > 1:
        raise ValueError(
            "`runner` is for a search of one process. Received: "
            f"runner={shown(runner)} in one of {processes.count()} that train "
            "together. Leave it out: they share the work already."
        )


@dataclass(eq=False)
class _Job:
    """Something that a worker is to do.

    Attributes:
        what: It, in words.
        function: What is called there.
        arguments: Of it.
        pool: Where it was sent to last.
        future: What comes of it.
        lost: Workers that were lost over it.
    """

    what: str
    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    pool: Executor
    future: Future[Any]
    lost: int = 0


class Crew:
    """The workers of a search.

    Args:
        runner: The user's.

    Attributes:
        flag: A file that is there until the crew is dismissed; None where workers may
            be on another machine.
    """

    def __init__(self, runner: Executor) -> None:
        self._pool = runner
        self._own: list[Executor] = []
        self._open: list[_Job] = []
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self.flag: Path | None = None
        if isinstance(runner, ProcessPoolExecutor):
            self._folder = tempfile.TemporaryDirectory(prefix="keras-lr-")
            self.flag = Path(self._folder.name, "under-way")
            self.flag.touch()

    def begin(self, what: str, function: Callable[..., Any], *arguments: Any) -> _Job:
        """Have a worker do something as soon as one is free."""
        future = _submitted(self._pool, function, arguments)
        job = _Job(what, function, arguments, self._pool, future)
        self._open.append(job)
        return job

    def result(self, job: _Job) -> Any:
        """Wait for it; what is lost with its worker is done again by another one.

        Raises:
            RuntimeError: If each worker is lost that does it.
        """
        while _is_lost(job.future):
            if job.lost + 1 == TRIES:
                raise RuntimeError(
                    "The workers of `runner` must live until what they do is done. "
                    f"Received: {TRIES} in turn that died over {job.what}. Look "
                    "whether there is memory for so many, and whether a script that "
                    'is run has `if __name__ == "__main__":` around what it does.'
                ) from job.future.exception()
            self._begin_again(job.pool)
        self._open.remove(job)
        return job.future.result()

    def dismiss(self) -> None:
        """Have the workers end what they do, at the latest with the update."""
        if self._folder is not None:
            self._folder.cleanup()
        for job in self._open:
            if not job.future.done():
                job.future.cancel()
        for pool in self._own:
            pool.shutdown(wait=False, cancel_futures=True)

    def _begin_again(self, pool: Executor) -> None:
        """Do again what was lost with a worker of a pool."""
        if pool is self._pool and isinstance(pool, ProcessPoolExecutor):
            self._pool = _another(pool)
            self._own.append(self._pool)
        for job in self._open:
            if job.pool is pool and job.future.done() and _is_lost(job.future):
                job.lost += 1
                job.pool = self._pool
                job.future = _submitted(job.pool, job.function, job.arguments)


@contextmanager
def sent_to(runner: Executor, pack: Callable[[Path | None], Parcel]) -> Iterator[Sent]:
    """A context in which workers have a model, or are about to.

    Args:
        runner: The user's.
        pack: Packs the model, to be trained as long as a file is there.
    """
    crew = Crew(runner)
    try:
        yield Sent(crew, pack(crew.flag))
    finally:
        crew.dismiss()


class Sent:
    """A model on its way to the workers.

    Args:
        crew: The workers.
        parcel: The model and the batches.
    """

    def __init__(self, crew: Crew, parcel: Parcel) -> None:
        self._crew = crew
        self._parcel = parcel
        what = "the model, before any training"
        self._greetings = [
            crew.begin(what, remote.greet, parcel) for _ in range(GREETINGS)
        ]

    def check(self, start: Seen) -> None:
        """Wait for the first worker, and refuse a model that is another one there.

        Args:
            start: What is seen of the model here, before any training.

        Raises:
            ValueError: If the worker cannot have the model, or sees something else.
        """
        there: Seen = self._crew.result(self._greetings[0])
        if not np.isclose(there.loss, start.loss, rtol=ALIKE, atol=0.0):
            raise ValueError(
                "A model that trains in other processes must be there what it is here. "
                "Received: one whose held-out loss before any training is "
                f"{start.loss:.6g} here and {there.loss:.6g} there. Look at what Keras "
                "does not save of it, and at settings of the backend."
            )

    def trainings(self, schedule: Schedule | None, judging: Judging) -> Elsewhere:
        """Trainings of it.

        Args:
            schedule: What they may follow.
            judging: When to look at the targets of other rows.
        """
        return Elsewhere(self._crew, self._parcel, schedule, judging)


class Elsewhere:
    """Trainings of copies of a model in other processes, several at a time.

    Args:
        crew: The workers.
        parcel: The model and the batches.
        schedule: What trainings may follow.
        judging: When to look at the targets of other rows.
    """

    def __init__(
        self,
        crew: Crew,
        parcel: Parcel,
        schedule: Schedule | None,
        judging: Judging,
    ) -> None:
        self._crew = crew
        self._parcel = parcel
        self._schedule = schedule
        self._judging = judging
        self._jobs: dict[Errand, _Job] = {}
        self._outcomes: dict[Errand, Outcome] = {}

    def ahead(self, errands: Sequence[Errand]) -> None:
        """Begin trainings that were not begun yet."""
        for errand in errands:
            if errand not in self._jobs:
                self._jobs[errand] = self._crew.begin(
                    f"a training of {errand.updates} updates at {errand.rate:.2g}",
                    remote.train,
                    self._parcel,
                    errand.rates(self._schedule),
                    self._judging if errand.follows else None,
                )

    def seen(self, errand: Errand) -> tuple[Seen, int]:
        """Wait for a training; what is seen, and the updates that were spent."""
        self.ahead([errand])
        outcome: Outcome = self._crew.result(self._jobs[errand])
        self._outcomes[errand] = outcome
        return outcome.seen, outcome.spent

    def swapped(self, errand: Errand) -> Seen | None:
        """What is seen of one with the targets of other rows."""
        return self._outcomes[errand].swapped


def _submitted(
    pool: Executor, function: Callable[..., Any], arguments: tuple[Any, ...]
) -> Future[Any]:
    try:
        return pool.submit(function, *arguments)
    except BrokenExecutor as error:
        # Broken while it was idle: as if it had broken over this.
        future: Future[Any] = Future()
        future.set_exception(error)
        return future


def _is_lost(future: Future[Any]) -> bool:
    """Whether what was to be done went down with a worker; waits for it."""
    return isinstance(future.exception(), BrokenExecutor)


# A pool that has lost a process takes nothing more, and tells what it was made with
# only in private. Python 3.11 to 3.14 have these names.


def _start_method(pool: Any) -> str | None:
    context = getattr(pool, "_mp_context", None)
    return None if context is None else str(context.get_start_method())


def _another(pool: Any) -> Executor:
    """A pool of processes like one that is broken."""
    return ProcessPoolExecutor(
        pool._max_workers,
        mp_context=pool._mp_context,
        initializer=pool._initializer,
        initargs=pool._initargs,
    )
