"""The rate as callbacks read it: a number that can be used like Keras' variable."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
from keras import ops

IS_NUMPY_1 = np.lib.NumpyVersion(np.__version__) < "2.0.0"


class Rate(float):
    """The rate in force, and what it is a multiple of.

    It is a float, and has what people use of Keras' variable: ``numpy()``, ``value``,
    ``assign`` and its kin, ``shape`` and ``dtype``. Arithmetic with plain numbers keeps
    the ratio to the rate that was read, so that assigning ``lr * 0.5`` halves what is
    in force, wherever the schedule stands at that moment.

    Args:
        value: The rate.
        base: The rate that the schedule multiplies, when this one was read.
        ratio: This value over the one that was read.
        assign: Called with what is assigned, and whether this rate has been converted.
        origin: The rate that was read; None for this one.

    Attributes:
        base: The rate that the schedule multiplies, when this one was read.
        ratio: This value over the one that was read; NaN where that was 0.
        is_converted: Whether somebody has made a number that has no ratio of it, or of
            what was calculated from it.
    """

    base: float
    ratio: float
    is_converted: bool
    _assign: Callable[[Any, bool], None]
    _origin: Rate | None

    #: As those of Keras' variable.
    shape = ()
    ndim = 0
    dtype = "float32"
    name = "learning_rate"

    def __new__(
        cls,
        value: float,
        base: float,
        assign: Callable[[Any, bool], None],
        ratio: float = 1.0,
        origin: Rate | None = None,
    ) -> Rate:
        """Make a float, which cannot be changed once it is there."""
        made = super().__new__(cls, value)
        made.base = base
        made.ratio = ratio
        made.is_converted = False
        made._origin = origin
        made._assign = assign
        return made

    @property
    def asked(self) -> float:
        """What the schedule is to multiply once this rate is assigned."""
        return self.base * self.ratio

    def numpy(self) -> Any:
        """The value as NumPy's float32."""
        return np.array(float(self), dtype=np.float32)

    @property
    def value(self) -> Any:
        """The value as a tensor of the backend."""
        return ops.convert_to_tensor(float(self), dtype=self.dtype)

    def assign(self, value: Any) -> Any:
        """Set the rate: the same as assigning to ``optimizer.learning_rate``."""
        self._assign(value, self.is_converted)
        return value

    def assign_add(self, value: Any) -> Any:
        """Add to the rate."""
        return self.assign(self + value)

    def assign_sub(self, value: Any) -> Any:
        """Take from the rate."""
        return self.assign(self - value)

    # A copy is a number: it must not keep the optimizer alive.

    def __reduce_ex__(self, protocol: Any) -> Any:
        return float, (self._number(),)

    def __copy__(self) -> float:
        return self._number()

    def __deepcopy__(self, memo: Any) -> float:
        return self._number()

    # Conversions, each by a protocol. Inside of the class `_number` does it unnoticed.

    def __float__(self) -> float:
        read = self if self._origin is None else self._origin
        read.is_converted = True
        return self._number()

    def _number(self) -> float:
        return float.__float__(self)

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return np.array(float(self), dtype=dtype or self.dtype)

    def __jax_array__(self) -> Any:
        return self.value

    def __tf_tensor__(self, dtype: Any = None, name: Any = None) -> Any:
        return ops.convert_to_tensor(float(self), dtype and dtype.name)

    def __array_ufunc__(
        self, ufunc: Any, method: str, *inputs: Any, **options: Any
    ) -> Any:
        plain = [one._number() if isinstance(one, Rate) else one for one in inputs]
        result = getattr(ufunc, method)(*plain, **options)
        others = [one for one in inputs if one is not self]
        is_number = isinstance(result, np.floating) and method == "__call__"
        if not is_number or any(isinstance(one, Rate) for one in others):
            return result
        return self._scaled(float(result))

    # Arithmetic.

    def _scaled(self, value: float, ratio: float | None = None) -> Rate:
        """Another value, and its ratio to the one that was read."""
        if ratio is None:
            here = self._number()
            ratio = self.ratio * value / here if here else float("nan")
        origin = self if self._origin is None else self._origin
        return Rate(value, self.base, self._assign, ratio, origin)

    def _with(self, operation: Callable[..., Any], *numbers: Any) -> Any:
        """The result of an operation of which this rate is one of the numbers."""
        others = [one for one in numbers if one is not self]
        if any(isinstance(one, Rate) for one in others):
            return operation(*map(float, numbers))
        plain = [_as_number(one) for one in numbers]
        if NotImplemented in plain:
            return NotImplemented
        result = operation(*plain)
        if not isinstance(result, float):
            return result
        # Also where the rate that was read is 0.
        ratio = None
        if operation is operator.mul:
            ratio = self.ratio * float(_as_number(others[0] if others else self))
        elif operation is operator.truediv and numbers[0] is self and others:
            ratio = self.ratio / float(_as_number(others[0]))
        return self._scaled(result, ratio)

    def __mul__(self, other: Any) -> Any:
        return self._with(operator.mul, self, other)

    def __rmul__(self, other: Any) -> Any:
        return self._with(operator.mul, other, self)

    def __truediv__(self, other: Any) -> Any:
        return self._with(operator.truediv, self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return self._with(operator.truediv, other, self)

    def __add__(self, other: Any) -> Any:
        return self._with(operator.add, self, other)

    def __radd__(self, other: Any) -> Any:
        return self._with(operator.add, other, self)

    def __sub__(self, other: Any) -> Any:
        return self._with(operator.sub, self, other)

    def __rsub__(self, other: Any) -> Any:
        return self._with(operator.sub, other, self)

    def __pow__(self, other: Any, modulus: None = None) -> Any:
        return self._with(operator.pow, self, other)

    def __abs__(self) -> Any:
        return self._with(operator.abs, self)

    def __pos__(self) -> Any:
        return self

    def __neg__(self) -> float:
        # There is no rate below 0.
        return -float(self)

    def __round__(self, digits: Any = None) -> Any:
        return self._with(lambda value: round(value, digits), self)


def is_made_unasked(number: Any) -> bool:
    """Whether a number may have been made of a rate that was not asked.

    ``np.float64(0.5) * rate`` is a float64 without a ratio in NumPy 1, which takes the
    value out of any float; NumPy 2 asks ``__array_ufunc__``.
    """
    return IS_NUMPY_1 and isinstance(number, np.float64)


def _as_number(other: Any) -> Any:
    """A number of any library, with one element, as a float."""
    if isinstance(other, Rate):
        return other._number()
    if isinstance(other, float | int):
        return float(other)
    if getattr(other, "shape", None) == ():
        return float(ops.convert_to_numpy(other))
    return NotImplemented
