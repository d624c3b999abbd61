"""Real data that ships inside scikit-learn; nothing is downloaded."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Labels = NDArray[np.int64]
_TRAINED_ON = 1347  # of 1797 images; 450 are held out


class Split(NamedTuple):
    """Examples to train on, and others that no update has seen."""

    train_x: Array
    train_y: Labels
    test_x: Array
    test_y: Labels


@cache
def digits() -> tuple[Array, Labels]:
    """1797 images of 8 x 8 pixels in [0, 1], shape (1797, 64), and their labels."""
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    return x / 16.0, y


@cache
def digits_split(seed: int = 0) -> Split:
    """1347 digits to train on and 450 held out, drawn by a seed."""
    x, y = digits()
    order = np.random.default_rng(seed).permutation(len(x))
    train = order[:_TRAINED_ON]
    test = order[_TRAINED_ON:]
    return Split(x[train], y[train], x[test], y[test])


@cache
def tables() -> dict[str, tuple[Array, Labels]]:
    """Iris, wine, breast cancer and digits: standardized columns, and classes."""
    from sklearn import datasets

    found = {}
    for name in ("iris", "wine", "breast_cancer", "digits"):
        x, y = getattr(datasets, f"load_{name}")(return_X_y=True)
        found[name.replace("_", " ")] = ((x - x.mean(0)) / (x.std(0) + 1e-9), y)
    return found


@cache
def diabetes() -> tuple[Array, Array]:
    """442 patients with 10 standardized features, and the disease a year later.

    The target is standardized as well.
    """
    from sklearn.datasets import load_diabetes

    x, y = load_diabetes(return_X_y=True)
    return (x - x.mean(0)) / x.std(0), (y - y.mean()) / y.std()


@cache
def text() -> str:
    """English prose of about 20,000 characters: what scikit-learn says of its data."""
    from sklearn import datasets

    names = ("iris", "wine", "breast_cancer", "digits", "diabetes", "linnerud")
    return "\n".join(getattr(datasets, f"load_{name}")().DESCR for name in names)
