"""What the commands do."""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras

from keras_lr.cli.files import Described, described
from keras_lr.combined import Combined, combine
from keras_lr.linting import lint as linted
from keras_lr.outlook import Outlook
from keras_lr.plan.checks import check_rate, check_value
from keras_lr.plan.curves import FloatArray
from keras_lr.plan.words import received
from keras_lr.plot import detached_figure
from keras_lr.schedule import Schedule

#: Updates of a run whose values are written.
LONGEST = 10**7


@dataclass(frozen=True)
class Job:
    """Schedules in a run.

    Attributes:
        told: What was described, on the command line or in a file.
        epochs: Epochs of the run.
        steps_per_epoch: Updates of an epoch.
        base_lr: The optimizer's own rate; None where nobody says.
    """

    told: Described
    epochs: float
    steps_per_epoch: float
    base_lr: float | None

    @property
    def product(self) -> Outlook:
        """What is in force."""
        (first, *others) = self.told.schedules
        if not others:
            return first
        known = [one for one in self.told.schedules if isinstance(one, _Factor)]
        return combine(*known)

    @property
    def updates(self) -> int:
        """Updates of the run."""
        return max(1, round(self.epochs * self.steps_per_epoch))


#: What can be combined; everything that can be written is one of them.
_Factor = Schedule | Combined


def job_of(options: argparse.Namespace) -> Job:
    """What is asked for; options count before what a file says.

    Raises:
        TypeError: If something is of another type.
        ValueError: If the length of the run is not said, or out of range.
    """
    told = described(options.schedule)
    run = {}
    for name in ("epochs", "steps_per_epoch", "base_lr"):
        given = getattr(options, name)
        run[name] = getattr(told, name) if given is None else given
    for name in ("epochs", "steps_per_epoch"):
        if run[name] is None:
            option = f"--{name.replace('_', '-')}"
            raise ValueError(
                "The length of the run must be said. Received: no "
                f"`{name}`. Give {option}, or write it into the file."
            )
        check_value(name, run[name], above=0)
    check_rate("base_lr", run["base_lr"], above=0)
    if run["epochs"] * run["steps_per_epoch"] > LONGEST:
        raise ValueError(
            f"A run may have at most {LONGEST} updates here. "
            f"{received(epochs=run['epochs'], steps_per_epoch=run['steps_per_epoch'])}"
        )
    return Job(told, **run)


def values(options: argparse.Namespace) -> int:
    """Write the value of every update."""
    job = job_of(options)
    columns = dict(_columns(job))
    if options.json:
        lists = {name: column.tolist() for name, column in columns.items()}
        print(json.dumps(lists))
    elif options.csv:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(["update", *columns])
        rows = zip(*(column.tolist() for column in columns.values()), strict=True)
        writer.writerows([i, *row] for i, row in enumerate(rows))
    else:
        widths = [max(len(name), 12) for name in columns]
        names = zip(columns, widths, strict=True)
        print("  ".join(["  update", *(name.rjust(width) for name, width in names)]))
        for i, row in enumerate(zip(*columns.values(), strict=True)):
            cells = zip(row, widths, strict=True)
            numbers = "  ".join(f"{value:>{width}.6g}" for value, width in cells)
            print(f"{i:8}  {numbers}")
    return 0


def _columns(job: Job) -> Iterator[tuple[str, FloatArray]]:
    product = job.product
    each = job.steps_per_epoch
    yield product.hyperparameter, product.values(job.updates, job.base_lr or 1.0, each)
    scheduled = {planned.course.hyperparameter for planned in product._planned()}
    if "momentum" in scheduled and product.hyperparameter != "momentum":
        yield "momentum", product.momentum_values(job.updates, steps_per_epoch=each)


def plot(options: argparse.Namespace) -> int:
    """Draw the values of a run into a file."""
    job = job_of(options)
    path = Path(options.output)
    figure = detached_figure(3.5)
    each: Any = job.steps_per_epoch
    job.product.plot(job.epochs, each, job.base_lr or 1.0, figure.subplots())
    try:
        figure.savefig(path, dpi=100)
    except ValueError as error:
        # Matplotlib lists the endings that it knows.
        raise ValueError(f"{error}. {received(output=options.output)}") from None
    print(path)
    return 0


def lint(options: argparse.Namespace) -> int:
    """Say what is odd; 1 where something would be refused, or is hardly meant."""
    job = job_of(options)
    report = linted(
        job.told.schedules,
        epochs=_whole(job.epochs),
        steps_per_epoch=_whole(job.steps_per_epoch),
        base_lr=job.base_lr,
        model=_model_for(options.optimizer),
    )
    print(report)
    severities = {finding.severity for finding in report.findings}
    return int(bool(severities & {"error", "warning"}))


def _whole(number: float) -> Any:
    """A whole number as an int; another one is for `lint` to refuse."""
    return int(number) if number == int(number) else number


def _model_for(optimizer: str | None) -> Any:
    """The smallest model with such an optimizer; None where nobody says.

    Raises:
        ValueError: If Keras has no optimizer of this name.
    """
    if optimizer is None:
        return None
    try:
        made = keras.optimizers.get(optimizer)
    except ValueError:
        raise ValueError(
            "`optimizer` must be the name of one of Keras', such as adam or sgd. "
            f"{received(optimizer=optimizer)}"
        ) from None
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(made, loss="mse")
    return model
