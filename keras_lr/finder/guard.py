"""What Keras does not tell a callback: its companions, and that the fit failed."""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable
from functools import partial
from typing import Any

import keras

HOOKS = [
    f"on_{what}_{when}"
    for what in ("train", "epoch", "train_batch", "test", "test_batch")
    for when in ("begin", "end")
]


def fit_in_progress() -> tuple[Any, list[Any]]:
    """The list of callbacks that is calling, and what the fit itself holds.

    Returns:
        None and nothing where a callback is called by hand.
    """
    callbacks, frame = None, sys._getframe(1)
    while frame is not None:
        owner = frame.f_locals.get("self")
        if isinstance(owner, keras.callbacks.CallbackList):
            callbacks = owner
        elif callbacks is not None:
            return callbacks, list(frame.f_locals.values())
        frame = frame.f_back  # type: ignore[assignment]
    return callbacks, []


def guard_hooks(callbacks: Any, give_back: Callable[[bool], None]) -> None:
    """Call a function at once when any callback of the fit raises.

    Args:
        callbacks: The fit's list of callbacks.
        give_back: Is told whether it happened inside the loop over the epochs.
    """
    # A strong reference would be a cycle, and the list could not end with the fit.
    ref = weakref.ref(callbacks)
    for name in HOOKS:
        method = getattr(type(callbacks), name)
        inside = name not in ("on_train_begin", "on_train_end")
        setattr(callbacks, name, _guarded_hook(method, ref, partial(give_back, inside)))


def _guarded_hook(
    method: Callable[..., Any], ref: Any, give_back: Callable[[], None]
) -> Callable[..., Any]:
    call = guarded(method, give_back)

    def hook(*args: Any, **kwargs: Any) -> Any:
        return call(ref(), *args, **kwargs)

    return hook


def guarded(
    function: Callable[..., Any], give_back: Callable[[], None]
) -> Callable[..., Any]:
    """The function, giving back when it raises; data that end are no failure."""

    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except BaseException as error:
            if not (
                isinstance(error, StopIteration)
                or type(error).__name__ == "OutOfRangeError"
            ):
                give_back()
            raise

    return call
