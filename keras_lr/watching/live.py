"""A picture that is drawn anew in a notebook while a fit runs."""

from __future__ import annotations

import importlib
import io
import math
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

from keras_lr.plot import detached_figure
from keras_lr.watching.pictures import draw_samples
from keras_lr.watching.samples import Samples

#: Seconds between two pictures, at least.
PERIOD = 1.0

#: The same in times that the last one took to draw: one of many samples takes long, and
#: the training waits for it.
REST = 20.0


def is_in_notebook() -> bool:
    """Whether what is displayed can be taken back: in a notebook, not in a terminal."""
    if "IPython" not in sys.modules:
        return False
    shell = importlib.import_module("IPython").get_ipython()
    return shell is not None and hasattr(shell, "kernel")


class LivePicture:
    """One picture below a cell, in place of the last one.

    Args:
        clock: Gives seconds.

    Raises:
        ImportError: If matplotlib is not installed.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._handle: Any = None
        #: When the next picture is due.
        self._due = -math.inf
        self._display: Any = None
        # Where it is missing that is said before the training.
        detached_figure(1.0)
        if is_in_notebook():
            self._display = importlib.import_module("IPython.display")
        else:
            warnings.warn(
                "`live=True` needs a notebook. Received: live=True elsewhere, where "
                "nothing can be drawn while the fit runs. Call plot() after it.",
                UserWarning,
                stacklevel=2,
            )

    def is_due(self) -> bool:
        """Whether it is time for another picture."""
        is_shown = self._display is not None
        return is_shown and self._clock() >= self._due

    def show(self, samples: Samples) -> None:
        """Draw, in place of what was drawn before."""
        if self._display is None or len(samples) < 2:
            return
        begun = self._clock()
        figure = detached_figure(5.5)
        draw_samples(samples, figure=figure)
        png = io.BytesIO()
        # As PNG by ourselves: how a notebook shows figures depends on its backend of
        # pyplot, which would show this one a second time below the cell.
        figure.savefig(png, format="png", dpi=80)
        image = self._display.Image(data=png.getvalue())
        if self._handle is None:
            self._handle = self._display.display(image, display_id=True)
        else:
            self._handle.update(image)
        drawn = self._clock()
        self._due = max(begun + PERIOD, drawn + REST * (drawn - begun))
