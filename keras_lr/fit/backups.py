"""What a callback keeps beside the files of the fit's BackupAndRestore.

Keras backs up weights, optimizer and epoch, but nothing of callbacks. A state is
written before any callback hears that an epoch has ended, thus before the weights are;
the states of the last epochs stay, and the epoch that Keras goes on with tells which.
"""

from __future__ import annotations

import json
import warnings
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from keras_lr.fit import processes
from keras_lr.fit.whole_file import written_whole

#: Epochs whose states are kept: Keras may go back to the backup before the last.
KEPT = 4


class Backup:
    """States by the epoch that they are the beginning of, and arrays.

    Args:
        folder: Where Keras keeps its backup; it removes the folder after the fit.
        name: What files are called.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._name = name
        self._file = folder / f"{name}.json"

    def states(self) -> dict[int, dict[str, Any]]:
        """The states by the epoch that they are the beginning of.

        Raises:
            ValueError: If the file is not whole, which no kill does to it.
        """
        if not self._file.exists():
            return {}
        try:
            states = json.loads(self._file.read_text("utf-8"))
            return {int(epoch): dict(state) for epoch, state in states.items()}
        except (ValueError, TypeError, AttributeError) as error:
            raise self._damaged(self._file) from error

    def read(self, epoch: int) -> dict[str, Any] | None:
        """The state at the beginning of an epoch; None if there is none.

        Raises:
            ValueError: If the file is not whole.
        """
        return self.states().get(epoch)

    def write(self, epoch: int, state: Mapping[str, Any]) -> None:
        """Keep the state at the beginning of an epoch."""
        states = {**self.states(), epoch: dict(state)}
        # One that comes later is of a run that has been cut off.
        epochs = sorted(one for one in states if one <= epoch)[-KEPT:]
        kept = {str(one): states[one] for one in epochs}
        self._folder.mkdir(parents=True, exist_ok=True)
        with written_whole(self._file) as part:
            part.write_text(json.dumps(kept), "utf-8")
        self._remove_unused(json.dumps(kept))

    def write_arrays(self, name: str, arrays: Sequence[NDArray[Any]]) -> str:
        """Keep arrays.

        Returns:
            Their file's name: it stays as long as some state has it in it.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{self._name}-{name}.npz"
        with written_whole(path) as part:
            np.savez(part, *[_plain(array) for array in arrays])
        return path.name

    def read_arrays(self, file: str) -> list[NDArray[Any]]:
        """The arrays of a file.

        Raises:
            ValueError: If the file is missing, or not whole.
        """
        try:
            # What NumPy opens by itself it leaves open where it cannot read it.
            with (self._folder / file).open("rb") as whole, np.load(whole) as stored:
                return [stored[f"arr_{i}"] for i in range(len(stored.files))]
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise self._damaged(self._folder / file) from error

    def _damaged(self, path: Path) -> ValueError:
        return ValueError(
            "What a callback of this package keeps beside a backup must be whole. "
            f"Received: {str(path)!r}, which is missing or cannot be read. Put a whole "
            f"copy there, or remove {self._file.name} to go on without it."
        )

    def _remove_unused(self, states: str) -> None:
        for path in self._folder.glob(f"{self._name}-*.npz"):
            if path.name not in states:
                path.unlink()


def _plain(array: NDArray[Any]) -> NDArray[Any]:
    """An array that NumPy can write: it knows no bfloat16."""
    return array.astype(np.float32) if array.dtype.kind == "V" else array


def folder_of(callback: Any) -> Path | None:
    """Where a BackupAndRestore keeps its files; None if that is not on this machine."""
    folder = str(callback.backup_dir)
    return None if "://" in folder else Path(folder)


def backups_in(callbacks: Sequence[Any]) -> list[Any]:
    """Those of some callbacks that back a fit up."""
    return [
        one for one in callbacks if isinstance(one, keras.callbacks.BackupAndRestore)
    ]


def check_alike(callbacks: Sequence[Any], epoch: int) -> None:
    """Refuse processes that go on from backups of other epochs.

    Each writes its own, and they may be killed while some have and some have not.

    Args:
        callbacks: All callbacks of the fit.
        epoch: The one that this process goes on with.

    Raises:
        ValueError: In all of them.
    """
    if epoch and backups_in(callbacks):
        processes.check_alike(
            "epochs behind them",
            epoch,
            "Copy the backup of one of them over those of the others.",
        )


def backup_of(callbacks: Sequence[Any], name: str) -> Backup | None:
    """Where a callback can keep its state; None if the fit backs nothing up.

    Args:
        callbacks: All callbacks of the fit.
        name: What files are to be called.
    """
    for callback in backups_in(callbacks):
        folder = folder_of(callback)
        if folder is not None:
            return Backup(folder, name)
        warnings.warn(
            "What a callback of this package waits for is kept beside a backup only in "
            f"a folder of this machine. Received: {callback.backup_dir!r}. A run that "
            "is resumed from there begins to wait anew.",
            UserWarning,
            stacklevel=2,
        )
    return None
