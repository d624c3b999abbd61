"""Computing formulas that come from files, without executing what files say.

Grammar: lines ``name = expression``, then one last line with the value. An
expression holds numbers, symbols, ``pi``, ``+ - * / // % **``, comparisons,
``a if test else b``, and calls of the functions below. Everything is computed in
floating point. Lists are worked on element by element; `sum`, `mean`, `variance`,
`softmax` and `dot` take whole ones. Python parses the text; nothing is compiled or
run, so no name outside this table can be reached.
"""

from __future__ import annotations

import ast
import math
import operator
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from glossary.errors import FormulaError
from glossary.shown import cut, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Value = Any  # a number, a list of numbers or of lists, or an array with ``tolist``
Result = Any  # a float or a bool, or a list of them
_LONGEST = 2_000  # characters; beyond, the parser itself would be at risk


def _dot(a: Value, b: Value) -> Value:
    """Product of vectors; of a matrix and a vector, from either side."""
    if isinstance(a, list) and a and isinstance(a[0], list):
        return [_dot(row, b) for row in a]
    if isinstance(b, list) and b and isinstance(b[0], list):
        return [_dot(a, list(column)) for column in zip(*b, strict=True)]
    return math.fsum(_spread(operator.mul, a, b)) if isinstance(a, list) else a * b


def _mean(values: list[float]) -> float:
    return math.fsum(values) / len(values)


def _variance(values: list[float]) -> float:
    middle = _mean(values)
    return math.fsum((value - middle) ** 2 for value in values) / len(values)


def _softmax(values: list[float]) -> list[float]:
    largest = max(values)
    powers = [math.exp(value - largest) for value in values]
    return [power / math.fsum(powers) for power in powers]


_EACH: dict[str, tuple[int, Callable[..., Value]]] = {
    "abs": (1, abs),
    "cos": (1, math.cos),
    "exp": (1, math.exp),
    "floor": (1, math.floor),
    "log": (1, math.log),
    "max": (2, max),
    "min": (2, min),
    "sin": (1, math.sin),
    "sqrt": (1, math.sqrt),
    "tanh": (1, math.tanh),
}
_WHOLE: dict[str, tuple[int, Callable[..., Value]]] = {
    "dot": (2, _dot),
    "mean": (1, _mean),
    "softmax": (1, _softmax),
    "sum": (1, math.fsum),
    "variance": (1, _variance),
}
FUNCTIONS = {**_EACH, **_WHOLE}
_OPERATORS: dict[type[ast.AST], Callable[..., Value]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: math.pow,  # stays in floating point: 9**9**9 overflows at once
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
}
_CONSTANTS = {"pi": math.pi}
Lines = list[tuple[str | None, ast.expr]]


def call(expression: str, symbols: Sequence[str], values: dict[str, Value]) -> Result:
    """Value of an expression for these values of its symbols."""
    if set(values) != set(symbols):
        raise FormulaError(
            f"The formula takes {', '.join(symbols)}. "
            f"Received: {cut(', '.join(sorted(values))) or 'nothing'}."
        )
    result: Value = 0.0
    try:
        given = {name: _numbers(value, name) for name, value in values.items()}
        scope = {**_CONSTANTS, **given}
        for name, line in _parse(expression):
            result = _value(line, scope)
            if name is not None:
                scope[name] = result
    except FormulaError:
        raise
    except (ArithmeticError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise FormulaError(
            f"The formula {shown(expression)} has no value here "
            f"({cut(str(error))}). Received: {shown(values)}."
        ) from error
    return result


def names(expression: str) -> set[str]:
    """Names that an expression takes from outside.

    Raises:
        FormulaError: If the expression is outside the grammar.
    """
    known = set(_CONSTANTS)
    wanted: set[str] = set()
    for name, line in _parse(expression):
        functions = {id(n.func) for n in ast.walk(line) if isinstance(n, ast.Call)}
        wanted |= {
            node.id
            for node in ast.walk(line)
            if isinstance(node, ast.Name) and id(node) not in functions
        } - known
        known |= {name} if name else set()
    return wanted


@lru_cache(maxsize=256)
def _parse(expression: str) -> Lines:
    if len(expression) > _LONGEST:
        raise FormulaError(
            f"An expression has at most {_LONGEST} characters. "
            f"Received: {len(expression)}."
        )
    try:
        body = ast.parse(expression.strip()).body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise FormulaError(f"No arithmetic expression: {shown(expression)}.") from None
    lines = [_line(node, expression) for node in body]
    if not lines or lines[-1][0] or not all(name for name, _ in lines[:-1]):
        raise FormulaError(
            "An expression is lines `name = ...` and one last line with the value. "
            f"Received: {shown(expression)}."
        )
    return lines


def _line(node: ast.stmt, expression: str) -> tuple[str | None, ast.expr]:
    name: str | None = None
    if isinstance(node, ast.Assign) and len(node.targets) == 1:
        target = node.targets[0]
        name = target.id if isinstance(target, ast.Name) else None
    if name is None and not isinstance(node, ast.Expr):
        raise FormulaError(f"No arithmetic expression: {shown(expression)}.")
    value: ast.expr = node.value  # type: ignore[attr-defined]
    for part in ast.walk(value):
        if not _is_allowed(part):
            raise FormulaError(
                f"{shown(ast.unparse(part))} is outside the grammar of formulas. "
                f"Received: {shown(expression)}."
            )
    return name, value


def _is_allowed(node: ast.AST) -> bool:
    if isinstance(node, ast.Call):
        known = isinstance(node.func, ast.Name) and node.func.id in FUNCTIONS
        return known and not node.keywords and len(node.args) == _arity(node)
    if isinstance(node, ast.Constant):
        return isinstance(node.value, (int, float)) and not isinstance(node.value, bool)
    if isinstance(node, ast.Compare):
        return len(node.ops) == 1
    nodes = (ast.BinOp, ast.UnaryOp, ast.IfExp, ast.Name, ast.Load)
    return isinstance(node, (*nodes, *_OPERATORS))


def _arity(node: ast.Call) -> int:
    return FUNCTIONS[node.func.id][0] if isinstance(node.func, ast.Name) else -1


def _value(node: ast.expr, scope: dict[str, Value]) -> Value:
    match node:
        case ast.Constant(value=int() | float() as number):
            return float(number)
        case ast.Name(id=name):
            return scope[name]
        case ast.BinOp(left=left, op=op, right=right):
            return _spread(
                _OPERATORS[type(op)], _value(left, scope), _value(right, scope)
            )
        case ast.UnaryOp(op=op, operand=operand):
            return _spread(_OPERATORS[type(op)], _value(operand, scope))
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            return _spread(
                _OPERATORS[type(op)], _value(left, scope), _value(right, scope)
            )
        case ast.IfExp():
            return _choice(node, scope)
        case ast.Call(func=ast.Name(id=name), args=args):
            values = [_value(arg, scope) for arg in args]
            if name in _WHOLE:
                return _WHOLE[name][1](*values)
            return _spread(_EACH[name][1], *values)
    raise FormulaError(
        f"{shown(ast.unparse(node))} is outside the grammar of formulas."
    )


def _choice(node: ast.IfExp, scope: dict[str, Value]) -> Value:
    test = _value(node.test, scope)
    if not isinstance(test, list):  # the other branch may have no value: 0/0
        return _value(node.body if test else node.orelse, scope)
    # Element by element, so that each element computes only the branch it takes.
    vectors = {name: v for name, v in scope.items() if isinstance(v, list)}
    rows = []
    for place in range(len(test)):
        row = {name: v[place] for name, v in vectors.items() if len(v) == len(test)}
        rows.append(_value(node, {**scope, **row}))
    return rows


def _spread(function: Callable[..., Value], *values: Value) -> Value:
    """Apply a function of numbers to lists, element by element."""
    lengths = {len(value) for value in values if isinstance(value, list)}
    if not lengths:
        result = function(*values)
        return result if isinstance(result, bool) else float(result)
    if len(lengths) > 1:
        raise ValueError(f"lists of different lengths: {sorted(lengths)}")
    return [
        _spread(function, *(v[n] if isinstance(v, list) else v for v in values))
        for n in range(lengths.pop())
    ]


def _numbers(value: Value, name: str) -> Value:
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return [_numbers(item, name) for item in value]
    if isinstance(value, str) or not hasattr(value, "__float__"):
        raise FormulaError(
            f"`{cut(name)}` must be a number, a list of numbers or an array. "
            f"Received: {cut(name)}={shown(value)}."
        )
    try:
        return float(value)
    except OverflowError:
        raise FormulaError(f"`{cut(name)}` is beyond the numbers of Python.") from None
