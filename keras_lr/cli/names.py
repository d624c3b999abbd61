"""What may be called in a schedule that is written down."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from keras_lr import interop, phases, presets
from keras_lr.combined import combine
from keras_lr.plan.words import cut, naming, shown
from keras_lr.plateau import Plateau
from keras_lr.schedule import Schedule

#: Why some public names are left out.
NEEDS_FUNCTION = ("Function", "function", "curve")


def _callables() -> dict[str, Callable[..., Any]]:
    rooms = [(presets, presets.__all__), (phases, phases.__all__)]
    rooms.append((interop, interop.__all__))
    found = {name: getattr(room, name) for room, names in rooms for name in names}
    found |= {"Schedule": Schedule, "Plateau": Plateau, "combine": combine}
    return {name: found[name] for name in found if name not in NEEDS_FUNCTION}


#: Schedules, phases, ``combine`` and the schedules of other libraries, by name.
CALLABLES = _callables()


def call(
    name: str, arguments: Sequence[Any], keywords: Mapping[str, Any], where: str
) -> Any:
    """Call what a name stands for.

    Args:
        name: The name.
        arguments: Its arguments by place.
        keywords: Its arguments by name.
        where: Where it is written, for messages.

    Raises:
        TypeError: If it takes no such arguments.
        ValueError: If there is no such name, or an argument is out of range.
    """
    check_name(name, where)
    return called(CALLABLES[name], name, arguments, keywords)


def called(
    function: Callable[..., Any],
    name: str,
    arguments: Sequence[Any],
    keywords: Mapping[str, Any],
) -> Any:
    """The same of a function that is known."""
    try:
        with naming(name):
            return function(*arguments, **keywords)
    except TypeError as error:
        # Python says which function of ours it has missed an argument of.
        first, call_mark, rest = str(error).rpartition("() ")
        if call_mark and first.endswith(("__init__", name, "<locals>.phase")):
            verb = "is " if rest.startswith("missing") else ""
            raise TypeError(f"{name} {verb}{cut(rest, 300)}.") from None
        raise


def check_name(name: str, where: str) -> None:
    """Raise unless a name is known."""
    if name in CALLABLES:
        return
    if name in NEEDS_FUNCTION:
        raise ValueError(
            f"{name} takes a function, which cannot be written down here. Received: "
            f"{name} {where}. Use it from Python."
        )
    near = difflib.get_close_matches(name, CALLABLES, n=1, cutoff=0.5)
    hint = f"Did you mean {near[0]}?" if near else f"There are {', '.join(CALLABLES)}."
    raise ValueError(
        "Only schedules, phases, combine and from_... can be called. Received: "
        f"{shown(name)} {where}. {hint}"
    )
