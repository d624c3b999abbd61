"""Values as messages show them: in one line, cut to a length that is still read."""

from __future__ import annotations

import reprlib

_LONGEST = 200

_SHORT = reprlib.Repr()
_SHORT.maxlist = _SHORT.maxtuple = _SHORT.maxdict = _SHORT.maxset = 8
_SHORT.maxstring = _SHORT.maxother = _LONGEST
_SHORT.maxlong = 40


def shown(value: object) -> str:
    """A representation of any value, whatever its size.

    Example:
        >>> from glossary.shown import shown
        >>> shown(["a", 1]), len(shown("a" * 10**6))
        ("['a', 1]", 200)
    """
    try:
        text = _SHORT.repr(value)
    except Exception:  # such as an int of more digits than Python is willing to write
        text = f"<{type(value).__name__}>"
    return cut(text)


def cut(text: str, longest: int = _LONGEST) -> str:
    """Text in one line, without what is too much to be read.

    Args:
        text: The text.
        longest: Characters that stay, at most.
    """
    line = " ".join(text.split())
    return line if len(line) <= longest else f"{line[: longest - 3]}..."
