"""One optimizer on loan: its rates are read from what a step looks up.

While a loan lasts, the optimizer's class is a subclass made for it, once for its life.
Nothing else of it changes: same variables, same slots, same config, and
``optimizer.__class__`` still names the original. What the subclass answers depends on
who asks:

* An update inside of the loan's own step gets the values in force that the step has
  looked up, traced on TensorFlow and JAX, numbers on torch.
* Any other update (``train_on_batch``, another model, a loop of the user's) gets the
  optimizer's own values.
* Whoever reads or sets the rate on the host, as callbacks do, is answered by the loan.

Why a subclass: ``momentum`` and ``beta_1`` are Python floats that a trace bakes in, and
``learning_rate`` must keep an obedient setter (ReduceLROnPlateau writes to it); only
properties do both, and properties live on classes.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

import keras
from keras import ops

from keras_lr.fit import keras_names


class Host(Protocol):
    """Who answers when an optimizer on loan is read or set outside of any step."""

    def is_wanted(self) -> bool:
        """Whether the loan goes on; it ends here if what it is for has ended."""

    def in_force(self, lent: LentOptimizer, hyperparameter: str) -> Any:
        """The value of an update, as callbacks read it; None if the loan has ended."""

    def set_rate(self, lent: LentOptimizer, rate: Any) -> None:
        """Set the rate that the schedule multiplies."""

    def own_changed(self) -> None:
        """Take note that the optimizer's own momentum or weight decay is another."""


def attribute_of(optimizer: Any, hyperparameter: str) -> str | None:
    """The attribute behind a hyperparameter, or None if the optimizer has none."""
    if hyperparameter == "momentum":
        return _momentum_attribute(optimizer)
    if hyperparameter == "weight_decay":
        return "weight_decay" if vars(optimizer).get("weight_decay") else None
    return "learning_rate"


def _momentum_attribute(optimizer: Any) -> str | None:
    """The attribute that is this optimizer's momentum, if an update may change it."""
    if isinstance(optimizer, getattr(keras.optimizers, "ScheduleFreeAdamW", ())):
        # It recovers one sequence from another by the beta_1 of the update before.
        return None
    for name in ("beta_1", "momentum"):
        # Slots for momentum exist only if it was not zero when they were built.
        if isinstance(vars(optimizer).get(name), float | int) and vars(optimizer)[name]:
            return name
    return None


def attributes_of(optimizer: Any) -> dict[str, str]:
    """What a step looks up for an optimizer besides the rate, by hyperparameter."""
    names = ("momentum", "weight_decay")
    found = {name: attribute_of(optimizer, name) for name in names}
    return {name: attribute for name, attribute in found.items() if attribute}


def holder_of(optimizer: Any) -> Any | None:
    """The host of an optimizer that is on loan."""
    lent: LentOptimizer | None = getattr(type(optimizer), _LENT, None)
    return None if lent is None else lent.host


#: Gives the values of an update of a step, of which so many have been made before.
LookUp = Callable[[int], Mapping[str, Any]]


def _nothing(applied: int) -> Mapping[str, Any]:
    return {}


#: The attribute of a lent class that knows whose class it is.
_LENT = "_keras_lr_lent"


class LentOptimizer:
    """One optimizer, and the class that it has while it is on loan.

    Attributes:
        optimizer: The optimizer.
        cls: Its own class.
        accumulation: Batches that make an update.
        attributes: What a step looks up for it besides the rate, by hyperparameter.
        host: Who answers outside of steps; None while it is not on loan.
        counter: Its batches, on torch, where the host counts them.
        applied: How often the step that runs, or has run last, has applied gradients.
    """

    def __init__(self, optimizer: Any, compiled: bool) -> None:
        self.optimizer = optimizer
        self.cls: Any = type(optimizer)
        self.accumulation: int = optimizer.gradient_accumulation_steps or 1
        self.attributes = attributes_of(optimizer)
        self.host: Host | None = None
        self.counter = 0
        self.applied = 0
        #: What the update under way has looked up, and how many steps (replicas of
        #: one) run.
        self._look_up: LookUp = _nothing
        self._values: Mapping[str, Any] = {}
        self._steps = 0
        self._replicas = 0
        #: Updates under way that are no part of the loan's step.
        self._strangers = 0
        self._lent_cls = self._make_class(compiled)

    @property
    def pace(self) -> int:
        """Updates that a step makes, as the last one did; at least 1."""
        # Replicas of a step, which take turns, make their updates together.
        return max(self.applied // max(self._replicas, 1), 1)

    # On loan.

    def lend(self, host: Host) -> None:
        """Give the optimizer the class of the loan."""
        self.host = host
        # Ctrl-C between two lines may have left a step begun.
        self._look_up = _nothing
        self._values = {}
        self._steps = 0
        self._strangers = 0
        set_class(self.optimizer, self._lent_cls)

    def give_back(self) -> None:
        """Give it its own class again."""
        self.host = None
        if type(self.optimizer) is self._lent_cls:
            set_class(self.optimizer, self.cls)

    def begin_step(self, look_up: LookUp) -> None:
        """The loan's own step begins: its updates get what is looked up for them."""
        self._look_up = look_up
        self._replicas = self._replicas + 1 if self._steps else 1
        self._steps += 1
        self.applied = 0

    def end_step(self) -> None:
        """The step has ended; of replicas, which take turns, the last one clears."""
        self._steps -= 1
        if not self._steps:
            self._look_up = _nothing
            self._values = {}

    def own(self, hyperparameter: str) -> Any:
        """The optimizer's own value: a number, or what its own schedule says now."""
        if hyperparameter == "learning_rate":
            return keras_names.rate_now(self.cls, self.optimizer)
        return vars(self.optimizer)[self.attributes[hyperparameter]]

    # Who asks.

    def _answer(self, hyperparameter: str) -> Any:
        if self._steps:
            if not self._values:
                self._values = self._look_up(self.applied)
            value = self._values[hyperparameter]
            is_number = isinstance(value, float) or hyperparameter == "learning_rate"
            return value if is_number else InGraph(value)
        if self._strangers or _is_traced() or self.host is None:
            return self.own(hyperparameter)
        value = self.host.in_force(self, hyperparameter)
        return self.own(hyperparameter) if value is None else value

    def _update(self, *args: Any, **kwargs: Any) -> Any:
        if self._steps:
            # Keras reads momentum anew for every variable: looked up once an update.
            self._values = self._look_up(self.applied)
            done = self.cls.apply(self.optimizer, *args, **kwargs)
            self.counter += 1
            self.applied += 1
            return done
        self._strangers += 1
        try:
            return self.cls.apply(self.optimizer, *args, **kwargs)
        finally:
            self._strangers -= 1
            self.counter += 1
            self._look_at_host()

    def _look_at_host(self) -> None:
        """Have the loan of a fit that was interrupted end."""
        if self.host is not None:
            self.host.is_wanted()

    def _make_class(self, compiled: bool) -> Any:
        """A subclass whose hyperparameters are answered here."""
        lent = self
        cls = self.cls

        def returned(name: str) -> Callable[..., Any]:
            # As if there were no loan: a config, a copy and a pickle are of the
            # optimizer itself.
            def method(optimizer: Any, *args: Any, **kwargs: Any) -> Any:
                with lent._returned():
                    return getattr(optimizer, name)(*args, **kwargs)

            return method

        def set_rate(optimizer: Any, rate: Any) -> None:
            if lent.host is None:
                cls.learning_rate.fset(optimizer, rate)
            else:
                lent.host.set_rate(lent, rate)

        def update(optimizer: Any, *args: Any, **kwargs: Any) -> Any:
            return lent._update(*args, **kwargs)

        def finalize(optimizer: Any, variables: Any) -> None:
            # The one call that each fit makes from outside of its step.
            lent._look_at_host()
            cls.finalize_variable_values(optimizer, variables)

        body: dict[str, Any] = {
            _LENT: self,
            "__class__": property(lambda _: cls),
            "__doc__": cls.__doc__,
            "__module__": cls.__module__,
            "__new__": lambda _, *args, **kwargs: cls(*args, **kwargs),
            "__reduce_ex__": returned("__reduce_ex__"),
            "from_config": cls.from_config,
            "get_config": returned("get_config"),
            "apply": uncompiled(update) if compiled else update,
            "finalize_variable_values": finalize,
            keras_names.READS_RATE: lambda _: lent._answer("learning_rate"),
            "learning_rate": property(
                lambda _: lent._answer("learning_rate"), set_rate
            ),
        }
        for hyperparameter, name in self.attributes.items():
            body[name] = _hyperparameter(self, hyperparameter, name)
        return type(cls.__name__, (cls,), body)

    @contextmanager
    def _returned(self) -> Iterator[None]:
        set_class(self.optimizer, self.cls)
        try:
            yield
        finally:
            set_class(self.optimizer, self._lent_cls)


def _hyperparameter(lent: LentOptimizer, hyperparameter: str, name: str) -> property:
    def set_own(optimizer: Any, value: Any) -> None:
        vars(optimizer)[name] = value
        if lent.host is not None:
            lent.host.own_changed()

    return property(lambda _: lent._answer(hyperparameter), set_own)


def _is_traced() -> bool:
    """Whether a function of the user's is being traced, on TensorFlow."""
    if keras.backend.backend() != "tensorflow":
        return False
    return bool(importlib.import_module("tensorflow").inside_function())


def uncompiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Keep torch.compile out: it would freeze the rate it meets into its code."""
    torch = importlib.import_module("torch")
    excluded: Callable[..., Any] = torch.compiler.disable(function)
    return excluded


def set_class(thing: Any, cls: type) -> None:
    """Replace the class of a thing, on loan or not."""
    # By the slot of `object`: on a lent optimizer `__class__` itself is a property.
    object.__dict__["__class__"].__set__(thing, cls)


class InGraph:
    """A traced number where Keras expects a float.

    Converting it to a tensor or calculating with it gives the traced value. Comparing
    it (optimizers ask whether momentum is 0 to see if they have slots for it) is
    decided in Python, as for a positive number: only those are looked up.
    """

    def __init__(self, value: Any) -> None:
        self._value = value

    def __jax_array__(self) -> Any:
        return self._value

    def __tf_tensor__(self, dtype: Any = None, name: Any = None) -> Any:
        return self._value if dtype is None else ops.cast(self._value, dtype.name)

    def __float__(self) -> float:
        return float(ops.convert_to_numpy(self._value))

    def __bool__(self) -> bool:
        return True

    def __ne__(self, other: object) -> bool:
        return True

    def __eq__(self, other: object) -> bool:
        return False

    def __gt__(self, other: object) -> bool:
        return True

    def __add__(self, other: Any) -> Any:
        return self._value + other

    def __sub__(self, other: Any) -> Any:
        return self._value - other

    def __rsub__(self, other: Any) -> Any:
        return other - self._value

    def __mul__(self, other: Any) -> Any:
        return self._value * other

    __hash__ = object.__hash__
    __radd__ = __add__
    __rmul__ = __mul__
