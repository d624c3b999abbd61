"""Restoring: whether what Keras' BackupAndRestore has put back is of one moment.

Keras writes two files at the end of an epoch, the weights and then the epoch, each of
them over the last one. A kill leaves one of them half written, or the weights of an
epoch beside the number of the epoch before, which would then be trained twice. Beside
them stands how many batches the optimizers had counted as each epoch ended: by that
the weights tell their epoch, whatever the model has trained before.
"""

from __future__ import annotations

import json
import shutil
import warnings
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from keras_lr.fit import keras_names
from keras_lr.fit.backups import Backup, backups_in, folder_of
from keras_lr.fit.choice import all_of
from keras_lr.fit.guests import Fit
from keras_lr.fit.record import Scalar
from keras_lr.plan.words import shown

#: What the file of the counts is called.
NAME = "keras_lr-updates"

#: How a message ends where nothing can be put back.
ANEW = "Remove the folder to begin the run anew, or put a whole copy there"

Counts = tuple[int, ...]


@dataclass(frozen=True)
class Restored:
    """What BackupAndRestore has put back.

    Attributes:
        folder: Where from.
        epoch: The epoch that Keras goes on with; None where the files tell none.
        batch: The number of the batch at whose end it was saved; None at an epoch's.
        before: What the optimizers had counted before.
        made: What they have counted now.
    """

    folder: Path
    epoch: int | None
    batch: int | None
    before: Counts
    made: Counts


class Ledger:
    """A guest of a fit: writes down, before Keras saves, what optimizers have counted.

    Args:
        backup: Where.
    """

    scalars: Sequence[Scalar] = ()

    def __init__(self, backup: Backup) -> None:
        self._backup = backup
        self._fit: Fit | None = None

    def begin(self, fit: Fit) -> None:
        """The fit begins."""
        self._fit = fit

    def due(self) -> int | None:
        """It does not look at updates."""
        return None

    def look(self, made: int) -> None:
        """It does not look at updates."""

    def end_epoch(self, epoch: int, logs: Mapping[str, Any]) -> None:
        """Write the counts down."""
        if self._fit is not None:
            counts = counts_of(self._fit.model)
            self._backup.write(epoch + 1, {"counts": counts})


def counts_of(model: Any) -> Counts:
    """What the optimizers of a model have counted: batches, without skipped ones."""
    counters = [keras_names.counter_of(one) for one in all_of(model)]
    return tuple(int(keras_names.read_in_fit(model, one)) for one in counters)


def ledgers_for(callbacks: Any) -> list[Ledger]:
    """A ledger for each backup that a fit writes on this machine.

    Args:
        callbacks: The fit's list of callbacks.
    """
    folders = [folder_of(one) for one in _backups_in(callbacks) if one.save_freq]
    return [Ledger(Backup(one, NAME)) for one in folders if one is not None]


def watch_restores(callbacks: Any) -> None:
    """Look at what is put back, as the fit of a list of callbacks begins.

    Args:
        callbacks: The list.
    """
    if not _backups_in(callbacks):
        return
    # A strong reference would be a cycle, and the list could not end with the fit.
    ref = weakref.ref(callbacks)
    kind: Any = type(callbacks)

    def on_train_begin(logs: Any = None) -> None:
        listed: Any = ref()
        vars(listed).pop("on_train_begin", None)
        with ExitStack() as watching:
            for callback in _backups_in(listed):
                watching.enter_context(_watched(callback))
            kind.on_train_begin(listed, logs)

    vars(callbacks)["on_train_begin"] = on_train_begin


def _backups_in(callbacks: Any) -> list[Any]:
    """Those callbacks of a list that back a fit up."""
    listed = getattr(callbacks, "callbacks", ())
    return backups_in(listed)


@contextmanager
def _watched(callback: Any) -> Iterator[None]:
    """Have a BackupAndRestore checked as the fit begins: before others hear of that.

    It is given back before the first epoch, since a callback may be copied in a fit.
    """
    restore = callback.on_train_begin
    own = vars(callback).get("on_train_begin")

    def on_train_begin(logs: Any = None) -> None:
        model = callback.model
        folder = folder_of(callback)
        if folder is None or not model.built:
            restore(logs)
            return
        before = counts_of(model)
        epoch = keras_names.restored_epoch(model)
        if _lacks_weights(callback):
            _put_former_back(callback)
        try:
            try:
                restore(logs)
            except Exception:
                # Keras does so by itself, but only where what it meets is an OSError.
                if not _put_former_back(callback):
                    raise
                restore(logs)
        except Exception as error:
            _say_what_is_torn(callback, folder, error)
            # The weights are there, only their epoch is not: it may be known.
            epoch = None
        else:
            epoch = _epoch_of(callback, epoch)
        if not _is_there(callback, folder, epoch):
            return
        batch = _batch_of(callback)
        restored = Restored(folder, epoch, batch, before, counts_of(model))
        _go_on(restored, model, (callback.params or {}).get("steps"))

    vars(callback)["on_train_begin"] = on_train_begin
    try:
        yield
    finally:
        del vars(callback)["on_train_begin"]
        if own is not None:
            vars(callback)["on_train_begin"] = own


# The files.


def _epoch_of(callback: Any, before: int | None) -> int | None:
    """The epoch that Keras has found; None if it has not looked for one.

    Args:
        callback: The BackupAndRestore.
        before: What was set before it: Keras leaves it to all later fits.
    """
    epoch = keras_names.restored_epoch(callback.model)
    files = keras_names.backup_files(callback)
    if files is None:
        return None if epoch == before else epoch
    return epoch if Path(files[1]).exists() else None


def _is_there(callback: Any, folder: Path, epoch: int | None) -> bool:
    """Whether there was something to put back.

    Raises:
        ValueError: If there was an epoch without weights.
    """
    files = keras_names.backup_files(callback)
    if files is None:
        return epoch is not None
    if _lacks_weights(callback):
        raise ValueError(
            "A backup is two files, the weights and their epoch. Received: "
            f"backup_dir={str(folder)!r} with {Path(files[1]).name}, but without "
            f"{Path(files[0]).name}: the run would go on with untrained weights. "
            f"{ANEW}."
        )
    return Path(files[0]).exists()


def _batch_of(callback: Any) -> int | None:
    """The batch at whose end the backup was made; None if it was at an epoch's."""
    files = keras_names.backup_files(callback)
    if files is None:
        return None
    metadata = _metadata(Path(files[1]))
    batch = metadata.get("batch") if isinstance(metadata, dict) else None
    # Of batches, the first one has the number 0 as well.
    saves_in_epoch = type(callback.save_freq) is int
    is_inside = isinstance(batch, int) and (batch > 0 or saves_in_epoch)
    return batch if is_inside else None


def _metadata(path: Path) -> Any:
    """What a file of JSON holds; None if it cannot be read."""
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None


def _say_what_is_torn(callback: Any, folder: Path, error: Exception) -> None:
    """Say what Keras could not read; come back if it was the epoch alone.

    Raises:
        ValueError: If the weights are torn.
        Exception: What Keras has raised, if its files are whole.
    """
    files = keras_names.backup_files(callback)
    if files is None:
        raise error
    weights, metadata = (Path(file) for file in files)
    if weights.exists() and not _is_whole(weights):
        raise ValueError(
            "A backup must be whole to go on from it. Received: "
            f"backup_dir={str(folder)!r}, whose {weights.name} is half written, as a "
            f"kill while BackupAndRestore writes leaves it. {ANEW}; with "
            "double_checkpoint=True Keras keeps the backup before as well."
        ) from error
    is_epoch_torn = metadata.exists() and not _tells_epoch(metadata)
    if not is_epoch_torn or not weights.exists():
        raise error


def _lacks_weights(callback: Any) -> bool:
    """Whether there is an epoch without weights, as Keras begins to write them."""
    files = keras_names.backup_files(callback)
    return files is not None and Path(files[1]).exists() and not Path(files[0]).exists()


def _put_former_back(callback: Any) -> bool:
    """Put the backup before in place of torn weights; whether there is a whole one."""
    files = keras_names.backup_files(callback)
    if files is None:
        return False
    weights, metadata = (Path(file) for file in files)
    formers = [path.with_name(f"{path.name}.bkp") for path in (weights, metadata)]
    are_there = all(former.exists() for former in formers)
    is_needed = not weights.exists() or not _is_whole(weights)
    if not are_there or not is_needed or not _is_whole(formers[0]):
        return False
    shutil.copy(formers[0], weights)
    shutil.copy(formers[1], metadata)
    return True


def _tells_epoch(path: Path) -> bool:
    metadata = _metadata(path)
    return isinstance(metadata, dict) and isinstance(metadata.get("epoch"), int)


def _is_whole(path: Path) -> bool:
    """Whether all of a file of weights can be read."""
    # Keras' own dependency, which takes its time to import.
    import h5py

    try:
        with h5py.File(path) as file:
            file.visititems(_read_item)
    except Exception:
        # h5py has an error of its own for each part that a kill may have left out.
        return False
    return True


def _read_item(name: str, item: Any) -> None:
    if hasattr(item, "dtype"):
        item[()]


# Where the run goes on.


def _go_on(restored: Restored, model: Any, steps: int | None) -> None:
    """Have the fit go on where the weights are, and say so if Keras would not.

    Args:
        restored: What was put back.
        model: The model.
        steps: Batches of an epoch; None where the data do not tell.
    """
    states = Backup(restored.folder, NAME).states()
    known = {epoch: tuple(state["counts"]) for epoch, state in states.items()}
    epoch = _epoch_of_weights(restored, known)
    if epoch is not None and epoch != restored.epoch:
        keras_names.set_first_epoch(model, epoch)
        _warn(_words_of_seam(restored, epoch))
    elif epoch is None and restored.epoch is None:
        raise ValueError(
            "A backup is two files, the weights and their epoch. Received: "
            f"backup_dir={str(restored.folder)!r}, whose weights have counted "
            f"{shown(restored.made[0])} batches, without a file that tells the epoch. "
            f"{ANEW}."
        )
    else:
        ahead = _epochs_ahead(restored, known, steps) if epoch is None else 0
        if ahead:
            _warn(_words_of_lead(restored, ahead))
    is_at_begin = epoch is not None and known[epoch] == restored.made
    if restored.batch is not None and not is_at_begin:
        _warn(
            f"The backup in {str(restored.folder)!r} was made in the middle of an "
            f"epoch, after {restored.batch + 1} batches, and Keras begins the epoch "
            "again: it trains on these twice, at the rates of the epoch's begin. To "
            "resume exactly, give BackupAndRestore save_freq='epoch'."
        )


def _epoch_of_weights(restored: Restored, known: Mapping[int, Counts]) -> int | None:
    """The epoch that the weights are the beginning of; None where nobody knows.

    Args:
        restored: What was put back.
        known: What was counted at the beginning of the last epochs.
    """
    made = restored.made
    if restored.batch is not None:
        reached = [
            epoch for epoch, counts in known.items() if _is_at_least(made, counts)
        ]
        return max(reached, default=None)
    if restored.epoch is not None and known.get(restored.epoch) == made:
        return restored.epoch
    return max(
        (epoch for epoch, counts in known.items() if counts == made), default=None
    )


def _is_at_least(made: Counts, counts: Counts) -> bool:
    return len(made) == len(counts) and all(
        now >= then for now, then in zip(made, counts, strict=True)
    )


def _epochs_ahead(
    restored: Restored, known: Mapping[int, Counts], steps: int | None
) -> int:
    """How many epochs the weights are ahead of the one that the run goes on with.

    Args:
        restored: What was put back.
        known: What was counted at the beginning of the last epochs.
        steps: Batches of an epoch; None where the data do not tell.
    """
    epoch = restored.epoch
    if not steps or restored.batch is not None or epoch is None:
        return 0
    made = restored.made[0]
    if epoch in known:
        epochs, rest = divmod(made - known[epoch][0], steps)
        # A callback may train some batches by itself.
        return 0 if rest else epochs
    # The model may have trained before the run, or begun at a later epoch: only what a
    # kill leaves is certain enough.
    is_ahead = (epoch + 1) * steps in (made, made - restored.before[0])
    return 1 if is_ahead else 0


def _words_of_lead(restored: Restored, ahead: int) -> str:
    """What is said where whole epochs would be trained twice, or left out."""
    epoch = restored.epoch or 0
    what = f"{ahead} more" if ahead > 0 else f"{-ahead} fewer"
    comes = "are trained twice" if ahead > 0 else "are left out"
    return (
        f"The weights of the backup in {str(restored.folder)!r} have counted "
        f"{restored.made[0]} batches, {what} epochs than the {epoch} that the run goes "
        f"on after, as a kill between BackupAndRestore's two writes, or a copy of one "
        f"file alone, leaves them: epochs {comes}. If that is not meant, set the epoch "
        f"in the backup's metadata to {epoch + ahead}, and begin again."
    )


def _words_of_seam(restored: Restored, epoch: int) -> str:
    """What is said where the fit goes on at another epoch than Keras'."""
    beside = f"a file that tells epoch {restored.epoch}"
    if restored.epoch is None:
        beside = "no file that tells their epoch, or one that is not whole"
    return (
        f"The backup in {str(restored.folder)!r} has the weights of epoch {epoch}, and "
        f"beside them {beside}, as a kill while BackupAndRestore writes leaves them. "
        f"The run goes on at epoch {epoch}, where its weights are: nothing is to be "
        "done."
    )


def _warn(text: str) -> None:
    warnings.warn(text, UserWarning, stacklevel=2)
