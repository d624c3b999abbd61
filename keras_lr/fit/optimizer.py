"""Control of a Keras optimizer for the length of a fit. The only file that knows how.

While a schedule runs, the optimizer is on *loan*: its class is replaced by a subclass
made for the occasion, whose ``learning_rate`` (and momentum, and weight decay) is the
scheduled value. Nothing else of it changes: same variables, same slots, same config,
and ``optimizer.__class__`` still names the original, so that a model saved in the
middle of a run loads where this package is not installed. At the end the class goes
back.

The scheduled values are computed on the host in float64 and laid down as a table, one
entry an update; what the update reads is ``own rate * table[updates done - offset]``.
TensorFlow and JAX look it up inside the compiled step, so it is exact under
``steps_per_execution``, gradient accumulation and skipped updates, and costs one
gather. On torch, whose steps run eagerly, the host looks it up.

Why a subclass: ``momentum`` and ``beta_1`` are Python floats that the trace bakes in,
and ``learning_rate`` must keep an obedient setter (ReduceLROnPlateau writes to it);
only properties do both, and properties live on classes.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_lr.plan.curves import FloatArray

#: Names of Keras that this file relies on and that it does not document, by owner:
#: those of the class, which the import checks, and those of instances, checked when a
#: fit begins (making an optimizer at import would claim the devices).
CONTRACT = {
    "Optimizer": ("_get_current_learning_rate", "iterations", "apply", "get_config"),
    "Model": ("make_train_function", "_get_metrics_result_or_logs"),
}
INSTANCE_CONTRACT = {
    "Optimizer": ("_iterations", "_learning_rate", "gradient_accumulation_steps"),
    "Model": ("train_function", "_initial_epoch", "jit_compile", "steps_per_execution"),
}
SUPPORTED = "Keras 3.12 to 3.15"

#: Updates that a table holds: 4 MB of float32. Longer runs lay a new one on the way.
WINDOW = 2**20


def check_keras() -> None:
    """Raise ImportError where Keras lacks what this file relies on."""
    check("Optimizer", keras.optimizers.Optimizer, CONTRACT)
    check("Model", keras.Model, CONTRACT)


def check(owner: str, thing: Any, contract: dict[str, tuple[str, ...]]) -> None:
    """Raise ImportError where a thing of Keras lacks a name of a contract."""
    missing = [name for name in contract[owner] if not hasattr(thing, name)]
    if missing:
        raise ImportError(
            f"keras_lr works with {SUPPORTED}. Received: Keras {keras.__version__}, "
            f"whose {owner} lacks {', '.join(missing)}. Install a version that works: "
            "pip install 'keras>=3.12,<3.16'."
        )


def optimizers_of(model: Any) -> list[Any]:
    """The optimizers whose rates a fit of this model uses, unwrapped.

    Raises:
        RuntimeError: If the model is not compiled.
        TypeError: If its optimizer is not a Keras 3 optimizer.
    """
    optimizer = getattr(model, "optimizer", None)
    if optimizer is None:
        raise RuntimeError(
            "The model must be compiled with an optimizer before a schedule can run. "
            "Received: a model without one. Call model.compile(optimizer=...)."
        )
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    many = list(getattr(inner, "optimizers", [inner]))
    for one in many:
        if not isinstance(one, keras.optimizers.Optimizer):
            raise TypeError(
                "The optimizer must be a Keras 3 optimizer (keras.optimizers.Adam, "
                f"...). Received: {type(one).__module__}.{type(one).__qualname__}."
            )
        check("Optimizer", one, INSTANCE_CONTRACT)
    return many


def _variable_rate(optimizer: Any) -> float | None:
    """The value of the optimizer's rate variable; None if it has a schedule instead."""
    rate = optimizer._learning_rate
    if not isinstance(rate, keras.Variable):
        return None
    return float(read(rate))


def read(variable: Any) -> Any:
    """The value of a variable, as NumPy."""
    value = variable.value
    # A metric of MirroredStrategy has a value in each replica until it is read.
    value = value.read_value() if hasattr(value, "read_value") else value
    return ops.convert_to_numpy(value)


def momentum_name(optimizer: Any) -> str | None:
    """The attribute that is this optimizer's momentum, if an update may change it."""
    if isinstance(optimizer, getattr(keras.optimizers, "ScheduleFreeAdamW", ())):
        # It recovers one sequence from another by the beta_1 of the update before.
        return None
    for name in ("beta_1", "momentum"):
        # Slots for momentum exist only if it was not zero when they were built.
        if isinstance(vars(optimizer).get(name), float | int) and vars(optimizer)[name]:
            return name
    return None


def attribute(optimizer: Any, hyperparameter: str) -> str | None:
    """The attribute behind a hyperparameter, or None if the optimizer has none."""
    if hyperparameter == "momentum":
        return momentum_name(optimizer)
    if hyperparameter == "weight_decay":
        return "weight_decay" if vars(optimizer).get("weight_decay") else None
    return "learning_rate"


@dataclass
class Lent:
    """One optimizer on loan, and the tables its updates read."""

    optimizer: Any
    #: Whether the step is traced, and the model compiled by its backend.
    in_graph: bool
    compiled: bool
    cls: Any = field(init=False)
    tables: dict[str, FloatArray] = field(default_factory=dict)
    #: Rate that the schedule reaches at its peak over the optimizer's own.
    scale: float = 1.0
    #: Whether the table holds rates, and the optimizer's own does not count.
    absolute: bool = False
    #: Place of the table's first entry in the run, and updates done when it is reached.
    position: int = 0
    offset: int = 0
    #: Length of the run and of an epoch, in updates of this optimizer, where known.
    total: int | None = None
    steps_per_epoch: float | None = None
    #: Batches that make an update.
    accumulation: int = field(init=False)
    #: The rate the optimizer was given; None if that is itself a schedule.
    own_rate: float | None = field(init=False)
    #: The optimizer's batch counter and rate variable, mirrored at each epoch so that
    #: torch need not ask the device at each update.
    counter: int = 0
    mirrored_rate: float | None = None
    #: The rates as the state of the step that is being traced carries them, where a
    #: finder puts others in their place between two fits; None to take the table.
    carried: Any = None
    #: What the update that is being traced has looked up.
    in_force: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.cls = type(self.optimizer)
        self.accumulation = self.optimizer.gradient_accumulation_steps or 1
        self.own_rate = _variable_rate(self.optimizer)

    def sync(self) -> None:
        """Read the optimizer's counter and rate variable."""
        self.counter = int(read(self.optimizer._iterations))
        self.mirrored_rate = _variable_rate(self.optimizer)

    @property
    def updates(self) -> int:
        """Updates that the optimizer has done, now."""
        if self.in_graph:
            self.sync()
        return self.counter // self.accumulation

    def entry(self, name: str, back: int = 0) -> float:
        """The table's value for the next update, or for one before it."""
        table = self.tables[name]
        index = min(max(self.updates - back - self.offset, 0), len(table) - 1)
        return float(table[index])

    def last_rate(self) -> float:
        """The rate of the last update."""
        if self.absolute:
            return self.entry("learning_rate", back=1)
        own: Any = _variable_rate(self.optimizer)
        if own is None:
            rate = self.optimizer._learning_rate
            takes_step = isinstance(
                rate, keras.optimizers.schedules.LearningRateSchedule
            )
            own = rate(max(self.counter - 1, 0)) if takes_step else rate()
            own = float(ops.convert_to_numpy(own))
        if "learning_rate" not in self.tables:
            return float(own)
        return float(own) * self.entry("learning_rate", back=1)

    def traced(self, name: str) -> Any:
        """The table's value for the next update, in the graph."""
        if name in self.in_force:
            return self.in_force[name]
        dtype = "float64" if keras.config.floatx() == "float64" else "float32"
        table = self.carried
        if table is None:
            table = self.tables[name].astype(dtype)
        index = self.optimizer.iterations - self.offset
        return ops.take(table, ops.clip(index, 0, table.shape[0] - 1), axis=0)

    def rate(self) -> Any:
        """What ``optimizer.learning_rate`` reads."""
        if self.absolute:
            name = "learning_rate"
            return self.traced(name) if self.in_graph else self.entry(name)
        if self.mirrored_rate is not None and not self.in_graph:
            own: Any = self.mirrored_rate
        else:
            own = self.cls._get_current_learning_rate(self.optimizer)
        if "learning_rate" not in self.tables:
            return own
        if self.in_graph:
            factor = self.traced("learning_rate")
            return ops.cast(own, factor.dtype) * factor
        return float(own) * self.entry("learning_rate")

    def set_rate(self, rate: Any) -> None:
        """What an assignment to ``optimizer.learning_rate`` means on loan.

        A value below the one in force is a reduction, as ReduceLROnPlateau makes it:
        the own rate falls by the same ratio. A higher one is the new peak, as
        LearningRateScheduler sets it, and the schedule goes on multiplying it.
        """
        setter = self.cls.learning_rate.fset
        own = _variable_rate(self.optimizer)
        if own is None or "learning_rate" not in self.tables or callable(rate):
            setter(self.optimizer, rate)
            return
        rate = float(rate)
        factor = self.entry("learning_rate")
        if np.isclose(rate, own * factor, rtol=1e-6, atol=0.0):
            return
        setter(self.optimizer, rate / (factor if rate < own * factor else self.scale))
        self.mirrored_rate = _variable_rate(self.optimizer)

    def scheduled(self, name: str) -> Any:
        """What the attribute of a scheduled momentum or weight decay reads."""
        if self.in_graph:
            return _InGraph(lambda: self.traced(name))
        return self.entry(name)

    def lend(self) -> None:
        """Replace the class by one whose hyperparameters are scheduled."""
        lent, cls = self, self.cls

        def get_config(optimizer: Any) -> Any:
            with lent._returned():
                return cls.get_config(optimizer)

        def count(optimizer: Any, *args: Any, **kwargs: Any) -> Any:
            done = cls.apply(optimizer, *args, **kwargs)
            lent.counter += 1
            return done

        def look_up_once(optimizer: Any, *args: Any, **kwargs: Any) -> Any:
            # Keras reads momentum anew for every variable. Looked up outside of any
            # branch of the step, so that no tensor leaves one.
            lent.in_force = {name: lent.traced(name) for name in lent.tables}
            try:
                return cls.apply(optimizer, *args, **kwargs)
            finally:
                lent.in_force = {}

        body: dict[str, Any] = {
            "__class__": property(lambda _: cls),
            "__doc__": cls.__doc__,
            "_get_current_learning_rate": lambda _: lent.rate(),
            "learning_rate": property(
                lambda _: lent.rate(), lambda _, rate: lent.set_rate(rate)
            ),
            "get_config": get_config,
        }
        if self.in_graph:
            body["apply"] = look_up_once
        else:
            body["apply"] = uncompiled(count) if self.compiled else count
        for hyperparameter in self.tables:
            name = attribute(self.optimizer, hyperparameter)
            if name is not None and name != "learning_rate":
                body[name] = _reader(self, hyperparameter)
        set_class(self.optimizer, type(cls.__name__, (cls,), body))

    def give_back(self) -> None:
        """Restore the class."""
        if type(self.optimizer) is not self.cls:
            set_class(self.optimizer, self.cls)

    @contextmanager
    def _returned(self) -> Iterator[None]:
        lent = type(self.optimizer)
        self.give_back()
        try:
            yield
        finally:
            set_class(self.optimizer, lent)


def uncompiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Keep torch.compile out: it would freeze the rate it meets into its code."""
    import torch

    uncompiled: Callable[..., Any] = torch.compiler.disable(function)
    return uncompiled


def _reader(lent: Lent, hyperparameter: str) -> property:
    return property(lambda _: lent.scheduled(hyperparameter))


def set_class(optimizer: Any, cls: type) -> None:
    """Replace the class of a thing, on loan or not."""
    # By the slot of `object`: on a lent optimizer `__class__` itself is a property.
    object.__dict__["__class__"].__set__(optimizer, cls)


class _InGraph:
    """A number that each traced step reads afresh, where Keras expects a float.

    Converting it to a tensor or calculating with it gives the traced value. Comparing
    it (optimizers ask whether momentum is 0 to see if they have slots for it) is
    decided in Python, as for a positive number: only those are put on loan.
    """

    def __init__(self, read: Callable[[], Any]) -> None:
        self._read = read

    def __jax_array__(self) -> Any:
        return self._read()

    def __tf_tensor__(self, dtype: Any = None, name: Any = None) -> Any:
        value = self._read()
        return value if dtype is None else ops.cast(value, dtype.name)

    def __float__(self) -> float:
        return float(ops.convert_to_numpy(self._read()))

    def __bool__(self) -> bool:
        return True

    def __ne__(self, other: object) -> bool:
        return True

    def __eq__(self, other: object) -> bool:
        return False

    def __gt__(self, other: object) -> bool:
        return True

    def __add__(self, other: Any) -> Any:
        return self._read() + other

    def __sub__(self, other: Any) -> Any:
        return self._read() - other

    def __rsub__(self, other: Any) -> Any:
        return other - self._read()

    def __mul__(self, other: Any) -> Any:
        return self._read() * other

    __hash__ = object.__hash__
    __radd__ = __add__
    __rmul__ = __mul__


class Loan:
    """All optimizers of a model, on loan for a fit.

    Attributes:
        lent: The optimizers.
        writers: The schedules that take part.
        complete: Whether the tables last until the end of the run.
        limit: Batch of the epoch until which they are sure to last.
        epoch: The epoch that the tables begin with.
        located: Whether that is known for certain (only once an epoch has begun).
        active: Whether the optimizers are lent out at this moment.
        lasting: Whether the next fit goes on with the loan, and the step it has.
        undo: What else is to be given back, if anything; called once.
    """

    def __init__(self, model: Any) -> None:
        self._model = weakref.ref(model)
        check("Model", model, INSTANCE_CONTRACT)
        in_graph = keras.backend.backend() != "torch"
        self.lent = [
            Lent(optimizer, in_graph, bool(model.jit_compile))
            for optimizer in optimizers_of(model)
        ]
        self.writers: list[Any] = []
        self.complete = True
        self.limit = float("inf")
        self.epoch = 0
        self.located = False
        self.active = False
        self.lasting = False
        self.undo: Callable[[], None] | None = None
        self._in_epoch = False

    def activate(self) -> None:
        """Lend the optimizers; the next step is traced anew."""
        model: Any = self._model()
        for lent in self.lent:
            lent.give_back()
            lent.lend()
        # Anything that asks for a step of its own (the next fit after this one was
        # interrupted, train_on_batch) gets the optimizer back as it was.
        model.make_train_function = self._reclaim
        model._get_metrics_result_or_logs = self._with_rates
        self.active = True
        _LOANS[model] = self
        # Made anew whatever a subclass overrides, so that nothing stale is served.
        model.train_function = None
        type(model).make_train_function(model)

    def moved(self, epoch: int) -> bool:
        """Whether the run stands elsewhere than the tables were laid for."""
        counters = [int(read(lent.optimizer._iterations)) for lent in self.lent]
        return epoch != self.epoch or counters != [n.counter for n in self.lent]

    def begin_epoch(self, batch: int = 0) -> None:
        """Find until which batch the tables last, and await the epoch's logs."""
        self._in_epoch = True
        self.limit = float("inf")
        for lent in self.lent:
            lent.sync()
        if not self.complete:
            left = min(
                len(table) - (lent.updates - lent.offset)
                for lent in self.lent
                for table in lent.tables.values()
            )
            model: Any = self._model()
            steps = model.steps_per_execution or 1
            self.limit = batch + left - steps

    def release(self) -> None:
        """Give everything back; the next step is traced anew."""
        for lent in self.lent:
            lent.give_back()
        model = self._model()
        if model is not None and self.active:
            self.active = False
            for name in ("make_train_function", "_get_metrics_result_or_logs"):
                vars(model).pop(name, None)
            model.train_function = None
        if self.undo is not None:
            self.undo()
            self.undo = None

    def last_values(self) -> dict[str, float]:
        """The values in force at the last update, named as in an epoch's logs."""
        found = {}
        for lent in self.lent:
            suffix = f"_{lent.optimizer.name}" if len(self.lent) > 1 else ""
            found[f"learning_rate{suffix}"] = lent.last_rate()
            for name in lent.tables:
                if name != "learning_rate":
                    found[f"{name}{suffix}"] = lent.entry(name, back=1)
        return found

    def _reclaim(self, force: bool = False) -> Any:
        model: Any = self._model()
        if self.lasting:
            return model.train_function
        release(model)
        return model.make_train_function(force)

    def _with_rates(self, logs: Any) -> Any:
        """An epoch's logs, for every callback, with the rates in force at its end."""
        model: Any = self._model()
        out = type(model)._get_metrics_result_or_logs(model, logs)
        if self._in_epoch:
            # Only for the epoch itself: evaluation asks for its logs here too.
            self._in_epoch = False
            out = {**out, **self.last_values()}
        return out


_LOANS: weakref.WeakKeyDictionary[Any, Loan] = weakref.WeakKeyDictionary()


def borrow(model: Any) -> Loan:
    """The model's loan, made if there is none."""
    loan = _LOANS.get(model)
    if loan is None:
        loan = _LOANS[model] = Loan(model)
    return loan


def release(model: Any) -> None:
    """End the model's loan, if there is one."""
    loan = _LOANS.pop(model, None)
    if loan is not None:
        loan.release()


def give_back(model: Any, loan: Loan) -> None:
    """End a loan that may have been followed by another one."""
    if _LOANS.get(model) is loan:
        del _LOANS[model]
    loan.release()


@contextmanager
def restored(model: Any) -> Iterator[None]:
    """Give the optimizer back at the end of the block, whatever happens in it.

    Keras does not tell callbacks that a fit was interrupted. A schedule therefore gives
    the optimizer back when the next fit of the model begins. With this context manager
    it does so at once.

    Args:
        model: A compiled Keras model.

    Yields:
        Nothing.

    Example:
        >>> import keras, keras_lr
        >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> with keras_lr.restored(model):
        ...     _ = model.fit(
        ...         np.ones((8, 1)), np.ones(8), verbose=0,
        ...         callbacks=[keras_lr.LinearDecay()],
        ...     )
    """
    try:
        yield
    finally:
        release(model)
