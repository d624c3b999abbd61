"""What ``find_lr`` says while it works: a line that is rewritten, or a log."""

from __future__ import annotations

import logging
import math
import os
import shutil
import sys
import time
from collections.abc import Callable

import keras

from keras_lr.finder.probe import Probe

#: Where Keras writes what it does not show, once interactive logging is disabled.
QUIET_LOG = logging.getLogger("absl")


class Progress:
    """Says how far a search has come: what is tried, what is left, the best so far.

    In a terminal and in a notebook one line is rewritten, until the result stands in
    its place. Anywhere else, as in the log of a job, each training gets a line when it
    is over. After ``keras.config.disable_interactive_logging()`` these lines go where
    Keras' own go, to the logger ``"absl"``.

    Args:
        verbose: 0 is silent.
        about: What each text begins with: which of several searches it is.
        clock: Gives seconds.
    """

    def __init__(
        self,
        verbose: int,
        about: str = "",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._speaks = bool(verbose)
        self._about = about
        self._clock = clock
        self._begun = clock()
        self._width = 0
        self._swept_updates = 0
        self._trainings = 0
        self._trainings_begun = math.nan
        self._trained = 0
        self._best: Probe | None = None

    def begin_sweep(self, updates: int) -> None:
        """Say that a sweep of so many updates begins."""
        if self._speaks:
            self._swept_updates = updates
            self._line(f"sweep of {updates} updates ...")

    def look(self, update: int, rate: float, loss: float) -> None:
        """Show how far the sweep is: updates done, rate and loss of the last one."""
        if self._speaks:
            self._rewrite(sweep_text(update, self._swept_updates, rate, loss))

    def begin_training(self, rate: float, updates: int, left: int) -> None:
        """Show that a training begins.

        Args:
            rate: Its rate, or the peak of it.
            updates: Of the training.
            left: Updates that the search may still spend, with this training.
        """
        if not self._speaks:
            return
        if self._trainings == 0:
            self._trainings_begun = self._clock()
        self._trainings += 1
        # Not from the sweep's pace: what it waited for is compiled now.
        seconds = math.nan
        if self._trained:
            pace = (self._clock() - self._trainings_begun) / self._trained
            seconds = pace * left
        self._rewrite(
            training_text(self._trainings, rate, updates)
            + best_text(self._best)
            + left_text(left, seconds)
        )

    def end_training(self, probe: Probe) -> None:
        """Say what the training came to."""
        if not self._speaks:
            return
        self._trained += probe.updates
        if self._best is None or probe.loss < self._best.loss:
            self._best = probe
        self._line(
            training_text(self._trainings, probe.lr, probe.planned)
            + loss_text(probe)
            + best_text(self._best)
        )

    def end(self, result: object) -> None:
        """Say the result, and how long it took."""
        if not self._speaks:
            return
        spent = duration_text(self._clock() - self._begun)
        words = f"find_lr: {self._about}{result} {spent}."
        if is_rewritten():
            _write("\r" + words.ljust(self._width) + "\n")
            self._width = 0
        else:
            _log(words)

    def _line(self, text: str) -> None:
        """A line of its own in a log, and the line that is rewritten elsewhere."""
        if is_rewritten():
            self._rewrite(text)
        else:
            _log(f"find_lr: {self._about}{text}")

    def _rewrite(self, text: str) -> None:
        """Put a text in place of the last one; nothing in a log."""
        if not is_rewritten():
            return
        text = f"{self._about}{text}"[: _columns() - 1]
        # Blanks, where the last one was longer.
        _write("\r" + text.ljust(self._width))
        self._width = len(text)


# Where it is shown.


def is_rewritten() -> bool:
    """Whether a line can be taken back, asked as Keras' progress bar asks."""
    is_terminal = hasattr(sys.stdout, "isatty") and sys.stdout.isatty()
    is_pycharm = "PYCHARM_HOSTED" in os.environ
    is_quiet = not keras.config.is_interactive_logging_enabled()
    return not is_quiet and (is_terminal or is_pycharm or _is_notebook())


def _is_notebook() -> bool:
    return "ipykernel" in sys.modules


def _columns() -> int:
    """Letters that a line has room for: a longer one could not be taken back."""
    return 10_000 if _is_notebook() else shutil.get_terminal_size().columns


def _log(line: str) -> None:
    if keras.config.is_interactive_logging_enabled():
        _write(line + "\n")
    else:
        QUIET_LOG.info(line)


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


# In words.


def sweep_text(update: int, updates: int, rate: float, loss: float) -> str:
    """How far a sweep is.

    Example:
        >>> sweep_text(40, 160, 3.4e-6, 2.3106)
        'sweep, update 40 of 160: rate 3.4e-06, loss 2.311'
    """
    return f"sweep, update {update} of {updates}: rate {rate:.2g}, loss {loss:.4g}"


def training_text(number: int, rate: float, updates: int) -> str:
    """Which training it is.

    Example:
        >>> training_text(4, 0.0046, 98)
        'training 4, 98 updates at 0.0046'
    """
    return f"training {number}, {updates} updates at {rate:.2g}"


def loss_text(probe: Probe) -> str:
    """What a training came to.

    Example:
        >>> loss_text(Probe(0.1, 0.41237, 30, 30, False))
        ': held-out loss 0.4124'
        >>> loss_text(Probe(10.0, float("inf"), 11, 30, False))
        ': diverged after 11'
    """
    if probe.lasted:
        return f": held-out loss {probe.loss:.4g}"
    return f": diverged after {probe.updates}"


def best_text(best: Probe | None) -> str:
    """The lowest loss so far, and its rate; nothing before there is one.

    Example:
        >>> best_text(Probe(0.0022, 0.41237, 30, 30, False))
        '; best 0.4124 at 0.0022'
    """
    if best is None or not best.lasted:
        return ""
    return f"; best {best.loss:.4g} at {best.lr:.2g}"


def left_text(updates: int, seconds: float) -> str:
    """What is left at most; the time where it is known.

    Example:
        >>> left_text(490, 12.3), left_text(640, float("nan"))
        ('; at most 12 s left (490 updates)', '; at most 640 updates left')
    """
    if math.isnan(seconds):
        return f"; at most {updates} updates left"
    return f"; at most {duration_text(seconds)} left ({updates} updates)"


def duration_text(seconds: float) -> str:
    """A time, in the largest unit of which there are two.

    Example:
        >>> duration_text(12.3), duration_text(150.0), duration_text(9000.0)
        ('12 s', '2 min', '2.5 h')
    """
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
