"""Automatic differentiation in reverse mode, small enough to read.

Each operation remembers its inputs and how a small change of its value goes back to
them; `backward` walks from a loss to what it was computed from (Baydin et al. 2018,
"Automatic Differentiation in Machine Learning: a Survey", arXiv:1502.05767, sec. 3.2).

>>> import numpy as np
>>> from glossary.lab import tape
>>> w = tape.Variable(np.array([3.0]))
>>> loss = tape.total(w * w + w)
>>> tape.backward(loss)
>>> w.grad
array([7.])
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from glossary.lab.data import Array

Back = Callable[[Array], Array]
Operand = Any  # a Variable, an array or a number


class Variable:
    """An array that remembers how it was computed.

    Args:
        value: The numbers.
        origins: What it was computed from, each with how a gradient goes back to it.
    """

    __array_priority__ = 100  # array + Variable asks the Variable

    def __init__(
        self, value: Any, origins: Sequence[tuple[Variable, Back]] = ()
    ) -> None:
        self.value: Array = np.asarray(value, dtype=float)
        self.grad: Array = np.zeros_like(self.value)
        self.origins = tuple(origins)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the array."""
        return self.value.shape

    def __add__(self, other: Operand) -> Variable:
        o = variable(other)
        return Variable(
            self.value + o.value,
            [
                (self, lambda g: _unbroadcast(g, self.shape)),
                (o, lambda g: _unbroadcast(g, o.shape)),
            ],
        )

    def __mul__(self, other: Operand) -> Variable:
        o = variable(other)
        return Variable(
            self.value * o.value,
            [
                (self, lambda g: _unbroadcast(g * o.value, self.shape)),
                (o, lambda g: _unbroadcast(g * self.value, o.shape)),
            ],
        )

    def __pow__(self, power: float) -> Variable:
        slope = power * self.value ** (power - 1)
        return Variable(self.value**power, [(self, lambda g: g * slope)])

    def __matmul__(self, other: Operand) -> Variable:
        o = variable(other)

        def to_left(g: Array) -> Array:
            return _unbroadcast(g @ o.value.swapaxes(-1, -2), self.shape)

        def to_right(g: Array) -> Array:
            return _unbroadcast(self.value.swapaxes(-1, -2) @ g, o.shape)

        return Variable(self.value @ o.value, [(self, to_left), (o, to_right)])

    def __getitem__(self, key: Any) -> Variable:
        def back(g: Array) -> Array:
            out = np.zeros_like(self.value)
            np.add.at(out, key, g)  # a place that was taken twice gets both
            return out

        return Variable(self.value[key], [(self, back)])

    def __neg__(self) -> Variable:
        return self * -1.0

    def __sub__(self, other: Operand) -> Variable:
        return self + -variable(other)

    def __truediv__(self, other: Operand) -> Variable:
        return self * variable(other) ** -1.0

    def __rsub__(self, other: Operand) -> Variable:
        return variable(other) + -self

    def __rtruediv__(self, other: Operand) -> Variable:
        return variable(other) * self**-1.0

    __radd__ = __add__
    __rmul__ = __mul__


def variable(value: Operand) -> Variable:
    """The value itself if it is a Variable; else a constant."""
    return value if isinstance(value, Variable) else Variable(value)


def backward(loss: Variable) -> None:
    """Gradient of a loss with respect to everything that it was computed from.

    Args:
        loss: A Variable with one number. Afterwards each Variable behind it has the
            derivative in ``grad``; what was there before is forgotten.
    """
    order = _in_order(loss)
    for node in order:
        node.grad = np.zeros_like(node.value)
    loss.grad = np.ones_like(loss.value)
    for node in reversed(order):
        for origin, back in node.origins:
            origin.grad = origin.grad + back(node.grad)


def _in_order(last: Variable) -> list[Variable]:
    """Everything behind a Variable, each after all that it was computed from."""
    order: list[Variable] = []
    seen: set[int] = set()
    waiting: list[tuple[Variable, bool]] = [(last, False)]
    while waiting:  # a stack of our own: a long chain would exhaust Python's
        node, done = waiting.pop()
        if done:
            order.append(node)
        elif id(node) not in seen:
            seen.add(id(node))
            waiting.append((node, True))
            waiting += [(origin, False) for origin, _ in node.origins]
    return order


def _unbroadcast(g: Array, shape: tuple[int, ...]) -> Array:
    """Sum over the axes along which a value was repeated."""
    while g.ndim > len(shape):
        g = g.sum(axis=0)
    for axis, length in enumerate(shape):
        if length == 1 and g.shape[axis] != 1:
            g = g.sum(axis=axis, keepdims=True)
    return g


def _elementwise(x: Operand, value: Array, slope: Array) -> Variable:
    origin = variable(x)
    return Variable(value, [(origin, lambda g: g * slope)])


def exp(x: Operand) -> Variable:
    """E to the power of each element."""
    value = np.exp(variable(x).value)
    return _elementwise(x, value, value)


def log(x: Operand) -> Variable:
    """Natural logarithm of each element."""
    v = variable(x).value
    return _elementwise(x, np.log(v), 1 / v)


def tanh(x: Operand) -> Variable:
    """Hyperbolic tangent of each element."""
    value = np.tanh(variable(x).value)
    return _elementwise(x, value, 1 - value**2)


def sigmoid(x: Operand) -> Variable:
    """1 / (1 + e^-x) of each element."""
    value = 1 / (1 + np.exp(-variable(x).value))
    return _elementwise(x, value, value * (1 - value))


def relu(x: Operand) -> Variable:
    """max(0, x) of each element."""
    v = variable(x).value
    return _elementwise(x, np.maximum(v, 0.0), (v > 0).astype(float))


def total(x: Operand, axis: int | None = None, keepdims: bool = False) -> Variable:
    """Sum over an axis, or over everything."""
    origin = variable(x)

    def back(g: Array) -> Array:
        if axis is not None and not keepdims:
            g = np.expand_dims(g, axis)
        return np.broadcast_to(g, origin.shape).copy()

    return Variable(origin.value.sum(axis=axis, keepdims=keepdims), [(origin, back)])


def mean(x: Operand, axis: int | None = None, keepdims: bool = False) -> Variable:
    """Mean over an axis, or over everything."""
    origin = variable(x)
    count = origin.value.size if axis is None else origin.shape[axis]
    return total(origin, axis, keepdims) * (1 / count)


def reshape(x: Operand, shape: tuple[int, ...]) -> Variable:
    """The same numbers in another shape."""
    origin = variable(x)
    return Variable(
        origin.value.reshape(shape), [(origin, lambda g: g.reshape(origin.shape))]
    )


def swap(x: Operand, first: int, second: int) -> Variable:
    """Two axes exchanged."""
    origin = variable(x)
    return Variable(
        origin.value.swapaxes(first, second),
        [(origin, lambda g: g.swapaxes(first, second))],
    )


def concatenate(parts: Sequence[Operand], axis: int = -1) -> Variable:
    """Parts joined along an axis."""
    origins = [variable(part) for part in parts]
    ends = np.cumsum([origin.shape[axis] for origin in origins])[:-1]

    def back_to(place: int) -> Back:
        return lambda g: np.split(g, ends, axis=axis)[place]

    value = np.concatenate([origin.value for origin in origins], axis=axis)
    return Variable(value, [(o, back_to(i)) for i, o in enumerate(origins)])


def softmax(x: Operand) -> Variable:
    """Along the last axis; the largest is taken out first, so that none overflows."""
    origin = variable(x)
    powers = np.exp(origin.value - origin.value.max(axis=-1, keepdims=True))
    value = powers / powers.sum(axis=-1, keepdims=True)

    def back(g: Array) -> Array:
        out: Array = value * (g - (g * value).sum(axis=-1, keepdims=True))
        return out

    return Variable(value, [(origin, back)])


def cross_entropy(logits: Operand, labels: Any) -> Variable:
    """Mean over the rows of minus the logarithm of the softmax at each label.

    Args:
        logits: Scores, shape (rows, classes).
        labels: Right classes, shape (rows,), from 0.

    Returns:
        One number, in nats.
    """
    origin = variable(logits)
    shifted = origin.value - origin.value.max(axis=-1, keepdims=True)
    logs = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    rows = np.arange(len(logs))

    def back(g: Array) -> Array:
        out: Array = np.exp(logs)
        out[rows, labels] -= 1
        scaled: Array = g * out / len(logs)
        return scaled

    return Variable(-logs[rows, labels].mean(), [(origin, back)])
