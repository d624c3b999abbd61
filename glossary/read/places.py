"""On which line of a file a value stands, which the parsers of Python do not tell.

The file has been parsed before, so this reading is lenient: it follows strings,
brackets and the headers of tables, and does not look at what values are.
"""

from __future__ import annotations

import re
from contextlib import suppress
from functools import cached_property
from typing import NamedTuple

_TOKEN = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}'  # a text may end in two quotes of its own
    r"|'''.*?'{3,5}"
    r'|"(?:\\.|[^"\\])*"'
    r"|'[^']*'"
    r"|\#[^\n]*"
    r"|[\[\]{},=:\n]"
    r"""|[^\s\[\]{},=:#"']+""",
    re.DOTALL,
)
_ENDS = (",", "]", "}", "\n", "")


class _Token(NamedTuple):
    text: str
    line: int


class Written:
    r"""The text of a file, asked where things stand.

    Args:
        text: The whole file.
        suffix: ``.toml`` or ``.json``.

    Example:
        >>> Written('id = "relu"\n[see]\nrelated = ["a",\n"b"]', ".toml").line(
        ...     "see.related[1]"
        ... )
        4
    """

    def __init__(self, text: str, suffix: str) -> None:
        self._text = text
        self._suffix = suffix

    def line(self, path: str, word: str = "") -> int:
        """Line of a value, counted from 1.

        Args:
            path: Such as ``"references[0].year"``. Where nothing stands there, the line
                of what it would be part of.
            word: A piece of the value, whose line is asked instead.
        """
        while path and path not in self._lines:
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        line = self._lines.get(path, 1)
        if word:
            rows = self._text.split("\n")
            below = range(line, len(rows) + 1)
            line = next((number for number in below if word in rows[number - 1]), line)
        return line

    @cached_property
    def _lines(self) -> dict[str, int]:
        reading = _Reading(self._text)
        with suppress(RecursionError):  # nested too deeply: what was read before stays
            reading.value("") if self._suffix == ".json" else reading.tables()
        return reading.lines


class _Reading:
    """One pass over the tokens, which notes the line of each path."""

    def __init__(self, text: str) -> None:
        self.lines: dict[str, int] = {}
        self._tokens: list[_Token] = []
        line = 1
        place = 0
        for match in _TOKEN.finditer(text):
            line += text.count("\n", place, match.start())
            place = match.start()
            if not match.group().startswith("#"):
                self._tokens.append(_Token(match.group(), line))
        self._tokens.reverse()  # so that the next one is popped off the end

    def tables(self) -> None:
        """A TOML file: keys with their values, and headers of tables."""
        table = ""
        sizes: dict[str, int] = {}  # of the lists of tables
        while self._tokens:
            token = self._tokens.pop()
            if token.text == "[":
                table = self._header(sizes)
                self.lines.setdefault(table, token.line)
            elif token.text != "\n":
                self._tokens.append(token)
                self._pair(table)

    def value(self, path: str) -> None:
        """A value of either format, and all that it holds."""
        self._skip_breaks()
        token = self._pop()
        self.lines.setdefault(path, token.line)
        if token.text == "{":
            while self._has_more("}"):
                self._pair(path)
        elif token.text == "[":
            number = 0
            while self._has_more("]"):
                self.value(f"{path}[{number}]")
                number += 1
        else:
            while self._peek() not in _ENDS:  # a date and time has colons
                self._pop()

    def _pair(self, table: str) -> None:
        line = self._tokens[-1].line if self._tokens else 0
        path = table
        for part in self._key(("=", ":", "\n", "")):
            path = f"{path}.{part}" if path else part
            self.lines.setdefault(path, line)
        self.value(path)

    def _header(self, sizes: dict[str, int]) -> str:
        is_list = self._peek() == "["
        if is_list:
            self._pop()
        parts = self._key(("]", "\n", ""))
        if is_list:
            self._pop()
        path = ""
        for number, part in enumerate(parts, start=1):
            path = f"{path}.{part}" if path else part
            if is_list and number == len(parts):
                sizes[path] = sizes.get(path, -1) + 1
            if path in sizes:
                path = f"{path}[{sizes[path]}]"
        return path

    def _key(self, ends: tuple[str, ...]) -> list[str]:
        """The parts of a dotted key, up to one of the tokens that end it."""
        parts: list[str] = []
        while (text := self._pop().text) not in ends:
            if text[0] in "\"'":
                parts.append(text[1:-1])
            else:
                parts += [part for part in text.split(".") if part]
        return parts

    def _has_more(self, closing: str) -> bool:
        while self._peek() in (",", "\n"):
            self._pop()
        if self._peek() in (closing, ""):
            self._pop()
            return False
        return True

    def _skip_breaks(self) -> None:
        while self._peek() == "\n":
            self._pop()

    def _peek(self) -> str:
        return self._tokens[-1].text if self._tokens else ""

    def _pop(self) -> _Token:
        return self._tokens.pop() if self._tokens else _Token("", 0)
