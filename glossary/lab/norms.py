"""Dense nets whose layers are normalized, on the tape.

>>> from glossary.lab import norms
>>> from glossary.lab.tape import Variable
>>> norms.over_example(Variable([[1.0, 3.0]])).value.round(3)
array([[-1.,  1.]])
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from glossary.lab import tape
from glossary.lab.data import Array, Labels
from glossary.lab.tape import Variable

EPSILON = 1e-5
#: What is done to the weighted sums of a layer, shape (examples, units).
Norm = Callable[[Variable], Variable]


def normalized(z: Variable, axis: int, centre: bool = True) -> Variable:
    """Mean 0 and variance 1 along an axis: 0 is the batch's, 1 that of each example.

    Args:
        z: Weighted sums, shape (examples, units).
        axis: Along which mean and variance are taken.
        centre: Whether the mean is subtracted; without, the root mean square becomes 1.
    """
    if centre:
        z = z - tape.mean(z, axis, keepdims=True)
    variance = tape.mean(z * z, axis, keepdims=True)
    return z * (variance + EPSILON) ** -0.5


def over_batch(z: Variable) -> Variable:
    """Batch normalization (Ioffe 2015, algorithm 1), without scale and shift."""
    return normalized(z, 0)


def over_example(z: Variable) -> Variable:
    """Layer normalization (Ba 2016, sec. 3), without gain and bias."""
    return normalized(z, 1)


def scaled_only(z: Variable) -> Variable:
    """RMSNorm (Zhang and Sennrich 2019, sec. 4): no mean is subtracted."""
    return normalized(z, 1, centre=False)


def as_it_is(z: Variable) -> Variable:
    """No normalization."""
    return z


def loss_and_gradients(
    ws: Sequence[Array], x: Array, y: Labels, norm: Norm
) -> tuple[float, list[Array]]:
    """Cross-entropy of a ReLU net with normalized layers, and its gradients."""
    variables = [Variable(w) for w in ws]
    hidden = Variable(x)
    for w in variables[:-1]:
        hidden = tape.relu(norm(hidden @ w))
    loss = tape.cross_entropy(hidden @ variables[-1], y)
    tape.backward(loss)
    return float(loss.value), [w.grad for w in variables]
