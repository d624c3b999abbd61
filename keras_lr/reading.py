"""Configs of schedules, read back."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import keras

from keras_lr.plan.words import cut, listed, shown


def read_config(owner: str, config: Any, names: Collection[str]) -> dict[str, Any]:
    """The arguments in a config, with what Keras has serialized in it made again.

    Args:
        owner: What the config is of.
        config: The config.
        names: Arguments that it may have.

    Raises:
        ValueError: If it is no mapping, has another argument, or holds what Keras
            cannot make.
    """
    if not isinstance(config, Mapping):
        raise ValueError(
            f"{owner}: a config must be a mapping from arguments to values. "
            f"Received: {shown(config)}."
        )
    unknown = [name for name in config if name not in names]
    if unknown:
        raise ValueError(
            f"{owner}: a config has the arguments {', '.join(names)}. "
            f"Received: {listed(unknown)} besides."
        )
    return {name: _made(owner, value) for name, value in config.items()}


def _made(owner: str, value: Any) -> Any:
    """A value whose parts that Keras has serialized are made again."""
    if isinstance(value, Mapping) and "class_name" in value:
        try:
            return keras.saving.deserialize_keras_object(dict(value))
        except Exception as error:
            raise ValueError(
                f"{owner}: a value in the config cannot be made: "
                f"{cut(str(error))} Received: {shown(value)}."
            ) from error
    if isinstance(value, Mapping):
        return {key: _made(owner, each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_made(owner, each) for each in value)
    return value
