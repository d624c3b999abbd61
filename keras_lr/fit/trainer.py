"""What a sweep borrows of a model besides its optimizers, and all of its state.

The companion of :mod:`keras_lr.fit.optimizer`: the only other file that touches names
of Keras that it does not document.
"""

from __future__ import annotations

import importlib
import random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from keras_lr.fit.optimizer import Lent, Loan, check, read, set_class, uncompiled

#: Undocumented names of Keras, by owner; checked before a sweep.
CONTRACT = {
    "Sweep": (
        "_flatten_layers",
        "_loss_tracker",
        "_symbolic_build",
        "train_step",
        "metrics_variables",
    ),
    "Sweep on JAX": ("_jax_state_synced", "jax_state_sync"),
    "EpochIterator": ("_get_iterator",),
}


def build(model: Any, batch: Any = None) -> bool:
    """Make the model's and the optimizer's variables; whether they are all there now.

    Args:
        model: A compiled model.
        batch: A batch of data to build an unbuilt model with.
    """
    check("Sweep", model, CONTRACT)
    if keras.backend.backend() == "jax":
        check("Sweep on JAX", model, CONTRACT)
    if not model.built:
        if batch is None:
            return False
        model._symbolic_build(data_batch=batch)
    if not model.optimizer.built:
        with _strategy_scope(model):
            model.optimizer.build(model.trainable_variables)
    return True


def outside_of_graphs() -> Any:
    """A context in which variables have values, in the middle of a trace too."""
    if keras.backend.backend() != "tensorflow":
        return nullcontext()
    return importlib.import_module("tensorflow").init_scope()


def variables_of(model: Any) -> list[Any]:
    """All state of a compiled model, its optimizer and its metrics, each once."""
    every = [*model.variables, *model.optimizer.variables, *model.metrics_variables]
    return list({id(variable): variable for variable in every}.values())


@contextmanager
def quick_statistics(model: Any) -> Iterator[None]:
    """Have batch normalization follow within some tens of updates.

    At its usual momentum of 0.99 the moving statistics of a short training are still
    mostly their initial values, and an evaluation would judge those.
    """
    layers = [
        layer
        for layer in model._flatten_layers()
        if isinstance(layer, keras.layers.BatchNormalization)
    ]
    before = [layer.momentum for layer in layers]
    if layers:
        model.train_function = None
    try:
        for layer in layers:
            layer.momentum = min(layer.momentum, 0.9)
        yield
    finally:
        for layer, momentum in zip(layers, before, strict=True):
            layer.momentum = momentum
        if layers:
            model.train_function = None


def read_in_fit(model: Any, variable: Any) -> NDArray[Any]:
    """A copy of a metric's variable, in the middle of a fit too.

    On JAX the values of a running fit are not in the variables; fetching them all, as
    a callback's ``self.model`` does, would cost more than a step.
    """
    state = getattr(model, "_jax_state", None)
    if state and not model._jax_state_synced:
        ids = [id(one) for one in model.metrics_variables]
        return np.array(state["metrics_variables"][ids.index(id(variable))])
    return np.array(read(variable))


def write(model: Any, variables: list[Any], values: Iterator[NDArray[Any]]) -> None:
    """Set variables, in the middle of a fit too."""
    if keras.backend.backend() == "jax":
        # Else the values that a running fit carries would be written over these.
        model._jax_state, model._jax_state_synced = None, True
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def guard_data(
    values: Any, guarded: Callable[[Callable[..., Any]], Callable[..., Any]]
) -> None:
    """Have a fit call its data through a guard.

    Only on torch, where a fit fetches its data outside of the step.

    Args:
        values: What the fit's frame holds.
        guarded: Makes a guarded function of one.
    """
    if keras.backend.backend() != "torch":
        return
    module = importlib.import_module("keras.src.trainers.epoch_iterator")
    for one in values:
        if isinstance(one, module.EpochIterator):
            check("EpochIterator", one, CONTRACT)
            one._get_iterator = partial(_guarded_data, one._get_iterator, guarded)


def _guarded_data(
    make: Callable[[], Any], guarded: Callable[..., Any]
) -> Iterator[Any]:
    take = guarded(iter(make()).__next__)
    while True:
        try:
            yield take()
        except StopIteration:
            return


def keep_weights(loan: Loan) -> None:
    """Have a fit that fails leave the weights alone.

    On JAX a fit that raises still replaces the weights by their moving average.
    """
    if keras.backend.backend() != "jax":
        return
    for lent in loan.lent:
        optimizer = lent.optimizer

        def once(*args: Any, optimizer: Any = optimizer) -> None:
            del optimizer.finalize_variable_values

        if optimizer.use_ema:
            optimizer.finalize_variable_values = once


@dataclass
class Recorder:
    """Has the model's loss tracker write down the loss of every update.

    The loss tracker is the one metric that gets the loss of each batch inside the step,
    on every backend. While on loan it also adds it to the column of the update that is
    under way, in a variable that is carried along with those of the metrics. So the
    losses are there whatever the logs say, and nothing is read from the device. The
    rates come to the step in the same way, so that other rates need no other step.

    Attributes:
        lent: The optimizers; the updates of the first are counted.
        updates: Updates of a fit at most.
        ready: Called with the first batch before it is trained on.
        table: Shape (3, updates): sum of the losses, batches, and NaN where a batch has
            data that are not finite, else 0.
        rates: Shape (optimizers, updates): the rate of each update.
    """

    model: Any
    lent: list[Lent]
    updates: int
    ready: Callable[[Any], None]
    table: Any = field(init=False)
    rates: Any = field(init=False)
    _now: Any = field(init=False, default=None)
    _trackers: list[tuple[Any, Any]] = field(init=False, default_factory=list)

    def lend(self) -> None:
        """Replace the loss tracker's class and the model's step."""
        model = self.model
        with _strategy_scope(model):
            self.table = _state(
                (3, self.updates), aggregation="sum", synchronization="on_read"
            )
            self.rates = _state((len(self.lent), self.updates))
        # A train_step of one's own may have a loss tracker of its own.
        trackers = [one for one in model.metrics if one.name == "loss"]
        for i, tracker in enumerate(trackers or [model._loss_tracker]):
            self._lend(tracker, carries=i == 0)
        step: Any = self._step
        if self.lent[0].compiled and not self.lent[0].in_graph:
            # torch.compile would freeze the number of the update: it is left out.
            step = uncompiled(step)
        model.train_step = step

    def start(self) -> None:
        """Forget the losses, and take the rates from the optimizers' tables."""
        tables = [lent.tables["learning_rate"] for lent in self.lent]
        rates = [np.pad(one, (0, self.updates - len(one)), "edge") for one in tables]
        with _strategy_scope(self.model):
            self.table.assign(np.zeros(self.table.shape))
            self.rates.assign(np.stack(rates))

    def _lend(self, tracker: Any, carries: bool) -> None:
        cls, recorder = type(tracker), self

        def update_state(values: Any, *args: Any, **kwargs: Any) -> Any:
            done = cls.update_state(tracker, values, *args, **kwargs)
            recorder._add(values)
            return done

        # On the instance: torch.compile asks `__class__` for what a class has.
        tracker.update_state = update_state
        if carries:
            body = {
                "__class__": property(lambda _: cls),
                "variables": property(
                    lambda self: [
                        *cls.variables.fget(self),
                        recorder.table,
                        recorder.rates,
                    ]
                ),
            }
            set_class(tracker, type(cls.__name__, (cls,), body))
        self._trackers.append((tracker, cls))

    def give_back(self) -> None:
        """Restore the loss tracker and the step."""
        for tracker, cls in self._trackers:
            vars(tracker).pop("update_state", None)
            set_class(tracker, cls)
        vars(self.model).pop("train_step", None)

    def _step(self, *args: Any) -> Any:
        # args: (data,), on JAX (state, data)
        self.ready(args[-1])
        self._begin(*args)
        try:
            return type(self.model).train_step(self.model, *args)
        finally:
            self._now = None
            for lent in self.lent:
                lent.carried = None

    def _begin(self, *args: Any) -> None:
        """Note which update this is, its rates, and whether its data are finite."""
        lent, optimizer = self.lent[0], self.lent[0].optimizer
        rates: Any = None
        if not lent.in_graph:
            done: Any = lent.counter // lent.accumulation
        elif len(args) == 1:
            done, rates = optimizer.iterations, self.rates.value
        else:
            # On JAX the state is an argument of the step.
            _, _, slots, metrics = args[0]
            ids = [id(one) for one in self.model.optimizer.variables]
            done = slots[ids.index(id(optimizer._iterations))] // lent.accumulation
            ids = [id(one) for one in self.model.metrics_variables]
            rates = metrics[ids.index(id(self.rates))]
        if rates is not None:
            for i, one in enumerate(self.lent):
                one.carried = rates[i]
        self._now = (
            done - lent.offset,
            [
                ops.sum(leaf * 0)  # NaN if anything in it is not finite
                for leaf in keras.tree.flatten(args[-1])
                if "float" in str(getattr(leaf, "dtype", None))
            ],
        )

    def _add(self, loss: Any) -> None:
        if self._now is None:
            return  # Evaluation, not training.
        index, bad = self._now
        mean = ops.mean(loss) if loss.shape else loss
        table = self.table.value
        if not self.lent[0].in_graph:
            if index < self.updates:
                sums, counts, wrong = table.data[:, index]
                sums += mean.detach()
                counts += 1
                for one in bad:
                    wrong += one
            return
        dtype = self.table.dtype
        wrong = sum((ops.cast(one, dtype) for one in bad), ops.zeros((), dtype))
        column = ops.stack([ops.cast(mean, dtype), ops.ones((), dtype), wrong])
        here = ops.equal(np.arange(self.updates), ops.cast(index, "int32"))
        self.table.assign(ops.where(here, table + column[:, None], table))


def _state(shape: tuple[int, ...], **kwargs: Any) -> Any:
    dtype = "float64" if keras.config.floatx() == "float64" else "float32"
    return keras.Variable(
        np.zeros(shape), dtype=dtype, trainable=False, name="sweep", **kwargs
    )


def _strategy_scope(model: Any) -> Any:
    strategy = getattr(model, "distribute_strategy", None)
    return nullcontext() if strategy is None else strategy.scope()


def random_state() -> Callable[[], None]:
    """Take the random state of Python, NumPy, Keras and the backend.

    Returns:
        What sets it again.
    """
    undo: list[Callable[[], None]] = [
        partial(random.setstate, random.getstate()),
        partial(np.random.set_state, np.random.get_state()),
        _keras_random_state(),
    ]
    if "torch" in sys.modules and keras.backend.backend() == "torch":
        undo += _torch_random_state(sys.modules["torch"])
    if "tensorflow" in sys.modules:
        # Keras' data pipelines use it on every backend.
        undo += _tensorflow_random_state(sys.modules["tensorflow"])

    def again() -> None:
        for one in undo:
            one()

    return again


def _keras_random_state() -> Callable[[], None]:
    from keras.src.backend.common import global_state

    name = "global_seed_generator"
    generator = global_state.get_global_attribute(name)
    value = None if generator is None else np.array(read(generator.state))

    def again() -> None:
        global_state.set_global_attribute(name, generator)
        if generator is not None:
            generator.state.assign(value)

    return again


def _torch_random_state(torch: Any) -> list[Callable[[], None]]:
    undo: list[Callable[[], None]]
    undo = [partial(torch.set_rng_state, torch.get_rng_state())]
    if torch.cuda.is_available() and torch.cuda.is_initialized():
        states = torch.cuda.get_rng_state_all()
        undo.append(partial(torch.cuda.set_rng_state_all, states))
    return undo


def _tensorflow_random_state(tf: Any) -> list[Callable[[], None]]:
    context = importlib.import_module("tensorflow.python.eager.context").context()
    own = getattr(context, "_rng", None)
    undo: list[Callable[[], None]]
    undo = [] if own is None else [partial(own.setstate, own.getstate())]
    stateful = importlib.import_module("tensorflow.python.ops.stateful_random_ops")
    generator = stateful.global_generator
    if generator is not None:
        state = generator.state.numpy()
        undo.append(partial(generator.state.assign, state))
    return undo
