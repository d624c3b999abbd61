"""How messages are worded: values cut to a readable length, and who is meant."""

from __future__ import annotations

import reprlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

#: Characters of a value in a message, at most.
LONGEST_SHOWN = 120

_SHORT = reprlib.Repr()
_SHORT.maxlist = _SHORT.maxtuple = _SHORT.maxdict = _SHORT.maxset = 8
_SHORT.maxstring = _SHORT.maxother = 100
_SHORT.maxlong = 40


def shown(value: Any) -> str:
    """A value as a message shows it: its representation, in one line, not too long.

    Example:
        >>> shown([0.5, "5%"])
        "[0.5, '5%']"
        >>> shown(list(range(10_000)))
        '[0, 1, 2, 3, 4, 5, 6, 7, ...]'
    """
    try:
        text = _SHORT.repr(value)
    except Exception:
        # Such as an int of more digits than Python is willing to write.
        text = f"<{type(value).__name__}>"
    # Lists of lists are long all the same.
    return cut(text)


def listed(values: Iterable[Any]) -> str:
    """Values with commas between them, of which there may be any number.

    Example:
        >>> listed(["a", 1]), len(listed(range(10**5)))
        ("'a', 1", 360)
    """
    return cut(", ".join(map(shown, values)), 3 * LONGEST_SHOWN)


def cut(text: str, longest: int = LONGEST_SHOWN) -> str:
    """Text in one line, without what is too long to be read.

    Args:
        text: The text.
        longest: Characters that stay, at most.
    """
    line = " ".join(text.split())
    return line if len(line) <= longest else f"{line[: longest - 4]} ..."


def received(**values: Any) -> str:
    """What was given, as messages end: ``Received: a=1, b=2.``."""
    # A name may be a key of the user's, too.
    told = ", ".join(f"{cut(name)}={shown(value)}" for name, value in values.items())
    return f"Received: {told}."


@contextmanager
def naming(owner: Any) -> Iterator[None]:
    """Begin the message of what is raised inside with whose it is.

    Args:
        owner: A name, or a schedule, whose representation is shown.
    """
    try:
        yield
    except (TypeError, ValueError) as error:
        # Others, such as UnicodeError, have arguments of another kind.
        if type(error) in (TypeError, ValueError):
            name = owner if isinstance(owner, str) else shown(owner)
            if not str(error).startswith(name):
                error.args = (f"{name}: {error}",)
        raise
