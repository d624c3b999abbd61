"""What a check of files found. On the ground floor, since errors carry it."""

from __future__ import annotations

from dataclasses import dataclass

from glossary.shown import cut, shown


@dataclass(frozen=True, slots=True)
class Problem:
    """One breach of one rule.

    Args:
        code: Such as ``"E201"``.
        message: The rule, from the docstring of its check.
        file: Name of the file, or id of the term where there is no file.
        path: Where in the file, such as ``"references[0].arxiv"``.
        value: What stands there.
        line: Line of the file, counted from 1; 0 where there is none.
        hint: What was probably meant, as a sentence; or empty.
    """

    __module__ = "glossary"

    code: str
    message: str
    file: str
    path: str
    value: object
    line: int = 0
    hint: str = ""

    @property
    def is_error(self) -> bool:
        """Whether the rule must be kept, rather than should."""
        return self.code.startswith("E")

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        # A path has keys of the file in it, which may be of any length.
        where = f"{cut(self.path)} = " if self.path else ""
        hint = f" {cut(self.hint)}" if self.hint else ""
        value = shown(self.value)
        return f"{place}: {self.code} {self.message} ({where}{value}){hint}"
