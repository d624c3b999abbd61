"""What the constructors of all schedules share, said once."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, TypedDict, get_type_hints

from keras_lr.plan.checks import check_rate
from keras_lr.plan.duration import Duration
from keras_lr.plan.words import cut, received, shown


class Common(TypedDict, total=False):
    """The arguments that every schedule takes besides its own.

    Attributes:
        horizon: Length of the whole run as a duration, where ``fit`` does not tell it
            (a fit in a loop with ``initial_epoch``, data of unknown size); None takes
            it from ``fit``.
        hyperparameter: ``"learning_rate"``, ``"momentum"`` (beta_1 in Adam and its
            kin) or ``"weight_decay"``; for the last two ``max_lr`` is the value that
            factor 1 stands for.
        optimizer: The optimizer that the schedule is for: an attribute of the model, or
            else the name of one of a MultiOptimizer; None for all that the model was
            compiled with.
        on_extend: What a fit does that goes on (``initial_epoch``) with another length
            than was planned: ``"warn"`` that the rate jumps, or ``"continue"``: go over
            into the new plan, as :meth:`Schedule.extend` does.
        check: Whether a fit warns, before its first update, of what
            :func:`keras_lr.lint` finds odd about its schedules, notes left out.
    """

    horizon: Duration | None
    hyperparameter: str
    optimizer: str | None
    on_extend: str
    check: bool


#: What each of them is where it is not given; in this order in signatures.
DEFAULTS: Common = {
    "horizon": None,
    "hyperparameter": "learning_rate",
    "optimizer": None,
    "on_extend": "warn",
    "check": False,
}

#: What ``on_extend`` can be.
ON_EXTEND = ("warn", "continue")

#: A rate, or one for each optimizer by name; None for the optimizer's own.
Peak = float | Mapping[str, float] | None


def completed(cls: type, common: Common) -> Common:
    """The shared arguments, all of them; TypeError if there is one that is none."""
    unknown = [name for name in common if name not in DEFAULTS]
    if unknown:
        raise TypeError(
            f"{cls.__name__} has no argument `{cut(unknown[0])}`. It takes "
            f"{', '.join(inspect.signature(cls).parameters)}."
        )
    return {**DEFAULTS, **common}


def check_peaks(max_lr: Any, optimizer: Any) -> None:
    """Raise unless a peak is a rate, or names rates of optimizers."""
    if optimizer is not None and not isinstance(optimizer, str):
        raise TypeError(
            "`optimizer` must be a name: of an attribute of the model, or of one of a "
            f"MultiOptimizer. {received(optimizer=optimizer)}"
        )
    if not isinstance(max_lr, Mapping):
        check_rate("max_lr", max_lr, above=0)
        return
    if optimizer is not None or not max_lr:
        raise ValueError(
            "`max_lr` as a mapping names the optimizers itself, at least one, without "
            f"`optimizer`. {received(max_lr=max_lr, optimizer=optimizer)}"
        )
    for name, rate in max_lr.items():
        if not isinstance(name, str) or rate is None:
            raise TypeError(
                "`max_lr` as a mapping must have names of optimizers as keys and rates "
                f"as values. Received: {shown(name)}: {shown(rate)}."
            )
        check_rate(f"max_lr[{shown(name)}]", rate, above=0)


def signature_of(cls: Any) -> inspect.Signature:
    """The constructor's signature, with the shared arguments where it has them."""
    (_, *own) = inspect.signature(cls.__init__).parameters.values()
    if not (own and own[-1].kind is own[-1].VAR_KEYWORD and own[-1].name == "common"):
        return inspect.Signature(own)
    hints = get_type_hints(Common)
    shared = [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=default,
            annotation=hints[name],
        )
        for name, default in DEFAULTS.items()
    ]
    return inspect.Signature([*own[:-1], *shared])


def arguments_of(cls: type) -> dict[str, Any]:
    """Names and defaults of the constructor's named arguments."""
    return {
        parameter.name: parameter.default
        for parameter in inspect.signature(cls).parameters.values()
        if parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    }
