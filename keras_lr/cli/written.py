"""Schedules that are written as in Python: parsed, and never executed."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Sequence
from typing import Any

from keras_lr.cli.names import call, called
from keras_lr.outlook import Outlook
from keras_lr.plan.words import cut, shown
from keras_lr.schedule import Schedule

#: Characters that a text may have, and calls and brackets inside of each other.
LONGEST = 10_000
DEEPEST = 30
#: What may stand before a name, as it is written in Python.
ROOMS = ("keras_lr", "phases", "keras_lr.phases", "interop", "keras_lr.interop")

#: What is refused, in words.
KINDS: dict[type[ast.AST], str] = {
    ast.Attribute: "an attribute",
    ast.BinOp: "arithmetic",
    ast.BoolOp: "logic",
    ast.Compare: "a comparison",
    ast.DictComp: "a comprehension",
    ast.GeneratorExp: "a comprehension",
    ast.IfExp: "a condition",
    ast.JoinedStr: "a formatted string",
    ast.Lambda: "a lambda",
    ast.ListComp: "a comprehension",
    ast.Name: "a name that is not called",
    ast.NamedExpr: "an assignment",
    ast.Set: "a set",
    ast.SetComp: "a comprehension",
    ast.Starred: "an unpacking",
    ast.Subscript: "an index",
    ast.UnaryOp: "an operator",
}


def schedules_in(text: str) -> list[Outlook]:
    """The schedules that a text describes: one, or several with commas between them.

    Args:
        text: An expression of Python, in which may stand: calls of schedules, phases,
            ``combine``, ``from_torch`` and its kin, ``.extend(...)``, numbers, texts,
            True, False, None, lists, tuples and dictionaries.

    Raises:
        TypeError: If something takes no such arguments.
        ValueError: If something else is written, with the place; or if an argument is
            out of range.

    Example:
        >>> schedules_in("Warmup(2), LinearDecay(max_lr=0.5)")
        [Warmup(warmup=2), LinearDecay(max_lr=0.5)]
    """
    found = _Reader(text).read()
    several = list(found) if isinstance(found, list | tuple) else [found]
    for one in several:
        check_schedule(one)
    if not several:
        raise ValueError("A schedule must be written. Received: none.")
    return several


def check_schedule(value: Any) -> None:
    """Raise unless a value is a schedule, or a product of some."""
    if not isinstance(value, Outlook):
        raise TypeError(f"A schedule must be written. Received: {shown(value)}.")


class _Reader:
    """What a text says."""

    def __init__(self, text: str) -> None:
        self._text = text

    def read(self) -> Any:
        """The value of the whole text."""
        if len(self._text) > LONGEST:
            raise ValueError(
                f"A schedule is written in at most {LONGEST} characters. Received: "
                f"{len(self._text)}."
            )
        try:
            with warnings.catch_warnings():
                # Python's advice on programs, such as on `1 is 1`.
                warnings.simplefilter("ignore")
                tree = ast.parse(self._text.strip(), mode="eval")
        except SyntaxError as error:
            place = f" at column {error.offset}" if error.offset else ""
            raise ValueError(
                f"A schedule is written as in Python, which says {error.msg!r}. "
                f"Received: {cut(self._text)!r}{place}."
            ) from None
        except (RecursionError, MemoryError, ValueError):
            # So many brackets, or a null character.
            raise ValueError(
                "A schedule is written as in Python, which cannot read this. "
                f"Received: {cut(self._text)!r}."
            ) from None
        return self._value(tree.body, 0)

    def _value(self, node: ast.expr, depth: int) -> Any:
        if depth > DEEPEST:
            raise ValueError(
                f"A schedule is written with at most {DEEPEST} calls and brackets "
                f"inside of each other. Received: more {self._place(node)}."
            )
        if isinstance(node, ast.Call):
            return self._called(node, depth)
        if isinstance(node, ast.List):
            return [self._value(each, depth + 1) for each in node.elts]
        if isinstance(node, ast.Tuple):
            return tuple(self._value(each, depth + 1) for each in node.elts)
        if isinstance(node, ast.Dict):
            return self._mapping(node, depth)
        number = _number(node)
        if number is not None:
            return number
        if isinstance(node, ast.Constant) and isinstance(node.value, str | None):
            return node.value
        raise self._refused(node)

    def _mapping(self, node: ast.Dict, depth: int) -> dict[Any, Any]:
        mapping = {}
        for key, value in zip(node.keys, node.values, strict=True):
            if not isinstance(key, ast.Constant):
                raise self._refused(key or value)
            mapping[key.value] = self._value(value, depth + 1)
        return mapping

    def _called(self, node: ast.Call, depth: int) -> Any:
        arguments = [self._value(each, depth + 1) for each in node.args]
        keywords: dict[str, Any] = {}
        for keyword in node.keywords:
            if keyword.arg is None:
                raise self._refused(keyword.value, "an unpacking")
            keywords[keyword.arg] = self._value(keyword.value, depth + 1)
        function = node.func
        if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Call):
            return self._extended(function, arguments, keywords, depth)
        name = self._name_of(function)
        return call(name, arguments, keywords, self._place(function))

    def _extended(
        self,
        function: ast.Attribute,
        arguments: Sequence[Any],
        keywords: dict[str, Any],
        depth: int,
    ) -> Any:
        if function.attr != "extend":
            raise self._refused(function)
        schedule = self._value(function.value, depth + 1)
        if not isinstance(schedule, Schedule):
            raise self._refused(function, "`extend` of what is no schedule")
        return called(schedule.extend, "extend", arguments, keywords)

    def _name_of(self, function: ast.expr) -> str:
        """The name that is called, without the package before it."""
        if isinstance(function, ast.Name):
            return function.id
        if isinstance(function, ast.Attribute):
            before = ast.get_source_segment(self._text.strip(), function.value) or ""
            if before in ROOMS:
                return function.attr
        raise self._refused(function)

    def _refused(self, node: ast.expr, kind: str | None = None) -> ValueError:
        """What to raise for what is not allowed."""
        kind = kind or KINDS.get(type(node), "something else")
        source = ast.get_source_segment(self._text.strip(), node) or ""
        return ValueError(
            "A schedule is written with calls of schedules, numbers, texts, lists, "
            "tuples and dictionaries. "
            f"Received: {kind}, {cut(source)!r} {self._place(node)}."
        )

    def _place(self, node: ast.expr) -> str:
        line = f"line {node.lineno}, " if node.lineno > 1 else ""
        return f"at {line}column {node.col_offset + 1}"


def _number(node: ast.expr) -> float | None:
    """A number, with a sign or without; None if it is none."""
    sign = 1
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        sign = -1 if isinstance(node.op, ast.USub) else 1
        node = node.operand
        if isinstance(node, ast.Constant) and isinstance(node.value, bool):
            return None
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        # True is an int, and stays True.
        return node.value if sign == 1 else -node.value
    return None
