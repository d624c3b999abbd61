"""``RateMonitor``: what is in force at single updates, and what comes of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

from keras_lr.companion import Companion
from keras_lr.fit.director import Director
from keras_lr.plan.checks import check_callable, check_flag, check_int
from keras_lr.plan.curves import FloatArray
from keras_lr.plan.words import received
from keras_lr.watching.live import LivePicture
from keras_lr.watching.pictures import draw_samples
from keras_lr.watching.samples import Samples
from keras_lr.watching.watch import Watch
from keras_lr.watching.writers import CsvFile, TensorBoardEvents, UsersLogger, Writer

Path = str | os.PathLike[str]


class RateMonitor(Companion):
    r"""Writes down what is in force at single updates of a fit, and what comes of it.

    Of every n-th update, from the first one (update 0) on: the rate, momentum and
    weight decay that it was made with, scheduled or not; the loss of its own batch, not
    the running mean that logs tell; and how far it moved the weights, as a share of
    their size,

    .. math:: r = \|w' - w\| / \|w\|

    with the weights :math:`w` before the update and :math:`w'` after it, of all that
    the model trains and of each of its layers.

    Logs, and with them ``History``, get what belongs to an epoch: rate, momentum and
    weight decay of its last sample, and the mean of ``ratio/all``; NaN in an epoch
    without a sample.

    Nothing is asked of the device at single batches. What the step has written down is
    read at the end of each epoch, every ten seconds or so, and when somebody looks at
    :attr:`history`.

    Args:
        every: Updates from one sample to the next, at least 1. With
            ``gradient_accumulation_steps`` an update is what several batches make
            together, and its loss that of the last one. Under ``steps_per_execution``
            a ratio is that of all updates of the execution that the sample is in.
        csv: A file for one row a sample, made together with its folder. A fit that
            begins at epoch 0 writes it anew; one that goes on (``initial_epoch``,
            ``BackupAndRestore``) appends, and cuts what the earlier run has written of
            updates that are made again. None for none.
        tensorboard: A folder for TensorBoard, with scalars by update; needs the package
            ``tensorboard`` and no TensorFlow. None for none.
        log: Called as ``log(values, update)`` for each sample, as ``wandb.log`` and
            ``mlflow.log_metrics`` take it; what it raises ends the fit. None for none.
        ratios: Whether to measure how far updates move the weights. That holds one more
            copy of the weights on the device during the updates that are samples.
        live: Whether to draw the picture anew in a notebook, at most once a second,
            while the fit runs; needs matplotlib.

    Raises:
        ValueError: If ``every`` is below 1, ``csv`` is a folder or a file of something
            else, or ``tensorboard`` is a file.
        TypeError: If an argument is of the wrong kind.
        ImportError: If ``tensorboard`` or matplotlib is needed and not installed.

    Example:
        >>> import keras, keras_lr, numpy as np
        >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
        >>> model.compile(keras.optimizers.SGD(0.1), "mse")
        >>> monitor = RateMonitor(every=2)
        >>> _ = model.fit(
        ...     np.ones((8, 1)), np.ones(8), batch_size=2, verbose=0,
        ...     callbacks=[keras_lr.Warmup(4), monitor],
        ... )
        >>> monitor.history["update"], monitor.history["learning_rate"].round(3)
        (array([0., 2.]), array([0.025, 0.075]))
    """

    _kind = "monitor"

    def __init__(
        self,
        every: int = 50,
        *,
        csv: Path | None = None,
        tensorboard: Path | None = None,
        log: Callable[[dict[str, float], int], Any] | None = None,
        ratios: bool = True,
        live: bool = False,
    ) -> None:
        super().__init__()
        check_int("every", every)
        if every < 1:
            raise ValueError(f"`every` must be at least 1. {received(every=every)}")
        if log is not None:
            check_callable("log", log)
        check_flag("ratios", ratios)
        check_flag("live", live)
        self.every = int(every)
        self.csv = _checked_path("csv", csv)
        self.tensorboard = _checked_path("tensorboard", tensorboard)
        self.log = log
        self.ratios = bool(ratios)
        self.live = bool(live)
        self._samples = Samples.none()
        self._of_epoch = Samples.none()
        self._watch: Watch | None = None
        self._picture: LivePicture | None = None
        # What is wrong with them is said where they are given.
        self._writers: Sequence[Writer] = self._new_writers()

    @property
    def history(self) -> dict[str, FloatArray]:
        """What was seen of each sample, by name, of the run so far.

        ``update`` (of the run, from 0), ``epoch``, ``loss``, ``learning_rate``,
        ``momentum`` and ``weight_decay`` where the optimizer has them, ``ratio/all`` of
        all weights and ``ratio/<layer>``. Of several optimizers each has its own, as
        ``learning_rate_<name>``. NaN where there was nothing to measure.
        """
        self._read()
        return self._samples.by_name()

    def plot(self, ax: Any = None) -> Any:
        """Draw loss and rate together, and the ratios below them (needs matplotlib).

        The loss is that of single batches, pale, and its running mean. The rate has an
        axis of its own. Either is drawn in logarithms where most of it lies decades
        apart.

        Args:
            ax: Matplotlib axes for loss and rate alone; None makes a figure with all.

        Returns:
            The axes of the loss.

        Raises:
            RuntimeError: If nothing has been seen yet.
            ImportError: If matplotlib is not installed.
        """
        self._read()
        if not len(self._samples):
            raise RuntimeError(
                "There is something to draw only after an update. Received: "
                f"{self!r}, which has seen none. Put it into the callbacks of a fit."
            )
        return draw_samples(self._samples, ax)

    def __repr__(self) -> str:
        names = ("csv", "tensorboard", "log")
        given = [f"every={self.every}"]
        given += [
            f"{name}={getattr(self, name)!r}"
            for name in names
            if getattr(self, name) is not None
        ]
        given += [] if self.ratios else ["ratios=False"]
        given += ["live=True"] if self.live else []
        return f"RateMonitor({', '.join(given)})"

    def __getstate__(self) -> dict[str, Any]:
        """A copy writes nothing of the fit that this one is in."""
        state = super().__getstate__()
        return {**state, "_watch": None, "_picture": None, "_writers": ()}

    # In a fit.

    def _join(self, director: Director) -> None:
        self._close()
        self._writers = self._new_writers()
        self._picture = LivePicture() if self.live else None
        self._watch = Watch(
            director.model,
            self.every,
            self.ratios,
            self._picture,
            self._begin,
            self._take,
        )
        director.join_guest(self._watch)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Find the place in the run, which is known only now."""
        super().on_epoch_begin(epoch, logs)
        if self._watch is not None:
            self._watch.begin_epoch()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Tell the logs of the epoch what belongs to an epoch."""
        super().on_epoch_end(epoch, logs)
        if isinstance(logs, dict):
            for name, value in self._summary().items():
                # What a schedule has told of the last update stands.
                logs.setdefault(name, value)
        self._of_epoch = Samples.none()

    def _summary(self) -> dict[str, float]:
        return self._of_epoch.summary(self._samples.columns)

    def on_train_end(self, logs: Any = None) -> None:
        """Close what was open."""
        self._close()
        if self._picture is not None:
            self._picture.show(self._samples)
            self._picture = None
        super().on_train_end(logs)

    def _new_writers(self) -> list[Writer]:
        writers: list[Writer] = []
        if self.csv is not None:
            writers.append(CsvFile(self.csv))
        if self.tensorboard is not None:
            writers.append(TensorBoardEvents(self.tensorboard))
        if self.log is not None:
            writers.append(UsersLogger(self.log))
        return writers

    def _begin(self, update: int) -> None:
        """A fit begins with an update of the run, or goes on with it."""
        known = self._samples
        for writer in self._writers:
            if isinstance(writer, CsvFile):
                # Of a run in another process, too.
                known = writer.read()
        self._samples = known.before(update)
        for writer in self._writers:
            writer.begin(update)

    def _take(self, samples: Samples) -> None:
        self._samples = self._samples.then(samples)
        self._of_epoch = self._of_epoch.then(samples)
        for writer in self._writers:
            writer.write(samples)
        if self._picture is not None and self._picture.is_due():
            self._picture.show(self._samples)

    def _read(self) -> None:
        """Take what has been written down and not been read, in a fit.

        Of one that was interrupted, too, until its optimizer has been given back.
        """
        if self._watch is not None:
            self._watch.read()

    def _close(self) -> None:
        if self._watch is not None:
            self._watch.end()
            self._watch = None


def _checked_path(name: str, path: Any) -> str | None:
    """A path as text; TypeError if it is none."""
    if path is None:
        return None
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"`{name}` must be a path. {received(**{name: path})}")
    return os.fspath(path)
