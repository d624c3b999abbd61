"""The functions that carry a published schedule over, one for each library."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np

from keras_lr.arguments import DEFAULTS
from keras_lr.interop import catalogue
from keras_lr.interop.arguments import check_arguments
from keras_lr.interop.imported import Imported, usual_step
from keras_lr.interop.numbers import called
from keras_lr.interop.torch_objects import spec_of
from keras_lr.plan.checks import check_int
from keras_lr.plan.words import naming, received
from keras_lr.plateau import Plateau
from keras_lr.schedule import Schedule

Schedules = keras.optimizers.schedules


def from_torch(
    scheduler: str | Any,
    *,
    faithful: bool = False,
    per: str | None = None,
    **arguments: Any,
) -> Schedule:
    """A learning-rate scheduler of PyTorch, as a callback.

    Args:
        scheduler: The name of a class of ``torch.optim.lr_scheduler``, or ``"SWALR"``;
            or an instance of one, stepped or not, whose arguments count.
        faithful: Whether known faults of the original are carried over; the default
            mends them (``docs/interop.md`` lists each).
        per: What one ``scheduler.step()`` is: ``"update"``, the default, or
            ``"epoch"``.
        **arguments: The arguments of that class but the optimizer, and those that every
            schedule takes (``horizon``, ``optimizer`` as a name, ...). In
            ``schedulers`` of ``SequentialLR`` and ``ChainedScheduler`` stand pairs of a
            name and arguments, or results of this function. ``ReduceLROnPlateau`` takes
            ``monitor`` as well, the metric by the name that logs give it.

    Returns:
        A schedule that scales the optimizer's own rate where torch's does, and sets
        rates where torch's does (``OneCycleLR``, ``CyclicLR``); a
        :class:`~keras_lr.Plateau` for ``ReduceLROnPlateau``.

    Raises:
        TypeError: If the class has no such argument, or an instance is none of torch's
            own classes.
        ValueError: If torch has no such scheduler, an argument is missing or out of
            range, or groups of parameters are given rates of their own: those have a
            schedule each.

    Example:
        >>> from keras_lr.interop import from_torch
        >>> from_torch("StepLR", step_size=2, gamma=0.5).values(5, base_lr=0.8)
        array([0.8, 0.8, 0.4, 0.4, 0.2])

    Source: torch 2.13, ``torch.optim.lr_scheduler``.
    """
    if isinstance(scheduler, str):
        return _carried_over("torch", scheduler, faithful, per, arguments)
    name, made_with = spec_of(scheduler)
    own, _ = _split(arguments)
    # The metric is what torch's own does not know.
    _refuse_more("scheduler", {key: own[key] for key in own if key != "monitor"})
    return _carried_over("torch", name, faithful, per, {**made_with, **arguments})


def from_transformers(
    scheduler: str, *, faithful: bool = False, **arguments: Any
) -> Schedule:
    """A schedule of Hugging Face's transformers, as a callback.

    Args:
        scheduler: The name that ``get_scheduler`` takes, as ``"cosine"``, or that of
            the function, as ``"get_cosine_schedule_with_warmup"``.
        faithful: Whether known faults of the original are carried over; the default
            mends them (``docs/interop.md`` lists each).
        **arguments: Its arguments but the optimizer, and those that every schedule
            takes (``horizon``, ``optimizer`` as a name, ...).

    Returns:
        A schedule that scales the optimizer's own rate.

    Raises:
        TypeError: If it has no such argument.
        ValueError: If there is no such schedule, or an argument is missing or out of
            range.

    Example:
        >>> from keras_lr.interop import from_transformers
        >>> schedule = from_transformers(
        ...     "linear", num_warmup_steps=2, num_training_steps=6)
        >>> schedule.values(6)
        array([0.  , 0.5 , 1.  , 0.75, 0.5 , 0.25])

    Source: transformers 5.23, ``optimization.py``.
    """
    return _carried_over("transformers", scheduler, faithful, None, arguments)


def from_timm(
    scheduler: str,
    *,
    faithful: bool = False,
    per: str | None = None,
    **arguments: Any,
) -> Schedule:
    """A scheduler of timm, as a callback.

    Args:
        scheduler: The name of a class of ``timm.scheduler``, or of its factory,
            ``"create_scheduler_v2"``, whose defaults are others.
        faithful: Whether known faults of the original are carried over; the default
            mends them (``docs/interop.md`` lists each).
        per: What a step of it is: ``"epoch"``, or ``"update"``; None for what timm's
            training script makes of it, which is an epoch unless
            ``t_in_epochs=False`` (in the factory ``step_on_epochs``).
        **arguments: The arguments of that class but the optimizer, and those that every
            schedule takes (``horizon``, ``optimizer`` as a name, ...).

    Returns:
        A schedule that scales the optimizer's own rate, down to ``lr_min``, which is a
        rate; a :class:`~keras_lr.Plateau` for ``PlateauLRScheduler``.

    Raises:
        TypeError: If the class has no such argument.
        ValueError: If timm has no such scheduler, or an argument is missing or out of
            range.

    Example:
        >>> from keras_lr.interop import from_timm
        >>> schedule = from_timm("StepLRScheduler", decay_t=1, decay_rate=0.5)
        >>> schedule.values(3)  # a value an epoch
        array([1.  , 0.5 , 0.25])
        >>> schedule.values(6, steps_per_epoch=2)
        array([1.  , 1.  , 0.5 , 0.5 , 0.25, 0.25])

    Source: timm at aa4b5850 (August 2026), ``timm.scheduler``.
    """
    return _carried_over("timm", scheduler, faithful, per, arguments)


def from_fastai(fit: str, *, faithful: bool = False, **arguments: Any) -> Schedule:
    """The schedule of one of fastai's ways to fit, as a callback.

    Args:
        fit: ``"fit_one_cycle"``, ``"fit_flat_cos"`` or ``"fit_sgdr"``; or an annealer
            of rates, such as ``"SchedCos"`` or ``"combined_cos"``. In ``scheds`` of
            ``combine_scheds`` stand pairs of a name and arguments, or results of this
            function.
        faithful: Whether known faults of the original are carried over; the default
            mends them (``docs/interop.md`` lists each).
        **arguments: The arguments of that method which concern the rate and momentum,
            and those that every schedule takes. Where ``n_epoch`` is left out the run
            is as long as the fit.

    Returns:
        A schedule that sets ``lr_max`` (``lr``) where it is given, and else scales the
        optimizer's own rate; annealers set rates.

    Raises:
        TypeError: If the method has no such argument.
        ValueError: If there is no such method, or an argument is missing or out of
            range.

    Example:
        >>> from keras_lr.interop import from_fastai
        >>> schedule = from_fastai("fit_flat_cos", lr=1.0, pct_start=0.5, div_final=2.0)
        >>> schedule.values(4)
        array([1.  , 1.  , 1.  , 0.75])

    Source: fastai 2.8.12, ``fastai.callback.schedule``.
    """
    return _carried_over("fastai", fit, faithful, None, arguments)


def from_composer(
    scheduler: str, *, faithful: bool = False, **arguments: Any
) -> Schedule:
    """A scheduler of MosaicML's composer, as a callback.

    Args:
        scheduler: The name of a class of ``composer.optim.scheduler``.
        faithful: Whether known faults of the original are carried over; the default
            mends them (``docs/interop.md`` lists each).
        **arguments: The arguments of that class, with times as composer writes them
            (``"10ep"``, ``"100ba"``, ``"0.5dur"``); ``scale_schedule_ratio``, which is
            an argument of its trainer; and those that every schedule takes.

    Returns:
        A schedule that scales the optimizer's own rate.

    Raises:
        TypeError: If the class has no such argument.
        ValueError: If there is no such scheduler, an argument is missing or out of
            range, or a time is counted in samples, tokens or seconds.

    Example:
        >>> from keras_lr.interop import from_composer
        >>> from_composer("LinearScheduler", t_max="4ba").values(5)
        array([1.  , 0.75, 0.5 , 0.25, 0.  ])

    Source: composer at 64051888 (April 2026), ``composer.optim.scheduler``.
    """
    return _carried_over("composer", scheduler, faithful, None, arguments)


def from_keras(
    schedule: str | Any, *, faithful: bool = False, **arguments: Any
) -> Schedule:
    """A learning-rate schedule of Keras, as a callback.

    Args:
        schedule: The name of a class of ``keras.optimizers.schedules``, or a
            ``LearningRateSchedule``: one of one's own is called for its rates, before
            the fit.
        faithful: Accepted as everywhere; nothing of Keras' is mended.
        **arguments: The arguments of that class, and those that every schedule takes
            (``horizon``, ``optimizer``, ...).

    Returns:
        A schedule that sets Keras' rates, whatever the optimizer's own is. It counts
        updates, where Keras counts micro-batches under gradient accumulation.

    Raises:
        TypeError: If the class has no such argument.
        ValueError: If Keras has no such schedule, or an argument is missing or out of
            range.

    Example:
        >>> from keras_lr.interop import from_keras
        >>> from_keras("PolynomialDecay", initial_learning_rate=0.5, decay_steps=4,
        ...            end_learning_rate=0.1).values(6)
        array([0.5, 0.4, 0.3, 0.2, 0.1, 0.1])

    Source: Keras 3.15, ``keras.optimizers.schedules``.
    """
    if not isinstance(schedule, Schedules.LearningRateSchedule):
        return _carried_over("keras", schedule, faithful, None, arguments)
    own, common = _split(arguments)
    _refuse_more("schedule", own)
    name = type(schedule).__name__
    if type(schedule) is getattr(Schedules, name, None):
        return Imported("keras", name, schedule.get_config(), faithful, **common)
    given = {"schedule": schedule}
    return Imported("keras", "LearningRateSchedule", given, faithful, **common)


def from_optax(
    schedule: str | Callable[[Any], Any],
    steps: int | None = None,
    *,
    faithful: bool = False,
    **arguments: Any,
) -> Schedule:
    """A schedule of optax, as a callback.

    Args:
        schedule: The name of a function of optax that makes schedules; or a schedule,
            or any other function of the step.
        steps: How many of the first steps to look a function up at; its last rate
            stays. None with a name.
        faithful: Accepted as everywhere; nothing of optax' is mended.
        **arguments: The arguments of that function, and those that every schedule takes
            (``horizon``, ``optimizer``, ...). In ``schedules`` of ``join_schedules``
            stand pairs of a name and arguments, results of this function, or functions
            of the step.

    Returns:
        A schedule that sets optax' rates, whatever the optimizer's own is. A negative
        rate is shown by ``values``, and refused by a fit.

    Raises:
        TypeError: If the function has no such argument.
        ValueError: If optax has no such schedule, an argument is missing or out of
            range, or ``steps`` is missing for a function.

    Example:
        >>> from keras_lr.interop import from_optax
        >>> from_optax("warmup_cosine_decay_schedule", init_value=0.0, peak_value=1.0,
        ...            warmup_steps=2, decay_steps=4).values(6)
        array([0. , 0.5, 1. , 0.5, 0. , 0. ])

    Source: optax 0.2.8, ``optax.schedules``.
    """
    if not callable(schedule):
        if steps is not None:
            arguments["steps"] = steps
        return _carried_over("optax", schedule, faithful, None, arguments)
    own, common = _split(arguments)
    _refuse_more("schedule", own)
    if steps is None:
        raise ValueError(
            "A function of the step needs `steps`, since nothing tells how long it is "
            "meant to be. Received: steps=None."
        )
    check_int("steps", steps)
    rates = called(schedule, np.arange(steps)).tolist()
    return Imported("optax", "tabulated", {"rates": rates}, faithful, **common)


def _carried_over(
    peer: str,
    name: Any,
    faithful: bool,
    per: str | None,
    arguments: Mapping[str, Any],
) -> Schedule:
    """The schedule of a library, by name."""
    own, common = _split(arguments)
    with naming(f"from_{peer}"):
        catalogue.check_name(peer, name)
    plateaus = catalogue.peer_of(peer).plateaus
    if name in plateaus:
        check_arguments(name, plateaus[name], own)
        return Plateau(**plateaus[name](**own), **common)
    step = usual_step(peer, own) if per is None else per
    return Imported(peer, name, own, faithful, step, **common)


def _split(arguments: Mapping[str, Any]) -> tuple[dict[str, Any], Any]:
    """The arguments of the original, and those that every schedule takes."""
    common = {name: value for name, value in arguments.items() if name in DEFAULTS}
    own = {name: value for name, value in arguments.items() if name not in DEFAULTS}
    return own, common


def _refuse_more(what: str, own: Mapping[str, Any]) -> None:
    """Raise where arguments are given beside an object that has them."""
    if own:
        raise TypeError(
            f"Where `{what}` is an object it has its arguments already. "
            f"{received(**own)} Leave them out."
        )
