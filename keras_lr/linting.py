"""``lint``: schedules looked over before a training."""

from __future__ import annotations

import operator
import warnings
from collections.abc import Collection, Sequence
from typing import Any

import keras

from keras_lr.combined import Combined
from keras_lr.finder.batches import batches_of_an_epoch
from keras_lr.fit import keras_names
from keras_lr.fit.outline import Length, outlines, outlines_alone
from keras_lr.fit.past import Stretch, past_of
from keras_lr.lints.finding import Finding
from keras_lr.lints.looking import findings_of
from keras_lr.lints.report import Report, written
from keras_lr.lints.scene import Scene, Writer
from keras_lr.plan.checks import check_int, check_value
from keras_lr.plan.words import received, shown
from keras_lr.schedule import Schedule
from keras_lr.staging import lane_of

#: Rows of a batch of arrays, as in ``fit``.
BATCH_SIZE = 32


def lint(
    schedules: Any,
    *,
    epochs: int,
    steps_per_epoch: int | None = None,
    base_lr: float | None = None,
    model: Any = None,
    data: Any = None,
    initial_epoch: int = 0,
) -> Report:
    """Look schedules over before a training: the rate of every update, and what is odd.

    Nothing is trained, and the model is left as it is. Where there is one, the rates
    are those that its next ``fit`` with these callbacks makes: own rates, several
    optimizers, gradient accumulation and what earlier fits have left are taken from it.
    ``docs/lint.md`` lists what can be found; ``check=True``, an argument of every
    schedule, has a fit warn of it.

    Args:
        schedules: A schedule, a ``combine(...)``, or the list of callbacks of the fit,
            in which there may be others as well.
        epochs: Epochs of the fit, at least 1, counted from 0 as in ``fit``.
        steps_per_epoch: Batches of an epoch, as in ``fit``; None to count those of
            ``data``.
        base_lr: The own rate of the optimizer (the highest, of several); None for that
            of ``model``, and 1.0 without one.
        model: A compiled model.
        data: What ``fit`` takes: something that yields batches and has a length, or
            arrays, or a tuple of them, which make batches of 32; an int at the end of
            the tuple is another ``batch_size``: ``(x, y, 64)``.
        initial_epoch: The epoch that the fit begins with.

    Returns:
        The report.

    Raises:
        TypeError: If something is neither a schedule nor a callback.
        ValueError: If nobody knows how long an epoch is, or as the fit would: where a
            schedule names an optimizer that is not there, or cannot be laid out.

    Example:
        >>> from keras_lr import CosineDecay, Warmup, lint
        >>> report = lint(
        ...     [Warmup(5), CosineDecay(max_lr=0.1)], epochs=20, steps_per_epoch=100
        ... )
        >>> report.rates.shape, report.rates[:2].round(6)
        ((2000,), array([0.02, 0.04]))
        >>> [finding.code for finding in report.findings]
        ['epochs-as-updates']
    """
    callbacks = _callbacks(schedules)
    for name, number in (("epochs", epochs), ("initial_epoch", initial_epoch)):
        check_int(name, number)
    if not 0 <= operator.index(initial_epoch) < operator.index(epochs):
        raise ValueError(
            "`epochs` must be above `initial_epoch`, which is not negative. "
            f"{received(epochs=epochs, initial_epoch=initial_epoch)}"
        )
    if base_lr is not None:
        check_value("base_lr", base_lr, above=0)
    steps = _steps(steps_per_epoch, data)
    length = Length(operator.index(epochs), steps, operator.index(initial_epoch))
    seen = [
        each._before_fit(model) if isinstance(each, Schedule) else each
        for each in callbacks
    ]
    return _report(seen, model, length, base_lr)


def _report(
    callbacks: Sequence[Any],
    model: Any,
    length: Length,
    base_lr: float | None,
    stretches: Sequence[Stretch] | None = None,
) -> Report:
    schedules = [each for each in callbacks if isinstance(each, Schedule)]
    once = list({id(each): each for each in schedules}.values())
    requests = [request for each in once for request in each._requests()]
    if model is None:
        found = outlines_alone(requests, length, base_lr or 1.0)
    else:
        found = outlines(model, requests, length, base_lr, stretches)
        idle = keras_names.idle_among([each.optimizer for each in found], model)
        found = [each for each in found if each.optimizer not in idle] or found
    refusals: list[Finding] = []
    lanes = [
        lane_of(outline, model, refusals)
        for outline in found
        if outline.claims or outline is found[0]
    ]
    # The one that a schedule's `max_lr` is of comes first.
    lanes.sort(key=lambda lane: -lane.rates.max())
    scene = Scene(
        tuple(lanes),
        length.epochs,
        length.epoch,
        tuple(_writers(callbacks)),
        tuple(shown(each) for each in once if schedules.count(each) > 1),
    )
    title = " * ".join(map(shown, once))
    is_assumed = model is None and base_lr is None
    return written(scene, title, findings_of(scene, refusals), is_assumed)


def warn_in_fit(schedule: Schedule, epoch: int, stretches: Sequence[Stretch]) -> None:
    """Warn of what is odd about the schedules of a fit, once for each of them.

    Args:
        schedule: One of them, which wants that.
        epoch: The epoch that the fit begins with.
        stretches: What was made of the run under plans of other lengths.
    """
    director = schedule._director
    assert director is not None  # noqa: S101  the fit asks
    model = director.model
    params = schedule.params or {}
    epochs = params.get("epochs")
    steps = params.get("steps")
    told = {message for one in director.schedules for message in one._told}
    found: list[str]
    if epochs is None or (steps is None and past_of(model).batches is None):
        found = [
            f"{shown(schedule)} cannot be checked: the data do not tell how long an "
            "epoch is. Give `steps_per_epoch=` to fit, or use keras_lr.lint."
        ]
    else:
        length = Length(epochs, steps, epoch)
        callbacks = director.callbacks or director.schedules
        found = _worth_a_warning(callbacks, model, length, stretches, told)
    for message in found:
        if message not in told:
            schedule._told.add(message)
            warnings.warn(message, UserWarning, stacklevel=2)


def _worth_a_warning(
    callbacks: Sequence[Any],
    model: Any,
    length: Length,
    stretches: Sequence[Stretch],
    told: Collection[str],
) -> list[str]:
    """What a fit says of what is found; notes may well be meant."""
    try:
        report = _report(callbacks, model, length, None, stretches)
    except ValueError as error:
        # The fit has laid its schedules out, and goes on without a look at them.
        return [f"The schedules of this fit cannot be checked. {error}"]
    return [
        str(finding)
        for finding in report.findings
        if finding.severity != "note"
        # Of another plan the fit tells by itself.
        and finding.code != "new-plan"
        and finding.message not in told
    ]


Schedule._lint_fit = warn_in_fit


# What was given.


def _callbacks(schedules: Any) -> list[Any]:
    """The callbacks of the fit, products taken apart."""
    if isinstance(schedules, Combined):
        return list(schedules.schedules)
    if isinstance(schedules, Schedule):
        return [schedules]
    found: list[Any] = []
    is_list = isinstance(schedules, list | tuple)
    for each in schedules if is_list else [schedules]:
        if isinstance(each, Combined):
            found += each.schedules
        elif is_list and isinstance(each, keras.callbacks.Callback):
            found.append(each)
        else:
            raise TypeError(
                "`schedules` must be a schedule of this package, a combine(...), or a "
                f"list of callbacks. Received: {shown(each)}."
            )
    return found


def _steps(steps_per_epoch: int | None, data: Any) -> int | None:
    """Batches of an epoch, as far as they are told."""
    if steps_per_epoch is not None:
        check_int("steps_per_epoch", steps_per_epoch)
        check_value("steps_per_epoch", steps_per_epoch, above=0)
        return operator.index(steps_per_epoch)
    if data is None:
        return None
    size = BATCH_SIZE
    if isinstance(data, tuple) and data:
        if isinstance(data[-1], int):
            *arrays, size = data
            data = tuple(arrays)
        check_value("batch_size", size, above=0)
        data = data[0]
    batches = batches_of_an_epoch(data, size)
    if not batches:
        raise ValueError(
            "`data` must tell how many batches they have. "
            f"Received: data={shown(data)}. Give `steps_per_epoch` instead."
        )
    return batches


def _writers(callbacks: Sequence[Any]) -> list[Writer]:
    """Callbacks that change the rate besides schedules that are plans."""
    kinds = (keras.callbacks.LearningRateScheduler, keras.callbacks.ReduceLROnPlateau)
    found = []
    for each in callbacks:
        if isinstance(each, Schedule) and not each._is_plan:
            found.append(Writer("Plateau", shown(each)))
        for kind in kinds:
            if isinstance(each, kind):
                found.append(Writer(kind.__name__, type(each).__name__))
    return found
