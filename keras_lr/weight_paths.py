"""The weights of a model, and their paths in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import keras

from keras_lr.fit import keras_names
from keras_lr.plan.words import received


@dataclass(frozen=True)
class Weight:
    """A weight that may be trained.

    Attributes:
        variable: The variable.
        paths: Its paths in the model, more than one where a layer is shared.
        loaded: What Keras calls it in a model that was loaded: there each layer is
            built by itself, so that the names of the models around it are left out.
        layer: The number of its layer, from the first one; those that have the same
            depth have the same.
    """

    variable: Any
    paths: tuple[str, ...]
    loaded: tuple[str, ...]
    layer: int

    @property
    def calls(self) -> set[str]:
        """What Keras calls it, here and in a model that was loaded."""
        return {self.variable.path, *self.loaded}


@dataclass(frozen=True)
class _Held:
    """A weight where a layer holds it: names down to it, and those in no model."""

    variable: Any
    names: tuple[str, ...]
    inner: tuple[str, ...]


def weights_of(model: Any) -> list[Weight]:
    """The weights of a model, each once, in its order.

    Raises:
        TypeError: If it is no model of Keras.
        ValueError: If it is not built.
    """
    if not isinstance(model, keras.Model):
        raise TypeError(f"`model` must be a Keras model. {received(model=model)}")
    found: dict[int, Weight] = {}
    layer = -1
    has_matrix = False
    for unit in _layers_of(model, ()):
        is_new = any(id(held.variable) not in found for held in unit)
        is_matrix = any(len(held.variable.shape) > 1 for held in unit)
        # What comes before the first matrix goes with it.
        if is_new and (layer < 0 or (is_matrix and has_matrix)):
            layer += 1
        has_matrix = has_matrix or is_matrix
        for held in unit:
            before = found.get(id(held.variable))
            path = "/".join(held.names)
            loaded = "/".join(held.inner)
            found[id(held.variable)] = Weight(
                held.variable,
                (path,) if before is None else (*before.paths, path),
                (loaded,) if before is None else (*before.loaded, loaded),
                layer if before is None else before.layer,
            )
    if not found or not model.built:
        raise ValueError(
            "`model` must be built, so that it has weights. "
            f"Received: {type(model).__name__} {model.name!r}. Give it an Input, or "
            "call it once: model(x[:1])."
        )
    return list(found.values())


def _layers_of(model: Any, names: tuple[str, ...]) -> Iterator[list[_Held]]:
    """What each layer of a model holds, in order; models in it are looked into."""
    own = keras_names.weights_held_by(model)
    yield [_Held(one, (*names, one.name), (model.name, one.name)) for one in own]
    for layer in keras_names.layers_in(model):
        if isinstance(layer, keras.Model):
            yield from _layers_of(layer, (*names, layer.name))
        else:
            yield list(_held_in(layer, (*names, layer.name), (layer.name,)))


def _held_in(
    layer: Any, names: tuple[str, ...], inner: tuple[str, ...]
) -> Iterator[_Held]:
    """What a layer and those in it hold."""
    for one in keras_names.weights_held_by(layer):
        yield _Held(one, (*names, one.name), (*inner, one.name))
    for part in keras_names.layers_in(layer):
        yield from _held_in(part, (*names, part.name), (*inner, part.name))
