"""Which optimizers of a model a schedule is for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import keras

from keras_lr.fit import keras_names


@dataclass(frozen=True)
class Choice:
    """An optimizer that a schedule is for.

    Attributes:
        optimizer: The optimizer, unwrapped.
        label: What logs call it behind ``learning_rate``; None for the only one.
    """

    optimizer: Any
    label: str | None


def chosen(model: Any, name: str | None = None) -> list[Choice]:
    """The optimizers that a schedule's ``optimizer=`` means.

    Args:
        model: A compiled model.
        name: An attribute of the model that is an optimizer, or else the name of one
            of a MultiOptimizer that it was compiled with; None for all that it was
            compiled with.

    Raises:
        RuntimeError: If none is named, and the model is not compiled with one.
        TypeError: If an optimizer is not one of Keras 3.
        ValueError: If there is none of that name.
    """
    if name is None:
        own = optimizers_of(model)
        if len(own) == 1:
            return [Choice(own[0], None)]
        return [Choice(one, one.name) for one in own]
    value = getattr(model, name, None)
    if isinstance(value, keras.optimizers.Optimizer):
        found = unwrapped(value)
        if len(found) == 1:
            return [Choice(found[0], name)]
        return [Choice(one, f"{name}_{one.name}") for one in found]
    own = [] if getattr(model, "optimizer", None) is None else optimizers_of(model)
    # A group is named by its key as well, which may be no name that Keras takes.
    names = (name, keras_names.name_for_optimizer(name))
    named = [Choice(one, name) for one in own if one.name in names]
    if not named:
        raise ValueError(
            "`optimizer` must name an attribute of the model that is an optimizer, or "
            f"one of its MultiOptimizer. Received: optimizer={name!r} for "
            f"{type(model).__name__} {model.name!r}, which has "
            f"{_listed(names_of(model))}."
        )
    return named


def choices_in(model: Any) -> list[Choice]:
    """All optimizers that ``optimizer=`` may name, or else the only one."""
    names: list[str | None] = [*names_of(model)]
    return [choice for name in names or [None] for choice in chosen(model, name)]


def all_of(model: Any) -> list[Any]:
    """Those that a train_step of the user's has, or else what Keras trains with."""
    names: list[str | None] = [*names_of(model)] or [None]
    return [each.optimizer for name in names for each in chosen(model, name)]


def together(model: Any, optimizers: list[Any]) -> list[Any]:
    """Some optimizers, each once; of a MultiOptimizer all, if one of them is there.

    So that every schedule of one of them shares a step.
    """
    own = getattr(model, "optimizer", None)
    many = [] if own is None else unwrapped(own)
    if any(one is other for one in optimizers for other in many):
        optimizers = [*many, *optimizers]
    return list({id(one): one for one in optimizers}.values())


def names_of(model: Any) -> list[str]:
    """What ``optimizer=`` may name."""
    attributes = [
        name
        for name, value in vars(model).items()
        if isinstance(value, keras.optimizers.Optimizer)
        and name != "optimizer"
        and not name.startswith("_")
    ]
    own = getattr(model, "optimizer", None)
    many = [] if own is None else unwrapped(own)
    return attributes + ([one.name for one in many] if len(many) > 1 else [])


def optimizers_of(model: Any) -> list[Any]:
    """The optimizers that a model was compiled with, unwrapped.

    Raises:
        RuntimeError: If the model is not compiled.
        TypeError: If its optimizer is not a Keras 3 optimizer.
        ValueError: If a function chooses one of several for each weight, and the model
            has none yet.
    """
    optimizer = getattr(model, "optimizer", None)
    if optimizer is None:
        raise RuntimeError(
            "The model must be compiled with an optimizer before a schedule can run. "
            "Received: a model without one. Call model.compile(optimizer=...)."
        )
    # Those that a function chooses are there once it has been asked for each weight.
    if not unwrapped(optimizer) and not (model.built and keras_names.build(model)):
        raise ValueError(
            "A MultiOptimizer with a function has optimizers once the model has "
            f"weights. Received: {type(model).__name__} {model.name!r}, which is not "
            "built. Give it an Input, or call it once: model(x[:1])."
        )
    return unwrapped(optimizer)


def optimizers_in(model: Any) -> list[Any]:
    """All optimizers that a training of a model may use, as they are, each once.

    Those that it, or a part of it, was compiled with, and all that are attributes of
    it, in lists and dictionaries too.
    """
    found: list[Any] = []
    for part in [model, *keras_names.parts_of(model)]:
        found.append(getattr(part, "optimizer", None))
        for name, value in vars(part).items():
            if name.startswith("_"):
                continue
            if isinstance(value, dict):
                found += value.values()
            elif isinstance(value, list | tuple):
                found += value
            else:
                found.append(value)
    optimizers = [one for one in found if isinstance(one, keras.optimizers.Optimizer)]
    return list({id(one): one for one in optimizers}.values())


def unwrapped(optimizer: Any) -> list[Any]:
    """The optimizers that make the updates: without loss scaling, each of several.

    Raises:
        TypeError: If one is not a Keras 3 optimizer.
    """
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    many = list(getattr(inner, "optimizers", [inner]))
    for one in many:
        if not isinstance(one, keras.optimizers.Optimizer):
            raise TypeError(
                "The optimizer must be a Keras 3 optimizer (keras.optimizers.Adam, "
                f"...). Received: {type(one).__module__}.{type(one).__qualname__}."
            )
    return many


def _listed(names: Iterable[str]) -> str:
    return ", ".join(map(repr, names)) or "none"
