"""What can go wrong, told apart by what a caller can do about it.

GlossaryError
├── UnknownTerm (a KeyError)       ask with one of ``suggestions``
│   └── AmbiguousTerm              choose one of ``candidates``
├── NoPath (a LookupError)         the two terms are not connected
├── FormulaError (a ValueError)    correct the expression or the values
└── InvalidTerms (a ValueError)    correct the files named in ``problems``
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from glossary.model import Term
    from glossary.validate import Problem


_MOST_TOLD = 8


class GlossaryError(Exception):
    """Anything the glossary refuses to do."""

    __module__ = "glossary"


class UnknownTerm(GlossaryError, KeyError):
    """No single term answers to this name.

    Args:
        name: What was asked for.
        suggestions: Names of the terms that come closest, best first.
    """

    __module__ = "glossary"

    def __init__(self, name: str, suggestions: Sequence[str] = ()) -> None:
        super().__init__(name)
        self.name = name
        self.suggestions = tuple(suggestions)

    def __str__(self) -> str:
        if not self.suggestions:
            return f"No term named {self.name!r}. `glossary list` shows them all."
        names = " or ".join(repr(name) for name in self.suggestions)
        return f"No term named {self.name!r}. Did you mean {names}?"


class AmbiguousTerm(UnknownTerm):
    """Several terms answer to this name, and choosing would be a guess.

    Args:
        name: What was asked for.
        candidates: The terms it may mean, best first.
    """

    __module__ = "glossary"

    def __init__(self, name: str, candidates: Sequence[Term]) -> None:
        super().__init__(name, [term.name for term in candidates])
        self.candidates = tuple(candidates)

    def __str__(self) -> str:
        names = ", ".join(repr(name) for name in self.suggestions[:_MOST_TOLD])
        more = len(self.suggestions) - _MOST_TOLD
        names += f" and {more} more" if more > 0 else ""
        return f"{self.name!r} may mean any of {names}. Ask for one of them."


class NoPath(GlossaryError, LookupError):
    """No chain of relations joins the two terms."""

    __module__ = "glossary"


class FormulaError(GlossaryError, ValueError):
    """An expression is outside the grammar, or its values do not fit it."""

    __module__ = "glossary"


class DemoError(GlossaryError, RuntimeError):
    """A claim cannot be measured."""


class InvalidTerms(GlossaryError, ValueError):
    """Files of terms break the rules; ``problems`` lists how.

    Args:
        problems: Everything that was found, errors and warnings.
    """

    __module__ = "glossary"

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class PluginWarning(UserWarning):
    """An installed package adds terms that cannot be used as they are."""

    __module__ = "glossary"
