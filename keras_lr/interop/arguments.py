"""What a schedule of another library takes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from keras_lr.plan.checks import number
from keras_lr.plan.duration import LONGEST
from keras_lr.plan.words import cut, naming, received, shown

Made = TypeVar("Made")

#: How parameters are annotated that are numbers.
NUMBERS = ("int", "float", "int | None", "float | None")


def check_arguments(name: str, maker: Callable[..., Any], arguments: Any) -> None:
    """Raise unless a schedule takes these arguments, and needs no others.

    What is to be a number must be one, and what is counted no more than can be; lists,
    which torch has for groups of parameters, are left to the schedule.

    Args:
        name: The schedule.
        maker: The function that takes them.
        arguments: The arguments by name.
    """
    parameters = {
        parameter.name: parameter
        for parameter in inspect.signature(maker).parameters.values()
        # The first one says whether faults are carried over.
        if parameter.kind is not parameter.POSITIONAL_ONLY
    }
    unknown = [argument for argument in arguments if argument not in parameters]
    if unknown:
        raise TypeError(
            f"{name} has no argument `{cut(unknown[0])}`; it takes "
            f"{', '.join(parameters) or 'none'}. "
            f"{received(**{unknown[0]: arguments[unknown[0]]})}"
        )
    missing = [
        parameter.name
        for parameter in parameters.values()
        if parameter.default is parameter.empty and parameter.name not in arguments
    ]
    if missing:
        given = ", ".join(f"{key}={shown(value)}" for key, value in arguments.items())
        raise ValueError(
            f"{name} needs {' and '.join(f'`{each}`' for each in missing)}. "
            f"Received: {cut(given, 400) or 'nothing'}."
        )
    for argument, value in arguments.items():
        annotation = parameters[argument].annotation
        is_absent = value is None and str(annotation).endswith("None")
        if annotation in NUMBERS and not is_absent and not isinstance(value, list):
            with naming(name):
                size = number(argument, value)
                if annotation.startswith("int") and abs(size) > LONGEST:
                    raise ValueError(
                        f"`{argument}` must be at most 10**15. "
                        f"{received(**{argument: value})}"
                    )


def pair_of(value: Any, what: str, such_as: str) -> tuple[str, Mapping[str, Any]]:
    """What stands in a list of schedules: a name, and arguments.

    Args:
        value: What stands there.
        what: What the list is called.
        such_as: An example, and what else may stand there, in words.
    """
    if (
        isinstance(value, tuple | list)
        and len(value) == 2
        and isinstance(value[0], str)
        and isinstance(value[1], Mapping)
    ):
        return value[0], value[1]
    raise ValueError(
        f"Each of `{what}` must be a pair of a name and its arguments, such as "
        f"{such_as}. Received: {shown(value)}."
    )


def made_of(
    pair: tuple[str, Mapping[str, Any]],
    what: str,
    makers: Mapping[str, Callable[..., Made]],
    faithful: bool,
) -> Made:
    """What a pair of a name and arguments makes.

    Args:
        pair: The pair.
        what: What the list that it stands in is called.
        makers: What may stand there, by name.
        faithful: Whether faults are carried over.
    """
    name, arguments = pair
    if name not in makers:
        raise ValueError(
            f"`{what}` can be {', '.join(makers)}. Received: {shown(name)}."
        )
    check_arguments(name, makers[name], arguments)
    with naming(name):
        return makers[name](faithful, **arguments)
