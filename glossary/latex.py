r"""Reading the LaTeX of formulas, as far as `glossary` can draw it.

The subset: letters, digits, signs, Greek letters, ``^ _ {}``, ``\frac``,
``\sqrt``, accents, ``\mathrm \text \operatorname \mathbf``, named functions,
``\left \right``, and the environments ``cases`` and ``aligned``.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from unicodedata import lookup

MINUS = "\N{MINUS SIGN}"
_GREEK_NAMES = (
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "kappa",
    "lambda", "mu", "nu", "xi", "pi", "rho", "sigma", "tau", "phi", "psi", "omega",
)  # fmt: skip
_GREEK = {
    cased: lookup(f"GREEK {size} LETTER {name.upper().replace('MBD', 'MD')}")
    for name in _GREEK_NAMES
    for size, cased in (("SMALL", name), ("CAPITAL", name.capitalize()))
}
_SIGNS = {
    "cdot": "·", "times": "\N{MULTIPLICATION SIGN}", "odot": "⊙", "le": "≤",
    "ge": "≥", "ne": "≠", "approx": "≈", "to": "→", "leftarrow": "←",
    "in": "\N{ELEMENT OF}", "nabla": "∇", "partial": "∂", "sum": "∑",
    "top": "\N{DOWN TACK}", "infty": "∞", "lVert": "‖", "rVert": "‖",
    "lfloor": "⌊", "rfloor": "⌋", "ldots": "…", "bmod": "mod", "pm": "±",
    "mid": "|", "{": "{", "}": "}",
}  # fmt: skip
_SPACES = {",": "\u2009", ";": " ", "quad": "  ", " ": " ", "!": ""}
_FUNCTIONS = ("cos", "sin", "exp", "log", "max", "min", "tanh", "lim", "Pr")
_ACCENTS = {"hat": "\u0302", "bar": "\u0304", "tilde": "\u0303", "dot": "\u0307"}
_WORDS = ("mathrm", "text", "operatorname", "mathbf", "mathbb")
# A word keeps its blanks: it is one token with its braces.
_WORD = re.compile(rf"(\\(?:{'|'.join(_WORDS)}))\{{([^{{}}\\]*)\}}")
_TOKEN = re.compile(r"\\[A-Za-z]+|\\.|\d+(?:\.\d+)?|[^\s]", re.DOTALL)
_OPERATORS = "+-=<>()[],:;|/*!.'"


class Node(NamedTuple):
    """A piece of a formula: what it is, its text, and what it is made of."""

    kind: str
    text: str = ""
    parts: tuple[Node, ...] = ()


_CHARACTERS = {
    **{name: Node("name", letter) for name, letter in _GREEK.items()},
    **{name: Node("sign", sign) for name, sign in _SIGNS.items()},
    **{name: Node("space", space) for name, space in _SPACES.items()},
    **{name: Node("word", name) for name in _FUNCTIONS},
}


class UnknownLatex(ValueError):
    """Something outside the subset: the piece itself, or in words what is wrong."""


def commands() -> list[str]:
    r"""The commands of the subset, such as ``\frac``, in alphabetical order."""
    names = {*_CHARACTERS, *_WORDS, *_ACCENTS, "left", "right", "sqrt", "frac"}
    return sorted((f"\\{name}" for name in names), key=str.casefold)


def parse(latex: str) -> Node:
    """The formula as a tree.

    Raises:
        UnknownLatex: If it is outside the subset.
    """
    tokens = _tokens(latex)
    try:
        row = _row(tokens, until=())
    except RecursionError:
        raise UnknownLatex("It is nested too deeply.") from None
    if tokens:
        raise UnknownLatex(tokens[-1])
    return row


def _tokens(latex: str) -> list[str]:
    """Tokens in reverse, so that the next one is popped off the end."""
    found: list[str] = []
    place = 0
    for match in _WORD.finditer(latex):
        found += _TOKEN.findall(latex[place : match.start()])
        found += [match.group(1), match.group(2)]
        place = match.end()
    found += _TOKEN.findall(latex[place:])
    return found[::-1]


def _row(tokens: list[str], until: tuple[str, ...]) -> Node:
    parts: list[Node] = []
    while tokens and tokens[-1] not in until:
        token = tokens.pop()
        if token in ("^", "_"):
            base = parts.pop() if parts else Node("row")
            parts.append(_script(token, base, _atom(tokens)))
        else:
            tokens.append(token)
            parts.append(_atom(tokens))
    return parts[0] if len(parts) == 1 else Node("row", "", tuple(parts))


def _script(token: str, base: Node, script: Node) -> Node:
    kind = "sup" if token == "^" else "sub"
    if base.kind in ("sub", "sup") and base.kind != kind:
        inner, other = base.parts
        low, high = (other, script) if base.kind == "sub" else (script, other)
        return Node("subsup", "", (inner, low, high))
    return Node(kind, "", (base, script))


def _atom(tokens: list[str]) -> Node:
    if not tokens:
        raise UnknownLatex("It ends where something should follow.")
    token = tokens.pop()
    if token == "{":
        row = _row(tokens, until=("}",))
        _expect(tokens, "}")
        return row
    if token.startswith("\\"):
        return _command(token[1:], tokens)
    if token[0].isdigit():
        return Node("number", token)
    if token.isalpha():
        return Node("name", token)
    if token in _OPERATORS:
        return Node("sign", MINUS if token == "-" else token)
    raise UnknownLatex(token)


def _command(name: str, tokens: list[str]) -> Node:
    if name in _CHARACTERS:
        return _CHARACTERS[name]
    if name in _WORDS and tokens:
        return Node("word", tokens.pop())
    if name in ("left", "right") and tokens:
        bracket = tokens.pop()
        return Node("sign", "" if bracket == "." else bracket.removeprefix("\\"))
    if name in _ACCENTS:
        return Node("accent", _ACCENTS[name], (_atom(tokens),))
    if name == "sqrt":
        return Node("sqrt", "", (_atom(tokens),))
    if name == "frac":
        return Node("frac", "", (_atom(tokens), _atom(tokens)))
    if name == "begin":
        return _environment(tokens)
    raise UnknownLatex(f"\\{name}")


def _environment(tokens: list[str]) -> Node:
    name = _braced(tokens)
    if name not in ("cases", "aligned"):
        raise UnknownLatex(name)
    rows: list[Node] = []
    cells: list[Node] = []
    while tokens:
        cells.append(_row(tokens, until=("&", "\\\\", "\\end")))
        end = tokens.pop() if tokens else ""
        if end != "&":
            rows.append(Node("row", "", tuple(cells)))
            cells = []
        if end == "\\end":
            if _braced(tokens) != name:
                break
            return Node(name, "", tuple(rows))
    raise UnknownLatex(f"The environment {name!r} does not end.")


def _braced(tokens: list[str]) -> str:
    _expect(tokens, "{")
    letters = ""
    while tokens and tokens[-1] != "}":
        letters += tokens.pop()
    _expect(tokens, "}")
    return letters


def _expect(tokens: list[str], token: str) -> None:
    if not tokens or tokens.pop() != token:
        raise UnknownLatex(f"A {token!r} is missing.")
