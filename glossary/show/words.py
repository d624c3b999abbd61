"""Words of ASCII for signs that a terminal cannot show: θ becomes theta."""

from __future__ import annotations

import codecs
import unicodedata

#: Signs whose Unicode name is not what one would write instead.
_WRITTEN = {
    "\N{MINUS SIGN}": "-",
    "\N{EN DASH}": "-",
    "\N{EM DASH}": "-",
    "\N{HYPHEN}": "-",
    "\N{MULTIPLICATION SIGN}": "x",
    "\N{MIDDLE DOT}": "*",
    "\N{CIRCLED DOT OPERATOR}": "*",
    "\N{SQUARE ROOT}": "sqrt",
    "\N{N-ARY SUMMATION}": "sum",
    "\N{N-ARY PRODUCT}": "product",
    "\N{INTEGRAL}": "integral",
    "\N{PARTIAL DIFFERENTIAL}": "d",
    "\N{NABLA}": "gradient ",
    "\N{LESS-THAN OR EQUAL TO}": "<=",
    "\N{GREATER-THAN OR EQUAL TO}": ">=",
    "\N{NOT EQUAL TO}": "!=",
    "\N{ALMOST EQUAL TO}": "~=",
    "\N{PLUS-MINUS SIGN}": "+/-",
    "\N{RIGHTWARDS ARROW}": "->",
    "\N{LEFTWARDS ARROW}": "<-",
    "\N{ELEMENT OF}": "in",
    "\N{INFINITY}": "infinity",
    "\N{DOUBLE VERTICAL LINE}": "||",
    "\N{DOWN TACK}": "T",
    "\N{LEFT FLOOR}": "floor(",
    "\N{RIGHT FLOOR}": ")",
    "\N{HORIZONTAL ELLIPSIS}": "...",
    "\N{LEFT SINGLE QUOTATION MARK}": "'",
    "\N{RIGHT SINGLE QUOTATION MARK}": "'",
    "\N{LEFT DOUBLE QUOTATION MARK}": '"',
    "\N{RIGHT DOUBLE QUOTATION MARK}": '"',
    "\N{COMBINING CIRCUMFLEX ACCENT}": "_hat",
    "\N{COMBINING MACRON}": "_bar",
    "\N{COMBINING TILDE}": "_tilde",
    "\N{COMBINING DOT ABOVE}": "_dot",
}
ERRORS = "glossary.words"


def in_ascii(sign: str) -> str:
    """What is written for one sign where only ASCII is at hand.

    Example:
        >>> in_ascii("θ"), in_ascii("Σ"), in_ascii("≤"), in_ascii("é"), in_ascii("語")
        ('theta', 'Sigma', '<=', 'e', '?')
    """
    if sign.isascii():
        return sign
    if sign in _WRITTEN:
        return _WRITTEN[sign]
    name = unicodedata.name(sign, "")
    size, _, letter = name.removeprefix("GREEK ").partition(" LETTER ")
    if name.startswith("GREEK ") and letter:
        letter = letter.replace("LAMDA", "LAMBDA").lower()
        return letter.capitalize() if size == "CAPITAL" else letter
    plain = unicodedata.normalize("NFKD", sign)
    plain = "".join(c for c in plain if c.isascii())
    return plain or "?"


def fitting(text: str, encoding: str | None) -> str:
    """A text in which every sign that an encoding lacks is written in ASCII.

    Args:
        text: The text.
        encoding: Such as ``"cp1252"``; None changes nothing.

    Example:
        >>> fitting("√(v_t) + ε", "cp1252"), fitting("√(v_t) + ε", "utf-8")
        ('sqrt(v_t) + epsilon', '√(v_t) + ε')
    """
    if encoding is None:
        return text
    return text.encode(encoding, ERRORS).decode(encoding)


def _replace(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    unknown = error.object[error.start : error.end]
    return "".join(map(in_ascii, unknown)), error.end


codecs.register_error(ERRORS, _replace)
