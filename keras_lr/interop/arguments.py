"""What a schedule of another library takes."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from keras_lr.plan.checks import number
from keras_lr.plan.duration import LONGEST
from keras_lr.plan.words import naming, received, shown

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
            f"{name} has no argument `{unknown[0]}`; it takes "
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
            f"Received: {given or 'nothing'}."
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
