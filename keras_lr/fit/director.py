"""All schedules of one fit together: one table for each hyperparameter.

Data's way: the schedules' courses -> float64 values at every update of the run -> their
product -> the tables that :mod:`keras_lr.fit.optimizer` lends to the optimizers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_lr.fit import optimizer as _optimizer
from keras_lr.fit.optimizer import Lent, Loan
from keras_lr.plan.checks import check_momentum
from keras_lr.plan.course import HYPERPARAMETERS, Course
from keras_lr.plan.curves import FloatArray
from keras_lr.plan.duration import Clock, IntArray


def lay(loan: Loan, params: dict[str, Any], epoch: int | None) -> None:
    """Tabulate all schedules of a fit, from where it stands, and lend the optimizers.

    Args:
        loan: The optimizers and the schedules.
        params: What Keras tells callbacks: ``epochs``, and ``steps`` of an epoch.
        epoch: The epoch that begins now; None in the middle of one.
    """
    courses = [(w, c) for w in loan.writers for c in w._courses()]
    _check_absolute(courses)
    loan.complete = True
    for lent in loan.lent:
        lent.give_back()
        lent.sync()
        if epoch is not None:
            _locate(lent, params.get("steps"), params.get("epochs"), epoch)
            loan.epoch = epoch
        else:
            lent.position += lent.updates - lent.offset
        lent.offset = lent.updates
        left = None if lent.total is None else max(lent.total - lent.position, 1)
        if left is None or left > _optimizer.WINDOW:
            left, loan.complete = _optimizer.WINDOW, False
        run = Clock(lent.total, lent.steps_per_epoch)
        _tabulate(lent, loan, courses, run, lent.position + np.arange(left))
        for writer in loan.writers:
            writer._warn(run)
    loan.activate()


def _locate(lent: Lent, batches: int | None, epochs: int | None, epoch: int) -> None:
    """Find the optimizer's place in the run, in its own updates.

    The place follows from the epoch, not from the optimizer's counter, which may have
    counted earlier fits; only where an epoch's length is unknown must the counter do.
    """
    if batches is None or epochs is None:
        lent.position = lent.updates if epoch else 0
        lent.total = lent.steps_per_epoch = None
        return
    every = lent.accumulation
    lent.position = epoch * batches // every
    # An accumulation that an earlier fit has begun ends in this one.
    left = (lent.counter % every + (epochs - epoch) * batches) // every
    lent.total = lent.position + left
    lent.steps_per_epoch = batches / every


def _check_absolute(courses: Sequence[tuple[Any, Course]]) -> None:
    for name in HYPERPARAMETERS:
        claims = [
            w for w, c in courses if c.hyperparameter == name and c.peak is not None
        ]
        if len(claims) > 1:
            raise ValueError(
                f"Only one schedule of a fit can set an absolute {name}; the others "
                f"multiply it. Received: {' and '.join(map(repr, claims))}. Leave "
                "`max_lr` out of all but one."
            )


def _tabulate(
    lent: Lent,
    loan: Loan,
    courses: Sequence[tuple[Any, Course]],
    run: Clock,
    updates: IntArray,
) -> None:
    """Fill the tables of one optimizer: the product of all courses."""
    lent.tables = {}
    for name in HYPERPARAMETERS:
        mine = [(w, c) for w, c in courses if c.hyperparameter == name]
        if not mine or not _schedulable(lent, name, mine):
            continue
        own = _own(lent, loan, name, mine)
        peak = next((c.peak for _, c in mine if c.peak is not None), own)
        product: FloatArray = np.ones(len(updates))
        for writer, course in mine:
            values = course.values(peak, writer._clock(run), updates)
            product = product * (values / peak)
        if name == "learning_rate":
            lent.scale = peak / own
            lent.tables[name] = product * lent.scale
        else:
            lent.tables[name] = product * peak
        if name == "momentum":
            check_momentum(lent.tables[name], updates)


def _schedulable(lent: Lent, name: str, mine: Sequence[tuple[Any, Course]]) -> bool:
    """Whether the optimizer has the hyperparameter; ValueError if it must."""
    if _optimizer.attribute(lent.optimizer, name) is not None:
        return True
    demanding = [writer for writer, course in mine if not course.optional]
    if demanding:
        raise ValueError(
            f"An optimizer whose {name} is scheduled must have one that is not zero. "
            f"Received: {lent.cls.__name__} without {name}, for {demanding[0]!r}. "
            "Compile it with one, or leave it out of the schedule."
        )
    return False


def _own(
    lent: Lent, loan: Loan, name: str, mine: Sequence[tuple[Any, Course]]
) -> float:
    """The optimizer's own value, which factor 1 of a relative schedule stands for."""
    if name != "learning_rate":
        attribute = _optimizer.attribute(lent.optimizer, name)
        return float(vars(lent.optimizer)[attribute])
    # The groups of a MultiOptimizer keep their ratios to the highest rate.
    rates = [one.own_rate for one in loan.lent]
    absolute = [writer for writer, course in mine if course.is_absolute]
    if any(rate is None for rate in rates):
        if absolute:
            raise ValueError(
                "An absolute rate (`max_lr`, `min_lr`) needs an optimizer compiled "
                f"with a float as its learning_rate. Received: {absolute[0]!r} and an "
                "optimizer whose learning_rate is a schedule. Leave one of them out."
            )
        return 1.0
    highest = max(rate for rate in rates if rate is not None)
    if highest <= 0:
        raise ValueError(
            "The optimizer's own rate must be above 0 for a schedule to scale it. "
            f"Received: learning_rate={highest:g}."
        )
    return highest
