"""What the schedules of transformers share: their warmup, and how they are called."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from keras_lr.plan.checks import check_mapping, check_value
from keras_lr.plan.curves import FloatArray
from keras_lr.plan.duration import Argument, Clock, IntArray
from keras_lr.plan.recipe import Recipe
from keras_lr.plan.words import received

#: What ``get_scheduler`` takes for every schedule.
LENGTHS = ("num_warmup_steps", "num_training_steps")
#: Factors at some steps.
Factor = Callable[[IntArray], FloatArray]


def scaling(factor: Factor, warmup: int = 0, length: Argument | None = None) -> Recipe:
    """A recipe that multiplies the optimizer's own rate by factors of the step."""

    def rate(steps: IntArray, base: float, run: Clock) -> FloatArray:
        return base * factor(steps)

    return Recipe(rate, length=length, warmup=warmup)


def rise(steps: IntArray, warmup: int) -> FloatArray:
    """A straight line from zero, 1 at the end of the warmup."""
    height: FloatArray = steps / max(1, warmup)
    return height


def rising(warmup: int, after: Factor) -> Factor:
    """The warmup, then other factors."""

    def factor(steps: IntArray) -> FloatArray:
        return np.where(steps < warmup, rise(steps, warmup), after(steps))

    return factor


def warmup_of(steps: Any) -> int:
    """The steps of a warmup, checked."""
    check_value("num_warmup_steps", steps)
    if int(steps) != steps:
        raise ValueError(
            "`num_warmup_steps` must be a whole number of steps. "
            f"{received(num_warmup_steps=steps)} For a ratio give the ratio times "
            "`num_training_steps`, rounded up, as transformers' Trainer does."
        )
    return int(steps)


def as_called(maker: Callable[..., Recipe]) -> Callable[..., Recipe]:
    """A maker as ``get_scheduler`` calls it.

    It is given both lengths, whether the schedule takes them or not, and all further
    arguments beside them or in ``scheduler_specific_kwargs``.
    """
    own = dict(list(inspect.signature(maker).parameters.items())[1:])
    more = [name for name in (*LENGTHS, "scheduler_specific_kwargs") if name not in own]

    def called(
        faithful: bool,
        /,
        scheduler_specific_kwargs: Mapping[str, Any] | None = None,
        **arguments: Any,
    ) -> Recipe:
        given = {name: arguments[name] for name in arguments if name not in more}
        if scheduler_specific_kwargs is None:
            scheduler_specific_kwargs = {}
        check_mapping("scheduler_specific_kwargs", scheduler_specific_kwargs)
        for name, value in scheduler_specific_kwargs.items():
            if name not in own or name in given:
                raise TypeError(
                    "`scheduler_specific_kwargs` takes what is not given beside it, of "
                    f"{', '.join(own)}. {received(**{name: value})}"
                )
            given[name] = value
        for name, parameter in own.items():
            if parameter.default is parameter.empty and name not in given:
                raise ValueError(
                    f"`{name}` must be given, beside the lengths or in "
                    f"`scheduler_specific_kwargs`. {received(**given)}"
                )
        return maker(faithful, **given)

    parameters = [inspect.Parameter("faithful", inspect.Parameter.POSITIONAL_ONLY)]
    for name in [*own, *more]:
        is_needed = name in own and name in LENGTHS
        empty = own[name].default if is_needed else None
        kind = inspect.Parameter.KEYWORD_ONLY
        annotation = own[name].annotation if name in own else inspect.Parameter.empty
        parameters.append(
            inspect.Parameter(name, kind, default=empty, annotation=annotation)
        )
    called.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return called
