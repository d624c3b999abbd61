"""What happens around a model's own step while that runs under control."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_lr.fit import keras_names
from keras_lr.fit.optimizer import LentOptimizer, uncompiled
from keras_lr.fit.record import Before, BeforeView, Scalar, StepView


@dataclass(frozen=True)
class Values:
    """What is in force at one update.

    Attributes:
        optimizers: For each optimizer the value of each hyperparameter.
        statistics: The highest momentum of moving statistics.
    """

    optimizers: list[dict[str, Any]]
    statistics: Any


#: Gives the values of an update that an optimizer makes in a step after so many others;
#: None where they are those that the step began with.
Later = Callable[[int, int], dict[str, Any] | None]


#: What has been worked out before a step, by what has done it.
Worked = Mapping[Before, Sequence[Any]]


class Control:
    """Has the optimizers update at the values of a row, and hears of the loss.

    On TensorFlow and JAX this happens while the step is traced, on torch at each step.
    Replicas of MirroredStrategy are traced in turns: what is put in place when the
    first one begins is taken away when the last one ends.

    Args:
        model: A compiled model.
        optimizers: Its optimizers.
        scalars: What is to be written down besides loss and rates.

    Attributes:
        columns: Where the part of each optimizer begins in a row, and where it ends:
            the factor on the own rate, a rate to add to it, and its further
            hyperparameters.
        own_rates: The optimizers' own rates, on torch, where the device is not asked at
            each step; None where that is a schedule.
        is_recording: Whether somebody will read what is written down.
        reports_loss: Whether the step told a metric its loss when it was traced, or
            when it last ran.
    """

    def __init__(
        self,
        model: Any,
        optimizers: Sequence[LentOptimizer],
        scalars: Sequence[Scalar],
        loss: str,
    ) -> None:
        self.own_rates: list[float | None] = [None] * len(optimizers)
        self.is_recording = False
        self.reports_loss = True
        self._model = model
        self._optimizers = optimizers
        widths = [2 + len(lent.attributes) for lent in optimizers]
        self.columns = [0, *accumulate(widths)]
        self._scalars = tuple(scalars)
        self._is_torch = keras.backend.backend() == "torch"
        self._is_compiled = self._is_torch and bool(model.jit_compile)
        self._losses = _Losses(model, loss)
        self._normalizations = _Normalizations(keras_names.normalizations(model))
        self._own_step = keras_names.step_of(model)
        self._set_step = keras_names.set_step_of(model)
        self._steps = 0

    def look_up(self, rows: Sequence[Sequence[Any]]) -> Values:
        """The values in force, from the own rates and the given part of some rows.

        Args:
            rows: For each optimizer the row of its batch: they may count differently.
        """
        optimizers = [self.look_up_one(i, row) for i, row in enumerate(rows)]
        return Values(optimizers, rows[0][-1])

    def look_up_one(self, i: int, row: Sequence[Any]) -> dict[str, Any]:
        """The same for one optimizer."""
        lent = self._optimizers[i]
        at = self.columns[i]
        own: Any = self.own_rates[i] if self._is_torch else None
        if own is None:
            own = self._as_number(lent.own("learning_rate"))
        # The factor of a schedule, and the rate of a sweep: one of them is 0.
        found = {"learning_rate": own * row[at] + row[at + 1]}
        for place, name in enumerate(lent.attributes, at + 2):
            found[name] = row[place]
        return found

    @contextmanager
    def step(self, values: Values, later: Later) -> Iterator[None]:
        """The step runs.

        Args:
            values: In force at the first update of each optimizer.
            later: Gives those of an optimizer's later updates, in a step of the user's
                that makes several.
        """
        applied = [lent.applied for lent in self._optimizers]
        try:
            self._begin(values, later)
            yield
        except BaseException:
            # Where a trace is cut, say by Ctrl-C, that of other batches is still there,
            # and has applied what was counted in it.
            for lent, before in zip(self._optimizers, applied, strict=True):
                lent.applied = before
            raise
        finally:
            self._end()

    def _begin(self, values: Values, later: Later) -> None:
        self._steps += 1
        for i, lent in enumerate(self._optimizers):
            lent.begin_step(partial(self._of_update, values, later, i))
        self._normalizations.follow(values.statistics)
        if not self._is_compiled:
            self._losses.listen()
        elif self.is_recording:
            # torch.compile would cut the step in two where the loss is heard: it is
            # left out altogether.
            keras_names.set_step(self._model, uncompiled(self._own_step))
            self._losses.listen()

    def _end(self) -> None:
        for lent in self._optimizers:
            lent.end_step()
        self._steps -= 1
        if not self._steps:
            self._normalizations.restore()
            self._losses.stop()
            if self._is_compiled and self.is_recording:
                keras_names.set_step(self._model, self._set_step)

    def before(self, data: Any, count: Any) -> Worked:
        """Work out what scalars want to know before the model's own step.

        On JAX that is done by functions of their own (:mod:`keras_lr.fit.early`).

        Args:
            data: The batch.
            count: The batches that the first optimizer has done.
        """
        wanted = [scalar.before for scalar in self._scalars if scalar.before]
        if self._is_torch and not self.is_recording:
            # On TensorFlow the trace has it, whoever reads.
            return {}
        view = BeforeView(self._model, None, data, count)
        return {work: work(view) for work in dict.fromkeys(wanted)}

    def scalars(
        self, values: Values, data: Any, logs: Any, worked: Worked
    ) -> list[Any]:
        """What is written down of a batch, after its step and before the end.

        Args:
            values: In force at the first update of each optimizer.
            data: The batch.
            logs: What the step has returned.
            worked: What has been worked out before it.
        """
        loss = self._losses.mean(logs)
        self.reports_loss = loss is not None
        if loss is None:
            loss = float("nan") if self._is_torch else ops.full((), np.nan)
        seen = [loss]
        for found in values.optimizers:
            seen.append(found["learning_rate"])
        for scalar in self._scalars:
            before = None if scalar.before is None else worked.get(scalar.before)
            view = StepView(loss, data, logs, values.optimizers, before)
            seen.append(scalar.value(view))
        return seen

    def _of_update(self, values: Values, later: Later, i: int, applied: int) -> Any:
        """What an update looks up."""
        found = later(i, applied)
        return values.optimizers[i] if found is None else found

    def _as_number(self, rate: Any) -> Any:
        """An own rate, to calculate with."""
        if self._is_torch:
            return float(ops.convert_to_numpy(rate))
        # Not in half precision, whatever the optimizer's.
        return ops.cast(rate, wide_dtype())


def wide_dtype() -> str:
    """The dtype of rates and of what is written down."""
    return "float64" if keras.config.floatx() == "float64" else "float32"


class _Losses:
    """Listens to what a step tells its metrics of the loss.

    The metric of the loss is the one thing that gets the loss of each batch inside of
    the step, on every backend, whatever the logs say. It is the one that bears the name
    of the loss; where none does, as in many a step of a user's, the one whose result
    the step returns under that name, or else as its ``"loss"``. A number that the step
    returns there without any metric is taken as it is.

    Args:
        model: A compiled model.
        name: What the logs call the loss.
    """

    def __init__(self, model: Any, name: str) -> None:
        self._name = name
        self._trackers = keras_names.loss_trackers(model, name)
        self._is_known = bool(self._trackers)
        if not self._is_known:
            self._trackers = list(model.metrics)
        self._is_listening = False
        # Replicas of MirroredStrategy run in threads, each with a loss of its own.
        self._local = threading.local()

    def listen(self) -> None:
        """Keep the losses from now on."""
        self._local.told = []
        self._local.results = []
        if self._is_listening:
            return
        self._is_listening = True
        for tracker in self._trackers:
            vars(tracker)["update_state"] = partial(self._update, tracker)
            if not self._is_known:
                vars(tracker)["result"] = partial(self._result, tracker)

    def stop(self) -> None:
        """Keep none any more."""
        self._is_listening = False
        for tracker in self._trackers:
            vars(tracker).pop("update_state", None)
            vars(tracker).pop("result", None)

    def mean(self, logs: Any) -> Any | None:
        """The mean loss of the batch; None if the step has reported none.

        Args:
            logs: What the step returns.
        """
        told = self._told_to(logs)
        self._local.told = []
        self._local.results = []
        losses = [ops.mean(loss) if loss.shape else loss for loss in _usable(told)]
        if len(losses) < 2:
            return losses[0] if losses else None
        return sum(losses) / len(losses)

    def _told_to(self, logs: Any) -> list[Any]:
        """What the metric of the loss has been told."""
        told = getattr(self._local, "told", [])
        if self._is_known:
            return [values for _, values in told]
        value = None
        if isinstance(logs, Mapping):
            value = logs.get(self._name, logs.get("loss"))
        if value is None:
            return []
        results = getattr(self._local, "results", [])
        owners = [tracker for tracker, result in results if result is value]
        if not owners:
            return [value]
        return [values for tracker, values in told if tracker is owners[0]]

    def _update(self, tracker: Any, values: Any, *args: Any, **kwargs: Any) -> Any:
        self._local.told.append((tracker, values))
        return type(tracker).update_state(tracker, values, *args, **kwargs)

    def _result(self, tracker: Any) -> Any:
        result = type(tracker).result(tracker)
        self._local.results.append((tracker, result))
        return result


def _usable(losses: Sequence[Any]) -> Iterator[Any]:
    """Those that can be read outside of where they were reported."""
    backend = keras.backend.backend()
    for loss in losses:
        if backend == "torch":
            yield loss.detach() if hasattr(loss, "detach") else _as_tensor(loss)
        elif backend == "jax":
            value = loss
            # Reported from within jax.grad: the value without its derivative.
            while hasattr(value, "primal"):
                value = value.primal
            yield ops.convert_to_tensor(value)
        elif _is_of_this_graph(loss):
            yield ops.convert_to_tensor(loss)


def _as_tensor(loss: Any) -> Any:
    return ops.convert_to_tensor(loss)


def _is_of_this_graph(tensor: Any) -> bool:
    """Whether a tensor of TensorFlow can be used here: a step may call a function."""
    tf = importlib.import_module("tensorflow")
    graph = None if tf.executing_eagerly() else getattr(tensor, "graph", None)
    return graph is None or graph is tf.compat.v1.get_default_graph()


class _Normalizations:
    """The layers that keep moving statistics, and how fast these follow.

    Their momentum is a number that a trace would bake in; here it is one of the row.
    """

    def __init__(self, layers: list[Any]) -> None:
        self._layers = [vars(layer) for layer in layers]
        self._own: list[float] = []

    def follow(self, momentum: Any) -> None:
        """Have no layer's momentum above this one, until it is restored."""
        if not self._layers or (isinstance(momentum, float) and momentum >= 1):
            return
        if not self._own:
            self._own = [attributes["momentum"] for attributes in self._layers]
        for attributes, own in zip(self._layers, self._own, strict=True):
            attributes["momentum"] = _lower(own, momentum)

    def restore(self) -> None:
        """Give the layers their own momentum."""
        for attributes, own in zip(self._layers, self._own, strict=False):
            attributes["momentum"] = own
        self._own = []


def _lower(own: float, most: Any) -> Any:
    if isinstance(most, float):
        return min(own, most)
    return ops.minimum(ops.cast(own, most.dtype), most)
