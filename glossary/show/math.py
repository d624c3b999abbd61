"""Drawing formulas, as MathML and as plain text."""

from __future__ import annotations

import re
from html import escape

from glossary.latex import MINUS, Node, UnknownLatex, parse

_JOINING = ("=", "+", MINUS, "<", ">", *"≤≥≠≈←→·⊙/", "mod")
_PREFIXED = tuple("∇∂∑⌊")


def is_drawable(latex: str) -> bool:
    """Whether the text lies within the subset."""
    try:
        parse(latex)
    except UnknownLatex:
        return False
    return True


def mathml(latex: str, display: str = "block") -> str:
    """A ``math`` element; outside the subset, the LaTeX itself as code."""
    try:
        body = _mathml(parse(latex))
    except UnknownLatex:
        return f"<code>{escape(latex)}</code>"
    return f'<math display="{display}">{body}</math>'


def text(latex: str) -> str:
    """The formula in one or more lines of plain text."""
    try:
        lines = _text(parse(latex)).splitlines()
        return "\n".join(line.rstrip() for line in lines)
    except UnknownLatex:
        return latex


_TAGS = {"name": "mi", "number": "mn", "sign": "mo", "word": "mi", "space": "mtext"}
_LAYOUT = {"sub": "msub", "sup": "msup", "subsup": "msubsup", "frac": "mfrac",
           "sqrt": "msqrt"}  # fmt: skip
_ABOVE = {"\u0302": "^", "\u0304": "¯", "\u0303": "~", "\u0307": "˙"}


def _mathml(node: Node) -> str:
    parts = "".join(_mathml(part) for part in node.parts)
    if node.kind in _TAGS:
        looks = ' mathvariant="normal"' if node.kind == "word" else ""
        if node.text in ("|", "‖"):  # else its two sides differ in height
            looks = ' stretchy="false"'
        shown = escape(node.text.replace(" ", "\N{NO-BREAK SPACE}"))
        return f"<{_TAGS[node.kind]}{looks}>{shown}</{_TAGS[node.kind]}>"
    if node.kind == "row":
        return _row(node.parts)
    if node.kind in _LAYOUT:
        return f"<{_LAYOUT[node.kind]}>{parts}</{_LAYOUT[node.kind]}>"
    if node.kind == "accent":
        return f'<mover accent="true">{parts}<mo>{_ABOVE[node.text]}</mo></mover>'
    rows = "".join(
        f"<mtr>{''.join(f'<mtd>{_mathml(cell)}</mtd>' for cell in row.parts)}</mtr>"
        for row in node.parts
    )
    brace = "<mo>{</mo>" if node.kind == "cases" else ""
    # A table sets fractions at the size of scripts, unless told otherwise.
    table = f'<mtable class="{node.kind}" columnalign="left" displaystyle="true">'
    return f"<mrow>{brace}{table}{rows}</mtable></mrow>"


def _row(parts: tuple[Node, ...]) -> str:
    """Parts side by side; what is in brackets is one part, index and power apart."""
    opened = [""]  # brackets that are not closed yet, below them the row itself
    rows = [""]  # what stands in each
    for part in parts:
        sign = _sign(part)
        if part.kind == "sign" and sign in ("(", "["):
            opened.append(sign)
            rows.append("")
        elif sign in (")", "]") and len(rows) > 1:
            inner = rows.pop()
            # As tall as a fraction in it, else no taller than a letter.
            fence = "<mo>" if "<mfrac" in inner else '<mo stretchy="false">'
            group = f"<mrow>{fence}{opened.pop()}</mo>{inner}{fence}{sign}</mo></mrow>"
            scripts = "".join(map(_mathml, part.parts[1:]))
            tag = _LAYOUT.get(part.kind)
            rows[-1] += f"<{tag}>{group}{scripts}</{tag}>" if tag else group
        else:
            rows[-1] += _mathml(part)
    written = rows[0]
    for sign, row in zip(opened[1:], rows[1:], strict=True):  # such as in [0, 1)
        written += f"<mo>{sign}</mo>{row}"
    return f"<mrow>{written}</mrow>"


def _text(node: Node) -> str:
    match node.kind:
        case "row":
            return _spaced(node.parts)
        case "sub" | "sup":
            mark = "_" if node.kind == "sub" else "^"
            return _text(node.parts[0]) + mark + _grouped(node.parts[1])
        case "subsup":
            base, low, high = node.parts
            return f"{_text(base)}_{_grouped(low)}^{_grouped(high)}"
        case "frac":
            return f"{_grouped(node.parts[0])} / {_grouped(node.parts[1])}"
        case "sqrt":
            return f"√{_grouped(node.parts[0])}"
        case "accent":
            return _text(node.parts[0]) + node.text
        case "cases" | "aligned":
            gap, edge = ("", "") if node.kind == "aligned" else (" ", "\n  ")
            rows = [gap.join(_text(cell) for cell in row.parts) for row in node.parts]
            return edge + (edge or "\n").join(rows)
    return node.text


def _spaced(parts: tuple[Node, ...]) -> str:
    """Parts side by side, with blanks around joining signs and between factors."""
    found = ""
    before = Node("sign", "(")
    for place, part in enumerate(parts):
        sign = _sign(part)
        unary = sign == MINUS and _sign(before) in (*_JOINING, *"([,")
        if sign in _JOINING and not unary:
            found += f" {_text(part)} "
        elif part.kind == "space":
            found += " "
        else:
            apart = not sign or sign in _PREFIXED
            found += " " if apart and (not _sign(before) or _is_sum(before)) else ""
            found += _factor(part, parts[place + 1 :])
            found += " " if sign == "," else ""
        before = part
    return re.sub(r"(?<=\S) {2,}", " ", found)


def _sign(node: Node) -> str:
    """The sign that a part is, be it with an index or a power; else nothing."""
    if node.kind in ("sub", "sup", "subsup"):
        return _sign(node.parts[0])
    return node.text if node.kind == "sign" else ""


def _is_sum(node: Node) -> bool:
    """Whether a part is a sum sign with its index."""
    return node.kind != "sign" and _sign(node) == "∑"


def _factor(part: Node, after: tuple[Node, ...]) -> str:
    """Text of a part; a fraction in brackets where something is multiplied to it."""
    multiplied = after and _sign(after[0]) not in (*_JOINING, *",)]|⌋")
    return f"({_text(part)})" if part.kind == "frac" and multiplied else _text(part)


def _grouped(node: Node) -> str:
    """Text of a part, in brackets where it is more than one thing."""
    inner = _text(node)
    single = node.kind not in ("row", "frac") or len(inner) == 1
    return inner if single else f"({inner})"
