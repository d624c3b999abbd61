"""What a fit tells its user about schedules that do not do what they seem to."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

from keras_lr.fit.choice import names_of
from keras_lr.plan.words import shown


def warn_of_no_effect(
    schedule: Any, name: str | None, optimizers: Sequence[Any], model: Any
) -> None:
    """Say that a schedule's optimizers have made no update.

    Args:
        schedule: The schedule.
        name: The optimizer that it names; None if it names none.
        optimizers: Those that it is for.
        model: The model.
    """
    idle = " and ".join(repr(one.name) for one in optimizers)
    others = [repr(other) for other in names_of(model) if other != name]
    scaled = hasattr(getattr(model, "optimizer", None), "inner_optimizer")
    skipped = "; loss scaling may have skipped all of them" if scaled else ""
    there = f" (there is {', '.join(others)})" if others else ""
    warnings.warn(
        f"{shown(schedule)} has no effect: the optimizer that it is for ({idle}) made "
        f"no update in this epoch of fit or train_on_batch{skipped}. Name the one that "
        f"trains the model with `optimizer=`{there}, or use as_keras_schedule in a "
        "loop of your own.",
        UserWarning,
        stacklevel=2,
    )


def warn_of_plain_number(number: float, schedules: Sequence[Any]) -> None:
    """Say that a number has lost its ratio to the rate that was read.

    Args:
        number: What a callback has set.
        schedules: Those of the fit.
    """
    names = " and ".join(map(shown, schedules))
    warnings.warn(
        f"A callback has read optimizer.learning_rate and set {number:g}: a plain "
        f"number is the rate that {names} goes on multiplying. To scale what is in "
        "force, set a multiple of what was read: optimizer.learning_rate = "
        "optimizer.learning_rate * 0.5.",
        UserWarning,
        stacklevel=2,
    )
