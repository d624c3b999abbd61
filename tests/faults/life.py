"""One life of a training that is backed up, killed and resumed.

It is a process that was forked from one in which all is imported, and nothing of a
backend has begun: so a life begins in a moment, and a kill is a kill.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

import keras_lr
from tests.kit.probe import fit, recorded, watched

BATCHES = 5
EPOCHS = 8

#: The orders of the list of callbacks, and what is in it.
ORDERS = ("schedule-first", "backup-first", "plateaus", "double")


@dataclass(frozen=True)
class Life:
    """Where a life keeps what.

    Attributes:
        backups: The folder of the backups.
        diary: Where it writes the state of each epoch's begin, a line each.
        end: Where it writes what it has come to.
        order: One of ``ORDERS``.
    """

    backups: Path
    diary: Path
    end: Path
    order: str

    def run(self) -> None:
        """Train to the end."""
        model = watched(keras.optimizers.Adam(0.1), BATCHES * EPOCHS)
        callbacks = [*callbacks_of(self.order, self.backups), Diary(self.diary)]
        fit(model, callbacks, batches=BATCHES, epochs=EPOCHS)
        whole = self.end.with_suffix(".part.npz")
        np.savez(whole, recorded(model), *model.get_weights())
        os.replace(whole, self.end)


class Diary(keras.callbacks.Callback):
    """Writes down a digest of all state as each epoch begins."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        line = json.dumps([epoch, digest(self.model)])
        with self.path.open("a") as file:
            file.write(f"{line}\n")


def digest(model: Any) -> str:
    """What the weights and the state of the optimizer come to, in a few letters."""
    found = hashlib.sha256()
    for variable in [*model.variables, *model.optimizer.variables]:
        # The own rate of a run with a peak is put back at its end, not at each epoch.
        if not variable.path.endswith("learning_rate"):
            found.update(np.ascontiguousarray(keras.ops.convert_to_numpy(variable)))
    return found.hexdigest()[:16]


def callbacks_of(order: str, backups: Path) -> list[Any]:
    """The list of callbacks."""
    double = order == "double"
    backup = keras.callbacks.BackupAndRestore(backups, double_checkpoint=double)
    if order == "plateaus":
        by_epoch = keras_lr.Plateau("loss", 0.7, 1, min_delta=0.2, restore_best=True)
        by_update = keras_lr.Plateau("loss", 0.9, 7, per="update", smoothing=0.5)
        return [backup, by_epoch, by_update]
    both = [keras_lr.OneCycle(max_lr=0.01), backup]
    return both[::-1] if order == "backup-first" else both


def forked(run: Callable[[], None], errors: Path) -> int:
    """A process of its own that runs a function.

    Args:
        run: The function.
        errors: Where it writes what it raises.

    Returns:
        Its number.
    """
    sys.stdout.flush()
    number = os.fork()
    if number:
        return number
    code = 1
    try:
        run()
        code = 0
    except BaseException:
        errors.write_text(traceback.format_exc())
    finally:
        # Nothing of the process that it was forked from is to be ended.
        os._exit(code)


def read_diary(path: Path) -> Sequence[tuple[int, str]]:
    """Epochs and digests; a last line that a kill has cut does not count."""
    text = path.read_text() if path.exists() else ""
    *lines, _ = text.split("\n")
    return [tuple(json.loads(line)) for line in lines]
