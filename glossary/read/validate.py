"""Validation of terms by coded checks.

A code is a letter (E for error, W for warning) and a number whose first digit is
the group: 0 shape, 1 names, 2 relations, 3 references, 4 formulas, 5 claims, 6 API
links, 7 plug-ins. The message of a code is the docstring of its check. A term with
an error of group 0 or 1 cannot be used; one with another error can.

All that is wrong is told at once: of a record with errors of shape, the rest is checked
as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from glossary.model import Term
from glossary.problems import Problem
from glossary.read import checks
from glossary.read.catalog import Catalog
from glossary.read.checks import Check, shape
from glossary.read.finding import Finding
from glossary.read.places import Written
from glossary.records import Record, from_record
from glossary.shown import shown

_UNUSABLE = ("E0", "E1")


@dataclass(frozen=True, slots=True)
class Entry:
    """A record as read, and where it came from.

    Args:
        file: Name of the file.
        source: Of its terms.
        record: What stands there.
        written: The text of the file; or None, and no lines are told.
        place: Of the record in the file, such as ``"terms[0]"``; or empty.
    """

    file: str
    source: str
    record: Record
    written: Written | None = None
    place: str = ""

    def problem(self, code: str, finding: Finding) -> Problem:
        """What a check found, with the line of the file."""
        path = ".".join(part for part in (self.place, finding.path) if part)
        line = self.written.line(path, finding.word) if self.written else 0
        return Problem(
            code,
            message(code),
            self.file,
            finding.path,
            finding.value,
            line,
            finding.hint,
        )


class Report(NamedTuple):
    """What checking some entries gave: the usable terms, and the problems."""

    terms: list[Term]
    problems: list[Problem]


def codes() -> dict[str, str]:
    """Every code with its message, in order.

    Example:
        >>> from glossary.read import validate
        >>> validate.codes()["E201"]
        'Target of the relation does not exist.'
    """
    return dict(sorted(checks.MESSAGES.items(), key=lambda pair: pair[0][1:]))


def message(code: str) -> str:
    """The rule that a code stands for."""
    return checks.MESSAGES[code]


def check_entries(
    entries: Iterable[Entry],
    among: Sequence[Term] = (),
    around: Sequence[Term] = (),
    targets: Iterable[str] = (),
) -> Report:
    """Check records as read from files.

    Args:
        entries: The records.
        among: Terms that are there already, with which they may not collide.
        around: Terms with which they may, and to which relations may lead as well.
        targets: Ids of further terms to which relations may lead.

    Returns:
        The terms that can be used, and every problem of every entry.
    """
    read = [(entry, *shape.sound_part(entry.record)) for entry in entries]
    terms = [from_record(part, entry.source) for entry, part, _ in read]
    catalog = Catalog([*among, *terms], around, targets)
    usable: list[Term] = []
    problems: list[Problem] = []
    for term, (entry, _, breaches) in zip(terms, read, strict=True):
        broken = [breach.finding.path for breach in breaches]
        found = [entry.problem(code, finding) for code, finding in breaches]
        if "" not in broken:  # else it is no table at all
            found += [
                entry.problem(code, finding)
                for code, finding in _run(checks.TERMS, term, catalog)
                if not any(_touch(finding.path, path) for path in broken)
            ]
        problems += sorted(found, key=lambda problem: problem.line)
        if not any(problem.code.startswith(_UNUSABLE) for problem in found):
            usable.append(term)
    return Report(usable, problems)


def check_terms(
    terms: Sequence[Term], around: Sequence[Term] = (), *, links: bool = False
) -> list[Problem]:
    """Check terms that are loaded already.

    Args:
        terms: What is checked.
        around: Further terms, to which relations may lead as well.
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
    return _problems(table, terms, Catalog(terms, around))


def check_links(terms: Sequence[Term]) -> list[Problem]:
    """The problems of API links and demos alone; packages are imported."""
    return _problems(checks.LINKS, terms, Catalog(terms))


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
            raise ValueError(
                f"No code starts with {shown(prefix)}. The codes: {listed}."
            )
    return [
        problem
        for problem in problems
        if not prefixes or problem.code.startswith(tuple(prefixes))
    ]


def unreadable(code: str, file: str, value: object, line: int = 0) -> Problem:
    """A problem of something that could not even be read."""
    return Problem(code, message(code), file, "", str(value), line)


def _problems(
    table: Mapping[str, Check], terms: Sequence[Term], catalog: Catalog
) -> list[Problem]:
    return [
        Problem(code, message(code), term.id, found.path, found.value, 0, found.hint)
        for term in terms
        for code, found in _run(table, term, catalog)
    ]


def _run(
    table: Mapping[str, Check], term: Term, catalog: Catalog
) -> Iterator[tuple[str, Finding]]:
    for code, check in table.items():
        for finding in check(term, catalog):
            yield code, finding


def _touch(path: str, broken: str) -> bool:
    """Whether one place is the other, or lies in it."""
    short, long = sorted((path, broken), key=len)
    return long.startswith(short) and long[len(short) :][:1] in ("", ".", "[")
