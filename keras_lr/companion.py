"""``Companion``: a callback that takes part in a fit, as schedules and guests do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from keras_lr.fit.director import Director, director_of
from keras_lr.fit.guests import Guest
from keras_lr.plan.words import shown


class Companion(keras.callbacks.Callback):  # type: ignore[misc]
    """A callback that takes part in a fit through the fit's director."""

    #: What an error calls it.
    _kind = "callback"

    def __init__(self) -> None:
        super().__init__()
        self._director: Director | None = None

    # What subclasses override.

    def _guests(self) -> Sequence[Guest]:
        """Who takes part for it in the fit that begins, each time anew."""
        return []

    def _join(self, director: Director) -> None:
        """Take part."""
        for guest in self._guests():
            director.join_guest(guest)

    def __getstate__(self) -> dict[str, Any]:
        """A copy takes no part in the fit that this one is in."""
        return {**vars(self), "_director": None, "_model": None}

    # Callback hooks.

    def set_model(self, model: Any) -> None:
        """Called by Keras as a fit begins."""
        before = self._director
        director = director_of(model, self)
        if before not in (None, director) and not before.gives_way():
            raise ValueError(
                f"A {self._kind} can be in one fit at a time. Received: "
                f"{shown(self)}, whose other fit is under way. Make another one like "
                "it for this fit."
            )
        director.admit(self)
        self._join(director)
        super().set_model(model)
        self._director = director

    def on_train_begin(self, logs: Any = None) -> None:
        """Take the optimizers."""
        if self._director is not None:
            self._director.begin(self.params or {})

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Find the place in the run, which is known only now."""
        if self._director is not None:
            self._director.begin_epoch(epoch)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Await the next epoch."""
        if self._director is not None:
            rates = self._director.end_epoch(epoch, logs or {})
            if isinstance(logs, dict):
                logs.update(rates)

    def on_train_end(self, logs: Any = None) -> None:
        """Give the optimizer back."""
        if self._director is not None:
            self._director.end()
            self._director = None
