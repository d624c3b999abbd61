"""A seal around what reads untrusted input: whatever would run something is stopped."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

#: What Python announces before it does so, and no reading of data needs. A name stands
#: for all that begin with it.
FORBIDDEN = (
    "code.__new__",
    "cpython.run",
    "ctypes.",
    "exec",
    "function.__new__",
    "marshal.",
    "os.",
    "pickle.",
    "shutil.",
    "socket.",
    "subprocess.",
    "urllib.",
    "webbrowser.",
)
#: Of those, what listing and finding files is, and what the lines of a traceback need.
ALLOWED = ("os.listdir", "os.scandir", "os.walk", "os.stat", "os.fwalk")


class Escaped(BaseException):
    """Input has made its reader run something.

    No Exception, so that no reader takes it for a mistake in its input.
    """


class _Seal:
    """Whether it is closed, and what has tried to get out."""

    def __init__(self) -> None:
        self.is_closed = False
        self.is_installed = False
        self.escaped: list[str] = []

    def hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.is_closed or event in ALLOWED:
            return
        writes = event == "open" and _writes(arguments)
        if writes or event.startswith(FORBIDDEN):
            told = f"{event} {arguments!r:.200}"
            self.escaped.append(told)
            raise Escaped(told)


def _writes(arguments: tuple[Any, ...]) -> bool:
    _, mode, _ = arguments
    return isinstance(mode, str) and any(letter in mode for letter in "wax+")


_seal = _Seal()


@contextmanager
def sealed() -> Iterator[None]:
    """A context in which nothing is run, imported, written, sent or unpickled.

    Modules that a reader imports by itself at its first use must be there before.
    """
    # Hooks cannot be taken away, and cost a little: none before somebody needs it.
    if not _seal.is_installed:
        sys.addaudithook(_seal.hear)
        _seal.is_installed = True
    _seal.escaped.clear()
    _seal.is_closed = True
    try:
        yield
    finally:
        _seal.is_closed = False
    # Who swallows BaseException has not hidden it.
    if _seal.escaped:
        raise Escaped(_seal.escaped[0])
