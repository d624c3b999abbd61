"""A model with all of its state as bytes, to go on from in another process."""

from __future__ import annotations

import importlib
import pickle
import random
import sys
import warnings
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from keras_lr.fit import keras_names
from keras_lr.fit.choice import optimizers_in
from keras_lr.fit.packing import PackedFeed, unpack

#: What a model may have of its own instead of its class, which no file of it keeps.
METHODS = ("call", "compute_loss", "train_step", "test_step", "make_train_function")

IMPORTABLE = (
    "Its classes and functions must be registered, by "
    "keras.saving.register_keras_serializable, in a module that workers can import (in "
    "a notebook they are not), and what they are made with must be in `get_config`."
)


@dataclass(frozen=True)
class Settings:
    """What Keras is set to, and its random numbers, with Python's and NumPy's.

    Attributes:
        floatx: As ``keras.config.floatx()``.
        epsilon: As ``keras.config.epsilon()``.
        image_data_format: As ``keras.config.image_data_format()``.
        python: State of Python's random numbers.
        numpy: State of NumPy's.
        keras_seeds: State of Keras' own; None where none were drawn yet.
        torch: State of torch's; None on other backends.
    """

    floatx: str
    epsilon: float
    image_data_format: str
    python: Any
    numpy: Any
    keras_seeds: NDArray[Any] | None
    torch: Any


@dataclass(frozen=True)
class Baggage:
    """A model, and what it depends on.

    Attributes:
        name: What the model is called in messages.
        modules: Where what is registered with Keras is made: it loads nothing else.
        model: What Keras saves of it, pickled.
        state: The values of its variables and of all of its optimizers', in order.
        settings: Of Keras.
    """

    name: str
    modules: list[str]
    model: bytes
    state: list[NDArray[Any]]
    settings: Settings


def pack_model(model: Any) -> Baggage:
    """Everything that a training of a model depends on, but the data.

    Args:
        model: A compiled model that is built, and is not borrowed.

    Raises:
        ValueError: If it cannot be saved, or does what no file of it could tell.
    """
    name = f"{type(model).__name__} {model.name!r}"
    own = [method for method in METHODS if method in vars(model)]
    if own:
        raise ValueError(
            "A model that trains in other processes must do what its class does. "
            f"Received: {name}, which was given a {own[0]!r} of its own. Make it a "
            "method of a class."
        )
    compiles = type(model).compile is not keras.Model.compile
    if compiles and (
        type(model).compile_from_config is keras.Model.compile_from_config
    ):
        raise ValueError(
            "A model that trains in other processes must be compiled as it is loaded. "
            f"Received: {name}, whose `compile` is its own. Give it "
            "`get_compile_config` and `compile_from_config`, too."
        )
    try:
        packed = pickle.dumps(model)
    except Exception as error:
        raise ValueError(
            "A model that trains in other processes must be one that Keras can save. "
            f"Received: {name}, where that fails ({_short(error)}). Mend that, or "
            "leave `runner` out."
        ) from error
    registered = keras.saving.get_custom_objects().values()
    modules = sorted({value.__module__ for value in registered})
    return Baggage(name, modules, packed, _state_of(model), _settings())


def unpack_model(baggage: Baggage, data: PackedFeed) -> Any:
    """The model, as it was.

    Args:
        baggage: Of :func:`pack_model`.
        data: What it is to be trained on, to build its metrics with.

    Raises:
        ValueError: If the model is not the same here.
    """
    _set(baggage.settings)
    for module in baggage.modules:
        # One that is missing may not be needed; if it is, loading says so.
        with suppress(ImportError):
            importlib.import_module(module)
    try:
        with warnings.catch_warnings():
            # What they would say is said below, once and as an error.
            warnings.simplefilter("ignore")
            model = pickle.loads(baggage.model)
    except Exception as error:
        raise ValueError(
            "A model that trains in other processes must be one that Keras can load "
            f"there. Received: {baggage.name}, where that fails ({_short(error)}). "
            f"{IMPORTABLE}"
        ) from error
    keras_names.build_with(model, next(unpack(data, model).first(1)))
    variables = keras_names.lasting_variables(model, optimizers_in(model))
    here = [tuple(variable.shape) for variable in variables]
    there = [array.shape for array in baggage.state]
    if here != there:
        raise ValueError(
            "A model that trains in other processes must have the same variables "
            f"there. Received: {baggage.name}, with {len(there)} of its own and "
            f"{len(here)} as it is loaded, or other shapes. {IMPORTABLE}"
        )
    for variable, array in zip(variables, baggage.state, strict=True):
        variable.assign(array)
    # Building has drawn some.
    _set(baggage.settings)
    return model


def _state_of(model: Any) -> list[NDArray[Any]]:
    variables = keras_names.lasting_variables(model, optimizers_in(model))
    return [np.array(keras_names.read(variable)) for variable in variables]


def _settings() -> Settings:
    torch = sys.modules["torch"] if keras.backend.backend() == "torch" else None
    return Settings(
        floatx=keras.config.floatx(),
        epsilon=keras.config.epsilon(),
        image_data_format=keras.config.image_data_format(),
        python=random.getstate(),
        numpy=np.random.get_state(),
        keras_seeds=keras_names.seed_state(),
        torch=None if torch is None else torch.get_rng_state(),
    )


def _set(settings: Settings) -> None:
    keras.config.set_floatx(settings.floatx)
    keras.config.set_epsilon(settings.epsilon)
    keras.config.set_image_data_format(settings.image_data_format)
    random.setstate(settings.python)
    np.random.set_state(settings.numpy)
    keras_names.set_seed_state(settings.keras_seeds)
    if settings.torch is not None:
        sys.modules["torch"].set_rng_state(settings.torch)


def _short(error: Exception) -> str:
    """The first line of an error, of a length to be read."""
    line = (str(error).strip().splitlines() or [""])[0]
    return f"{type(error).__name__}: {line[:200]}"
