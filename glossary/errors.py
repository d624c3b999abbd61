"""What can go wrong, told apart by what a caller can do about it.

GlossaryError
├── UnknownTerm (a KeyError)       ask with one of ``suggestions``
│   └── AmbiguousTerm              choose one of ``candidates``
├── NoPath (a LookupError)         the two terms are not connected
├── FormulaError (a ValueError)    correct the expression or the values
├── DemoError (a RuntimeError)     install what the demo needs, or its term
└── InvalidTerms (a ValueError)    correct the files named in ``problems``
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from glossary.problems import Problem
from glossary.shown import shown

_MOST_TOLD = 8


class Named(Protocol):
    """Anything with a name, such as a term: errors know no more of it."""

    @property
    def name(self) -> str:
        """As it is written in running text."""


class GlossaryError(Exception):
    """Anything the glossary refuses to do."""

    __module__ = "glossary"


class UnknownTerm(GlossaryError, KeyError):
    """No single term answers to this name.

    Args:
        name: What was asked for.
        suggestions: Names of terms that are spelled nearly so, best first.
        near: Names of terms that have to do with it, best first.
        see: Names of terms in which it is explained, though they are something else.
    """

    __module__ = "glossary"

    def __init__(
        self,
        name: str,
        suggestions: Sequence[str] = (),
        near: Sequence[str] = (),
        see: Sequence[str] = (),
    ) -> None:
        super().__init__(name)
        self.name = name
        self.suggestions = tuple(suggestions)
        self.near = tuple(other for other in near if other not in (*suggestions, *see))
        self.see = tuple(see)

    def __str__(self) -> str:
        said = [f"No term named {shown(self.name)}."]
        if self.see:
            said.append(f"It is explained in {_either(self.see)}.")
        if self.suggestions:
            said.append(f"Did you mean {_either(self.suggestions)}?")
        if self.near:
            names = ", ".join(repr(name) for name in self.near)
            said.append(f"Near it by meaning: {names}.")
        if len(said) == 1:
            said.append("`glossary list` shows them all.")
        return " ".join(said)


def _either(names: Sequence[str]) -> str:
    return " or ".join(repr(name) for name in names)


class AmbiguousTerm(UnknownTerm):
    """Several terms answer to this name, and choosing would be a guess.

    Args:
        name: What was asked for.
        candidates: The terms it may mean, best first.
    """

    __module__ = "glossary"

    def __init__(self, name: str, candidates: Sequence[Named]) -> None:
        super().__init__(name, [term.name for term in candidates])
        self.candidates = tuple(candidates)

    def __str__(self) -> str:
        names = ", ".join(repr(name) for name in self.suggestions[:_MOST_TOLD])
        more = len(self.suggestions) - _MOST_TOLD
        names += f" and {more} more" if more > 0 else ""
        return f"{shown(self.name)} may mean any of {names}. Ask for one of them."


class NoPath(GlossaryError, LookupError):
    """No chain of relations joins the two terms."""

    __module__ = "glossary"


class FormulaError(GlossaryError, ValueError):
    """An expression is outside the grammar, or its values do not fit it."""

    __module__ = "glossary"


class DemoError(GlossaryError, RuntimeError):
    """A claim cannot be measured."""

    __module__ = "glossary"


class InvalidTerms(GlossaryError, ValueError):
    """Files of terms break the rules; ``problems`` lists how.

    Args:
        problems: Everything that was found, errors and warnings.
    """

    __module__ = "glossary"

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        told = [str(problem) for problem in self.problems[:_MOST_TOLD]]
        more = len(self.problems) - _MOST_TOLD
        told += [f"And {more} more, in `problems`."] if more > 0 else []
        super().__init__("\n".join(told))


class PluginWarning(UserWarning):
    """An installed package adds terms that cannot be used as they are."""

    __module__ = "glossary"
