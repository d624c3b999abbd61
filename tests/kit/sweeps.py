"""Small models, sweeps of them, and the losses of a plain loop at the same rates."""

from __future__ import annotations

import random
import sys
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_lr.finder import LRFinder
from keras_lr.fit.keras_names import read

TORCH = keras.backend.backend() == "torch"


def data(batches: int = 40, batch_size: int = 4) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    x = generator.normal(size=(batches * batch_size, 4)).astype("float32")
    return x, (x @ [[1.0], [-2.0], [0.5], [3.0]]).astype("float32")


def model_of(optimizer: Any = "adam", *, dropout: float = 0.0, **options: Any) -> Any:
    keras.utils.set_random_seed(0)
    layers = [keras.Input((4,)), keras.layers.Dense(5, kernel_regularizer="l2")]
    if dropout:
        layers += [keras.layers.BatchNormalization(), keras.layers.Dropout(dropout)]
    model = keras.Sequential([*layers, keras.layers.Dense(1)])
    model.compile(optimizer, **{"loss": "mse", **options})
    return model


def sweep(model: Any, finder: Any, *callbacks: Any, **options: Any) -> Any:
    x, y = options.pop("data", None) or data()
    options = {"batch_size": 4, "shuffle": False, "verbose": 0, **options}
    model.fit(x, y, callbacks=[*callbacks, finder], **options)
    return finder.result


def finder_of(steps: int = 40, **options: Any) -> LRFinder:
    options = {"min_lr": 1e-4, "max_lr": 0.1, "verbose": 0, **options}
    return LRFinder(steps=steps, **options)


def plain_losses(model: Any, rates: Any, x: Any, y: Any, w: Any = None) -> np.ndarray:
    """The loss of each batch of four when each update has its rate, by a loop."""
    losses = []
    for i, rate in enumerate(rates):
        rows = slice(4 * i, 4 * i + 4)
        model.optimizer.learning_rate = float(rate)
        model.reset_metrics()
        weight = None if w is None else w[rows]
        done = model.train_on_batch(x[rows], y[rows], weight, return_dict=True)
        losses.append(float(done["loss"]))
    return np.array(losses)


def everything(model: Any) -> dict[str, Any]:
    """All state there is: of the model, and of every source of random numbers."""
    optimizer = model.optimizer
    every = [*model.variables, *optimizer.variables, *model.metrics_variables]
    state = {
        f"{i} {v.path}": np.array(read(v))
        for i, v in enumerate({id(v): v for v in every}.values())
    }
    state["python"] = np.array(random.getstate()[1])
    state["numpy"] = np.array(np.random.get_state()[1])
    state["numpy at"] = np.array(np.random.get_state()[2])
    state["keras"] = np.array(keras.random.uniform((2,), seed=seeds(model)))
    if "torch" in sys.modules and TORCH:
        state["torch"] = sys.modules["torch"].get_rng_state().numpy()
    if keras.backend.backend() == "tensorflow":
        from tensorflow.python.eager import context

        state["tensorflow"] = np.array(context.context()._rng.getstate()[1])
    return state


def seeds(model: Any) -> int:
    """A number that changes whenever the global seed generator of Keras moves on."""
    from keras.src.backend.common import global_state

    found = global_state.get_global_attribute("global_seed_generator")
    return 0 if found is None else int(ops.convert_to_numpy(found.state.value).sum())


def outside(model: Any) -> Any:
    """What a model looks like from outside: nothing borrowed may show."""
    optimizer = model.optimizer
    return (
        type(optimizer),
        type(model._loss_tracker),
        len(model.metrics_variables),
        optimizer.get_config(),
        set(vars(model)) & {"train_step", "make_train_function"},
        set(vars(optimizer)),
    )


def assert_same(after: dict[str, Any], before: dict[str, Any]) -> None:
    assert not set(before) - set(after)
    for name, value in before.items():
        np.testing.assert_array_equal(after[name], value, err_msg=name)
