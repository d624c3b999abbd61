"""An exception in each hook of a callback, before ours in the list and behind it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import keras

import keras_lr
from tests.faults.counting import FAULT, WHOLE, Amounts, Outcome
from tests.faults.states import BATCH, awaited, data, left_in, model_of, temporary_files
from tests.kit.sweeps import everything, outside

ONCE = ("set_model", "set_params", "on_train_begin", "on_train_end")
EACH_EPOCH = ("on_epoch_begin", "on_epoch_end", "on_test_begin", "on_test_end")
EACH_BATCH = (
    "on_train_batch_begin",
    "on_train_batch_end",
    "on_test_batch_begin",
    "on_test_batch_end",
)
HOOKS = (*ONCE, *EACH_EPOCH, *EACH_BATCH)


class Injected(Exception):
    """What a hook raises here."""


class Raises(keras.callbacks.Callback):
    """Raises in one hook, at one of its calls."""

    def __init__(self, hook: str, at: int, error: type[BaseException]) -> None:
        super().__init__()
        self.left = at
        self.has_raised = False
        call = getattr(self, hook)

        def raising(*args: Any, **kwargs: Any) -> None:
            call(*args, **kwargs)
            self.left -= 1
            if self.left < 0:
                self.has_raised = True
                raise error

        setattr(self, hook, raising)


def try_all(amounts: Amounts, generator: random.Random) -> Iterator[Outcome]:
    """Each hook, in both orders, of a fit and of a sweep."""
    model = model_of()
    for _ in range(amounts.rounds):
        for hook in HOOKS:
            for is_behind in (False, True):
                for is_sweep in (False, True):
                    outcome = _try(model, hook, is_behind, is_sweep, generator)
                    yield outcome
                    if outcome.verdict == FAULT:
                        model = model_of()


def _try(
    model: Any, hook: str, is_behind: bool, is_sweep: bool, generator: random.Random
) -> Outcome:
    error = generator.choice([Injected, KeyboardInterrupt])
    at = 0
    if hook in EACH_EPOCH:
        at = generator.randrange(2)
    if hook in EACH_BATCH:
        at = generator.randrange(15 if "train" in hook else 4)
    raises = Raises(hook, at, error)
    place = f"{hook}, call {at}, {'behind ours' if is_behind else 'before ours'}"
    own: Any = keras_lr.OneCycle(max_lr=0.02)
    kind = "exception in a hook of a fit"
    if is_sweep:
        own = keras_lr.LRFinder(1e-4, 0.1, 30, verbose=0, stop_early=False)
        kind = "exception in a hook of a sweep"
    before = everything(model)
    shape = outside(model)
    with temporary_files() as folder:
        callbacks = [own, raises] if is_behind else [raises, own]
        try:
            _fit(model, callbacks)
        except error:
            pass
        except Exception as other:
            return Outcome(kind, place, FAULT, f"{type(other).__name__}: {other}")
        lost = awaited(model, before if is_sweep else {}, shape)
        lost += left_in(folder)
    if not raises.has_raised:
        lost.append("the hook was not called")
    return Outcome(kind, place, FAULT if lost else WHOLE, "; ".join(lost))


def _fit(model: Any, callbacks: list[Any]) -> None:
    x, y = data()
    options = {"batch_size": BATCH, "epochs": 2, "verbose": 0}
    model.fit(x, y, validation_data=(x[:16], y[:16]), callbacks=callbacks, **options)
