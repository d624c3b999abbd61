"""Where a monitor writes samples: a CSV file, TensorBoard, a logger of the user's."""

from __future__ import annotations

import csv
import itertools
import os
import socket
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from keras_lr.fit.whole_file import written_whole
from keras_lr.plan.words import received
from keras_lr.watching.samples import PLACE, Samples


class Writer(Protocol):
    """What takes samples as they come."""

    def begin(self, first: int) -> None:
        """A fit begins, or goes on.

        Args:
            first: The update that it goes on with. Whatever has been written of this
                one, or of later ones, is of a run that was cut.
        """

    def write(self, samples: Samples) -> None:
        """Take samples, and keep them even if the process is killed afterwards."""


class CsvFile:
    """A CSV file with one row a sample, which a fit that is resumed goes on with.

    It is open only while it is written: a fit that is interrupted does not tell.

    Args:
        path: The file; folders that are missing are made.

    Raises:
        ValueError: If it is a folder, or a file that no monitor has written.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path)
        #: The file's columns; none before this fit has written.
        self._columns: tuple[str, ...] = ()
        self._first = 0
        if self._path.is_dir():
            raise ValueError(
                f"`csv` must be a file. {received(csv=str(path))} That is a folder: "
                "name a file in it."
            )
        self.read()

    def read(self) -> Samples:
        """What is in the file; nothing if there is none.

        A last line that is not whole, as a kill leaves it, does not count.
        """
        text = self._path.read_text("utf-8") if self._path.exists() else ""
        if not text:
            return Samples.none()
        *lines, _ = text.split("\n")
        table = list(csv.reader(lines))
        columns = tuple(table[0]) if table else ()
        try:
            if columns[: len(PLACE)] != PLACE:
                raise ValueError
            rows = [list(map(float, line)) for line in table[1:]]
            return Samples(columns, np.reshape(rows, (len(rows), len(columns))))
        except ValueError:
            raise ValueError(
                "`csv` must be a new file, or one that a RateMonitor has written. "
                f"{received(csv=str(self._path))} It is another: name another file."
            ) from None

    def begin(self, first: int) -> None:
        """Take note of where the fit goes on; the file stays until there is more."""
        self._first = first
        self._columns = ()

    def write(self, samples: Samples) -> None:
        """Append rows, or write the file anew where it has other rows or columns."""
        if not self._columns:
            self._write_anew(self.read().before(self._first).then(samples))
            return
        fitting = Samples.none(self._columns).then(samples)
        if fitting.columns != self._columns:
            self._write_anew(self.read().then(samples))
            return
        with self._path.open("a", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(_as_text(fitting))

    def _write_anew(self, samples: Samples) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        # In one go: a kill in the middle leaves the old file or the new one.
        with (
            written_whole(self._path) as part,
            part.open("w", encoding="utf-8", newline="") as file,
        ):
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(samples.columns)
            writer.writerows(_as_text(samples))
        self._columns = samples.columns


def _as_text(samples: Samples) -> list[list[str]]:
    whole = len(PLACE)
    return [
        [str(int(value)) for value in row[:whole]] + [shortest(v) for v in row[whole:]]
        for row in samples.rows.tolist()
    ]


def shortest(value: float) -> str:
    """A number in as few digits as tell it from all others in single precision.

    A step writes down no more, as a rule.

    Example:
        >>> shortest(0.10000000149011612), shortest(1 / 3), shortest(float("nan"))
        ('0.1', '0.33333334', 'nan')
    """
    with np.errstate(over="ignore"):
        return str(np.float32(value))


#: Two writers of one process in the same second have different files.
_NUMBERS = itertools.count()


class TensorBoardEvents:
    """A file of TensorBoard's events: scalars by update.

    It is written with the package ``tensorboard`` alone. TensorFlow, which that would
    import for its own writer, would take hold of the devices beside JAX or PyTorch.

    Args:
        folder: The folder that TensorBoard is told as ``--logdir``, or one in it.

    Raises:
        ImportError: If ``tensorboard`` is not installed.
        ValueError: If there is a file where the folder is to be.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self._folder = Path(folder)
        self._path = self._folder
        if self._folder.exists() and not self._folder.is_dir():
            raise ValueError(
                f"`tensorboard` must be a folder. {received(tensorboard=str(folder))} "
                "That is a file: name another folder."
            )
        try:
            from tensorboard.compat.proto import event_pb2, summary_pb2
            from tensorboard.summary.writer import record_writer
        except ImportError:
            raise ImportError(
                "Events for TensorBoard need the package tensorboard: "
                "pip install tensorboard."
            ) from None
        self._events = event_pb2
        self._summaries = summary_pb2
        self._records = record_writer

    def begin(self, first: int) -> None:
        """Begin a file, and have TensorBoard leave out what the run makes anew."""
        self._folder.mkdir(parents=True, exist_ok=True)
        name = (
            f"events.out.tfevents.{int(time.time()):010d}.{socket.gethostname()}."
            f"{os.getpid()}.{next(_NUMBERS)}.keras_lr"
        )
        self._path = self._folder / name
        start = self._events.SessionLog(status=self._events.SessionLog.START)
        self._append(
            [
                self._events.Event(file_version="brain.Event:2"),
                # All earlier events of this update and later ones are left out.
                self._events.Event(step=first, session_log=start),
            ]
        )

    def write(self, samples: Samples) -> None:
        """Write scalars."""
        events = []
        for update, values in samples.told():
            summary = self._summaries.Summary()
            for name, value in values.items():
                summary.value.add(tag=name, simple_value=value)
            events.append(self._events.Event(step=update, summary=summary))
        self._append(events)

    def _append(self, events: Sequence[Any]) -> None:
        now = time.time()
        with self._path.open("ab") as file:
            writer = self._records.RecordWriter(file)
            for event in events:
                event.wall_time = now
                writer.write(event.SerializeToString())


class UsersLogger:
    """A function of the user's, such as ``wandb.log`` or ``mlflow.log_metrics``.

    Args:
        log: Called with the values of a sample by name, and its update.
    """

    def __init__(self, log: Callable[[dict[str, float], int], Any]) -> None:
        self._log = log

    def begin(self, first: int) -> None:
        """Nothing: what was told cannot be taken back."""

    def write(self, samples: Samples) -> None:
        """Tell each sample; what the logger raises ends the fit."""
        for update, values in samples.told():
            self._log(values, update)
