"""What a branch of a run is asked to be, and what it has come to."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_lr.companion import Companion
from keras_lr.fit import keras_names, processes
from keras_lr.fit.branch import (
    Fall,
    InForce,
    beside,
    last_values,
    leading,
    train_branch,
)
from keras_lr.fit.guests import Fit
from keras_lr.fit.passes import Draw, unhooked
from keras_lr.fit.record import Scalar
from keras_lr.fit.step import LentStep
from keras_lr.fit.whole_file import written_whole
from keras_lr.plan.checks import check_choice, check_value
from keras_lr.plan.curves import FloatArray
from keras_lr.plan.duration import Argument, Clock, Duration
from keras_lr.plan.words import received, shown
from keras_lr.presets.warmups import COOLDOWNS

#: What an error calls the callback.
KIND = "Cooldown"

#: Inputs, targets and weights, as ``fit`` takes them.
Parts = tuple[Any, Any, Any]

#: What branches are called where nobody says.
BRANCH = "branch-{step}.keras"


@dataclass(frozen=True, eq=False)
class CooldownHistory:
    """What was seen of each update of a branch.

    Attributes:
        loss: The training loss of its batch, before the update; shape ``(updates,)``.
        learning_rate: Its rate; shape ``(updates,)``.
    """

    loss: FloatArray
    learning_rate: FloatArray


@dataclass(frozen=True, eq=False, repr=False)
class CooldownResult:
    """What a branch has come to.

    Attributes:
        metrics: What ``evaluate`` says of the branch, by name; empty without data to
            evaluate on.
        history: Loss and rate of each update.
        path: The file that it is in; None where it was not saved.
        step: The updates that the trunk had made where the branch leaves it.
        updates: Those of the branch.
        rate: The rate that it begins from; of several optimizers, the highest.
    """

    metrics: Mapping[str, float]
    history: CooldownHistory
    path: Path | None
    step: int
    updates: int
    rate: float

    def __repr__(self) -> str:
        told = {name: float(f"{value:.4g}") for name, value in self.metrics.items()}
        path = None if self.path is None else str(self.path)
        return (
            f"CooldownResult(step={self.step}, updates={self.updates}, "
            f"rate={self.rate:.4g}, metrics={told}, path={path!r})"
        )


@dataclass(frozen=True)
class Order:
    """How branches are to be made: what the function and the callback share.

    Attributes:
        duration: How long a branch is.
        shape: How its rate falls.
        min_lr: Where to.
        save: Template of the file's name; None to save nothing.
        verbose: Whether to tell of each branch.
    """

    duration: Duration
    shape: str
    min_lr: float
    save: str | Path | None
    verbose: int

    def __post_init__(self) -> None:
        Argument.read("duration", self.duration)
        check_choice("shape", self.shape, tuple(COOLDOWNS))
        check_value("min_lr", self.min_lr)
        if self.save is not None and not self.path(0, 0).endswith(".keras"):
            raise ValueError(
                "`save` must end in .keras, the format of whole models. "
                f"{received(save=self.save)} Give a name such as {BRANCH!r}, or None."
            )

    def path(self, step: int, epoch: int | None) -> str:
        """The name of the file of a branch.

        Args:
            step: Updates that the trunk has made.
            epoch: Whole epochs of them; None where an epoch has no known length.
        """
        names = {"step": step} if epoch is None else {"step": step, "epoch": epoch}
        try:
            return str(self.save).format(**names)
        except (KeyError, IndexError, ValueError) as error:
            known = " and ".join(f"{{{name}}}" for name in names)
            why = "" if epoch is not None else ", since no epoch has a known length"
            raise ValueError(
                f"`save` may hold {known} and nothing else in braces{why}. "
                f"{received(save=self.save)} Give a name such as {BRANCH!r}."
            ) from error

    def updates(self, run: Clock) -> int:
        """Updates of a branch."""
        return run.updates(Argument.read("duration", self.duration))

    def fall(self, updates: int, in_force: Sequence[InForce]) -> Fall:
        """How the rate of a branch falls.

        Raises:
            ValueError: If it would rise.
        """
        highest = in_force[leading(in_force)].rate
        if self.min_lr > highest:
            raise ValueError(
                "`min_lr` must not be above the rate that a cooldown begins from. "
                f"{received(min_lr=self.min_lr)} The rate in force is {highest:g}: "
                "give a lower `min_lr`."
            )
        return Fall(COOLDOWNS[self.shape], self.min_lr, updates)


def check_room(order: Order, positions: Sequence[Argument], run: Clock) -> None:
    """Raise unless branches end within a run, each in a file of its own.

    Args:
        order: How they are to be made.
        positions: Where they leave the trunk.
        run: The run, whose length is known.
    """
    assert run.total is not None  # noqa: S101  callers have checked
    updates = order.updates(run)
    paths = set()
    for position in positions:
        begin = run.updates(position)
        end = begin + updates
        if end > run.total:
            raise ValueError(
                "A branch must end within the run that it leaves. Received: "
                f"at={shown(position.written)} and duration={shown(order.duration)}, "
                f"which end at update {end} of {run.total}. Give an earlier position, "
                "a shorter duration, or more epochs."
            )
        epoch = whole_epochs(begin, run.steps_per_epoch)
        paths.add(order.path(begin, epoch))
    if order.save is not None and len(paths) < len(positions):
        raise ValueError(
            "`save` must give each branch a file of its own. "
            f"{received(save=order.save)} Put {{step}} into it, as in {BRANCH!r}, and "
            "no position into `at` twice."
        )


def whole_epochs(updates: int, each: float | None) -> int | None:
    """Whole epochs in so many updates; None where their length is not known.

    Example:
        >>> whole_epochs(10, 2.5), whole_epochs(9, 2.5)
        (4, 3)
    """
    # Lengths of an epoch are floats under gradient accumulation.
    return None if each is None else int(updates / each + 1e-9)


@dataclass(frozen=True)
class Supply:
    """The data of branches.

    Attributes:
        draw: Gives so many batches to train on.
        data: What these are of, whose own random numbers are to come back.
        validation: Inputs, targets and weights to evaluate on; None for none.
        batch_size: Rows of a batch of those, where they are arrays.
        validation_steps: Batches of those; None for all.
        tells_length: Whether the data of the fit tell how many batches an epoch has.
    """

    draw: Draw
    data: Any
    validation: Parts | None
    batch_size: int | None
    validation_steps: int | None = None
    tells_length: bool = True


@dataclass(frozen=True)
class Leaving:
    """Where a branch leaves the trunk, and for how long.

    Attributes:
        step: Updates that the trunk has made.
        epoch: Whole epochs of them; None where an epoch has no known length.
        updates: Those of the branch.
        in_force: Of each optimizer of the step.
    """

    step: int
    epoch: int | None
    updates: int
    in_force: list[InForce]


def make_branch(
    model: Any, step: LentStep, order: Order, supply: Supply, leaving: Leaving
) -> CooldownResult:
    """Make a branch, evaluate and save it, and go back."""
    fall = order.fall(leaving.updates, leaving.in_force)
    path = None
    if order.save is not None:
        path = Path(order.path(leaving.step, leaving.epoch))
        # Before the training: else it would be for nothing.
        path.parent.mkdir(parents=True, exist_ok=True)
    with beside(model, step, supply.data):
        course = train_branch(model, step, supply.draw, fall, leaving.in_force)
        metrics = _evaluated(model, supply)
        if path is not None:
            _save(model, path)
    history = CooldownHistory(processes.mean(course.losses), course.rates)
    highest = leaving.in_force[leading(leaving.in_force)].rate
    result = CooldownResult(
        metrics, history, path, leaving.step, len(course.rates), highest
    )
    if order.verbose:
        print(result)
    return result


def _save(model: Any, path: Path) -> None:
    if processes.is_first():
        with written_whole(path) as part:
            model.save(part)
        return
    # One process writes the file, but on JAX saving is something that all do together.
    with tempfile.TemporaryDirectory() as folder:
        model.save(Path(folder, path.name))


def _evaluated(model: Any, supply: Supply) -> dict[str, float]:
    if supply.validation is None:
        return {}
    x, y, sample_weight = supply.validation
    found = model.evaluate(
        unhooked(x),
        y,
        sample_weight=sample_weight,
        batch_size=supply.batch_size,
        steps=supply.validation_steps,
        verbose=0,
        return_dict=True,
    )
    values = processes.mean(np.array([float(value) for value in found.values()]))
    return dict(zip(found, values.tolist(), strict=True))


def parts_of(data: Any) -> Parts:
    """Inputs, targets and weights of data as ``validation_data`` has them."""
    x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
    return x, y, sample_weight


class Branches:
    """The branches of one fit, as a guest of it.

    Args:
        order: How they are to be made.
        positions: Where they leave the trunk.
        supply: Their data.
        results: Where what they have come to is put.
    """

    scalars: Sequence[Scalar] = ()

    def __init__(
        self,
        order: Order,
        positions: Sequence[Argument],
        supply: Supply,
        results: list[CooldownResult],
    ) -> None:
        self._order = order
        self._positions = positions
        self._supply = supply
        self._results = results
        self._fit: Fit | None = None
        self._left: list[int] = []

    def begin(self, fit: Fit) -> None:
        """Find the positions that lie ahead."""
        self._fit = fit
        made = fit.updates_made()
        if not made:
            self._results.clear()
        updates = sorted(fit.run.updates(one) for one in self._positions)
        self._left = [one for one in updates if one > made]
        if self._is_alone(fit):
            # The lent step rounds otherwise, in the last digit.
            keras_names.set_function(fit.model, fit.step.plain)

    def _is_alone(self, fit: Fit) -> bool:
        """Whether nobody but branches needs the lent step in the fit."""
        companions = [one for one in fit.callbacks if isinstance(one, Companion)]
        are_alone = all(one._kind == KIND for one in companions)
        # How many updates a step of the user's makes, and which ones had no data, is
        # what the lent one finds out.
        is_counted = self._supply.tells_length
        return (
            are_alone and is_counted and not keras_names.has_own_train_step(fit.model)
        )

    def due(self) -> int | None:
        """The next position."""
        return self._left[0] if self._left else None

    def look(self, made: int) -> None:
        """Make the branches whose positions have been reached."""
        while self._left and self._left[0] <= made:
            self._left.pop(0)
            self._results.append(self._branch(made))

    def end_epoch(self, epoch: int, logs: Mapping[str, Any]) -> None:
        """Nothing is to be done: branches are cut at updates."""

    def _branch(self, made: int) -> CooldownResult:
        fit = self._fit
        assert fit is not None  # noqa: S101  it has begun
        epoch = whole_epochs(made, fit.run.steps_per_epoch)
        epoch = fit.epoch if epoch is None else epoch
        updates = self._order.updates(fit.run)
        # A rate that is itself a schedule looks at the count of updates.
        keras_names.sync_state(fit.model)
        leaving = Leaving(made, epoch, updates, last_values(fit.step))
        return make_branch(fit.model, fit.step, self._order, self._supply, leaving)
