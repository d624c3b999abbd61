"""``group_rates``: which weight of a model has which rate."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import Any

from keras_lr.fit import keras_names
from keras_lr.fit.choice import optimizers_of, unwrapped
from keras_lr.weight_paths import weights_of


@dataclass(frozen=True)
class WeightRate:
    """The rate of one weight.

    Attributes:
        path: Its path, from the model's layers down to the weight.
        shape: Its shape.
        group: The name of the optimizer that it is trained by.
        factor: Its rate over that of the rest; None where a rate is a schedule, or
            there is no optimizer for the rest.
        rate: The own rate of its optimizer; None where that is a schedule.
    """

    path: str
    shape: tuple[int, ...]
    group: str
    factor: float | None
    rate: float | None


@dataclass(frozen=True)
class GroupRates:
    """Which weight of a model has which rate; prints as a table.

    Attributes:
        weights: Of each trainable weight, in the model's order.
        frozen: How many weights have none, since they are frozen.
    """

    weights: tuple[WeightRate, ...]
    frozen: int = 0

    def _cells(self) -> list[list[str]]:
        head = ["weight", "shape", "group", "factor", "rate"]
        return [head] + [
            [one.path, str(one.shape), one.group, _text(one.factor), _text(one.rate)]
            for one in self.weights
        ]

    def _last_line(self) -> str:
        return f"{self.frozen} more are frozen." if self.frozen else ""

    def __str__(self) -> str:
        cells = self._cells()
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        lines = []
        for row in cells:
            padded = [cell.ljust(n) for cell, n in zip(row, widths, strict=True)]
            lines.append("  ".join(padded).rstrip())
        return "\n".join([*lines, self._last_line()]).rstrip()

    def _repr_html_(self) -> str:
        head, *rows = [[html.escape(cell) for cell in row] for row in self._cells()]
        lines = ["".join(f"<th>{cell}</th>" for cell in head)]
        lines += ["".join(f"<td>{cell}</td>" for cell in row) for row in rows]
        table = "".join(f"<tr>{line}</tr>" for line in lines)
        return f"<table>{table}</table>{self._last_line()}"


def group_rates(model: Any, optimizer: Any = None) -> GroupRates:
    """Which weight of a model has which rate.

    It works on any optimizer: one of :func:`groups`, a MultiOptimizer made by hand, or
    a single one; and on a model that was loaded.

    Args:
        model: A built model.
        optimizer: The optimizer; None for the one that it was compiled with.

    Returns:
        A table with a row for each trainable weight.

    Raises:
        RuntimeError: If there is none, and the model is not compiled.
        ValueError: If the model is not built.

    Example:
        >>> import keras
        >>> from keras_lr import groups
        >>> model = keras.Sequential([keras.Input((2,))])
        >>> model.add(keras.layers.Dense(3, name="body"))
        >>> model.add(keras.layers.Dense(1, name="head"))
        >>> print(group_rates(model, groups(model, {"body": 0.25}, optimizer="adam")))
        weight       shape   group  factor  rate
        body/kernel  (2, 3)  body   0.25    0.00025
        body/bias    (3,)    body   0.25    0.00025
        head/kernel  (3, 1)  rest   1       0.001
        head/bias    (1,)    rest   1       0.001
    """
    if optimizer is None:
        optimizers_of(model)
        optimizer = model.optimizer
    else:
        unwrapped(optimizer)
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    rest = keras_names.optimizer_of_rest(inner)
    base = None if rest is None else keras_names.own_rate(rest)
    paths = {id(one.variable): one.paths[0] for one in weights_of(model)}
    rows = []
    for variable in model.trainable_variables:
        one = keras_names.optimizer_of_weight(inner, variable)
        rate = keras_names.own_rate(one)
        factor = rate / base if rate is not None and base else None
        path = paths.get(id(variable), variable.path)
        rows.append(WeightRate(path, tuple(variable.shape), one.name, factor, rate))
    return GroupRates(tuple(rows), len(paths) - len(rows))


def _text(number: float | None) -> str:
    return "-" if number is None else f"{number:.4g}"
