"""Who is calling: the frames around a callback, a read or an assignment.

Keras tells neither callbacks nor optimizers in which fit, hook or method they are.
"""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any

import keras


def list_of_fit() -> tuple[Any, list[Any]]:
    """The list of callbacks that is calling, and what the fit itself holds.

    Returns:
        None and nothing where a callback is called by hand.
    """
    callbacks, held = _held_by_fit()
    return callbacks, list(held.values())


def arguments_of_fit() -> dict[str, Any]:
    """What the fit around a callback holds by name: its arguments, among other things.

    Returns:
        Nothing where a callback is called by hand.
    """
    return _held_by_fit()[1]


def _held_by_fit() -> tuple[Any, dict[str, Any]]:
    callbacks = None
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        owner = frame.f_locals.get("self")
        if isinstance(owner, keras.callbacks.CallbackList):
            callbacks = owner
        elif callbacks is not None and not _module_of(frame).startswith("keras_lr."):
            # What this package has put in place of a hook stands between the two.
            return callbacks, dict(frame.f_locals)
        frame = frame.f_back
    return callbacks, {}


def held_by_fit_of(model: Any) -> dict[str, Any] | None:
    """What a model's fit holds by name that is under way around what is asking.

    Returns:
        Its arguments, among other things; None where there is no such fit.
    """
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if frame.f_code.co_name == "fit" and frame.f_locals.get("self") is model:
            return dict(frame.f_locals)
        frame = frame.f_back
    return None


def is_in_fit(callbacks: Any) -> bool:
    """Whether Keras' fit with a list of callbacks is under way, in any thread.

    Its frame is then on a stack. The frame of a fit that was interrupted may live on in
    a traceback, but on no stack.
    """
    # This frame is among them. It must not be left with a reference to itself: all
    # frames below it, and what they hold, would outlive their calls.
    frames: list[FrameType | None] = list(sys._current_frames().values())
    while frames:
        frame = frames.pop()
        while frame is not None:
            name = frame.f_code.co_name
            held = "callbacks" if name == "fit" else "self"
            # While the list is made, the fit does not have it yet.
            is_one = name in ("fit", "set_model") and _is_of_keras(frame)
            if is_one and frame.f_locals.get(held) is callbacks:
                frame = None
                frames.clear()
                return True
            frame = frame.f_back
    return False


def _is_of_keras(frame: FrameType) -> bool:
    """Whether a frame is of Keras itself: a loop of a user's may be called fit, too."""
    return _module_of(frame).startswith("keras.")


def _module_of(frame: FrameType) -> str:
    # What `exec` runs has no name.
    return str(frame.f_globals.get("__name__", ""))


def calling_method() -> str:
    """The method that has called what calls this: ``fit``, ``train_on_batch``, ..."""
    return sys._getframe(2).f_code.co_name


def hook_of() -> str | None:
    """The hook of a list of callbacks that is being called, in this thread.

    Returns:
        As ``on_epoch_end``; None outside of hooks.
    """
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        name = frame.f_code.co_name.removeprefix("_")
        if name.startswith("on_"):
            owner = frame.f_locals.get("self")
            if isinstance(owner, keras.callbacks.CallbackList):
                return name
        frame = frame.f_back
    return None


def asking_frame(*, sets: bool = False) -> FrameType:
    """The innermost frame that reads the rate, or sets it, for a purpose of its own.

    Frames of this package are none, nor is the property of a LossScaleOptimizer, which
    hands both on to the optimizer that it wraps.

    Args:
        sets: Whether it sets it: then setters of attributes between are passed over.
            On TensorFlow they look at the attribute first, which is no reading.
    """
    frame: FrameType = sys._getframe(1)
    while frame.f_back is not None and (
        _module_of(frame).startswith("keras_lr.")
        or (frame.f_code.co_name == "learning_rate" and _is_of_keras(frame))
        or (sets and is_setter(frame))
    ):
        frame = frame.f_back
    return frame


def is_setter(frame: FrameType) -> bool:
    """Whether a frame is the setter of attributes of an optimizer."""
    return frame.f_code.co_name == "__setattr__"
