"""Backups that are cut at a random byte, mixed with those of another epoch, or gone."""

from __future__ import annotations

import random
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np

from tests.faults.counting import ERROR, FAULT, WHOLE, Amounts, Outcome
from tests.faults.life import BATCHES, EPOCHS, callbacks_of
from tests.kit.probe import fit, recorded, watched

KIND = "torn and mixed backups"

#: What errors say that are meant to be read.
CLEAR = ("A backup", "keeps beside a backup must be whole")


class Copies(keras.callbacks.Callback):
    """Copies the folder of the backup as each epoch begins."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        if epoch:
            shutil.copytree(self.folder / "now", self.folder / str(epoch))


def try_all(amounts: Amounts, generator: random.Random) -> Iterator[Outcome]:
    """Each file of a backup, spoilt in each way at random, and resumed from."""
    with tempfile.TemporaryDirectory() as folder:
        for order in ("backup-first", "plateaus", "double"):
            runs = Path(folder, order)
            runs.mkdir()
            model = _model()
            callbacks = [*callbacks_of(order, runs / "now"), Copies(runs)]
            _train(model, callbacks)
            for _ in range(amounts.rounds):
                for spoil in (_cut, _mix, _remove):
                    yield _try(runs, order, model, spoil, generator)


def _model() -> Any:
    return watched(keras.optimizers.Adam(0.1), BATCHES * EPOCHS)


def _train(model: Any, callbacks: list[Any]) -> None:
    fit(model, callbacks, batches=BATCHES, epochs=EPOCHS)


def _try(
    runs: Path, order: str, whole: Any, spoil: Any, generator: random.Random
) -> Outcome:
    epoch = generator.randrange(1, EPOCHS)
    folder = runs / "spoilt"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(runs / str(epoch), folder)
    files = sorted(path for path in folder.iterdir() if path.suffix != ".part")
    file = generator.choice(files)
    place = f"{order}, epoch {epoch}, {spoil(runs, file, epoch, generator)}"
    model = _model()
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            _train(model, callbacks_of(order, folder))
        except Exception as error:
            said = f"{type(error).__name__}: {error}"
            is_clear = any(one in said for one in CLEAR)
            return Outcome(KIND, place, ERROR if is_clear else FAULT, said)
    said = "; ".join(str(one.message) for one in told if one.category is UserWarning)
    pairs = zip(model.get_weights(), whole.get_weights(), strict=True)
    is_same = np.array_equal(recorded(model), recorded(whole)) and all(
        np.array_equal(*pair) for pair in pairs
    )
    if is_same:
        return Outcome(KIND, place, WHOLE, said)
    # Something was lost: it must have been said.
    return Outcome(KIND, place, ERROR if said else FAULT, said or "lost without a word")


def _cut(runs: Path, file: Path, epoch: int, generator: random.Random) -> str:
    whole = file.read_bytes()
    length = generator.randrange(len(whole))
    file.write_bytes(whole[:length])
    return f"{file.name} cut to {length} of {len(whole)} bytes"


def _mix(runs: Path, file: Path, epoch: int, generator: random.Random) -> str:
    other = generator.choice([one for one in range(1, EPOCHS) if one != epoch])
    if (runs / str(other) / file.name).exists():
        shutil.copy(runs / str(other) / file.name, file)
    return f"{file.name} of epoch {other}"


def _remove(runs: Path, file: Path, epoch: int, generator: random.Random) -> str:
    file.unlink()
    return f"{file.name} removed"
