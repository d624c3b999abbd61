"""Validation of terms by coded checks.

A code is a letter (E for error, W for warning) and a number whose first digit is
the group: 0 shape, 1 names, 2 relations, 3 references, 4 formulas, 5 claims, 6 API
links, 7 plug-ins. The message of a code is the docstring of its check. A term with
an error of group 0 or 1 cannot be used; one with another error can.
"""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from glossary.find.labels import Labels
from glossary.problems import Problem
from glossary.read import checks
from glossary.read.checks.shape import is_sound
from glossary.read.records import from_record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from glossary.model import Term
    from glossary.read.checks import Check
    from glossary.read.records import Record


class Entry(NamedTuple):
    """A record as read, and where it came from."""

    file: str
    source: str
    record: Record


class Report(NamedTuple):
    """What checking some entries gave: the usable terms, and the problems."""

    terms: list[Term]
    problems: list[Problem]


class Catalog:
    """All the terms there are, as the checks need to look at them.

    Args:
        terms: Those being checked and those already known.
        targets: Ids of further terms that relations may lead to.
    """

    def __init__(self, terms: Sequence[Term], targets: Iterable[str] = ()) -> None:
        self.terms = terms
        self.labels = Labels(terms).by_key
        self.times = Counter(term.id for term in terms)
        self.by_id = {term.id: term for term in terms}
        self.targets = {*self.by_id, *targets}
        self.claims = Counter(claim.id for term in terms for claim in term.claims)


def codes() -> dict[str, str]:
    """Every code with its message, in order.

    Example:
        >>> from glossary.read import validate
        >>> validate.codes()["E201"]
        'Target of the relation does not exist.'
    """
    groups = (checks.SHAPE, checks.TERMS, checks.LINKS, checks.PLUGINS)
    table = {code: check for group in groups for code, check in group.items()}
    return {code: _message(table[code]) for code in sorted(table, key=lambda c: c[1:])}


def check_entries(
    entries: Iterable[Entry],
    among: Sequence[Term] = (),
    targets: Iterable[str] = (),
) -> Report:
    """Check records as read from files.

    Args:
        entries: The records.
        among: Terms that are there already, with which they may not collide.
        targets: Ids of further terms that relations may lead to.

    Returns:
        The terms that can be used, and every problem of every entry.
    """
    problems: list[Problem] = []
    terms: list[Term] = []
    files: dict[int, str] = {}
    for entry in entries:
        if is_sound(entry.record):
            terms.append(from_record(entry.record, entry.source))
            files[id(terms[-1])] = entry.file
        else:
            problems += [
                Problem(code, _message(check), entry.file, path, value)
                for code, check in checks.SHAPE.items()
                for path, value in check(entry.record)
            ]
    catalog = Catalog([*among, *terms], targets)
    found = _run(checks.TERMS, terms, catalog, files)
    unusable = {id(term) for term, p in found if p.code.startswith("E1")}
    usable = [term for term in terms if id(term) not in unusable]
    return Report(usable, problems + [problem for _, problem in found])


def check_terms(terms: Sequence[Term], *, links: bool = False) -> list[Problem]:
    """Check terms that are loaded already.

    Args:
        terms: A whole collection: relations are looked up within it.
        links: Whether to import the packages that API links name, and see
            whether the objects exist.

    Returns:
        The problems; none where all is well.

    Example:
        >>> import glossary
        >>> from glossary.read import validate
        >>> validate.check_terms(glossary.terms())
        []
    """
    table = {**checks.TERMS, **(checks.LINKS if links else {})}
    return [problem for _, problem in _run(table, terms, Catalog(terms), {})]


def select_problems(
    problems: Iterable[Problem], prefixes: Sequence[str]
) -> list[Problem]:
    """The problems whose code starts with one of the prefixes.

    Args:
        problems: From a check.
        prefixes: Such as ``["E", "W3"]``; none means all.

    Returns:
        The problems selected.

    Raises:
        ValueError: If a prefix matches no code.
    """
    for prefix in prefixes:
        if not any(code.startswith(prefix) for code in codes()):
            listed = ", ".join(codes())
            raise ValueError(f"No code starts with {prefix!r}. The codes: {listed}.")
    return [
        problem
        for problem in problems
        if not prefixes or problem.code.startswith(tuple(prefixes))
    ]


def unreadable(code: str, file: str, value: str) -> Problem:
    """A problem of something that could not even be read."""
    return Problem(
        code, _message({**checks.SHAPE, **checks.PLUGINS}[code]), file, "", value
    )


def _run(
    table: dict[str, Check],
    terms: Sequence[Term],
    catalog: Catalog,
    files: dict[int, str],
) -> list[tuple[Term, Problem]]:
    return [
        (
            term,
            Problem(code, _message(check), files.get(id(term), term.id), path, value),
        )
        for term in terms
        for code, check in table.items()
        for path, value in check(term, catalog)
    ]


def _message(check: object) -> str:
    return (check.__doc__ or "").strip().splitlines()[0]
