"""The vocabulary of deep learning, as data that answers questions.

>>> import glossary
>>> glossary.term("BN")
Term('batch-normalization')
>>> [match.term.name for match in glossary.search("step size", limit=1)]
['learning rate']

Core terms are read on first use, and so are the terms that installed packages add.
Nothing but the standard library is imported.
"""

from __future__ import annotations

from functools import cache

from glossary.errors import (
    AmbiguousTerm,
    DemoError,
    FormulaError,
    GlossaryError,
    InvalidTerms,
    NoPath,
    PluginWarning,
    UnknownTerm,
)
from glossary.model import (
    Claim,
    Evidence,
    Example,
    Formula,
    Link,
    Match,
    Reference,
    Relation,
    See,
    Symbol,
    Term,
)
from glossary.problems import Problem
from glossary.store import Glossary

__all__ = [
    "AmbiguousTerm",
    "Claim",
    "DemoError",
    "Evidence",
    "Example",
    "Formula",
    "FormulaError",
    "Glossary",
    "GlossaryError",
    "InvalidTerms",
    "Link",
    "Match",
    "NoPath",
    "PluginWarning",
    "Problem",
    "Reference",
    "Relation",
    "See",
    "Symbol",
    "Term",
    "UnknownTerm",
    "path",
    "search",
    "term",
    "terms",
]


@cache
def _installed() -> Glossary:
    return Glossary()


def term(name: str) -> Term:
    """The one term that this name stands for, among all that are installed.

    Args:
        name: A name, alias, acronym, id or known misspelling. Case, accents,
            hyphens, plurals and British spelling do not matter.

    Returns:
        The term.

    Raises:
        UnknownTerm: If there is none; the message suggests the closest. It is a
            ``KeyError``.
        AmbiguousTerm: If there are several; the message lists them. It is an
            ``UnknownTerm``.

    Example:
        >>> import glossary
        >>> glossary.term("Adam optimiser").name
        'Adam'
        >>> glossary.term("patience")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        ...
        glossary.UnknownTerm: No term named 'patience'. It is explained in 'early ...
    """
    return _installed().term(name)


def terms(
    *,
    category: str | None = None,
    level: str | None = None,
    relation: str | None = None,
    to: str | None = None,
) -> list[Term]:
    """The installed terms that pass every filter, in a fixed order.

    Args:
        category: Such as ``"optimization"``.
        level: ``beginner``, ``intermediate`` or ``advanced``.
        relation: A kind of relation that the terms have ``to`` another term.
        to: Name of that other term.

    Returns:
        The terms; possibly none.

    Raises:
        ValueError: If a filter names nothing that there is.
        UnknownTerm: If there is no term called ``to``.

    Example:
        >>> import glossary
        >>> [t.id for t in glossary.terms(relation="broader", to="CLR")]
        ['one-cycle-policy']
    """
    return _installed().terms(category=category, level=level, relation=relation, to=to)


def search(text: str, *, limit: int = 10) -> list[Match]:
    """The installed terms that best answer a question in words, best first.

    Args:
        text: Anything: a name, a misspelling, a description, a question.
        limit: How many answers at most, from 1.

    Returns:
        Matches, each with its term, a score from 0 to 1, and the reason; empty
        if nothing matches.

    Raises:
        ValueError: If ``limit`` is below 1.

    Example:
        >>> import glossary
        >>> for match in glossary.search("bachnorm", limit=1):
        ...     print(match.term.name, "for", match.reason)
        batch normalization for nearly the alias 'batch norm'
    """
    return _installed().search(text, limit=limit)


def path(start: str, end: str) -> list[Link]:
    """The shortest chain of relations from one installed term to another.

    Args:
        start: Name of the first term.
        end: Name of the last term.

    Returns:
        The steps; none where both names mean the same term.

    Raises:
        UnknownTerm: If a name is unknown or ambiguous.
        NoPath: If no chain joins them.

    Example:
        >>> import glossary
        >>> [str(link) for link in glossary.path("Adam", "momentum")]
        ['Adam related momentum']
    """
    return _installed().path(start, end)
