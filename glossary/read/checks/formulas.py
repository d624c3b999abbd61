"""Group 4: formulas."""

from __future__ import annotations

from typing import TYPE_CHECKING

from glossary import formula as _formula
from glossary.errors import FormulaError
from glossary.show import math as _math

if TYPE_CHECKING:
    from collections.abc import Iterator

    from glossary.model import Term
    from glossary.read.checks import Finding
    from glossary.read.validate import Catalog


def outside_grammar(term: Term, catalog: Catalog) -> Iterator[Finding]:
    """Expression is outside the grammar of formulas."""
    if term.formula and _names(term) is None:
        yield "formula.expression", term.formula.expression


def name_without_symbol(term: Term, catalog: Catalog) -> Iterator[Finding]:
    """Expression uses a name that is not among the symbols."""
    if term.formula:
        symbols = {symbol.name for symbol in term.formula.symbols}
        for name in sorted((_names(term) or set()) - symbols):
            yield "formula.expression", name


def latex_outside_subset(term: Term, catalog: Catalog) -> Iterator[Finding]:
    """LaTeX is outside the subset that can be drawn."""
    if term.formula:
        places = [("formula.latex", term.formula.latex)] + [
            (f"formula.symbols[{number}].latex", symbol.latex)
            for number, symbol in enumerate(term.formula.symbols)
        ]
        for path, latex in places:
            if not _math.is_drawable(latex):
                yield path, latex


def unused_symbol(term: Term, catalog: Catalog) -> Iterator[Finding]:
    """Symbol is not used by the expression."""
    used = _names(term) if term.formula else None
    if term.formula and used is not None:
        for number, symbol in enumerate(term.formula.symbols):
            if symbol.name not in used:
                yield f"formula.symbols[{number}].name", symbol.name


def _names(term: Term) -> set[str] | None:
    try:
        return _formula.names(term.formula.expression) if term.formula else set()
    except FormulaError:
        return None
