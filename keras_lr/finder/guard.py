"""What Keras does not tell a callback: that the fit failed."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from functools import partial
from typing import Any

from keras_lr.fit import keras_names

HOOKS = [
    f"on_{what}_{when}"
    for what in ("train", "epoch", "train_batch", "test", "test_batch")
    for when in ("begin", "end")
]


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
            if not keras_names.is_end_of_data(error):
                give_back()
            raise

    return call
