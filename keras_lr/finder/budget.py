"""A budget as users say it, in updates."""

from __future__ import annotations

from typing import Any

from keras_lr.finder.batches import batches_of_an_epoch
from keras_lr.plan.duration import Duration, parse
from keras_lr.schedule import Schedule

#: Updates that a search needs at least.
LEAST_BUDGET = 120


def updates_of(
    budget: Duration, x: Any, schedule: Schedule | None, batch_size: int, each: int
) -> int:
    """Updates that may be spent.

    Args:
        budget: Updates, epochs, or a fraction of the planned training.
        x: The data that epochs are of.
        schedule: What knows the length of the planned training, by its horizon.
        batch_size: Examples of a batch of arrays.
        each: Batches of an update.

    Raises:
        ValueError: If the length that it is of is not known, or it is too small.
    """
    unit, amount, _ = parse(budget, "budget")
    if unit == "fraction":
        planned = None if schedule is None else schedule._meant_for
        if planned is None:
            raise ValueError(
                "`budget` can be a fraction only of a training whose length is known. "
                f"Received: budget={budget!r} and no `horizon`. Give a number of "
                "updates, or the length, as schedule=OneCycle(horizon='20 epochs')."
            )
        unit, amount = planned.unit, amount * planned.amount
    if unit == "epochs":
        epoch = _updates_of_an_epoch(x, batch_size, each)
        if epoch is None:
            raise ValueError(
                "`budget` can be in epochs only where the data have a length. "
                f"Received: budget={budget!r} and x={type(x).__name__}. Give a number "
                "of updates."
            )
        amount *= epoch
    if amount < LEAST_BUDGET:
        raise ValueError(
            f"`budget` must be at least {LEAST_BUDGET} updates. Received: "
            f"budget={budget!r}, {amount:.0f} updates."
        )
    return int(amount)


def planned_updates(
    epochs: int | None,
    x: Any,
    schedule: Schedule | None,
    batch_size: int,
    each: int,
) -> int | None:
    """Updates of the training that is planned; None where that is not known.

    Args:
        epochs: Epochs that it is to have.
        x: The data that epochs are of.
        schedule: What knows the length, if it has a horizon and no epochs are given.
        batch_size: Examples of a batch of arrays.
        each: Batches of an update.

    Raises:
        ValueError: If ``epochs`` is below 1.
    """
    if epochs is not None:
        if not epochs >= 1:
            raise ValueError(
                f"`epochs` must be at least 1. Received: epochs={epochs!r}. Give the "
                "epochs that the real training is to have, or None."
            )
        planned = parse(f"{epochs} epochs", "epochs")
    elif schedule is not None and schedule._meant_for is not None:
        planned = schedule._meant_for
    else:
        return None
    if planned.unit != "epochs":
        return int(planned.amount)
    epoch = _updates_of_an_epoch(x, batch_size, each)
    return None if epoch is None else int(planned.amount * epoch)


def _updates_of_an_epoch(x: Any, batch_size: int, each: int) -> int | None:
    """Updates of an epoch, if the data have a length."""
    batches = batches_of_an_epoch(x, batch_size)
    return None if batches is None else max(1, batches // each)
