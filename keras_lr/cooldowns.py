"""Branches of a run that cool down: models for several budgets from one training."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from keras_lr.branches import (
    BRANCH,
    KIND,
    Branches,
    CooldownResult,
    Leaving,
    Order,
    Supply,
    check_room,
    make_branch,
    parts_of,
    whole_epochs,
)
from keras_lr.companion import Companion
from keras_lr.finder.plan import check_trainable
from keras_lr.fit import callers, keras_data, keras_names
from keras_lr.fit.branch import own_values
from keras_lr.fit.building import Building
from keras_lr.fit.choice import all_of
from keras_lr.fit.guests import Guest
from keras_lr.fit.loan import Loan, end_or_refuse
from keras_lr.fit.passes import (
    can_be_shuffled,
    check_can_be_shared,
    passes,
    state_of,
    unhooked,
)
from keras_lr.fit.snapshot import history_kept, random_state
from keras_lr.plan.duration import Argument, Clock, Duration
from keras_lr.plan.words import received, shown


def cooldown(
    model: Any,
    x: Any,
    y: Any = None,
    *,
    duration: Duration,
    shape: str = "1-sqrt",
    validation_data: Any = None,
    batch_size: int | None = None,
    sample_weight: Any = None,
    class_weight: Any = None,
    min_lr: float = 0.0,
    save: str | Path | None = BRANCH,
    verbose: int = 1,
) -> CooldownResult:
    r"""Cool a model down beside its run, save that branch, and give the model back.

    .. math:: \eta_k = \eta_{min} + (\eta_0 - \eta_{min}) c(k / n), \quad
        k = 1 \dots n

    with the rate of the k-th update :math:`\eta_k`, that of the optimizer now
    :math:`\eta_0`, ``min_lr`` :math:`\eta_{min}`, ``duration`` n, and the shape c:
    ``"linear"`` 1 - p, ``"cosine"`` (1 + cos(pi p)) / 2, ``"1-sqrt"`` 1 - sqrt(p),
    ``"1-square"`` 1 - p**2. Momentum and weight decay stay.

    A run at a constant rate (``Warmup``) is the trunk, and what its weights are worth
    shows when the rate comes down. This trains such a branch from the state that the
    model has, evaluates and saves it, and returns to the trunk bit for bit, however it
    ends: weights, optimizer, metrics, random state. So one run gives models for several
    budgets. Between two fits it is this function; in the middle of one it is
    :class:`Cooldown`.

    The batches are those that ``fit`` would make of the data, shuffled, pass after
    pass. The step is the lent one that the model keeps. A copy of the state is held
    meanwhile, in a temporary folder of the system if it is larger than 1 GiB.

    Args:
        model: A compiled model.
        x: Inputs, as ``fit`` takes them. A generator is used up as far as is needed,
            and a ``tf.data.Dataset`` that shuffles itself goes on shuffling.
        y: Targets; None where ``x`` yields them.
        duration: How long it is: updates, or ``"2 epochs"``. With
            ``steps_per_execution`` it is rounded up to whole executions.
        shape: Shape of the fall.
        validation_data: What the branch is evaluated on, as in ``fit``; None for no
            evaluation.
        batch_size: Rows of a batch of arrays; None for 32.
        sample_weight: Weights of the rows, beside arrays.
        class_weight: Weights of the classes, as in ``fit``.
        min_lr: The rate of the last update, from 0 to the rate in force. Of several
            optimizers it is that of the one with the highest rate, and the others keep
            their ratio to it.
        save: The file for the branch, a whole model, with ``{step}`` for the updates
            that the optimizer had made before and ``{epoch}`` for the whole epochs of
            them. Folders are made, and a file of that name is replaced. None saves
            nothing.
        verbose: 0 is silent; 1 prints the result.

    Returns:
        ``metrics``, ``history`` (``loss`` and ``learning_rate`` of each update),
        ``path``, ``step``, ``updates`` and ``rate``.

    Raises:
        ValueError: If an argument is out of range, nothing is trainable, or the data
            end too early.
        RuntimeError: If the model is not compiled, or a fit of it is under way.

    Example:
        >>> import keras, keras_lr, numpy as np
        >>> keras.utils.set_random_seed(0)
        >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
        >>> model.compile(keras.optimizers.SGD(0.1), "mse")
        >>> x = np.linspace(-1, 1, 64).reshape(64, 1)
        >>> _ = model.fit(x, 3 * x, epochs=2, verbose=0)
        >>> branch = keras_lr.cooldown(
        ...     model, x, 3 * x, duration=4, shape="linear", save=None, verbose=0)
        >>> branch.history.learning_rate.round(4)
        array([0.075, 0.05 , 0.025, 0.   ])
        >>> int(model.optimizer.iterations)
        4

    Source: Hägele et al. 2024, arXiv:2405.18392: a constant rate with cooldowns does as
    well as a cosine for each length, or better, and 1-sqrt does better than linear.
    """
    order = Order(duration, shape, min_lr, save, verbose)
    length = Argument.read("duration", duration).length
    if length.unit == "fraction":
        raise ValueError(
            "`duration` must be in updates or epochs, since outside of a fit nobody "
            f"knows the length of the run. {received(duration=duration)} Give a number "
            "of updates, or text such as '2 epochs'."
        )
    if callers.held_by_fit_of(model) is not None:
        raise RuntimeError(
            "A model can be cooled down between two fits. Received: "
            f"{type(model).__name__} {model.name!r}, whose fit is under way. In a fit "
            "use the callback keras_lr.Cooldown."
        )
    choose = partial(all_of, model)
    # Refuses a model that is not compiled.
    choose()
    end_or_refuse(model)
    with ExitStack() as exits:
        exits.enter_context(history_kept(model))
        building = Building(model)
        exits.callback(building.end)
        exits.callback(state_of(x))
        with building.by_fit():
            source = keras_data.source_of_fit(
                model,
                unhooked(x),
                y,
                sample_weight=sample_weight,
                batch_size=batch_size,
                class_weight=class_weight,
                shuffle=can_be_shuffled(x, y, sample_weight),
            )
        # What is used up can be gone through once.
        is_once = isinstance(x, Iterator)
        draw = passes(model, source, are_endless=not is_once)
        if not keras_names.build(model):
            for batch in draw(1):
                building.with_batch(batch)
        check_trainable(model)
        loan = Loan(model, choose, lambda: True)
        exits.callback(loan.close)
        first = loan.step.optimizers[0]
        batches = keras_data.batches_in(source)
        per_epoch = None if batches is None else batches / first.accumulation
        if per_epoch is None and length.unit == "epochs":
            raise ValueError(
                "`duration` can be in epochs only where the data have a length. "
                f"{received(duration=duration)} Give a number of updates."
            )
        updates = order.updates(Clock(None, per_epoch))
        made = loan.step.counts()[0] // first.accumulation
        epoch = whole_epochs(made, per_epoch)
        validation = None if validation_data is None else parts_of(validation_data)
        supply = Supply(draw, x, validation, batch_size)
        leaving = Leaving(made, epoch, updates, own_values(loan.step))
        return make_branch(model, loan.step, order, supply, leaving)


# In a fit.


class Cooldown(Companion):
    """Cools branches down beside a running fit, which does not notice.

    At each position the model is trained on for ``duration`` updates while the rate
    falls from the one in force to ``min_lr``, as :func:`cooldown` does it (the formula
    stands there), is evaluated and saved, and goes back to where it was. So one fit
    gives models for several budgets:

    ``model.fit(x, y, epochs=12, callbacks=[keras_lr.Warmup(500), keras_lr.Cooldown(at=[
    "3 epochs", "6 epochs", "10 epochs"], duration="2 epochs")])``

    The fit gives the weights, the history and the random numbers that it would have
    given without, to the bit. Other callbacks do not hear of branches. A branch begins
    at the end of the batch that makes the update (of the execution, under
    ``steps_per_execution``), with a pass over the data of its own. Its step is that of
    a fit with schedules: beside one nothing is traced for it, else at the first branch.
    If it is interrupted, the model is back in the trunk when the exception comes out of
    ``fit``.

    The trunk's rate should stay up (``Warmup``, or none): from a rate that has come
    down there is nothing to cool.

    Args:
        at: Where branches leave the trunk: a duration from the begin of the run, or
            several. Those that lie at or before the point where a resumed fit goes on
            are not done again; those of an epoch that it repeats are.
        duration: How long each is. A fraction is one of the run.
        shape: Shape of the fall: ``"linear"``, ``"cosine"``, ``"1-sqrt"`` or
            ``"1-square"``.
        min_lr: The rate of its last update, from 0 to the rate in force.
        save: The file for each branch, a whole model, with ``{step}`` for the updates
            of the run before it and ``{epoch}`` for the whole epochs of them. Folders
            are made, and a file of that name is replaced. None saves nothing.
        data: What branches train on, as ``validation_data`` is given; None for the data
            of the fit. Needed where those can be gone through only once, as
            generators, or are a ``tf.data.Dataset`` that shuffles itself.
        validation_data: What branches are evaluated on; None for what the fit has.
        verbose: 0 is silent; 1 prints each result.

    Attributes:
        results: What each branch has come to, in order, with the ``metrics``, the
            ``history`` (``loss`` and ``learning_rate`` of each update), the ``path``,
            ``step``, ``updates`` and ``rate``.

    Raises:
        ValueError: If an argument is out of range; from ``fit``, before any update, if
            a branch would end after the run, or the data cannot be shared.

    Example:
        >>> import keras, keras_lr, numpy as np
        >>> keras.utils.set_random_seed(0)
        >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
        >>> model.compile(keras.optimizers.SGD(0.1), "mse")
        >>> x = np.linspace(-1, 1, 64).reshape(64, 1)
        >>> branches = keras_lr.Cooldown(
        ...     ["1 epochs", "2 epochs"], duration=4, save=None, verbose=0)
        >>> _ = model.fit(x, 3 * x, batch_size=8, epochs=3, verbose=0,
        ...               callbacks=[branches])
        >>> [(branch.step, branch.updates) for branch in branches.results]
        [(8, 4), (16, 4)]

    Source: Hägele et al. 2024, arXiv:2405.18392.
    """

    _kind = KIND

    def __init__(
        self,
        at: Duration | Sequence[Duration],
        *,
        duration: Duration,
        shape: str = "1-sqrt",
        min_lr: float = 0.0,
        save: str | Path | None = BRANCH,
        data: Any = None,
        validation_data: Any = None,
        verbose: int = 1,
    ) -> None:
        super().__init__()
        several = list(at) if isinstance(at, list | tuple) else [at]
        if not several:
            raise ValueError(
                "A Cooldown needs a position at least. Received: at=[]. Give one, such "
                "as at='5 epochs'."
            )
        if isinstance(data, Iterator):
            raise ValueError(
                "`data` must be something that can be gone through again, for each "
                f"branch. {received(data=data)} Give arrays or a dataset."
            )
        self.at = several
        self.duration = duration
        self.data = data
        self.validation_data = validation_data
        self.results: list[CooldownResult] = []
        self._order = Order(duration, shape, min_lr, save, verbose)
        self._positions = [Argument.read("at", one) for one in several]

    def __repr__(self) -> str:
        return f"Cooldown(at={self.at!r}, duration={self.duration!r})"

    def _guests(self) -> Sequence[Guest]:
        return [Branches(self._order, self._positions, self._supply(), self.results)]

    def _supply(self) -> Supply:
        """The data of branches of the fit that is calling.

        Raises:
            RuntimeError: If it is no fit.
            ValueError: If its data cannot be shared.
        """
        held = callers.arguments_of_fit()
        source = keras_data.source_in(held.values())
        if source is None:
            raise RuntimeError(
                "A Cooldown takes part in a fit, from which it has the data. Received: "
                f"{shown(self)} in a list of callbacks outside of one. Between the "
                "epochs of a loop of your own call keras_lr.cooldown."
            )
        tells_length = keras_data.batches_in(source) is not None
        data = held["x"]
        if self.data is not None and self.data is not data:
            source = _source_of(self.data, source, held)
        else:
            check_can_be_shared("x", data, "Cooldown(data=...)")
            alone = unhooked(data)
            if alone is not data:
                source = _source_of((alone,), source, held)
        supply = Supply(
            draw=passes(held["self"], source),
            data=data,
            validation=None,
            batch_size=held["validation_batch_size"] or held["batch_size"],
            tells_length=tells_length,
        )
        if self.validation_data is not None:
            return replace(supply, validation=parts_of(self.validation_data))
        if held["validation_data"] is None:
            return supply
        validation = parts_of(held["validation_data"])
        instead = "Cooldown(validation_data=...)"
        check_can_be_shared("validation_data", validation[0], instead)
        steps = held["validation_steps"]
        return replace(supply, validation=validation, validation_steps=steps)

    def on_train_begin(self, logs: Any = None) -> None:
        """Take the optimizers, and look whether all branches have room in the run."""
        super().on_train_begin(logs)
        director = self._director
        if director is None or director.run.total is None:
            return
        try:
            check_room(self._order, self._positions, director.run)
        except BaseException:
            director.end()
            raise


def _source_of(data: Any, source: Any, held: Mapping[str, Any]) -> Any:
    """What a fit would iterate over that has these data in place of its own."""
    x, y, sample_weight = parts_of(data)
    # Numbers that are drawn for it are none of the fit's.
    put_back = random_state()
    try:
        return keras_data.source_like(
            source,
            held["self"],
            x,
            y=y,
            sample_weight=sample_weight,
            batch_size=held["batch_size"],
            class_weight=held["class_weight"],
            shuffle=held["shuffle"] if can_be_shuffled(x, y, sample_weight) else False,
        )
    finally:
        put_back()
