"""A disk that is full while something is written (see ``tests.kit.full_disk``)."""

from __future__ import annotations

import random
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras

import glossary
import keras_lr
from glossary.measure import recorded
from tests.faults.counting import ERROR, FAULT, WHOLE, Amounts, Outcome
from tests.faults.states import BATCH, awaited, data, left_in, model_of, temporary_files
from tests.kit.full_disk import full_after
from tests.kit.sweeps import everything, outside

#: How it says that a file has become too large, and how HDF5 does.
CLEAR = ("File too large", "errno = 27", "No space left", "Unable to", "Can't write")


@dataclass(frozen=True)
class Writing:
    """Something that writes.

    Attributes:
        kind: What the table calls it.
        run: Does it, with a model, in a folder.
        gives_back: Whether all of the model comes back, weights as well.
        largest: Bytes of the largest file that it writes, about.
    """

    kind: str
    run: Callable[[Any, Path], None]
    gives_back: bool
    largest: int


def _fit(model: Any, *callbacks: Any) -> None:
    x, y = data()
    model.fit(x, y, batch_size=BATCH, epochs=2, verbose=0, callbacks=list(callbacks))


def _spill(model: Any, folder: Path) -> None:
    _fit(model, keras_lr.LRFinder(1e-4, 0.1, 30, memory_limit=10, verbose=0))


def _backup(model: Any, folder: Path) -> None:
    backup = keras.callbacks.BackupAndRestore(folder / "backup")
    _fit(model, keras_lr.OneCycle(max_lr=0.02), backup)


def _plateau(model: Any, folder: Path) -> None:
    backup = keras.callbacks.BackupAndRestore(folder / "backup")
    _fit(model, keras_lr.Plateau("loss", restore_best=True), backup)


def _csv(model: Any, folder: Path) -> None:
    monitor = keras_lr.RateMonitor(every=1, csv=folder / "run.csv")
    _fit(model, keras_lr.OneCycle(max_lr=0.02), monitor)


def _tensorboard(model: Any, folder: Path) -> None:
    monitor = keras_lr.RateMonitor(every=1, tensorboard=folder / "logs")
    _fit(model, keras_lr.OneCycle(max_lr=0.02), monitor)


def _branch(model: Any, folder: Path) -> None:
    x, y = data()
    keras_lr.cooldown(
        model,
        x,
        y,
        batch_size=BATCH,
        duration=5,
        save=folder / "branch.keras",
        verbose=0,
    )


WRITINGS = (
    Writing("disk full: the finder's copy of the state", _spill, True, 200),
    Writing("disk full: backups", _backup, False, 30_000),
    Writing("disk full: backups and a plateau's", _plateau, False, 30_000),
    Writing("disk full: a monitor's CSV", _csv, False, 2_000),
    Writing("disk full: a monitor's TensorBoard", _tensorboard, False, 4_000),
    Writing("disk full: a saved branch", _branch, True, 30_000),
)


def try_all(amounts: Amounts, generator: random.Random) -> Iterator[Outcome]:
    """Each of them, with a disk that is full at a random byte."""
    for writing in WRITINGS:
        model = model_of()
        for _ in range(amounts.rounds):
            size = generator.randrange(writing.largest)
            outcome = _try(writing, model, size)
            yield outcome
            if outcome.verdict == FAULT:
                model = model_of()
    for _ in range(amounts.rounds):
        yield _evidence(generator)


def _try(writing: Writing, model: Any, size: int) -> Outcome:
    before = everything(model)
    shape = outside(model)
    verdict = WHOLE
    place = f"after {size} bytes"
    with tempfile.TemporaryDirectory() as folder, temporary_files() as temporary:
        try:
            with full_after(size), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                writing.run(model, Path(folder))
        except Exception as error:
            said = f"{type(error).__name__}: {error}"
            verdict = ERROR if any(one in said for one in CLEAR) else FAULT
        else:
            said = "nothing was said"
        lost = awaited(model, before if writing.gives_back else {}, shape)
        lost += left_in(temporary)
        lost += _half_written(Path(folder))
    if lost:
        return Outcome(writing.kind, place, FAULT, "; ".join([said, *lost]))
    return Outcome(writing.kind, place, verdict, said)


def _half_written(folder: Path) -> Sequence[str]:
    """Saved models that cannot be loaded."""
    broken = []
    for path in folder.glob("*.keras"):
        try:
            keras.saving.load_model(path)
        except Exception as error:
            broken.append(f"{path.name} is half written: {type(error).__name__}")
    return broken


def _evidence(generator: random.Random) -> Outcome:
    """The glossary's evidence: what was recorded before stays."""
    kind = "disk full: recorded evidence"
    claims = [claim for term in glossary.terms() for claim in term.claims]
    recordings = [claim.recorded for claim in claims if claim.recorded]
    evidence = generator.choice(recordings)
    term = evidence.claim.id.partition("/")[0]
    with tempfile.TemporaryDirectory() as folder:
        recorded.write(Path(folder), [evidence])
        path = recorded.evidence_path(Path(folder), term)
        whole = path.read_bytes()
        size = generator.randrange(len(whole))
        place = f"{term}, after {size} of {len(whole)} bytes"
        try:
            with full_after(size):
                recorded.write(Path(folder), [evidence])
        except OSError as error:
            said = f"{type(error).__name__}: {error}"
        else:
            return Outcome(kind, place, FAULT, "nothing was said")
        if path.read_bytes() != whole:
            return Outcome(kind, place, FAULT, f"{said}; the former evidence is lost")
        left = [one.name for one in path.parent.iterdir() if one != path]
        if left:
            return Outcome(kind, place, FAULT, f"{said}; left behind: {left}")
    return Outcome(kind, place, ERROR, said)
