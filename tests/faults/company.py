"""Threads, fork, clone, deepcopy and pickle in the middle of a fit, of a sweep too."""

from __future__ import annotations

import copy
import os
import pickle
import random
import threading
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np

import keras_lr
from tests.faults.counting import ERROR, FAULT, WHOLE, Amounts, Outcome
from tests.faults.states import BATCH, awaited, data, left_in, model_of, temporary_files
from tests.kit.sweeps import everything, outside

STEPS = 20
CLEAR = "Received: "


class Acts(keras.callbacks.Callback):
    """Does something once, at the end of a batch."""

    def __init__(self, at: int, act: Callable[[Any], None]) -> None:
        super().__init__()
        self.at = at
        self.act = act
        self.has_acted = False

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if batch == self.at:
            self.has_acted = True
            self.act(self.model)

    def __deepcopy__(self, memo: Any) -> Any:
        return type(self)(-1, self.act)


def try_all(amounts: Amounts, generator: random.Random) -> Iterator[Outcome]:
    """Each of them at a random batch."""
    for _ in range(amounts.rounds):
        for name, act in ACTS.items():
            at = generator.randrange(STEPS)
            yield _in_fit(name, act, at)
            yield _in_sweep(name, act, at)
        yield _two_threads(generator)
        yield _one_schedule_in_two_threads()
        yield _one_model_in_two_threads()


# What is done in the middle of a training, of which it must not know.


def _clone(model: Any) -> None:
    twin = keras.models.clone_model(model)
    twin.compile(keras.optimizers.SGD(0.5), "mse")
    _trains_at_own_rate(twin, 0.5)


def _deepcopy_model(model: Any) -> None:
    _trains_at_own_rate(copy.deepcopy(model), 0.01)


def _deepcopy_optimizer(model: Any) -> None:
    rate = float(copy.deepcopy(model.optimizer).learning_rate)
    _expect(np.isclose(rate, 0.01), f"the copy's rate is {rate}")


def _pickle_model(model: Any) -> None:
    _trains_at_own_rate(pickle.loads(pickle.dumps(model)), 0.01)


def _pickle_callbacks(model: Any) -> None:
    for callback in _callbacks_around():
        again = pickle.loads(pickle.dumps(callback))
        _expect(type(again) is type(callback), "a pickled callback is another")
        copy.deepcopy(callback)


def _evaluate(model: Any) -> None:
    x, y = data(3)
    model.evaluate(x, y, batch_size=BATCH, verbose=0)


def _fork(model: Any) -> None:
    with warnings.catch_warnings():
        # That a process with threads should not be forked.
        warnings.simplefilter("ignore")
        number = os.fork()
    if not number:
        # A child that ends as a script does: what it was forked with is not its own.
        code = 1
        try:
            _callbacks_around()
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(number, 0)
    _expect(status == 0, f"the child ended with {status}")


def _train_another(model: Any) -> None:
    other = model_of(keras.optimizers.SGD(0.25))
    x, y = data(3)
    warmup = keras_lr.Warmup(2)
    other.fit(x, y, batch_size=BATCH, verbose=0, callbacks=[warmup])
    rate = float(other.optimizer.learning_rate)
    _expect(rate == 0.25, f"the other's rate is {rate}")


ACTS: dict[str, Callable[[Any], None]] = {
    "clone_model": _clone,
    "deepcopy of the model": _deepcopy_model,
    "deepcopy of the optimizer": _deepcopy_optimizer,
    "pickle of the model": _pickle_model,
    "pickle of the callbacks": _pickle_callbacks,
    "evaluate": _evaluate,
    "fork": _fork,
    "a fit of another model": _train_another,
}


class Unexpected(Exception):
    """What is not as it should be."""


def _expect(holds: bool, said: str) -> None:
    if not holds:
        raise Unexpected(said)


def _callbacks_around() -> list[Any]:
    from keras_lr.fit import callers

    callbacks, _ = callers.list_of_fit()
    return [
        one for one in callbacks.callbacks if type(one).__module__[:8] == "keras_lr"
    ]


def _trains_at_own_rate(model: Any, rate: float) -> None:
    own = float(model.optimizer.learning_rate)
    _expect(np.isclose(own, rate), f"the copy's rate is {own}")
    x, y = data(2)
    model.fit(x, y, batch_size=BATCH, verbose=0)
    own = float(model.optimizer.learning_rate)
    _expect(np.isclose(own, rate), f"the copy's rate is {own} after a fit")


def _trained(acts: Acts) -> Any:
    # Copies, and evaluate on torch, draw random numbers: this model draws none.
    model = _plain_model()
    x, y = data(STEPS)
    options = {"batch_size": BATCH, "verbose": 0, "shuffle": False}
    model.fit(x, y, callbacks=[keras_lr.OneCycle(max_lr=0.02), acts], **options)
    return model


def _weights_differ(model: Any, other: Any) -> bool:
    pairs = zip(model.get_weights(), other.get_weights(), strict=True)
    return not all(np.array_equal(*pair) for pair in pairs)


def _in_fit(name: str, act: Callable[[Any], None], at: int) -> Outcome:
    kind = "fork, clone, copy, pickle, another fit: in a fit"
    place = f"{name} after batch {at}"
    acts = Acts(at, act)
    try:
        disturbed = _trained(acts)
    except Exception as error:
        return Outcome(kind, place, FAULT, f"{type(error).__name__}: {error}")
    lost = []
    if not acts.has_acted:
        lost.append("nothing was done")
    # On the same hooks, so that both run the same steps.
    if _weights_differ(disturbed, _trained(Acts(at, lambda model: None))):
        lost.append("the fit ends with other weights")
    if float(disturbed.optimizer.learning_rate) != np.float32(0.01):
        lost.append(f"its rate is {float(disturbed.optimizer.learning_rate)}")
    return Outcome(kind, place, FAULT if lost else WHOLE, "; ".join(lost))


def _in_sweep(name: str, act: Callable[[Any], None], at: int) -> Outcome:
    kind = "fork, clone, copy, pickle, another fit: in a sweep"
    place = f"{name} after batch {at}"
    model = model_of()
    before = everything(model)
    shape = outside(model)
    verdict = WHOLE
    said = ""
    with temporary_files() as folder:
        finder = keras_lr.LRFinder(1e-4, 0.05, 40, memory_limit=10, verbose=0)
        x, y = data(STEPS)
        try:
            model.fit(
                x,
                y,
                batch_size=BATCH,
                epochs=2,
                verbose=0,
                callbacks=[Acts(at, act), finder],
            )
        except Exception as error:
            said = f"{type(error).__name__}: {error}"
            verdict = ERROR if CLEAR in said else FAULT
        lost = awaited(model, before, shape) + left_in(folder)
    if lost:
        return Outcome(kind, place, FAULT, "; ".join([said, *lost]))
    return Outcome(kind, place, verdict, said)


# Threads.


def _together(*runs: Callable[[], None]) -> list[Exception]:
    """Runs them at once, each in a thread; what they have raised."""
    raised: list[Exception] = []

    def run(function: Callable[[], None]) -> None:
        try:
            function()
        except Exception as error:
            raised.append(error)

    threads = [threading.Thread(target=run, args=[one]) for one in runs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


def _two_threads(generator: random.Random) -> Outcome:
    """Two models at once, each as it would be alone."""
    kind = "two fits in two threads"
    peaks = [generator.uniform(0.001, 0.05), generator.uniform(0.001, 0.05)]
    models = [_plain_model() for _ in peaks]
    raised = _together(
        *[lambda m=m, p=p: _fit_plain(m, p) for m, p in zip(models, peaks, strict=True)]
    )
    lost = [f"{type(error).__name__}: {error}" for error in raised]
    for model, peak in zip(models, peaks, strict=True):
        alone = _plain_model()
        _fit_plain(alone, peak)
        if _weights_differ(model, alone):
            lost.append("one ends with other weights than alone")
    place = f"peaks {peaks[0]:.4f} and {peaks[1]:.4f}"
    return Outcome(kind, place, FAULT if lost else WHOLE, "; ".join(lost))


def _one_schedule_in_two_threads() -> Outcome:
    """One object in two fits at once: refused, or one after the other."""
    schedule = keras_lr.OneCycle(max_lr=0.02)
    models = [_plain_model(), _plain_model()]
    runs = [lambda m=m: _fit_plain(m, 0.02, schedule) for m in models]
    return _refused("one schedule in two threads", _together(*runs), models)


def _one_model_in_two_threads() -> Outcome:
    """One model in two fits at once: refused, or one after the other."""
    model = _plain_model()
    raised = _together(*[lambda: _fit_plain(model, 0.02) for _ in range(2)])
    return _refused("one model in two threads", raised, [model])


def _refused(kind: str, raised: list[Exception], models: list[Any]) -> Outcome:
    said = "; ".join(f"{type(error).__name__}: {error}" for error in raised)
    lost = []
    for model in models:
        rate = float(model.optimizer.learning_rate)
        if rate != np.float32(0.01):
            lost.append(f"its rate is {rate}")
        lost += [one for one in outside(model)[-2] if one != "train_step"]
    if lost or any(CLEAR not in str(error) for error in raised):
        return Outcome(kind, "", FAULT, "; ".join([said, *lost]))
    return Outcome(kind, "", ERROR if raised else WHOLE, said)


def _plain_model() -> Any:
    """Without random numbers, which threads share."""
    keras.utils.set_random_seed(0)
    layers = [keras.Input((4,)), keras.layers.Dense(8), keras.layers.Dense(1)]
    model = keras.Sequential(layers)
    model.compile(keras.optimizers.Adam(0.01), "mse")
    return model


def _fit_plain(model: Any, peak: float, schedule: Any = None) -> None:
    schedule = schedule or keras_lr.OneCycle(max_lr=peak)
    x, y = data(STEPS)
    options = {"batch_size": BATCH, "verbose": 0, "shuffle": False, "epochs": 3}
    model.fit(x, y, callbacks=[schedule], **options)
