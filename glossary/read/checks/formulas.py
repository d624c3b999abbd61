"""Group 4: formulas, and the examples that they compute."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from glossary import formula, latex
from glossary.errors import FormulaError
from glossary.formula import Result
from glossary.model import Term
from glossary.read.catalog import Catalog
from glossary.read.finding import Finding, texts

_PRECISION = 1e-9  # relative: an example gives its result in full
# As Markdown reads it: no blank inside the dollar signs, and no digit after them.
_FORMULA_IN_PROSE = re.compile(r"\$\$?(?=\S)[^$]*[^\s$\\]\$\$?(?!\d)")


def outside_grammar(term: Term, catalog: Catalog) -> Iterator[Finding]:
    """Expression is outside the grammar of formulas."""
    if term.formula:
        try:
            formula.names(term.formula.expression)
        except FormulaError as error:
            yield Finding("formula.expression", term.formula.expression, _rule(error))


def name_without_symbol(term: Term, catalog: Catalog) -> Iterator[Finding]:
    """Expression uses a name that is not among the symbols."""
    symbols = {symbol.name for symbol in term.formula.symbols} if term.formula else {""}
    if "" not in symbols:  # one without a name, which is told by itself, may be meant
        for name in sorted(_names(term) - symbols):
            yield Finding("formula.expression", name, word=name)


def latex_outside_subset(term: Term, catalog: Catalog) -> Iterator[Finding]:
    """LaTeX is outside the subset that can be drawn."""
    if term.formula:
        places = [("formula.latex", term.formula.latex)] + [
            (f"formula.symbols[{number}].latex", symbol.latex)
            for number, symbol in enumerate(term.formula.symbols)
        ]
        for path, written in places:
            for piece in _undrawn(written):
                if piece in written:
                    hint = f"{piece} is not drawn; `glossary new` lists what is."
                    yield Finding(path, written, hint, piece)
                else:
                    yield Finding(path, written, piece)


def example_differs(term: Term, catalog: Catalog) -> Iterator[Finding]:
    """Result of the example is not what the formula gives for its values."""
    example = term.example
    if example is None or (not example.values and example.result is None):
        return
    if term.formula is None:
        yield Finding("example.result", example.result, "The term has no formula.")
        return
    if not _names(term):
        return  # an expression that cannot be read is told by itself
    try:
        result = term.formula(**example.values)
    except FormulaError as error:
        yield Finding("example.values", dict(example.values), _rule(error))
        return
    if not _agree(result, example.result):
        yield Finding("example.result", example.result, f"It gives {result!r}.")


def formula_in_prose(term: Term, catalog: Catalog) -> Iterator[Finding]:
    """Text holds a formula between dollar signs, which is not drawn there."""
    for path, text in texts(term):
        written = _FORMULA_IN_PROSE.search(text)
        if written:
            hint = f"Write {written.group()} in words, or as the term's formula."
            yield Finding(path, text, hint, written.group())


def unused_symbol(term: Term, catalog: Catalog) -> Iterator[Finding]:
    """Symbol is not used by the expression."""
    used = _names(term)
    if term.formula and used:
        for number, symbol in enumerate(term.formula.symbols):
            if symbol.name not in used:
                yield Finding(f"formula.symbols[{number}].name", symbol.name)


def _names(term: Term) -> set[str]:
    """The names in the expression; none where it is outside the grammar."""
    try:
        return formula.names(term.formula.expression) if term.formula else set()
    except FormulaError:
        return set()


def _undrawn(written: str) -> list[str]:
    """Every command outside the subset; else, in a sentence, what is wrong."""
    try:
        latex.parse(written)
    except latex.UnknownLatex as error:
        known = {*latex.commands(), r"\begin", r"\end"}
        words = dict.fromkeys(re.findall(r"\\[A-Za-z]+", written))
        unknown = [word for word in words if word not in known]
        return unknown or [str(error)]
    return []


def _rule(error: FormulaError) -> str:
    """What an error says, without what was received, which the problem shows."""
    return str(error).partition(" Received: ")[0]


def _agree(computed: Result, stated: Result) -> bool:
    """Whether two results are the same numbers, in the same lists."""
    if isinstance(computed, list) and isinstance(stated, list | tuple):
        return len(computed) == len(stated) and all(map(_agree, computed, stated))
    if isinstance(computed, list) or not isinstance(stated, int | float):
        return False
    return math.isclose(computed, stated, rel_tol=_PRECISION, abs_tol=_PRECISION)
