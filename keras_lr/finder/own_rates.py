"""The rates that optimizers have of their own, and what a search makes of them."""

from __future__ import annotations

from typing import Any

from keras_lr.fit import keras_names
from keras_lr.fit.past import past_of


def own_rates(optimizers: list[Any], set_rate: bool) -> list[float | None]:
    """The rates of optimizers, once it is sure that they can be searched."""
    own = [keras_names.own_rate(one) for one in optimizers]
    if set_rate and None in own:
        raise ValueError(
            "`set_rate` needs an optimizer whose rate is a number. Received: one that "
            "was compiled with a schedule. Compile it with a number."
        )
    return own


def set_rates(optimizers: list[Any], own: list[float | None], rate: float) -> None:
    """Give optimizers a rate, each its share of it."""
    for optimizer, share in zip(optimizers, _shares(own), strict=True):
        optimizer.learning_rate = rate * share


def remember(model: Any, optimizers: list[Any], rate: float | None) -> None:
    """Leave what was found to whoever looks at a schedule of the model later."""
    if rate is not None:
        own = [keras_names.own_rate(one) for one in optimizers]
        for optimizer, share in zip(optimizers, _shares(own), strict=True):
            past_of(model).found[optimizer] = rate * share


def _shares(own: list[float | None]) -> list[float]:
    """Of a rate: the highest gets all of it, the others keep their ratio to that."""
    highest = max(one or 0.0 for one in own) or 1.0
    return [(one or 0.0) / highest or 1.0 for one in own]
